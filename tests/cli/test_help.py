"""The help of every command teaches by examples, and all that they use exists."""

from __future__ import annotations

import re
import shlex

import click
import pytest
from click.testing import CliRunner

from lib.cli.commands import main

PROGRAMS = ("python -m lib ", "offline-conversions ")


def shown(name: str) -> list[list[str]]:
    """The commands of this project that the help of a command shows, in words."""
    text = CliRunner().invoke(main, [name, "--help"], env={"COLUMNS": "100"}).output
    text = re.sub(r" \\\n\s+", " ", text)
    parts = (part.strip() for line in text.splitlines() for part in line.split(" | "))
    return [
        shlex.split(part.removeprefix(program).partition(" > ")[0])
        for part in parts
        for program in PROGRAMS
        if part.startswith(program)
    ]


@pytest.mark.parametrize("name", main.commands)
def test_help_teaches_by_examples(name: str) -> None:
    """Each example is a command that can be read, and every one of its options exists."""
    own = [words for words in shown(name) if words[0] == name]
    assert len(own) >= 2
    for words in shown(name):
        command = main.commands[words[0]]
        options = {option for each in command.params for option in each.opts}
        used = {word.partition("=")[0] for word in words if word.startswith("-") and word != "-"}
        assert used <= options, words


@pytest.mark.parametrize("name", main.commands)
def test_help_says_what_the_exit_codes_mean(name: str) -> None:
    """A script needs to know them."""
    text = CliRunner().invoke(main, [name, "--help"]).output
    assert "Exit code: 0 if " in text


def test_the_first_help_names_every_command() -> None:
    """`--help` alone lists what there is, each with what it does."""
    text = CliRunner().invoke(main, ["--help"]).output
    for name, command in main.commands.items():
        assert isinstance(command, click.Command)
        assert re.search(rf"^  {name} +\S+ \S+", text, re.M), name
