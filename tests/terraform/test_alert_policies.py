"""The alert policies of `terraform/`, with what Cloud Run and the function log."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, get_args

import flask
import promql_parser
import pytest

import main
from lib.followup.concerns import ConcernSeverity
from tests import fakes
from tests.adapters.test_log_events import SCENES
from tests.fakes import world
from tests.followup.days import PAGE
from tests.followup.test_concerns_of_a_sweep import WRONG
from tests.terraform.conftest import EXAMPLE, TERRAFORM
from tools.terraform_check import configuration, log_filter

Values = dict[str, list[Any]]

INGEST, SWEEP = "conversions-ingest", "conversions-sweep"
STDOUT = "run.googleapis.com/stdout"
SYSTEM, REQUESTS = "run.googleapis.com/varlog/system", "run.googleapis.com/requests"
AT_ONCE = {
    "run_stopped": "file_failed",
    "run_stale": "file_failed",
    "deferred_rows_failed": "file_failed",
    "announce_failed": "file_failed",
    "settings_invalid": "function_failing",
    "unexpected_error": "function_failing",
    "sweep_failed": "function_failing",
    "run_late": "function_failing",
    "quota_exhausted": "function_failing",
}


def platform_entry(service: str, log: str, **content: Any) -> log_filter.Entry:
    """Return a log entry of Cloud Run about a service, in one of its logs."""
    return {
        "logName": f"projects/p/logs/{log.replace('/', '%2F')}",
        "resource": {"type": "cloud_run_revision", "labels": {"service_name": service}},
        **content,
    }


def entry_of(line: Mapping[str, Any], service: str = INGEST) -> log_filter.Entry:
    """Return the log entry that Cloud Run makes of a JSON line of a service."""
    payload = {key: value for key, value in line.items() if key != "severity"}
    return platform_entry(service, STDOUT, jsonPayload=payload, severity=line.get("severity"))


def notifications(values: Values, entry: log_filter.Entry) -> dict[str, str]:
    """Return what each policy that matches a log entry sends: subject and content, by its name."""
    found = {}
    for policy in values["google_monitoring_alert_policy"]:
        condition = policy["conditions"]
        if "condition_matched_log" not in condition:
            continue
        matched, text = condition["condition_matched_log"], policy["documentation"]
        if log_filter.parse(matched["filter"])(entry):
            labels = {
                name: str(log_filter.field_of(entry, path[len("EXTRACT(") : -1]) or "")
                for name, path in matched["label_extractors"].items()
            }
            written = f"{text['subject']}\n{text['content']}"
            for name, value in labels.items():
                written = written.replace(f"${{log.extracted_label.{name}}}", value)
            found[condition["display_name"]] = written
    return found


def logged(
    scene: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> list[dict[str, Any]]:
    """Return the lines of a scene."""
    google = world()
    monkeypatch.setattr(main, "_context", lambda: google.context)
    monkeypatch.delenv("INPUT_BUCKET", raising=False)
    with flask.Flask("test").test_request_context():
        SCENES[scene][1](google)
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


# ── what the function logs ────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("scene", [name for name in SCENES if name.split()[0] in AT_ONCE])
def test_what_cannot_wait_notifies_at_once(
    scene: str,
    values: Values,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """One policy matches the line; it names the file, what happened, what to do and where."""
    event = scene.split()[0]
    lines = logged(scene, monkeypatch, capsys)
    line = next(line for line in lines if line["event"] == event)
    ((policy, text),) = notifications(values, entry_of(line)).items()
    assert policy == AT_ONCE[event]
    for field in ("event", "run_id", "code", "detail", "action", "report"):
        assert str(line.get(field, "")) in text
    assert f"docs/operate.md, section {policy}" in text
    (query,) = re.findall(r"console\.cloud\.google\.com/logs/query;query=(\S+)\?project=", text)
    assert re.fullmatch(r"[\w.%~=-]+", query)


@pytest.mark.parametrize("scene", [name for name in SCENES if name.split()[0] not in AT_ONCE])
def test_other_lines_notify_only_as_concerns(
    scene: str,
    values: Values,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Events such as no_file are told by their concern, once a day; nothing notifies twice."""
    event = scene.split()[0]
    for line in logged(scene, monkeypatch, capsys):
        if line["event"] == event:
            found = {"concern": {f"concerns_{line['severity'].lower()}"}}.get(event, set())
            assert notifications(values, entry_of(line)).keys() == found


