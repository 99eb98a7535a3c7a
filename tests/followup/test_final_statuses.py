"""The API's final status on the rows of a request, as a table and as properties."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.followup.final_statuses import apply_final_statuses
from lib.model.money import Amounts, Sum, add_sums
from lib.model.outcomes import (
    ChunkOutcomes,
    Problem,
    RecordLines,
    RowOutcome,
    Tally,
    chunk_outcomes,
)
from lib.model.sent_requests import UNREADABLE, RequestStatus, SentRequest, numbers_in, ranges_of

P = "PROCESSING_ERROR_REASON_"
TOO_RECENT, INTERNAL = P + "TOO_RECENT_CLICK", P + "INTERNAL_ERROR"
NO_CLICK, NO_CONSENT, AGAIN = P + "CLICK_NOT_FOUND", P + "NO_CONSENT", P + "DUPLICATE_GCLID"
LINES = (2, 3, 4, 7, 8)
RECORDS = RecordLines(1, ranges_of(LINES))
"""The lines of a request. Rows 3 and 8 have no click ID."""


def report(*listed: RowOutcome) -> ChunkOutcomes:
    """Return the report of a chunk with one open request."""
    sent = SentRequest("r-1", ranges_of(LINES), ranges_of([3, 8]))
    return chunk_outcomes(
        0,
        listed,
        Tally(5 - len(listed), {"uploaded": 5 - len(listed)}),
        RECORDS,
        ("r-1",),
        sent=(sent,),
    )


def status(
    errors: dict[str, int],
    records: dict[str, tuple[int, ...]] | None = None,
    **given: Any,
) -> RequestStatus:
    return RequestStatus(
        "r-1",
        given.pop("status", "PARTIAL_SUCCESS"),
        "1001",
        5,
        errors,
        error_records=records or {},
        **given,
    )


def after(found: RequestStatus, can_defer: bool = True, *listed: RowOutcome) -> ChunkOutcomes:
    return apply_final_statuses(report(*listed), {"r-1": [found]}, can_defer)


def outcomes(settled: ChunkOutcomes) -> dict[int, str]:
    return {row.line: row.outcome for row in settled.listed}


@pytest.mark.parametrize(
    "reason, record, can_defer, expected",
    [
        (NO_CONSENT, 0, True, {2: "failed"}),
        (AGAIN, 3, True, {7: "duplicate"}),
        (TOO_RECENT, 3, True, {7: "deferred"}),
        (INTERNAL, 1, True, {3: "deferred"}),
        (TOO_RECENT, 3, False, {7: "failed"}),
        (NO_CLICK, 0, True, {2: "failed"}),  # with a click ID
        (NO_CLICK, 1, True, {}),  # with user data alone
        (P + "NEW_NEXT_YEAR", 4, True, {8: "failed"}),
        (P + "DESTINATION_TOO_RECENTLY_CREATED", 4, True, {8: "deferred"}),
    ],
)
def test_a_named_row(reason: str, record: int, can_defer: bool, expected: dict[int, str]) -> None:
    """Only the row that Google names changes, and it has Google's reason."""
    settled = after(status({reason: 1}, {reason: (record,)}), can_defer)
    assert outcomes(settled) == expected
    assert all(row.errors == (Problem(reason),) for row in settled.listed)
    assert settled.tally.awaiting == 0
    assert settled.tally.unmatched == (not expected)
    assert settled.tally.rows == 5
    lost = settled.sent[0].not_counted
    assert lost == ({reason: 1} if "failed" in expected.values() else {})


def test_several_reasons_for_one_row() -> None:
    """A permanent reason decides, and all reasons are listed."""
    settled = after(status({TOO_RECENT: 2, NO_CONSENT: 1}, {TOO_RECENT: (0, 2), NO_CONSENT: (2,)}))
    assert outcomes(settled) == {2: "deferred", 4: "failed"}
    assert [each.code for each in settled.listed[1].errors] == [TOO_RECENT, NO_CONSENT]


def test_a_listed_row_keeps_its_warnings_and_order_id() -> None:
    """A verdict adds to what is known about the row."""
    warned = RowOutcome(4, "uploaded", "A-4", (), (Problem("INVALID_PHONE"),))
    settled = after(status({NO_CONSENT: 1}, {NO_CONSENT: (2,)}), True, warned)
    assert settled.listed == (warned._replace(outcome="failed", errors=(Problem(NO_CONSENT),)),)


def test_warnings_name_rows() -> None:
    """A row with a warning stays uploaded."""
    reason = "PROCESSING_WARNING_REASON_INTERNAL_ERROR"
    found = RequestStatus("r-1", "SUCCESS", warnings={reason: 1}, warning_records={reason: (4,)})
    assert after(found).listed == (RowOutcome(8, "uploaded", None, (), (Problem(reason),)),)


@pytest.mark.parametrize(
    "errors, deferred, unmatched, unnamed",
    [
        ({NO_CONSENT: 2}, 0, 0, 2),
        ({AGAIN: 2}, 0, 0, 0),
        ({NO_CLICK: 1}, 0, 1, 0),
        ({NO_CLICK: 4}, 0, 2, 2),  # only two rows have no click ID
        ({NO_CONSENT: 4, P + "INVALID_GCLID": 3}, 0, 0, 5),  # some rows have both
        ({NO_CONSENT: 50}, 0, 0, 5),
        ({TOO_RECENT: 1}, 5, 0, 0),
        ({TOO_RECENT: 1, NO_CONSENT: 2}, 5, 0, 0),  # the resend counts them again
    ],
)
def test_counts_without_names(
    errors: dict[str, int], deferred: int, unmatched: int, unnamed: int
) -> None:
    """A count without names changes no row, unless the whole request must be sent again."""
    settled = after(status(errors))
    assert Counter(outcomes(settled).values()) == ({"deferred": 5} if deferred else {})
    assert all(row.errors == (Problem("ROWS_NOT_NAMED"),) for row in settled.listed)
    assert (settled.tally.unmatched, settled.sent[0].unnamed) == (unmatched, unnamed)


