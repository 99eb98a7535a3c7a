"""`fix FILE RESULTS`: writes the rows to correct, with what to do, ready to be uploaded.

FILE and RESULTS are read once, side by side, in the order of the file.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path, PurePath
from typing import IO, Final

import click

from lib.catalogue.codes import CONSEQUENCES, Code, lookup
from lib.catalogue.texts import number_of_rows
from lib.cli.dry_run import MAX_FILE_BYTES
from lib.cli.escaping import in_spreadsheet, on_terminal
from lib.cli.files import (
    ObjectAddress,
    difference,
    other_file,
    refuse_existing,
    refuse_input,
    replacing,
)
from lib.cli.fix_output import CORRECTION_COLUMNS, RowsToFix
from lib.cli.options import named_profile, profile_of
from lib.cli.terminal import TaughtCommand, mention
from lib.results.document import ResultsCode, ResultsHead, ResultsProblem, ResultsRow
from lib.results.names import rows_to_fix
from lib.results.reading import NotResults, read_results
from lib.run.reading import source_options
from lib.source.errors import SourceError
from lib.source.table import SourceOptions, Table, open_table

_EXAMPLES = """
\b
Examples:
  Get the rows to correct, with the problem and what to do in front of each:
    {program} fix leads.csv \\
      leads.csv.1795521600000001.results.json

\b
  Take the results from the bucket (install the command with
  pipx install --force "offline-conversions[gcs]"):
    {program} fix leads.csv \\
      gs://BUCKET/leads.csv.1795521600000001.results.json

\b
  Correct a file before its first upload:
    {program} check --profiles p.json --json leads.csv \\
      > leads.results.json
    {program} fix leads.csv leads.results.json

\b
  Read a file that was only checked with its profile, if that sets an encoding,
  a delimiter or a sheet:
    {program} fix leads.csv leads.results.json \\
      --profiles profiles.json

