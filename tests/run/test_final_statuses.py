"""What the API says later of a request → the outcomes of its rows."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.model.chunk_outcomes import ChunkOutcomes, RecordLines
from lib.model.money import Amounts, Sum, add_sums
from lib.model.outcomes import Problem, RowOutcome
from lib.model.sent_requests import (
    UNREADABLE,
    OpenRequest,
    RequestStatus,
    order_text,
    packed_texts,
    ranges_of,
)
from lib.model.totals import Totals
from lib.run.resend import merged
from lib.run.statuses import apply_final_statuses
from tests.fakes import world

P = "PROCESSING_ERROR_REASON_"
TOO_RECENT, INTERNAL = P + "TOO_RECENT_CLICK", P + "INTERNAL_ERROR"
NO_CLICK, NO_CONSENT, AGAIN = P + "CLICK_NOT_FOUND", P + "NO_CONSENT", P + "DUPLICATE_GCLID"
NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
LATER = NOW + timedelta(hours=6)
SETTINGS = world().settings
LINES = (2, 3, 4, 7, 8)
"""The lines of a request. The rows in lines 3 and 8 have no click ID."""
RECORDS = RecordLines(1, ranges_of(LINES))


def accepted(*listed: RowOutcome) -> ChunkOutcomes:
    """Return a chunk with one open request."""
    orders = packed_texts(order_text("1001", f"order-{line}") for line in LINES)
    unclicked = ranges_of([3, 8])
    sent = OpenRequest("r-1", ranges_of(LINES), NOW, "1234567890", unclicked, orders=orders)
    sent = sent._replace(unlisted=5 - len(listed))
    return ChunkOutcomes(0, listed, Totals(), RECORDS, ("r-1",), open_requests=(sent,))


def status(
    errors: dict[str, int], records: dict[str, tuple[int, ...]] | None = None, **given: Any
) -> RequestStatus:
    """Return a status that counts these errors, and names these positions."""
    state = given.pop("status", "PARTIAL_SUCCESS")
    return RequestStatus("r-1", state, "1001", 5, errors, error_records=records or {}, **given)


def after(found: RequestStatus, *listed: RowOutcome) -> ChunkOutcomes:
    return apply_final_statuses(accepted(*listed), {"r-1": [found]}, NOW, SETTINGS)


def answered(*lines: int) -> ChunkOutcomes:
    """Return what the request r-2 makes of these lines: it is accepted."""
    rows = tuple(RowOutcome(line, "uploaded", f"order-{line}") for line in lines)
    orders = packed_texts(order_text("1001", f"order-{line}") for line in lines)
    sent = OpenRequest("r-2", ranges_of(lines), NOW, "1234567890", orders=orders)
    return ChunkOutcomes(0, rows, Totals(), RECORDS, ("r-2",), open_requests=(sent,))


def deferred_before(line: int) -> RowOutcome:
    """Return a row that was deferred, sent again and accepted: it cannot be deferred any more."""
    return RowOutcome(line, "uploaded", f"order-{line}", until=NOW)


def outcomes(chunk: ChunkOutcomes) -> dict[int, str]:
    return {row.line: row.outcome for row in chunk.listed}


@pytest.mark.parametrize(
    ("reason", "record", "expected"),
    [
        (NO_CONSENT, 0, {2: "failed"}),
        (AGAIN, 3, {7: "duplicate"}),
        (TOO_RECENT, 3, {7: "deferred"}),
        (INTERNAL, 1, {3: "deferred"}),
        pytest.param(NO_CLICK, 0, {2: "failed"}, id="with a click ID"),
        pytest.param(NO_CLICK, 1, {}, id="with user data alone"),
        (P + "NEW_NEXT_YEAR", 4, {8: "failed"}),
    ],
)
def test_a_named_row(reason: str, record: int, expected: dict[int, str]) -> None:
    """Only the row that the API names changes, and it has the API's reason."""
    chunk = after(status({reason: 1}, {reason: (record,)}))
    assert outcomes(chunk) == expected
    assert all(row.errors == (Problem(reason),) for row in chunk.listed)
    assert all(row.order_id == f"order-{row.line}" for row in chunk.listed)
    due = LATER if reason == TOO_RECENT else NOW + timedelta(hours=1)
    is_deferred = "deferred" in expected.values()
    assert [row.due for row in chunk.listed if row.maybe_sent] == [due] * is_deferred
    assert (chunk.totals().all_rows, chunk.totals().awaiting) == (5, 0)
    assert chunk.totals().unmatched == (not expected)
    assert chunk.closed_requests[0].unnamed == {}


