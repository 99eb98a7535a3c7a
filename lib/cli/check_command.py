"""`check FILE...`: shows what would happen to a file, before anybody uploads it."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import IO, Any, BinaryIO, Final, NamedTuple, cast

import click
from rich.progress import wrap_file

from lib.catalogue.texts import number_of
from lib.cli.check import LINES_SHOWN, CheckResult, check
from lib.cli.check_output import KeptOutcomes, show, write_page
from lib.cli.escaping import on_terminal
from lib.cli.files import InputFile, ObjectAddress, described, input_files, refuse_input
from lib.cli.options import named_profile, now_option
from lib.cli.terminal import AdvancedOption, TaughtCommand, Terminal, is_own_screen, mention
from lib.config.profile import Profile, choose_profile, missing_keys, read_profiles
from lib.errors import PermanentError
from lib.results.document import results_document

_EXAMPLES: Final = """
\b
Examples:
  Check an export by the profile of your uploads:
    {program} check --profiles profiles.json --profile crm leads.csv

\b
  Check the profiles themselves, after somebody has edited them:
    {program} check --profiles profiles.json

\b
  Check several files at once, including compressed ones:
    {program} check --profiles p.json exports/*.csv.gz

\b
  Print the results document as JSON, here to list the rejected rows:
    {program} check --profiles p.json --json leads.csv \\
      | jq '.rows[] | select(.outcome == "rejected")'

\b
  Say more about each problem, or about one code:
    {program} check --profiles p.json --verbose leads.csv
    {program} explain INVALID_DATE

\b
  Write a page for the colleague who has to correct the export:
    {program} check --profiles p.json --html leads.html leads.csv

\b
  Check an old export as if you uploaded it on the evening of its day:
    {program} check --profiles p.json leads.csv \\
      --now 2026-11-24T18:00:00Z

Exit code: 0 if every row would be sent (repeated rows once). 1 if a row would not be sent, a
file cannot be read, or its name is not accepted. 2 if the command is wrong.
Without FILE: 0 if every profile is valid, otherwise 1.
"""
_LONG_FILE: Final = 4 << 20
"""Size in bytes from which a progress bar is shown (about a second of work)."""


def _named_as_page(
    ctx: click.Context, param: click.Parameter, value: IO[str] | None
) -> IO[str] | None:
    """Refuse other names, so that no export is replaced by a slip."""
    if value is not None and not value.name.lower().endswith(".html"):
        raise click.BadParameter("its name must end in .html.", ctx, param)
    return value


class _Asked(NamedTuple):
    """What the options ask for."""

    profile_name: str
    profile: Profile
    as_json: bool
    all_rows: bool
    max_lines: int
    verbose: bool
    page: IO[str] | None
    now: datetime


@click.command(
    "check",
    cls=TaughtCommand,
    epilog=_EXAMPLES,
    short_help="Show what would happen to every row of a file.",
)
@click.argument(
    "files",
    nargs=-1,
    metavar="FILE...",
    type=click.Path(exists=True, allow_dash=True, path_type=Path),
)
@click.option(
    "--profiles",
    metavar="FILE",
    required=True,
    type=ObjectAddress(),
    help="File with the profiles, or its gs:// address, as the function reads it from PROFILES.",
)
@click.option(
    "--profile", "profile_name", metavar="NAME", help="Name of the profile [default: default]."
)
@click.option("--json", "as_json", is_flag=True, help="Print the results document of each file.")
@click.option(
    "--html",
    "page",
    metavar="FILE",
    type=click.File("w", encoding="utf-8", lazy=True),
    callback=_named_as_page,
    help="Also write the report for people, a page without values of the file, to FILE.",
)
@click.option("-v", "--verbose", is_flag=True, help="Say all there is to say on each problem.")
@click.option(
    "--all-rows",
    cls=AdvancedOption,
    is_flag=True,
    help="With --json: also list rows that would be sent.",
)
@click.option(
    "--max-lines",
    cls=AdvancedOption,
    type=click.IntRange(min=1),
    default=LINES_SHOWN,
    show_default=True,
    help="Number of lines that are listed for each problem.",
)
@now_option
def check_command(
    files: tuple[Path, ...], profiles: IO[bytes], profile_name: str | None, **options: Any
) -> None:
    """Show what would happen to every row of FILE, by the rules of the upload, without a network.

    Nothing is sent, and no account is read. So only the upload can show whether a conversion action
    exists and whether Google knows a click. In a folder, all files that the function would open are
    checked. - reads standard input. Without FILE, the profiles themselves are checked.
    """
    if options["all_rows"] and not options["as_json"]:
        raise click.UsageError("--all-rows works only with --json. Add --json.")
    if (page := options["page"]) is not None:
        if len(files) != 1 or files[0].is_dir():
            raise click.UsageError("--html works only with one file. Name the file.")
        refuse_input(Path(page.name), *files, profiles)
    if not files:
        raise SystemExit(0 if _check_document(profiles.read()) else 1)
    profile = named_profile(profiles, profile_name, "default")
    assert profile is not None  # because there are profiles
    asked = _Asked(profile_name or "default", profile, **options)
    fine = [*_check_all(files, asked)]
    if not fine:
        click.echo("There is no file to check.", err=True)
    raise SystemExit(0 if fine and all(fine) else 1)


def _check_all(files: tuple[Path, ...], asked: _Asked) -> Iterator[bool]:
    """Check each file. Yield whether its name is accepted, and every row would be sent."""
    for file in input_files(files):
        problem = file.name_problem()
        if problem:
            mention(f"{file.name}: {problem}.")
            if file.in_folder:
                continue
        yield _check_and_show(file, asked) and not problem


def _check_and_show(file: InputFile, asked: _Asked) -> bool:
    """Check a file, and write its results. Return whether every row would be sent."""
    with tempfile.TemporaryFile() as spool:
        kept = KeptOutcomes(spool)
        try:
            with file.open() as stream:
                checked = _check(file, stream, asked, kept)
        except BrokenPipeError:
            raise
        except OSError as error:
            mention(f"{file.name}: {error.strerror or 'cannot be read'}")
            return False
        if asked.page is not None:
            write_page(asked.page, checked, kept)
        if asked.as_json:
            sys.stdout.buffer.writelines(results_document(checked.summary, kept))
            sys.stdout.flush()
        else:
            for line in missing_keys(asked.profile):
                mention(line)
            show(checked, Terminal(), asked.verbose)
        return not checked.refused


def _check(file: InputFile, stream: IO[bytes], asked: _Asked, kept: KeptOutcomes) -> CheckResult:
    """Check one file. For a long file, show a progress bar if the output is a terminal."""
    source = described(file.name, stream)
    stream.seek(0)
    console = Terminal(stderr=True)
    silent = file.size < _LONG_FILE or not console.is_terminal
    reading = wrap_file(
        cast("BinaryIO", stream),
        source.size,
        description="",
        console=console,
        transient=True,
        disable=silent,
    )
    with reading as watched:
        return check(
            *(watched, source, asked.profile_name, asked.profile, asked.now),
            *([kept.add] if asked.as_json or asked.page is not None else []),
            list_all=asked.all_rows,
            max_lines=asked.max_lines,
            with_values=not asked.as_json and is_own_screen(),
        )


# ── the profiles themselves ──────────────────────────────────────────────────────────────────


def _check_document(content: bytes) -> bool:
    """Print what is wrong with each profile of a document. Return whether nothing is."""
    try:
        document = read_profiles(content)
    except PermanentError as error:
        click.echo(on_terminal(error.detail))
        return False
    wrong = 0
    for name in document:
        problems = [*_problems(document, name)]
        wrong += bool(problems)
        for problem in problems:
            click.echo(on_terminal(problem))
    click.echo(f"{number_of(len(document), 'profile')}: {wrong or 'none'} with errors.")
    return not wrong


def _problems(document: Mapping[str, Any], name: str) -> Iterator[str]:
    if not name or "/" in name:
        yield f'profile "{name}": not the name of a folder. Write a name without a slash.'
        return
    try:
        profile = choose_profile(document, f"{name}/")
    except PermanentError as error:
        yield error.detail
        return
    for line in missing_keys(profile):
        yield f'profile "{name}": {line}'
