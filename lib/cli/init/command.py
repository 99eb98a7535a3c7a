"""`init FILE`: writes a profile for files like this one, with the reason for each key."""

from __future__ import annotations

import itertools
import json
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import click
from rich.console import Console

from lib.catalogue.codes import lookup
from lib.catalogue.texts import number_of_rows
from lib.cli.check import MAX_FILE_BYTES, CheckResult, check
from lib.cli.check_output import show
from lib.cli.files import STANDARD_STREAM, InputFile
from lib.cli.init.inference import local_zone, propose
from lib.cli.init.proposal import (
    Given,
    ProfileExists,
    Proposal,
    Question,
    WrongAnswer,
    added_to,
    as_json,
    as_terraform,
)
from lib.cli.init.sample import Sample, has_names, read_likely
from lib.cli.init.stage_actions import read_stages
from lib.cli.options import now_option, value_options
from lib.cli.terminal import TaughtCommand, Terminal, is_quiet, mention, writing
from lib.config.profile import Profile
from lib.errors import PermanentError
from lib.source.errors import SourceError
from lib.state.store import StoredObject

_EXAMPLES = """
\b
Examples:
  Answer a few questions, and get a profile for files like this one:
    {program} init deals.csv -o profiles.json

\b
  The same in a script. It says which options are missing:
    {program} init deals.csv --customer-id 123-456-7890 \\
      --action "Closed deal" --time-zone America/Chicago --phone-region US \\
      -o profiles.json

\b
  Add a profile for the files in another folder of the bucket:
    {program} init orders.csv --profile shop -o profiles.json

\b
  Say which rows count, and which column is the order ID:
    {program} init deals.csv --include "Deal Stage=Closed Won" \\
      --column "order_id=Record ID"

\b
  Print the profile for terraform.tfvars:
    {program} init deals.csv --format terraform

Exit code: 0 if the profile is complete, and a row of the file would be sent with it. 1 if none
would be, or the file cannot be read. 2 if the command is wrong, or options are missing and there is
no terminal to ask.
"""


def _pairs(
    context: click.Context, option: click.Parameter, value: Any
) -> dict[str, list[str]] | None:
    """FIELD=COLUMN; without COLUMN, no column is this field. Or COLUMN=VALUE; without =, the column
    does not decide (--exclude)."""
    found: dict[str, list[str]] = {}
    for pair in value:
        name, equals, text = pair.partition("=")
        if not name or not (equals or option.name == "exclude"):
            raise click.BadParameter(f"write it as {option.make_metavar(context)}.")
        values = found.setdefault(name, [])
        if text or (equals and option.name != "headers"):
            values.append(text)
    return found or None


def _stages(
    context: click.Context, option: click.Parameter, value: Any
) -> dict[str, dict[str, Any]] | None:
    """COLUMN=VALUE=ACTION, with what else `read_stages` reads; all: no stage has its own action."""
    if [each.casefold() for each in value] == ["all"]:
        return {}
    found: dict[str, dict[str, Any]] = {}
    for text in value:
        column, _, rest = text.partition("=")
        stage = rest.partition("=")[0].strip()
        try:
            found.setdefault(column.strip(), {}).update(read_stages(rest, [stage], ()))
        except WrongAnswer:
            raise click.BadParameter(f"write it as {option.make_metavar(context)}.") from None
    return found or None


def _row_option(name: str, metavar: str, text: str) -> Callable[[Any], Any]:
    return click.option(name, multiple=True, callback=_pairs, metavar=metavar, help=text)


