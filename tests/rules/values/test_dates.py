"""Conversion times and time zones."""

import re
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.errors import RuleError
from lib.rules.values import dates, time_zones
from lib.rules.values import time_reader as reading
from lib.rules.values.dates import (
    MONTHS,
    WEEKDAYS,
    DateOrder,
    read_moment,
    with_time_of_day,
)
from lib.rules.values.time_reader import TimeReader
from lib.rules.values.time_zones import load_zone

CHICAGO = ZoneInfo("America/Chicago")
NOW = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    "value, text",
    [
        # with their offset or zone
        ("2026-11-20 14:05:07+01:00", "2026-11-20 14:05:07+01:00"),
        ("2026-11-20 14:05:07-00:30", "2026-11-20 14:05:07-00:30"),
        ("2026-11-20 14:05:07+12:45", "2026-11-20 14:05:07+12:45"),
        ("2026-11-20 10:00:00-11:00", "2026-11-20 10:00:00-11:00"),
        ("2026-11-20 10:00 -11:00", "2026-11-20 10:00:00-11:00"),
        ("2026-11-20 10:00-05:00", "2026-11-20 10:00:00-05:00"),
        ("2026-11-20T03:00-05:00", "2026-11-20 03:00:00-05:00"),
        ("2026-11-20T14:05:07Z", "2026-11-20 14:05:07+00:00"),
        ("2026-11-20T14:05:07.987Z", "2026-11-20 14:05:07+00:00"),
        ("2026-11-20T14:05:07,5+0530", "2026-11-20 14:05:07+05:30"),
        ("2026-11-20t14:05:07 -0500", "2026-11-20 14:05:07-05:00"),
        ("2026-11-20 14:05:07\u221205:00", "2026-11-20 14:05:07-05:00"),
        ("2026-11-20 14:05:07-05", "2026-11-20 14:05:07-05:00"),
        ("2026-11-20 14:05:07 GMT+2", "2026-11-20 14:05:07+02:00"),
        ("2026-11-20 14:05:07 UTC", "2026-11-20 14:05:07+00:00"),
        ("2026-11-20 14:05:07 Europe/Berlin", "2026-11-20 14:05:07+01:00"),
        ("11/20/2026 02:05:07 PM America/New_York", "2026-11-20 14:05:07-05:00"),
        ("Nov 20, 2026 02:05:07 PM +0100", "2026-11-20 14:05:07+01:00"),
        # in the zone of the file
        ("2026-11-20 14:05:07", "2026-11-20 14:05:07-06:00"),
        ("2026-07-20 14:05:07", "2026-07-20 14:05:07-05:00"),
        ("2026-11-20T14:05:07", "2026-11-20 14:05:07-06:00"),
        ("11/20/2026 02:05:07 PM", "2026-11-20 14:05:07-06:00"),
        ("11/20/2026 12:05:07 am", "2026-11-20 00:05:07-06:00"),
        ("11/20/2026 12:05:07 p.m.", "2026-11-20 12:05:07-06:00"),
        ("11/20/2026 01:43 a. m.", "2026-11-20 01:43:00-06:00"),
        ("11/20/2026, 01:43 p.\u00a0m.", "2026-11-20 13:43:00-06:00"),
        ("11/20/2026 14:05:07", "2026-11-20 14:05:07-06:00"),
        ("11/20/2026, 2:05:07\u202fPM", "2026-11-20 14:05:07-06:00"),
        ("Nov 20, 2026 02:05:07 PM", "2026-11-20 14:05:07-06:00"),
        ("Nov 20, 2026 - 2:05 PM", "2026-11-20 14:05:00-06:00"),
        ("11/20/2026 @ 2:05 PM", "2026-11-20 14:05:00-06:00"),
        ("2026-11-20 | 14:05", "2026-11-20 14:05:00-06:00"),
        ("Nov 20, 2026 - 14:05:07*123", "2026-11-20 14:05:07-06:00"),
        ("Sept 20, 2026 02:05 PM", "2026-09-20 14:05:00-05:00"),
        ("November 20, 2026 14:05", "2026-11-20 14:05:00-06:00"),
        ("20 Nov 2026 14:05", "2026-11-20 14:05:00-06:00"),
        ("20-Nov-2026 14:05:07", "2026-11-20 14:05:07-06:00"),
        ("2026-1-5 9:05", "2026-01-05 09:05:00-06:00"),
        ("2026/01/05 09:05", "2026-01-05 09:05:00-06:00"),
        ("2026/11/20(金) 14:05", "2026-11-20 14:05:00-06:00"),
        ("2026年11月20日（金）午後2時05分", "2026-11-20 14:05:00-06:00"),
        ("2026/11/20 午後2:05:07.5", "2026-11-20 14:05:07-06:00"),
        ("2026/11/2上午10:05", "2026-11-02 10:05:00-06:00"),
        ("2026. 1. 5.(월) 오전 9:05", "2026-01-05 09:05:00-06:00"),
        ("2026년 11월 20일 오후 2시 5분", "2026-11-20 14:05:00-06:00"),
        ("2026. 11. 20.", "2026-11-20 00:00:00-06:00"),
        ("  2026-11-20\u00a014:05:07 ", "2026-11-20 14:05:07-06:00"),
        # two-digit years
        ("11/20/26 2:05 PM", "2026-11-20 14:05:00-06:00"),
        ("11/20/26", "2026-11-20 00:00:00-06:00"),
        ("20-Nov-26 14:05", "2026-11-20 14:05:00-06:00"),
        # RFC 2822, JavaScript, Java, Google's reports
        ("Fri, 20 Nov 2026 14:05:07 -0500", "2026-11-20 14:05:07-05:00"),
        ("Fri, 20 Nov 2026 14:05:07 +0000 (UTC)", "2026-11-20 14:05:07+00:00"),
        ("Fri, 20 Nov 2026 20:05:07 GMT", "2026-11-20 20:05:07+00:00"),
        (
            "Fri Nov 20 2026 14:05:07 GMT-0600 (Central Standard Time)",
            "2026-11-20 14:05:07-06:00",
        ),
        ("2026-11-20T14:05:07-05:00[America/New_York]", "2026-11-20 14:05:07-05:00"),
        ("2026-11-20T19:05:07Z[UTC]", "2026-11-20 19:05:07+00:00"),
        ("2026-11-20T14:05:07[America/New_York]", "2026-11-20 14:05:07-05:00"),
        ("2026-11-20 14:05:07 [America/New_York]", "2026-11-20 14:05:07-05:00"),
        ("11/14/2026 17:01:54*123", "2026-11-14 17:01:54-06:00"),
        # weekdays, and times with a dot
        ("Friday, November 20, 2026 2:05 PM", "2026-11-20 14:05:00-06:00"),
        ("Fri 11/20/2026 14:05", "2026-11-20 14:05:00-06:00"),
        ("Fri 11/06/2026 14:05", "2026-11-06 14:05:00-06:00"),
        ("2026-11-20 15.50", "2026-11-20 15:50:00-06:00"),
        ("2026-11-20 15.50.07", "2026-11-20 15:50:07-06:00"),
        ("2026-11-20 3.50 PM", "2026-11-20 15:50:00-06:00"),
        # German, French, Spanish, Italian, Dutch, Portuguese
        ("20. November 2026 14:05", "2026-11-20 14:05:00-06:00"),
        ("Freitag, 20. Nov. 2026 14:05", "2026-11-20 14:05:00-06:00"),
        ("5. M\u00e4rz 2026 14:05", "2026-03-05 14:05:00-06:00"),
        ("1er d\u00e9cembre 2026 14:05", "2026-12-01 14:05:00-06:00"),
        ("ven. 20 nov. 2026 14:05", "2026-11-20 14:05:00-06:00"),
        ("20 de noviembre de 2026 14:05", "2026-11-20 14:05:00-06:00"),
        ("mi\u00e9rcoles, 18 de nov. de 2026 14:05", "2026-11-18 14:05:00-06:00"),
        ("20 ottobre 2026 14:05", "2026-10-20 14:05:00-05:00"),
        ("20 okt. 2026 14:05", "2026-10-20 14:05:00-05:00"),
        ("sexta-feira, 20 de novembro de 2026 14:05", "2026-11-20 14:05:00-06:00"),
        ("20/nov/2026 14:05", "2026-11-20 14:05:00-06:00"),
        ("1\u00ba de mar\u00e7o de 2026 14:05", "2026-03-01 14:05:00-06:00"),
        # abbreviations of time zones
        ("2026-07-20 14:05 EDT", "2026-07-20 14:05:00-04:00"),
        ("2026-07-20 14:05:07 CEST", "2026-07-20 14:05:07+02:00"),
        ("2026-11-20 14:05 EST", "2026-11-20 14:05:00-05:00"),
        # without signs
        ("20261120", "2026-11-20 00:00:00-06:00"),
        ("20261120 140507", "2026-11-20 14:05:07-06:00"),
        ("20261120T140507", "2026-11-20 14:05:07-06:00"),
        ("20261120t1405Z", "2026-11-20 14:05:00+00:00"),
        ("20261120140507", "2026-11-20 14:05:07-06:00"),
        ("20261120T140507.123+0100", "2026-11-20 14:05:07+01:00"),
        ("20261120 1405 Europe/Berlin", "2026-11-20 14:05:00+01:00"),
        ("20261120 2:05 PM", "2026-11-20 14:05:00-06:00"),
        # Japanese, Chinese, full width
        ("2026\u5e7411\u670820\u65e5", "2026-11-20 00:00:00-06:00"),
        ("2026\u5e7411\u670820\u65e5 14\u664205\u5206", "2026-11-20 14:05:00-06:00"),
        ("2026\u5e741\u67085\u65e59\u66425\u52067\u79d2", "2026-01-05 09:05:07-06:00"),
        ("2026\u5e7411\u670820\u65e514\u65f605\u5206", "2026-11-20 14:05:00-06:00"),
        ("2026\u5e7411\u670820\u65e5 14:05:07 JST", "2026-11-20 14:05:07+09:00"),
        (
            "\uff12\uff10\uff12\uff16\u5e74\uff11\uff11\u6708\uff12\uff10\u65e5",
            "2026-11-20 00:00:00-06:00",
        ),
        (
            "\uff12\uff10\uff12\uff16\uff0f\uff11\uff11\uff0f\uff12\uff10\u3000\uff11\uff14\uff1a\uff10\uff15",
            "2026-11-20 14:05:00-06:00",
        ),
        # as people and programs write them
        ("20. 11. 2026, 14:05", "2026-11-20 14:05:00-06:00"),
        ("20.11.2026 14:05 Uhr", "2026-11-20 14:05:00-06:00"),
        ("20. November 2026 um 14:05:07 Uhr MEZ", "2026-11-20 14:05:07+01:00"),
        ("20.07.2026 14:05 MEZ", "2026-07-20 14:05:00+02:00"),
        ("20.07.2026 14:05 MESZ", "2026-07-20 14:05:00+02:00"),
        ("20.07.2026 14:05 CET", "2026-07-20 14:05:00+02:00"),
        ("November 20, 2026 at 02:05PM", "2026-11-20 14:05:00-06:00"),
        ("Friday, November 20, 2026 at 2:05:07\u202fPM", "2026-11-20 14:05:07-06:00"),
        ("20 de novembro de 2026 \u00e0s 14:05", "2026-11-20 14:05:00-06:00"),
        ("Fri Nov 20 14:05:07 CET 2026", "2026-11-20 14:05:07+01:00"),
        ("Fri Nov 20 14:05:07 GMT+01:00 2026", "2026-11-20 14:05:07+01:00"),
        ("Fri Nov  6 14:05:07 2026", "2026-11-06 14:05:07-06:00"),
        ("20NOV2026", "2026-11-20 00:00:00-06:00"),
        ("20nov2026 14:05", "2026-11-20 14:05:00-06:00"),
        ("20.11.26.", "2026-11-20 00:00:00-06:00"),
        ("20. 11. 26", "2026-11-20 00:00:00-06:00"),
        # Hungarian, Korean
        ("2026. 11. 20. 14:05:07", "2026-11-20 14:05:07-06:00"),
        ("2026. 1. 5.", "2026-01-05 00:00:00-06:00"),
        # French
        ("20 novembre 2026 14h05", "2026-11-20 14:05:00-06:00"),
        ("ven. 20 novembre 2026 \u00e0 9 h 05 min 07 s", "2026-11-20 09:05:07-06:00"),
        ("2026-11-20 14H05m07", "2026-11-20 14:05:07-06:00"),
        ("2026-11-20T14h05+01:00", "2026-11-20 14:05:00+01:00"),
        # Unix time
        ("1795000000", "2026-11-18 11:06:40+00:00"),
        ("1795000000.75", "2026-11-18 11:06:40+00:00"),
        ("1795000000999", "2026-11-18 11:06:40+00:00"),
    ],
)
def test_every_export_format_is_read(value: str, text: str) -> None:
    """An offset in the cell overrides the file's time zone; daylight saving follows the date."""
    assert read_moment(value, CHICAGO).text == text


