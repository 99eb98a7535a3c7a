"""`check FILE...`: shows what would happen to a file, before anybody uploads it."""

from __future__ import annotations

import sys
import tempfile
from datetime import datetime
from pathlib import Path
from typing import IO, BinaryIO, Final, NamedTuple, cast

import click
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from lib.cli.check import LINES_SHOWN, CheckResult, check
from lib.cli.check_output import KeptOutcomes, show, write_page
from lib.cli.check_profile import check_document, command_for
from lib.cli.escaping import on_terminal
from lib.cli.files import InputFile, ObjectAddress, described, input_files, refuse_input
from lib.cli.options import named_profile, now_option
from lib.cli.terminal import TaughtCommand, Terminal, is_own_screen, is_quiet, mention
from lib.config.profile import Profile, missing_keys
from lib.model.outcomes import ChunkOutcomes
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
  Show every line with a problem:
    {program} check --profiles p.json --max-lines 1000 leads.csv

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
@click.option("--profile", "name", metavar="NAME", help="Name of the profile [default: default].")
@click.option(
    "--profiles",
    metavar="FILE",
    type=ObjectAddress(),
    help="File with the profiles, or its gs:// address, as the function reads it from PROFILES.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the results document of each file.")
@click.option("--all-rows", is_flag=True, help="With --json: also list rows that would be sent.")
@click.option(
    "--max-lines",
    type=click.IntRange(min=1),
    default=LINES_SHOWN,
    show_default=True,
    help="Number of lines that are listed for each problem.",
)
@click.option(
    "--html",
    "page",
    metavar="FILE",
    type=click.File("w", encoding="utf-8", lazy=True),
    callback=_named_as_page,
    help="Also write the report for people, a page without values of the file, to FILE.",
)
@now_option
def check_command(
    files: tuple[Path, ...],
    name: str | None,
    profiles: IO[bytes] | None,
    as_json: bool,
    all_rows: bool,
    max_lines: int,
    page: IO[str] | None,
    now: datetime,
) -> None:
    """Show what would happen to every row of FILE, by the rules of the upload, without a network.

    Nothing is sent, and no account is read. So only the upload can show whether a conversion action
    exists and whether Google knows a click. In a folder, all files that the function would open are
    checked. - reads standard input. Without FILE, the profiles themselves are checked.
    """
    _refuse_contradictions(files, profiles, as_json, all_rows, page)
    if profiles is not None and not files:
        raise SystemExit(check_document(profiles))
    profile = named_profile(profiles, name, "default")
    if profile is None:
        raise click.UsageError("A check needs a profile. Add --profiles FILE; `init` writes it.")
    asked = _Asked(name or "default", profile, as_json, all_rows, max_lines, page, now)
    is_fine, checks = True, 0
    for file in input_files(files):
        if not file.in_folder and (other := command_for(file)):
            click.echo(on_terminal(other), err=True)
            is_fine, checks = False, checks + 1
            continue
        if problem := file.name_problem():
            text = f"{file.name}: {problem}."
            if file.in_folder:
                mention(text)
                continue
            click.echo(on_terminal(text), err=True)
            is_fine = False
        checks += 1
        is_fine &= _check_and_show(file, asked)
    if not checks:
        click.echo("There is no file to check.", err=True)
    raise SystemExit(0 if is_fine and checks else 1)


class _Asked(NamedTuple):
    """What the options ask for."""

    profile_name: str
    profile: Profile
    as_json: bool
    all_rows: bool
    max_lines: int
    page: IO[str] | None
    now: datetime


def _refuse_contradictions(
    files: tuple[Path, ...],
    profiles: IO[bytes] | None,
    as_json: bool,
    all_rows: bool,
    page: IO[str] | None,
) -> None:
    if not files and profiles is None:
        raise click.MissingParameter(param_hint="'FILE...'", param_type="argument")
    if all_rows and not as_json:
        raise click.UsageError("--all-rows works only with --json. Add --json.")
    if page is not None and (len(files) != 1 or files[0].is_dir()):
        raise click.UsageError("--html works only with one file. Name the file.")
    if page is not None:
        refuse_input(Path(page.name), *files, profiles)


def _check_and_show(file: InputFile, asked: _Asked) -> bool:
    """Check a file, and write its results. Return whether every row would be sent."""
    with tempfile.TemporaryFile() as spool:
        kept = KeptOutcomes(spool, rows=asked.as_json, findings=asked.page is not None)
        try:
            with file.open() as stream:
                with_values = not asked.as_json and is_own_screen()
                checked = _check(file, stream, asked, kept, with_values)
        except BrokenPipeError:
            raise
        except OSError as error:
            text = f"{file.name}: {error.strerror or 'cannot be read'}"
            click.echo(on_terminal(text), err=True)
            return False
        if asked.page is not None:
            write_page(asked.page, checked, kept.findings)
        if asked.as_json:
            sys.stdout.buffer.writelines(results_document(checked.summary, kept))
            sys.stdout.flush()
        else:
            for line in missing_keys(asked.profile):
                mention(line)
            show(checked, Terminal())
        return not checked.refused


def _check(
    file: InputFile,
    stream: IO[bytes],
    asked: _Asked,
    kept: KeptOutcomes,
    with_values: bool,
) -> CheckResult:
    """Check one file. For a long file, show a progress bar if the output is a terminal."""
    source = described(file.name, stream)
    stream.seek(0)
    console = Terminal(stderr=True)
    columns = (
        TextColumn("{task.fields[rows]:,} rows"),
        BarColumn(),
        DownloadColumn(),
        TimeRemainingColumn(),
    )
    silent = file.size < _LONG_FILE or not console.is_terminal or is_quiet()
    with Progress(*columns, console=console, transient=True, disable=silent) as progress:
        bar = progress.add_task("", total=source.size, rows=0)
        rows = 0

        def advance(chunk: ChunkOutcomes) -> None:
            nonlocal rows
            rows += chunk.tally.rows
            progress.update(bar, rows=rows)
            kept.add(chunk)

        watched = progress.wrap_file(cast("BinaryIO", stream), task_id=bar)
        return check(
            *(watched, source, asked.profile_name, asked.profile, asked.now, advance),
            list_all=asked.all_rows,
            max_lines=asked.max_lines,
            with_values=with_values,
        )
