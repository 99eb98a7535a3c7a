"""Rows validated by `lib.rules.engine`: which rows and fields are sent, left out or withheld."""

from __future__ import annotations

import gc
from dataclasses import replace
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.destinations.registry import capabilities_of
from lib.model.account import Account
from lib.model.fields import NumberFormat, RecordKind
from lib.model.money import Sum
from lib.model.outcomes import Problem, RowOutcome
from lib.model.records import CartItem, Conversion, Row
from lib.rules.engine import Engine
from lib.rules.row_rules import EntryRules
from tests.rules.rows import digest, engine_for, rows_of, rules_of, validate

NO_DIGEST = sha256().hexdigest()


def test_a_repeat_of_an_unsent_row_is_sent() -> None:
    """A row that repeats only the click of a row that is not sent is sent itself."""
    validated = validate(
        """
gclid,conversion_date_time,conversion_value,order_id
AAAAAAAAAAAAAA1,2026-11-20 10:00:00,10,O1
BBBBBBBBBBBBBB1,2026-11-20 11:00:00,10,O1
BBBBBBBBBBBBBB1,2026-11-20 11:00:00,30,O2
"""
    )
    assert list(validated.sent) == [2, 4]
    assert validated.refused == {3: "REPEATED_LINE"}


@pytest.mark.parametrize(
    "first, second, code",
    [
        ("10", "10.00", "REPEATED_LINE"),
        ("10", "25", "REPEATED_WITH_OTHER_VALUE"),
        ("", "25", "REPEATED_WITH_OTHER_VALUE"),
        ("", "", "REPEATED_LINE"),
    ],
)
def test_a_repeat_with_another_value_has_its_own_code(first: str, second: str, code: str) -> None:
    """A repeat with another value gets its own code, because its value is not counted."""
    validated = validate(
        f"""
gclid,conversion_date_time,conversion_value,order_id
AAAAAAAAAAAAAA1,2026-11-20 10:00:00,{first},O1
AAAAAAAAAAAAAA1,2026-11-20 10:00:00,{second},O1
"""
    )
    assert validated.refused == {3: code}


@pytest.mark.parametrize(
    "again, code",
    [
        ("2026-11-20 11:00:00+01:00", "REPEATED_LINE"),
        ("2026-11-20T10:00:00Z", "REPEATED_LINE"),
        ("2026-11-20 04:00:00 America/Chicago", "REPEATED_LINE"),
        ("11/20/2026 10:00:00 AM", "REPEATED_LINE"),
        ("1795168800", "REPEATED_LINE"),
        ("2026-11-20 10:00:00+01:00", ""),
        ("2026-11-20 10:00:01+00:00", ""),
    ],
)
def test_a_moment_is_the_same_in_every_zone(again: str, code: str) -> None:
    """Rows with one click and one instant are repeats in any notation; Google would refuse both."""
    validated = validate(
        f"""
gclid,conversion_date_time
AAAAAAAAAAAAAA1,2026-11-20 10:00:00+00:00
AAAAAAAAAAAAAA1,{again}
"""
    )
    assert validated.refused == ({3: code} if code else {})


def test_rows_with_placeholder_order_ids_are_not_repeats() -> None:
    """A placeholder makes no repeat: the row is sent without order ID or with a derived one."""
    validated = validate(
        """
gclid,email,conversion_date_time,order_id
AAAAAAAAAAAAAA1,,2026-11-20 10:00:00,N/A
BBBBBBBBBBBBBB1,,2026-11-20 11:00:00,N/A
,jane@example.com,2026-11-20 12:00:00,N/A
"""
    )
    assert [each.order_id or "" for each in validated.sent.values()][:2] == ["", ""]
    assert (validated.sent[4].order_id or "").startswith("auto-")
    assert validated.warned == {}
    assert validated.placeholders == {"order_id": 3}


BRAIDS = """
gclid,gbraid,wbraid,email,conversion_date_time,conversion_value,order_id
,GGGGGGGGGGGGGG1,,,2026-11-20 10:00:00,10,
,,WWWWWWWWWWWWWW2,jane@example.com,2026-11-20 10:00:00,10,
,,WWWWWWWWWWWWWW3,,2026-11-20 10:00:00,10,O3
,,,jane@example.com,2026-11-20 10:00:00,10,
CCCCCCCCCCCCCC5,,,,2026-11-20 10:00:00,10,
,GGGGGGGGGGGGGG1,,,2026-11-20 11:00:00,10,
,GGGGGGGGGGGGGG1,,,2026-11-20 10:00:00,25,
,,,,2026-11-20 10:00:00,10,
"""


def test_derived_order_ids_are_the_same_in_every_version() -> None:
    """Which rows get a derived order ID, and which one, never changes: it would count twice."""
    sent = validate(BRAIDS).sent
    assert {line: each.order_id for line, each in sent.items()} == {
        2: "auto-khdaeegpjnfilhlnnflggdglohdmlngi",
        3: "auto-jnlmojkmdnmdnafcoblcjcimgnonoddl",
        4: "O3",
        5: "auto-ebmdhhpmfpccjilmklnpbnlaihccmkpf",
        6: None,
        7: "auto-fcgaennodnbbefkdajhajhiadhgldbcf",
    }


def test_a_braid_with_another_value_is_the_same_conversion() -> None:
    """The value is no part of the order ID of a braid: as with a gclid, click and time decide."""
    validated = validate(BRAIDS)
    assert validated.refused == {8: "REPEATED_WITH_OTHER_VALUE", 9: "NO_CLICK_ID_OR_IDENTIFIER"}
    assert validated.details[8] == (
        "the same click ID, time and conversion action as in line 2, with another value"
    )


DECIMALS = """
gclid,phone,conversion_date_time,order_id
AAAAAAAAAAAAAA1,,2026-11-20 10:00:00,1001.0
AAAAAAAAAAAAAA2,,2026-11-20 10:00:00, 1002.0
AAAAAAAAAAAAAA3,,2026-11-20 10:00:00,
AAAAAAAAAAAAAA4,,2026-11-20 10:00:00,N/A
AAAAAAAAAAAAAA5,212-555-0100,2026-11-20 10:00:00,2125550100.0
"""


