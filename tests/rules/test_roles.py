"""Which columns are candidates for a role, by their names and cells."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.rules.roles import ROLES, Role, candidates, read_roles

ROWS = 12


def _column(*cells: str) -> list[str]:
    return [cells[row % len(cells)] for row in range(ROWS)]


MONEY = _column("1,270.00", "640.50", "99.00")
WHOLE = _column("1200", "640", "99")
DATES = _column("2026-11-18", "2026-11-20")
UNIX = _column("1764000000", "1764100000")
CODES = [f"SO-{1000 + row}" for row in range(ROWS)]
NUMBERS = [str(88_000 + 7 * row) for row in range(ROWS)]


def ranks(role: Role, **columns: list[str]) -> list[str]:
    """The names of the candidates, the best first."""
    names = [name.replace("_", " ") for name in columns]
    rows = list(zip(*columns.values(), strict=True))
    return [names[each.column] for each in candidates(role, names, rows)]


@pytest.mark.parametrize(
    ("name", "cells", "rank"),
    [
        ("Betrag", MONEY, 0),
        ("Betrag", WHOLE, 0),
        ("受注金額", WHOLE, 0),
        ("Deal", _column("€ 12", "€ 20"), 1),
        ("Deal", MONEY, 2),
        ("Deal", _column("-49.90", "(12.50)"), 2),
        ("Deal", _column("1.234,50", "tbd", "12,00"), 2),
        ("Expected revenue", MONEY, 10),
        ("Sales tax", MONEY, 12),
        ("Probability", _column("10", "75"), None),
        ("Deal", WHOLE, None),
        ("Share", _column("0.25", "0.75"), None),
        ("Lat", _column("52.520008", "48.137154"), None),
        ("Amount", _column("0.00"), None),
        ("Amount", _column("n/a", "tbd"), None),
        ("Amount", DATES, None),
        ("Growth", _column("12.5 %", "3.0 %"), None),
    ],
)  # fmt: skip
def test_a_value(name: str, cells: list[str], rank: int | None) -> None:
    """Amounts with cents or a currency, or whole ones under a name that says so."""
    found = candidates("value", [name], [[cell] for cell in cells])
    assert [each.rank for each in found] == ([] if rank is None else [rank])


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("role", ROLES)
def test_the_order_of_the_columns_decides_nothing(role: Role, seed: int) -> None:
    """A shuffled file has the same candidates in the same order."""
    columns = {
        "Net": MONEY,
        "Gross": _column("9.99", "8.50"),
        "Total": WHOLE,
        "Won": DATES,
        "Paid": DATES,
        "Order": CODES,
        "Deal no": NUMBERS,
        "Type": _column("Sale", "Refund"),
        "Kind": _column("Sale", "Void"),
        "Cur": _column("EUR", "CHF"),
    }
    names = list(columns)
    shuffled = {name: columns[name] for name in [*names[seed + 1 :], *names[: seed + 1]]}
    assert ranks(role, **columns) == ranks(role, **shuffled)


@given(st.lists(st.lists(st.text(max_size=12), min_size=3, max_size=3), max_size=8))
def test_any_cells_can_be_read(rows: list[list[str]]) -> None:
    """Whatever the cells are, each role has its reading."""
    reading = read_roles(["gclid", "Amount", "Paid at"], rows, {"gclid": 0})
    assert list(reading) == list(ROLES)
