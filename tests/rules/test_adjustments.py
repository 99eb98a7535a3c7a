"""Adjustments and calls, validated: what they name, and which of them are sent."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from lib.destinations.registry import capabilities_of
from lib.model.capabilities import KindCapabilities
from lib.model.fields import RecordKind
from lib.model.records import Call
from lib.rules.engine import Engine
from lib.rules.row_rules import EntryRules
from tests.rules import rows
from tests.rules.rows import Validated, engine_for, rows_of

ADS = capabilities_of("google_ads")
WITH_ORIGINAL = replace(
    ADS,
    kinds={
        **ADS.kinds,
        "adjustment": KindCapabilities(
            fields=ADS.kinds["conversion"].fields,
            identifying=frozenset({"order_id"}),
            adjustment_types=frozenset({"restatement"}),
            restates_with_original=True,
        ),
    },
)
SALES = "order_id,gclid,email,conversion_date_time,conversion_value"


def validate(text: str, kind: RecordKind = "adjustment", **settings: Any) -> Validated:
    """Validate a small file of one kind, with a profile in US dollars."""
    return rows.validate(text, kind=kind, currency_code="USD", **settings)


@pytest.mark.parametrize(
    ("sold", "refused", "warned"),
    [
        ("2026-11-10", "", "DATE_WITHOUT_TIME"),
        ("yesterday", "INVALID_DATE", ""),
        ("", "TIME_MISSING", ""),
        ("2026-11-10 10:00:00", "", ""),
    ],
)
def test_an_adjustment_by_click_needs_the_time_of_its_conversion(
    sold: str, refused: str, warned: str
) -> None:
    """What is wrong with that time is told, and a wrong one is not sent."""
    header = "gclid,conversion_date_time,adjustment_date_time,adjustment_type"
    validated = validate(f"{header}\nCjwKCAexample02,{sold},noon,RETRACT")
    assert validated.refused.get(2, "") == refused
    assert validated.warned.get(2, "") == warned


@pytest.mark.parametrize("digits", [58, 59, 64, 65])
@pytest.mark.parametrize("via", ["google_ads", "data_manager"])
def test_a_sale_and_its_correction_have_the_same_order_id(via: str, digits: int) -> None:
    """Also if the order ID is too long with the prefix of the sale's API, and the correction is
    sent through the other one."""
    order_id = "7" * digits
    sender = capabilities_of(via)
    sent = sender.sent_order_id
    sale = validate(
        f"gclid,conversion_date_time,order_id\nCj0KCQiAexample01,sold,{order_id}",
        "conversion",
        capabilities=sender,
        sent_order_id=sent,
    ).sent[2]
    correction = validate(
        f"order_id,adjustment_date_time,adjustment_type\n{order_id},noon,RETRACT",
        sent_order_id=sent,
    ).sent[2]
    assert correction.order_id == sent(sale.order_id or "")
    assert len(correction.order_id) <= 64
    assert sent(correction.order_id) == correction.order_id


def test_googles_template_by_order_and_by_click() -> None:
    """An adjustment names its conversion by order ID, or else by gclid and time, never by both."""
    validated = validate(
        """
