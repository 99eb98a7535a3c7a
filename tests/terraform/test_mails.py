"""The mails that people get, from Terraform's policies and the lines of the log."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from lib.adapters.logging import JsonLog
from tests.terraform.conftest import Values
from tools.mails import Mail, mails, policies

START = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)


def line(minutes: float, event: str, severity: str = "INFO", **fields: Any) -> dict[str, Any]:
    """A line that the function logs so many minutes after the start."""
    time = (START + timedelta(minutes=minutes)).isoformat()
    return {"time": time, "event": event, "severity": severity, **fields}


def stopped(minutes: float, **fields: Any) -> dict[str, Any]:
    """A line about a stopped file."""
    labels = {
        "kind": "file_stopped",
        "profile": "default",
        "code": "COLUMN_MISSING",
        "title": "A file was stopped",
        "action": "Add the column, and upload the file again.",
    }
    return line(minutes, "open_problem", "ERROR", **labels | fields)


def sent(values: Values, lines: list[dict[str, Any]], hours: float) -> list[Mail]:
    """The mails of so many hours, in which the sweep runs."""
    sweeps = [line(15 * number, "sweep_finished") for number in range(int(hours * 4) + 1)]
    return mails([*sweeps, *lines], START + timedelta(hours=hours), values)


def test_a_problem_is_told_when_it_begins_and_when_it_is_over(values: Values) -> None:
    """However often it is logged meanwhile, and whatever files it is about."""
    lines = [stopped(15 * number, detail=f"file {number}") for number in range(5)]
    first, last = sent(values, lines, 24)
    assert (first.sent, last.sent) == (START, START + timedelta(hours=2))
    subject = "conversions, default: A file was stopped"
    assert first.subject == f"[ALERT - Error] {subject}"
    assert last.subject == f"[RESOLVED - Error] {subject}"
    what = "What to do while this is open: "
    assert f"{what}Add the column, and upload the file again." in first.text
    assert first.text.endswith("For your engineer: file_stopped COLUMN_MISSING")


def test_each_cause_is_told_once(values: Values) -> None:
    """Thirty files of one cause are one incident; another cause or profile is another one."""
    lines = [stopped(number / 10, run_id=f"in/{number}.csv#1") for number in range(30)]
    lines += [stopped(5, code="EMPTY_FILE", action="Ask."), stopped(5, profile="stores")]
    assert len(sent(values, lines, 0.5)) == 3


def test_the_digest_is_told_each_day(values: Values) -> None:
    """Even if it says the same as yesterday."""
    digest = {"count": 2, "text": "1. First file.\n\n2. Second file."}
    lines = [line(24 * 60 * day, "open_problems_digest", "WARNING", **digest) for day in range(3)]
    told = sent(values, lines, 72)
    assert [mail.sent - START for mail in told] == [timedelta(days=day) for day in range(3)]
    assert {mail.subject for mail in told} == {"[ALERT - Warning] conversions: open problems: 2"}
    assert told[0].text.startswith(
        "1. First file.\n\n2. Second file.\n\nERROR: act on the same day. "
    )


def test_every_mail_says_what_to_do_without_the_browser_too(values: Values) -> None:
    """Links of storage.cloud.google.com answer 403 where Data Access logs are on."""
    copied = "gcloud storage cp gs://acme-conversions-conversions-output/index.html ."
    digest = line(0, "open_problems_digest", "WARNING", count=1, text="1. A file.")
    for mail in sent(values, [stopped(0), digest], 0.5):
        assert copied in mail.text


def test_a_wrong_setting_is_told_without_empty_lines(
    values: Values, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever the line has, each part of the mail has words, and 30 files bring one mail."""
    for number in range(30):
        JsonLog().bind(run_id=f"in/{number}.csv#1").alert("settings_invalid", detail="WINDOW: x")
    JsonLog().alert("settings_invalid", code="STORAGE_FORBIDDEN", detail="d", action="Grant it.")
    JsonLog().unexpected(ValueError())
    JsonLog().alert("sweep_failed", code="STORAGE_UNAVAILABLE", detail="d", action="Wait.")
    time = START.isoformat()
    lines = [json.loads(each) | {"time": time} for each in capsys.readouterr().out.splitlines()]
    told = sent(values, lines, 0.5)
    assert [mail.text.rpartition(" ")[2] for mail in told] == [
        "SETTINGS_INVALID",
        "STORAGE_FORBIDDEN",
    ]
    subject = "[ALERT - Error] conversions, all: A setting, a permission or a bucket is wrong"
    assert {mail.subject for mail in told} == {subject}
    assert "while this is open: Grant it." in told[1].text
    assert not any("closed): \n" in mail.text for mail in told)


def test_a_problem_without_a_code_leaves_no_gap(values: Values) -> None:
    """Nobody knows why a file has not come."""
    title = "An expected file has not come"
    (mail,) = sent(values, [stopped(0, kind="no_file", code="", title=title)], 0.5)
    assert mail.subject == f"[ALERT - Error] conversions, default: {title}"
    assert mail.text.rstrip().endswith("For your engineer: no_file")


def test_a_silent_sweep_is_told_and_its_end_too(values: Values) -> None:
    """An instance that is killed once is not: the next sweep finishes."""
    late = line(24 * 60, "sweep_finished")
    told = mails([line(0, "sweep_finished"), line(30, "sweep_finished"), late], START, values)
    (begins, over) = told
    assert "The sweep does not run" in begins.subject
    assert begins.sent - START == timedelta(minutes=30 + 33)
    assert over.sent - START == timedelta(days=1)


def test_a_problem_is_told_before_the_first_sweep_too(values: Values) -> None:
    """A file that stops is told at once, by the attempt that stopped it."""
    (told,) = mails([stopped(0)], START, values)
    assert "A file was stopped" in told.subject


def test_every_policy_on_lines_is_imitated(values: Values) -> None:
    """Else a test of mails would miss one without a word."""
    on_lines, _ = policies(values)
    assert len(on_lines) == 3