def test_a_row_is_not_deferred_for_ever() -> None:
    """The 72 hours begin when it was deferred first, also if another request has sent it since."""
    chunk = after(status({TOO_RECENT: 1}, {TOO_RECENT: (3,)}), deferred_before(7))
    assert outcomes(chunk) == {7: "failed"}
    assert chunk.listed[0].errors == (Problem(TOO_RECENT), Problem("DEFERRED_TOO_LONG"))


def test_a_row_counts_once_if_another_row_of_its_chunk_is_refused() -> None:
    """It was sent again before that one, and the API has not said yet whether it counts."""
    rows = [RowOutcome(line, "uploaded", f"order-{line}", until=LATER) for line in LINES]
    waits = RowOutcome(9, "deferred", "order-9", due=NOW, until=LATER)
    records = RecordLines(1, ranges_of([*LINES, 9]))
    chunk = replace(accepted(*rows), listed=(*rows, waits), records=records)
    refused = RowOutcome(9, "failed", "order-9", (Problem(NO_CONSENT),))
    answer = ChunkOutcomes(0, (refused,), Totals(), RecordLines(6, ranges_of([9])))
    chunk = merged(chunk, answer, list_all=False)
    assert chunk.is_sound
    chunk = apply_final_statuses(chunk, {"r-1": [status({})]}, NOW, SETTINGS)
    assert chunk.is_sound
    assert chunk.totals().rows == {"uploaded": 5, "failed": 1}


def test_rows_that_waited_long_enough_stay_accepted() -> None:
    """Google does not say which rows it has not counted, and it is too late to send all again."""
    rows = [deferred_before(line) for line in LINES]
    chunk = after(status({TOO_RECENT: 2}), *rows)
    assert {*outcomes(chunk).values()} == {"uploaded"}
    assert {each.code for row in chunk.listed for each in row.warnings} == {"NOT_SENT_AGAIN"}
    assert chunk.closed_requests[0].unnamed == {TOO_RECENT: 2}


def test_a_row_that_was_corrected_meanwhile_is_sent_once_more() -> None:
    """At once, with the newest value. A row that the API names has its own outcome."""
    found = {"r-1": [status({NO_CONSENT: 1}, {NO_CONSENT: (0,)})]}
    chunk = apply_final_statuses(accepted(), found, NOW, SETTINGS, lambda request: (0, 2))
    assert outcomes(chunk) == {2: "failed", 4: "deferred"}
    assert (chunk.listed[1].due, chunk.listed[1].errors) == (NOW, (Problem("CORRECTED_MEANWHILE"),))


def test_a_row_that_was_corrected_meanwhile_may_be_one_that_never_counts() -> None:
    """All rows of its request are sent again, it at once. If Google then refuses it, it fails, and
    it is not told twice as a row that never counts."""
    found = {"r-1": [status({NO_CONSENT: 1})]}
    chunk = apply_final_statuses(accepted(), found, NOW, SETTINGS, lambda request: (2,))
    assert outcomes(chunk) == dict.fromkeys(LINES, "deferred")
    rows = {row.line: row for row in chunk.listed}
    assert {line: row.due for line, row in rows.items()} == dict.fromkeys(LINES, LATER) | {4: NOW}
    chunk = merged(chunk, answered(4), list_all=False)
    chunk = apply_final_statuses(
        chunk, {"r-2": [status({NO_CONSENT: 1}, {NO_CONSENT: (0,)})]}, NOW, SETTINGS
    )
    assert outcomes(chunk)[4] == "failed"
    chunk = merged(chunk, answered(*LINES[:2], *LINES[3:]), list_all=False)
    chunk = apply_final_statuses(chunk, {"r-2": [status({})]}, NOW, SETTINGS)
    assert (chunk.totals().rows, chunk.totals().lost) == ({"uploaded": 4, "failed": 1}, 1)