@click.command(
    "init",
    cls=TaughtCommand,
    epilog=_EXAMPLES,
    short_help="Write the profile for a file, by questions.",
)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    type=click.Path(dir_okay=False, allow_dash=True, path_type=Path),
    help="Write the profile to this file, or add it to the profiles in it [default: -, standard "
    "output].",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["json", "terraform"]),
    default="json",
    show_default=True,
    help="Form of the profile: the document of PROFILES, or terraform.tfvars.",
)
@click.option(
    "--profile",
    "name",
    default="default",
    show_default=True,
    metavar="NAME",
    help="Name of the profile: the folder of these files in the bucket.",
)
@value_options
@click.option(
    "--login-customer-id", metavar="ID", help="Manager account with access to the account."
)
@click.option(
    "--decimal-comma/--decimal-point",
    "decimal_comma",
    default=None,
    help="How to read 1.234: as 1234 or as 1.234 [default: found in the file].",
)
@click.option(
    "--ad-user-data",
    type=click.Choice(["GRANTED", "DENIED"]),
    help="Consent that every customer in such files has given or denied.",
)
@_row_option("--include", "COLUMN=VALUE", "Rows that count. Can be repeated [default: found].")
@_row_option(
    "--exclude",
    "COLUMN[=VALUE]",
    "Rows that do not count; without VALUE, the column decides nothing.",
)
@_row_option("--refunds", "COLUMN=VALUE", "Rows that are refunds. Can be repeated.")
@click.option(
    "--column",
    "headers",
    multiple=True,
    callback=_pairs,
    metavar="FIELD=COLUMN",
    help="Column of a field; no COLUMN if there is none. Can be repeated [default: found].",
)
@click.option(
    "--stage",
    "actions",
    multiple=True,
    callback=_stages,
    metavar="COLUMN=VALUE=ACTION[,WORTH[,COLUMN]]",
    help="Conversion action of a stage, its value, and the column of its date. Can be repeated. "
    "all: every stage that counts is one action.",
)
@click.option("--encoding", metavar="NAME", help="Text encoding: windows-1252 [default: found].")
@click.option("--delimiter", metavar="CHARACTER", help="Character between cells [default: found].")
@click.option("--sheet", metavar="NAME", help="Sheet of a workbook [default: the first one].")
@click.option(
    "--header-row", type=int, metavar="LINE", help="Line of the column names [default: found]."
)
@now_option
def init_command(
    file: Path,
    output: Path | None,
    form: str,
    name: str,
    given: Given,
    now: datetime,
) -> None:
    """Write a profile for files like FILE, with the reason for each of its keys.

    The file shows which columns hold what, which rows count, and how dates, values and phone
    numbers are written. Questions are only about what it cannot show. They show what they are
    about, and each has an option. At the end, you see the first conversions as Google will get
    them, and what is not sent, unless you add --quiet. Nothing is sent now.
    """
    if str(output) == STANDARD_STREAM:
        output = None
    _refuse_output(output, form, name)
    sample = _sample(file, given)

    def proposed(given: Given) -> Proposal:
        return propose(sample, given, now, local_zone())

    proposal = (converse if is_interactive() else without_asking)(proposed, given)
    if output is None:
        click.echo(as_json(name, proposal) if form == "json" else as_terraform(name, proposal))
    else:
        _write(output, form, name, proposal)
        mention(f"Wrote the profile {name!r} to {output}. With it:\n", err=False)
    if not is_quiet() and not show_ending(
        file, name, proposal, now, Terminal(stderr=output is None)
    ):
        raise SystemExit(1)


def _refuse_output(output: Path | None, form: str, name: str) -> None:
    """Find out before the questions whether the profile can be written."""
    if output is None or not output.exists():
        return
    if form != "json":
        raise click.BadParameter(f"{output} exists. Name a new file.", param_hint="--output")
    _added(output, name, Proposal())


def _added(output: Path, name: str, proposal: Proposal) -> str:
    try:
        return added_to(output.read_text("utf-8"), name, proposal)
    except ProfileExists:
        raise click.BadParameter(
            f"{output} already has a profile {name!r}. Delete it there, or choose "
            "another --output. (Another --profile is for files in another folder.)",
            param_hint="--output",
        ) from None
    except (PermanentError, OSError, UnicodeDecodeError) as error:
        raise click.BadParameter(str(error), param_hint="--output") from None


def _write(output: Path, form: str, name: str, proposal: Proposal) -> None:
    if form == "terraform":
        document = as_terraform(name, proposal)
    elif output.exists():
        document = _added(output, name, proposal)
    else:
        document = as_json(name, proposal)
    with writing(output):
        output.write_text(document, "utf-8")


_ABOUT_THE_BYTES = ("encoding", "delimiter", "sheet", "header_row", "headers")
"""The keys with which the sample is read."""


def _sample(file: Path, given: Given) -> Sample:
    values = {key: given.values[key] for key in _ABOUT_THE_BYTES if key in given.values}
    try:
        with file.open("rb") as stream:
            sample = read_likely(stream, values, MAX_FILE_BYTES)
        if sample.header.stop is None or sample.header.fields or has_names(sample):
            return sample
        problem, detail = sample.header.stop.code, sample.header.stop.detail
    except SourceError as error:
        problem, detail = error.code, error.detail
    except OSError as error:
        raise click.ClickException(f"{file}: {error.strerror or 'cannot be read'}") from None
    entry = lookup(problem)
    raise click.ClickException(f"{file}: {entry.code}: {entry.meaning} ({detail})\n{entry.action}")


def _as_option(question: Question) -> Iterator[str]:
    """Yield how the command line answers a question."""
    yield f"  {question.option}: {question.text}"
    for choice in question.choices:
        if choice.shown:
            column = f"{choice.column}=" if choice.column else ""
            yield f"      {column}{choice.name}: {choice.shown}"


def _ask(question: Question) -> str:
    """Show a question on the terminal, with its `problem`. Return the answer; "" is Enter."""
    if question.problem:
        click.echo(question.problem, err=True)
    text, choices = question.text, question.choices
    if any(each.shown for each in choices):
        click.echo(f"\n{text}", err=True)
        _show_choices(question)
        text = "Numbers or names, with commas" if question.takes_several else "Number or name"
    elif choices:
        text = f"{text} ({'/'.join(each.name for each in choices)})"
    default = question.default
    answer = click.prompt(text, default=default, show_default=bool(default), err=True)
    # What Enter means is not what somebody gave.
    return "" if answer == default else str(answer)


