"""Chunks of a file: cut, validated, serialized, and their outcomes row by row.

A chunk ends at so many data rows as each API takes at once, or at a number of characters.
The run fixes these limits, and apart from them only the file's content matters. So the chunks are
the same on every attempt.

    rows ──▶ chunks_of ──▶ which rows ──▶ for each part: validate ──▶ serialize ──▶ PreparedChunk
                                                                    (sent by `lib.run.sending`)
    the APIs' answers, a part each ──▶ outcomes ──▶ ChunkOutcomes, for the marker
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Container, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import compress
from operator import attrgetter, itemgetter
from typing import Any, Final, NamedTuple

from lib.config.profile import Profile
from lib.destinations.base import (
    AcceptedRequest,
    Destination,
    EncodedRequest,
    RowResult,
    UploadResult,
)
from lib.destinations.registry import capabilities_of
from lib.errors import CHECKSUM_MISMATCH, PermanentError
from lib.model.chunk_outcomes import ChunkOutcomes, RecordLines, bounded
from lib.model.money import Amounts
from lib.model.outcomes import COUNTED, Outcome, Problem, RowOutcome
from lib.model.records import Adjustment, Record, Row, line_of
from lib.model.sent_requests import OpenRequest, order_text, packed_texts, ranges_of
from lib.model.totals import Totals, ValuedRow
from lib.rules.assembly import ValidatedChunk
from lib.rules.repeats import repeat_of_rejected
from lib.run.plan import Part, Plan
from lib.state.runs import ChunkSize

CHUNK_ROWS = 2_000
"""Most rows of a chunk; fewer if an API takes fewer in one request
(https://developers.google.com/google-ads/api/docs/best-practices/quotas)."""

CHUNK_CHARS = 3 << 20
"""Four times the size of 2,000 rows of an ordinary file. Wider rows make smaller chunks: memory is
measured with files that are nothing but custom variables, carts, or email addresses
(docs/performance.md)."""

CELL_CHARS = 16
"""What a cell counts beside its text. A custom variable of two characters needs 250 bytes."""

_NONE: Final[Mapping[int, RowResult]] = {}

_DENIED: Final = "DENIED"
"""Consent that a person has refused."""

Validated = Sequence[tuple[Part, ValidatedChunk]]
"""The rows of a chunk, part by part."""


class Chunk(NamedTuple):
    """The data rows of a chunk.

    `first_record` is the number of its first data row in the file, from 1. `checksum_error`: why
    the rows must not be sent.
    """

    number: int
    rows: list[Row]
    first_record: int
    checksum_error: Problem | None = None

    @property
    def record_lines(self) -> RecordLines:
        """Which record begins on which line."""
        return RecordLines(self.first_record, ranges_of(map(line_of, self.rows)))


class PreparedPart(NamedTuple):
    """The rows of a chunk that belong to one part of the file, validated and serialized.

    `rows` are without their records, of which only this stays in memory: `order_ids[i]`,
    `action_ids[i]`, `with_click_id[i]`, and `warnings[i]` (if any) belong to the i-th record.
    `sent_values` are those in the request: `rows.values` has none of a correction, because it
    changes the value of another row. `corrects`: the rows correct earlier conversions. `denied` is
    the number of records that refuse consent.
    """

    destination: Destination[Any]
    corrects: bool
    requests: Sequence[EncodedRequest]
    rows: ValidatedChunk
    order_ids: list[str | None]
    action_ids: list[str]
    with_click_id: list[bool]
    sent_values: Amounts
    warnings: dict[int, tuple[Problem, ...]]
    denied: int

    def open_request(
        self, accepted: AcceptedRequest, sent_at: datetime, customer_id: str, listed: Container[int]
    ) -> OpenRequest:
        """Return an accepted request. The positions in `listed` are those of listed rows."""
        lines, with_click_id, positions = self.rows.lines, self.with_click_id, accepted.positions
        unlisted = [each for each in positions if each not in listed]
        orders = (order_text(self.action_ids[each], self.order_ids[each]) for each in positions)
        return OpenRequest(
            accepted.request_id,
            ranges_of(lines[each] for each in positions),
            sent_at,
            customer_id,
            unclicked=ranges_of(lines[each] for each in positions if not with_click_id[each]),
            values=self.sent_values.only(positions).packed(),
            orders=packed_texts(orders),
            sums=self.rows.values.only(positions).sums(),
            unlisted=len(unlisted),
            unlisted_sums=self.rows.values.only(unlisted).sums(),
            corrects=self.corrects,
        )


class PreparedChunk(NamedTuple):
    """A chunk, ready to be sent, part by part.

    `skipped` are the lines of the rows that the profile skips. `placeholders` counts the cells that
    contain a placeholder, by column.
    """

    number: int
    parts: list[PreparedPart]
    skipped: Sequence[int]
    placeholders: Mapping[str, int]
    record_lines: RecordLines

    @property
    def request_bytes(self) -> int:
        """The size of its requests."""
        return sum(len(request.content) for part in self.parts for request in part.requests)


def chunk_size_of(profile: Profile | None) -> ChunkSize:
    """Return the size of a chunk: at most the rows of one request, and limited in memory.

    All rows of a chunk may go to the same API, whichever of the profile's APIs that is.
    """
    apis = () if profile is None else filter(None, (profile.destination, profile.adjustments_via))
    limits = (capabilities_of(name).max_request_rows for name in apis)
    return ChunkSize(min([CHUNK_ROWS, *limits]), CHUNK_CHARS, CELL_CHARS)


def chunks_of(rows: Iterable[Row], limits: ChunkSize, width: int) -> Iterator[Chunk]:
    """Cut the rows of a file with `width` columns into chunks. One row is read ahead.

    If the rest of the file cannot be read (`PermanentError`), the chunk ends there,
    so that its rows get their outcomes. The error is raised after this chunk. If what was read may
    be wrong, the rows of this chunk must not be sent.
    """
    error: PermanentError | None = None
    readable = iter(rows)
    number, first_record = 0, 1
    most_rows, most_chars = limits.rows, limits.chars
    # All cells of a row, also those that were not kept.
    cells_chars = limits.cell_chars * width
    following = next(readable, None)
    while following is not None:
        chunk: list[Row] = []
        chars = 0
        try:
            # After the loop, `following` is the first row of the next chunk.
            while following is not None and chars < most_chars and len(chunk) < most_rows:
                chunk.append(following)
                _, _, problem, length = following
                chars += length if problem else length + cells_chars
                following = next(readable, None)
        except PermanentError as caught:
            error, following = caught, None
        yield Chunk(number, chunk, first_record, _checksum_error(error))
        number, first_record = number + 1, first_record + len(chunk)
        # Only the caller keeps the rows while the next chunk is read.
        del chunk
    if error is not None:
        raise error


def _checksum_error(error: PermanentError | None) -> Problem | None:
    """Return the error that ended a chunk if it says that what was read before may be wrong."""
    if error is None or error.code != CHECKSUM_MISMATCH:
        return None
    return Problem(error.code, "", error.detail)


def prepare(
    plan: Plan, chunk: Chunk, job_id: int, change: Callable[[Validated], Validated] | None = None
) -> PreparedChunk | Problem:
    """Validate the rows of a chunk that are sent, and serialize those that can be.

    Returns a `Problem` if the file must stop at this chunk: one of its rows has user data that the
    account refuses, or names an action in an account that was not read. `change` may leave out
    rows that are not sent now, or give them other values. Raises `RetryableError` if a row names an
    action and Google could not be reached.
    """
    try:
        selected, validated = plan.validate(chunk.rows)
    except PermanentError as error:
        return Problem(error.code, "", error.detail)
    customer_id, refused = plan.account.conversion_customer_id, plan.account.refuses_user_data()
    # Not before the first row with user data: its columns may be empty, as in Google's template.
    # Whether it stops does not depend on which of its rows are sent now.
    if refused is not None and any(each.has_user_data for _, each in validated):
        return Problem(refused, "", f"customer {customer_id}")
    parts: list[PreparedPart] = []
    placeholders = Counter[str]()
    for part, rows in change(validated) if change is not None else validated:
        parts.append(_serialize(part, rows, customer_id, job_id))
        placeholders.update(rows.placeholders)
    return PreparedChunk(
        number=chunk.number,
        parts=parts,
        skipped=selected.skipped,
        placeholders=placeholders,
        record_lines=chunk.record_lines,
    )


def amounts_of(records: Iterable[Record]) -> Amounts:
    """Return the values of records by their positions."""
    pairs = [(record.value, record.currency_code or "") for record in records]
    return Amounts.of([value for value, _ in pairs], [currency for _, currency in pairs])


def _serialize(
    part: Part, validated: ValidatedChunk, customer_id: str, job_id: int
) -> PreparedPart:
    """Return the rows of a part with their requests.

    `map` and `filter` stand here instead of loops because they run over every row of the file.
    """
    records, sent_values = validated.records, validated.values
    corrects = part.kind == "adjustment"
    if corrects and part.destination.capabilities.last_value_counts:
        # What an order is worth by now, to compare with a correction that comes meanwhile.
        sent_values = amounts_of(records)
    return PreparedPart(
        destination=part.destination,
        corrects=corrects,
        requests=part.destination.encode(part.kind, records, customer_id, job_id),
        rows=validated._replace(records=()),
        order_ids=[*map(attrgetter("order_id"), records)],
        action_ids=[*map(attrgetter("action_id"), records)],
        with_click_id=[record.has_click_id for record in records],
        sent_values=sent_values,
        # Only of the records that have warnings: position → warnings.
        warnings=dict(filter(itemgetter(1), enumerate(map(attrgetter("warnings"), records)))),
        denied=0 if corrects else [*map(attrgetter("ad_user_data"), records)].count(_DENIED),
    )


def outcome_of_unsent(
    validated: ValidatedChunk, position: int, outcome: Outcome, errors: tuple[Problem, ...]
) -> RowOutcome:
    """Return the outcome of a record that could be sent, and is not sent now."""
    record = validated.records[position]
    micros, currency = validated.values.at(position)
    return RowOutcome(
        validated.lines[position],
        outcome,
        record.order_id,
        errors,
        record.warnings,
        micros,
        currency,
        corrects=isinstance(record, Adjustment),
    )


def without(validated: ValidatedChunk, unsent: Mapping[int, RowOutcome]) -> ValidatedChunk:
    """Return the rows without the records of these lines, which get these outcomes."""
    lines = validated.lines
    kept = _with_records(validated, [line not in unsent for line in lines])
    refused = [*validated.refused, *(unsent[n] for n in lines if n in unsent)]
    return kept._replace(refused=refused)


def only(validated: ValidatedChunk, wanted: Container[int]) -> ValidatedChunk:
    """Return the rows in these lines. What the others have shown about them stays."""
    kept = _with_records(validated, [line in wanted for line in validated.lines])
    return kept._replace(refused=[row for row in validated.refused if row.line in wanted])


def _with_records(validated: ValidatedChunk, is_kept: Sequence[bool]) -> ValidatedChunk:
    """Return the rows with these of their records alone. `is_kept` says it of each."""
    return validated._replace(
        lines=list(compress(validated.lines, is_kept)),
        records=list(compress(validated.records, is_kept)),
        values=validated.values.only(list(compress(range(len(is_kept)), is_kept))),
    )


def outcomes(
    prepared: PreparedChunk,
    answers: Sequence[UploadResult],
    accepted: Outcome,
    sent_at: datetime,
    customer_id: str,
    uncounted: Mapping[int, RowResult] = _NONE,
    *,
    list_all: bool,
) -> ChunkOutcomes:
    """The APIs' answers for the parts of a chunk → the outcome of each of its rows.

    `accepted` is the outcome of a row that the API accepted: `uploaded`, or `ok` if the upload only
    validates. `sent_at` is the time of the answers. `uncounted` are rows of the chunk that are not
    sent now, and that Google does not count, by line: they get no outcome here, but a repeat of one
    is then no duplicate. `list_all`: rows without a problem are listed too, not only counted.
    """
    listed: list[RowOutcome] = []
    request_ids: list[str] = []
    open_requests: list[OpenRequest] = []
    unlisted = Totals(placeholders=dict(prepared.placeholders))
    for part, answer in zip(prepared.parts, answers, strict=True):
        size = len(part.rows.lines)
        positions: Collection[int] = range(size)  # of the records that are listed
        if not list_all:
            positions = answer.row_results.keys() | part.warnings.keys()
        listed += _outcomes_of_part(part, answer, accepted, sorted(positions), uncounted)
        request_ids += answer.request_ids
        if not part.corrects:
            unlisted.denied += part.denied
            unlisted.consenting += size - part.denied
        # An upload that only validates has no final outcomes.
        if answer.accepted and accepted == "uploaded":
            open_requests += (
                part.open_request(each, sent_at, customer_id, positions) for each in answer.accepted
            )
        else:
            values, rows = part.rows.values, size - len(positions)
            if positions:  # few chunks have any: the others are added as they are
                values = values.only([each for each in range(size) if each not in positions])
            unlisted.add_plain(accepted, rows, values.sums(), rows if part.corrects else 0)
    if list_all:
        listed += [RowOutcome(line, "skipped") for line in prepared.skipped]
    else:
        unlisted.add_plain("skipped", len(prepared.skipped))
    listed.sort(key=lambda row: row.line)
    unlisted.last = _last_with_value(prepared.parts)
    return ChunkOutcomes(
        prepared.number,
        bounded(listed),
        unlisted,
        prepared.record_lines,
        tuple(request_ids),
        tuple(open_requests),
        sent_at=sent_at if request_ids else None,
    )


def _outcomes_of_part(
    part: PreparedPart,
    answer: UploadResult,
    accepted: Outcome,
    positions: Sequence[int],
    uncounted: Mapping[int, RowResult],
) -> list[RowOutcome]:
    """Return the rows of a part that are listed: those at these positions, and the refused ones."""
    results = answer.row_results
    uncounted = dict(uncounted) | {
        part.rows.lines[position]: result
        for position, result in results.items()
        if result.outcome not in COUNTED
    }
    uncounted |= {
        row.line: RowResult(row.outcome, row.errors)
        for row in part.rows.refused
        if row.outcome in ("deferred", "skipped")
    }
    listed = []
    for row in part.rows.refused:
        first_line = part.rows.repeats.get(row.line)
        if first_line in uncounted:
            row = _like_the_first(row, first_line, uncounted[first_line])
        listed.append(row)
    for position in positions:
        result = results.get(position) or RowResult(accepted)
        listed.append(
            RowOutcome(
                part.rows.lines[position],
                accepted if result.outcome == "uploaded" else result.outcome,
                part.order_ids[position],
                result.errors,
                part.warnings.get(position, ()) + result.warnings,
                *part.rows.values.at(position),
                corrects=part.corrects,
            )
        )
    return listed


def _last_with_value(parts: Iterable[PreparedPart]) -> ValuedRow | None:
    """Return the last row of a chunk, sent or refused, if it has a value."""
    last: list[tuple[int, int | None, str]] = []
    for part in parts:
        if lines := part.rows.lines:
            last.append((lines[-1], *part.rows.values.at(len(lines) - 1)))
        last += [(row.line, row.micros, row.currency) for row in part.rows.refused[-1:]]
    line, micros, currency = max(last, default=(0, None, ""))
    return None if micros is None else ValuedRow(line, micros, currency)


def _like_the_first(row: RowOutcome, first_line: int, result: RowResult) -> RowOutcome:
    """Give a repeat the outcome of the row in `first_line`, which Google did not count.

    The repeat is then no duplicate. If the first row is deferred, both are sent again for the same
    reasons. If it was refused permanently, the repeat is rejected: it was never sent.
    """
    if result.outcome == "failed":
        return row._replace(outcome="rejected", errors=(repeat_of_rejected(first_line),))
    return row._replace(outcome=result.outcome, errors=result.errors)


def not_attempted(chunk: Chunk) -> ChunkOutcomes:
    """Return the outcomes of a chunk that is not sent because the file was stopped."""
    rows = [RowOutcome(line, "not_attempted") for line, *_ in chunk.rows]
    return ChunkOutcomes(chunk.number, tuple(rows), Totals(), chunk.record_lines)
