"""`fix FILE RESULTS`: writes the rows to correct, with what to do, ready to be uploaded.

FILE and RESULTS are read once, side by side, in the order of the file. Only the rows to correct are
written, whatever the form of FILE, as CSV in UTF-8:

    fix: problem,fix: what to do,fix: line,Record ID,Close Date
    The date and time cannot be read. …,Write it as 2026-11-24 14:05. …,4,2100442,last Thursday
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence, Set
from itertools import chain
from pathlib import Path, PurePath
from typing import IO, TYPE_CHECKING, Final

import click
from pydantic import ValidationError

from lib.adapters.workbook import read_in_child
from lib.catalogue.codes import Code, lookup
from lib.catalogue.texts import first_sentence, number_of_rows
from lib.cli.dry_run import MAX_FILE_BYTES
from lib.cli.escaping import in_shell, in_spreadsheet, on_terminal
from lib.cli.files import checksum, replacing
from lib.cli.terminal import TaughtCommand, mention
from lib.config.profile import Profile
from lib.model.fields import comparable
from lib.model.outcomes import Problem
from lib.results.document import ResultsCode, ResultsHead, ResultsProblem, ResultsRow, ResultsSource
from lib.results.findings import root_problems
from lib.results.names import rows_to_fix
from lib.results.reading import NotResults, read_results
from lib.run.reading import read_table
from lib.source.errors import SourceError
from lib.source.table import OriginalRow, Table

if TYPE_CHECKING:
    from _csv import Writer

_EXAMPLES = """
\b
Examples:
  Get the rows to correct, with the problem and what to do in front of each:
    {program} fix leads.csv \\
      leads.csv.1795521600000001.results.json

\b
  Correct a file before its first upload:
    {program} check --profiles p.json --json leads.csv \\
      > leads.results.json
    {program} fix leads.csv leads.results.json

