"""The alerts of `terraform/`, with what Cloud Run and the function log, in simulated time."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import flask
import pytest

import main
from lib.model.outcomes import Tally
from tests.adapters.test_log_events import SCENES
from tests.fakes import START, world
from tests.run.test_silences import MINUTES, PAGE, SILENCES
from tests.terraform.conftest import TERRAFORM
from tools.terraform_check import configuration, log_filter
from tools.terraform_check.alerting import Monitoring, Notification, entry_of, platform_entry

Values = dict[str, list[Any]]

INGEST, SWEEP = "conversions-ingest", "conversions-sweep"
ALERT_SCENES = [name for name, (severity, _) in SCENES.items() if severity == "ERROR"]
NOON = datetime(2027, 1, 5, 12, tzinfo=UTC)


@pytest.fixture
def monitoring(values: Values) -> Monitoring:
    """The deployment of the example, created on a day at noon."""
    return Monitoring(values, NOON)


def alerts(found: list[Notification]) -> list[str]:
    return [each.alert for each in found]


# ── what the function logs ────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("scene", ALERT_SCENES)
def test_a_notification_tells_what_a_person_needs(
    scene: str,
    values: Values,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """It names the file, what happened and what to do, and links to the report and the logs."""
    google = world()
    monkeypatch.setattr(main, "_context", lambda: google.context)
    monkeypatch.delenv("INPUT_BUCKET", raising=False)
    with flask.Flask("test").test_request_context():
        SCENES[scene][1](google)
    event = scene.split()[0]
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    line = next(line for line in lines if line["event"] == event)
    (found,) = Monitoring(values, NOON).log(NOON, entry_of(line, INGEST))
    assert found.alert == event
    assert line["detail"] in found.content
    assert line.get("run_id", "") in found.subject
    assert line.get("code", "") in found.subject
    assert f"docs/operate.md, section {event}" in found.content
    if event != "unexpected_error" and scene != "settings_invalid":
        assert f"What to do: {line['action']}" in found.content
    if "report" in line:
        (name,) = re.findall(r"\[Report\]\(https://storage.*-output/([^)\s]+)\)", found.content)
        assert name == line["report"]
        assert name.removesuffix("html") + "json" in google.store.names("out-bucket") or (
            event in ("run_late", "quota_exhausted", "unexpected_error", "file_unfinished")
        )
    (query,) = re.findall(r"console\.cloud\.google\.com/logs/query;query=(\S+)\?project=", (
        found.content
    ))  # fmt: skip
    assert re.fullmatch(r"[\w.%~=-]+", query)


@pytest.mark.parametrize("cause", SILENCES)
def test_every_cause_notifies_within_30_minutes(
    cause: str,
    values: Values,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The log lines of a cause in docs/operate.md reach a person in time, by the alert there."""
    silence, google = SILENCES[cause], world()
    monkeypatch.setattr(main, "_context", lambda: google.context)
    silence.begin(google)
    monitoring = Monitoring(values, START)
    due: float | None = None
    with flask.Flask("test").test_request_context():
        for _ in silence.wait(google):
            due = google.clock.seconds if due is None else due
            lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
            entries = [entry_of(line, INGEST) for line in lines]
            found = [
                each for entry in entries for each in monitoring.log(google.clock.utc(), entry)
            ]
            if silence.event in alerts(found):
                break
            assert google.clock.seconds - due < MINUTES * 60
        else:
            pytest.fail("nobody is notified")


def test_every_row_of_the_table_has_its_alert(values: Values) -> None:
    """Each alert in the table of causes is a policy, with its own section as its runbook."""
    section = PAGE.split("\n## Which problem raises which alert\n")[1].split("\n## ")[0]
    listed = set(re.findall(r"^\| [^|]+ \| \[`(\w+)`\]\(#\1\) \|", section, re.M))
    policies = {p["conditions"]["display_name"] for p in values["google_monitoring_alert_policy"]}
    assert len(listed) > 10
    assert listed <= policies


