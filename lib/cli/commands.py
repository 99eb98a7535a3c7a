"""`check FILE...`: shows what would happen to a file, before anybody uploads it."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import IO, Any, get_args

import click
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from lib import __version__
from lib.cli.addresses import ObjectAddress
from lib.cli.assumptions import ChosenProfile, assume, read_twice
from lib.cli.check import LINES_SHOWN, CheckResult, check
from lib.cli.check_output import show
from lib.cli.check_profiles import check_document, read_document
from lib.cli.examples import CHECK_EXAMPLES, FIRST_STEPS
from lib.cli.fix.command import fix_command
from lib.cli.init.command import init_command
from lib.cli.init.findings import Given
from lib.cli.init.questions import value_options
from lib.cli.inputs import InputFile, input_files
from lib.cli.kept_outcomes import KeptOutcomes
from lib.cli.now import now_option
from lib.cli.problem_formats import Format, as_github, as_jsonl, found_problems
from lib.cli.report import report_command
from lib.cli.terminal import Commands, Terminal
from lib.cli.watched_file import WatchedFile
from lib.config.profile import Profile, choose_profile
from lib.errors import PermanentError
from lib.model.outcomes import ChunkOutcomes
from lib.results.document import document_head, results_document
from lib.results.findings import Findings
from lib.state.store import StoredObject

_LONG_FILE = 4 << 20
"""Size in bytes from which a progress bar is shown (about a second of work)."""


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=FIRST_STEPS,
)
@click.version_option(__version__, prog_name="offline-conversions")
def main() -> None:
    """Check files of offline conversions, write their profile, and get the rows to correct."""


main.add_command(init_command)
main.add_command(fix_command)
main.add_command(report_command)


def _named_as_page(
    ctx: click.Context, param: click.Parameter, value: IO[str] | None
) -> IO[str] | None:
    """Refuse other names, so that no export is replaced by a slip."""
    if value is not None and not value.name.lower().endswith(".html"):
        raise click.BadParameter("its name must end in .html.", ctx, param)
    return value


@main.command("check", epilog=CHECK_EXAMPLES)
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
    help="File with the profiles, or its gs:// address, as the function reads it from PROFILES "
    "(docs/profiles.md).",
)
@value_options
@click.option(
    "--format",
    "form",
    type=click.Choice(list(get_args(Format))),
    default="text",
    show_default=True,
    help="json: the results document of each file. jsonl: an object for each problem. github: "
    "annotations for a workflow of GitHub Actions.",
)
@click.option(
    "--json", "form", flag_value="json", help="Print the results document, as --format json does."
)
@click.option("--all-rows", is_flag=True, help="With --json: also list rows that would be sent.")
@click.option(
    "--max-lines",
    type=click.IntRange(min=1),
    default=LINES_SHOWN,
    show_default=True,
    help="Number of lines that are listed for each problem (text and github).",
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
    given: Given,
    form: Format,
    all_rows: bool,
    max_lines: int,
    page: IO[str] | None,
    now: datetime,
) -> None:
    """Show what would happen to every row of FILE, by the rules of the upload, without a network.

    Nothing is sent, and no account is read. So only the upload can show whether a conversion action
    exists and whether Google knows a click. Without --profiles, the check reads the first rows as
    `init` does, says what it assumes and what is missing, and validates the rows all the same. In a
    folder, all files that the function would open are checked. - reads standard input. Without
    FILE, the profiles themselves are checked.
    """
    _check_options(files, profiles, form, all_rows, page)
    if profiles is not None and not files:
        raise SystemExit(check_document(profiles))
    profile = _profile(name, profiles, given)
    failed, checks = False, 0
    console = Terminal()
    values = form == "text" and console.is_terminal
    options = {"list_all": all_rows, "max_lines": max_lines, "with_values": values}
    for file in input_files(files):
        if problem := file.name_problem():
            click.echo(f"{file.name}: {problem}.", err=True)
            if file.in_folder:
                continue
            failed = True
        checks += 1
        with tempfile.TemporaryFile() as spool:
            kept = KeptOutcomes(spool, rows=form != "text", findings=page is not None)
            try:
                with file.open() as opened, read_twice(opened) as stream:
                    chosen = profile or assume(stream, given, now)
                    checked = _check_one(
                        *(file, stream, name or "default", chosen.profile, now, kept.add, options)
                    )
            except BrokenPipeError:
                raise
            except OSError as error:
                click.echo(f"{file.name}: {error.strerror or 'cannot be read'}", err=True)
                failed = True
                continue
            failed |= checked.refused or not chosen.is_complete
            if page is not None:
                _write_page(page, checked, kept.findings)
            if form == "text":
                show(checked, console, chosen.remarks)
            else:
                if not chosen.is_complete:
                    click.echo(f"{file.name}: {' '.join(chosen.remarks)}", err=True)
                _print(form, checked, kept, max_lines)
    if not checks:
        click.echo("There is no file to check.", err=True)
    raise SystemExit(1 if failed or not checks else 0)


def _check_options(
    files: tuple[Path, ...],
    profiles: IO[bytes] | None,
    form: Format,
    all_rows: bool,
    page: IO[str] | None,
) -> None:
    if not files and profiles is None:
        raise click.MissingParameter(param_hint="'FILE...'", param_type="argument")
    if all_rows and form != "json":
        raise click.UsageError("--all-rows works only with --json. Add --json.")
    if page is not None and (len(files) != 1 or files[0].is_dir()):
        raise click.UsageError("--html works only with one file. Name the file.")


def _profile(name: str | None, profiles: IO[bytes] | None, given: Given) -> ChosenProfile | None:
    """Return the profile that the options select, or None if each file gets its own. Errors in them
    are usage errors (exit code 2)."""
    if profiles is None:
        if name is not None:
            raise click.UsageError("--profile works only with --profiles. Add --profiles FILE.")
        return None
    try:
        _, profile = choose_profile(read_document(profiles), f"{name or 'default'}/")
    except PermanentError as error:
        raise click.BadParameter(str(error), param_hint="--profiles") from None
    return ChosenProfile(Profile.model_validate({**profile.model_dump(), **given.values}))


def _check_one(
    file: InputFile,
    stream: IO[bytes],
    profile_name: str,
    profile: Profile,
    now: datetime,
    keep: Callable[[ChunkOutcomes], None],
    options: Mapping[str, Any],
) -> CheckResult:
    """Check one file. For a long file, show a progress bar if the output is a terminal."""
    size = file.size
    console = Terminal(stderr=True)
    columns = (
        TextColumn("{task.fields[rows]:,} rows"),
        BarColumn(),
        DownloadColumn(),
        TimeRemainingColumn(),
    )
    silent = size < _LONG_FILE or not console.is_terminal
    with Progress(*columns, console=console, transient=True, disable=silent) as progress:
        bar = progress.add_task("", total=size, rows=0)
        rows = 0

        def advance(chunk: ChunkOutcomes) -> None:
            nonlocal rows
            rows += chunk.tally.rows
            progress.update(bar, rows=rows)
            keep(chunk)

        watched = WatchedFile(stream, lambda read: progress.advance(bar, read))
        checked = check(
            watched,
            StoredObject(bucket="", name=file.name, generation=0, size=size),
            profile_name,
            profile,
            now,
            advance,
            **options,
        )
        return watched.described(checked)


def _print(
    form: Format, checked: CheckResult, chunks: Iterable[ChunkOutcomes], max_lines: int
) -> None:
    if form == "json":
        sys.stdout.buffer.writelines(results_document(checked.summary, chunks))
    else:
        problems = found_problems(checked, chunks)
        lines = as_jsonl(problems) if form == "jsonl" else as_github(problems, max_lines)
        sys.stdout.buffer.writelines(f"{line}\n".encode() for line in lines)
    sys.stdout.flush()


def _write_page(page: IO[str], checked: CheckResult, findings: Findings) -> None:
    from lib.results.report import render_report  # jinja2 takes long to import

    page.write(render_report(document_head(checked.summary), findings))
    page.close()
    click.echo(f"Wrote {page.name}", err=True)
