"""Which columns are candidates for a role, by their names and cells."""

from __future__ import annotations

import gc
import weakref

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.rules.roles import NAMED_OTHERWISE, ROLES, Reading, Role, candidates, read_roles

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


@pytest.mark.parametrize(
    ("role", "name", "cells", "rank"),
    [
        ("currency", "Devise", _column("EUR", "chf"), 0),
        ("currency", "Symbol", _column("€", "£"), 0),
        ("currency", "Country", _column("DE", "CH"), None),
        ("time", "Gewonnen am", DATES, 1),
        ("time", "Won", UNIX, 1),
        ("time", "Termin", DATES, 4),
        ("time", "Angelegt am", DATES, NAMED_OTHERWISE),
        ("time", "Wiedervorlage", DATES, NAMED_OTHERWISE + 2),
        ("time", "Deal number", UNIX, None),
        ("identity", "Rechnungsnr.", CODES, 0),
        ("identity", "Deal ID", NUMBERS, 1),
        ("identity", "Auftrag", CODES, 2),
        ("identity", "Record ID", NUMBERS, 4),
        ("identity", "ID", NUMBERS, 5),
        ("identity", "Customer ID", NUMBERS, NAMED_OTHERWISE),
        ("identity", "Deal value", NUMBERS, None),
        ("identity", "Auftrag", _column("SO-1", "SO-2"), None),
        ("identity", "Auftrag", DATES, None),
        ("counts", "Kind", _column("Sale", "Chargeback"), 0),
        ("counts", "Belegart", _column("Rechnung", "Angebot"), 0),
        ("counts", "Ergebnis", _column("Not qualified", "Hot"), 0),
        ("counts", "Paid", _column("TRUE", "FALSE"), 0),
        ("counts", "Refunded amount", _column("0.00", "12.00"), 0),
        ("counts", "Storniert am", _column("", "2026-11-20"), 0),
        ("counts", "Type", _column("A", "B"), 4),
        ("counts", "Source", _column("Web", "Shop"), 8),
        ("counts", "Fulfillment Status", _column("pending", "fulfilled"), 1),
        ("counts", "Order", CODES, None),
        ("click", "Kennung", _column("Cj0KCQiAexample0001abcdef"), 0),
        ("person", "Kontakt", _column("ada@example.com"), 0),
        ("consent", "Einwilligung", _column("ja", "nein"), 0),
    ],
)
def test_another_role(role: Role, name: str, cells: list[str], rank: int | None) -> None:
    """A role's candidates are found by their cells, and ranked by their names."""
    found = candidates(role, [name], [[cell] for cell in cells])
    assert [each.rank for each in found] == ([] if rank is None else [rank])


def test_a_date_that_only_rows_that_count_have_is_the_best_one() -> None:
    """The rows that do not count tell which date is that of the sale, whatever its name."""
    names = ["Created", "Termin", "Abschluss"]
    rows = [["2026-11-01", "2026-11-20", "2026-11-19"]] * 4
    others = [["2026-11-01", "", "2026-11-19"]] * 4
    assert [each.column for each in candidates("time", names, rows, others=others)] == [2, 1, 0]
    names[2] = "Datum"
    assert [each.column for each in candidates("time", names, rows, others=others)] == [1, 2, 0]


FIELDS = {
    "gclid": "gclid",
    "Amount": "conversion_value",
    "Conversion Value": "conversion_value",
    "Close Date": "conversion_date_time",
    "Created": "conversion_date_time",
    "Conversion Time": "conversion_date_time",
    "Currency": "currency_code",
    "Order ID": "order_id",
}


def reading_of(columns: dict[str, list[str]], *answered: str, **given: object) -> Reading:
    """Read a file with a click ID and these columns. `FIELDS` are chosen by their names."""
    columns = {"gclid": [f"Cj0KCQiAexample{row:04}" for row in range(ROWS)], **columns}
    names = list(columns)
    return read_roles(
        names,
        list(zip(*columns.values(), strict=True)),
        {FIELDS[name]: at for at, name in enumerate(names) if name in FIELDS},
        last_resorts=["conversion_date_time"] if "Created" in names else [],
        answered=[names.index(name) for name in answered],
        **given,  # type: ignore[arg-type]
    )