def test_notifications_link_to_the_runbook(all_on: Values) -> None:
    """With `runbook_url`, every alert links to its section."""
    for policy in all_on["google_monitoring_alert_policy"]:
        address = f"https://git.example.com/docs/operate.md#{policy['conditions']['display_name']}"
        assert address in policy["documentation"]["content"]


def test_a_problem_that_lasts_notifies_now_and_then(monitoring: Monitoring) -> None:
    """A line of every attempt notifies every two hours for a file; another file is not silenced."""
    line = {"event": "run_late", "code": "API_UNAVAILABLE", "detail": "", "action": ""}
    found = []
    for minute in range(0, 240, 10):
        for name in ("a.csv", "b.csv"):
            entry = entry_of({**line, "run_id": f"in/{name}#1"}, INGEST)
            found += monitoring.log(NOON + timedelta(minutes=minute), entry)
    assert len(found) == 4
    assert {each.subject.split("/")[1].split("#")[0] for each in found} == {"a.csv", "b.csv"}


def test_a_limit_of_notifications_is_told(monitoring: Monitoring) -> None:
    """When Cloud Monitoring stops notifying of more stopped files, another alert says so."""
    found = []
    for number in range(30):
        line = {"event": "run_stopped", "run_id": f"in/{number}.csv#1", "code": "EMPTY_FILE"}
        found += monitoring.log(NOON + timedelta(minutes=number), entry_of(line, INGEST))
    assert alerts(found) == ["run_stopped"] * 20
    (capped,) = [
        each
        for each in monitoring.until(NOON + timedelta(minutes=30))
        if each.alert == "notifications_capped"
    ]
    assert capped.at <= found[-1].at + timedelta(minutes=1)


# ── what Cloud Run logs ───────────────────────────────────────────────────────────────────────

SYSTEM, REQUESTS = "run.googleapis.com/varlog/system", "run.googleapis.com/requests"
CRASHES = [
    (SYSTEM, "Memory limit of 512 MiB exceeded with 530 MiB used. Consider increasing the limit"),
    (SYSTEM, "Container called exit(1)."),
    (SYSTEM, "Container terminated on signal 9."),
    (SYSTEM, "Uncaught signal: 11, pid=2, tid=4, fault_addr=0."),
    (SYSTEM, "Default STARTUP TCP probe failed. The container failed to start."),
    ("run.googleapis.com/stderr", "Worker (pid:7) was sent SIGKILL! Perhaps out of memory?"),
    (
        REQUESTS,
        "The request failed because either the HTTP response was malformed or connection to the "
        "instance had an error.",
    ),
]


@pytest.mark.parametrize("log, text", CRASHES)
def test_a_crash_notifies(monitoring: Monitoring, log: str, text: str) -> None:
    """An instance that runs out of memory, is killed or does not start; the text is repeated."""
    (found,) = monitoring.log(NOON, platform_entry(INGEST, log, textPayload=text))
    assert found.alert == "service_crashed"
    assert text in found.content


@pytest.mark.parametrize("service", [INGEST, SWEEP])
@pytest.mark.parametrize("status", [401, 403])
def test_refused_calls_notify(monitoring: Monitoring, service: str, status: int) -> None:
    """The trigger or the scheduler lost its permission."""
    entry = platform_entry(service, REQUESTS, httpRequest={"status": status})
    (found,) = monitoring.log(NOON, entry)
    assert (found.alert, str(status) in found.content) == ("calls_refused", True)
    assert service in found.subject


def test_ordinary_lines_notify_nobody(monitoring: Monitoring) -> None:
    """Answers, a sweep that still runs, an instance that ends, and another service's crash."""
    for status in (200, 429, 500, 503):
        entry = platform_entry(INGEST, REQUESTS, httpRequest={"status": status})
        assert monitoring.log(NOON, entry) == []
    for text in ("Container called exit(0).", "Starting new instance. Reason: AUTOSCALING"):
        assert monitoring.log(NOON, platform_entry(SWEEP, SYSTEM, textPayload=text)) == []
    other = platform_entry("somebody-elses", SYSTEM, textPayload="Container called exit(1).")
    assert monitoring.log(NOON, other) == []