Exit code: 0 if the rows were written, or no row needs to be corrected. 1 if that is not
possible. 2 if the command is wrong.
"""

CORRECTION_COLUMNS: Final = ("fix: problem", "fix: what to do", "fix: line")
"""The columns in front of the rows to correct. An upload ignores them."""

GUESSED_MARK: Final = "Compare this row with the file and delete this cell"
"""Follows the cells of a row whose quotes cannot be read."""


@click.command(
    "fix",
    cls=TaughtCommand,
    epilog=_EXAMPLES,
    short_help="Write the rows of a file that need correction.",
)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("results", type=click.File("rb"))
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the rows to this file [default: rows-to-fix-NAME.GENERATION.csv, with the name and "
    "the generation in the results].",
)
def fix_command(file: Path, results: IO[bytes], output: Path | None) -> None:
    """Write the rows of FILE that you need to correct, with their problem and what to do in front.

    RESULTS is the results document of FILE (- reads it from standard input). The rows are written
    as CSV. Correct them, and upload the new file to the same folder. Keep its name: it says that
    these rows are no longer lost. An upload ignores the columns whose names begin with "fix:", and
    rows that were uploaded are not in it. Nothing is sent.
    """
    try:
        head, rows = read_results(results)
        output = output or _default_output(head.source)
        _refuse_output(output)
        _refuse_other_file(file, head.source)
        to_correct = (row for row in rows if _is_correctable(row, head))
        first = next(to_correct, None)
        if first is None:
            mention(_nothing_to_correct(head))
            return
        written = _write(file, head, chain([first], to_correct), output)
    except NotResults as error:
        raise click.ClickException(f"RESULTS cannot be used: {error}.") from None
    mention(_summary(written, head, output))


def _default_output(source: ResultsSource) -> Path:
    """Return `rows-to-fix-NAME.GENERATION.csv`. An object may have a NUL in its name, but no file
    may."""
    name = PurePath(source.name).name.replace("\0", "")
    return Path(f"{rows_to_fix(name, int(source.generation or 0))}.csv")


def _refuse_output(output: Path) -> None:
    if output.suffix.lower() != ".csv":
        raise click.BadParameter("its name must end in .csv.", param_hint="-o")
    if output.exists():
        raise click.UsageError(
            f"{output} exists already, perhaps with your corrections. Move or delete it, or name "
            "another file with -o."
        )


def _refuse_other_file(file: Path, source: ResultsSource) -> None:
    """End the command if the results are about another file: their lines would be other rows."""
    with file.open("rb") as content:
        if not source.crc32c or checksum(content) == source.crc32c:
            return
    text = f"{file} is not the file of these results: its content differs. Use the file that was"
    if not source.bucket:
        raise click.ClickException(f"{text} checked, unchanged.")
    address = in_shell(f"gs://{source.bucket}/{source.name}#{source.generation}")
    raise click.ClickException(f"{text} uploaded. To get it: gcloud storage cp {address} .")


def _is_correctable(row: ResultsRow, head: ResultsHead) -> bool:
    """Return whether a correction could bring the row to Google.

    A row that Google refused for a reason that no cell can change is not worth another try, nor is
    one that came too late.
    """
    if any(lookup(error.code).is_too_late for error in row.errors):
        return False
    if row.outcome == "failed":
        return not row.errors or any(_entry(error, head).needs_action for error in row.errors)
    return row.outcome in ("rejected", "not_attempted")


# ── the rows ─────────────────────────────────────────────────────────────────────────────────


def _write(file: Path, head: ResultsHead, rows: Iterator[ResultsRow], output: Path) -> int:
    """Write the output, which appears only when it is complete. Return the number of rows."""
    if head.file_error and not head.columns:
        entry = lookup(head.file_error.code)
        raise click.ClickException(
            f"No single row is wrong, but the whole file: {entry.meaning} {entry.action} Then "
            "upload the file again."
        )
    profile = _profile_of(head)
    with file.open("rb") as content, replacing(output) as copy:
        try:
            table = read_table(content, profile, MAX_FILE_BYTES, read_sheet=read_in_child)
        except SourceError as error:
            raise click.ClickException(f"{file}: {lookup(error.code).meaning}") from None
        # Excel recognizes UTF-8 by its mark. A byte that nothing could decode is written as one
        # that nothing can decode, so the row stays refused until it is corrected.
        with io.TextIOWrapper(copy, "utf-8-sig", "surrogatepass", newline="") as text:
            delimiter = table.delimiter if table.sheet is None else ","
            if profile is not None and profile.delimiter:
                delimiter = profile.delimiter
            if table.separator:
                text.write(f"sep={delimiter}\r\n")
            return _write_rows(csv.writer(text, delimiter=delimiter), table, head, rows)


def _profile_of(head: ResultsHead) -> Profile | None:
    """Return the profile with which the file was read, if it had a usable one."""
    try:
        return Profile.model_validate(head.profile_keys) if head.profile_keys else None
    except ValidationError:
        raise NotResults("this version cannot read the profile in them") from None


def _write_rows(writer: Writer, table: Table, head: ResultsHead, rows: Iterator[ResultsRow]) -> int:
    """Write the header and the rows, with our columns in front. Return the number of rows."""
    if table.time_zone:
        writer.writerow([f"Parameters:TimeZone={table.time_zone}"])
    earlier = {n for n, name in enumerate(table.header) if comparable(name) in CORRECTION_COLUMNS}
    originals = table.originals()
    header = next(original for original in originals if original.line == table.header_line)
    writer.writerow([*CORRECTION_COLUMNS, *_cells(header, table, earlier)])
    written = 0
    for row in rows:
        original = next((each for each in originals if each.line >= row.line), None)
        if original is None or original.line != row.line:
            raise NotResults("another version of this program has read the file differently")
        writer.writerow([*_advice_on(row, head), str(row.line), *_cells(original, table, earlier)])
        written += 1
    return written


def _cells(row: OriginalRow, table: Table, left_out: Set[int]) -> list[str]:
    """Return the cells of a row, none of which is a formula. `left_out` are the columns that an
    earlier `fix` wrote.

    If its quotes are broken, where its cells end is a guess. Then there is one cell too many, so
    the row is refused until a person has deleted that cell.
    """
    cells = row.cells
    if cells is None:
        cells = row.text.replace('"', "").split(table.delimiter)
        cells += [""] * (table.width - len(cells)) + [GUESSED_MARK]
    return [in_spreadsheet(cell) for number, cell in enumerate(cells) if number not in left_out]


def _advice_on(row: ResultsRow, head: ResultsHead) -> tuple[str, str]:
    """Return the problem of a row, and what to do. A row without an error of its own has that of
    the file."""
    problems = root_problems(row.as_outcome())
    if not row.errors and head.file_error:
        problems = [Problem(head.file_error.code, "", head.file_error.detail), *problems]
    # An error that another problem explains may still have the way out: to delete the row.
    entries = [_entry(problem, head) for problem in problems]
    entries += [_entry(error, head) for error in row.errors]
    to_do = [entry for entry in entries if entry.needs_action] or entries
    return (
        _one_line(_listed([_described(problem, head) for problem in problems])),
        _one_line(_listed([*dict.fromkeys(entry.action for entry in to_do)])),
    )


def _listed(texts: Sequence[str]) -> str:
    """`(1) The first one. (2) The second one.`, or the only one as it is."""
    if len(texts) < 2:
        return "".join(texts)
    return " ".join(f"({number}) {text}" for number, text in enumerate(texts, 1))


def _described(problem: Problem, head: ResultsHead) -> str:
    entry = _entry(problem, head)
    meaning = entry.meaning
    if entry.severity == "warning":  # that something was left out is untrue: nothing was sent
        meaning = f"{first_sentence(meaning)}."
    parts = [f"{meaning} ({problem.detail})" if problem.detail else meaning]
    if column := head.columns.get(problem.field, problem.field):
        parts.append(f'Column: "{column}".')
    return " ".join(parts)


def _entry(problem: ResultsProblem | Problem, head: ResultsHead) -> ResultsCode | Code:
    """Return what the results, or else the catalogue, say about the code."""
    return head.codes.get(problem.code) or lookup(problem.code)


def _one_line(text: str) -> str:
    """Return a text that no spreadsheet and no terminal obeys, whatever Google's message is."""
    return in_spreadsheet(on_terminal(" ".join(text.split())))


# ── what is said at the end ──────────────────────────────────────────────────────────────────


def _nothing_to_correct(head: ResultsHead) -> str:
    if head.other_generation:
        return f"The results of generation {head.other_generation} have the rows of this file."
    text = "There is no row that you can correct."
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
    if deferred := head.counts.get("deferred", 0):
        return f" Not in it: {number_of_rows(deferred)} that will be retried automatically."
    return ""