def test_some_rows_are_named() -> None:
    """Named rows have their outcome; the rest of the request is sent again."""
    settled = after(status({TOO_RECENT: 2, NO_CONSENT: 1}, {TOO_RECENT: (1,), NO_CONSENT: (0,)}))
    assert outcomes(settled) == {2: "failed"} | dict.fromkeys((3, 4, 7, 8), "deferred")
    codes = {row.line: row.errors[0].code for row in settled.listed}
    assert codes == {2: NO_CONSENT, 3: TOO_RECENT} | dict.fromkeys((4, 7, 8), "ROWS_NOT_NAMED")


def test_a_position_outside_of_the_request() -> None:
    """A position that no row has is treated like a count without a name."""
    settled = after(status({NO_CONSENT: 2}, {NO_CONSENT: (5, -1)}))
    assert not settled.listed
    assert settled.sent[0].unnamed == 2


def test_a_request_stays_open_until_every_action_is_final() -> None:
    """As long as one conversion action is processed, no row changes."""
    found = [status({NO_CONSENT: 1}, {NO_CONSENT: (0,)}), status({}, status="PROCESSING")]
    settled = apply_final_statuses(report(), {"r-1": found}, True)
    assert not settled.listed
    assert settled.tally.awaiting == 5
    assert [each.status for each in settled.sent[0].statuses] == ["PARTIAL_SUCCESS", "PROCESSING"]


def test_matches_of_a_request_without_a_status_are_unknown() -> None:
    """Rows whose request Google has forgotten are not counted as rows with an ad click."""
    forgotten = RequestStatus("r-1", UNREADABLE, code="INVALID_REQUEST_ID")
    settled = after(forgotten)
    assert (settled.tally.outcomes, settled.tally.awaiting) == ({"uploaded": 5}, 0)
    assert settled.sent[0].matchable == 0
    assert after(status({})).sent[0].matchable == 2


def test_a_request_without_an_answer_stays_open() -> None:
    """Requests for which time or quota ran out stay as they are."""
    assert apply_final_statuses(report(), {}, True) == report()
    assert apply_final_statuses(report(), {"r-1": []}, True) == report()


def test_a_settled_request_has_no_second_verdict() -> None:
    """Rows that were sent again get no final status from the request that sent them first."""
    once = after(status({TOO_RECENT: 1}, {TOO_RECENT: (0,)}))
    twice = apply_final_statuses(once, {"r-1": [status({NO_CONSENT: 1}, {NO_CONSENT: (0,)})]}, True)
    assert twice == once


REASONS = (TOO_RECENT, INTERNAL, NO_CLICK, NO_CONSENT, AGAIN)


@given(
    lines=st.sets(st.integers(2, 60), min_size=1),
    data=st.data(),
    can_defer=st.booleans(),
)
def test_every_row_has_one_outcome(lines: set[int], data: st.DataObject, can_defer: bool) -> None:
    """Whatever Google counts and names, the outcomes add up, and unnamed rows change together."""
    ordered = sorted(lines)
    positions = st.lists(st.integers(0, len(ordered) + 1), max_size=5, unique=True)
    records = {reason: tuple(data.draw(positions)) for reason in REASONS}
    extra = data.draw(st.fixed_dictionaries({reason: st.integers(0, 3) for reason in REASONS}))
    errors = {reason: len(records[reason]) + extra[reason] for reason in REASONS}
    unclicked = data.draw(st.sets(st.sampled_from(ordered)))
    values = Amounts.of(ordered, ["USD" if line % 3 else "EUR" for line in ordered])
    sent = SentRequest(
        "r-1", ranges_of(ordered), ranges_of(sorted(unclicked)), values=values.packed()
    )
    accepted_rows = Tally()
    accepted_rows.count_unlisted("uploaded", len(ordered), values.sums())
    before = chunk_outcomes(0, (), accepted_rows, RECORDS, ("r-1",), sent=(sent,))
    assert before.tally.awaiting == len(ordered)
    settled = apply_final_statuses(before, {"r-1": [status(errors, records)]}, can_defer)
    assert settled.tally.rows == sum(settled.tally.outcomes.values()) == len(ordered)
    assert settled.tally.awaiting == 0
    assert settled.tally.unmatched <= len(unclicked)
    listed = [row.line for row in settled.listed]
    assert listed == sorted(set(listed))
    assert set(listed) <= lines
    named = {ordered[each] for found in records.values() for each in found if each < len(ordered)}
    accepted = settled.tally.outcomes.get("uploaded", 0)
    assert settled.sent[0].unnamed + settled.tally.unmatched <= accepted
    others = {row.outcome for row in settled.listed if row.line not in named}
    assert others <= {"deferred"}
    if not can_defer:
        assert "deferred" not in settled.tally.outcomes
    everything: dict[str, Sum] = {}
    for outcome, sums in settled.tally.money.items():
        assert sum(each.rows for each in sums.values()) == settled.tally.outcomes[outcome]
        add_sums(everything, sums)
    assert everything == values.sums()


@given(st.sets(st.integers(0, 10_000)))
def test_ranges_keep_every_number(numbers: set[int]) -> None:
    """Lines come back in their order; lines without a gap take one range."""
    found = ranges_of(sorted(numbers))
    assert list(numbers_in(found)) == sorted(numbers)
    assert all(first <= last for first, last in found)
    assert all(one[1] + 1 < two[0] for one, two in pairwise(found))