Exit code: 0 if the rows were written, or no row needs to be corrected. 1 if that is not
possible. 2 if the command is wrong.
"""

_SUFFIXES: Final = (".csv", ".tsv", ".txt", ".csv.gz", ".tsv.gz", ".txt.gz")
_NOTHING_TO_DO: Final = "No action needed"
_UNNAMED: Final = re.compile(r"column (\d+)")
"""How results name a column whose name could be user data."""


class ReadsDifferently(Exception):
    """The file is that of the results, but its rows or columns are not where they say."""


@click.command(
    "fix",
    cls=TaughtCommand,
    epilog=_EXAMPLES,
    short_help="Write the rows of a file that need correction.",
)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("results", type=ObjectAddress())
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the rows to this file [default: rows-to-fix-NAME.csv, with the name in the "
    "results].",
)
@click.option("--force", is_flag=True, help="Replace the output file if it exists.")
@click.option("--profiles", metavar="FILE", type=ObjectAddress(), help="File with the profiles.")
@click.option("--profile", "name", help="Name of the profile [default: that of the results].")
def fix_command(
    file: Path,
    results: IO[bytes],
    output: Path | None,
    force: bool,
    profiles: IO[bytes] | None,
    name: str | None,
) -> None:
    """Write the rows of FILE that you need to correct, with their problem and what to do in front.

    RESULTS is the results document of FILE. The rows are written as they are in FILE (CSV, if FILE
    is a workbook: the cells as they were read). Correct them,
    and upload the new file to the same folder. Keep its name: it says that these rows are no longer
    lost. The columns problem, "what to do" and line are ignored, and rows that were uploaded are
    not in it. Nothing is sent.

    RESULTS and --profiles can be gs:// addresses, or - for standard input.
    """
    if output and not output.name.lower().endswith(_SUFFIXES):
        raise click.BadParameter(f"its name must end in {', '.join(_SUFFIXES)}.", param_hint="-o")
    try:
        head, rows = read_results(results)
        output = output or Path(f"{rows_to_fix(PurePath(head.source.name).name)}.csv")
        refuse_input(output, file, results, profiles)
        refuse_existing(output, force)
        _refuse_other_file(file, head)
        settings = _Settings(head)
        wanted = (row for row in rows if _is_correctable(row, head) and not settings.concern(row))
        if (first := next(wanted, None)) is None:
            if settings.rows:
                raise click.ClickException(settings.advice())
            mention(_nothing_to_fix(head))
            return
        profile = named_profile(profiles, name, head.profile) or profile_of(head)
        options = source_options(profile, MAX_FILE_BYTES)
        written = _write(file, head, chain([first], wanted), output, options)
    except NotResults as error:
        raise click.ClickException(f"RESULTS cannot be used: {error}.") from None
    mention(" ".join(filter(None, (_summary(written, head, output), settings.advice()))))


def _refuse_other_file(file: Path, head: ResultsHead) -> None:
    """End the command if the results are about another file: their lines would be other rows."""
    with file.open("rb") as content:
        if different := difference(content, head.source):
            raise click.ClickException(other_file(file, head.source, different))


def _write(
    file: Path,
    head: ResultsHead,
    rows: Iterator[ResultsRow],
    output: Path,
    options: SourceOptions,
) -> int:
    """Write the output, which appears only when it is complete. Return the number of rows."""
    if head.file_error and not head.columns:
        entry = lookup(head.file_error.code)
        raise click.ClickException(
            f"No single row is wrong, but the whole file: {entry.meaning} {entry.action} Then "
            "upload the file again."
        )
    with file.open("rb") as content:
        try:
            table = open_table(content, options)
            with replacing(output) as copy:
                has_undecodable = "UNDECODABLE" in head.codes
                to_fix = RowsToFix(copy, table, options.delimiter, has_undecodable=has_undecodable)
                return _copy_rows(table, head, rows, to_fix)
        except SourceError as error:
            raise click.ClickException(f"{file}: {lookup(error.code).meaning}") from None
        except ReadsDifferently:
            raise click.ClickException(
                f"{file} cannot be read as it was when its results were made. If its profile sets "
                "columns, an encoding, a delimiter or a sheet, add --profiles FILE."
            ) from None


def _copy_rows(
    table: Table, head: ResultsHead, rows: Iterator[ResultsRow], to_fix: RowsToFix
) -> int:
    """Copy the rows, with our columns in front. Return how many.

    Raises `ReadsDifferently`, for example if the profile that says how to read the file is missing.
    """
    if not all(_is_column(name, table.header) for name in head.columns.values()):
        raise ReadsDifferently
    originals = table.originals()
    for original in originals:
        if original.line == table.header_line:
            to_fix.add(CORRECTION_COLUMNS, original)
            break
        to_fix.add_preamble(original)
    written = 0
    for row in rows:
        same = next((original for original in originals if original.line >= row.line), None)
        if same is None or same.line != row.line:
            raise ReadsDifferently
        to_fix.add((*_advice_on(row, head), str(row.line)), same)
        written += 1
    return written


def _is_column(name: str, header: Sequence[str]) -> bool:
    """Return whether the file has a column that the results name like this."""
    unnamed = _UNNAMED.fullmatch(name)
    return name in header or (unnamed is not None and 0 < int(unnamed[1]) <= len(header))


def _is_correctable(row: ResultsRow, head: ResultsHead) -> bool:
    """Return whether the row is sent only if somebody corrects something.

    A row that Google refused for a reason that nobody can change is not worth another try.
    """
    if row.outcome == "failed":
        return not row.errors or any(_entry(error, head).needs_action for error in row.errors)
    return row.outcome in ("rejected", "not_attempted")


class _Settings:
    """The codes that most rows have: they are settings, and no cells. Their rows are counted."""

    def __init__(self, head: ResultsHead) -> None:
        self._of_file = head.counts.get("rows", 0) - head.counts.get("skipped", 0)
        self._codes = {
            code
            for code, each in head.codes.items()
            if lookup(code).is_one_setting(each.count, self._of_file)
        }
        self.rows: Counter[str] = Counter()

    def concern(self, row: ResultsRow) -> bool:
        """Return whether only a setting is wrong with the row."""
        found = [each.code for each in row.errors + row.warnings if each.code in self._codes]
        others = {each.code for each in row.errors}.difference(self._codes, CONSEQUENCES)
        if not row.errors or not found or others:
            return False
        self.rows[found[0]] += 1
        return True

    def advice(self) -> str:
        """Return what to do about these rows, which are not written."""
        return " ".join(
            f"{count:,} of {self._of_file:,} rows have {code}: this is one setting, not {count:,} "
            f"cells. {lookup(code).if_most} Then upload the file again."
            for code, count in self.rows.items()
        )


def _advice_on(row: ResultsRow, head: ResultsHead) -> tuple[str, str]:
    """Return the problem of a row, and what to do. A row without an error of its own has that of
    the file."""
    errors = row.errors
    if not errors and head.file_error:
        errors = (ResultsProblem(head.file_error.code, "", head.file_error.detail),)
    problems = errors + row.warnings
    actions = [_entry(problem, head).action for problem in problems]
    to_do = [action for action in actions if not action.startswith(_NOTHING_TO_DO)] or actions
    return (
        _safe(" ".join(_described(problem, head) for problem in problems)),
        _safe(" ".join(dict.fromkeys(to_do))),
    )


def _described(problem: ResultsProblem, head: ResultsHead) -> str:
    meaning = _entry(problem, head).meaning
    parts = [f"{meaning} ({problem.detail})" if problem.detail else meaning]
    if column := head.columns.get(problem.field, problem.field):
        parts.append(f'Column: "{column}".')
    return " ".join(parts)


def _entry(problem: ResultsProblem, head: ResultsHead) -> ResultsCode | Code:
    """Return what the results, or else the catalogue, say about the code."""
    return head.codes.get(problem.code) or lookup(problem.code)


def _safe(text: str) -> str:
    """Return one line that no spreadsheet and no terminal obeys, whatever Google's message is."""
    return in_spreadsheet(on_terminal(" ".join(text.split())))


def _nothing_to_fix(head: ResultsHead) -> str:
    if head.other_generation:
        return f"The results of generation {head.other_generation} have the rows of this file."
    text = "No row needs to be corrected."
    if head.file_error is not None:
        entry = lookup(head.file_error.code)
        return f"{text} But the file was stopped: {entry.meaning} {entry.action_if_stopped}"
    return f"{text}{_deferred(head)}"


def _summary(written: int, head: ResultsHead, output: Path) -> str:
    text = f"{output}: {number_of_rows(written)} of {head.counts.get('rows', 0):,}."
    if head.file_error is not None:
        entry = lookup(head.file_error.code)
        text += f" The file was stopped: {entry.meaning} {entry.action}"
    return f"{text} Correct the rows, and upload this file to the same folder.{_deferred(head)}"


def _deferred(head: ResultsHead) -> str:
    deferred = head.counts.get("deferred", 0)
    return (
        f" Not in it: {number_of_rows(deferred)} that will be retried automatically."
        if deferred
        else ""
    )
