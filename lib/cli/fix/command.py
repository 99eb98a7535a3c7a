"""`fix FILE RESULTS`: writes the rows that need a hand, with what to do, ready to be uploaded."""

from __future__ import annotations

import gzip
import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import chain
from pathlib import Path
from typing import IO, Final, cast

import click

from lib.catalogue.codes import lookup
from lib.catalogue.texts import number_of_rows
from lib.cli.check import MAX_FILE_BYTES
from lib.cli.files import ObjectAddress
from lib.cli.fix.advice import needs_a_hand
from lib.cli.fix.content import difference
from lib.cli.fix.joining import Output, ReadsDifferently, TooManyRows, copy_rows
from lib.cli.fix.original import Original, open_original
from lib.cli.fix.text_output import TextOutput
from lib.cli.options import named_profile
from lib.cli.terminal import TaughtCommand
from lib.results.reading import NotResults, WrittenHead, WrittenRow, read_results
from lib.run.reading import source_options
from lib.source.errors import SourceError
from lib.source.header import correction_columns
from lib.source.table import SourceOptions

_EXAMPLES = """
\b
Examples:
  Get the rows to correct, with the problem and what to do in front of each:
    {program} fix leads.csv \\
      leads.csv.1795521600000001.results.json

\b
  The same as an Excel workbook, in which the wrong cells are red:
    {program} fix leads.csv \\
      leads.csv.1795521600000001.results.json -o rows-to-fix.xlsx

\b
  Take the results from the bucket (install the command with
  pipx install --force '.[gcs]'):
    {program} fix leads.csv \\
      gs://BUCKET/leads.csv.1795521600000001.results.json

\b
  Correct a file before its first upload:
    {program} check --json leads.csv > leads.results.json
    {program} fix leads.csv leads.results.json

\b
  Read the file with its profile, if that sets an encoding, a delimiter or a
  sheet:
    {program} fix leads.csv leads.results.json \\
      --profiles profiles.json

Exit code: 0 if the rows were written, or no row needs a hand. 1 if that is not
possible. 2 if the command is wrong.
"""

_ROWS_ELSEWHERE: Final = ("same_as", "superseded")
_SUFFIXES: Final = (".csv", ".tsv", ".txt", ".csv.gz", ".tsv.gz", ".txt.gz", ".xlsx")


@click.command("fix", cls=TaughtCommand, epilog=_EXAMPLES)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("results", type=ObjectAddress())
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    default="rows-to-fix.csv",
    show_default=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the rows to this file. If its name ends in .xlsx, the wrong cells are marked.",
)
@click.option("--force", is_flag=True, help="Replace the output file if it exists.")
@click.option("--profiles", metavar="FILE", type=ObjectAddress(), help="File with the profiles.")
@click.option("--profile", "name", help="Name of the profile [default: that of the results].")
def fix_command(
    file: Path,
    results: IO[bytes],
    output: Path,
    force: bool,
    profiles: IO[bytes] | None,
    name: str | None,
) -> None:
    """Write the rows of FILE that need a hand, with their problem and what to do in front.

    RESULTS is the results document of FILE. The rows are written as they are in FILE. Correct them,
    and upload the new file to the same folder: the columns problem, "what to do" and line are
    ignored, and rows that were uploaded are not in it. Nothing is sent.

    RESULTS and --profiles can be gs:// addresses, or - for standard input.
    """
    if not output.name.lower().endswith(_SUFFIXES):
        raise click.BadParameter(f"its name must end in {', '.join(_SUFFIXES)}.", param_hint="-o")
    if output.exists() and not force:
        raise click.BadParameter(
            f"{output} exists already, perhaps with your corrections. Name another file, or add "
            "--force.",
            param_hint="-o",
        )
    try:
        head, rows = read_results(results)
        wanted = (row for row in rows if needs_a_hand(row, head))
        if (first := next(wanted, None)) is None:
            click.echo(_nothing_to_fix(head), err=True)
            return
        options = source_options(named_profile(profiles, name, head.profile), MAX_FILE_BYTES)
        written = _write(file, head, chain([first], wanted), output, options)
    except NotResults as error:
        raise click.ClickException(f"RESULTS cannot be used: {error}.") from None
    click.echo(_summary(written, head, output), err=True)