@pytest.mark.parametrize(
    "value, order, text",
    [
        ("24/11/2026 14:05:07", "DMY", "2026-11-24 14:05:07+00:00"),
        ("24.11.2026 14:05", "DMY", "2026-11-24 14:05:00+00:00"),
        ("3. 4. 2026 14:05", "DMY", "2026-04-03 14:05:00+00:00"),
        ("03/04/2026 00:00:00", "DMY", "2026-04-03 00:00:00+00:00"),
        ("2026-04-03 00:00:00", "DMY", "2026-04-03 00:00:00+00:00"),
        ("13/04/2026", None, "2026-04-13 00:00:00+00:00"),
        ("04/13/2026", None, "2026-04-13 00:00:00+00:00"),
        ("04/04/2026", None, "2026-04-04 00:00:00+00:00"),
        ("03.04.2026", None, "2026-04-03 00:00:00+00:00"),
    ],
)
def test_the_order_of_day_and_month(value: str, order: DateOrder | None, text: str) -> None:
    """With DMY, the day comes first, except in dates that begin with the year. Without an order,
    dates are read that have only one meaning."""
    assert read_moment(value, UTC, order).text == text


@pytest.mark.parametrize(
    "value, order, code",
    [
        ("3-4-2026", None, "DATE_ORDER_UNDECLARED"),
        ("03/04/2026", None, "DATE_ORDER_UNDECLARED"),
        ("03/04/26", None, "DATE_ORDER_UNDECLARED"),
        ("26-11-20", None, "DATE_ORDER_UNDECLARED"),
        ("10/11/2026 14:05", None, "DATE_ORDER_UNDECLARED"),
        ("24/11/2026 14:05:07", "MDY", "DATE_ORDER_MISMATCH"),
        ("11/24/2026 14:05:07", "DMY", "DATE_ORDER_MISMATCH"),
        ("13/12/2026 14:05:07", "MDY", "DATE_ORDER_MISMATCH"),
        ("12/13/2026 14:05:07", "DMY", "DATE_ORDER_MISMATCH"),
        ("03.04.2026 14:05:07", "MDY", "DATE_ORDER_MISMATCH"),
        ("3. 4. 2026 14:05", "MDY", "DATE_ORDER_MISMATCH"),
        ("3. 4 2026", "DMY", "INVALID_DATE"),
        ("26. 11. 20.", None, "INVALID_DATE"),
        ("26. 11. 20.", "DMY", "INVALID_DATE"),
        ("26. 1. 5. \uc624\ud6c4 2:05", None, "INVALID_DATE"),
        ("20NOV26", None, "INVALID_DATE"),
        ("20NOVE2026", None, "INVALID_DATE"),
        ("Thu Nov 20 14:05:07 CET 2026", None, "INVALID_DATE"),
        ("20.11.2026 14 Uhr", None, "INVALID_DATE"),
        ("20.11.2026 um 14", None, "INVALID_DATE"),
        ("", "MDY", "INVALID_DATE"),
        ("yesterday", "MDY", "INVALID_DATE"),
        ("20.11.26 - 22.11.26", "DMY", "INVALID_DATE"),
        ("20.11.2026 \u2013 22.11", "DMY", "INVALID_DATE"),
        ("20/11/2026 - 10:00-11:00", "DMY", "INVALID_DATE"),
        ("20/11/2026 - 9h30-10h30", "DMY", "INVALID_DATE"),
        ("2026-11-20 @ 12.50", "MDY", "INVALID_DATE"),
        ("2026-02-30 10:00:00", "MDY", "INVALID_DATE"),
        ("2026-13-01 10:00:00", "MDY", "INVALID_DATE"),
        ("2026-11-20 24:00:00", "MDY", "INVALID_DATE"),
        ("2026-11-20 10:60:00", "MDY", "INVALID_DATE"),
        ("2026-11-20 13:00 PM", "MDY", "INVALID_DATE"),
        ("2026-11-20 00:00 AM", "MDY", "INVALID_DATE"),
        ("Foo 20, 2026 10:00", "MDY", "INVALID_DATE"),
        ("Thu, 20 Nov 2026 10:00", "MDY", "INVALID_DATE"),
        ("Fri 12/11/2026 10:00", "DMY", "DATE_ORDER_MISMATCH"),
        ("Fri 11/06/2026 10:00", "DMY", "DATE_ORDER_MISMATCH"),
        ("Mon 11/20/2026 10:00", None, "INVALID_DATE"),
        ("Mon 20/11/2026 10:00", None, "INVALID_DATE"),
        ("11.20.2026 10:00", None, "INVALID_DATE"),
        ("Foo, 20 Nov 2026 10:00", "MDY", "INVALID_DATE"),
        ("26-11-20 10:00", "MDY", "INVALID_DATE"),
        ("20 de Nov 2026 10:0", "MDY", "INVALID_DATE"),
        ("2026-11-20 15.5", "MDY", "INVALID_DATE"),
        ("2026-11-20 15.50:07", "MDY", "INVALID_DATE"),
        ("2026-11-20 (Friday)", "MDY", "INVALID_DATE"),
        ("2026-11-20 10:00 [Mars/Base]", "MDY", "UNKNOWN_TIME_ZONE"),
        ("2026-11-20 10:00 CST", "MDY", "UNKNOWN_TIME_ZONE"),
        ("2026-11-20 10:00 PST", "MDY", "UNKNOWN_TIME_ZONE"),
        ("2026-11-20 10:00 GST", "MDY", "UNKNOWN_TIME_ZONE"),
        ("2026-11-20 10:00 BST", "MDY", "UNKNOWN_TIME_ZONE"),
        ("11/20-2026 10:00", "MDY", "INVALID_DATE"),
        ("20261320", "MDY", "INVALID_DATE"),
        ("20112026", "MDY", "INVALID_DATE"),
        ("11202026", "MDY", "INVALID_DATE"),
        ("2026112", "MDY", "INVALID_DATE"),
        ("202611201405", "MDY", "INVALID_DATE"),
        ("20261120 14050", "MDY", "INVALID_DATE"),
        ("20261120 246060", "MDY", "INVALID_DATE"),
        ("2026112014050712", "MDY", "INVALID_DATE"),
        ("179500000", "MDY", "INVALID_DATE"),
        ("179500000000", "MDY", "INVALID_DATE"),
        ("2026\u5e7411\u6708", "MDY", "INVALID_DATE"),
        ("26\u5e7411\u670820\u65e5", "MDY", "INVALID_DATE"),
        ("2026\u5e7413\u670820\u65e5", "MDY", "INVALID_DATE"),
        ("2026\u5e7411\u670820\u65e5 \u591c2\u664205\u5206", "MDY", "INVALID_DATE"),
        ("2026-11-20 14h5", "MDY", "INVALID_DATE"),
        ("2026-11-20 114h05", "MDY", "INVALID_DATE"),
        ("2026-11-20 25h05", "MDY", "INVALID_DATE"),
        ("0001-01-01 00:00:00", "MDY", "INVALID_DATE"),
        ("9999-12-31 23:59:59", "MDY", "INVALID_DATE"),
        ("1.795E+12", "MDY", "INVALID_DATE"),
        ("45985.58", "MDY", "INVALID_DATE"),
        ("\u0662026-11-20 10:00:00", "MDY", "INVALID_DATE"),
        ("2026-11-20 10:00:00" + " " * 100 + "x" * 100, "MDY", "INVALID_DATE"),
        ("2026-11-20 10:00:00 Mars/Base", "MDY", "UNKNOWN_TIME_ZONE"),
        ("2026-11-20 10:00:00+15:00", "MDY", "UNKNOWN_TIME_ZONE"),
        ("2026-11-20 10:00:00-13:00", "MDY", "UNKNOWN_TIME_ZONE"),
        ("2026-11-20 10:00:00-05:20", "MDY", "UNKNOWN_TIME_ZONE"),
        ("2026-11-20 10:00-11:00", "MDY", "INVALID_DATE"),
        ("20.11.2026 10:00-13:00", None, "INVALID_DATE"),
        ("2026-11-20 09:00-09:30", "MDY", "INVALID_DATE"),
        ("20.11.2026 9:00-10:00 Uhr", None, "INVALID_DATE"),
        ("Nov 20, 2026, 9h30-10h30", "MDY", "INVALID_DATE"),
    ],
)
def test_an_invalid_time_is_refused(value: str, order: DateOrder | None, code: str) -> None:
    """A time that is invalid, or contradicts or needs the profile, is refused and not guessed."""
    with pytest.raises(RuleError) as refused:
        read_moment(value, UTC, order)
    assert refused.value.code == code
    # An error of Python's would quote the cell in a traceback.
    assert refused.value.__context__ is None