@pytest.mark.parametrize(
    ("more", "is_integer", "sent"),
    [
        ("1003.0", True, ["1001", "1002", "1003"]),
        ("1003", True, ["1001", "1002", "1003"]),
        ("A-1.0", True, ["1001", "1002", "A-1.0"]),
        ("1003.00", True, ["1001", "1002", "1003.00"]),
        ("0.0", True, ["1001", "1002"]),  # 0 is a placeholder
        ("1003.0", False, ["1001.0", "1002.0", "1003.0"]),
    ],
)
def test_order_ids_with_zero(more: str, is_integer: bool, sent: list[str]) -> None:
    """The profile says whether order IDs such as 1001.0 are sent as 1001."""
    text = DECIMALS + f"AAAAAAAAAAAAAA6,,2026-11-20 10:00:00,{more}\n"
    validated = validate(text, integer_order_ids=is_integer)
    kept = [each.order_id for line, each in validated.sent.items() if line != 6]
    assert [order_id for order_id in kept if order_id] == sent
    assert validated.refused == ({6: "INVALID_ORDER_ID"} if is_integer else {})


ORDERS_OF_A_CLICK = """
gclid,conversion_date_time,conversion_value,order_id
AAAAAAAAAAAAAA1,2026-11-20 10:00:00,10,O1
AAAAAAAAAAAAAA1,2026-11-20 10:00:00,10,O2
AAAAAAAAAAAAAA1,2026-11-20 11:00:00+01:00,25,O3
AAAAAAAAAAAAAA1,2026-11-20 10:00:00,10,O1
AAAAAAAAAAAAAA1,2026-11-20 10:00:00,10,
AAAAAAAAAAAAAA2,2026-11-20 10:00:00,10,
AAAAAAAAAAAAAA2,2026-11-20 10:00:00,10,O4
AAAAAAAAAAAAAA2,2026-11-20 10:00:00,10,O5
BBBBBBBBBBBBBB1,2026-11-20 10:00:00,10,O5
"""


def test_orders_of_one_click_and_time_are_different_conversions() -> None:
    """Rows with different order IDs are never repeats of each other, whatever click and time."""
    validated = validate(ORDERS_OF_A_CLICK)
    assert list(validated.sent) == [2, 3, 4, 7, 10]
    assert validated.details == {
        5: "the same order ID and conversion action as in line 2",
        6: "the same click ID, time and conversion action as in line 2",
        8: "the same click ID, time and conversion action as in line 7",
        9: "the same click ID, time and conversion action as in line 7",
    }
    assert set(validated.refused.values()) == {"REPEATED_LINE"}


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["", "AAAAAAAAAAAAAA1", "AAAAAAAAAAAAAA2"]),
            st.sampled_from(["", "O1", "O2", "O3"]),
            st.integers(10, 11),
        ),
        max_size=12,
    )
)
def test_a_repeat_shares_its_order_or_has_none(rows: list[tuple[str, str, int]]) -> None:
    """A row is a repeat only of a row with its order ID, or with its click and not another order.
    Each order ID is sent, unless all of its rows share their click with a row that has none."""
    lines = [f"{c},a@example.com,2026-11-20 {t}:00:00,{o}" for c, o, t in rows]
    validated = validate("\n".join(["gclid,email,conversion_date_time,order_id", *lines]))
    for line, detail in validated.details.items():
        click, order, time = rows[line - 2]
        first_click, first_order, first_time = rows[int(detail.split()[-1]) - 2]
        if "order ID" in detail:
            assert order == first_order
        else:
            assert (click, time) == (first_click, first_time)
            assert not (order and first_order)
    sent = {rows[line - 2] for line in validated.sent}
    for click, order, time in rows:
        if order and order not in {each[1] for each in sent}:
            assert (click, "", time) in sent


def test_an_order_id_that_is_the_rows_phone_is_refused() -> None:
    """An order ID that equals a phone number in any column of its row is refused."""
    validated = validate(
        """
gclid,phone_2,conversion_date_time,order_id
AAAAAAAAAAAAAA1,+1 212-555-0100,2026-11-20 10:00:00,2125550100
AAAAAAAAAAAAAA2,,2026-11-20 10:00:00,2125550100
"""
    )
    assert validated.refused == {2: "INVALID_ORDER_ID"}


@pytest.mark.parametrize(
    ("order", "sent", "code", "detail"),
    [
        ("DMY", [2, 3, 4], "DATE_ORDER_MISMATCH", "a date such as 11/20/2026"),
        ("MDY", [2, 3, 5], "DATE_ORDER_MISMATCH", "a date such as 20/11/2026"),
        (None, [3, 4, 5], "DATE_ORDER_UNDECLARED", ""),
    ],
)
def test_the_order_of_day_and_month_is_declared(
    order: str | None, sent: list[int], code: str, detail: str
) -> None:
    """A date in the other order is rejected; without an order, one that has two meanings is."""
    validated = validate(
        """
gclid,conversion_date_time
AAAAAAAAAAAAAA1,11/10/2026 10:00
AAAAAAAAAAAAAA2,2026-11-10 10:00
AAAAAAAAAAAAAA3,20/11/2026 10:00
AAAAAAAAAAAAAA4,11/20/2026 10:00
""",
        date_order=order,
    )
    assert list(validated.sent) == sent
    assert set(validated.refused.values()) == {code}
    details = [found.partition(",")[0] for found in validated.details.values()]
    assert details == [detail]