# ── what is missing, or adds up ───────────────────────────────────────────────────────────────

SCHEDULES = {
    "*/15 * * * *": 15,
    "* * * * *": 1,
    "7 * * * *": 60,
    "5,35 * * * *": 30,
    "*/25 * * * *": 25,
    "0 */2 * * *": 120,
    "10-50/20 6-22 * * *": 440,
    "30 3 * * *": 1440,
    "0/20 * * * *": 20,
}


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_the_interval_of_a_schedule(tmp_path: Path, schedule: str) -> None:
    """The longest time between two sweeps is computed from the cron expression."""
    text = (TERRAFORM / "monitoring.tf").read_text(encoding="utf-8")
    found = re.search(r"^  sweep_fields = .+?^  sweep_interval_minutes = .+?^  \)$", (
        text
    ), re.M | re.S)  # fmt: skip
    assert found is not None
    body = (
        f'variable "sweep_schedule" {{\n  default = "{schedule}"\n}}\nlocals {{\n{found[0]}\n}}\n'
    )
    (tmp_path / "main.tf").write_text(body, encoding="utf-8")
    local = configuration.local_values(configuration.evaluated(tmp_path))
    assert local["sweep_interval_minutes"] == SCHEDULES[schedule]


def sweeps(monitoring: Monitoring, minutes: list[int]) -> None:
    for minute in minutes:
        entry = entry_of({"event": "sweep_finished"}, SWEEP)
        monitoring.log(NOON + timedelta(minutes=minute), entry)


def test_a_silent_sweep_notifies_within_half_an_hour_more(monitoring: Monitoring) -> None:
    """Sweeps of up to 27 minutes are no silence. One that does not come is, within 45 minutes."""
    # The first comes late, and one works until its limit: the next call is refused.
    sweeps(monitoring, [15, 30, 45, 60 + 27, 90 + 27, 120, *range(135, 600, 15)])
    assert monitoring.until(NOON + timedelta(minutes=600)) == []
    (found,) = monitoring.until(NOON + timedelta(minutes=700))
    assert found.alert == "sweep_silent"
    assert found.at <= NOON + timedelta(minutes=585 + 15 + 30)


def test_a_new_deployment_without_a_sweep_notifies(monitoring: Monitoring) -> None:
    """A scheduler that never calls is noticed, too."""
    (found,) = monitoring.until(NOON + timedelta(minutes=46))
    assert found.alert == "sweep_silent"


def finished(at: int, late: float = 60, **counts: int) -> tuple[datetime, log_filter.Entry]:
    line = {"event": "run_finished", "counts": {**Tally().counts(), **counts}}
    return NOON + timedelta(minutes=at), entry_of({**line, "since_arrival_seconds": late}, INGEST)


def queried(monitoring: Monitoring, minutes: int) -> Iterator[str]:
    for found in monitoring.until(NOON + timedelta(minutes=minutes)):
        if found.alert != "sweep_silent":
            yield found.alert


def test_failing_rows_of_small_files_add_up(monitoring: Monitoring) -> None:
    """Five files with one failing row each within an hour notify once; four do not."""
    for minute in (0, 10, 20, 30):
        monitoring.log(*finished(minute, rows=2, uploaded=1, failed=1))
    monitoring.log(*finished(120, rows=2, uploaded=1, rejected=1))
    assert list(queried(monitoring, 180)) == []
    for minute in (180, 181, 182, 183, 184):
        monitoring.log(*finished(minute, rows=2, uploaded=1, rejected=1))
    assert list(queried(monitoring, 360)) == ["rows_failing_hourly"]


