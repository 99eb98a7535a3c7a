"""The alerts of `terraform/`: what they watch, whom they tell how often, and where they link to."""

from __future__ import annotations

import re
from typing import Any

import pytest

from lib.adapters.logging import EVENTS
from lib.catalogue.open_problems import PROBLEM_KINDS
from tests.terraform.conftest import (
    ALL_ON,
    EXAMPLE,
    HCL,
    ROOT,
    TERRAFORM,
    Values,
    evaluated_with,
    local_values,
)

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


LABELS = ["kind", "profile", "code", "title", "action"]


def test_each_severity_has_a_metric_and_a_policy(values: Values) -> None:
    """So a kind that is added needs no change here. An incident has a label for each field that the
    code chooses from few values."""
    severities = {kind.severity for kind in PROBLEM_KINDS}
    assert set(local_values(values)["severities"]) == severities
    assert local_values(values)["problem_labels"] == LABELS
    metrics = {metric["name"]: metric for metric in values["google_logging_metric"]}
    for severity in severities:
        name = f"conversions/open_problems_{severity.lower()}"
        events = 'jsonPayload.event=("open_problem" OR "settings_invalid")'
        assert metrics[name]["filter"].endswith(f"{events} AND severity={severity}")
        extracted = metrics[name]["label_extractors"]
        assert extracted == {label: f"EXTRACT(jsonPayload.{label})" for label in LABELS}
        policy = policies(values)[f"open_problem_{severity.lower()}"]
        assert policy["severity"] == severity
        condition = policy["conditions"]["condition_threshold"]
        assert f"logging.googleapis.com/user/{name}" in condition["filter"]
        grouped = condition["aggregations"]["group_by_fields"]
        assert grouped == [f"metric.label.{label}" for label in LABELS]
        assert condition["aggregations"]["alignment_period"] == "3600s"


def test_every_kind_has_its_section(all_on: Values) -> None:
    """A notification links to the section with the name of the kind, and to the overview."""
    assert {kind.name for kind in PROBLEM_KINDS} <= SECTIONS
    for severity in ("error", "warning"):
        content = policies(all_on)[f"open_problem_{severity}"]["documentation"]["content"]
        assert "(https://git.example.com/docs/alerts.md#${metric.label.kind})" in content
        assert (
            "(https://storage.cloud.google.com/acme-conversions-conversions-output/index.html)"
            in content
        )


def test_only_the_silent_sweep_relies_on_reminders() -> None:
    """What lasts is in the digest of each day, but a silent sweep writes none. Without a channel,
    the provider refuses an empty list."""
    policy = r'^resource "google_monitoring_alert_policy" "(\w+)" {(.+?)^}'
    bodies = dict(re.findall(policy, TEXT, re.M | re.S))
    assert [name for name, body in bodies.items() if "renotify_interval" in body] == [
        "sweep_silent"
    ]
    assert "length(var.notification_channels) > 0 ? [1] : []" in bodies["sweep_silent"]


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
    assert linked | {kind.name for kind in PROBLEM_KINDS} | {"settings_invalid"} == SECTIONS
    for name, policy in policies(values).items():
        section = "${metric.label.kind}" if name.startswith("open_problem_") else name
        assert f"docs/alerts.md, section {section}" in policy["documentation"]["content"]


DIGEST = "open_problems_digest"


def test_terraform_names_events_that_exist(values: Values) -> None:
    """Each event of which people must hear is in a policy."""
    filters = [metric["filter"] for metric in values["google_logging_metric"]]
    filters += [
        policy["conditions"]["condition_matched_log"]["filter"]
        for policy in policies(values).values()
        if "condition_matched_log" in policy["conditions"]
    ]
    named = {
        name
        for each in filters
        for compared in re.findall(r"jsonPayload\.event=(\(.+?\)|\"\w+\")", each)
        for name in re.findall(r"\w+", compared.replace(" OR ", " "))
    }
    alerts = {name for name, meaning in EVENTS.items() if meaning.startswith("ALERT")}
    assert named == alerts | {DIGEST}


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


@pytest.mark.parametrize(
    ("schedule", "minutes"),
    [
        ("*/15 * * * *", 60),
        ("10 * * * *", 150),
        ("0,30 6-20 * * *", 1440),
        ("0 */4 * * *", 510),
        ("0 6 * * *", 1440),
        ("0 6 * * 1-5", 1440),
    ],
)
def test_a_dead_server_stays_told_from_run_to_run(schedule: str, minutes: int) -> None:
    """In a window that is shorter than two runs, it would open and close with each of them."""
    given = ALL_ON.replace('schedule        = "10 * * * *"', f'schedule = "{schedule}"')
    values = evaluated_with(given, EXAMPLE)
    assert local_values(values)["failed_minutes"] == {"crm": minutes}
    assert "[${local.failed_minutes[each.key]}m]" in HCL
