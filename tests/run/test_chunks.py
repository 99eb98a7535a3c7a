"""The rows of a file → chunks, and the APIs' answers about a chunk → the outcomes of its rows."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lib.destinations.base import RowResult, UploadResult
from lib.errors import PermanentError
from lib.model.chunk_outcomes import ChunkOutcomes, RecordLines
from lib.model.money import Amounts, Sum
from lib.model.outcomes import Problem, RowOutcome
from lib.model.records import Row
from lib.rules.assembly import ValidatedChunk
from lib.run.chunks import ChunkSize, PreparedChunk, PreparedPart, chunks_of, outcomes
from tests.fakes import START, FakeApi

REPEAT = Problem("REPEATED_LINE", "", "the same order ID as in line 2")
USD_5 = {"USD": Sum(1, 5_000_000)}


def answered(result: RowResult | None) -> ChunkOutcomes:
    """Return the outcomes of two rows of 5 USD, of which the second one repeats the first one.

    `result` is the API's answer about the first one; None: it was accepted.
    """
    repeat = RowOutcome(3, "duplicate", "a", (REPEAT,), micros=5_000_000, currency="USD")
    values = Amounts.of([5.0], ["USD"])
    part = PreparedPart(
        destination=FakeApi(),
        corrects=False,
        requests=(),
        rows=ValidatedChunk((), [2], [repeat], {3: 2}, False, {}, values),
        order_ids=["a"],
        action_ids=["1001"],
        with_click_id=[True],
        sent_values=values,
        warnings={},
        denied=0,
    )
    chunk = PreparedChunk(0, [part], (), {}, RecordLines(1, ((2, 3),)))
    answer = UploadResult({} if result is None else {0: result}, ("r-1",))
    return outcomes(chunk, [answer], "uploaded", START, "1234567890", list_all=True)


@pytest.mark.parametrize(
    ("result", "outcome", "code"),
    [
        (None, "duplicate", "REPEATED_LINE"),
        (RowResult("duplicate", (Problem("ORDER_ID_ALREADY_IN_USE"),)), "duplicate", REPEAT.code),
        (RowResult("failed", (Problem("EXPIRED_EVENT"),)), "rejected", "REPEATED_REFUSED_LINE"),
        (RowResult("deferred", (Problem("TRANSIENT"),)), "deferred", "TRANSIENT"),
        (RowResult("not_attempted", (Problem("REFUSED"),)), "not_attempted", "REFUSED"),
    ],
)
def test_a_repeat_shares_what_happened_to_its_row(
    result: RowResult | None, outcome: str, code: str
) -> None:
    """It is a duplicate only if Google counts the row that it repeats."""
    chunk = answered(result)
    first, repeat = chunk.listed
    assert (first.line, repeat.line, repeat.outcome) == (2, 3, outcome)
    assert [each.code for each in repeat.errors] == [code]
    totals = chunk.totals()
    assert totals.repeats == (outcome == "duplicate")
    assert totals.taken_money() == (USD_5 if outcome == "duplicate" else {})


@pytest.mark.parametrize(
    ("code", "refused"),
    [("CORRUPT_FILE", [None, None]), ("CHECKSUM_MISMATCH", [None, "CHECKSUM_MISMATCH"])],
)
def test_the_rest_of_a_file_cannot_be_read(code: str, refused: list[str | None]) -> None:
    """The rows before get their outcomes. If they may be wrong, those of the chunk are not sent."""

    def rows() -> Iterator[Row]:
        yield from ((line, ["x"], None, 1) for line in range(2, 5))
        raise PermanentError(code, "here")

    found = []
    with pytest.raises(PermanentError, match=code):
        found.extend(chunks_of(rows(), ChunkSize(2, 1_000, 0), 1))
    assert [len(chunk.rows) for chunk in found] == [2, 1]
    errors = [chunk.checksum_error for chunk in found]
    assert [each and each.code for each in errors] == refused
