"""`check FILE...`: shows what would happen to a file, before anybody uploads it."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import IO, Any, Final

import click

from lib.catalogue.texts import number_of
from lib.cli.check import CheckResult, add_spreadsheet_rows, check
from lib.cli.check_output import KeptOutcomes, show
from lib.cli.escaping import on_terminal
from lib.cli.files import described, why_not_opened
from lib.cli.options import now_option
from lib.cli.terminal import AdvancedOption, TaughtCommand, is_own_screen, mention
from lib.config.profile import NO_EXPECT, choose_profile, read_profiles
from lib.errors import PermanentError
from lib.model.chunk_outcomes import ChunkOutcomes
from lib.results.document import results_document

_EXAMPLES: Final = """
\b
Examples:
  Check an export by the profile of your uploads:
    {program} check --profiles profiles.json --profile crm leads.csv

\b
  Check the profiles themselves, after an edit:
    {program} check --profiles profiles.json

\b
  Check several files at once, including compressed ones:
    {program} check --profiles p.json exports/*.csv.gz

\b
  Keep the results, write a page for the colleague who has to correct the
  export, and get the rows to correct:
    {program} check --profiles p.json --json leads.csv \\
      > leads.results.json
    {program} report leads.results.json
    {program} fix leads.csv leads.results.json

\b
  Check an old export as if you uploaded it on the evening of its day:
    {program} check --profiles p.json leads.csv \\
      --now 2026-11-24T18:00:00Z

Exit code: 0 if no row is refused. 1 if a row is refused, a file cannot be read, or its name is
not accepted. 2 if the command is wrong.
Without FILE: 0 if every profile is valid, otherwise 1.
"""
_LONG_FILE: Final = 4 << 20
"""Size in bytes from which a progress bar is shown (about a second of work)."""


@click.command(
    "check",
    cls=TaughtCommand,
    epilog=_EXAMPLES,
    short_help="Show what would happen to every row of a file.",
)
@click.argument(
    "files",
    nargs=-1,
    metavar="[FILE]...",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
)
@click.option(
    "--profiles",
    metavar="FILE",
    type=click.File("rb"),
    default="profiles.json",
    show_default=True,
    help="File with the profiles, as init writes it; - reads it from standard input.",
)
@click.option(
    "--profile",
    "profile_name",
    metavar="NAME",
    default="default",
    show_default=True,
    help="Name of the profile: the folder in the bucket.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the results document of each file.")
@click.option(
    "--all-rows",
    cls=AdvancedOption,
    is_flag=True,
    help="With --json: also list rows that would be sent.",
)
@now_option
def check_command(
    files: tuple[Path, ...],
    profiles: IO[bytes],
    profile_name: str,
    as_json: bool,
    all_rows: bool,
    now: datetime,
) -> None:
    """Show what would happen to every row of FILE, by the rules of the upload, without a network.

    Nothing is sent, and no account is read. So only the upload can show whether a conversion action
    exists and whether Google knows a click. Without FILE, the profiles themselves are checked.
    """
    if all_rows and not as_json:
        raise click.UsageError("--all-rows works only with --json. Add --json.")
    if not files:
        raise SystemExit(0 if _check_document(profiles.read()) else 1)
    try:
        profile = choose_profile(read_profiles(profiles.read()), f"{profile_name}/")
    except PermanentError as error:
        raise click.BadParameter(str(error), param_hint="--profiles") from None
    if profile.expect is None:
        mention(NO_EXPECT)
    check_one = partial(
        check,
        profile_name=profile_name,
        profile=profile,
        now=now,
        list_all=all_rows,
        with_values=not as_json and is_own_screen(),
    )
    is_refused = False
    for file in files:
        if reason := why_not_opened(file):
            mention(f"{file}: {reason}.")
            is_refused = True
        with file.open("rb") as content, tempfile.TemporaryFile() as spool:
            kept = KeptOutcomes(spool)
            checked = _check_with_progress(file, content, kept if as_json else None, check_one)
            if as_json:
                sys.stdout.buffer.writelines(results_document(checked.summary, kept))
                sys.stdout.flush()
            else:
                add_spreadsheet_rows(checked, content, profile)
                show(checked)
        is_refused = is_refused or checked.refused
    raise SystemExit(1 if is_refused else 0)


def _check_with_progress(
    file: Path, content: IO[bytes], kept: KeptOutcomes | None, check_one: partial[CheckResult]
) -> CheckResult:
    """Check a file. For a long one, show a progress bar on a terminal."""
    source = described(file, content)
    content.seek(0)
    is_hidden = source.size < _LONG_FILE or not sys.stderr.isatty()
    with click.progressbar(length=source.size, hidden=is_hidden, file=sys.stderr) as bar:

        def add(chunk: ChunkOutcomes) -> None:
            bar.update(content.tell() - bar.pos)
            if kept is not None:
                kept.add(chunk)

        return check_one(content, source, each=add)


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
    if profile.expect is None:
        yield f'profile "{name}": {NO_EXPECT}'
