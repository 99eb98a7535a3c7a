"""Every code of ours occurs in a check, with the effect that the catalogue states."""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import pytest

from lib.catalogue.codes import CATALOGUE, CAUSES_OF, Code
from lib.cli import dry_run
from tests.cli.validating import ACCOUNT, csv_of, row, validate
from tests.workbooks import workbook

EMAIL = {"email": "buyer@example.com"}
ADDRESS = {
    "first_name": "Ada",
    "last_name": "Example",
    "postal_code": "10001",
    "country_code": "US",
}
DM = {"destination": "data_manager"}
SIX_EMAILS = {f"email_{n}": f"buyer.{n}@example.com" for n in range(2, 7)}


@dataclass(frozen=True, slots=True)
class File:
    """A file that causes a code: one valid row changed by `cells`, or `content`."""

    cells: Mapping[str, str] = field(default_factory=dict)
    content: bytes = b""
    profile: Mapping[str, Any] = field(default_factory=dict)
    asked: bool = False
    """Whether the account (`ACCOUNT`) can be read; otherwise the check is offline."""
    now: datetime = datetime(2026, 11, 24, 12, tzinfo=UTC)


def _row(profile: Mapping[str, Any] | None = None, asked: bool = False, **cells: str) -> File:
    return File(cells, profile=profile or {}, asked=asked)


def _file(content: bytes, **profile: Any) -> File:
    return File(content=content, profile=profile)


def _lines(*lines: bytes) -> File:
    return File(content=b"gclid,conversion_action,conversion_date_time\n" + b"\n".join(lines))


def _asked(row: Mapping[str, str]) -> File:
    return File(content=csv_of(row), asked=True)


RESTATES = {"conversions": [{"send": "restatement"}]}
NO_VALUE = {"adjusted_value": ""}
BY_CLICK = {
    "order_id": "",
    "gclid": "Cj0KCQiAexample0001",
    "conversion_date_time": "2026-11-15 10:00:00+00:00",
}
BEFORE = {"adjustment_date_time": "2026-11-14 10:00:00+00:00"}
LONG_AGO = {"conversion_date_time": "2026-09-20 10:00:00+00:00"}
BEFORE_CALL = {"conversion_date_time": "2026-11-20 09:59:00+00:00"}


def adjustment(**cells: str) -> dict[str, str]:
    """Return a row of a file of adjustments."""
    return {
        "order_id": "SO-1",
        "conversion_action": "1001",
        "adjustment_date_time": "2026-11-20 10:00:00+00:00",
        "adjustment_type": "RESTATE",
        "adjusted_value": "80",
        **cells,
    }


def call(**cells: str) -> dict[str, str]:
    """Return a row of a file of calls."""
    return {
        "caller_id": "+12125550100",
        "call_start_date_time": "2026-11-20 10:00:00+00:00",
        "conversion_action": "1004",
        "conversion_date_time": "2026-11-20 11:00:00+00:00",
        **cells,
    }


GOOD = csv_of(row())
LINE = GOOD.splitlines()[1]
SUMMED = (10, 20, 30, 40, 50, 150)
"""Values of which the last one is the sum of the others."""