def test_a_large_file_with_few_failing_rows_is_no_alert(monitoring: Monitoring) -> None:
    """Neither is a file whose own alert has already been sent."""
    monitoring.log(*finished(0, rows=1000, uploaded=900, failed=100))
    monitoring.log(NOON + timedelta(minutes=120), entry_of({"event": "rows_failing"}, INGEST))
    monitoring.log(*finished(120, rows=10, failed=10))
    assert list(queried(monitoring, 360)) == []


def test_late_results_burn_the_budget(monitoring: Monitoring) -> None:
    """Three late files in an hour are many; one late file among hundreds is none."""
    for minute in range(0, 600, 2):
        monitoring.log(*finished(minute, late=1900 if minute == 300 else 60))
    assert list(queried(monitoring, 600)) == []
    for minute in (600, 610, 620):
        monitoring.log(*finished(minute, late=1900))
    assert sorted(queried(monitoring, 660)) == ["results_late_fast"]


def test_the_objective_is_what_the_page_says(values: Values) -> None:
    """99 % within 30 minutes over four weeks, made of the metrics that the alerts use."""
    (slo,) = values["google_monitoring_slo"]
    assert (slo["goal"], slo["rolling_period_days"]) == (0.99, 28)
    assert f"{slo['display_name'].split(' of ')[0]} of all files should have results" in PAGE
    assert "within 30 minutes" in slo["display_name"]
    names = {metric["name"]: metric for metric in values["google_logging_metric"]}
    ratio = slo["request_based_sli"]["good_total_ratio"]
    for key, name in {"bad": "files_late", "total": "files_with_results"}.items():
        assert f'user/conversions/{name}"' in ratio[f"{key}_service_filter"]
        assert f"conversions/{name}" in names
    late = log_filter.parse(names["conversions/files_late"]["filter"])
    assert [late(finished(0, seconds)[1]) for seconds in (1799.0, 1801.0)] == [False, True]


def test_no_channel_is_a_warning_of_the_plan() -> None:
    """A `check` block warns, and stops nothing."""
    text = (TERRAFORM / "monitoring.tf").read_text(encoding="utf-8")
    (block,) = re.findall(r'^check "notification_channels" {(.+?)^}', text, re.M | re.S)
    assert "length(var.notification_channels) > 0" in block
    assert "nobody is notified" in block


# ── the simulation itself ─────────────────────────────────────────────────────────────────────

ENTRY = entry_of({"severity": "ERROR", "event": "a", "number": 7, "code": "X_Y"}, INGEST)
FILTERS = {
    'jsonPayload.event="a"': True,
    'jsonPayload.event=("b" OR "A")': True,
    'jsonPayload.event!="a"': False,
    "jsonPayload.number>6": True,
    "jsonPayload.number>7": False,
    "jsonPayload.missing>0": False,
    'jsonPayload.code=~"^X_" AND NOT jsonPayload.event="b"': True,
    'jsonPayload.code:"_y"': True,
    'log_id("run.googleapis.com/stdout") severity=ERROR': True,
    'log_id("run.googleapis.com/stderr")': False,
    # OR binds tighter than AND.
    'jsonPayload.event="b" AND jsonPayload.number=7 OR jsonPayload.event="a"': False,
    'jsonPayload.event="a" OR jsonPayload.event="b" AND jsonPayload.number=7': True,
    '(jsonPayload.event="b" AND jsonPayload.number=7) OR jsonPayload.event="a"': True,
}


@pytest.mark.parametrize("text", FILTERS)
def test_filters_match_as_cloud_logging_does(text: str) -> None:
    """Comparisons, lists, precedence, and fields that are missing."""
    assert log_filter.parse(text)(ENTRY) is FILTERS[text]


@pytest.mark.parametrize("text", ['jsonPayload.event="a" )', "jsonPayload.event", "(a=1", "a=1 ~"])
def test_a_broken_filter_is_refused(text: str) -> None:
    """A mistake in a filter of terraform/ fails a test."""
    with pytest.raises(ValueError):
        log_filter.parse(text)