@pytest.mark.parametrize(
    ("order", "cells", "sent"),
    [
        ("MDY", ["20/11/2026", "21/11/2026", "11/20/2026", "10/11/2026"], "11/20/2026"),
        ("MDY", ["20/11/2026", "11/20/2026", "10/11/2026"], "11/20/2026 10/11/2026"),
        ("MDY", ["20/11/2026", "11/19/2026", "11/20/2026", "10/11/2026"], None),
        ("DMY", ["11/20/2026 2:05 PM", "11/10/2026 2:05 PM"], ""),
        ("DMY", ["11/20/2026", "11/21/2026", "20/11/2026", "11/10/2026"], "20/11/2026"),
        ("MDY", ["20/11/2026", "11/11/2026", "2026-11-10", "Nov 10 2026"], None),
        ("MDY", ["20/11/26", "10/11/26", "11/11/26"], "11/11/26"),
        ("MDY", ["20-11-26", "10-11-26"], ""),
        ("MDY", ["20.11.2026", "10/11/2026"], ""),
        ("MDY", ["Tue 10/11/2026", "10/11/2026"], ""),
        ("MDY", ['"=""20/11/2026"""', '"=""10/11/2026"""'], ""),
        ("MDY", ["20/11/2026", "03/11/2026", "10/12/2026"], ""),  # TOO_OLD
        ("DMY", ["11/20/2026", "11/12/2026"], ""),  # FUTURE_DATE
        ("MDY", ["yesterday", "", "31/11/2026", "10/11/2026"], "10/11/2026"),
        (None, ["20/11/2026", "21/11/2026", "11/20/2026"], "20/11/2026 21/11/2026 11/20/2026"),
        (None, ["11.20.2026", "11.21.2026", "11.10.2026"], ""),
        (None, ["11. 20. 2026", "11. 10. 2026", "11/10/2026"], ""),
        (None, ["11.20.2026", "20.11.2026", "11.10.2026"], "20.11.2026 11.10.2026"),
        (None, ["01/20/2026", "11/10/2026"], ""),  # TOO_OLD, DATE_ORDER_UNDECLARED
        ("DMY", ["11.20.2026", "11.10.2026"], ""),
        ("MDY", ["11.20.2026", "11/10/2026"], "11/10/2026"),
    ],
)
def test_dates_with_two_meanings_among_dates_in_the_other_order(
    order: str | None, cells: list[str], sent: str | None
) -> None:
    """They are rejected if more dates of the chunk contradict the declared order than agree with
    it. None: only the first cell is not sent."""
    lines = [f"AAAAAAAAAAAAA{number},{cell}" for number, cell in enumerate(cells, 10)]
    found = validate("\n".join(["gclid,conversion_date_time", *lines]), date_order=order)
    expected = cells[1:] if sent is None else [each for each in cells if each in sent.split()]
    assert [cells[line - 2] for line in found.sent] == expected
    moved = {found.fields[n] for n in found.details if "10/11/2026" in found.details[n]}
    assert moved <= {"DATE_ORDER_MISMATCH conversion_date_time"}
    assert not found.refused.keys() & found.warned.keys()


@pytest.mark.parametrize("order", [None, "DMY", "MDY"])
@pytest.mark.parametrize(
    ("cells", "is_exchanged"),
    [
        (["2026-11-10 00:00:00", "25/10/2026", "2026-10-12"], True),
        (["2026-11-10 09:30:00", "25/10/2026 09:31", "24/10/2026 -06:00"], True),
        (["2026-11-10", "10/25/2026"], True),
        (["2026-11-10", "2026-11-13", "25/10/2026"], False),
        (["2026-11-10", "25/10/2026", "05/10/2026"], False),
        ([*["2026-11-10"] * 10, "25/10/2026"], True),
        ([*["2026-11-10"] * 11, "25/10/2026"], False),
        (["2026-11-10", "25/10/2026", "10/25/2026"], False),
        (["2026-11-10", "25.10.2026"], False),
        (["2026-11-10", "n/a"], False),
    ],
)
def test_dates_that_a_spreadsheet_has_read_the_wrong_way_round(
    cells: list[str], is_exchanged: bool, order: str | None
) -> None:
    """A spreadsheet makes dates of those that it can read, and leaves the others as they are."""
    lines = [f"AAAAAAAAAAAAA{number},{cell}" for number, cell in enumerate(cells, 10)]
    found = validate("\n".join(["gclid,conversion_date_time", *lines]), date_order=order)
    refused = {n for n, code in found.refused.items() if code == "DATE_EXCHANGED"}
    with_year_first = {n for n, cell in enumerate(cells, 2) if cell.startswith("2026-")}
    assert refused == (with_year_first if is_exchanged else set())
    assert not refused & found.sent.keys()


@pytest.mark.parametrize(
    ("sign", "cells", "sent"),
    [
        (",", ["1,234", "12,500", "1,234.50", "2,450.75", "99.90"], []),
        (".", ["1.234", "12.500", "1.234,50", "2.450,75", "99,90"], []),
        (",", ["99.500", "120.000", "19.990", "1234.500"], []),
        (",", ["1,234", "99.90", "99,90"], ["1,234", "99,90"]),
        (",", ["1,234", "99.90", "89.90", "99,90"], ["99,90"]),
        (".", ["USD 1.234", "1234", "0,990", "7 USD"], ["1234", "7 USD"]),
        (",", ['="1,234"', '="99.90"'], []),
        (".", ["1.234", "12,500"], ["1.234", "12,500"]),
        (None, ["12.50", "99,90", "89,90"], ["12.50", "99,90", "89,90"]),
    ],
)
@pytest.mark.parametrize("field", ["conversion_value", "adjusted_value"])
def test_numbers_with_two_meanings_among_numbers_with_the_other_sign(
    sign: Any, cells: list[str], sent: list[str], field: str
) -> None:
    """They are rejected if more numbers of the chunk contradict the declared sign than agree with
    it, and nobody says what they are worth."""
    kind: RecordKind = "adjustment" if field == "adjusted_value" else "conversion"
    entry = EntryRules("1001", adjustment_type="restatement")
    header = ["order_id", "gclid", "conversion_date_time", "adjustment_date_time", field]
    settings = {"number_format": NumberFormat(sign), "entries": [entry]}
    engine = engine_for(header, kind, **settings)
    times = ["2026-11-20 10:00"] * 2
    rows: list[Row] = [
        (line, [f"SO-{line}", f"AAAAAAAAAAAAA{line}", *times, cell], None, 1)
        for line, cell in enumerate(cells, 10)
    ]
    found = engine.validate(rows)
    assert [cells[line - 10] for line in found.lines] == sent
    refused = {(each.errors[0].code, each.micros) for each in found.refused}
    assert refused <= {("DECIMAL_SIGN_MISMATCH", None)}