def _write(
    file: Path,
    head: WrittenHead,
    rows: Iterator[WrittenRow],
    output: Path,
    options: SourceOptions,
) -> int:
    """Write the output, which appears only when it is complete. Return the number of rows."""
    if head.file_error and not head.columns and head.schema_version > 1:
        entry = lookup(head.file_error.code)
        raise click.ClickException(
            f"No single row is wrong, but the whole file: {entry.meaning} {entry.action} Then "
            "upload the file again."
        )
    with ExitStack() as stack:
        content = stack.enter_context(file.open("rb"))
        if different := difference(content, head.source):
            raise click.ClickException(_other_file(file, head, different))
        content.seek(0)
        try:
            original = open_original(content, options)
            with _replacing(output) as copy:
                return copy_rows(original, head, rows, _output_to(copy, output, original, head))
        except SourceError as error:
            raise click.ClickException(f"{file}: {lookup(error.code).meaning}") from None
        except ReadsDifferently:
            raise click.ClickException(
                f"{file} cannot be read as it was when its results were made. If its profile sets "
                "an encoding, a delimiter or a sheet, add --profiles FILE."
            ) from None
        except TooManyRows:
            raise click.ClickException(
                "A sheet cannot have so many rows. Name an output file that ends in .csv."
            ) from None


def _output_to(stream: IO[bytes], path: Path, original: Original, head: WrittenHead) -> Output:
    dropped = correction_columns([cell.text for cell in original.header.cells])
    if path.suffix.lower() == ".xlsx":
        from lib.cli.fix.workbook_output import WorkbookOutput  # imports openpyxl

        return WorkbookOutput(stream, original, dropped)
    return TextOutput(stream, original, dropped, has_undecodable="UNDECODABLE" in head.codes)


@contextmanager
def _replacing(path: Path) -> Iterator[IO[bytes]]:
    """Write a file beside `path`, which it replaces when everything is written."""
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".", delete=False) as copy:
        try:
            if path.name.lower().endswith(".gz"):
                with gzip.GzipFile("", "wb", fileobj=copy, mtime=0) as packed:
                    yield cast("IO[bytes]", packed)
            else:
                yield cast("IO[bytes]", copy)
        except BaseException:
            copy.close()
            os.unlink(copy.name)
            raise
    os.replace(copy.name, path)


def _other_file(file: Path, head: WrittenHead, different: str) -> str:
    source = head.source
    text = f"{file} is not the file of these results: {different}."
    if not source.bucket:
        return f"{text} Use the file that was checked, unchanged."
    address = f"gs://{source.bucket}/{source.name}#{source.generation}"
    return f"{text} Use the file that was uploaded. To get it: gcloud storage cp '{address}' ."


def _nothing_to_fix(head: WrittenHead) -> str:
    if head.status in _ROWS_ELSEWHERE:
        return f"The results of generation {head.other_generation} have the rows of this file."
    text = "No row needs a hand."
    if head.file_error is not None:
        entry = lookup(head.file_error.code)
        return f"{text} But the file was stopped: {entry.meaning} {entry.action}"
    return f"{text}{_deferred(head)}"


def _summary(written: int, head: WrittenHead, output: Path) -> str:
    text = f"{output}: {number_of_rows(written)} of {head.counts.get('rows', 0):,}."
    if head.file_error is not None:
        entry = lookup(head.file_error.code)
        text += f" The file was stopped: {entry.meaning} {entry.action}"
    return f"{text} Correct the rows, and upload this file to the same folder.{_deferred(head)}"


def _deferred(head: WrittenHead) -> str:
    deferred = head.counts.get("deferred", 0)
    return (
        f" Not in it: {number_of_rows(deferred)} that will be retried automatically."
        if deferred
        else ""
    )