order_id,gclid,conversion_date_time,adjustment_date_time,adjustment_type,adjusted_value
SO-1,,,noon,RETRACT,
SO-2,CjwKCAexample01,sold,noon,restatement,80
,CjwKCAexample02,sold,noon,RESTATE,0
"""
    )
    by_order, both, by_click = (validated.sent[line] for line in (2, 3, 4))
    assert (by_order.adjustment_type, by_order.order_id) == ("retraction", "SO-1")
    assert (by_order.value, by_order.currency_code) == (None, None)
    assert by_order.time == "2026-11-12 12:00:00+00:00"
    assert (both.order_id, both.gclid, both.conversion_time) == ("SO-2", "", "")
    assert (both.value, both.currency_code) == (80.0, "USD")
    assert (by_click.order_id, by_click.gclid) == (None, "CjwKCAexample02")
    assert by_click.conversion_time == "2026-11-10 10:00:00+00:00"
    assert validated.warned == {4: "RESTATED_TO_ZERO"}


RETRACTED = [EntryRules("1001", adjustment_type="retraction")]
RESTATED = [EntryRules("1001", adjustment_type="restatement")]


@pytest.mark.parametrize(
    ("entries", "value", "kind", "problem"),
    [
        (RETRACTED, "", "retraction", ""),
        (RETRACTED, "80", "", "VALUE_CONTRADICTS_TYPE"),
        (RESTATED, "80", "restatement", ""),
        (RESTATED, "", "", "VALUE_CONTRADICTS_TYPE"),
        (RESTATED, "n/a", "", "VALUE_CONTRADICTS_TYPE"),
        (RESTATED, "#REF!", "", "INVALID_CONVERSION_VALUE"),
    ],
)
def test_the_entry_says_what_is_adjusted(
    entries: list[EntryRules], value: str, kind: str, problem: str
) -> None:
    """The entry of the profile says the type, and the value must fit it."""
    row = f"order_id,adjusted_value,adjustment_date_time\nSO-1,{value},noon"
    found = validate(row, entries=entries)
    assert (found.sent[2].adjustment_type if kind else "") == kind
    assert found.refused.get(2, "") == problem


@pytest.mark.parametrize("capabilities", [None, WITH_ORIGINAL])
def test_a_sale_without_an_order_id_is_known_by_its_cells(capabilities: Any) -> None:
    """The order ID that was derived from them is derived again, whatever the new value is."""
    row = f"{SALES},adjustment_date_time,adjusted_value\n,,buyer@example.com,sold,100,noon,80"
    sale = validate(f"{SALES}\n,,buyer@example.com,sold,100", kind="conversion")
    given = {"capabilities": capabilities} if capabilities else {}
    adjustment = validate(row, entries=RESTATED, **given).sent[2]
    assert adjustment.order_id == sale.sent[2].order_id
    assert adjustment.order_id.startswith("auto-")
    assert (adjustment.original is not None) == bool(capabilities)


@pytest.mark.parametrize(
    "cells",
    [
        pytest.param(",,,sold,100", id="nobody"),
        pytest.param(",,buyer@example.com,sold,", id="no original value"),
        pytest.param(",,buyer@example.com,,100", id="no time of the sale"),
    ],
)
def test_a_row_that_names_no_conversion(cells: str) -> None:
    """The ID of a person's sale depends on its time and value, so both must be there."""
    found = validate(f"{SALES},adjustment_date_time\n{cells},noon", entries=RETRACTED)
    assert found.refused[2].startswith("ADJUSTS_NO_CONVERSION")


def test_a_file_without_the_time_of_the_sale_names_no_sale_of_a_person() -> None:
    """Such a file may declare the order of day and month all the same."""
    rows = "email,conversion_value,adjustment_date_time\nbuyer@example.com,100,noon"
    found = validate(rows, entries=RETRACTED, date_order="DMY")
    assert found.refused == {2: "ADJUSTS_NO_CONVERSION TIME_MISSING"}


def test_other_cells_do_not_matter_to_a_refund_with_an_order_id() -> None:
    """The order ID is enough: a negative value or a lost email address rejects no refund."""
    row = f"{SALES},adjustment_date_time\nSO-1,,nobody,,-100,noon"
    assert validate(row, entries=RETRACTED).sent[2].order_id == "SO-1"


@pytest.mark.parametrize(
    ("cell", "zone", "time"),
    [
        ("2026-11-20", "", "2026-11-20 23:59:59+00:00"),
        ("11/20/2026", "America/Chicago", "2026-11-20 23:59:59-06:00"),
        ('="2026-11-20"', "", "2026-11-20 23:59:59+00:00"),
        ("20261120", "", "2026-11-20 23:59:59+00:00"),
        ("2026\u5e7411\u670820\u65e5", "", "2026-11-20 23:59:59+00:00"),
        ("2026-11-24", "", "2026-11-24 12:00:00+00:00"),
        ("2026-11-24", "America/Chicago", "2026-11-24 06:00:00-06:00"),
        ("2026-11-20 00:00:00", "", "2026-11-20 23:59:59+00:00"),
        ("11/20/2026 12:00 AM", "", "2026-11-20 23:59:59+00:00"),
        ("11/20/2026 0:00", "", "2026-11-20 23:59:59+00:00"),
        ("2026-11-20 00:00:00.000", "", "2026-11-20 23:59:59+00:00"),
        ("2026-11-20 10:00:00", "", "2026-11-20 10:00:00+00:00"),
        ("2026-11-20 00:00:00Z", "", "2026-11-20 00:00:00+00:00"),
        ("2026-11-20 12:00:00", "", "2026-11-20 12:00:00+00:00"),
        ("2026-11-24", "+12:45", "2026-11-24 23:59:59+12:45"),
        ("2026-11-25", "+12:45", "2026-11-25 00:45:00+12:45"),
        ("2026-11-24", "+11:45", "2026-11-24 23:45:00+11:45"),
        ("2026-11-25", "", "FUTURE_DATE"),
        ("20.13.2026", "", "INVALID_DATE"),
    ],
)
def test_a_refund_on_a_day_is_at_its_end(cell: str, zone: str, time: str) -> None:
    """But not in the future. A time of day is taken as it is, but a stored midnight is none."""
    row = f"order_id,adjustment_date_time,time_zone\nSO-1,{cell},{zone}"
    found = validate(row, entries=RETRACTED)
    sent = found.sent.keys() and found.sent[2].time
    assert (sent or found.refused[2]) == time
    is_read_as_written = ":" in cell and not time.endswith("23:59:59+00:00")
    assert found.warned.get(2, "") == (
        "" if is_read_as_written or not sent else "ADJUSTED_ON_THAT_DAY"
    )