def test_a_chunk_and_a_column_are_judged_alone() -> None:
    """Each entry may have a time column of its own, which only its own dates contradict."""
    places = [{"gclid": 0, "conversion_date_time": place} for place in (1, 2)]
    engine = Engine(places, rules_of(date_order="MDY", entries=[EntryRules("1001")] * 2))
    first = rows_of(
        """
AAAAAAAAAAAAAA1,20/11/2026,20/11/2026
AAAAAAAAAAAAAA2,10/11/2026,20/11/2026
AAAAAAAAAAAAAA3,20/11/2026,11/20/2026
AAAAAAAAAAAAAA4,20/11/2026,10/11/2026
"""
    )
    assert engine.validate(first, [0, 0, 1, 1]).lines == [4, 5]
    assert engine.validate(first[1:], [0, 1, 1]).lines == [3, 4, 5]
    exchanged = rows_of(
        """
AAAAAAAAAAAAAA1,20/11/2026,
AAAAAAAAAAAAAA2,,2026-11-10
AAAAAAAAAAAAAA3,2026-11-10,
"""
    )
    engine = Engine(places, rules_of(entries=[EntryRules("1001")] * 2))
    assert engine.validate(exchanged, [0, 1, 0]).lines == [2, 3]


def test_a_conversion_older_than_the_look_back_is_sent() -> None:
    """A conversion before the look-back window is sent, because the click time is unknown."""
    validated = validate(
        """
gclid,conversion_date_time,conversion_action
AAAAAAAAAAAAAA1,2026-10-01 10:00:00,1002
AAAAAAAAAAAAAA2,2026-10-01 10:00:00,1001
AAAAAAAAAAAAAA3,2026-08-01 10:00:00,1002
"""
    )
    assert sorted(validated.sent) == [2, 3]
    assert validated.warned == {2: "OLDER_THAN_LOOKBACK"}
    assert validated.refused == {4: "TOO_OLD"}


@pytest.mark.parametrize("word", ["unknown", "Unspecified", "-", "CONSENT_STATUS_UNSPECIFIED"])
def test_unspecified_consent_is_not_replaced_by_the_profiles(word: str) -> None:
    """The profile's consent replaces only empty cells."""
    validated = validate(
        f"""
gclid,conversion_date_time,ad_user_data,ad_personalization
AAAAAAAAAAAAAA1,2026-11-20 10:00:00,{word},{word}
AAAAAAAAAAAAAA2,2026-11-20 10:00:00,,
""",
        ad_user_data="GRANTED",
        destination="data_manager",
    )
    assert [each.ad_user_data for each in validated.sent.values()] == [None, "GRANTED"]
    assert {each.optional_fields for each in validated.sent.values()} == {None}


def test_a_call_states_both_consents() -> None:
    """What a caller refused is refused for the call, too."""
    validated = validate(
        """
caller_id,call_start_date_time,conversion_date_time,ad_user_data,ad_personalization,event_source
+12125550101,sold,noon,Denied,Denied,WEB
""",
        destination="data_manager",
        kind="call",
    )
    assert validated.sent[2].ad_user_data == "DENIED"
    assert validated.sent[2].optional_fields == {"ad_personalization": "DENIED"}


@pytest.mark.parametrize(
    ("destination", "warned"), [("google_ads", {}), ("data_manager", {2: "UNKNOWN_WORD"})]
)
def test_a_field_that_is_not_sent_is_not_read(destination: str, warned: dict[int, str]) -> None:
    """The Google Ads API takes no event source, so nothing is said of its cells."""
    validated = validate(
        """
gclid,conversion_date_time,event_source
Cj0KCQiAexample,2026-11-20 10:00:00,fax machine
""",
        destination,
    )
    assert (validated.warned, [*validated.sent]) == (warned, [2])


def test_an_invalid_click_id_is_left_out() -> None:
    """An invalid click ID gets a warning, and only a row without another identifier is rejected."""
    validated = validate(
        """
gclid,wbraid,email,conversion_date_time
organic,,jane@example.com,2026-11-20 10:00:00
2026-11-20,,joe@example.com,2026-11-20 10:00:00
{gclid},,,2026-11-20 10:00:00
https://example.com/?gclid=Cj0KCQiAexample,,,2026-11-20 10:00:00
,CjoKCQiAexample\u2026,jane@example.com,2026-11-20 11:00:00
Cj0KCQiAexampleCj0KCQiA...,,,2026-11-20 10:00:00
"""
    )
    invalid = dict.fromkeys([2, 3, 4], "INVALID_CLICK_ID")
    assert validated.warned == {**invalid, **dict.fromkeys([6, 7], "INVALID_CLICK_ID")}
    assert validated.placeholders == {}
    assert validated.refused == dict.fromkeys([4, 7], "NO_CLICK_ID_OR_IDENTIFIER")
    sent = {line: (each.gclid, each.wbraid) for line, each in validated.sent.items()}
    assert sent == {2: ("", ""), 3: ("", ""), 5: ("Cj0KCQiAexample", ""), 6: ("", "")}


@pytest.mark.parametrize("route", ["google_ads", "data_manager"])
def test_which_click_id_is_sent(route: str) -> None:
    """Of two braids, the gbraid is sent; for an action that counts one conversion per click, none
    is sent, and the row is rejected only if it has no other identifier."""
    validated = validate(
        """
gclid,gbraid,wbraid,email,conversion_action,conversion_date_time
,GGGGGGGGGGGGGG1,WWWWWWWWWWWWWW1,,1001,2026-11-20 10:00:00
,,WWWWWWWWWWWWWW2,jane@example.com,1001,2026-11-20 10:00:00
,GGGGGGGGGGGGGG3,WWWWWWWWWWWWWW3,jane@example.com,1003,2026-11-20 10:00:00
,,WWWWWWWWWWWWWW4,,1003,2026-11-20 10:00:00
CCCCCCCCCCCCCC5,GGGGGGGGGGGGGG5,,,1003,2026-11-20 10:00:00
""",
        destination=route,
    )
    click_ids = {
        line: (each.gclid or "-", each.gbraid or "-", each.wbraid or "-")
        for line, each in validated.sent.items()
    }
    assert click_ids == {
        2: ("-", "GGGGGGGGGGGGGG1", "-"),
        3: ("-", "-", "WWWWWWWWWWWWWW2"),
        4: ("-", "-", "-"),
        6: ("CCCCCCCCCCCCCC5", "-", "-"),
    }
    assert validated.warned == {
        2: "SEVERAL_CLICK_IDS",
        4: "BRAID_ON_ONE_PER_CLICK",
        5: "BRAID_ON_ONE_PER_CLICK",
        6: "SEVERAL_CLICK_IDS",
    }
    assert validated.refused == {5: "NO_CLICK_ID_OR_IDENTIFIER"}
    assert (validated.sent[4].order_id or "").startswith("auto-")  # its click ID is left out


