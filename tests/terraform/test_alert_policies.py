"""The alert policies of `terraform/`, with what Cloud Run and the function log."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest

from tests.followup.days import PAGE
from tests.terraform.conftest import EXAMPLE, TERRAFORM, Values, evaluated, local_values


def policies(values: Values) -> dict[str, dict[str, Any]]:
    """Display name of the condition → the policy."""
    return {
        policy["conditions"]["display_name"]: policy
        for policy in values["google_monitoring_alert_policy"]
        if "display_name" in policy["conditions"]
    }


def test_a_notification_names_file_code_and_what_to_do(values: Values) -> None:
    """Each label that a text shows is taken from a field of the log line."""
    for policy in policies(values).values():
        matched = policy["conditions"].get("condition_matched_log")
        if matched is not None:
            text = f"{policy['documentation']['subject']}\n{policy['documentation']['content']}"
            shown = set(re.findall(r"\$\{log\.extracted_label\.(\w+)\}", text))
            assert shown == matched["label_extractors"].keys()
    extracted = policies(values)["file_failed"]["conditions"]["condition_matched_log"]
    assert extracted["label_extractors"]["file"] == "EXTRACT(jsonPayload.run_id)"
    assert {"event", "code", "detail", "action", "report"} < extracted["label_extractors"].keys()


def test_notifications_link_to_the_runbook(all_on: Values) -> None:
    """With `runbook_url`, every policy links to its section, and every section is there."""
    for policy in all_on["google_monitoring_alert_policy"]:
        content = policy["documentation"]["content"]
        (name,) = re.findall(r"https://git.example.com/docs/operate.md#(\w+)", content)
        assert f"\n### {name}\n" in PAGE


def test_a_silent_sweep_is_told_daily() -> None:
    """All concerns hang on it. Without a channel, there is nobody to tell."""
    text = (TERRAFORM / "monitoring.tf").read_text(encoding="utf-8")
    policy = text.split('"google_monitoring_alert_policy" "sweep_silent"')[1].split("\n}\n")[0]
    assert 'renotify_interval          = "86400s"' in policy
    assert "length(var.notification_channels) > 0 ? [1] : []" in policy


SCHEDULES = {
    "*/15 * * * *": 15,
    "*/7 * * * *": 7,
    "0 * * * *": 60,
    "5,35 * * * *": 60,
    "0 */6 * * *": 360,
    "*/20 8-18 * * *": 1440,
}


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_the_silence_follows_the_schedule(schedule: str, tmp_path: Path) -> None:
    """The sweep may be silent for its longest interval, and for as long as one works."""
    path = tmp_path / "more.tfvars"
    path.write_text(f'sweep_schedule = "{schedule}"\n', encoding="utf-8")
    values = evaluated(TERRAFORM, EXAMPLE, Path(os.path.relpath(path, TERRAFORM)))
    assert local_values(values)["sweep_interval_minutes"] == SCHEDULES[schedule]
    silent = policies(values)["sweep_silent"]["conditions"]
    condition = silent["condition_prometheus_query_language"]
    assert condition["duration"] == f"{60 * (SCHEDULES[schedule] + 18)}s"


def test_no_channel_is_a_warning_of_the_plan() -> None:
    """A `check` block warns, and stops nothing."""
    text = (TERRAFORM / "monitoring.tf").read_text(encoding="utf-8")
    (block,) = re.findall(r'^check "notification_channels" {(.+?)^}', text, re.M | re.S)
    assert "length(var.notification_channels) > 0" in block
    assert "nobody is notified" in block


CRASHES = [
    "Memory limit of 512 MiB exceeded with 530 MiB used. Consider increasing the limit",
    "Container called exit(1).",
    "Container terminated on signal 9.",
    "Uncaught signal: 11, pid=2, tid=4, fault_addr=0.",
    "Default STARTUP TCP probe failed. The container failed to start.",
    "Worker (pid:7) was sent SIGKILL! Perhaps out of memory?",
    "The request failed because either the HTTP response was malformed or connection to the "
    "instance had an error.",
]


@pytest.mark.parametrize("text", [*CRASHES, "Shutting down user disabled instance"])
def test_a_crash_notifies(values: Values, text: str) -> None:
    """An instance that runs out of memory, is killed or does not start; not one that ends."""
    matched = policies(values)["service_crashed"]["conditions"]["condition_matched_log"]
    (pattern,) = re.findall(r'textPayload=~"(.+?)"', matched["filter"])
    assert bool(re.search(pattern, text)) is (text in CRASHES)


def test_refused_calls_notify(values: Values) -> None:
    """The trigger or the scheduler lost its permission, for either function."""
    matched = policies(values)["calls_refused"]["conditions"]["condition_matched_log"]
    assert "httpRequest.status=(401 OR 403)" in matched["filter"]
    assert '("conversions-ingest" OR "conversions-sweep")' in matched["filter"]