@pytest.mark.parametrize("severity", get_args(ConcernSeverity))
def test_a_concern_notifies_by_its_severity(
    severity: str, values: Values, capsys: pytest.CaptureFixture[str]
) -> None:
    """New, still there and over; with the report, and the key that tells concerns apart."""
    google = world()
    fakes.deliver(google, "a.csv", WRONG)
    fakes.sweep(google)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    (line,) = [line for line in lines if line["event"] == "concern"]
    for told in ("new", "still", "over"):
        sent = notifications(values, entry_of({**line, "severity": severity, "told": told}, SWEEP))
        ((policy, text),) = sent.items()
        assert policy == f"concerns_{severity.lower()}"
        assert f"Rows do not count ({told})" in text
        for field in ("detail", "since", "action", "link", "key"):
            assert line[field] in text


def test_notifications_link_to_the_runbook(all_on: Values) -> None:
    """With `runbook_url`, every policy links to its section, and every section is there."""
    for policy in all_on["google_monitoring_alert_policy"]:
        content = policy["documentation"]["content"]
        (name,) = re.findall(r"https://git.example.com/docs/operate.md#(\w+)", content)
        assert f"\n### {name}\n" in PAGE


def evaluated(tmp_path: Path, variables: str) -> Values:
    """Return the module with more variables."""
    path = tmp_path / "more.tfvars"
    path.write_text(variables + "\n", encoding="utf-8")
    return configuration.evaluated(TERRAFORM, EXAMPLE, Path(os.path.relpath(path, TERRAFORM)))


def sweep_silent(values: Values) -> dict[str, Any]:
    """Return the policy."""
    (policy,) = (
        each
        for each in values["google_monitoring_alert_policy"]
        if each["conditions"]["display_name"] == "sweep_silent"
    )
    return dict(policy)


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
    values = evaluated(tmp_path, f'sweep_schedule = "{schedule}"')
    local = configuration.local_values(values)
    assert local["sweep_interval_minutes"] == SCHEDULES[schedule]
    condition = sweep_silent(values)["conditions"]["condition_prometheus_query_language"]
    assert condition["duration"] == f"{60 * (SCHEDULES[schedule] + 18)}s"


def _queries(values: Values) -> Iterator[str]:
    for policy in values["google_monitoring_alert_policy"]:
        conditions = policy["conditions"]
        for each in conditions if isinstance(conditions, list) else [conditions]:
            if "condition_prometheus_query_language" in each:
                yield each["condition_prometheus_query_language"]["query"]
    dashboard = json.loads(values["google_monitoring_dashboard"][0]["dashboard_json"])
    for tile in dashboard["mosaicLayout"]["tiles"]:
        for data in tile["widget"]["xyChart"]["dataSets"]:
            yield data["timeSeriesQuery"]["prometheusQuery"].replace("${__interval}", "5m")


def test_the_queries_are_valid(all_on: Values) -> None:
    """As far as a parser sees it."""
    queries = [*_queries(all_on)]
    assert len(queries) > 15
    for query in queries:
        promql_parser.parse(query)


def test_no_channel_is_a_warning_of_the_plan() -> None:
    """A `check` block warns, and stops nothing."""
    text = (TERRAFORM / "monitoring.tf").read_text(encoding="utf-8")
    (block,) = re.findall(r'^check "notification_channels" {(.+?)^}', text, re.M | re.S)
    assert "length(var.notification_channels) > 0" in block
    assert "nobody is notified" in block


# ── what Cloud Run logs ───────────────────────────────────────────────────────────────────────

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
def test_a_crash_notifies(values: Values, log: str, text: str) -> None:
    """An instance that runs out of memory, is killed or does not start; the text is repeated."""
    found = notifications(values, platform_entry(INGEST, log, textPayload=text))
    assert found.keys() == {"service_crashed"}
    assert text in found["service_crashed"]


@pytest.mark.parametrize("service", [INGEST, SWEEP])
@pytest.mark.parametrize("status", [401, 403])
def test_refused_calls_notify(values: Values, service: str, status: int) -> None:
    """The trigger or the scheduler lost its permission."""
    entry = platform_entry(service, REQUESTS, httpRequest={"status": status})
    found = notifications(values, entry)
    assert found.keys() == {"calls_refused"}
    assert str(status) in found["calls_refused"]
    assert service in found["calls_refused"]


def test_ordinary_lines_notify_nobody(values: Values) -> None:
    """Answers, a sweep that still runs, an instance that ends, and another service's crash."""
    entries = [
        platform_entry(INGEST, REQUESTS, httpRequest={"status": status})
        for status in (200, 429, 500, 503)
    ]
    entries.append(
        platform_entry(INGEST, SYSTEM, textPayload="Shutting down user disabled instance")
    )
    entries.append(platform_entry("other", SYSTEM, textPayload="Container called exit(1)."))
    entries.append(entry_of({"event": "sweep_finished", "severity": "INFO"}, SWEEP))
    assert [notifications(values, each) for each in entries] == [{}] * len(entries)


# ── the filters ───────────────────────────────────────────────────────────────────────────────

ENTRY = entry_of({"severity": "ERROR", "event": "a", "number": 7, "code": "X_Y"})
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
