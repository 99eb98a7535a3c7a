"""`python -m lib check FILE...`: what would become of a file, before it is dropped."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

import click
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from lib.cli.check import ANY_CUSTOMER, CheckResult, Route, check
from lib.cli.check_output import show
from lib.config.profile import Profile, choose_profile, read_profiles
from lib.config.settings import Settings
from lib.errors import PermanentError
from lib.results.chunk_report import ChunkReport
from lib.results.document import results_document
from lib.source.names import IgnoreRules, ignored
from lib.state.store import StoredObject

_LONG_FILE = 4 << 20
"""Bytes from which on a progress bar is worth its line (about a second of work)."""

_EXAMPLES = """
\b
Examples:
  Check an export before you drop it into the bucket:
    python -m lib check leads.csv

\b
  With the settings of your uploads (time zone, currency, header names):
    python -m lib check --profiles profiles.json --profile crm leads.csv

\b
  Several files at once, compressed ones too:
    python -m lib check exports/*.csv.gz

\b
  For a program: the results document, every row that would not simply be sent:
    python -m lib check --json leads.csv | jq '.rows[] | select(.outcome == "rejected")'

\b
  An old export, as if it were dropped on the evening of its day:
    python -m lib check --now 2026-11-24T18:00:00Z leads.csv

\b
Exit code: 0 every row would be sent (a repeated row once), 1 rows would be refused, the file
can't be read, or its name would be ignored, 2 the command is wrong.
"""


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """From a CSV to conversions in Google Ads: tools for the desk. See `check --help`."""


def _parse_now(context: click.Context, option: click.Parameter, value: str | None) -> datetime:
    if value is None:
        return datetime.now(UTC)
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise click.BadParameter("not a time such as 2026-11-24T18:00:00Z") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


@main.command("check", epilog=_EXAMPLES)
@click.argument(
    "files",
    nargs=-1,
    required=True,
    metavar="FILE...",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
)
@click.option("--profile", "name", metavar="NAME", help="Profile to use [default: default].")
@click.option(
    "--profiles",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Profiles document, as PROFILES names it for the function (docs/profiles.md).",
)
@click.option(
    "--route",
    type=click.Choice(["google_ads", "data_manager"]),
    help="API to check for [default: the profile's destination].",
)
@click.option("--json", "as_json", is_flag=True, help="Print the results document, one per file.")
@click.option("--all-rows", is_flag=True, help="List rows that would be sent too (with --json).")
@click.option(
    "--now",
    callback=_parse_now,
    metavar="TIME",
    help="Judge as of this moment, ISO 8601; without an offset UTC [default: now].",
)
def check_command(
    files: tuple[Path, ...],
    name: str | None,
    profiles: Path | None,
    route: Route | None,
    as_json: bool,
    all_rows: bool,
    now: datetime,
) -> None:
    """Say what would become of every row of FILE, by the rules of the upload and without network.

    Nothing is sent, and no account is asked: whether conversion actions exist, and what Google
    knows of a click, only the upload can tell. Without --profiles the account is taken as set.
    """
    if all_rows and not as_json:
        raise click.UsageError("--all-rows needs --json")
    profile = _profile(name, profiles, route)
    failed = False
    for path in files:
        if reason := _why_ignored(path):
            click.echo(f"{path}: the function would ignore this file: {reason}", err=True)
            failed = True
        with tempfile.TemporaryFile() as spool:
            keep = _spooler(spool) if as_json else _drop
            try:
                checked = _check_one(path, name or "default", profile, now, keep, all_rows)
            except OSError as error:
                click.echo(f"{path}: {error.strerror or 'cannot be read'}", err=True)
                failed = True
                continue
            failed |= checked.refused
            if as_json:
                sys.stdout.buffer.writelines(results_document(checked.summary, _unspool(spool)))
                sys.stdout.flush()
            else:
                show(checked, Console())
    raise SystemExit(1 if failed else 0)


def _profile(name: str | None, profiles: Path | None, route: Route | None) -> Profile:
    """The profile of the options. A mistake in them is one of usage, not of a file."""
    if profiles is None:
        if name is not None:
            raise click.UsageError("--profile needs --profiles")
        profile = Profile.model_validate({"customer_id": ANY_CUSTOMER})
    else:
        try:
            document = read_profiles(profiles.read_text("utf-8"))
            _, profile = choose_profile(document, f"{name or 'default'}/")
        except (PermanentError, OSError, UnicodeDecodeError) as error:
            raise click.BadParameter(str(error), param_hint="--profiles") from None
    return profile.model_copy(update={"destination": route}) if route else profile


def _check_one(
    path: Path,
    profile_name: str,
    profile: Profile,
    now: datetime,
    keep: Callable[[ChunkReport], None],
    all_rows: bool,
) -> CheckResult:
    """Check one file, with a moving bar on a terminal when it is long."""
    size = path.stat().st_size
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.fields[rows]:,} rows"),
        BarColumn(),
        DownloadColumn(),
        TimeRemainingColumn(),
    )
    silent = size < _LONG_FILE or not console.is_terminal
    with (
        path.open("rb") as file,
        Progress(*columns, console=console, transient=True, disable=silent) as progress,
    ):
        bar = progress.add_task("", total=size, rows=0)
        rows = 0

        def advance(report: ChunkReport) -> None:
            nonlocal rows
            rows += report.tally.rows
            progress.update(bar, rows=rows)
            keep(report)

        return check(
            _Watched(file, lambda read: progress.advance(bar, read)),
            StoredObject(bucket="", name=str(path), generation=0, size=size),
            profile_name,
            profile,
            now,
            advance,
            list_all=all_rows,
        )


class _Watched:
    """A file that tells how many bytes each `read` took."""

    def __init__(self, file: IO[bytes], tell: Callable[[int], None]) -> None:
        self._file = file
        self._log_and_publish = tell

    def read(self, size: int = -1, /) -> bytes:
        """Read from the file."""
        data = self._file.read(size)
        self._log_and_publish(len(data))
        return data


def _why_ignored(path: Path) -> str | None:
    """Why the function would leave a file alone, unless its settings name other suffixes."""
    fields = Settings.model_fields
    rules = IgnoreRules(
        fields["accepted_suffixes"].default,
        fields["ignored_suffixes"].default,
        fields["ignored_prefixes"].default,
    )
    reason = ignored(path.name, 1, rules)
    if reason != "suffix not accepted":
        return reason
    plain = [suffix for suffix in rules.accepted_suffixes if not suffix.endswith(".gz")]
    return f"its name must end in {', '.join(plain)}, or one of these with .gz"


# The counts stand before the rows in the document, so the rows wait on disk. They hold lines,
# codes and order ids, as the ledger's markers do.


def _spooler(spool: IO[bytes]) -> Callable[[ChunkReport], None]:
    def keep(report: ChunkReport) -> None:
        spool.write(json.dumps(report.to_marker(), separators=(",", ":")).encode() + b"\n")

    return keep


def _drop(report: ChunkReport) -> None:
    pass


def _unspool(spool: IO[bytes]) -> Iterator[ChunkReport]:
    spool.seek(0)
    return (ChunkReport.from_marker(json.loads(line)) for line in spool)


if __name__ == "__main__":
    main(prog_name="python -m lib")