def test_a_time_without_any_zone_is_refused() -> None:
    """A time without any time zone is refused; the server's time zone is not used."""
    with pytest.raises(RuleError) as refused:
        read_moment("2026-11-20 10:00:00", None)
    assert refused.value.code == "DATE_WITHOUT_ZONE"


@pytest.mark.parametrize(
    "value, text, doubt",
    [
        ("2026-03-08 02:30:00", "2026-03-08 02:30:00-06:00", "CLOCKS_CHANGED"),
        ("2026-11-01 01:30:00", "2026-11-01 01:30:00-05:00", "CLOCKS_CHANGED"),
        ("2026-11-01 00:59:59", "2026-11-01 00:59:59-05:00", None),
        ("2026-11-01 02:00:00", "2026-11-01 02:00:00-06:00", None),
        ("2026-11-20", "2026-11-20 00:00:00-06:00", "DATE_WITHOUT_TIME"),
        ("2026-11-20 00:00:00", "2026-11-20 00:00:00-06:00", "DATE_WITHOUT_TIME"),
        ("11/20/2026 12:00 AM", "2026-11-20 00:00:00-06:00", "DATE_WITHOUT_TIME"),
        ("20261120T000000", "2026-11-20 00:00:00-06:00", "DATE_WITHOUT_TIME"),
        ("2026-11-20 00:00:01", "2026-11-20 00:00:01-06:00", None),
        ("2026-11-20 00:01", "2026-11-20 00:01:00-06:00", None),
        ("2026-11-20 12:00 PM", "2026-11-20 12:00:00-06:00", None),
        ("2026-11-20 00:00:00-06:00", "2026-11-20 00:00:00-06:00", None),
        ("2026-11-20 00:00 America/Chicago", "2026-11-20 00:00:00-06:00", None),
        ("03/03/2026 10:00", "2026-03-03 10:00:00-06:00", None),
        ("03/13/2026 10:00", "2026-03-13 10:00:00-05:00", None),
        ("2026-03-04 10:00", "2026-03-04 10:00:00-06:00", None),
    ],
)
def test_the_doubts_about_a_time(
    value: str, text: str, doubt: str | tuple[str, ...] | None
) -> None:
    """Skipped and repeated hours use the offset from before the clock change, and a missing time
    means midnight."""
    moment = read_moment(value, CHICAGO)
    assert (moment.text, moment.doubts) == (
        text,
        (doubt,) if isinstance(doubt, str) else doubt or (),
    )
    assert moment.instant == datetime.fromisoformat(text).timestamp()