FILES: dict[str, File] = {
    # By code; behind a colon, which of several ways to cause it
    # Identifiers
    "INVALID_EMAIL": _row(email="nobody"),
    "INVALID_PHONE": _row(phone="+1 12"),
    "PHONE_MAYBE_INTERNATIONAL": _row({"phone_region": "ID"}, phone="62218354007"),
    "PHONE_REGION_MISSING": _row(phone="212-555-0100"),
    "PHONE_COUNTRY_NEEDED": _row(gclid="", phone="212-555-0100", phone_2="+12125550101"),
    "MOST_PHONES_LEFT_OUT": _row(phone="212-555-0100"),
    "INVALID_DIGEST": _row(hashed_email="abc"),
    "INVALID_REGION": _row(DM, **{**ADDRESS, "country_code": "Atlantis"}),
    "ADDRESS_INCOMPLETE": _row(DM, **{**ADDRESS, "postal_code": ""}),
    "TOO_MANY_IDENTIFIERS": _row(**EMAIL, **SIX_EMAILS),
    "INVALID_CLICK_ID": _row(gclid="not a click", **EMAIL),
    "INVALID_CLICK_ID: cut off": _row(gclid="Cj0KCQiAexample0001...", **EMAIL),
    "NO_CLICK_ID_OR_IDENTIFIER": _row(gclid=""),
    "SEVERAL_CLICK_IDS: iOS": _row(gclid="", gbraid="0AAAAAexample1", wbraid="0AAAAAexample2"),
    "SEVERAL_CLICK_IDS": _row(gbraid="0AAAAAexample1"),
    "BRAID_ON_ONE_PER_CLICK": _row(
        asked=True, gclid="", gbraid="0AAAAAexample1", conversion_action="1002", **EMAIL
    ),
    # Time
    "INVALID_TIME_OF_DAY": _row(
        {"time_zone": "UTC"}, conversion_date_time="2026-11-20 00:00:00", time_of_day="0.5868"
    ),
    "TIME_MISSING": _row(conversion_date_time=""),
    "INVALID_DATE": _row(conversion_date_time="yesterday"),
    "DATE_WITHOUT_ZONE": _row(conversion_date_time="2026-11-20 10:00:00"),
    "DATE_ORDER_UNDECLARED": _row(conversion_date_time="10/11/2026 10:00 +0000"),
    "DATE_ORDER_MISMATCH": _row(
        {"date_order": "MDY"}, conversion_date_time="20/11/2026 10:00 +0000"
    ),
    "DATE_EXCHANGED": _file(
        csv_of(*(row(conversion_date_time=each) for each in ("2026-11-10", "25/10/2026"))),
        time_zone="UTC",
    ),
    "UNKNOWN_TIME_ZONE": _row(conversion_date_time="2026-11-20 10:00:00 Mars/Base"),
    "UNKNOWN_ZONE_OF_FILE": _file(b"Parameters:TimeZone=Mars/Base\n" + GOOD),
    "ZONE_WITHOUT_SUMMER_TIME": _row({"time_zone": "EST"}),
    "DATE_WITHOUT_TIME: midnight": _row(
        {"time_zone": "UTC"}, conversion_date_time="2026-11-20 00:00:00"
    ),
    "CLOCKS_CHANGED": _row(conversion_date_time="2026-11-01 01:30:00 America/Chicago"),
    "CLOCKS_CHANGED: not at all": File(
        {"conversion_date_time": "2026-03-08 02:30:00 America/Chicago"},
        now=datetime(2026, 3, 20, tzinfo=UTC),
    ),
    "DATE_WITHOUT_TIME": _row({"time_zone": "America/Chicago"}, conversion_date_time="2026-11-20"),
    "FUTURE_DATE": _row(conversion_date_time="2026-11-25 10:00:00+00:00"),
    "TOO_OLD": _row(conversion_date_time="2026-08-01 10:00:00+00:00"),
    "OLDER_THAN_LOOKBACK": _row(
        asked=True, conversion_action="1005", conversion_date_time="2026-10-01 10:00:00+00:00"
    ),
    "OLD_WITHOUT_CLICK_ID": _row(
        gclid="", conversion_date_time="2026-09-10 10:00:00+00:00", **EMAIL
    ),
    # Value, order ID, consent and other enums
    "NEARLY_ALL_DENIED": _row(ad_user_data="Denied"),
    "INVALID_CONVERSION_VALUE": _row(conversion_value="much"),
    "VALUE_NOT_IN_CENTS": _row({"value_scale": 0.01}, conversion_value="12.50"),
    "NEGATIVE_VALUE": _row(conversion_value="-1"),
    "VALUE_MISSING": _row({"value": None}, conversion_value=""),
    "DECIMAL_SIGN_UNDECLARED": _row(conversion_value="1.234"),
    "DECIMAL_SIGN_MISMATCH": _row({"decimal_sign": "."}, conversion_value="1.234,50"),
    "CURRENCY_CONTRADICTS": _row({"currency_code": "USD"}, conversion_value="12 EUR"),
    "AMBIGUOUS_CURRENCY": _row(DM, conversion_value="$12"),
    "INVALID_CURRENCY": _row(conversion_value="1", currency_code="XYZ"),
    "INVALID_ORDER_ID": _row(order_id="buyer@example.com"),
    "INVALID_ORDER_ID: a phone number": _row(order_id="+1 212 555 0100"),
    "ORDER_ID_SHORTENED": _row(order_id="1.23457E+11"),
    "INVALID_ORDER_ID: too long for a tag": _row({**DM, "source": "web"}, order_id="7" * 513),
    "INVALID_CONSENT": _row(ad_user_data="perhaps"),
    "UNKNOWN_WORD": _row(conversion_environment="MOON"),
    "UNKNOWN_WORD: a type": _row(customer_type="OLD"),
    "INVALID_USER_AGENT": _row(DM, landing_page_user_agent="Mozilla\x7f"),
    "WORD_NOT_SENT": _row(customer_type="REENGAGED"),
    "UNKNOWN_WORD: a source": _row(DM, event_source="MOON"),
    "INVALID_IP_ADDRESS": _row(user_ip_address="192.0.2.300"),
    "INVALID_SESSION_ATTRIBUTES": _row(session_attributes_encoded="%%"),
    "SESSION_ATTRIBUTES_INCOMPLETE": _row(DM, session_attributes_key_value_pairs="gad_source=1"),
    "BOTH_SESSION_ATTRIBUTES": _row(
        session_attributes_encoded="eyJhIjoxfQ==", session_attributes_key_value_pairs="gad_source=1"
    ),
    "INVALID_CART_DATA": _row(items="a pair of shoes"),
    "INVALID_CART_DATA: the ID": _row(merchant_id="shop"),
    "INVALID_CART_DATA: the language": _row(feed_language_code="English (US)"),
    "CUSTOM_VARIABLE_NOT_ACCEPTED": _row(**{"custom_variable.Plan": "buyer@example.com"}),
    "CUSTOM_VARIABLE_NOT_ACCEPTED: phone": _row(**{"custom_variable.Plan": "+1 212 555 0100"}),
    "CUSTOM_VARIABLE_NOT_ACCEPTED: too long": _row(**{"custom_variable.Plan": "p" * 101}),
    "UNKNOWN_CUSTOM_VARIABLE": _row(asked=True, **{"custom_variable.Colour": "red"}),
    "CUSTOM_VARIABLES_WITH_IDENTIFIERS": _row(**{"custom_variable.Plan": "gold"}, **EMAIL),
    "REPEATED_LINE": _file(csv_of(row(), row())),
    "REPEATED_WITH_OTHER_VALUE": _file(
        csv_of(row(conversion_value="10"), row(conversion_value="25"))
    ),
    # Action and account
    "ACTION_MISSING": _row(conversion_action=""),
    "UNKNOWN_ACTION": _row(asked=True, conversion_action="Purchase"),
    "ACTION_NOT_ENABLED": _row(asked=True, conversion_action="1003"),
    "ACTION_WRONG_TYPE": _row(asked=True, conversion_action="1007"),
    "CONVERSION_CUSTOMER_DIFFERS": _row(asked=True),
    "ZONE_DIFFERS": _row({"time_zone": "Europe/Berlin"}, asked=True),
    # The file, row by row
    "WRONG_NUMBER_OF_CELLS": _lines(b"Cj0KCQiAexample0001,1001"),
    "CONSENT_NOT_STATED": _row(),
    "WRONG_NUMBER_OF_CELLS: too many": _lines(LINE + b",more", LINE),
    "UNCLOSED_QUOTE": _lines(b'"Cj0KCQiAexample0002' + LINE[19:], LINE),
    "INSIDE_QUOTES": _lines(b'"' + LINE, LINE, b'C"', LINE),
    "BROKEN_QUOTING": _lines(b'"Cj0KCQiA"example0002' + LINE[19:], LINE),
    "UNDECODABLE": File(
        content=GOOD + b"\xff" + LINE + b"\n" + LINE, profile={"encoding": "utf-8"}
    ),
    "UNDECODABLE: NUL": _lines(b"\0" + LINE, LINE),
    "RECORD_TOO_LONG: by a cell": _lines(b"C" * 40_000 + LINE[19:], LINE),
    "RECORD_TOO_LONG": _lines(b"C,1001," + b"10," * 500_000, LINE),
    "FILTER_KEEPS_NO_ROW": _row({"skip": {"Stage": ["Lost"]}}, Stage="Lost"),
    "NO_ENTRY_FITS": _row({"conversions": [{"rows": {"Stage": ["Won"]}}]}, Stage="Lost"),
    "REPORT_FOOTER": _lines(LINE, b"Total,,"),
    "LOOKS_LIKE_A_TOTAL": _file(
        csv_of(*(row(order_id=each, conversion_value="10") for each in ("A-1001", "Total")))
    ),
    "LOOKS_LIKE_A_TOTAL: no word": _file(
        csv_of(*(row(order_id=f"A-{value}", conversion_value=str(value)) for value in SUMMED))
    ),
    "PLACEHOLDERS": _row(order_id="N/A"),
    "SHEETS_NOT_READ": _file(
        workbook([list(row()), list(row().values())], others={"Lost": [["a"], ["b"]]})
    ),
    "SAME_PERSON": _file(
        csv_of(
            *(
                row(conversion_date_time=f"2026-11-20 10:0{n}:00+00:00", email="shop@example.com")
                for n in range(10)
            )
        )
    ),
    "ZERO_VALUES": _row(conversion_value="0.00"),
    "FOREIGN_CLICK_IDS": _row(gclid="IwAR2xExampleOfMeta00fbclid1"),
    "ENCODING_GUESSED": _file(csv_of(row(), row(gclid="caf\u00e9")).decode().encode("cp1252")),
    "ADDRESS_COLUMNS_MISSING": _row(DM, first_name="Ada", last_name="Example"),
    "COLUMN_NOT_SENT: an address": _row(first_name="Ada"),
    "COLUMN_NOT_SENT": _row(landing_page_user_agent="Mozilla/5.0"),
    "COLUMN_NOT_SENT: consent": _row(ad_personalization="Granted"),
    "COLUMN_NOT_SENT: the source": _row(event_source="WEB"),
    "COLUMN_NOT_SENT: the environment": _row(DM, conversion_environment="WEB"),
    # The file as a whole
    "EMPTY_FILE": _file(b""),
    "NOT_TEXT": _file(b"%PDF-1.7" + bytes(100)),
    "ENCRYPTED_WORKBOOK": _file(b"\xd0\xcf\x11\xe0" + "EncryptedPackage".encode("utf-16-le")),
    "CORRUPT_FILE": _file(b"PK\x03\x04" + bytes(100)),
    "FILE_TOO_LARGE: a workbook": _file(b"PK\x03\x04" + bytes(25 << 20)),
    "SHEET_NOT_FOUND": _file(workbook([["gclid"]]), sheet="Deals"),
    "CORRUPT_FILE: compressed": _file(gzip.compress(GOOD)[:-6]),
    "FILE_TOO_LARGE": _file(GOOD),  # with a lower limit, see below
    "INVALID_PROFILE": _file(GOOD, delimiter='"'),
    "COLUMN_MISSING: all": _file(LINE),
    "CORRUPT_FILE: the header": _file(b'gclid,"email\n' + b"C,\n" * 100),
    "FILE_TOO_LARGE: columns": _file(b"gclid" + b",x" * 1000 + b"\nC\n"),
    "COLUMN_MISSING": _file(b"gclid,conversion_action\nCj0KCQiAexample0001,1001\n"),
    "DUPLICATE_COLUMN": _file(
        b"gclid,Google Click ID,Conversion Time,Conversion Name\nA,B,2026-11-20,1001\n"
    ),
    "NO_USABLE_COLUMN": _file(b"conversion_date_time,conversion_action\n2026-11-20,1001\n"),
    "FILE_TOO_LARGE: in lines": _file(GOOD + b"\n" * (1 << 18) + LINE + b"\n"),
    "EMPTY_FILE: without rows": _lines(),
}