def test_a_row_that_was_counted_and_corrected_meanwhile_stays_uploaded() -> None:
    """Google refuses only its newest value."""
    found = {"r-1": [status({AGAIN: 1})]}
    chunk = apply_final_statuses(accepted(), found, NOW, SETTINGS, lambda request: (2,))
    chunk = merged(chunk, answered(4), list_all=False)
    refused = {"r-2": [status({NO_CONSENT: 1}, {NO_CONSENT: (0,)})]}
    chunk = apply_final_statuses(chunk, refused, NOW, SETTINGS)
    assert (outcomes(chunk), chunk.totals().lost) == ({4: "uploaded"}, 0)
    assert chunk.listed[0].warnings == (Problem("NEWEST_VALUE_NOT_SENT"),)


def test_rows_that_are_left_keep_the_number_that_never_count() -> None:
    """Only some rows of a request could be sent again."""
    chunk = after(status({TOO_RECENT: 4}))
    refused = [RowOutcome(line, "rejected") for line in (7, 8)]
    answer = answered(2, 3, 4)
    answer = replace(answer, listed=(*answer.listed, *refused))
    chunk = merged(chunk, answer, list_all=False)
    chunk = apply_final_statuses(chunk, {"r-2": [status({})]}, NOW, SETTINGS)
    assert outcomes(chunk) == {7: "uploaded", 8: "uploaded"}
    assert chunk.totals().unnamed == {TOO_RECENT: 2}


def test_a_row_whose_order_was_retracted_before_it_is_sent_again() -> None:
    """It is skipped: sent again, it would count again."""
    chunk = after(status({TOO_RECENT: 1}))
    skipped = RowOutcome(2, "skipped", None, (Problem("OLDER_THAN_CORRECTION"),))
    answer = ChunkOutcomes(0, (skipped,), Totals(), RECORDS)
    assert outcomes(merged(chunk, answer, list_all=False))[2] == "skipped"


@pytest.mark.parametrize("records", [(0,), ()])
def test_a_correction_whose_order_google_knows(records: tuple[int, ...]) -> None:
    """Its value does not count, whether or not Google names it."""
    known = P + "DUPLICATE_TRANSACTION_ID"
    before = accepted()
    (request,) = before.open_requests
    before = replace(before, open_requests=(request._replace(corrects=True),))
    found = {"r-1": [status({known: 1}, {known: records})]}
    totals = apply_final_statuses(before, found, NOW, SETTINGS).totals()
    assert (totals.lost, totals.number_with("OLD_VALUE_KEPT")) == (1, 1)


def test_only_rows_that_stay_uploaded_are_unknown() -> None:
    """One status never came. It says nothing of a row that failed by another one, and a row that
    was corrected meanwhile gets a status of its own."""
    unread = RequestStatus("r-1", UNREADABLE, code="STATUS_UNKNOWN")
    found = {"r-1": [status({NO_CONSENT: 1}, {NO_CONSENT: (0,)}), unread]}
    chunk = apply_final_statuses(accepted(), found, NOW, SETTINGS, lambda request: (2,))
    assert outcomes(chunk) == {2: "failed", 4: "deferred"}
    assert chunk.totals().unknown == 3
    chunk = apply_final_statuses(
        accepted(), {"r-1": [status({NO_CONSENT: 2, NO_CLICK: 1}), unread]}, NOW, SETTINGS
    )
    assert (chunk.totals().unnamed, chunk.totals().unknown) == ({NO_CONSENT: 2}, 3)
    assert chunk.is_sound


