"""What others build on exists: each name in docs/interfaces.md, and no name is missing there."""

from __future__ import annotations

import importlib
import inspect
import json
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from lib.cli import commands
from sandbox.up import Sandbox
from tests.fakes import world

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "interfaces.md").read_text("utf-8")
SECTIONS = dict(re.findall(r"^## ([^\n]+)\n(.+?)(?=^## |\Z)", PAGE, re.S | re.M))


def names(text: str) -> list[str]:
    """Return what a text shows as code."""
    return re.findall(r"`([^`]+)`", text)


def rows(section: str) -> list[tuple[str, str]]:
    """Return the rows of a section's table: what the first cell shows as code, and the others."""
    return re.findall(r"^\| `(.+?)` \| (.+) \|$", SECTIONS[section], re.M)


TESTS = re.findall(r"^- `(.+?)`(.*(?:\n  .*)?)$", SECTIONS["Tests"], re.M)
"""Name → what else the page says of it."""
CALLABLES = [name for name, _ in (*rows("Entry points"), *TESTS)]


@pytest.mark.parametrize("written", CALLABLES)
def test_functions_and_methods_take_these_parameters(written: str) -> None:
    """Each can be imported, and takes the parameters in this order or by name."""
    path, _, parameters = written.removesuffix(")").partition("(")
    found = resolve(path)
    if "(" in written:
        signature = inspect.signature(found).parameters.values()
        taken = [str(each).partition(":")[0] for each in signature]
        wanted = [each for each in parameters.split(", ") if each]
        assert [each for each in taken if each in wanted] == wanted
    else:
        assert inspect.isclass(found)


def resolve(path: str) -> Any:
    """`package.module.Class.method` → the object."""
    parts = path.split(".")
    for length in range(len(parts), 0, -1):
        try:
            found: Any = importlib.import_module(".".join(parts[:length]))
        except ModuleNotFoundError:
            continue
        for part in parts[length:]:
            found = getattr(found, part)
        return found
    raise AssertionError(f"{path} cannot be imported")


def test_a_sandbox_and_the_world_of_a_test_have_these_parts() -> None:
    """Those that the page names; a sandbox has them once it has started."""
    for name, text in TESTS:
        for part in names(text.partition(" it has ")[2]):
            is_set = f"self.{part} = " in inspect.getsource(Sandbox)
            assert is_set if "Sandbox" in name else hasattr(world(), part), part


@pytest.mark.parametrize("command", sorted(commands.main.commands))
def test_exit_codes(command: str) -> None:
    """The help of each command says when it ends with 0, 1 and 2."""
    shown = CliRunner().invoke(commands.main, [command, "--help"]).output
    said = shown.partition("Exit code: ")[2]
    assert re.findall(r"\b[012]\b", said)[:3] == ["0", "1", "2"]


def test_schemas() -> None:
    """Each schema has its version in its `$id`."""
    ids = {}
    for path in (ROOT / "docs").glob("*.schema.json"):
        ids[path.name] = json.loads(path.read_text("utf-8"))["$id"]
    listed = {}
    for urn, text in rows("Schemas"):
        listed[re.findall(r"\]\((\S+\.schema\.json)\)", text)[0]] = urn
    assert listed == ids