FORMATS = (
    "%Y-%m-%d",
    "%Y%m%d",
    "%m/%d/%Y",
    "%B %d, %Y",
    "%d %b %Y",
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%dT%H:%M:%S",
    "%m/%d/%Y %H:%M:%S",
    "%m/%d/%Y %I:%M:%S %p",
    "%b %d, %Y %I:%M:%S %p",
    "%Y-%m-%d %H:%M:%S.%f",
    "%m/%d/%y %I:%M %p",
    "%m/%d/%Y %H:%M:%S*%f",
    "%a, %d %b %Y %H:%M:%S",
    "%a %b %d %Y %H:%M:%S",
    "%A, %B %d, %Y %I:%M %p",
    "%Y-%m-%d %H.%M",
    "%Y%m%d %H%M%S",
    "%Y%m%dT%H%M%S",
    "%Y%m%d%H%M%S",
    "%Y\u5e74%m\u6708%d\u65e5 %H\u6642%M\u5206%S\u79d2",
    "%d %B %Y %Hh%M",
    "%Y. %m. %d. %H:%M:%S",
    "%d%b%Y %H:%M",
    "%B %d, %Y at %I:%M%p",
)
ZONES = ("America/Chicago", "Asia/Kolkata", "Australia/Lord_Howe", "Europe/London", "UTC")


