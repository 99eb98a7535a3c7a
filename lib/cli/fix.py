"""`fix FILE RESULTS`: writes the rows to correct, with what to do, ready to be uploaded.

FILE and RESULTS are read once, side by side, in the order of the file. Only the rows to correct are
written. A workbook gives a workbook whose cells are text, so that a spreadsheet changes no date and
no ID, and any other file gives CSV in UTF-8:

    fix: problem,fix: what to do,fix: line,Record ID,Close Date
    The date and time cannot be read. …,Write it as 2026-11-24 14:05. …,4,2100442,last Thursday
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Sequence, Set
from contextlib import contextmanager
from itertools import chain
from pathlib import Path, PurePath
from typing import IO, Final

import click
from pydantic import ValidationError

from lib.adapters.workbook import read_in_child
from lib.catalogue.codes import Code, lookup
from lib.catalogue.texts import first_sentence, number_of_rows
from lib.cli.dry_run import MAX_FILE_BYTES
from lib.cli.escaping import in_shell, in_spreadsheet, on_terminal
from lib.cli.files import checksum, replacing
from lib.cli.terminal import TaughtCommand, mention, program_name
from lib.config.profile import Profile
from lib.errors import NotResults, SourceError
from lib.model.outcomes import LOST, Problem
from lib.results.document import ResultsCode, ResultsHead, ResultsProblem, ResultsRow, ResultsSource
from lib.results.findings import need_of, root_problems
from lib.results.fix_files import rows_to_fix
from lib.results.reading import read_results
from lib.run.reading import read_table
from lib.source.table import FIX_COLUMNS, OriginalRow, Table
from lib.source.workbook import MAGIC_BYTES, NO_RESULT, is_workbook

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

UNCHECKED_MARK: Final = "Check this row and delete this cell"
"""Follows the cells of a row that a run would otherwise take as it is."""

_REFUSED_BESIDE_OTHERS: Final = frozenset(
    {"DECIMAL_SIGN_MISMATCH", "DATE_ORDER_MISMATCH", "DATE_EXCHANGED"}
)
"""Codes of cells that may be refused only because of other rows, which are correct in the end: of
1,212 beside 1,210.50 nobody knows whether it is a thousand."""

_NONE: Final = frozenset[int]()


WriteRow = Callable[[Sequence[str], Set[int]], None]
"""Writes a row of cells, and marks those with an error, by their numbers."""


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
    help="Write the rows to this file [default: rows-to-fix-NAME.GENERATION.csv or .xlsx, with the "
    "name and the generation in the results].",
)
def fix_command(file: Path, results: IO[bytes], output: Path | None) -> None:
    """Write the rows of FILE that you need to correct, with their problem and what to do in front.

    RESULTS is the results document of FILE (- reads it from standard input). A workbook gives a
    workbook in which the wrong cells are marked, any other file gives CSV. Correct the rows, delete
    the cells that ask for it, and upload the new file to the same folder. Keep its name: it ends
    the reminders about these rows. An upload ignores the columns whose names begin with "fix:", and
    rows that were uploaded are not in it, nor are rows that the profile should take. Nothing is
    sent.
    """
    try:
        head, rows = read_results(results)
        suffix = _suffix_of(file)
        output = output or _default_output(head.source, suffix)
        _refuse_output(output, suffix)
        _refuse_other_file(file, head.source)
        for_profile = list[int]()
        to_correct = (row for row in rows if _is_correctable(row, head, for_profile))
        first = next(to_correct, None)
        if first is None:
            mention(_nothing_to_correct(head, file, for_profile))
            return
        written = _write(file, head, chain([first], to_correct), output)
    except NotResults as error:
        raise click.ClickException(f"RESULTS cannot be used: {error}.") from None
    mention(f"{_summary(written, head, file, output)}{_left_to_profile(head, file, for_profile)}")


def _default_output(source: ResultsSource, suffix: str) -> Path:
    """Return `rows-to-fix-NAME.GENERATION.csv`, or `.xlsx`, without the control characters of the
    object's name: a file's may have no NUL, and others could steer a terminal."""
    name = "".join(filter(str.isprintable, PurePath(source.name).name))
    return Path(f"{rows_to_fix(name, int(source.generation or 0))}{suffix}")


def _suffix_of(file: Path) -> str:
    """Return how the name of the output ends: a workbook gives a workbook."""
    with file.open("rb") as content:
        return ".xlsx" if is_workbook(content.read(MAGIC_BYTES)) else ".csv"


def _refuse_output(output: Path, suffix: str) -> None:
    if output.suffix.lower() != suffix:
        raise click.BadParameter(f"its name must end in {suffix}.", param_hint="-o")
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


def _is_correctable(row: ResultsRow, head: ResultsHead, for_profile: list[int]) -> bool:
    """Return whether a correction could bring the row to Google.

    A row is not worth another try if nobody can change the reason why Google refused it or why it
    was not attempted, nor if it came too late. The lines of rows that the profile should take go to
    `for_profile`.
    """
    need = need_of(row.as_outcome())[0] if row.errors else ""
    if need == "profile":
        for_profile.append(row.line)
    if need in ("profile", "late"):
        return False
    if row.outcome in ("failed", "not_attempted") and row.errors:
        return any(_entry(error, head).needs_action for error in row.errors)
    return row.outcome in LOST


# ── the rows ─────────────────────────────────────────────────────────────────────────────────


def _write(file: Path, head: ResultsHead, rows: Iterator[ResultsRow], output: Path) -> int:
    """Write the output, which appears only when it is complete. Return the number of rows."""
    if head.file_error and not head.columns:  # no header was found, so no row was read by a rule
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
        if table.sheet is not None:
            with _workbook(copy, table.sheet) as write:
                return _write_rows(write, table, head, rows)
        # Excel recognizes UTF-8 by its mark. A byte that nothing could decode is written as one
        # that nothing can decode, so the row stays refused until it is corrected.
        with io.TextIOWrapper(copy, "utf-8-sig", "surrogatepass", newline="") as text:
            delimiter = (profile and profile.delimiter) or table.delimiter
            if table.separator:
                text.write(f"sep={delimiter}\r\n")
            writer = csv.writer(text, delimiter=delimiter)

            def write_row(cells: Sequence[str], wrong: Set[int]) -> None:
                writer.writerow(map(in_spreadsheet, cells))

            return _write_rows(write_row, table, head, rows)


@contextmanager
def _workbook(copy: IO[bytes], title: str) -> Iterator[WriteRow]:
    """Yield what writes the rows of a workbook. Each cell is text, and wrong ones are marked."""
    from openpyxl import Workbook
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
    from openpyxl.styles import PatternFill

    mark = PatternFill("solid", fgColor="FFE08A")
    book = Workbook(write_only=True)
    sheet = book.create_sheet(title)
    for letter in "AB":
        sheet.column_dimensions[letter].width = 40

    def write_row(texts: Sequence[str], wrong: Set[int]) -> None:
        cells = []
        for number, text in enumerate(texts):
            cell = WriteOnlyCell(sheet, ILLEGAL_CHARACTERS_RE.sub(" ", text))
            cell.data_type, cell.number_format = "s", "@"  # also what begins like a formula
            if number in wrong or text == NO_RESULT:
                cell.fill = mark
            cells.append(cell)
        sheet.append(cells)

    yield write_row
    book.save(copy)


def _profile_of(head: ResultsHead) -> Profile | None:
    """Return the profile with which the file was read, if it had a usable one."""
    try:
        return Profile.model_validate(head.profile_keys) if head.profile_keys else None
    except ValidationError:
        raise NotResults("this version cannot read the profile in them") from None


def _write_rows(
    write: WriteRow, table: Table, head: ResultsHead, rows: Iterator[ResultsRow]
) -> int:
    """Write the header and the rows, with our columns in front. Return the number of rows."""
    if table.time_zone:
        write([f"Parameters:TimeZone={table.time_zone}"], _NONE)
    earlier = table.fix_columns
    originals = table.originals()
    header = next(original for original in originals if original.line == table.header_line)
    write([*FIX_COLUMNS, *_cells(header, table, earlier)], _NONE)
    kept = [name for number, name in enumerate(table.header) if number not in earlier]
    written = 0
    for row in rows:
        original = next((each for each in originals if each.line >= row.line), None)
        if original is None or original.line != row.line:
            raise NotResults("another version of this program has read the file differently")
        line = f"{row.line} (row {original.row})" if original.row != row.line else str(row.line)
        cells = [*_advice_on(row, head), line, *_cells(original, table, earlier)]
        if original.cells is None or any(e.code in _REFUSED_BESIDE_OTHERS for e in row.errors):
            # With one cell too many, the row is refused until a person has deleted that cell.
            width = len(FIX_COLUMNS) + table.width - len(earlier)
            cells += [""] * (width - len(cells)) + [UNCHECKED_MARK]
        write(cells, {3 + number for number in _wrong_columns(row, head, kept)})
        written += 1
    return written


def _wrong_columns(row: ResultsRow, head: ResultsHead, names: Sequence[str]) -> list[int]:
    """Return which of these columns have an error of a row.

    A field that entries of the profile read from different columns has several in the results:
    `Amount or Refund`. One column can have such a name, too.
    """
    fields = {problem.field for problem in (*row.errors, *row.warnings) if problem.field}
    columns = [head.columns.get(field, field) for field in fields]
    wrong = {*columns, *(name for column in columns for name in column.split(" or "))}
    return [number for number, name in enumerate(names) if name in wrong]


def _cells(row: OriginalRow, table: Table, left_out: Set[int]) -> list[str]:
    """Return the cells of a row. `left_out` are the columns that an earlier `fix` wrote. If its
    quotes are broken, where its cells end is a guess."""
    cells = row.cells
    if cells is None:
        cells = row.text.replace('"', "").split(table.delimiter)
    return [cell for number, cell in enumerate(cells) if number not in left_out]


def _advice_on(row: ResultsRow, head: ResultsHead) -> tuple[str, str]:
    """Return the problem of a row, and what to do. A row without an error of its own has that of
    the file."""
    problems = root_problems(row.as_outcome())
    if not row.errors and head.file_error:
        problems = [Problem(head.file_error.code, "", head.file_error.detail), *problems]
    # The action of an error that another problem explains is listed too: it may say to delete the
    # row.
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
    """Return what a problem means, with its detail and its column."""
    entry = _entry(problem, head)
    meaning = entry.meaning
    if entry.severity == "warning":
        # Its second sentence says what was left out of the row, but this row does not count at all.
        meaning = f"{first_sentence(meaning)}."
    parts = [f"{meaning} ({problem.detail})" if problem.detail else meaning]
    if column := head.columns.get(problem.field, problem.field):
        parts.append(f'Column: "{column}".')
    return " ".join(parts)


def _entry(problem: ResultsProblem | Problem, head: ResultsHead) -> ResultsCode | Code:
    """Return what the results, or else the catalogue, say about the code."""
    return head.codes.get(problem.code) or lookup(problem.code)


def _one_line(text: str) -> str:
    """Return a text that no terminal obeys, whatever Google's message is."""
    return on_terminal(" ".join(text.split()))


