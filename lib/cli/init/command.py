"""`init FILE`: writes a profile for files like this one, with the reason for each key."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import click
from pydantic import ValidationError

from lib.catalogue.codes import lookup
from lib.cli.check import MAX_FILE_BYTES, check
from lib.cli.check_output import show
from lib.cli.init.inference import local_zone, propose
from lib.cli.init.proposal import (
    Given,
    ProfileExists,
    Proposal,
    Question,
    added_to,
    as_json,
    as_terraform,
)
from lib.cli.init.sample import Sample, read_sample
from lib.cli.options import now_option, value_options
from lib.cli.terminal import TaughtCommand, Terminal
from lib.config import messages
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

Exit code: 0 if the profile is complete. 1 if the file cannot be read. 2 if the command is wrong, or
options are missing and there is no terminal to ask.
"""


def _pairs(context: click.Context, option: click.Parameter, value: Any) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for pair in value:
        name, equals, text = pair.partition("=")
        if not equals or not name:
            raise click.BadParameter(f"write it as {option.make_metavar(context)}.")
        found.setdefault(name, []).append(text)
    return found


@click.command("init", cls=TaughtCommand, epilog=_EXAMPLES)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the profile to this file, or add it to the profiles in it.",
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
    "--ad-user-data",
    type=click.Choice(["GRANTED", "DENIED"]),
    help="Consent that every customer in such files has given or denied.",
)
@click.option(
    "--include",
    multiple=True,
    callback=_pairs,
    metavar="COLUMN=VALUE",
    help="Rows that count. Can be repeated [default: found in the file].",
)
@click.option(
    "--column",
    "columns",
    multiple=True,
    callback=_pairs,
    metavar="FIELD=COLUMN",
    help="Column of a field. Can be repeated [default: found in the file].",
)
@click.option("-q", "--quiet", is_flag=True, help="Do not show what `check` says about the file.")
@now_option
def init_command(
    file: Path,
    output: Path | None,
    form: str,
    name: str,
    given: Given,
    include: dict[str, list[str]],
    columns: dict[str, list[str]],
    quiet: bool,
    now: datetime,
) -> None:
    """Write a profile for files like FILE, with the reason for each of its keys.

    The file shows which columns hold what, which rows count, and how dates, values and phone
    numbers are written. Questions are only about what it cannot show, and each has a default and an
    option. Nothing is sent.
    """
    more = {"include": include, "headers": columns}
    given = Given({**given.values, **{key: value for key, value in more.items() if value}})
    _refuse_output(output, form, name)
    sample = _sample(file, given)
    proposal = _answered(lambda given: propose(sample, given, now, local_zone()), given)
    if output is None:
        click.echo(as_json(name, proposal) if form == "json" else as_terraform(name, proposal))
    else:
        _write(output, form, name, proposal)
        if form == "json" and not quiet:
            click.echo(f"For terraform.tfvars, the same profile:\n\n{as_terraform(name, proposal)}")
        click.echo(f"Wrote the profile {name!r} to {output}. With it:\n")
    if not quiet:
        _show_check(file, name, proposal, now, Terminal(stderr=output is None))


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
            f"{output} already has a profile {name!r}. Choose another --profile or --output.",
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
    output.write_text(document, "utf-8")


def _sample(file: Path, given: Given) -> Sample:
    profile = Profile.model_validate({"headers": given.values.get("headers", {})})
    try:
        with file.open("rb") as stream:
            sample = read_sample(stream, profile, MAX_FILE_BYTES)
        if sample.header.stop is None or sample.header.fields:
            return sample
        problem, detail = sample.header.stop.code, sample.header.stop.detail
    except SourceError as error:
        problem, detail = error.code, error.detail
    except OSError as error:
        raise click.ClickException(f"{file}: {error.strerror or 'cannot be read'}") from None
    entry = lookup(problem)
    raise click.ClickException(f"{file}: {entry.code}: {entry.meaning} ({detail})\n{entry.action}")


def _answered(proposed: Callable[[Given], Proposal], given: Given) -> Proposal:
    """Ask what the file does not show. Without a terminal, name the options that are missing."""
    interactive = is_interactive()
    while questions := (proposal := proposed(given)).questions:
        if interactive:
            # An answer can make another question unnecessary.
            given = given.with_answer(questions[0].key, _ask(questions[0]))
            continue
        if proposal.needed:
            lines = [f"  {each.option}: {each.text}" for each in proposal.needed]
            raise click.UsageError(
                "The file cannot tell everything, and there is no terminal to ask. Add:\n"
                + "\n".join(lines)
            )
        for each in questions:
            given = given.with_answer(each.key, each.default, by_default=True)
    return proposal


def _ask(question: Question) -> Any:
    """Ask on the terminal until the answer is valid. Return the value; "" leaves the key out."""
    while True:
        text = question.text if question.default else f"{question.text} [Enter: leave it out]"
        answer = click.prompt(
            text, default=question.default, show_default=bool(question.default), err=True
        )
        value = question.value_of(answer.strip())
        try:
            Profile.model_validate({question.key: value} if value != "" else {})
        except ValidationError as error:
            click.echo(" ".join(messages.lines(error, Profile)), err=True)
        else:
            return value


def is_interactive() -> bool:
    """Return whether somebody can answer."""
    return sys.stdin.isatty()


def _show_check(
    file: Path, name: str, proposal: Proposal, now: datetime, console: Terminal
) -> None:
    profile = Profile.model_validate(proposal.values())
    source = StoredObject("", str(file), 0, file.stat().st_size)
    with file.open("rb") as stream:
        show(check(stream, source, name, profile, now), console)