@pytest.mark.parametrize(
    ("value", "currency", "constant", "of_profile", "sent"),
    [
        # an empty cell: of an entry without a constant, and with one
        ("", "", None, "EUR", "VALUE_MISSING conversion_value"),
        ("N/A", "", None, "EUR", "VALUE_MISSING conversion_value"),
        ("", "", "action_default", "EUR", "None None"),
        ("", "", 50, "EUR", "50.0 EUR"),
        ("", "", 0, "EUR", "0.0 EUR"),
        # another cell beats the constant, and a bad one is not replaced by it
        ("5", "", None, "EUR", "5.0 EUR"),
        ("5", "", "action_default", "EUR", "5.0 EUR"),
        ("much", "", "action_default", "EUR", "INVALID_CONVERSION_VALUE conversion_value"),
        # the currency of the row, else of the profile, else what is written next to the value
        ("12", "", None, None, "12.0 None"),
        ("12", "", None, "USD", "12.0 USD"),
        ("12", "NULL", None, "EUR", "12.0 EUR"),
        ("12 EUR", "", None, None, "12.0 EUR"),
        ("\u20ac12", "", None, None, "12.0 EUR"),
        ("\u20ac12", "", None, "EUR", "12.0 EUR"),
        ("12 EUR", "EUR", None, "USD", "12.0 EUR"),
        ("12 EUR", "USD", None, "USD", "CURRENCY_CONTRADICTS conversion_value"),
        # a sign of several currencies needs a declared one, to which it belongs
        ("$12", "", None, "CAD", "12.0 CAD"),
        ("kr 12", "", None, "CAD", "CURRENCY_CONTRADICTS conversion_value"),
        ("$12", "", None, None, "AMBIGUOUS_CURRENCY conversion_value"),
        ("\u00a512", "", None, None, "AMBIGUOUS_CURRENCY conversion_value"),
        ("kr 12", "", None, None, "AMBIGUOUS_CURRENCY conversion_value"),
        # an unreadable currency, which matters only to a row with a value
        ("", "Taler", "action_default", None, "None None"),
        (" ", "Taler", "action_default", None, "None None"),
        ("12", "Taler", None, None, "INVALID_CURRENCY currency_code"),
        ("12 EUR", "Taler", None, None, "INVALID_CURRENCY currency_code"),
        ("0", "Taler", None, None, "INVALID_CURRENCY currency_code"),
        ("much", "Taler", None, None, "INVALID_CONVERSION_VALUE conversion_value"),
    ],
)
def test_the_value_of_a_row_and_its_currency(
    value: str, currency: str, constant: Any, of_profile: str | None, sent: str
) -> None:
    """The cells decide, then the profile. What is missing or contradictory rejects the row."""
    found = validate(
        f"""
gclid,conversion_date_time,conversion_value,currency_code
AAAAAAAAAAAAAA1,2026-11-20 10:00,{value},{currency}
""",
        entries=[EntryRules("1001", constant)],
        currency_code=of_profile,
    )
    money = [f"{each.value} {each.currency_code}" for each in found.sent.values()]
    assert [*money, *found.fields.values()] == [sent]


@pytest.mark.parametrize(
    ("value", "currency", "sent"),
    [
        ("1999", "USD", "19.99 USD"),
        ("1999.00", "", "19.99 None"),
        ("12.50", "USD", "VALUE_NOT_IN_CENTS conversion_value"),
        ("1000", "JPY", "VALUE_NOT_IN_CENTS conversion_value"),
        ("1000 KWD", "", "VALUE_NOT_IN_CENTS conversion_value"),
    ],
)
def test_values_in_cents_have_no_decimals_and_a_currency_with_cents(
    value: str, currency: str, sent: str
) -> None:
    """Otherwise a value would be wrong by a factor of a hundred."""
    found = validate(
        f"""
gclid,conversion_date_time,conversion_value,currency_code
AAAAAAAAAAAAAA1,2026-11-20 10:00,{value},{currency}
""",
        number_format=NumberFormat(".", 0.01),
    )
    money = [f"{each.value} {each.currency_code}" for each in found.sent.values()]
    assert [*money, *found.fields.values()] == [sent]


@pytest.mark.parametrize(
    ("rows", "sums"),
    [
        (["5,"], {"USD": Sum(1, 5_000_000)}),
        (["5,", "7,EUR", ","], {"USD": Sum(1, 5_000_000), "EUR": Sum(1, 7_000_000)}),
        (["7,EUR", ","], {"EUR": Sum(1, 7_000_000)}),
        ([","], {}),
    ],
)
def test_a_value_without_a_currency_is_in_that_of_the_account(
    rows: list[str], sums: dict[str, Sum]
) -> None:
    """The results say it, although the request states no currency."""
    names = ["conversion_value", "currency_code", "gclid", "conversion_date_time"]
    cells = [f"{row},Cj0KCQiAexample{n},2026-11-20 10:00" for n, row in enumerate(rows)]
    validated = engine_for(names).validate(rows_of("\n".join(cells)))
    assert validated.values.sums() == sums


