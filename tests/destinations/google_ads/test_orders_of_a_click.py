"""Orders of one click and time: which are sent apart, and which have failed."""

from __future__ import annotations

from typing import Any

import pytest
from ads_records import clicks_request

from lib.destinations.base import RowResult
from lib.destinations.google_ads.orders import MAX_ROUNDS, settle_orders
from lib.model.outcomes import Problem
from lib.rules.values.order_ids import derived_order_id

EXISTS = "CLICK_CONVERSION_ALREADY_EXISTS"
IN_REQUEST = "DUPLICATE_CLICK_CONVERSION_IN_REQUEST"
ORDER_EXISTS = "ORDER_ID_ALREADY_IN_USE"
FAILED = "CLICK_AND_TIME_ALREADY_USED"
DERIVED = derived_order_id("1", 1, None, ["a braid"])


def request(*rows: tuple[str, str], validate_only: bool = False) -> Any:
    """Make a request of rows of (click ID, order ID), all with the same time and action."""
    same = {
        "conversion_date_time": "2026-11-20 10:00:00+00:00",
        "conversion_action": "customers/1/conversionActions/1",
    }
    conversions = ({"gclid": gclid, "order_id": order_id, **same} for gclid, order_id in rows)
    return clicks_request(*conversions, validate_only=validate_only).message


def duplicate(*codes: str) -> RowResult:
    return RowResult("duplicate", tuple(Problem(code) for code in codes))


def shown(row_results: dict[int, RowResult]) -> dict[int, str]:
    return {
        row: f"{each.outcome} {' '.join(problem.code for problem in each.errors)}"
        for row, each in row_results.items()
    }


def settle(message: Any, row_results: dict[int, RowResult], *, maybe_sent: bool) -> None:
    """Settle orders of which Google says the same if they are sent apart."""
    answers = dict(row_results)

    def send(rows: list[int]) -> dict[int, RowResult]:
        return {row: answers[row] for row in rows}

    settle_orders(message, row_results, send, lambda order_id: maybe_sent)


@pytest.mark.parametrize("maybe_sent", [False, True])
@pytest.mark.parametrize("order_id", ["", DERIVED])
def test_a_known_click_without_an_own_order_is_a_duplicate(order_id: str, maybe_sent: bool) -> None:
    """Without an order ID of its own, a row with a known click and time is the same conversion."""
    row_results = {0: duplicate(EXISTS)}
    settle(request(("A", order_id)), row_results, maybe_sent=maybe_sent)
    assert shown(row_results) == {0: f"duplicate {EXISTS}"}


@pytest.mark.parametrize(
    ("codes", "maybe_sent", "after"),
    [
        ([EXISTS], False, f"failed {FAILED}"),
        ([EXISTS], True, f"duplicate {EXISTS}"),
        ([EXISTS, ORDER_EXISTS], False, f"duplicate {EXISTS} {ORDER_EXISTS}"),
        ([ORDER_EXISTS], False, f"duplicate {ORDER_EXISTS}"),
        ([IN_REQUEST, EXISTS], False, f"failed {FAILED}"),
        ([IN_REQUEST], True, f"failed {FAILED}"),
    ],
)
def test_an_order_with_a_known_click(codes: list[str], maybe_sent: bool, after: str) -> None:
    """An order with a known click has failed, unless Google may have counted this very order."""
    row_results = {0: duplicate(*codes)}
    settle(request(("A", "1")), row_results, maybe_sent=maybe_sent)
    assert shown(row_results) == {0: after}


@pytest.mark.parametrize(
    ("first", "second", "counted"),
    [
        ([EXISTS], [EXISTS], 0),
        ([EXISTS], [EXISTS, ORDER_EXISTS], 1),
        ([IN_REQUEST, EXISTS], [IN_REQUEST, EXISTS], 0),
    ],
)
def test_only_one_order_of_a_click_can_have_been_counted(
    first: list[str], second: list[str], counted: int
) -> None:
    """After a crash, the order that Google knows is the duplicate: otherwise, the first one."""
    row_results = {0: duplicate(*first), 1: duplicate(*second), 2: duplicate(EXISTS)}
    rows = [("A", "1"), ("A", "2"), ("B", "3"), ("C", "4")]
    settle(request(*rows), row_results, maybe_sent=True)
    outcomes = [row_results[row].outcome for row in range(3)]
    assert outcomes == [
        *("duplicate" if row == counted else "failed" for row in (0, 1)),
        "duplicate",
    ]


