"""`python -m sandbox`: up and drop, as people and scripts use them, and the demo's own check."""

from __future__ import annotations

import hashlib
import io
import json
import os
import signal
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from unittest.mock import MagicMock

import pytest
import requests
from click.testing import CliRunner
from rich.console import Console

from sandbox.__main__ import main
from sandbox.conversions import NotCounted
from sandbox.demo import data_rows, disagreements, late_disagreements, run_demo
from sandbox.examples import COLUMNS, LATE_MISTAKES, MISTAKES, write_crm_export
from sandbox.running import remember
from sandbox.show import show_results
from sandbox.up import INPUT_BUCKET
from tests.sandbox.conftest import STAND_IN

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def _up(directory, *arguments):
    return subprocess.Popen(
        [sys.executable, "-m", "sandbox", "up", "--directory", str(STAND_IN), *arguments],
        cwd=directory,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def test_up_drop_and_an_interrupt(tmp_path, monkeypatch):
    """`up` prints one JSON line when it is ready; `drop --wait` in the same directory prints the
    results; SIGINT stops everything with exit code 0 and removes `.sandbox/current.json`."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "export.csv").write_text("a,b\n1,2\n")
    with _up(tmp_path, "--json", "--env", "SECONDS=0.1") as process:
        description = json.loads(process.stdout.readline())
        assert {
            "storage_url",
            "input_bucket",
            "output_bucket",
            "function_url",
            "control_url",
        } < set(description)
        assert description["env"]["SECONDS"] == "0.1"
        run = CliRunner().invoke(main, ["drop", "export.csv", "--folder", "f", "--wait", "--json"])
        assert run.exit_code == 0, run.output
        assert json.loads(run.stdout)["counts"]["rows"] == 1
        readable = CliRunner().invoke(main, ["drop", "export.csv", "--wait"])
        assert "export.csv" in readable.stdout
        assert Path(description["function_log"]).exists()
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
        assert (process.returncode, errors) == (0, b"")
    assert not Path(description["function_log"]).exists()
    assert not (tmp_path / ".sandbox/current.json").exists()
    with pytest.raises(requests.ConnectionError):
        requests.get(description["control_url"], timeout=60)


def test_up_without_a_function_is_for_people_too(sandbox, tmp_path, monkeypatch):
    """It prints a table and commands to try, and says which sandbox `drop` uses from now on, for
    somebody who forgot the first one. No function runs."""
    monkeypatch.chdir(tmp_path)
    remember({"control_url": sandbox.control_url})
    with _up(tmp_path, "--no-function") as process:
        printed = ""
        while "Ctrl-C" not in printed:
            printed += process.stdout.readline().decode()
        assert "control_url" in printed
        assert "function_url" not in printed
        # The Python of this environment may not be on the PATH of another terminal.
        assert f"{sys.executable} -m sandbox drop" in printed
        process.terminate()
        _, errors = process.communicate(timeout=60)
        assert process.returncode == 0
    assert f"Another sandbox runs in this directory ({sandbox.control_url})" in errors.decode()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "No sandbox is running in this directory"),
        (["--control-url", "http://127.0.0.1:9"], "does not respond"),
    ],
)
def test_drop_without_a_sandbox_says_how_to_start_one(tmp_path, monkeypatch, arguments, words):
    """Exit code 1 and a message without a traceback."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "export.csv").write_text("a\n1\n")
    run = CliRunner().invoke(main, ["drop", "export.csv", *arguments])
    assert run.exit_code == 1
    assert words in run.output


def test_drop_that_waits_in_vain_exits_with_1(sandbox, tmp_path):
    """The message names the log and the deliveries to check, and before that the paused events."""
    sandbox.delivery.set(paused=True)
    (tmp_path / "export.csv").write_text("a\n1\n")
    arguments = ["--wait", "--timeout", "0.1", "--control-url", sandbox.control_url]
    run = CliRunner().invoke(main, ["drop", str(tmp_path / "export.csv"), *arguments])
    assert run.exit_code == 1
    assert "/deliveries" in run.output
    assert "Events are paused" in run.stderr


@pytest.mark.parametrize(("waits", "code"), [(True, 1), (False, 0)])
def test_drop_without_events_says_so_at_once(sandbox, tmp_path, waits, code):
    """It does not wait for results that cannot come, and names the request that turns events on."""
    sandbox.delivery.set(drop=True)
    (tmp_path / "export.csv").write_text("a\n1\n")
    arguments = ["--control-url", sandbox.control_url, *(["--wait"] if waits else [])]
    run = CliRunner().invoke(main, ["drop", str(tmp_path / "export.csv"), *arguments])
    assert run.exit_code == code
    assert "Events are turned off" in run.stderr
    assert '{"drop": false}' in run.stderr
    assert "Dropped export.csv" in run.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["drop", "{folder}"], "is a folder. Name the files in it"),
        (["up", "--instances", "0"], "x>=1"),
    ],
)
def test_a_command_that_cannot_work_is_refused(tmp_path, arguments, words):
    """A folder is no file, and nothing runs on no instance: exit code 2, nothing starts."""
    run = CliRunner().invoke(main, [each.format(folder=tmp_path) for each in arguments])
    assert run.exit_code == 2
    assert words in " ".join(run.output.split())