EURO = {"currency": "EUR"}
ONE_CLICK = {"gclid": _column("Cj0KCQiAexample0000"), "Close Date": _column("2026-11-20")}
LATER = _column("2026-11-25", "2026-11-26")


@pytest.mark.parametrize(
    ("columns", "given", "objects"),
    [
        # Another amount, or an amount where none is used
        ({"Amount": MONEY, "Betrag": MONEY}, {}, ()),
        ({"Amount": MONEY, "Betrag": WHOLE}, {}, ("Betrag",)),
        ({"Amount": MONEY, "Gesamt": _column("9.99")}, {}, ("Gesamt",)),
        ({"Amount": MONEY, "Sales tax": _column("9.99")}, {}, ()),
        ({"Amount": MONEY, "Expected value": WHOLE}, {}, ()),
        ({"Amount": MONEY, "Total": _column(*"000000000009")}, {}, ()),
        ({"Conversion Value": MONEY, "Betrag": WHOLE}, {}, ()),
        ({"Betrag": WHOLE}, {}, ("Betrag",)),
        ({"Betrag": WHOLE}, {"decided": ["value"]}, ()),
        ({"Expected value": WHOLE}, {}, ("Expected value",)),
        ({"Sales tax": MONEY}, {}, ()),
        ({"Total excl. tax": MONEY}, {}, ("Total excl. tax",)),
        ({"Employees": _column("12", "80")}, {}, ()),
        # Another date
        ({"Created": DATES, "Won on": LATER}, {}, ("Won on",)),
        ({"Created": DATES, "Termin": LATER}, {}, ("Termin",)),
        ({"Created": DATES, "Modified": LATER}, {}, ()),
        ({"Close Date": DATES, "Termin": LATER}, {}, ()),
        ({"Close Date": DATES, "Bezahlt am": LATER}, {}, ("Bezahlt am",)),
        ({"Close Date": DATES, "Bezahlt am": DATES}, {}, ()),
        ({"Close Date": DATES, "Lost on": LATER}, {}, ()),
        ({"Conversion Time": DATES, "Won on": LATER}, {}, ()),
        ({"Close Date": DATES, "Bezahlt am": LATER}, {"decided": ["time"]}, ()),
        # An order ID that is not used
        ({"Close Date": DATES, "Invoice no.": CODES}, {}, ()),
        ({**ONE_CLICK, "Invoice no.": CODES}, {}, ("Invoice no.",)),
        ({"Close Date": DATES, "Order no.": CODES[:6] * 2}, {}, ("Order no.",)),
        ({**ONE_CLICK, "Invoice no.": CODES}, {"decided": ["identity"]}, ()),
        ({"Order ID": NUMBERS, "Invoice no.": CODES}, {}, ()),
        ({"Order ID": MONEY, "Invoice no.": CODES}, {}, ("Invoice no.",)),
        ({"Record ID": NUMBERS}, {}, ()),
        ({"Customer ID": NUMBERS}, {}, ()),
        # Another currency
        ({"Amount": MONEY, "Devise": _column("EUR", "USD")}, EURO, ("Devise",)),
        ({"Amount": MONEY, "Devise": _column("EUR")}, EURO, ()),
        ({"Amount": MONEY, "Devise": _column("EUR")}, {}, ("Devise",)),
        ({"Amount": MONEY, "Currency": _column("EUR"), "Devise": _column("USD")}, {}, ()),
        # Rows that are no sales
        ({"Kind": _column("Sale", "Refund")}, {}, ("Kind",)),
        ({"Kind": _column("Sale", "Refund")}, {"answered": ("Kind",)}, ()),
        ({"Status": _column("Open")}, {}, ("Status",)),
        ({"Status": _column("Won", "Negotiation")}, {}, ("Status",)),
        ({"Status": _column("Won", "Paid")}, {}, ()),
        ({"Marital status": _column("single", "married")}, {}, ()),
        ({"Country": _column("Germany", "France")}, {}, ()),
        ({"Fulfillment Status": _column("pending", "shipped")}, {}, ()),
        ({"First name": _column("Test", "Ada")}, {}, ()),
        ({"Bezahlt": _column("ja", "nein")}, {}, ("Bezahlt",)),
        ({"Newsletter": _column("ja", "nein")}, {}, ()),
        ({"Test": _column("", "x")}, {}, ("Test",)),
        ({"Refunded": _column("0.00", "12.00")}, {"decided": ["value"]}, ("Refunded",)),
        ({"Refunded": _column("0.00")}, {}, ()),
        ({"Cancelled at": _column("", "2026-11-20")}, {}, ("Cancelled at",)),
        ({"対応状況": _column("発送済み", "注文取消し")}, {}, ("対応状況",)),
    ],
)
def test_what_objects_in_a_run(
    columns: dict[str, list[str]], given: dict[str, object], objects: tuple[str, ...]
) -> None:
    """A plausible column objects, unless the profile answers or its name says what else it is."""
    given = dict(given)
    names = list({"gclid": [], **columns})
    reading = reading_of(columns, *given.pop("answered", ()), **given)  # type: ignore[misc]
    rivals = [names[each.column] for found in reading.values() for each in found.rivals]
    assert rivals == list(objects)