@given(
    st.datetimes(datetime(2026, 8, 27), datetime(2026, 11, 23)),
    st.sampled_from(FORMATS),
    st.sampled_from(ZONES),
    st.sampled_from(["", " Z", "+05:45", " -0330", " Europe/Berlin"]),
)
def test_the_clock_reads_like_read_moment(
    at: datetime, form: str, zone_name: str, suffix: str
) -> None:
    """The cached hours never change a result, even at a clock change."""
    if "%H" not in form and "%I" not in form:
        suffix = ""  # a date without a time has no zone
    zone = ZoneInfo(zone_name)
    time_reader = TimeReader(NOW, zone, "MDY")
    at = at.replace(microsecond=at.microsecond // 1000 * 1000)
    for minutes in (0, 1, 29, 31, 59, 60, 61, 0):
        value = (at + timedelta(minutes=minutes)).strftime(form) + suffix
        assert time_reader.read(value) == read_moment(value, zone, "MDY")
        assert time_reader.read(value, CHICAGO) == read_moment(value, CHICAGO, "MDY")


@given(
    st.datetimes(datetime(2000, 1, 1), datetime(2030, 1, 1)),
    st.sampled_from([form for form in FORMATS if "%S" in form or "%M" not in form]),
    st.sampled_from(ZONES),
)
def test_every_format_reads_the_same_moment(at: datetime, form: str, zone_name: str) -> None:
    """Each format gives the same moment as ISO 8601, and one without a time its midnight."""
    zone = ZoneInfo(zone_name)
    if "%S" not in form:
        at = at.replace(hour=0, minute=0, second=0)
    iso = read_moment(f"{at:%Y-%m-%d %H:%M:%S}", zone).text
    assert read_moment(at.strftime(form), zone, "MDY").text == iso


@pytest.mark.parametrize(
    "date, time, text",
    [
        ("11/20/2026", "2:05 PM", "11/20/2026 2:05 PM"),
        ("11/20/2026, 00:00", "2:05 PM", "11/20/2026 2:05 PM"),
        ("11/20/2026 | 00:00", "2:05 PM", "11/20/2026 2:05 PM"),
        ("2026-11-20 00:00:00", "14:05:07", "2026-11-20 14:05:07"),
        ("2026-11-20T00:00", "14.05", "2026-11-20 14.05"),
        ("11/20/2026 12:00:00 AM", "14:05 CET", "11/20/2026 14:05 CET"),
        ("11/20/2026 12:00 am", "14:05", "11/20/2026 14:05"),
        ("20/11/2026 12:00:00 a. m.", "14:05", "20/11/2026 14:05"),
        ("2026-11-20 00:00:00.000", "14:05", "2026-11-20 14:05"),
        ("2026-11-20T00:00:00.0000000", "14:05", "2026-11-20 14:05"),
        ("20. November 2026", "14:05", "20. November 2026 14:05"),
        ("20261120", "14h05", "20261120 14:05"),
        ("20261120T000000", "14:05", "20261120 14:05"),
        ("2026-11-20", "093309", "2026-11-20 09:33:09"),
        ("20261120 0000", "14:05", "20261120 14:05"),
        ("20261120000000", "14:05", "20261120 14:05"),
        ("20 novembre 2026 00h00", "14 h 05 min 07 s", "20 novembre 2026 14:05:07"),
        ("2026\u5e7411\u670820\u65e5", "14\u664205\u5206", "2026-11-20 14:05"),
        ("20261120 140507", "10:00", "20261120 140507"),
        # The date has a time of its own, or is none.
        ("2026-11-20 10:00", "14:05", "2026-11-20 10:00"),
        ("2026-11-20 00:00:00Z", "14:05", "2026-11-20 00:00:00Z"),
        ("1795000000", "14:05", "1795000000"),
        ("2026-11-20 10:00", "3 days", "2026-11-20 10:00"),
        ("yesterday", "14:05", "yesterday"),
    ],
)
def test_a_date_and_the_time_in_another_cell(date: str, time: str, text: str) -> None:
    """The time of another cell counts only if the date has none."""
    assert with_time_of_day(date, time) == text


def test_a_text_that_is_too_long_for_a_date_stays() -> None:
    """It is refused as a date later, with its own code."""
    assert with_time_of_day("2026-11-20" + " " * 100, "14:05") == "2026-11-20" + " " * 100


@pytest.mark.parametrize("date", ["2026-11-20", "2026-11-20 00:00:00"])
@pytest.mark.parametrize(
    "time", ["3 days", "1.5", "0.586805555555556", "afternoon", "14h5", "250000"]
)
def test_a_time_of_day_that_cannot_be_read(date: str, time: str) -> None:
    """A date at midnight needs the other cell, so an unreadable one is reported."""
    with pytest.raises(RuleError, match="INVALID_TIME_OF_DAY"):
        with_time_of_day(date, time)


def test_the_names_of_months_and_weekdays() -> None:
    """Every name means one month or weekday, whichever language it is from."""
    assert set(MONTHS.values()) == set(range(1, 13))
    assert set(WEEKDAYS.values()) == set(range(7))
    for number in range(1, 13):
        at = datetime(2026, number, 1)
        assert MONTHS[f"{at:%B}".lower()] == MONTHS[f"{at:%b}".lower()] == number
        assert WEEKDAYS[f"{at:%A}".lower()] == WEEKDAYS[f"{at:%a}".lower()] == at.weekday()
    for words in (dates._MONTH_NAMES, dates._WEEKDAY_NAMES):
        names = words.split()
        assert len(names) == len(set(names))


def test_an_abbreviation_has_one_offset_wherever_it_is_used() -> None:
    """The IANA database knows each abbreviation of a time zone with one offset only."""
    offsets: dict[str, set[timedelta | None]] = {}
    for name in available_timezones() - {"localtime"}:
        for month in (1, 7):
            at = datetime(2026, month, 1, tzinfo=ZoneInfo(name))
            offsets.setdefault(at.tzname() or "", set()).add(at.utcoffset())
    for name, zone in time_zones.ABBREVIATIONS.items():
        assert offsets[name] == {zone.utcoffset(None)}, name


@given(st.datetimes(datetime(2000, 1, 1), datetime(2030, 1, 1)), st.sampled_from(ZONES))
def test_reading_a_time_again_changes_nothing(at: datetime, zone_name: str) -> None:
    """A normalized time is read unchanged."""
    once = read_moment(f"{at:%Y-%m-%d %H:%M:%S}", ZoneInfo(zone_name)).text
    assert read_moment(once, None).text == once


@pytest.mark.parametrize(
    "value, code",
    [
        ("2026-11-24 12:00:00+00:00", None),
        ("2026-11-24 12:10:00+00:00", None),
        ("2026-11-24 12:10:01+00:00", "FUTURE_DATE"),
        ("2026-11-24 11:59:59+00:00", None),
        ("2027-01-01 00:00:00+00:00", "FUTURE_DATE"),
        ("2026-08-26 12:00:00+00:00", None),
        ("2026-08-26 11:59:59+00:00", "TOO_OLD"),
        ("2020-01-01 00:00:00+00:00", "TOO_OLD"),
    ],
)
def test_the_clock_accepts_exactly_90_days(value: str, code: str | None) -> None:
    """The limits are exact to the second, even within a cached hour. The clock of the file's
    program may be as far ahead as this function's may be behind."""
    time_reader = TimeReader(NOW, None)
    time_reader.read("2026-11-24 12:00:00+00:00")
    time_reader.read("2026-08-26 12:30:00+00:00")
    if code is None:
        assert time_reader.read(value)[0] == value
        return
    with pytest.raises(RuleError) as refused:
        time_reader.read(value)
    assert refused.value.code == code


def test_a_time_before_the_look_back_window() -> None:
    """A time before the look-back window only gets a warning, because the time of the click is
    unknown; the limit of 90 days still applies."""
    time_reader = TimeReader(NOW, None)
    for _ in range(2):
        assert time_reader.read("2026-10-25 12:00:00+00:00", None, 30)[2] == ()
        assert time_reader.read("2026-10-25 11:59:59+00:00", None, 30)[2] == (
            "OLDER_THAN_LOOKBACK",
        )
        old = time_reader.read("09/30/2026 12:00:00 +0000", None, 30)
        assert old[2] == ("OLDER_THAN_LOOKBACK",)
    with pytest.raises(RuleError) as refused:
        time_reader.read("2026-08-26 11:59:59+00:00")
    assert refused.value.code == "TOO_OLD"


def test_a_cached_hour_does_not_make_midnight_a_time() -> None:
    """All other minutes of the hour are times, in any order of the rows."""
    time_reader = TimeReader(NOW, UTC)
    for _ in range(2):
        assert time_reader.read("2026-11-20 00:30:00")[2] == ()
        assert time_reader.read("2026-11-20 00:00:00")[2] == ("DATE_WITHOUT_TIME",)
        assert time_reader.read("2026-11-20 00:00:01")[2] == ()
        assert time_reader.read("2026-11-20 00:00:00+00:00")[2] == ()
        assert time_reader.read("2026-11-20 00:00:00", ZoneInfo("America/Chicago"))[:2] == (
            "2026-11-20 00:00:00-06:00",
            1795154400,
        )


def test_days_are_remembered_up_to_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """A cell without a time of day is read once, and any number of them costs little memory."""
    monkeypatch.setattr(reading, "_MAX_HOURS", 3)
    time_reader = TimeReader(NOW, UTC)
    for day in (20, 20, 19, 18, 17, 16, 20):
        for cell in (f"2026-11-{day}", f"2026-11-{day} 00:00:00"):
            moment = time_reader.read(cell)
            assert moment[0] == f"2026-11-{day} 00:00:00+00:00"
            assert moment[2] == ("DATE_WITHOUT_TIME",)
        assert len(time_reader._days) <= 3
    with pytest.raises(RuleError, match="TOO_OLD"):
        time_reader.read("2026-07-01")
    with pytest.raises(RuleError, match="TOO_OLD"):
        time_reader.read("2026-07-01")


def test_a_colon_before_the_hour_makes_no_hour_of_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    """The reader finds minutes behind the first colon; one without them there is not cached."""
    date = r"(?P<day>\d+)/(?P<month_name>\w+)/(?P<year>\d+):"
    pattern = rf"{date}{dates._TIME}(?: ?{dates._ZONE})?"
    monkeypatch.setattr(dates, "_FORMATS", (re.compile(pattern),))
    time_reader = TimeReader(NOW, UTC)
    for zone in ("", " -0600"):
        for time in ("14:05:07", "15:30:07", "05:05:05", "07:09:05"):
            value = f"20/Nov/2026:{time}{zone}"
            assert time_reader.read(value) == read_moment(value, UTC)


@pytest.mark.parametrize("first", ["02:45:00", "02:15:00"])
def test_an_hour_that_is_skipped_in_part_is_not_remembered(first: str) -> None:
    """On Lord Howe Island, clocks are set by half an hour: in one hour, only some times exist."""
    zone = ZoneInfo("Australia/Lord_Howe")
    time_reader = TimeReader(NOW, zone)
    for time in (first, "02:15:00", "02:45:00"):
        value = f"2026-10-04 {time}"
        assert time_reader.read(value) == read_moment(value, zone)


@pytest.mark.parametrize(
    "value",
    [
        *("2026-11-20 10:01:00.", "2026-11-20 10:01:00.x", "2026-11-20 10:01."),
        *("2026-11-20 10:01:60", "2026-11-20 10:60:00"),
    ],
)
def test_a_cached_hour_makes_no_invalid_time_valid(value: str) -> None:
    """A cell gives the same result after any earlier rows."""
    time_reader = TimeReader(NOW, UTC)
    time_reader.read("2026-11-20 10:00:00")
    time_reader.read("2026-11-20 10:00:00.5")
    with pytest.raises(RuleError) as refused:
        time_reader.read(value)
    assert refused.value.code == "INVALID_DATE"


@pytest.mark.parametrize(
    "cell",
    [
        *("2026-11-20 14:{}", "2026-11-20T14:{}Z", "2026-11-20 14:{} -05:00", "11/20/2026 2:{} PM"),
        *("Nov 20, 2026 - 14:{}", "Nov 20, 2026 - 2:{} PM", "2026-11-20 | 14:{}"),
        *("20.11.2026 um 14:{} Uhr", "Fri Nov 20 14:{} CET 2026", "2026-11-20 14:{} GMT"),
        *("2026-11-20T14:{}[America/New_York]", "Fri, 20 Nov 2026 14:{} +0100 (CET)"),
        *("2026\u5e7411\u670820\u65e5 \u5348\u5f8c2:{}", "2026. 11. 20. \uc624\ud6c4 2:{}"),
        "2026-11-20 @ 9:{}-10:00",
    ],
)
@pytest.mark.parametrize(
    "fraction", ["", ".5", ",5", "*123", ".", "*", ".1x", " .5", ".5.5", "." + "5" * 100]
)
def test_a_fraction_is_read_alike_after_any_row(cell: str, fraction: str) -> None:
    """A cell gives the same result after a row of its hour as alone."""
    warm = TimeReader(NOW, UTC)
    results = []
    with suppress(RuleError):
        warm.read(cell.format("06:07"))
    for time_reader in (warm, TimeReader(NOW, UTC)):
        try:
            results.append([*time_reader.read(cell.format(f"05:07{fraction}"))])
        except RuleError as error:
            results.append([error.code])
    assert results[0] == results[1]


def test_the_clock_remembers_a_bounded_number_of_hours() -> None:
    """The number of cached hours is limited, so a hostile file cannot fill the memory."""
    time_reader = TimeReader(NOW, None)
    for hours in range(80 * 24):
        at = NOW - timedelta(hours=hours)
        for offset in ("+00:00", "+05:30", "-05"):
            time_reader.read(f"{at - timedelta(days=1):%Y-%m-%d %H}:00:00{offset}")
    for minutes in range(-14 * 60, 14 * 60):
        time_reader.read("2026-11-20 01:00:00", timezone(timedelta(minutes=minutes)))
    assert 0 < sum(map(len, time_reader._hours.values())) <= 4096


@pytest.mark.parametrize(
    "name, hours",
    [
        ("America/Chicago", -6),
        ("america/chicago", -6),
        ("America/New York", -5),
        ("-0500", -5),
        ("+05:30", 5.5),
        ("-5", -5),
        ("+05", 5),
        ("+5:45", 5.75),
        ("-12:00", -12),
        ("+1400", 14),
        ("UTC", 0),
        ("Z", 0),
        ("GMT+2", 2),
        ("Etc/GMT+2", -2),
        ("EST", -5),
    ],
)
def test_a_zone_has_many_names(name: str, hours: float) -> None:
    """IANA names are accepted in any case, and offsets as templates write them."""
    offset = load_zone(name).utcoffset(datetime(2026, 11, 24))
    assert offset == timedelta(hours=hours)


@pytest.mark.parametrize(
    "time, zone, expected",
    [
        ("2026-11-20 10:00 PST", "America/Los_Angeles", "2026-11-20 10:00:00-08:00"),
        ("2026-11-01 01:30 PST", "America/Los_Angeles", "2026-11-01 01:30:00-08:00"),
        ("2026-11-20 10:00 CST", "America/Chicago", "2026-11-20 10:00:00-06:00"),
        ("2026-11-20 10:00 CST", "Asia/Shanghai", "2026-11-20 10:00:00+08:00"),
        ("2026-07-20 10:00 BST", "Europe/London", "2026-07-20 10:00:00+01:00"),
        ("2026-07-20 10:00 PST", "America/Los_Angeles", None),
        ("2026-11-20 10:00 PST", "America/New_York", None),
        ("2026-11-20 10:00 PST", None, None),
    ],
)
def test_the_profile_tells_which_zone_an_abbreviation_means(
    time: str, zone: str | None, expected: str | None
) -> None:
    """It is read if the zone of the profile has this name at this time, and refused otherwise."""
    if expected is not None:
        moment = read_moment(time, load_zone(zone or ""))
        assert (moment.text, moment.doubts) == (expected, ())
        return
    with pytest.raises(RuleError) as refused:
        read_moment(time, load_zone(zone) if zone else None)
    assert refused.value.code == "UNKNOWN_TIME_ZONE"


@pytest.mark.parametrize(
    "name",
    [
        *("", "America", "../etc/passwd", "Mars/Base", "localtime", "a\0b"),
        *("+15:00", "+14:30", "-12:30", "+05:60", "+01:20", "+120", "-420", "-300", "UTC+530"),
    ],
)
def test_an_unknown_zone_is_refused(name: str) -> None:
    """An unknown zone is refused; it is not looked up as a path or as the server's own zone."""
    with pytest.raises(RuleError) as refused:
        load_zone(name)
    assert refused.value.code == "UNKNOWN_TIME_ZONE"