def test_drop_replaces_the_profiles_first(sandbox, tmp_path):
    """Comments in the file are fine; what is no profiles document is refused in words."""
    (tmp_path / "export.csv").write_text("a\n1\n")
    (tmp_path / "profiles.json").write_text('{\n  // The account.\n  "crm": {}\n}\n')
    drop = ["drop", str(tmp_path / "export.csv"), "--control-url", sandbox.control_url]
    run = CliRunner().invoke(main, [*drop, "--profiles", str(tmp_path / "profiles.json")])
    assert run.exit_code == 0, run.output
    assert json.loads(sandbox.profiles_path.read_text()) == {"crm": {}}
    run = CliRunner().invoke(main, [*drop, "--profiles", str(tmp_path / "export.csv")])
    assert run.exit_code == 1
    assert "Invalid JSON" in run.output


def test_drop_moves_the_dates_of_an_example(sandbox, monkeypatch):
    """It says so, and no other file is changed."""
    day = datetime.now(UTC).date() - timedelta(days=200)
    for module in ("examples", "__main__"):
        monkeypatch.setattr(f"sandbox.{module}.WRITTEN_ON", day)
    path = ROOT / "examples" / "hubspot_deals.csv"
    run = CliRunner().invoke(main, ["drop", str(path), "--control-url", sandbox.control_url])
    assert run.exit_code == 0, run.output
    assert "its dates are moved to today" in run.stderr
    (blob,) = sandbox.storage_client().list_blobs(INPUT_BUCKET)
    uploaded = blob.download_as_bytes()
    assert len(uploaded) == path.stat().st_size
    assert str(date(2026, 11, 18) + timedelta(days=200)).encode() in uploaded


def test_drop_of_a_stopped_file_exits_with_1(sandbox, tmp_path):
    """Its document is printed anyway, and so is the document of the next file."""
    (tmp_path / "empty.csv").write_bytes(b"")
    (tmp_path / "export.csv").write_text("a\n1\n")
    files = [str(tmp_path / name) for name in ("empty.csv", "export.csv")]
    arguments = ["--wait", "--json", "--control-url", sandbox.control_url]
    run = CliRunner().invoke(main, ["drop", *files, *arguments])
    assert run.exit_code == 1
    first, second = (json.loads(line) for line in run.stdout.splitlines())
    assert first["file_error"]["code"] == "EMPTY_FILE"
    assert second["file_error"] is None


@pytest.mark.parametrize("command", [[], ["up"], ["drop"], ["demo"]])
def test_help_teaches_by_example(command):
    """The help of every command contains a command to copy."""
    run = CliRunner().invoke(main, [*command, "--help"])
    assert run.exit_code == 0
    assert "python -m sandbox" in run.output.replace("Usage: python -m sandbox", "")


def test_the_demo_checks_what_the_api_says_late(tmp_path):
    """With the Data Manager API, the demo ends with the lines that Google refused late."""
    console = Console(file=io.StringIO(), width=200)
    assert run_demo(console, "data_manager", ROOT, tmp_path, 400) == 0
    printed = console.file.getvalue()
    for kind in LATE_MISTAKES[:1] + LATE_MISTAKES[2:]:
        assert printed.count(kind) == 2
    assert "Without an ad click: 2" in printed
    # The actions are looked up by name, so the rules see that one of them counts one per click.
    assert "the API accepted 12 more rows" in printed


EXPIRED = "PROCESSING_ERROR_REASON_EXPIRED_CLICK"


@pytest.mark.parametrize(
    ("rows", "unmatched", "words"),
    [
        ({2: "failed"}, 1, None),
        ({}, 1, "EXPIRED_CLICK in one of the lines [2]"),
        ({2: "deferred"}, 1, "not failed"),
        ({2: "failed", 3: "failed"}, 1, "line 3 has"),
        ({2: "failed"}, 0, "no click for 1 rows"),
    ],
)
def test_the_demo_notices_late_disagreements(told, rows, unmatched, words):
    """A row of the document that Google did not refuse, or the other way round, is found."""
    hashed = hashlib.sha256(b"ada@example.com").hexdigest()
    user_data = {"user_identifiers": [{"email_address": hashed}]}
    not_counted = [
        NotCounted("r-1", EXPIRED, {"ad_identifiers": {"gclid": "Cj0KCQaaaa"}}),
        NotCounted("r-1", "PROCESSING_ERROR_REASON_CLICK_NOT_FOUND", {"user_data": user_data}),
    ]
    document = {
        "counts": {"unmatched": unmatched},
        "rows": [
            {"line": line, "outcome": outcome, "errors": [{"code": EXPIRED}]}
            for line, outcome in rows.items()
        ],
    }
    found = list(late_disagreements(told, document, not_counted))
    assert found == [] if words is None else any(words in problem for problem in found)


