"""Placeholders and the additions of spreadsheets, in the rows of a file."""

from __future__ import annotations

from typing import Any

import pytest

from lib.destinations.registry import capabilities_of
from lib.model.fields import CUSTOM_VARIABLE
from lib.model.records import Address
from lib.rules.columns import is_sent
from lib.rules.fields import BY_NAME
from tests.rules.rows import Validated, digest, validate

ROW = {
    "gclid": "Cj0KCQiAexample0001",
    "email": "ada@example.com",
    "conversion_date_time": "2026-11-20 10:00:00",
}
ADDRESS = {"first_name": "Ada", "last_name": "Abara", "postal_code": "10001", "country_code": "US"}
SIGNS = ("NULL", "None", "nan", "N/A", "\\N", "-", "(empty)", " null ", "\u200bN/A")
IN_NAMES = ("N/A", "\\N", "-", "(empty)", "(null)", "<none>")
SENT = [
    (destination, f"{CUSTOM_VARIABLE}Plan" if name == CUSTOM_VARIABLE else name)
    for destination in ("google_ads", "data_manager")
    for name in BY_NAME
    if is_sent(name, capabilities_of(destination).kinds["conversion"].fields)
]


def validate_row(
    destination: str = "google_ads", /, settings: Any = None, **cells: str
) -> Validated:
    """Validate a file with one row: ROW, changed by `cells`."""
    row = {**ROW, **cells}
    quoted = ('"' + cell.replace('"', '""') + '"' for cell in row.values())
    return validate(f"{','.join(row)}\n{','.join(quoted)}", destination, **(settings or {}))


def address_of(validated: Validated) -> Address:
    """Return the address of the only row."""
    optional = validated.sent[2].optional_fields
    assert optional is not None
    address = optional["address"]
    assert isinstance(address, Address)
    return address


@pytest.mark.parametrize(("destination", "column"), SENT)
def test_a_placeholder_means_no_value_in_every_column(destination: str, column: str) -> None:
    """A placeholder is counted once for its column, without a warning, and the row is sent."""
    context = {"phone": "+12125550101"} if column == "country_code" else {}
    if column in ADDRESS and destination == "data_manager":
        context = ADDRESS
    for sign in IN_NAMES:
        validated = validate_row(destination, **{**context, column: sign})
        assert validated.placeholders == {column: 1}
        assert validated.warned == ({2: "ADDRESS_INCOMPLETE"} if context is ADDRESS else {})
        required = {2: "TIME_MISSING"} if column == "conversion_date_time" else {}
        assert validated.refused == required


@pytest.mark.parametrize("sign", SIGNS)
def test_the_signs_of_the_usual_programs_are_placeholders(sign: str) -> None:
    """Databases, spreadsheets and data frames write placeholders in their own ways."""
    cells = {"order_id": sign, "phone": sign, "conversion_value": sign, "currency_code": sign}
    assert validate_row(**cells).placeholders == dict.fromkeys(cells, 1)


ERRORS = (
    *("#REF!", "#VALUE!", "#DIV/0!", "#N/A", "#NAME?", "#NULL!", "#NUM!", "#SPILL!", "#CALC!"),
    *("#GETTING_DATA", "#ERROR!", "#BEZUG!", "#WERT!", "#NV", "#ZAHL!", "#VALEUR!", "#NOM?"),
    *("#\u00a1REF!", "#\u00a1VALOR!", "#\u00bfNOMBRE?", "#RIF!", "#VALORE!", "#VERW!", "#WAARDE!"),
    *(
        "#ARG!",
        "#ADR!",
        "#\u00daDAJ!",
        "#\u0417\u041d\u0410\u0427!",
        "\uff03REF!",
        " #REF! ",
        "(#REF!)",
    ),
)
UNDECIDED = (
    *("TBD", "tba", "(TBD)", "?", "??", ".", "unknown", "not available", "n/a pending", "pending"),
    *("ask Ada", "see note", "\u2026", "x", "on request", "=1+1", "####"),
)


@pytest.mark.parametrize("cell", [*ERRORS, *UNDECIDED])
@pytest.mark.parametrize(
    ("column", "code"),
    [
        ("conversion_value", "INVALID_CONVERSION_VALUE"),
        ("currency_code", "INVALID_CURRENCY"),
        ("time_zone", "UNKNOWN_TIME_ZONE"),
    ],
)
def test_what_decides_about_money_or_time_is_never_replaced_by_a_default(
    column: str, code: str, cell: str
) -> None:
    """The row is listed and can be corrected. Once sent with a default, it would be a duplicate."""
    defaults = {"currency_code": "EUR"}
    validated = validate_row(settings=defaults, **{"conversion_value": "12", column: cell})
    assert validated.fields == {2: f"{code} {column}"}
    assert validated.placeholders == {}


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("\uff11\uff12\uff15\uff10", 1250.0),
        ("\uff11\uff0c\uff12\uff15\uff10\uff0e\uff15\uff10", 1250.5),
        ("\uffe5\uff11\uff12\uff15\uff10", 1250.0),
        ("\uffe51250", 1250.0),
        ("\uff2a\uff30\uff39 1250", 1250.0),
    ],
)
def test_full_width_amounts_are_read(cell: str, value: float) -> None:
    """Japanese and Chinese programs write digits, signs and letters in full width."""
    validated = validate_row(settings={"currency_code": "JPY"}, conversion_value=cell)
    assert (validated.sent[2].value, validated.sent[2].currency_code) == (value, "JPY")