def _show_choices(question: Question) -> None:
    """Show the choices of a question below their titles: a line each, or a line for all that are
    unlikely."""
    choices = question.choices
    likely = [len(each.name) for each in choices if each.column not in question.unlikely]
    width = max(likely, default=0)
    labelled = zip(question.labels, choices, strict=True)
    for title, group in itertools.groupby(labelled, lambda each: question.title_of(each[1])):
        of_title = list(group)
        if of_title[0][1].column in question.unlikely:
            values = ",  ".join(f"{label} {each.name}" for label, each in of_title)
            columns = shutil.get_terminal_size().columns
            click.echo(click.wrap_text(f"{title}:  {values}", columns, "", "      "), err=True)
            continue
        if any(each.column for each in choices):
            click.echo(f"{title}:", err=True)
        for label, each in of_title:
            click.echo(_cut(f"  {label:>2}  {each.name:<{width}}  {each.shown}".rstrip()), err=True)


def _cut(line: str) -> str:
    """Return a line that fits on the terminal."""
    width = shutil.get_terminal_size().columns
    return line if len(line) < width else f"{line[: width - 4]}..."


def is_interactive() -> bool:
    """Return whether somebody can answer."""
    return sys.stdin.isatty()


# ── the conversation ─────────────────────────────────────────────────────────────────────────────

Propose = Callable[[Given], Proposal]
"""What a person has said → the profile for the file, with the questions that are still open."""

MOST_QUESTIONS: Final = 4
"""After as many, only what has no default is asked."""
ENOUGH_QUESTIONS: Final = 2
"""After as many, questions that are not needed are left out: nobody reads the last of many."""
_OF_EVERY_FILE: Final = ("customer_id", "conversion_action")
"""Each profile needs them, and no export has them."""


def converse(propose: Propose, given: Given) -> Proposal:
    """Ask what the file does not show, one question after another: an answer can make another
    question unnecessary."""
    asked = 0
    while questions := (proposal := propose(given)).questions:
        question = questions[0]
        is_useless = not question.changes_what_is_sent
        if question.default and (is_useless or asked >= MOST_QUESTIONS):
            given = given.with_answer(question, question.meaning_of(""), by_default=True)
            continue
        if not question.is_needed and asked >= ENOUGH_QUESTIONS:
            given = given.with_answer(question, {}, by_default=True)
            continue
        asked += question.key not in _OF_EVERY_FILE
        answer, meaning = _answer(question)
        given = given.with_answer(question, meaning, by_default=not answer.strip())
    return proposal


def _answer(question: Question) -> tuple[str, dict[str, Any]]:
    """Ask until the answer is allowed. Return it, and what it means."""
    while True:
        answer = _ask(question)
        try:
            return answer, question.meaning_of(answer)
        except WrongAnswer as wrong:
            question = replace(question, problem=str(wrong))


def without_asking(propose: Propose, given: Given) -> Proposal:
    """Return the profile without the answers that are not needed. If others are, an error names
    their options."""
    while questions := (proposal := propose(given)).questions:
        if proposal.needed:
            lines = [line for each in proposal.needed for line in _as_option(each)]
            raise click.UsageError(
                "The file cannot tell everything, and there is no terminal to ask. Add:\n"
                + "\n".join(lines)
            )
        for each in questions:
            meaning = each.meaning_of("") if each.key == "destination" else {}
            given = given.with_answer(each, meaning, by_default=True)
    return proposal


# ── its end ──────────────────────────────────────────────────────────────────────────────────────


def show_ending(file: Path, name: str, proposal: Proposal, now: datetime, console: Console) -> bool:
    """Show what would happen to a file with the profile. Return whether a row would be sent."""
    profile = Profile.model_validate(proposal.values())
    source = StoredObject("", str(file), 0, file.stat().st_size)
    for each in proposal.entries:
        if each.is_assumed:
            said = f"Assumed: {each.key} {json.dumps(each.value)}. {each.reason}"
            console.print(said, soft_wrap=True, markup=False)
    with file.open("rb") as stream:
        checked = check(stream, source, name, profile, now, with_values=True)
    show(checked, console)
    if not checked.first:
        console.print(f"Nothing would be sent. {_likely_cause(checked)}", soft_wrap=True)
        return False
    if problem := InputFile(file).name_problem():
        console.print(f"But {problem}.", soft_wrap=True, markup=False)
        return False
    return True


def _likely_cause(checked: CheckResult) -> str:
    """Return why no row would be sent, and what to do."""
    summary = checked.summary
    skipped = summary.tally.outcomes.get("skipped", 0)
    problem = summary.metadata.file_error
    if problem is not None:
        code, rows = problem.code, 0
    elif skipped == summary.tally.rows or not summary.tally.codes:
        code, rows = "FILTER_KEEPS_NO_ROW", skipped
    else:
        refusing = {
            code: count
            for code, count in summary.tally.codes.items()
            if lookup(code).outcome is not None
        }
        code, rows = max(refusing.items(), key=lambda each: each[1])
    entry = lookup(code)
    where = f" ({number_of_rows(rows)})" if rows else ""
    return f"The likely cause is {code}{where}: {entry.meaning} {entry.action}"