def test_several_reasons_for_one_row() -> None:
    """A permanent reason decides, and all reasons are listed."""
    chunk = after(status({TOO_RECENT: 2, NO_CONSENT: 1}, {TOO_RECENT: (0, 2), NO_CONSENT: (2,)}))
    assert outcomes(chunk) == {2: "deferred", 4: "failed"}
    assert [each.code for each in chunk.listed[1].errors] == [TOO_RECENT, NO_CONSENT]


def test_a_listed_row_keeps_its_warnings_and_order_id() -> None:
    """A later answer adds to what is known about the row, and a warning changes no outcome."""
    warned = RowOutcome(4, "uploaded", "A-4", (), (Problem("INVALID_PHONE"),))
    chunk = after(status({NO_CONSENT: 1}, {NO_CONSENT: (2,)}), warned)
    assert chunk.listed == (warned._replace(outcome="failed", errors=(Problem(NO_CONSENT),)),)
    later = "PROCESSING_WARNING_REASON_INTERNAL_ERROR"
    found = RequestStatus("r-1", "SUCCESS", warnings={later: 1}, warning_records={later: (2,)})
    assert after(found, warned).listed == (
        warned._replace(warnings=(Problem("INVALID_PHONE"), Problem(later))),
    )


@pytest.mark.parametrize(
    ("errors", "deferred", "unmatched", "unnamed"),
    [
        ({NO_CONSENT: 2}, 0, 0, {NO_CONSENT: 2}),
        ({AGAIN: 2}, 0, 0, {}),
        ({NO_CLICK: 1}, 0, 1, {}),
        pytest.param({NO_CLICK: 4}, 0, 2, {NO_CLICK: 2}, id="only two rows have no click ID"),
        pytest.param(
            {NO_CONSENT: 4, P + "INVALID_GCLID": 3},
            *(0, 0, {NO_CONSENT: 4, P + "INVALID_GCLID": 1}),
            id="some rows have both",
        ),
        ({NO_CONSENT: 50}, 0, 0, {NO_CONSENT: 5}),
        ({TOO_RECENT: 1}, 5, 0, {}),
        pytest.param({TOO_RECENT: 1, NO_CONSENT: 2}, 5, 0, {}, id="the resend counts them again"),
        pytest.param({TOO_RECENT: 1, NO_CONSENT: 5}, 5, 0, {}, id="any temporary reason"),
        pytest.param({AGAIN: 5, TOO_RECENT: 1}, 5, 0, {}, id="duplicates displace no reason"),
    ],
)
def test_counts_without_names(
    errors: dict[str, int], deferred: int, unmatched: int, unnamed: dict[str, int]
) -> None:
    """A count without names changes no row, unless the whole request must be sent again."""
    chunk = after(status(errors))
    assert [*outcomes(chunk).values()] == ["deferred"] * deferred
    assert all(row.errors == (Problem("ROWS_NOT_NAMED"),) for row in chunk.listed)
    assert {row.due for row in chunk.listed} <= {LATER}
    assert (chunk.totals().unmatched, chunk.closed_requests[0].unnamed) == (unmatched, unnamed)


def test_some_rows_are_named() -> None:
    """Named rows have their outcome; the rest of the request is sent again."""
    chunk = after(status({TOO_RECENT: 2, NO_CONSENT: 1}, {TOO_RECENT: (1,), NO_CONSENT: (0,)}))
    assert outcomes(chunk) == {2: "failed"} | dict.fromkeys((3, 4, 7, 8), "deferred")
    codes = {row.line: row.errors[0].code for row in chunk.listed}
    assert codes == {2: NO_CONSENT, 3: TOO_RECENT} | dict.fromkeys((4, 7, 8), "ROWS_NOT_NAMED")
    chunk = after(status({TOO_RECENT: 1, NO_CONSENT: 1}, {TOO_RECENT: (1,)}))
    assert outcomes(chunk) == {3: "deferred"}
    assert chunk.totals().unnamed == {NO_CONSENT: 1}


def test_a_position_outside_of_the_request() -> None:
    """A position that no row has is treated like a count without a name."""
    chunk = after(status({NO_CONSENT: 2}, {NO_CONSENT: (5, -1)}))
    assert not chunk.listed
    assert chunk.closed_requests[0].unnamed == {NO_CONSENT: 2}