def test_the_example_export_is_the_same_for_the_same_seed(tmp_path):
    """Deterministic; every mistake appears twice; only reserved addresses and phone numbers."""
    one = write_crm_export(tmp_path / "one.csv", 5000, NOW)
    two = write_crm_export(tmp_path / "two.csv", 5000, NOW)
    assert one.path.read_bytes() == two.path.read_bytes()
    assert write_crm_export(tmp_path / "two.csv", 5000, NOW, seed=2).wrong != one.wrong
    kinds = list(one.wrong.values())
    assert set(MISTAKES) < set(kinds)
    assert all(kinds.count(kind) == 2 for kind in kinds)
    rows = data_rows(one.path)
    assert len(rows) == 5000
    assert tuple(rows[2]) == COLUMNS
    for row in rows.values():
        assert row["email"].strip().lower().endswith(("@example.com", "not-an-address", ""))
        assert "555-01" in row["phone"] or row["phone"] in {"", "12"}


@pytest.fixture
def told(tmp_path):
    """The three data rows of a file; the results and conversions below belong to it."""
    path = tmp_path / "three.csv"
    path.write_text("gclid,email\nCj0KCQaaaa,\n,broken\n,Ada@example.com \n", encoding="utf-8")
    return data_rows(path)


def _results(**changes):
    counts = {"rows": 3, "uploaded": 2, "rejected": 1}
    return {
        "counts": {**counts, **changes.pop("counts", {})},
        "rows": changes.pop("rows", [{"line": 3, "outcome": "rejected"}]),
        **changes,
    }


def _conversions(*lines):
    hashed = hashlib.sha256(b"ada@example.com").hexdigest()
    known = {
        2: {"conversion": {"gclid": "Cj0KCQaaaa"}},
        4: {"conversion": {"user_identifiers": [{"hashed_email": hashed}]}},
    }
    return [known[line] for line in lines]


@pytest.mark.parametrize(
    ("results", "lines", "words"),
    [
        (_results(), (2, 4), None),
        (_results(counts={"rows": 4}), (2, 4), "the results have 4"),
        (_results(counts={"uploaded": 3}), (2, 4), "add up to 4"),
        (_results(rows=[]), (2, 4), "count 1 rows as rejected"),
        (_results(rows=[{"line": 3, "outcome": "rejected"}] * 2), (2, 4), "more than one"),
        (_results(rows=[{"line": 9, "outcome": "rejected"}]), (2, 4), "not data rows"),
        (_results(), (2,), "1 rows are reported as uploaded"),
        (_results(), (2, 4, 4), "1 conversions that are not"),
        (_results(file_error={"code": "X"}), (2, 4), "as a whole"),
    ],
)
def test_the_demo_notices_what_does_not_add_up(told, results, lines, words):
    """Every contradiction between file, results and API is found; without one, nothing is."""
    found = disagreements(told, results, _conversions(*lines))
    assert found == [] if words is None else any(words in problem for problem in found)


def test_hostile_names_and_messages_are_shown_as_text() -> None:
    """Neither markup nor a terminal's control sequences have an effect, wherever they stand."""
    output = io.StringIO()
    hostile = "\x1b]0;title\x07[red]x[/red][link=https://example.com]y\x1b[2J.csv"
    document = {
        "source": {"name": hostile},
        "file_error": {"code": "NOT_TEXT", "detail": hostile},
        "codes": {"NOT_TEXT": {"count": 1, "meaning": hostile, "action": hostile}},
        "rows": [
            {
                "line": 2,
                "outcome": "failed",
                "errors": [{"code": hostile, "field": hostile, "detail": hostile}],
            }
        ],
    }
    show_results(document, Console(file=output, width=400, force_terminal=True))
    assert output.getvalue().count("[red]x[/red][link=https://example.com]y") == 7
    assert "\x1b]0;" not in output.getvalue()
    assert "\x1b[2J" not in output.getvalue()
    assert "\x07" not in output.getvalue()


def test_drop_shows_hostile_names_as_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The name of a file has no effect on the terminal while it is uploaded and awaited."""
    name = "\x1b]0;title\x07[red]x[link=y]\x1b[2J.csv"
    (tmp_path / name).write_bytes(b"gclid\n")
    running = MagicMock()
    running.get.return_value = {"drop": False}
    running.notice_on_events.return_value = ""
    running.upload.return_value = name, 7
    running.wait_for_results.side_effect = TimeoutError(f"no results of {name}")
    monkeypatch.setattr("sandbox.__main__.find", lambda url: running)
    for options in ([], ["--wait"]):
        done = CliRunner().invoke(main, ["drop", str(tmp_path / name), *options])
        assert "[red]x[link=y]" in done.output
        for control in ("\x1b]0;", "\x1b[2J", "\x07"):
            assert control not in done.output


def test_rows_that_google_only_checked_are_counted() -> None:
    """With validate_only, the printed outcomes add up too."""
    console = Console(file=io.StringIO(), width=100)
    show_results({"status": "completed", "counts": {"rows": 2, "ok": 2}}, console)
    assert isinstance(console.file, io.StringIO)
    assert " ok       2 " in console.file.getvalue()