def test_a_refund_that_may_be_of_today_needs_the_order_of_day_and_month() -> None:
    """A date with two meanings is rejected among dates in the other order, also if the declared
    order makes it that of today."""
    settings = {"date_order": "DMY", "entries": RETRACTED}
    on_10_november = datetime(2026, 11, 10, 12, tzinfo=UTC)
    rules = replace(rows.rules_of(kind="adjustment", **settings), now=on_10_november)
    engine = Engine([{"order_id": 0, "adjustment_date_time": 1}], rules)
    assert engine.validate(rows_of("SO-1,10/11/2026")).records[0].time.startswith("2026-11-10")
    found = engine.validate(rows_of("SO-1,10/11/2026\nSO-2,10/20/2026"))
    assert [each.errors[0].code for each in found.refused] == ["DATE_ORDER_MISMATCH"] * 2
    assert found.refused[0].warnings == ()


def test_an_order_may_be_refunded_on_the_day_of_its_sale() -> None:
    """Its refund has a date only, which does not make it older than the sale."""
    header = "order_id,conversion_date_time,adjustment_date_time"
    row = f"{header}\nSO-1,2026-11-20 14:05:07,2026-11-20"
    assert validate(row, entries=RETRACTED).sent[2].adjustment_type == "retraction"


@pytest.mark.parametrize(
    ("own", "of_row", "column"),
    [
        ("Gulden", "EUR", "adjusted_value_currency"),
        ("", "Gulden", "currency_code"),
        ("N/A", "Gulden", "currency_code"),
        ("EUR", "Gulden", ""),
    ],
)
def test_a_currency_that_cannot_be_read_names_its_column(
    own: str, of_row: str, column: str
) -> None:
    """The currency of the row counts only if the new value has none of its own."""
    header = "order_id,adjustment_date_time,adjustment_type,adjusted_value,adjusted_value_currency"
    engine = engine_for([*header.split(","), "currency_code"], "adjustment")
    found = engine.validate(rows_of(f"SO-1,noon,RESTATE,80,{own},{of_row}"))
    errors = [(each.code, each.field) for row in found.refused for each in row.errors]
    assert errors == ([("INVALID_CURRENCY", column)] if column else [])


def test_an_order_id_is_named_as_it_was_sent() -> None:
    """1001.0 is 1001 where the profile says so, and another API's form of an ID is kept."""
    text = "order_id,adjustment_date_time,adjustment_type,adjusted_value\n1001.0,noon,RESTATE,8"
    validated = validate(text, integer_order_ids=True, sent_order_id="order-{}".format)
    assert validated.sent[2].order_id == "order-1001"


def test_a_sale_that_is_sent_again_keeps_its_currency() -> None:
    """The row may state it beside the first value only."""
    header = "order_id,email,conversion_date_time,conversion_value"
    text = f"""
{header},adjustment_date_time,adjustment_type,adjusted_value
SO-1,buyer@example.com,sold,100 EUR,noon,RESTATE,80
SO-2,buyer@example.com,sold,100 EUR,noon,RESTATE,80 GBP
"""
    sent = rows.validate(text, kind="adjustment", capabilities=WITH_ORIGINAL).sent.values()
    assert [(each.value, each.currency_code) for each in sent] == [(80.0, "EUR"), (80.0, "GBP")]


def test_what_a_sale_that_is_sent_again_lacks_is_told() -> None:
    """A click ID that cannot be read is missing from the sale, whichever row brings it."""
    header = f"{SALES},adjustment_date_time,adjustment_type,adjusted_value"
    row = "SO-1,short,buyer@example.com,sold,100,noon,RESTATE,80"
    assert validate(f"{header}\n{row}", capabilities=WITH_ORIGINAL).warned == {
        2: "INVALID_CLICK_ID"
    }


def test_the_original_is_sent_where_it_must_be() -> None:
    """There, a restatement carries the whole conversion; a row without it could invent one."""
    validated = validate(
        f"""
{SALES},adjustment_date_time,adjustment_type,adjusted_value
SO-1,,buyer@example.com,sold,100,noon,RESTATE,80
,,buyer@example.com,sold,,noon,RESTATE,80
SO-3,,,sold,100,noon,RESTATE,80
SO-4,,buyer@example.com,2026-01-01,100,noon,RESTATE,80
""",
        capabilities=WITH_ORIGINAL,
    )
    adjustment = validated.sent[2]
    named = adjustment.order_id, adjustment.value, adjustment.currency_code
    assert named == ("SO-1", 80.0, "USD")
    original = adjustment.original
    assert original is not None
    assert original.time == "2026-11-10 10:00:00+00:00"
    assert validated.refused == {
        3: "ADJUSTMENT_NEEDS_ORIGINAL",
        4: "ADJUSTMENT_NEEDS_ORIGINAL",
        5: "ADJUSTMENT_NEEDS_ORIGINAL TOO_OLD",
    }