def test_a_request_stays_open_until_every_action_is_final() -> None:
    """While one conversion action is processed, or no answer came, no row changes."""
    found = [status({NO_CONSENT: 1}, {NO_CONSENT: (0,)}), status({}, status="PROCESSING")]
    chunk = apply_final_statuses(accepted(), {"r-1": found}, NOW, SETTINGS)
    assert not chunk.listed
    assert chunk.totals().awaiting == 5
    assert [each.status for each in chunk.open_requests[0].statuses] == [
        "PARTIAL_SUCCESS",
        "PROCESSING",
    ]
    assert apply_final_statuses(accepted(), {}, NOW, SETTINGS) == accepted()


def test_a_request_gets_one_final_status() -> None:
    """Rows that were sent again get none from the request that sent them first."""
    once = after(status({TOO_RECENT: 1}, {TOO_RECENT: (0,)}))
    found = {"r-1": [status({NO_CONSENT: 1}, {NO_CONSENT: (0,)})]}
    assert apply_final_statuses(once, found, NOW, SETTINGS) == once


def test_matches_of_a_request_without_a_status_are_unknown() -> None:
    """Rows whose request the API has forgotten are not counted as rows with an ad click."""
    forgotten = after(RequestStatus("r-1", UNREADABLE, code="INVALID_REQUEST_ID"))
    assert (forgotten.totals().rows, forgotten.totals().awaiting) == ({"uploaded": 5}, 0)
    assert forgotten.closed_requests[0].matchable == 0
    assert after(status({})).closed_requests[0].matchable == 2


@given(lines=st.sets(st.integers(2, 60), min_size=1), data=st.data())
def test_every_row_has_one_outcome(lines: set[int], data: st.DataObject) -> None:
    """Whatever the API counts and names, rows and money add up."""
    ordered = sorted(lines)
    positions = st.lists(st.integers(0, len(ordered) + 1), max_size=5, unique=True)
    reasons = (TOO_RECENT, INTERNAL, NO_CLICK, NO_CONSENT, AGAIN)
    records = {reason: tuple(data.draw(positions)) for reason in reasons}
    more = data.draw(st.fixed_dictionaries({reason: st.integers(0, 3) for reason in reasons}))
    errors = {reason: len(records[reason]) + more[reason] for reason in reasons}
    unclicked = sorted(data.draw(st.sets(st.sampled_from(ordered))))
    values = Amounts.of(ordered, ["USD" if line % 3 else "EUR" for line in ordered])
    sent = OpenRequest(
        "r-1",
        ranges_of(ordered),
        NOW,
        "1234567890",
        ranges_of(unclicked),
        values=values.packed(),
        orders=packed_texts(None for _ in ordered),
    )
    sums = values.sums()
    sent = sent._replace(sums=sums, unlisted=len(ordered), unlisted_sums=sums)
    before = ChunkOutcomes(0, (), Totals(), RECORDS, ("r-1",), open_requests=(sent,))
    found = {"r-1": [status(errors, records)]}
    outdated = data.draw(st.sets(st.integers(0, len(ordered) - 1)))
    chunk = apply_final_statuses(before, found, NOW, SETTINGS, lambda request: outdated)
    totals = chunk.totals()
    assert before.totals().money == {"uploaded": sums}
    assert totals.all_rows == totals.meant == len(ordered)
    assert totals.taken + totals.lost + totals.waiting == len(ordered)
    assert totals.unmatched <= len(unclicked)
    assert totals.unnamed_rows + totals.unmatched <= totals.count("uploaded")
    waiting = Counter(row.outcome for row in chunk.listed if row.due)
    assert waiting["deferred"] == waiting.total() == totals.count("deferred")
    everything: dict[str, Sum] = {}
    for outcome, of_outcome in totals.money.items():
        assert sum(each.rows for each in of_outcome.values()) == totals.count(outcome)
        add_sums(everything, of_outcome)
    assert everything == sums