@pytest.mark.parametrize("first", [{}, {0: RowResult("uploaded", (), (Problem("WARNED"),))}])
def test_an_order_that_is_accepted_now_is_the_one_that_counts(first: dict[int, RowResult]) -> None:
    """After a crash, an order is no duplicate of itself if another order of its click, with a
    warning or without, is accepted now."""
    row_results = {**first, 1: duplicate(EXISTS)}
    settle(request(("A", "1"), ("A", "2")), row_results, maybe_sent=True)
    assert row_results[1].outcome == "failed"
    assert row_results[1].errors[0].code == FAILED


class Google:
    """Answers rows that are sent apart; each click is counted once."""

    def __init__(self, sent: Any, refused: dict[str, str]) -> None:
        self._sent = sent
        self._refused = refused
        self._counted: set[str] = set()
        self.rounds: list[list[int]] = []

    def send(self, rows: list[int]) -> dict[int, RowResult]:
        self.rounds.append(rows)
        row_results = {}
        for row in rows:
            each = self._sent.conversions[row]
            if each.order_id in self._refused:
                problem = Problem(self._refused[each.order_id])
                row_results[row] = RowResult("failed", (problem,))
            elif each.gclid in self._counted:
                row_results[row] = duplicate(EXISTS)
            elif not self._sent.validate_only:
                self._counted.add(each.gclid)
        return row_results


@pytest.mark.parametrize(
    ("refused", "rounds", "after"),
    [
        ({}, [[0, 3], [1, 4]], {1: FAILED, 2: FAILED, 4: FAILED}),
        ({"1": "EXPIRED_EVENT"}, [[0, 3], [1, 4], [2]], {0: "EXPIRED_EVENT", 2: FAILED, 4: FAILED}),
    ],
)
def test_the_orders_of_a_click_are_sent_one_by_one(
    refused: dict[str, str], rounds: list[list[int]], after: dict[int, str]
) -> None:
    """Each round sends one order of each click, until Google answers that it knows the click."""
    sent = request(("A", "1"), ("A", "2"), ("A", "3"), ("B", "4"), ("B", "5"), ("C", "6"))
    google = Google(sent, refused)
    row_results = {row: duplicate(IN_REQUEST) for row in range(5)}
    settle_orders(sent, row_results, google.send, lambda order_id: False)
    assert google.rounds == rounds
    assert {row: each.errors[0].code for row, each in row_results.items()} == after


def test_a_request_that_only_validates_counts_nothing() -> None:
    """If Google only validates, it would accept each order alone: the first one is valid."""
    sent = request(("A", "1"), ("A", "2"), validate_only=True)
    google = Google(sent, {})
    row_results = {row: duplicate(IN_REQUEST) for row in range(2)}
    settle_orders(sent, row_results, google.send, lambda order_id: False)
    assert google.rounds == [[0]]
    assert shown(row_results) == {1: f"failed {FAILED}"}


def test_rows_that_google_knows_are_not_sent_apart() -> None:
    """Only rows that were refused for nothing but their request are sent again."""
    sent = request(("A", "1"), ("A", "2"), ("B", DERIVED))
    row_results = {0: duplicate(IN_REQUEST, ORDER_EXISTS), 1: duplicate(IN_REQUEST, EXISTS)}
    row_results[2] = duplicate(IN_REQUEST)
    google = Google(sent, {})
    settle_orders(sent, row_results, google.send, lambda order_id: False)
    assert google.rounds == []
    assert [each.outcome for each in row_results.values()] == ["duplicate", "failed", "duplicate"]


def test_the_number_of_rounds_is_bounded() -> None:
    """If Google refuses every order of a click for another reason, the last ones are not sent."""
    orders = [str(number) for number in range(MAX_ROUNDS + 5)]
    sent = request(*(("A", order) for order in orders))
    google = Google(sent, dict.fromkeys(orders, "EXPIRED_EVENT"))
    row_results = {row: duplicate(IN_REQUEST) for row in range(len(orders))}
    settle_orders(sent, row_results, google.send, lambda order_id: False)
    assert len(google.rounds) == MAX_ROUNDS
    assert set(shown(row_results).values()) == {"failed EXPIRED_EVENT", f"failed {FAILED}"}
