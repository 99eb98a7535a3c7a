"""What rows are worth: sums by outcome and currency, exact, and true after a later outcome, too."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.model.money import MAX_MICROS, MAX_VALUE, Amounts, Sum, add_sums, amount, difference
from lib.model.outcomes import RowOutcome
from lib.model.sent_requests import RequestStatus
from lib.model.totals import Totals, ValuedRow
from tests.fakes import SOLD_AT, deliver, results, sweep, world
from tests.rows import core_row, csv_bytes

REASON = "PROCESSING_ERROR_REASON_"

rows = st.lists(
    st.one_of(
        st.just((None, None)),
        st.tuples(
            st.decimals("0", "1e9", places=2).map(float), st.sampled_from(("USD", "EUR", "JPY", ""))
        ),
    ),
    max_size=40,
)


@given(rows, st.data())
def test_packed_values_are_those_of_the_rows(
    given_rows: list[tuple[float | None, str | None]], data: st.DataObject
) -> None:
    """Each row has its value to the cent, whichever rows are taken, and the sums are exact."""
    values = Amounts.of([each[0] for each in given_rows], [each[1] for each in given_rows])
    exact = [
        (None, "") if value is None else (int(Decimal(str(value)) * 1_000_000), currency)
        for value, currency in given_rows
    ]
    assert [values.at(position) for position in range(len(exact))] == exact
    sums: dict[str, Sum] = {}
    for micros, currency in exact:
        if micros is not None:
            add_sums(sums, {currency or "": Sum(1, micros)})
    assert values.sums() == sums
    assert Amounts.unpacked(values.packed()) == values
    taken = sorted(data.draw(st.sets(st.sampled_from(range(len(exact))))) if exact else ())
    some = values.only(taken)
    assert [some.at(n) for n in range(len(taken))] == [exact[position] for position in taken]
    rest = values.only([n for n in range(len(exact)) if n not in taken])
    assert difference(sums, some.sums()) == rest.sums()


def test_a_sum_stays_one_that_others_can_read() -> None:
    """The largest values are counted, and a sum stops where the integers of programs end."""
    values = Amounts.of([None, MAX_VALUE, 5.0], ["USD"] * 3)
    assert values.at(0) == (None, "")
    assert values.sums() == {"USD": Sum(2, 10**18 + 5_000_000)}
    sums = {"USD": Sum(1, MAX_MICROS - 1)}
    add_sums(sums, values.sums())
    assert sums == {"USD": Sum(3, MAX_MICROS)}


@pytest.mark.parametrize(
    ("micros", "amounts"),
    [
        (0, ("0", "0.00")),
        (12_500_000, ("12.50", "12.50")),
        (12_345_000, ("12.345", "12.345")),
        (12_004_000, ("12.004", "12.004")),
        (-500_000, ("-0.50", "-0.50")),
        (-12_300_000, ("-12.30", "-12.30")),
        (1_234_567_000_000, ("1,234,567", "1,234,567.00")),
        (MAX_MICROS, 2 * ("9,223,372,036,854.775807",)),
    ],
)
def test_money_is_shown_as_it_is(micros: int, amounts: tuple[str, ...]) -> None:
    """A dinar has 1,000 parts, and no sum is rounded."""
    assert (amount(micros), amount(micros, always_cents=True)) == amounts


def test_rows_that_are_no_conversions_have_no_money() -> None:
    """Values of skipped rows are in no sum. Rows that were only checked have a sum of their own."""
    listed = [
        RowOutcome(line, outcome, None, (), (), 7, "USD")
        for line, outcome in enumerate(("uploaded", "skipped", "ok", "failed"), 2)
    ]
    totals, each = Totals.of(listed), {"USD": Sum(1, 7)}
    assert totals.money == {"uploaded": each, "ok": each, "failed": each}
    assert (totals.taken_money(), totals.lost_money()) == (each, each)


@pytest.mark.parametrize(
    ("values", "line"),
    [
        ([10, 20, 30, 40, 50, 150], 7),
        ([10, 20, 30, 60], None),  # so few may well add up
        ([10, 20, 30, 40, 50, 151], None),
        ([150, 10, 20, 30, 40, 50], None),  # a total is below what it sums up
        ([0, 0, 0, 0, 0, 0], None),
    ],
)
def test_a_last_row_worth_all_others_is_a_total(values: list[int], line: int | None) -> None:
    """Its line is known, whichever chunk is added first."""
    totals = Totals()
    for each in reversed(range(len(values))):
        of_row = Totals.of([RowOutcome(each + 2, "rejected", None, (), (), values[each], "USD")])
        of_row.last = ValuedRow(each + 2, values[each], "USD")
        totals.add(of_row)
    assert totals.line_of_sum == line


def priced(*cells: dict[str, str]) -> bytes:
    return csv_bytes(
        core_row(n, **{"conversion_date_time": SOLD_AT, "conversion_value": f"{n}.10", **each})
        for n, each in enumerate(cells, 1)
    )


def test_a_document_says_what_rows_are_worth() -> None:
    """By outcome and currency; rows without a value, or with an unknown currency, are apart."""
    google = world()
    google.api.too_old = {"order-5"}
    data = priced(
        {},
        {"currency_code": "EUR"},
        {"conversion_value": ""},
        {"conversion_date_time": "tomorrow"},
        {},
        {"currency_code": "dollars?"},
        {"order_id": "order-1", "gclid": "Cj0KCQiAexample00000001"},
    )
    deliver(google, "sales.csv", data)
    found = results(google, "sales.csv")
    one = {"rows": 1, "micros": 1_100_000}
    assert found["money"] == {
        "uploaded": {
            "sums": {"EUR": {"rows": 1, "micros": 2_100_000}, "USD": one},
            "without_value": 0,
        },
        "duplicate": {"sums": {"USD": {"rows": 1, "micros": 7_100_000}}, "without_value": 0},
        "rejected": {"sums": {"USD": {"rows": 1, "micros": 4_100_000}}, "without_value": 2},
        "failed": {"sums": {"USD": {"rows": 1, "micros": 5_100_000}}, "without_value": 0},
    }
    assert [row.get("micros") for row in found["rows"]] == [
        None,
        *(4_100_000, 5_100_000, None, 7_100_000),
    ]


@pytest.mark.parametrize("list_all", [False, True])
def test_money_follows_the_outcome_that_comes_later(list_all: bool) -> None:
    """When Google names rows days after it has accepted them, their values go with them."""
    google = world(LIST_ALL_ROWS=str(list_all).lower())
    google.use_destination("data_manager")
    errors = {REASON + "NO_CONSENT": (0,), REASON + "TOO_RECENT_CLICK": (2,)}

    def statuses(ids: Sequence[str]) -> list[RequestStatus]:
        first = dict.fromkeys(errors, 1)
        return [
            RequestStatus(each, "PARTIAL_SUCCESS", "1001", 4, first, error_records=errors)
            if each == "request-1"
            else RequestStatus(each, "SUCCESS", "1001", 1)
            for each in ids
        ]

    google.api.statuses = statuses
    deliver(google, "sales.csv", priced({}, {"currency_code": "EUR"}, {}, {}))
    eur = {"EUR": {"rows": 1, "micros": 2_100_000}}
    before = results(google, "sales.csv")["money"]
    assert before["uploaded"]["sums"] == {"USD": {"rows": 3, "micros": 8_300_000}} | eur

    google.clock.seconds += 3_600
    sweep(google)
    assert results(google, "sales.csv")["money"] == {
        "uploaded": {
            "sums": {"EUR": eur["EUR"], "USD": {"rows": 1, "micros": 4_100_000}},
            "without_value": 0,
        },
        "failed": {"sums": {"USD": {"rows": 1, "micros": 1_100_000}}, "without_value": 0},
        "deferred": {"sums": {"USD": {"rows": 1, "micros": 3_100_000}}, "without_value": 0},
    }
    google.clock.seconds += 7 * 3_600
    google.api.counted = [each for each in google.api.counted if each != "order-3"]
    sweep(google)
    assert results(google, "sales.csv")["money"]["uploaded"]["sums"] == eur | {
        "USD": {"rows": 2, "micros": 7_200_000}
    }
    assert "deferred" not in results(google, "sales.csv")["money"]
