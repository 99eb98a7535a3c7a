"""The alerts of `terraform/`: what they watch, whom they tell how often, and where they link to."""

from __future__ import annotations

import re
from typing import Any

import pytest

from lib.adapters.logging import EVENTS
from lib.sweep.problems import KINDS
from tests.terraform.conftest import ROOT, TERRAFORM, Values, local_values

PAGE = (ROOT / "docs" / "alerts.md").read_text("utf-8")
SECTIONS = set(re.findall(r"^### (\w+)$", PAGE, re.M))
TEXT = (TERRAFORM / "monitoring.tf").read_text("utf-8")


def policies(values: Values) -> dict[str, dict[str, Any]]:
    """Display name of the condition → the policy."""
    return {
        policy["conditions"]["display_name"]: policy
        for policy in values["google_monitoring_alert_policy"]
        if "display_name" in policy["conditions"]
    }


# ── open problems ────────────────────────────────────────────────────────────────────────────


def test_each_severity_has_a_metric_and_a_policy(values: Values) -> None:
    """So a kind that is added needs no change here."""
    severities = {kind.severity for kind in KINDS}
    assert set(local_values(values)["severities"]) == severities
    metrics = {m["name"]: m["filter"] for m in values["google_logging_metric"]}
    for severity in severities:
        name = f"conversions/open_problems_{severity.lower()}"
        assert metrics[name].endswith(f'jsonPayload.event="open_problem" AND severity={severity}')
        policy = policies(values)[f"open_problem_{severity.lower()}"]
        assert policy["severity"] == severity
        condition = policy["conditions"]["condition_threshold"]
        assert f"logging.googleapis.com/user/{name}" in condition["filter"]
        grouped = condition["aggregations"]["group_by_fields"]
        assert grouped == ["metric.label.kind", "metric.label.profile"]
        assert condition["aggregations"]["alignment_period"] == "3600s"


def test_every_kind_has_its_section(all_on: Values) -> None:
    """A notification links to the section with the name of the kind, and to the overview."""
    assert {kind.name for kind in KINDS} <= SECTIONS
    for severity in ("error", "warning"):
        content = policies(all_on)[f"open_problem_{severity}"]["documentation"]["content"]
        assert "(https://git.example.com/docs/alerts.md#${metric.label.kind})" in content
        assert (
            "(https://storage.cloud.google.com/acme-conversions-conversions-output/index.html)"
            in content
        )


@pytest.mark.parametrize("policy", ["open_problems", "sweep_silent"])
def test_what_lasts_is_told_daily(policy: str) -> None:
    """Without a channel, there is nobody to tell, and the provider refuses an empty list."""
    body = TEXT.split(f'"google_monitoring_alert_policy" "{policy}"')[1].split("\n}\n")[0]
    assert 'renotify_interval          = "86400s"' in body
    assert "length(var.notification_channels) > 0 ? [1] : []" in body


# ── alerts about the function ────────────────────────────────────────────────────────────────


def test_every_alert_has_its_section(values: Values, all_on: Values) -> None:
    """And no section of the page is left over. Without `docs_url`, the text names the page."""
    linked = {
        section
        for policy in all_on["google_monitoring_alert_policy"]
        for section in re.findall(
            r"git.example.com/docs/alerts\.md#(\w+)", policy["documentation"]["content"]
        )
    }
    assert linked | {kind.name for kind in KINDS} == SECTIONS
    for name, policy in policies(values).items():
        section = "${metric.label.kind}" if name.startswith("open_problem") else name
        assert f"docs/alerts.md, section {section}" in policy["documentation"]["content"]


def test_terraform_names_events_that_exist(values: Values) -> None:
    """In its metrics and in the alert that cannot wait, which has all other alerts of the code."""
    at_once = set(local_values(values)["events_at_once"])
    filters = [metric["filter"] for metric in values["google_logging_metric"]]
    counted = {name for each in filters for name in re.findall(r'jsonPayload\.event="(\w+)"', each)}
    assert counted == {"open_problem"}
    assert at_once | counted <= set(EVENTS)
    alerts = {name for name, meaning in EVENTS.items() if meaning.startswith("ALERT")}
    assert at_once == alerts - {"open_problem"}


def test_a_notification_shows_each_label(values: Values) -> None:
    """What the log line or Cloud Run says."""
    policy = policies(values)["function_failing"]
    extracted = policy["conditions"]["condition_matched_log"]["label_extractors"]
    shown = re.findall(r"\$\{log\.extracted_label\.(\w+)\}", policy["documentation"]["content"])
    assert set(shown) == extracted.keys()
    assert extracted["file"] == "EXTRACT(jsonPayload.run_id)"


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
    condition = policies(values)["function_failing"]["conditions"]["condition_matched_log"]
    (pattern,) = re.findall(r'textPayload=~"(.+?)"', condition["filter"])
    assert bool(re.search(pattern, text)) is (text in CRASHES)
    assert "httpRequest.status=(401 OR 403)" in condition["filter"]


def test_the_sweep_may_be_silent_as_long_as_one_takes(values: Values) -> None:
    """For its interval, and for as long as a sweep works."""
    silent = policies(values)["sweep_silent"]["conditions"]["condition_prometheus_query_language"]
    assert silent["duration"] == f"{60 * (15 + 18)}s"
    assert 'service_name="conversions-sweep",response_code="200"' in silent["query"]
    (job,) = values["google_cloud_scheduler_job"]
    assert job["schedule"] == "*/15 * * * *"


def test_no_channel_is_a_warning_of_the_plan() -> None:
    """A `check` block warns, and stops nothing."""
    (block,) = re.findall(r'^check "notification_channels" {(.+?)^}', TEXT, re.M | re.S)
    assert "length(var.notification_channels) > 0" in block
