"""The lines of the log: their events, and what none of them may contain."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest

from lib.adapters.logging import EVENTS, LONGEST_LINE, JsonLog

ROOT = Path(__file__).parents[2]
METHODS = {"info", "warning", "alert", "tell"}


def logged() -> set[str]:
    """Return the events that the code logs."""
    found = {"unexpected_error"}
    for path in [ROOT / "main.py", *(ROOT / "lib").rglob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                texts = [
                    each.value
                    for each in node.args
                    if isinstance(each, ast.Constant) and isinstance(each.value, str)
                ]
                if node.func.attr in METHODS and texts and "log" in ast.unparse(node.func.value):
                    found.add(texts[-1])
    return found


def test_every_event_is_described_and_logged() -> None:
    """An alert can only be about an event that exists, and a page only describes those."""
    assert logged() == EVENTS.keys()


def test_a_line_is_json_with_its_severity(capsys: pytest.CaptureFixture[str]) -> None:
    """Cloud Logging reads the severity and the fields from it."""
    JsonLog().bind(run_id="in/a.csv#1").alert("sweep_failed", code="X", detail="ü")
    line = json.loads(capsys.readouterr().out)
    assert line["severity"] == "ERROR"
    assert line["message"].startswith("sweep_failed: ")
    assert (line["run_id"], line["code"], line["detail"]) == ("in/a.csv#1", "X", "ü")


def test_a_long_line_is_cut(capsys: pytest.CaptureFixture[str]) -> None:
    """Otherwise Cloud Logging would cut it, and what is no JSON raises no alert."""
    JsonLog().alert("open_problem", detail="x" * 2 * LONGEST_LINE)
    text = capsys.readouterr().out
    assert len(text) <= LONGEST_LINE + 1
    assert json.loads(text)["event"] == "open_problem"


def test_a_bug_is_named_without_its_message(capsys: pytest.CaptureFixture[str]) -> None:
    """The message of an exception could quote a row."""
    try:
        int("ada@example.com")
    except ValueError as error:
        JsonLog().unexpected(error)
    text = capsys.readouterr().out
    assert "ada@example.com" not in text
    assert json.loads(text)["kind"] == "ValueError"