# ── what is said at the end ──────────────────────────────────────────────────────────────────


def _left_to_profile(head: ResultsHead, file: Path, lines: Sequence[int]) -> str:
    """Return what to do about the rows that the profile should take, or ""."""
    if not lines:
        return ""
    text = f"{number_of_rows(len(lines))} (line {lines[0]}{', ...' if lines[1:] else ''})"
    command = f"{program_name()} init {in_shell(str(file))} --profile {in_shell(head.profile)}"
    return (
        f" Not in it: {text} whose cells are right. Change the profile, and upload the whole file "
        f"again. Run: {command}"
    )


def _nothing_to_correct(head: ResultsHead, file: Path, for_profile: Sequence[int]) -> str:
    if head.other_generation:
        return f"The results of generation {head.other_generation} have the rows of this file."
    text = "There is no row that you can correct."
    if head.file_error is not None:
        entry = lookup(head.file_error.code)
        return f"{text} But the file was stopped: {entry.meaning} {entry.advice_with_upload()}"
    return f"{text}{_left_to_profile(head, file, for_profile)}{_deferred(head)}"


def _summary(written: int, head: ResultsHead, file: Path, output: Path) -> str:
    text = f"{output}: {number_of_rows(written)} of {head.counts.get('rows', 0):,}."
    if head.file_error is not None:
        entry = lookup(head.file_error.code)
        text += f" The file was stopped: {entry.meaning} {entry.action}"
    text += " Correct the rows, and upload this file to the same folder."
    if head.counts.get("ok"):  # the results are of a check
        text += f" Upload {file} too: its other rows were only checked."
    return f"{text}{_deferred(head)}"


def _deferred(head: ResultsHead) -> str:
    if deferred := head.counts.get("deferred", 0):
        return f" Not in it: {number_of_rows(deferred)} that will be retried automatically."
    return ""