def test_entries_have_currencies_of_their_own() -> None:
    """The constant of an entry is that of its rows alone, and only of those without another."""
    rules = [EntryRules("1001", 100, currency_code="GBP"), EntryRules("1001", None)]
    columns = [
        {"gclid": 0, "conversion_date_time": 1},
        {"gclid": 0, "conversion_date_time": 1, "conversion_value": 2, "currency_code": 3},
    ]
    cells = [("9", "EUR"), ("9", "EUR"), ("8", "")]
    rows = [(f"A000000000000{n}", "2026-11-20 10:00", *each) for n, each in enumerate(cells)]
    keys = replace(rules_of(), entries=rules)
    found = Engine(columns, keys).validate(
        [(n, row, None, 1) for n, row in enumerate(rows, 2)], [0, 1, 1]
    )
    sent = [(each.value, each.currency_code) for each in found.records]
    assert sent == [(100.0, "GBP"), (9.0, "EUR"), (8.0, None)]


def test_entries_have_columns_and_actions_of_their_own() -> None:
    """Rows of several entries keep the file's order, and repeats are found across the entries."""
    rules = [EntryRules("1001", None), EntryRules("1001", 50), EntryRules("1002", 7)]
    columns = [
        {"gclid": 0, "conversion_date_time": 1, "conversion_value": 3, "order_id": 4},
        {"gclid": 0, "conversion_date_time": 2, "order_id": 4},
        {"gclid": 0, "conversion_date_time": 2},
    ]
    rows = [
        ("A0000000000001", "2026-11-20 10:00", "2026-11-01 10:00", "9", "O1"),
        ("A0000000000002", "2026-11-20 10:00", "2026-11-01 10:00", "9", "O1"),
        ("A0000000000003", "2026-11-20 10:00", "2026-11-01 10:00", "9", "O1"),
        ("A0000000000004", "2026-11-20 10:00", "2026-11-01 10:00", "8", "O2"),
    ]
    engine = Engine(columns, rules_of(entries=rules))
    found = engine.validate([(n, row, None, 1) for n, row in enumerate(rows, 2)], [0, 1, 2, 1])
    sent = {
        line: (each.action_id, each.time[8:10], each.value, each.order_id)
        for line, each in zip(found.lines, found.records, strict=True)
        if isinstance(each, Conversion)
    }
    assert sent == {
        2: ("1001", "20", 9.0, "O1"),
        4: ("1002", "01", 7.0, None),
        5: ("1001", "01", 50.0, "O2"),
    }
    assert found.repeats == {3: 2}


def test_the_value_of_a_refused_row_is_in_the_accounts_currency() -> None:
    """Also if the row is refused for its action: the currency is not the action's."""
    places = {"gclid": 0, "conversion_date_time": 1, "conversion_value": 2, "conversion_action": 3}
    row = ("A0000000000001", "2026-11-20 10:00", "9", "Unknown action")
    (refused,) = Engine([places], rules_of()).validate([(2, row, None, 1)]).refused
    assert (refused.micros, refused.currency) == (9_000_000, "USD")


@pytest.mark.parametrize(
    "time, refused",
    [
        ("2026-11-20 10:00:00+01:00", ""),
        ("2026-11-20T10:00:00Z", ""),
        ("2026-11-20 10:00:00 America/Chicago", ""),
        ("1795168800", ""),
        ("2026-11-20 10:00:00", "UNKNOWN_TIME_ZONE time_zone"),
        ("11/20/2026", "UNKNOWN_TIME_ZONE time_zone"),
        ("2026-11-20 10:00:00 Mars/Base", "UNKNOWN_TIME_ZONE conversion_date_time"),
        ("yesterday", "INVALID_DATE conversion_date_time"),
    ],
)
def test_an_unreadable_zone_rejects_only_times_that_need_it(time: str, refused: str) -> None:
    """An unreadable zone rejects only times without a zone; an empty cell means the file's zone."""
    validated = validate(
        f"""
gclid,conversion_date_time,time_zone
AAAAAAAAAAAAAA1,2026-11-20 10:00:00,
AAAAAAAAAAAAAA2,{time},Central (US)
"""
    )
    assert 2 in validated.sent
    assert (3 in validated.sent) is (not refused)
    assert validated.fields.get(3, "") == refused


def test_one_person_twice_is_one_identifier() -> None:
    """An address and its digest are one identifier, even with spaces or capitals."""
    of_jane = digest("jane@example.com")
    validated = validate(
        f"""
email,email_2,hashed_email,phone,conversion_date_time
jane@example.com,,{of_jane},,2026-11-20 10:00:00
 {of_jane.upper()} ,Jane@example.com,,,2026-11-20 11:00:00
,,, {of_jane} ,2026-11-20 12:00:00
"""
    )
    assert [each.hashed_emails for each in validated.sent.values()] == [(of_jane,), (of_jane,), ()]
    assert validated.sent[4].hashed_phones == (of_jane,)
    assert validated.warned == {}


def test_the_digest_of_an_empty_cell_identifies_nobody() -> None:
    """The digest of an empty cell is left out; it would identify all customers without address."""
    validated = validate(
        f"""
email,phone,hashed_email,conversion_date_time
{NO_DIGEST},,,2026-11-20 10:00:00
,{NO_DIGEST.upper()},,2026-11-20 11:00:00
,,{NO_DIGEST},2026-11-20 12:00:00
"""
    )
    assert validated.warned == dict.fromkeys([2, 3, 4], "INVALID_DIGEST")
    assert set(validated.refused.values()) == {"NO_CLICK_ID_OR_IDENTIFIER"}


def test_the_country_of_a_phone_may_be_a_calling_code() -> None:
    """One that can't be read leaves the phone out: the profile's country would be a guess."""
    validated = validate(
        """
email,country_code,phone,conversion_date_time
jane@example.com,91,9855550123,2026-11-20 10:00:00
jane@example.com,+971,505550123,2026-11-20 11:00:00
jane@example.com,0044,020 7946 0123,2026-11-20 12:00:00
jane@example.com,,(212) 555-0101,2026-11-20 13:00:00
jane@example.com,999,(212) 555-0102,2026-11-20 14:00:00
jane@example.com,999,+1 212 555 0103,2026-11-20 15:00:00
"""
    )
    phones = ("+919855550123", "+971505550123", "+442079460123", "+12125550101", "", "+12125550103")
    assert [each.hashed_phones for each in validated.sent.values()] == [
        (digest(phone),) if phone else () for phone in phones
    ]
    assert validated.warned == {6: "INVALID_REGION INVALID_PHONE", 7: "INVALID_REGION"}
    assert validated.refused == {}


