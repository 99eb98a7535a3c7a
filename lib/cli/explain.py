"""`explain CODE`: what a code means and what to do, from the catalogue."""

from __future__ import annotations

from dataclasses import asdict
from difflib import get_close_matches
from typing import Final, Literal, get_args

import click
import msgspec

from lib.catalogue.codes import CATALOGUE, TABLES, Code, lookup
from lib.cli.terminal import TaughtCommand, Terminal, paragraph

_EXAMPLES: Final = """
\b
Examples:
  Say what a code of a report, a check or an alert means, and what to do:
    {program} explain DATE_ORDER_UNDECLARED

\b
  Several codes, in whatever case:
    {program} explain invalid_date too_old

\b
  List all codes, by where they come from; or explain them all:
    {program} explain
    {program} explain -v

Exit code: 0 if every code is known. 1 if one is not. 2 if the command is wrong.
"""

Form = Literal["text", "json"]


@click.command(
    "explain",
    cls=TaughtCommand,
    epilog=_EXAMPLES,
    short_help="Say what a code means and what to do.",
)
@click.argument("codes", nargs=-1, metavar="CODE...")
@click.option(
    "--format",
    "form",
    type=click.Choice(list(get_args(Form))),
    default="text",
    show_default=True,
    help="json: a list with an object for each code.",
)
@click.option("-v", "--verbose", is_flag=True, help="Without CODE: explain all codes.")
def explain_command(codes: tuple[str, ...], form: Form, verbose: bool) -> None:
    """Say what each CODE means and what to do. Without CODE, list all codes."""
    found = [_entry(code) for code in codes] if codes else list(CATALOGUE.values())
    if form == "json":
        listed = [asdict(entry) | {"needs_action": entry.needs_action} for entry in found]
        click.echo(msgspec.json.format(msgspec.json.encode(listed), indent=1))
    elif codes or verbose:
        _explain(found)
    else:
        _list()


def _entry(code: str) -> Code:
    """Return the entry of a code in whatever case, also without Google's prefix."""
    name = code.strip().upper()
    entry = lookup(name)
    if entry.code not in CATALOGUE:
        near = get_close_matches(name, CATALOGUE, 1)
        advice = f"Did you mean {near[0]}?" if near else "Leave out the code to list all."
        raise click.ClickException(
            f"{code} is not a known code. If it is Google's, its message says what is wrong. "
            f"{advice}"
        )
    return entry


def _explain(entries: list[Code]) -> None:
    console = Terminal()
    for entry in entries:
        outcome = f": the row is {entry.outcome.replace('_', ' ')}" if entry.outcome else ""
        title = f"{entry.code}  {entry.severity}{outcome} ({entry.origin})"
        console.print(paragraph(title, console.width, indent=0), soft_wrap=True)
        console.print(paragraph(entry.meaning, console.width, indent=2), soft_wrap=True)
        actions = [entry.action]
        if entry.if_most:
            actions.append(f"If most rows have it: {entry.if_most}")
        for action in actions:
            text = paragraph(f"→ {action}", console.width, indent=2, style="green")
            console.print(text, soft_wrap=True)
        console.print()


def _list() -> None:
    """List the names of all codes, in a paragraph for each origin."""
    console = Terminal()
    for origin, table in TABLES.items():
        console.print(f"{origin}: {len(table)} codes", markup=False, soft_wrap=True)
        console.print(paragraph(", ".join(table), console.width, indent=2), soft_wrap=True)
        console.print()
