"""`explain CODE`: what a code means and what to do, from the catalogue."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Final

import click

from lib.catalogue.codes import CATALOGUE, TABLES, Code, lookup
from lib.catalogue.kinds import Severity
from lib.catalogue.open_problems import PROBLEM_KINDS, ProblemKind
from lib.cli.terminal import TaughtCommand, paragraph

_EXAMPLES: Final = """
\b
Examples:
  Say what a code of a report, a check or an alert means, and what to do:
    {program} explain DATE_ORDER_UNDECLARED

\b
  Several codes or kinds of open problems, in whatever case:
    {program} explain invalid_date column_empty

\b
  List all codes, by where they come from:
    {program} explain

Exit code: 0 if every code is known. 1 if one is not. 2 if the command is wrong.
"""


def _alert(kind: ProblemKind) -> Code:
    severity: Severity = "error" if kind.severity == "ERROR" else "warning"
    return Code(kind.name, "This function", severity, "file", None, f"{kind.title}.", kind.action)


_ALERTS: Final = {kind.name.upper(): _alert(kind) for kind in PROBLEM_KINDS}
"""What the kinds of open problems mean, as for codes."""


@click.command(
    "explain",
    cls=TaughtCommand,
    epilog=_EXAMPLES,
    short_help="Say what a code means and what to do.",
)
@click.argument("codes", nargs=-1, metavar="[CODE]...")
def explain_command(codes: tuple[str, ...]) -> None:
    """Say what each CODE means and what to do. Without CODE, list all codes.

    A CODE can also be the kind of an open problem, such as column_empty.
    """
    for entry in [_entry(code) for code in codes]:
        _explain(entry)
    if not codes:
        for origin, table in TABLES.items():
            click.echo(f"{origin}: {len(table)} codes")
            click.echo(f"{paragraph(', '.join(table), indent=2)}\n")
        click.echo(f"Alerts: {len(PROBLEM_KINDS)} kinds")
        click.echo(paragraph(", ".join(kind.name for kind in PROBLEM_KINDS), indent=2))


def _entry(code: str) -> Code:
    """Return the entry of a code in whatever case, also without Google's prefix."""
    name = code.strip().upper()
    entry = _ALERTS.get(name) or lookup(name)
    if name not in _ALERTS and entry.code not in CATALOGUE:
        near = get_close_matches(name, [*CATALOGUE, *_ALERTS], 1)
        advice = f"Did you mean {near[0]}?" if near else "Leave out the code to list all."
        raise click.ClickException(
            f"{code} is not a known code. If it is Google's, its message says what is wrong. "
            f"{advice}"
        )
    return entry


def _explain(entry: Code) -> None:
    outcome = f": the row is {entry.outcome.replace('_', ' ')}" if entry.outcome else ""
    click.echo(paragraph(f"{entry.code}  {entry.severity}{outcome} ({entry.origin})"))
    click.echo(paragraph(entry.meaning, indent=2))
    click.secho(paragraph(f"→ {entry.action}", indent=2), fg="green")
    if entry.if_most:
        click.secho(paragraph(f"→ If most rows have it: {entry.if_most}", indent=2), fg="green")
    click.echo()