@pytest.mark.parametrize(
    ("cells", "attribute", "value"),
    [
        ({"conversion_value": "0"}, "value", 0.0),
        ({"ad_user_data": "0"}, "ad_user_data", "DENIED"),
        ({"ad_user_data": "unknown"}, "ad_user_data", None),
        ({"order_id": "NULL-1"}, "order_id", "NULL-1"),
        ({"order_id": "00"}, "order_id", "00"),
    ],
)
def test_what_is_a_value_in_its_column_is_no_placeholder(
    cells: dict[str, str], attribute: str, value: object
) -> None:
    """Each kind of value has its own placeholders."""
    validated = validate_row(**cells)
    assert getattr(validated.sent[2], attribute) == value
    assert validated.placeholders == {}


def test_null_is_a_surname_and_na_is_namibia() -> None:
    """Names and countries that look like placeholders are sent."""
    cells = {**ADDRESS, "first_name": "Nan", "last_name": "Null", "country_code": "NA"}
    validated = validate_row("data_manager", **cells)
    assert validated.placeholders == {}
    address = address_of(validated)
    assert address.hashed_given_name == digest("nan")
    assert address.hashed_family_name == digest("null")
    assert address.region_code == "NA"


def test_a_postal_code_is_read_beside_its_country() -> None:
    """A spreadsheet has dropped its zero."""
    cells = {**ADDRESS, "postal_code": "7030", "country_code": "United States"}
    assert address_of(validate_row("data_manager", **cells)).postal_code == "07030"


def test_placeholders_are_counted_in_every_row() -> None:
    """A cell that was read before is counted again, and rejected rows count too."""
    validated = validate(
        """
gclid,conversion_date_time,currency_code,order_id,ad_user_data
AAAAAAAAAAAAAA1,2026-11-20 10:00:00,N/A,0,-
AAAAAAAAAAAAAA2,yesterday,N/A,0,-
AAAAAAAAAAAAAA3,2026-11-20 10:00:00,n/a,A1,Granted
"""
    )
    assert validated.placeholders == {"currency_code": 3, "order_id": 2, "ad_user_data": 2}


WRAPPED = ('="{}"', " {} ", "'{}", "\ufeff{}", "{}\u200b", "{}\u00a0", '="\u200e{}"')
VALUES = [
    ("gclid", "CjwKCAexample0002"),
    ("email", "ben@example.com"),
    ("phone", "+12125550101"),
    ("phone", "212-555-0101"),
    ("hashed_email", "a" * 64),
    ("conversion_value", "12.50"),
    ("currency_code", "EUR"),
    ("conversion_date_time", "2026-11-21 10:00:00"),
    ("time_zone", "America/Chicago"),
    ("order_id", "000125"),
    ("order_id", "SO 125"),
    ("ad_user_data", "Granted"),
    ("conversion_action", "1002"),
    ("country_code", "US"),
    ("conversion_environment", "WEB"),
    ("user_ip_address", "192.0.2.7"),
    ("custom_variable.Plan", "gold"),
]


@pytest.mark.parametrize(("column", "value"), VALUES)
def test_what_spreadsheets_add_makes_no_difference(column: str, value: str) -> None:
    """A wrapped value is sent like the bare one, in every column."""
    plain = validate_row(**{column: value})
    assert 2 in plain.sent
    names = column.startswith("custom_variable")
    for form in WRAPPED:
        if not (names and form == "'{}"):
            assert validate_row(**{column: form.format(value)}) == plain, form


@pytest.mark.parametrize("form", WRAPPED)
def test_a_wrapped_mobile_number_may_lack_its_plus(form: str) -> None:
    """Excel writes an apostrophe before digits, so that it does not calculate with them."""
    german = {"phone_region": "DE"}
    cells = ("4915112345678", form.format("4915112345678"))
    for validated in [validate_row(settings=german, phone=cell) for cell in cells]:
        assert validated.sent[2].hashed_phones == (digest("+4915112345678"),)


def test_inner_zero_width_and_no_break_characters() -> None:
    """Inside a value, zero-width characters are removed and no-break spaces become spaces."""
    validated = validate_row(order_id="SO\u00a01\u200b25", gclid="CjwKCA\u200bexample0003")
    assert validated.sent[2].order_id == "SO 125"
    assert validated.sent[2].gclid == "CjwKCAexample0003"


@pytest.mark.parametrize("name", ["'t Hooft", "\u0645\u06cc\u200c\u062e", "O'Neil'"])
def test_a_name_keeps_its_apostrophe_and_its_joiners(name: str) -> None:
    """An apostrophe and zero-width joiners are part of some names."""
    cells = {**ADDRESS, "last_name": name, "postal_code": '="01234"'}
    address = address_of(validate_row("data_manager", **cells))
    assert address.hashed_family_name == digest(name.lower())
    assert address.postal_code == "01234"


def test_a_date_and_a_time_column_are_one_time() -> None:
    """The time of day completes a date; without one, the date counts with a warning."""
    validated = validate(
        """
gclid,conversion_date_time,time_of_day
AAAAAAAAAAAAAA1,2026-11-20,14:05
AAAAAAAAAAAAAA2,'11/20/2026,'2:05 PM
AAAAAAAAAAAAAA3,2026-11-20,N/A
AAAAAAAAAAAAAA4,,14:05
"""
    )
    times = ["2026-11-20 14:05:00+00:00"] * 2 + ["2026-11-20 00:00:00+00:00"]
    assert [each.time for each in validated.sent.values()] == times
    assert validated.warned == {4: "DATE_WITHOUT_TIME"}
    assert validated.refused == {5: "TIME_MISSING"}
    assert validated.placeholders == {"time_of_day": 1}