@pytest.mark.parametrize(
    "route, columns, most",
    [
        ("google_ads", "", 5),
        ("data_manager", "", 10),
        ("data_manager", ",first_name,last_name,postal_code,country_code", 9),
    ],
)
def test_each_api_has_a_limit_of_identifiers(route: str, columns: str, most: int) -> None:
    """Surplus identifiers are left out; an address counts as one in the Data Manager API."""
    names = ["email", *(f"email_{n}" for n in range(2, 10)), "phone", "phone_2", "phone_3"]
    cells = [f"jane.{n}@example.com" for n in range(9)] + [f"212 555 010{n}" for n in range(3)]
    address = columns and ",Jane,Doe,10001,US"
    validated = validate(
        f"conversion_date_time,{','.join(names)}{columns}\n"
        f"2026-11-20 10:00:00,{','.join(cells)}{address}",
        destination=route,
    )
    sent = validated.sent[2]
    assert len(sent.hashed_emails + sent.hashed_phones) == most
    assert validated.warned == {2: "TOO_MANY_IDENTIFIERS"}


def test_a_cart_without_items_is_left_out() -> None:
    """Merchant columns without items make no cart."""
    validated = validate(
        """
gclid,conversion_date_time,merchant_id,feed_country_code,items
AAAAAAAAAAAAAA1,2026-11-20 10:00:00,123,US,
AAAAAAAAAAAAAA2,2026-11-20 10:00:00,123,US,a:1:2
"""
    )
    assert validated.sent[2].optional_fields is None
    assert validated.sent[3].optional_fields is not None


def test_a_wrong_discount_costs_the_cart() -> None:
    """Shops write discounts with a minus too. The row is sent with its value, but without the cart:
    with another discount, Google would count another one."""
    validated = validate(
        """
gclid,conversion_date_time,conversion_value,local_transaction_cost,items
AAAAAAAAAAAAAA1,2026-11-20 10:00:00,40,-2.50,a:1:2
AAAAAAAAAAAAAA2,2026-11-20 10:00:00,40,2.50,a:1:2
AAAAAAAAAAAAAA3,2026-11-20 10:00:00,40,,a:1:2
"""
    )
    carts = [
        each.optional_fields and each.optional_fields["cart"] for each in validated.sent.values()
    ]
    item = (CartItem("a", 1, 2.0),)
    assert carts == [None, {"local_transaction_cost": 2.5, "items": item}, {"items": item}]
    assert validated.warned == {2: "INVALID_CART_DATA"}


def test_a_cart_in_cents() -> None:
    """The profile's scale applies to every amount of a row, without errors of binary fractions."""
    validated = validate(
        """
gclid,conversion_date_time,conversion_value,local_transaction_cost,items
AAAAAAAAAAAAAA1,2026-11-20 10:00:00,1999,250,a:2:1999
""",
        number_format=NumberFormat(scale=0.01),
    )
    optional = validated.sent[2].optional_fields
    assert validated.sent[2].value == 19.99
    assert optional is not None
    assert optional["cart"] == {"local_transaction_cost": 2.5, "items": (CartItem("a", 2, 19.99),)}


def test_a_country_that_is_read_twice_is_reported_once() -> None:
    """The country of an address is also that of the phone number."""
    row = "a@example.com,212 555 0101,Ada,Example,10001,Atlantis,2026-11-20 10:00,SO-1"
    header = "email,phone,first_name,last_name,postal_code,country_code"
    found = validate(f"{header},conversion_date_time,order_id\n{row}", "data_manager")
    assert found.warned == {2: "INVALID_REGION INVALID_PHONE ADDRESS_INCOMPLETE"}


def test_missing_address_columns_warn_no_row() -> None:
    """Only a missing cell warns its row; missing address columns are noted once for the file."""
    rows = "email,first_name,last_name,conversion_date_time{}\nj@example.com,J,D,2026-11-20 10:00{}"
    without = validate(rows.format("", ""), destination="data_manager")
    assert without.warned == {}
    assert without.sent[2].optional_fields is None
    whole = validate(rows.format(",postal_code,country_code", ",,US"), destination="data_manager")
    assert whole.warned == {2: "ADDRESS_INCOMPLETE"}


@pytest.mark.parametrize(
    ("row", "settings"),
    [
        ("ann@example.com,212-555-0100,9.50,2026-11-20 10:00:00", {}),
        ("ann@example.com,nonsense,9.50,2026-11-20 10:00:00", {}),
        ("ann@example.com,,9.50,2026-11-20 10:00:00", {"currency_code": "EUR"}),
        ("ann@example.com,,9.50,2026-11-20T10:00:00Z", {"zone": None}),
    ],
)
def test_a_corrected_row_is_still_the_same_conversion(row: str, settings: dict[str, Any]) -> None:
    """A row without order ID keeps its derived order ID if other cells or keys are corrected."""
    header = "email,phone,conversion_value,conversion_date_time"
    first = validate(f"{header}\nann@example.com,,9.5,2026-11-20 10:00:00+00:00")
    again = validate(f"{header}\n{row}", **settings)
    assert again.sent[2].order_id == first.sent[2].order_id