FILES |= {
    # Adjustments
    "OLDER_THAN_CORRECTION": _file(
        csv_of(adjustment(), adjustment(adjustment_type="RETRACT", **NO_VALUE))
    ),
    "INVALID_ADJUSTMENT_TYPE: none": _file(csv_of(adjustment(adjustment_type=""))),
    "INVALID_ADJUSTMENT_TYPE": _file(csv_of(adjustment(adjustment_type="NONSENSE"))),
    "TIME_MISSING: of an adjustment": _file(csv_of(adjustment(adjustment_date_time=""))),
    "VALUE_CONTRADICTS_TYPE": _file(csv_of(adjustment(**NO_VALUE))),
    "VALUE_CONTRADICTS_TYPE: too many": _file(csv_of(adjustment(adjustment_type="RETRACTION"))),
    "ADJUSTED_ON_THAT_DAY": _file(
        csv_of(adjustment(adjustment_date_time="2026-11-23")), time_zone="UTC"
    ),
    "RESTATED_TO_ZERO": _file(csv_of(adjustment(adjusted_value="0"))),
    "ADJUSTS_NO_CONVERSION": _file(csv_of(adjustment(order_id=""))),
    "TIMES_CONTRADICT": _file(csv_of(adjustment(**BY_CLICK, **BEFORE))),
    "ADJUSTED_TOO_LATE": _file(csv_of(adjustment(**{**BY_CLICK, **LONG_AGO}))),
    "ADJUSTMENT_NEEDS_ORIGINAL: no ID": _file(csv_of(adjustment(order_id="")), **DM, **RESTATES),
    "ADJUSTMENT_NEEDS_ORIGINAL": _file(csv_of(adjustment()), **DM, **RESTATES),
    "ACTION_WRONG_TYPE: not adjustable": _asked(adjustment(conversion_action="1004")),
    "TAG_ORDER_ID_MISSING: of an adjustment": _asked(
        adjustment(**BY_CLICK, **NO_VALUE, adjustment_type="RETRACT", conversion_action="1006")
    ),
    "ACTION_USES_DEFAULT_VALUE": _asked(adjustment(conversion_action="1006")),
    # Conversions of a tag
    "ACTION_OF_TAG": _row(asked=True, conversion_action="1006"),
    "ACTION_WRONG_TYPE: no tag": _row({**DM, "source": "web"}, asked=True, order_id="SO-1"),
    "TAG_ORDER_ID_MISSING": _row({**DM, "source": "web"}, order_id=""),
    # Calls
    "ACTION_WRONG_TYPE: for calls": _row(asked=True, conversion_action="1004"),
    "ACTION_WRONG_TYPE: not for calls": _asked(call(conversion_action="1001")),
    "INVALID_CALLER_ID: none": _file(csv_of(call(caller_id=""))),
    "INVALID_CALLER_ID": _file(csv_of(call(caller_id="anonymous"))),
    "INVALID_CALLER_ID: without country": _file(csv_of(call(caller_id="212-555-0100"))),
    "INVALID_CALLER_ID: hashed": _file(csv_of(call(caller_id="a" * 64))),
    "TIME_MISSING: of a call": _file(csv_of(call(call_start_date_time=""))),
    "TIMES_CONTRADICT: of a call": _file(csv_of(call(**BEFORE_CALL))),
}