def test_stages_that_the_profile_answers_are_sales_whether_or_not_they_are_paid() -> None:
    """With one column that says which rows are sales, only words for the opposite object."""
    columns = {"Stage": _column("Won"), "Paid": _column("yes", "no")}
    assert reading_of(columns)["counts"].rivals
    assert not reading_of(columns, "Stage")["counts"].rivals
    columns["Type"] = _column("Sale", "Refund")
    assert reading_of(columns, "Stage")["counts"].rivals


def test_a_rival_has_the_line_for_the_profile() -> None:
    """The line has words for stages and no others: a cell may be anything."""

    def line(name: str, *cells: str) -> tuple[str, tuple[str, ...]]:
        (rival,) = reading_of({name: _column(*cells)}, decided=["value"])["counts"].rivals
        return rival.key, rival.values

    assert line("Stage", "Won", "Lost") == ("include", ("Won",))
    assert line("Stage", "Won", "Lost to Ada") == ("include", ("Won", "..."))
    assert line("Stage", "Ada", "Ben") == ("include", ("...",))
    assert line("Stage", "Lost", "Open") == ("exclude", ("Lost", "Open"))
    assert line("Paid", "TRUE", "FALSE") == ("include", ("TRUE",))
    assert line("Refunded", "ja", "nein") == ("exclude", ("ja",))
    assert line("Refunded", "0.00", "12.00") == ("include", ("0.00",))
    assert line("Cancelled at", "", "2026-11-20") == ("include", ("",))


def test_the_reading_names_all_columns() -> None:
    """Runners-up that do not object are there too, and all columns of a person."""
    found = reading_of({"Amount": MONEY, "Tax": MONEY, "Close Date": DATES, "Created on": DATES})
    assert found["value"].chosen == (1, "name", 0, "its name says so", "headers", ())
    assert [each.column for each in found["value"].others] == [2]
    assert [each.column for each in found["time"].others] == [4]
    assert found["identity"].chosen is None


class _Cell(str):
    """A cell of which one can see whether it is still kept."""


def test_no_cell_outlives_its_file() -> None:
    """An instance serves many files, and cells are private."""
    cells = [_Cell(f"{number},50") for number in range(ROWS)]
    kept = [weakref.ref(cell) for cell in cells]
    rows = [[cell, cell.replace("0", "1")] for cell in cells]
    read_roles(["Net", "Gross"], rows, {"conversion_value": 1})
    del cells, rows
    gc.collect()
    assert not any(each() for each in kept)