@pytest.mark.parametrize(
    ("identity", "country", "refused"),
    [
        ("030 1234567,+4930999888,,,", "Atlantis", "PHONE_COUNTRY_NEEDED country_code"),
        ("030 1234567,+4930999888,,,", "1", "PHONE_COUNTRY_NEEDED country_code"),
        ("030 1234567,+4930999888,,,", "", "PHONE_COUNTRY_NEEDED country_code"),
        ("030 1234567,+4930999888,ann@example.com,,", "", ""),
        ("+49301234567,+4930999888,,,", "Atlantis", ""),
        ("+49,+4930999888,,,", "", ""),
        ("030 1234567,+4930999888,ann@example.com,,", "Atlantis", ""),
        ("030 1234567,+4930999888,,O1,", "Atlantis", ""),
        ("030 1234567,+4930999888,,,AAAAAAAAAAAAAA1", "Atlantis", ""),
    ],
)
def test_a_derived_order_id_needs_the_country_of_its_phone(
    identity: str, country: str, refused: str
) -> None:
    """With the country corrected, the row would have another ID, and count again."""
    header = "phone,phone_2,email,order_id,gclid,country_code,conversion_date_time"
    rows = f"{header}\n{identity},{{}},2026-11-20 10:00:00"
    validated = validate(rows.format(country), phone_region=None)
    assert validated.fields.get(2, "") == refused
    if not refused:
        corrected = validate(rows.format("DE"))
        assert validated.sent[2].order_id == corrected.sent[2].order_id


def test_a_phone_without_a_country_is_left_out() -> None:
    """A number that needs an undeclared region costs its row only if nothing else identifies it."""
    validated = validate(
        """
gclid,email,phone,conversion_date_time,order_id
AAAAAAAAAAAAAA1,,030 1234567,2026-11-20 10:00:00,O1
,ann@example.com,030 1234567,2026-11-20 10:00:00,O2
,,030 1234567,2026-11-20 10:00:00,O3
,,+4930999888,2026-11-20 10:00:00,O4
""",
        phone_region=None,
    )
    assert list(validated.sent) == [2, 3, 5]
    assert validated.refused == {4: "NO_CLICK_ID_OR_IDENTIFIER"}
    assert validated.warned == dict.fromkeys([2, 3, 4], "PHONE_REGION_MISSING")


@pytest.mark.parametrize(("with_plus", "loses"), [(0, True), (1, True), (2, False), (3, False)])
def test_a_file_that_loses_most_phones(with_plus: int, loses: bool) -> None:
    """Two of these numbers have no country."""
    engine = engine_for(["phone", "conversion_date_time"], phone_region=None)
    phones = ["030 1234567", "030 1234568", *["+4930999888"] * with_plus, "", "N/A", "+1"]
    engine.validate(rows_of("\n".join(f"{phone},2026-11-20 10:00" for phone in phones)))
    assert engine.loses_most_phones is loses


PAIRS = "gad_source=1;gad_campaignid=2;landing_page_url=https://example.com/"


@pytest.mark.parametrize(
    ("pairs", "is_complete"),
    [
        (f"{PAIRS};session_start_time_usec=3", True),
        (f"{PAIRS};session_start_time_usec=3;landing_page_referrer=r", True),
        (PAIRS, False),
        (
            f"{PAIRS};session_start_time_usec=3;landing_page_referrer=r".replace(
                "gad_source=1;", ""
            ),
            False,
        ),
        ("gad_source=1", False),
    ],
)
def test_incomplete_session_attributes_identify_nobody(pairs: str, is_complete: bool) -> None:
    """Google needs four of the six, gad_source and gad_campaignid among them."""
    validated = validate(
        f"""
gclid,session_attributes_key_value_pairs,conversion_date_time
,{pairs},2026-11-20 10:00:00
AAAAAAAAAAAAAA1,{pairs},2026-11-20 10:00:00
""",
        "data_manager",
    )
    assert list(validated.sent) == ([2, 3] if is_complete else [3])
    assert validated.refused == ({} if is_complete else {2: "NO_CLICK_ID_OR_IDENTIFIER"})
    assert validated.warned == dict.fromkeys(
        [] if is_complete else [2, 3], "SESSION_ATTRIBUTES_INCOMPLETE"
    )


LONG = "SO-" + "x" * 62


@pytest.mark.parametrize(
    ("order_id", "destination", "sent"),
    [
        (LONG[:64], "google_ads", LONG[:64]),
        (LONG, "google_ads", "order-gbkpjdpkljhdndaaapfpoabadgjecamh"),
        (LONG, "data_manager", "order-gbkpjdpkljhdndaaapfpoabadgjecamh"),
        (LONG[:64] + "1", "google_ads", "order-mepdfhbnjchobcnjnplgdepbhdclmcid"),
        ("7" * 64, "google_ads", "7" * 64),
        ("7" * 58, "data_manager", "7" * 58),
        ("7" * 59, "data_manager", "order-bnlflppajhbmbjhfbighnoenbmhcifjf"),
        ("é" * 64, "data_manager", "é" * 64),
        ("7" * 9_000, "google_ads", "order-ekcmepdngkanckemmkhafopicklcbdfe"),
    ],
)
def test_a_long_order_id_becomes_a_digest(order_id: str, destination: str, sent: str) -> None:
    """Google takes 64 characters, with the prefix of the API. The digest never changes: another one
    would count sales twice."""
    text = f"gclid,conversion_date_time,order_id\nAAAAAAAAAAAAAA1,2026-11-20 10:00,{order_id}"
    assert validate(text, destination).sent[2].order_id == sent
    assert len(capabilities_of(destination).sent_order_id(sent)) <= 64


def test_the_order_id_of_a_tag_stays_as_it_is() -> None:
    """With a digest, Google would not find the conversion, and count a new one."""
    text = f"gclid,conversion_date_time,order_id\nAAAAAAAAAAAAAA1,2026-11-20 10:00,{LONG}"
    unread = Account("1234567890", "1234567890")
    sent = validate(text, "data_manager", is_of_tag=True, account=unread).sent
    assert sent[2].order_id == LONG


def test_validating_rows_leaves_no_reference_cycle() -> None:
    """A kept exception would keep its whole chunk in memory, and the collector runs rarely."""
    bad = "\n".join(
        f"a@example.com,+1 212 555 01{n},XX,maybe,2026-11-20 10:00:00,abc,US$,x@example.com,?"
        for n in range(10, 30)
    )
    text = (
        "email,phone,country_code,ad_user_data,conversion_date_time,conversion_value,"
        f"currency_code,order_id,custom_variable.Nope\n{bad}"
    )
    gc.collect()
    gc.disable()
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        validate(text)
        gc.collect()
        ours = (Conversion, RowOutcome, Problem, Engine)
        assert [each for each in gc.garbage if isinstance(each, ours)] == []
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()