# Codes that a check cannot cause, and why. The tests of the modules that raise them cover them.
ELSEWHERE = {
    "REPEATED_REFUSED_LINE": "only after Google has refused the row that is repeated",
    "ACTION_NAME_NOT_RESOLVABLE": "left out, because a check takes every name on trust",
    "ACCOUNT_NOT_LOOKED_UP": "only for an upload",
    "ANSWER_INCOMPLETE": "only for an upload",
    "STALE": "only for an event",
    "NO_PROGRESS": "only after several attempts",
    "DIED": "only after an attempt that crashed",
    "NEWER_VERSION": "only with a state document of a newer version",
    "STATE_UNREADABLE": "only with a state document that somebody has changed",
    "AWAITS_CONVERSIONS": "only for an upload",
    "DEFERRED_TOO_LONG": "only for a row that has waited for days",
    "CORRECTED_VALUE": "only for an upload",
    "CORRECTED_MEANWHILE": "only for an upload",
    "STATUS_UNKNOWN": "only for an upload",
    "SOURCE_GONE": "only for an object in a bucket",
    "KIND_NOT_SENT": "only for a destination without adjustments or calls",
    "CHECKSUM_MISMATCH": "only for an object in a bucket",
    "SUPERSEDED": "only for an object in a bucket",
    "ONLY_CHECKED": "only after a week of uploads",
    "SUPPORT_ENDS_SOON": "of the function, not of a file",
    "FILE_NAME_NOT_ACCEPTED": "a line of the command, which still checks the file",
    "CLICK_AND_TIME_ALREADY_USED": "only for an upload",
    "REFUSAL_NOT_LOCATED": "only for an upload",
    "UNREADABLE_FAILURE": "only for an upload",
    "UNTERMINATED_LAST_LINE": "deferred only in an upload: a check has it as a note",
    "MAYBE_SENT": "only after an attempt that crashed",
    "ROWS_NOT_NAMED": "only in Google's status after an upload",
    "NOT_COUNTED": "only in Google's status after an upload",
    "NEARLY_NO_MATCHES": "only in Google's status after an upload",
    "NEWEST_VALUE_NOT_SENT": "only for an upload",
    "OLD_VALUE_KEPT": "only in Google's status after an upload",
    "NOT_SENT_AGAIN": "only in Google's status after an upload",
    "UNKNOWN_PROFILE": "an error of the command line (exit code 2)",
}
_PLATFORM = (
    "SECRET_",
    "CREDENTIALS_",
    "STORAGE_",
    "BUCKET_",
    "LEASE_",
    "NEWER_",
    "API_",
    "DAILY_",
    "DEADLINE",
    "SHUTDOWN",
)


