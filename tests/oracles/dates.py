"""Dates and times as all languages of Babel write them: in full, or only the month in words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_datetime
from babel.localedata import locale_identifiers
from hypothesis import strategies as st

from lib.errors import RuleError
from lib.model.spelling import unwrap
from lib.rules.values.dates import DateOrder
from lib.rules.values.time_reader import TimeReader
from tests.oracles import Oracle, Verdict

MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2031, 12, 31))
LENGTHS: Final = ("short", "medium", "long", "full")
WIDTHS: Final = ("wide", "abbreviated")
CONTEXTS: Final = ("format", "stand-alone")
AROUND_NAMES: Final = (
    *("{day} {month} {year}", "{day}. {month} {year}", "{month} {day}, {year}"),
    *("{day} de {month} de {year}", "{day}-{month}-{year}", "{day}{month}{year}"),
    *("{weekday}, {day} {month} {year}", "{weekday} {day}. {month} {year}"),
    *("{weekday}, {month} {day}, {year}", "{weekday} {month} {day} 10:30:00 UTC {year}"),
    *("{weekday} {month_number}/{day}/{year}", "{weekday} {day}/{month_number}/{year}"),
)


def _readable(name: str) -> bool:
    try:
        Locale.parse(name)
    except (UnknownLocaleError, ValueError):
        return False
    return True


LOCALES: Final = sorted(filter(_readable, locale_identifiers()))

ENGLISH_MONTHS: Final = {
    name.lower(): number
    for width in WIDTHS
    for number, name in Locale.parse("en").months["format"][width].items()
}
"""A name that is English means that month, whatever it means in another language."""


def orders_of(name: str) -> tuple[DateOrder | None, ...]:
    """Return what a profile may say of the dates of this locale."""
    pattern = Locale.parse(name).date_formats["short"].pattern
    if pattern.find("y") < pattern.find("d"):
        return (None,)
    return None, "DMY" if pattern.find("d") < pattern.find("M") else "MDY"


def read(text: str, meant: datetime, order: DateOrder | None) -> Verdict:
    """Compare what the time_reader of a file reads the day after. An old date is refused by it."""
    time_reader = TimeReader(meant + timedelta(days=1), UTC, order)
    try:
        found, instant, _ = time_reader.read(unwrap(text, "text"))
    except RuleError:
        return "refused"
    assert instant == meant.timestamp(), (text, order, found)
    return "read"


def check_names(
    at: datetime, name: str, width: str, context: str, form: str, is_ordered: bool
) -> Verdict:
    """Compare a date with names of months and weekdays."""
    locale = Locale.parse(name)
    day = datetime(at.year, at.month, at.day, tzinfo=UTC)
    text = form.format(
        day=at.day,
        month=locale.months[context][width][at.month],
        month_number=at.month,
        weekday=locale.days[context][width][at.weekday()],
        year=at.year,
    )
    if ENGLISH_MONTHS.get(locale.months[context][width][at.month].lower(), at.month) != at.month:
        return "explained"  # English: in Teso, Mar is the fifth month
    hour = timedelta(hours=10.5 if "10:30" in form else 0)
    orders: tuple[DateOrder | None, ...] = (None,)
    if "month_number" in form and is_ordered:
        orders = (None, "MDY" if form.find("{month") < form.find("{day") else "DMY")
    return read(text, day + hour, orders[-1])


def check_formats(
    at: datetime, name: str, length: str, has_time: bool, is_ordered: bool
) -> Verdict:
    """Compare a date, or a date and a time, in a format of its locale."""
    months = Locale.parse(name).months["format"]["abbreviated"]
    if ENGLISH_MONTHS.get(months[at.month].lower(), at.month) != at.month:
        return "explained"
    order = orders_of(name)[-1 if is_ordered else 0]
    if not has_time:
        text = format_date(at, length, locale=name)
        return read(text, datetime(at.year, at.month, at.day, tzinfo=UTC), order)
    text = format_datetime(at, length, locale=name)
    at = at.replace(tzinfo=UTC, second=0 if length == "short" else at.second, microsecond=0)
    return read(text, at, order)


_NAMES = st.sampled_from(LOCALES)
ORACLES: Final = (
    Oracle(
        "names of months and weekdays of Babel",
        {
            "at": MOMENTS,
            "name": _NAMES,
            "width": st.sampled_from(WIDTHS),
            "context": st.sampled_from(CONTEXTS),
            "form": st.sampled_from(AROUND_NAMES),
            "is_ordered": st.booleans(),
        },
        check_names,
    ),
    Oracle(
        "dates and times of Babel",
        {
            "at": MOMENTS,
            "name": _NAMES,
            "length": st.sampled_from(LENGTHS),
            "has_time": st.booleans(),
            "is_ordered": st.booleans(),
        },
        check_formats,
    ),
)