CHANGES = {
    "later value": ("SO-1,noon,RESTATE,80", "SO-1,evening,RESTATE,60", "OLDER_THAN_CORRECTION", ""),
    "earlier value": (
        "SO-1,evening,RESTATE,60",
        "SO-1,noon,RESTATE,80",
        "",
        "OLDER_THAN_CORRECTION",
    ),
    "retracted": ("SO-1,evening,RESTATE,60", "SO-1,noon,RETRACT,", "OLDER_THAN_CORRECTION", ""),
    "retracted before": (
        "SO-1,noon,RETRACT,",
        "SO-1,evening,RESTATE,60",
        "",
        "OLDER_THAN_CORRECTION",
    ),
    "same": ("SO-1,noon,RESTATE,80", "SO-1,noon,RESTATE,80", "", "REPEATED_LINE"),
    "same time": (
        "SO-1,noon,RESTATE,80",
        "SO-1,noon,RESTATE,60",
        "",
        "REPEATED_WITH_OTHER_VALUE",
    ),
    "retracted twice": ("SO-1,noon,RETRACT,", "SO-1,evening,RETRACT,", "", "REPEATED_LINE"),
    "other order": ("SO-1,noon,RESTATE,80", "SO-2,evening,RESTATE,60", "", ""),
}


@pytest.mark.parametrize("case", CHANGES)
def test_one_adjustment_of_a_conversion_counts(case: str) -> None:
    """Of a chunk, the retraction is sent, or else the latest value."""
    first, second, lost_first, lost_second = CHANGES[case]
    header = "order_id,adjustment_date_time,adjustment_type,adjusted_value\n"
    validated = validate(f"{header}{first}\n{second}")
    lost = {line: code for line, code in ((2, lost_first), (3, lost_second)) if code}
    assert validated.refused == lost
    outcomes = {
        line: "skipped" if code == "OLDER_THAN_CORRECTION" else "duplicate"
        for line, code in lost.items()
    }
    assert validated.outcomes == outcomes


def test_calls() -> None:
    """A call has the caller's number in E.164, by the country of the row or the profile."""
    validated = validate(
        """
caller_id,country_code,call_start_date_time,conversion_date_time,conversion_value,ad_user_data
(212) 555-0101,,sold,noon,10,Granted
030 5550102,DE,sold,noon,,
+1 212-555-0103,,sold,noon,10,
+12125550103,,sold,noon,10,
+12125550103,,sold,noon,20,
+12125550103,,sold,evening,10,
030 5550104,Atlantis,sold,noon,,
030 5550104,1,sold,noon,,
""",
        "call",
    )
    calls = {line: each for line, each in validated.sent.items() if isinstance(each, Call)}
    assert {line: each.caller_id for line, each in calls.items()} == {
        2: "+12125550101",
        3: "+49305550102",
        4: "+12125550103",
        7: "+12125550103",
    }
    assert calls[2].ad_user_data == "GRANTED"
    assert (calls[2].value, calls[2].currency_code) == (10.0, "USD")
    assert calls[3].value is None
    assert validated.refused == {
        5: "REPEATED_LINE",
        6: "REPEATED_WITH_OTHER_VALUE",
        8: "INVALID_CALLER_ID",
        9: "INVALID_CALLER_ID",
    }


def test_only_a_country_that_nobody_states_is_missing() -> None:
    """One that cannot be read is another mistake, of the cell and not of the profile."""
    header = ["caller_id", "country_code", "call_start_date_time", "conversion_date_time"]
    engine = engine_for(header, "call", phone_region=None)
    found = engine.validate(rows_of("030 5550102,,sold,noon\n030 5550102,Atlantis,sold,noon"))
    warned = {row.line: [each.code for each in row.warnings] for row in found.refused}
    assert warned[2] == ["PHONE_REGION_MISSING"]
    assert "PHONE_REGION_MISSING" not in warned[3]


def test_no_problem_of_a_call_shows_the_callers_number() -> None:
    """Not even the number that is refused."""
    header = ["caller_id", "call_start_date_time", "conversion_date_time"]
    engine = engine_for(header, "call")
    found = engine.validate(rows_of("+12125550104,sold,\n+1212555010499999,sold,noon"))
    assert [row.line for row in found.refused] == [2, 3]
    assert "5550104" not in repr(found)