def _ours() -> list[Code]:
    return [code for code in CATALOGUE.values() if code.origin == "This function"]


def test_every_code_of_ours_has_a_file_or_a_reason() -> None:
    """Every code has a file that causes it, or a reason why a check cannot cause it."""
    platform = {code.code for code in _ours() if code.code.startswith(_PLATFORM)}
    caused = {_code_of(name) for name in FILES}
    assert {code.code for code in _ours()} == {*caused, *ELSEWHERE, *platform}


@pytest.mark.parametrize("name", FILES)
def test_a_code_has_the_effect_that_the_catalogue_states(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each code has its effect: a row's outcome, a warning, a note, or a file error."""
    file, code = FILES[name], _code_of(name)
    account = ACCOUNT
    if code == "CONVERSION_CUSTOMER_DIFFERS":
        account = replace(ACCOUNT, conversion_customer_id="9876543210")
    if name == "FILE_TOO_LARGE":
        monkeypatch.setattr(dry_run, "MAX_FILE_BYTES", 20)
    if name == "FILE_TOO_LARGE: in lines":
        monkeypatch.setattr(dry_run, "MAX_FILE_LINES", 1_000)
    document = validate(
        file.content or csv_of(row(**file.cells)) if name != "EMPTY_FILE" else b"",
        file.profile,
        account=account if file.asked else None,
        now=file.now,
    )
    assert _fate_in(document, code) == _fate_of(CATALOGUE[code])


def _code_of(name: str) -> str:
    return name.partition(":")[0]


def _fate_of(entry: Code) -> str:
    if entry.scope == "file" and entry.outcome:
        return "file_error"
    return entry.outcome or {"warning": "sent, warning", "note": "note"}[entry.severity]


def _fate_in(document: Mapping[str, Any], code: str) -> str:
    """Return the effect of the code in a document."""
    error = document["file_error"]
    if error is not None:
        return "file_error" if error["code"] == code else f"file_error {error['code']}"
    if code in [note["code"] for note in document["notes"]]:
        return "note"
    for each in document["rows"]:
        if code in [problem["code"] for problem in each["errors"]]:
            return str(each["outcome"])
        if code in [problem["code"] for problem in each["warnings"]]:
            return "sent, warning" if each["outcome"] == "ok" else f"warning, {each['outcome']}"
    return f"nowhere: {list(document['codes'])}"


def test_a_check_notes_that_the_last_line_has_no_end() -> None:
    """An upload would hold its row for some minutes; a check does not."""
    document = validate(_lines(LINE).content, {}, account=None, now=File().now)
    assert _fate_in(document, "UNTERMINATED_LAST_LINE") == "note"
    assert not document["counts"]["deferred"]


@pytest.mark.parametrize("code", sorted(CAUSES_OF["NO_CLICK_ID_OR_IDENTIFIER"]))
def test_what_left_out_the_only_identifier_explains_that_none_is_left(code: str) -> None:
    """Every code that explains it leaves a row without a click ID and without a person."""
    file = FILES[code]
    cells = {"gclid": "", **file.cells}
    if EMAIL.items() <= cells.items():
        cells["email"] = ""
    account = ACCOUNT if file.asked else None
    (found,) = validate(csv_of(row(**cells)), file.profile, account=account)["rows"]
    codes = {each["code"] for each in (*found["errors"], *found["warnings"])}
    assert {"NO_CLICK_ID_OR_IDENTIFIER", code} <= codes


def test_no_message_repeats_a_value() -> None:
    """Messages contain only names, lines and rules, never the value of a cell."""
    for code, file in FILES.items():
        if file.content:
            continue
        document = validate(csv_of(row(**file.cells)), file.profile, now=file.now)
        values = [v for v in file.cells.values() if len(v) > 5 and v not in row().values()]
        problems = [p for each in document["rows"] for p in (*each["errors"], *each["warnings"])]
        messages = str([p["detail"] for p in problems])
        assert not [value for value in values if value in messages], code
