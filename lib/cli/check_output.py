"""The output of a check: text, or the results document.

Only the text shows values of the file, and only on the screen of the person who has it. Everything
else names lines, columns and rules, as results do.

    leads.csv
      Encoding utf-8, delimiter comma, column names in line 1.
      10 rows: 9 would be sent, 1 would be rejected.

    INVALID_DATE  rejected  line 4, Close Date: last Thursday
        The date and time cannot be read.
        → Write it as 2026-11-24 14:05.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import IO, Final, NamedTuple

import click
import msgspec

from lib.catalogue.codes import Code, lookup
from lib.catalogue.kinds import Severity
from lib.catalogue.texts import EMPTY_SHOWN, REFUND, filled_in, number_of, number_of_rows
from lib.cli.check import CheckResult, Occurrences
from lib.cli.escaping import in_shell
from lib.cli.terminal import paragraph, program_name
from lib.destinations.registry import capabilities_of
from lib.model.chunk_outcomes import ChunkOutcomes
from lib.model.money import ACCOUNT_CURRENCY, MICROS, amount
from lib.model.outcomes import Outcome, Problem
from lib.model.records import Adjustment, Call, Record, is_derived_order_id
from lib.results.document import document_head
from lib.results.sentences import headline_of_results
from lib.state.runs import customer_id_of

_VALUES_SHOWN: Final = 5
_LONGEST_CELL: Final = 40
_CLICK_LETTERS: Final = 6
"""Of a click ID, at each end."""
_DELIMITERS: Final = {",": "comma", ";": "semicolon", "\t": "tab", "|": "pipe"}
# Without Google, no row is uploaded, failed or deferred.
_FATES: Final[Mapping[Outcome, str]] = {
    "rejected": "would be rejected",
    "duplicate": "would be duplicate",
    "skipped": "would be skipped",
    "not_attempted": "would not be attempted",
}
_COLORS: Final[Mapping[Severity, str]] = {"error": "red", "warning": "yellow", "note": "cyan"}
_NOT_UPLOADED: Final = f"Google cannot find the sale of a {REFUND} if it was never uploaded."
_NEW_CONVERSION: Final = f"A {REFUND} whose sale was never uploaded becomes a new conversion."


class KeptOutcomes:
    """The outcomes of all chunks in a file, for a document that has the counts before the rows.

    Like the markers of a run, they contain no values except order IDs.
    """

    def __init__(self, spool: IO[bytes]) -> None:
        self._spool = spool

    def add(self, chunk: ChunkOutcomes) -> None:
        """Keep the outcomes of a chunk."""
        self._spool.write(msgspec.json.encode(chunk) + b"\n")

    def __iter__(self) -> Iterator[ChunkOutcomes]:
        self._spool.seek(0)
        return (msgspec.json.decode(line, type=ChunkOutcomes) for line in self._spool)


class _Shown(NamedTuple):
    """What is printed about a problem. `where` is empty if it is about the whole file."""

    code: Code
    fate: str
    where: str
    meaning: str
    action: str


def show(checked: CheckResult) -> None:
    """Print the results for one file."""
    click.secho(paragraph(checked.summary.run.source.name), bold=True)
    for line in (*_how_it_was_read(checked), *_headline(checked), *_counts(checked)):
        click.echo(paragraph(line, indent=2))
    click.echo()
    for problem in _problems(checked):
        code = problem.code.code
        title = paragraph("  ".join(filter(None, (code, problem.fate, problem.where))), hang=4)
        color = _COLORS[problem.code.severity]
        click.echo(click.style(code, fg=color, bold=True) + title.removeprefix(code))
        click.echo(paragraph(problem.meaning, indent=4))
        click.echo(paragraph(f"→ {problem.action}", indent=4))
        click.echo()
    if checked.first:
        for line in _first_records(checked):
            click.echo(paragraph(line, indent=2, hang=4))
        click.echo()


def _first_records(checked: CheckResult) -> Iterator[str]:
    """Yield a line for each of the first records that would be sent, below a title."""
    sent = checked.summary.totals.count("ok")
    few = len(checked.first)
    how_many = f"The first {few} of {number_of_rows(sent)}" if sent > few else "All"
    title = capabilities_of(str(checked.summary.profile["destination"])).title
    yield f"{how_many}, as the {title} will get them:"
    for record in checked.first:
        yield f"- {record_as_text(record)}"


def record_as_text(record: Record) -> str:
    """Return what a person needs to recognize a record. It contains no personal data.

    `2026-11-18 09:30:00+00:00 · 2,400.00 USD · action Deal · order 2001 · gclid Cj0KCQ...e_Fx01`
    """
    parts = [record.time]
    if isinstance(record, Adjustment):
        parts.append(record.adjustment_type)
    if record.value is not None:
        parts.append(money_as_text(round(record.value * MICROS), record.currency_code))
    elif not isinstance(record, Adjustment):
        parts.append("no value: that of the action")
    parts.append(f"action {record.action_id}")
    if record.order_id:
        is_derived = is_derived_order_id(record.order_id)
        parts.append("derived order ID" if is_derived else f"order {record.order_id}")
    parts += _identifiers(record)
    if not isinstance(record, Adjustment) and record.ad_user_data:
        parts.append(f"consent {record.ad_user_data}")
    return " · ".join(parts)


def money_as_text(micros: int, currency: str | None) -> str:
    """`2,400.00 USD`, or without a currency of its own, `2,400.00 (the account's currency)`."""
    return f"{amount(micros, always_cents=True)} {currency or f'({ACCOUNT_CURRENCY})'}"


def _identifiers(record: Record) -> list[str]:
    """Return by what Google finds the click or the person: `["gclid Cj0KCQ...e_Fx01", "email"]`."""
    if isinstance(record, Call):
        return ["caller"]
    if isinstance(record, Adjustment):
        return []
    clicks = {"gclid": record.gclid, "gbraid": record.gbraid, "wbraid": record.wbraid}
    parts = [f"{name} {_shortened_click(value)}" for name, value in clicks.items() if value]
    parts += ["email"] * bool(record.hashed_emails) + ["phone"] * bool(record.hashed_phones)
    more = record.optional_fields
    return [*parts, "address"] if more is not None and "address" in more else parts


def _shortened_click(click_id: str) -> str:
    if len(click_id) <= 2 * _CLICK_LETTERS:
        return click_id
    return f"{click_id[:_CLICK_LETTERS]}...{click_id[-_CLICK_LETTERS:]}"


def _how_it_was_read(checked: CheckResult) -> list[str]:
    table = checked.table
    if table is None:
        return []
    delimiter = _DELIMITERS.get(table.delimiter, repr(table.delimiter))
    place = f"Encoding {table.text.encoding}, delimiter {delimiter}"
    if table.sheet is not None:
        place = f'Workbook, sheet "{table.sheet}"'
    lines = [f"{place}, column names in line {table.header_line}."]
    if table.time_zone:
        lines.append(f"Time zone of the file: {table.time_zone}.")
    headers = checked.summary.facts.columns
    if headers:
        names = (f if f == h else f'{f} ← "{h}"' for f, h in headers.items())
        lines.append(f"Fields: {', '.join(names)}.")
    return lines


def _headline(checked: CheckResult) -> Iterator[str]:
    """Yield what the report of these results says first, and its numbers."""
    headline = headline_of_results(document_head(checked.summary), checked.summary.findings)
    yield f"{headline.status.capitalize()}. {headline.line}"
    numbers = [
        f"{each.name}: {each.rows}{each.money and f', {each.money}'}." for each in headline.numbers
    ]
    if numbers:
        yield " ".join(numbers)


def _counts(checked: CheckResult) -> Iterator[str]:
    """Yield `21 rows: 19 sales, 2 refunds or changes would be sent, 1 would be skipped.`"""
    totals = checked.summary.totals
    sent = f"{totals.count('ok'):,}"
    if corrections := totals.corrections.get("ok"):
        sales = number_of(totals.sales().count("ok"), "sale")
        sent = f"{sales}, {number_of(corrections, REFUND)}"
    texts = [f"{sent} would be sent"]
    texts += [f"{rows:,} {text}" for name, text in _FATES.items() if (rows := totals.count(name))]
    if totals.warned:
        texts.append(f"{totals.warned:,} with a warning")
    yield f"{number_of_rows(totals.all_rows)}: {', '.join(texts)}."
    if corrections:
        yield if_not_uploaded(checked.summary.profile)


def if_not_uploaded(profile: Mapping[str, object]) -> str:
    """Return what Google does with a refund or change whose sale it does not know."""
    can = capabilities_of(str(profile.get("adjustments_via") or profile["destination"]))
    return _NEW_CONVERSION if can.last_value_counts else _NOT_UPLOADED


def _problems(checked: CheckResult) -> Iterator[_Shown]:
    """Yield each problem: that of the file, then by code, then the notes."""
    stop, totals = checked.summary.run.stop, checked.summary.totals
    if stop is not None:
        shown = _of_file(stop, "file stopped")
        names = [f'"{old}" may be "{new}" now' for old, new in checked.renamed.items()]
        meaning = f"{shown.meaning} {'; '.join(names)}." if names else shown.meaning
        yield shown._replace(meaning=meaning, action=_advice(shown.action, checked))
    counts = {name: each.number for name, each in totals.codes.items()}
    for name, count in sorted(counts.items(), key=lambda each: (-each[1], each[0])):
        code, occurrence = lookup(name), checked.occurrences[name]
        yield _Shown(
            code,
            (code.outcome or "warning").replace("_", " "),
            _where(occurrence, count),
            code.meaning,
            _advice(code.advice(count, totals.meant), checked),
        )
    for note in checked.summary.notes:
        shown = _of_file(note, "note")
        yield shown._replace(action=_advice(shown.action, checked))


def _of_file(problem: Problem, fate: str) -> _Shown:
    code = lookup(problem.code)
    meaning = f"{code.meaning} ({problem.detail})" if problem.detail else code.meaning
    return _Shown(code, fate, "", meaning, code.action)


def _advice(action: str, checked: CheckResult) -> str:
    """Return what to do, with the names of the account, the file and the profile."""
    run = checked.summary.run
    command = f"init {in_shell(run.source.name)} --profile {in_shell(run.profile_name)}"
    return filled_in(action, customer_id_of(run), f"{program_name()} {command}")


def _where(occurrence: Occurrences, count: int) -> str:
    """Return the rows, columns and cells with a code: `2 rows: lines 3, 5, Amount: "1,5" ×2`."""
    more = ", ..." if count > len(occurrence.lines) else ""
    where = f"{_lines('line', occurrence.lines)}{more}"
    if occurrence.rows not in ([], occurrence.lines):
        where += f" ({_lines('row', occurrence.rows)}{more} of a spreadsheet)"
    if count > 1:
        where = f"{number_of_rows(count)}: {where}"
    where = ", ".join([where, *occurrence.columns])
    if values := _values(occurrence.values, count):
        where += f": {values}"
    if occurrence.details:
        where += f" ({'; '.join(occurrence.details)})"
    return where


def _values(values: Counter[str], count: int) -> str:
    """Return the most frequent values. Equally frequent ones keep their order."""
    if count == 1 and len(values) == 1:
        return _cell(next(iter(values)))
    shown = [
        f'"{_cell(value)}" ×{rows:,}' if value else f"{EMPTY_SHOWN} ×{rows:,}"
        for value, rows in values.most_common(_VALUES_SHOWN)
    ]
    if others := len(values) - len(shown):
        shown.append(f"and {others:,} other values")
    return ", ".join(shown)


def _cell(value: str) -> str:
    """Return a cell, shortened; `(empty)` for one without a value."""
    if not value:
        return EMPTY_SHOWN
    return value if len(value) <= _LONGEST_CELL else f"{value[:_LONGEST_CELL]}…"


def _lines(word: str, numbers: Sequence[int]) -> str:
    return f"{word}{'' if len(numbers) == 1 else 's'} {', '.join(map(str, numbers))}"
