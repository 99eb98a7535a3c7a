"""Conversion times: every format in exports -> `yyyy-mm-dd HH:mm:ss+HH:mm`.

The API's format: https://developers.google.com/google-ads/api/docs/conversions/upload-offline
Google's file formats: https://support.google.com/google-ads/answer/7014069
"""

import re
import unicodedata
from contextlib import suppress
from datetime import UTC, datetime, time, timedelta, tzinfo
from typing import Final, Literal, NamedTuple

from lib.errors import RuleError
from lib.model.spelling import FULL_WIDTH
from lib.rules.values.time_zones import zone_in_time

DateOrder = Literal["DMY", "MDY"]

Doubts = tuple[str, ...]
"""Codes of the assumptions that were made to read a time."""


class Moment(NamedTuple):
    """A point in time in the format of the APIs."""

    text: str  # yyyy-mm-dd HH:mm:ss+HH:mm
    instant: int  # Unix seconds
    doubts: Doubts = ()


# In English, German, French, Spanish, Italian, Dutch and Portuguese, and as exports shorten them.
# Without accents: März is marz, février fevrier. A test checks that no name means two months.
_MONTH_NAMES: Final = """
january januar jan janner janvier janv enero ene gennaio gen januari janeiro
february feb februar feber fevrier fevr fev febrero febbraio februari fevereiro
march mar marz maerz mrz mars marzo maart mrt marco
april apr avril avr abril abr aprile
may mai mayo maggio mag mei maio
june jun juni juin junio giugno giu junho
july jul juli juillet juil julio luglio lug julho
august aug aout agosto ago augustus
september sept sep septembre septiembre settembre set setembro
october oct oktober okt octobre octubre ottobre ott outubro out
november nov novembre noviembre novembro
december dec dezember dez decembre diciembre dic dicembre dezembro
"""
_WEEKDAY_NAMES: Final = """
monday mon montag mo lundi lun lunes lunedi maandag ma segunda segunda-feira seg
tuesday tue tues dienstag di mardi martes mar martedi dinsdag terca terca-feira ter
wednesday wed mittwoch mi mercredi mer miercoles mie mercoledi woensdag wo quarta quarta-feira qua
thursday thu thurs donnerstag do jeudi jeu jueves jue giovedi gio donderdag quinta quinta-feira qui
friday fri freitag fr vendredi ven viernes vie venerdi vrijdag vr sexta sexta-feira sex
saturday sat samstag sonnabend sa samedi sam sabado sab sabato zaterdag za
sunday sun sonntag so dimanche dim domingo dom domenica zondag zo
"""


def _numbers(lines: str, first: int) -> dict[str, int]:
    """Return name → number of its line."""
    numbered = enumerate(lines.split("\n")[1:-1], first)
    return {name: number for number, line in numbered for name in line.split()}


MONTHS: Final = _numbers(_MONTH_NAMES, 1)
"""january → 1. The names are in lower case and without accents."""

WEEKDAYS: Final = _numbers(_WEEKDAY_NAMES, 0)
"""monday → 0, as `datetime.weekday` counts."""

_SURE_WEEKDAY_CHARS: Final = 4
_ENGLISH_WEEKDAYS: Final = frozenset({"mon", "tue", "wed", "thu", "fri", "sat", "sun"})

# Some of Google's reports write 17:01:54*123.
_FRACTION: Final = r"(?:[.,*]\d+)?"
# 14:05:07.123, 15.50, 2:05 PM, 02:05 p. m.
_TIME: Final = (
    r"(?P<hour>\d{1,2})(?P<colon>[:.])(?P<minute>\d{2})"
    rf"(?:(?P=colon)(?P<second>\d{{2}}){_FRACTION})?"
    r"(?: ?(?P<half>[AaPp])(?:\. ?)?[Mm]\b\.?)?"
)
_ZONE: Final = r"(?P<zone>[+-]\d{2}:?\d{2}|[+-]\d{2}|(?![Uu]hr\b)[A-Za-z][\w+/:-]*)"
_TIME_OF_DAY: Final = re.compile(rf"{_TIME}(?: ?{_ZONE})?", re.ASCII)
_SIX_DIGITS: Final = re.compile(r"([01]\d|2[0-3])([0-5]\d)([0-5]\d)", re.ASCII)
# Nov 25, 2026 - 10:58 AM. But 20.11.26 - 22.11.26 and 20.11.2026 - 10:00-11:00 are periods.
_MARK: Final = r"[-\u2013@|] "
_ONLY_A_TIME: Final = rf"(?=\d{{1,2}}:\d\d(?::\d\d{_FRACTION})?(?: ?[AaPp](?:\. ?)?[Mm]\.?)?$)"
_REST: Final = rf"(?:(?:[Tt]|,? (?:{_MARK}{_ONLY_A_TIME})?){_TIME}(?: ?{_ZONE})?)?"
_YEAR: Final = r"(?P<year>\d{4}|\d{2})"
_COMPACT: Final = r"(?P<year>\d{4})(?P<month>\d{2})(?P<day>\d{2})"
_COMPACT_TIME: Final = (
    r"(?:[Tt ](?=\d{4})|(?=\d{6}))(?P<hour>\d{2})(?P<minute>\d{2})(?P<second>\d{2})?"
    rf"(?:[.,]\d+)?(?: ?{_ZONE})?"
)
# Year first; day and month in either order; month by name (20. November, 20 de noviembre de 2026);
# without signs (20261120, 20261120T140507, 20261120140507); 20NOV2026; the year last, as Java and
# Unix print it (Nov 20 14:05:07 CET 2026).
_FORMATS: Final = tuple(
    re.compile(date, re.ASCII)
    for date in (
        r"(?P<year>\d{4})(?P<mark>[-/.])(?P<month>\d{1,2})(?P=mark)(?P<day>\d{1,2})" + _REST,
        rf"(?P<first>\d{{1,2}})(?P<mark>[-/.])(?P<other>\d{{1,2}})(?P=mark){_YEAR}" + _REST,
        rf"(?P<month_name>[A-Za-z]{{3,10}})\.? (?P<day>\d{{1,2}}),? {_YEAR}" + _REST,
        r"(?P<day>\d{1,2})(?:er|[.\u00ba])?(?: de |[ /-])"
        rf"(?P<month_name>[A-Za-z]{{3,10}})\.?,?(?: de |[ /-]){_YEAR}" + _REST,
        _COMPACT + _REST,
        _COMPACT + _COMPACT_TIME,
        r"(?P<day>\d{1,2})(?P<month_name>[A-Za-z]{3})(?P<year>\d{4})" + _REST,
        rf"(?P<month_name>[A-Za-z]{{3,10}}) (?P<day>\d{{1,2}}) {_TIME}(?: {_ZONE})? "
        r"(?P<year>\d{4})",
    )
)
# 2026年11月20日, 2026년 11월 20일
_DATE_IN_WORDS: Final = re.compile(r"(\d{4})[年년] ?(\d{1,2})[月월] ?(\d{1,2})[日일] ?", re.ASCII)
# 3. 4. 2026, 2026. 11. 20. 14:05. But `26. 11. 20.` is Korean and begins with the year.
_SPACED_DOTS: Final = re.compile(
    r"^(?!\d\d\. \d{1,2}\. \d\d\.)(\d{1,4})\. ?(\d{1,2})\. ?(\d{1,4})\.?(?=,? |$)", re.ASCII
)
# November 20, 2026 at 02:05 PM; 20. November 2026 um 14:05 Uhr
_WORD_BEFORE_TIME: Final = re.compile(
    r",? (?:at|um|om|as|alle|a) (?=\d{1,2}[:.]\d\d)", re.ASCII | re.IGNORECASE
)
_WORD_AFTER_TIME: Final = re.compile(r"(?<=\d) ?uhr\b", re.ASCII | re.IGNORECASE)
# 2026/11/20(金) 14:05
_WEEKDAY_IN_BRACKETS: Final = re.compile(r" ?\([月火水木金土日월화수목금토일]\)")
# 午後 2:05
_HALF_FIRST: Final = re.compile(
    rf" ?(?:(午前|上午|오전)|午後|下午|오후) ?(\d{{1,2}}[:.]\d\d(?:[:.]\d\d{_FRACTION})?)", re.ASCII
)
# 14時05分07秒, 14h05, 14 h 05 min 07 s
_TIME_IN_WORDS: Final = re.compile(
    r"(?:\ba )?(?<!\d)(\d{1,2})"
    r"(?:[時时시] ?(\d{1,2})[分분](?: ?(\d{1,2})[秒초])?"
    r"| ?[Hh] ?(\d{2})(?: ?(?:min|mn|m) ?(\d{2}) ?s?)?)(?!\d)",
    re.ASCII,
)
_WEEKDAY: Final = re.compile(r"(?P<weekday_name>[A-Za-z-]{2,13})\.?,? (?P<rest>.+)", re.ASCII)
# 2026-11-20T14:05:07-05:00[America/New_York] (Java); 14:05:07 GMT-0600 (Central Standard Time)
# (JavaScript). The offset, if there is one, needs no name.
_BRACKET: Final = re.compile(r"(?P<time>.+?) ?\[(?P<zone>[A-Za-z][\w+/:-]*)\]", re.ASCII)
_COMMENT: Final = re.compile(r"(?P<time>.*[+-]\d{2}:?\d{2}) \([^()]*\)", re.ASCII)
# 10:00-11:00 is an appointment. Behind a T, only an offset can follow a time.
_SLOT: Final = re.compile(r".* (\d{1,2}:\d\d)-(\d\d:\d\d)", re.ASCII)
_ENDS_WITH_OFFSET: Final = re.compile(r".*\d(?:[Zz]|(?: ?[A-Z]{3})?[+-]\d{2}:?\d{2})", re.ASCII)
# Each way of `_TIME` to write midnight: 0:00, 00:00:00.000 (SQL Server), 12:00 am; and 000000.
_AM: Final = r" ?[Aa](?:\. ?)?[Mm]\.?"
_MINUTE_0: Final = r"[:.]00(?:[:.]00(?:[.,*]0+)?)?"
_MIDNIGHT: Final = re.compile(
    rf"(?:[Tt]|,? (?:{_MARK})?)(?:0?0{_MINUTE_0}(?:{_AM})?|12{_MINUTE_0}{_AM}|0000(?:00)?)$"
    r"|(?<=^\d{8})000000$",
    re.ASCII,
)
_UNIX: Final = re.compile(r"(\d{10})(?:\.\d+|\d{3})?", re.ASCII)
LONGEST: Final = 100
"""The characters of a cell with a time."""
# Before this year, some offsets have seconds, which the format does not support.
_EARLIEST_YEAR: Final = 1973
_CENTURY: Final = 2000
_NO_TIME: Final = time()


def read_moment(value: str, zone: tzinfo | None, date_order: DateOrder | None = None) -> Moment:
    """`11/24/2026 02:05:07 PM` in America/Chicago -> `2026-11-24 14:05:07-06:00`, as a `Moment`.

    Ten digits are Unix seconds. `zone` applies to a value without an offset or zone name,
    `date_order` to 03/04/2026. Raises INVALID_DATE, DATE_WITHOUT_ZONE, UNKNOWN_TIME_ZONE,
    DATE_ORDER_MISMATCH or DATE_ORDER_UNDECLARED.

    The doubts are CLOCKS_CHANGED (read with the offset before the change) and DATE_WITHOUT_TIME
    (read as midnight). Midnight without an offset counts as that too: so databases write
    a date.
    """
    if len(value) > LONGEST:
        raise RuleError("INVALID_DATE")
    text = _one_spelling(value)
    unix = _UNIX.fullmatch(text)
    if unix is not None:
        return _format(datetime.fromtimestamp(int(unix.group(1)), UTC), ())
    parts = _parts(text)
    if parts is None:
        raise RuleError("INVALID_DATE")
    return _localize(_naive(parts, date_order or _order_by_weekday(parts)), parts, zone)


def meanings_by_order(value: str) -> dict[DateOrder, datetime]:
    """Return what a time means, without its zone, in each order in which it can be read.

    `11/10/2026 14:05` has two meanings, `11/20/2026` has only that of MDY, and `2026-11-20` the
    same one in both orders. What is no time has none. Dots prove no order here: some systems write
    `11.20.2026`.
    """
    parts = _parts(_one_spelling(value)) if len(value) <= LONGEST else None
    return {} if parts is None else _naive_by_order({**parts, "mark": "/"})


def with_time_of_day(date: str, time_of_day: str) -> str:
    """Return a date and the time in another cell as one text: `11/20/2026`, `2:05 PM`.

    Returns the date unchanged if it already has a time other than midnight, or is not a date. If it
    needs the time, and the other cell is not a time of day, raises INVALID_TIME_OF_DAY.
    """
    day = _date_alone(date)
    if day is None:
        return date
    if not is_time_of_day(time_of_day):
        raise RuleError("INVALID_TIME_OF_DAY")
    return f"{day} {_plain_time(time_of_day)}"


def is_time_of_day(value: str) -> bool:
    """Return whether the text is a time without a date: `2:05 PM`, but also `14.05`, `140507`."""
    return _TIME_OF_DAY.fullmatch(_plain_time(value)) is not None


def _plain_time(time_of_day: str) -> str:
    """`140507` → `14:05:07`. A time that is written in another way stays."""
    text = _in_signs(_one_spelling(time_of_day))
    digits = _SIX_DIGITS.fullmatch(text)
    return ":".join(digits.groups()) if digits else text


def at_end_of_day(date: str) -> str | None:
    """Return the last second of a date; None if it has a time other than midnight, or is not a
    date."""
    day = _date_alone(date)
    return None if day is None else f"{day} 23:59:59"


def _date_alone(date: str) -> str | None:
    """Return a date without a midnight that stands behind it; None if it has another time, or is
    not a date. It has no zone: each format has one only behind a time."""
    if len(date) > LONGEST:
        return None
    day = _MIDNIGHT.sub("", _in_signs(_one_spelling(date)))
    parts = _parts(day)
    return day if parts is not None and parts["hour"] is None else None


def _one_spelling(value: str) -> str:
    """Return the text with plain spaces, digits and minus signs, and without accents."""
    # Exports contain no-break spaces before PM and typographic minus signs before offsets.
    text = " ".join(value.split()).replace("\u2212", "-")
    if text.isascii():
        return text
    text = text.translate(FULL_WIDTH)
    # Not `without_accents`, which would also make a letter of the sign in 1º.
    signs = unicodedata.normalize("NFD", text)
    plain = "".join(each for each in signs if not unicodedata.combining(each))
    return unicodedata.normalize("NFC", plain)  # Korean


def _parts(text: str) -> dict[str, str | None] | None:
    """Return the parts of a time, or None if it has no known format or is a slot: 10:00-11:00."""
    slot = _SLOT.fullmatch(text)
    if slot is not None and slot[1].zfill(5) < slot[2]:
        return None
    for pattern in _FORMATS:
        match = pattern.fullmatch(text)
        if match is not None:
            return match.groupdict()
    return _unusual_parts(text)


def _unusual_parts(text: str) -> dict[str, str | None] | None:
    """Return the parts of a time in words (14h05), with a weekday, or with the name of its time
    zone in brackets."""
    if (in_signs := _in_signs(text)) != text:
        return _parts(in_signs)
    if (bracket := _BRACKET.fullmatch(text)) is not None:
        time = bracket["time"]
        return _parts(time if _ENDS_WITH_OFFSET.fullmatch(time) else f"{time} {bracket['zone']}")
    if (comment := _COMMENT.fullmatch(text)) is not None:
        return _parts(comment["time"])
    weekday = _WEEKDAY.fullmatch(text)
    if weekday is None or weekday["weekday_name"].lower() not in WEEKDAYS:
        return None
    parts = _parts(weekday["rest"])
    return None if parts is None else {**parts, "weekday_name": weekday["weekday_name"]}


def _in_signs(text: str) -> str:
    """Return a time with signs in place of words, 14h05 -> 14:05, a date without spaces."""
    text = _SPACED_DOTS.sub(r"\1.\2.\3", _WEEKDAY_IN_BRACKETS.sub("", text))
    text = _DATE_IN_WORDS.sub(r"\1-\2-\3 ", text)
    text = _WORD_AFTER_TIME.sub("", _WORD_BEFORE_TIME.sub(" ", text))
    text = _TIME_IN_WORDS.sub(_with_colons, text)
    return _HALF_FIRST.sub(_with_half_last, text).strip()


def _with_colons(time: re.Match[str]) -> str:
    return ":".join([time[1], *(part.zfill(2) for part in time.groups()[1:] if part)])


def _with_half_last(time: re.Match[str]) -> str:
    return f" {time[2]} {'AM' if time[1] else 'PM'}"


def _naive(parts: dict[str, str | None], date_order: DateOrder | None) -> datetime:
    """Return date and time without a zone."""
    hour, minute = int(parts["hour"] or 0), int(parts["minute"] or 0)
    half = parts.get("half")
    if half:
        if not 1 <= hour <= 12:
            raise RuleError("INVALID_DATE")
        hour = hour % 12 + (12 if half in "Pp" else 0)
    naive = None
    with suppress(ValueError):  # there is no such day or time
        naive = datetime(*_day_of(parts, date_order), hour, minute, int(parts["second"] or 0))
    # In UTC, the last day of the year 9999 may be beyond what `datetime` can have.
    if naive is None or not _EARLIEST_YEAR <= naive.year < 9999:
        raise RuleError("INVALID_DATE")
    weekday = parts.get("weekday_name")
    if weekday and WEEKDAYS[weekday.lower()] != naive.weekday():
        # Another weekday may prove that day and month are swapped.
        is_swapped = "first" in parts and date_order is not None
        raise RuleError("DATE_ORDER_MISMATCH" if is_swapped else "INVALID_DATE")
    return naive


def _day_of(parts: dict[str, str | None], date_order: DateOrder | None) -> tuple[int, int, int]:
    """Return year, month and day. Each branch reads one family of groups: a format with others (a
    week, a day of the year) needs its own. Raises ValueError if there is no such day.

    Neither `strptime` nor `timedelta` refuses day 366 of a year that has 365."""
    year = int(parts["year"] or 0)
    if len(parts["year"] or "") == 2:
        year += _CENTURY
    if "first" in parts:
        return year, *_in_order(parts, date_order)
    if "month" in parts:
        month = int(parts["month"] or 0)
    else:
        assert "month_name" in parts, "a format has groups that no branch reads"
        month = MONTHS.get((parts["month_name"] or "").lower(), 0)
    return year, month, int(parts["day"] or 0)


def _order_by_weekday(parts: dict[str, str | None]) -> DateOrder | None:
    """Return the only order in which a date such as Fri 11/06/2026 has its weekday, if it names
    one that has only one meaning in all languages: `di` is Tuesday in German, and Sunday in
    others."""
    weekday = (parts.get("weekday_name") or "").lower()
    is_sure = len(weekday) >= _SURE_WEEKDAY_CHARS or weekday in _ENGLISH_WEEKDAYS
    if not is_sure or "first" not in parts:
        return None
    fitting = [*_naive_by_order(parts)]
    return fitting[0] if len(fitting) == 1 else None


def _naive_by_order(parts: dict[str, str | None]) -> dict[DateOrder, datetime]:
    """Return what `_naive` returns for each order in which it can read the time."""
    orders: tuple[DateOrder, DateOrder] = ("DMY", "MDY")
    found = {}
    for order in orders:
        with suppress(RuleError):
            found[order] = _naive(parts, order)
    return found


def _in_order(parts: dict[str, str | None], date_order: DateOrder | None) -> tuple[int, int]:
    """Return month and day of a date such as 03/04/2026.

    A date with dots has the day first, and a number over 12 is the day. For others, the profile
    says the order.
    """
    first, other = int(parts["first"] or 0), int(parts["other"] or 0)
    order = date_order
    if order is None and parts["mark"] == ".":
        order = "DMY"
    # 26-11-20 may begin with the year, so it proves no order.
    is_unclear = len(parts["year"] or "") == 2 and parts["mark"] == "-"
    if order is None and (first == other or first > 12 or other > 12) and not is_unclear:
        order = "DMY" if first > 12 else "MDY"
    if order is None:
        raise RuleError("DATE_ORDER_UNDECLARED")
    month, day = (other, first) if order == "DMY" else (first, other)
    if month > 12 >= day or (parts["mark"] == "." and order == "MDY"):
        is_swapped = date_order is not None and not is_unclear
        raise RuleError("DATE_ORDER_MISMATCH" if is_swapped else "INVALID_DATE")
    return month, day


def _localize(naive: datetime, parts: dict[str, str | None], zone: tzinfo | None) -> Moment:
    """Return a date and time in its own time zone, or else in `zone`. Raises DATE_WITHOUT_ZONE if
    there is neither, and UNKNOWN_TIME_ZONE."""
    own = parts["zone"]
    if own is not None:
        zone = zone_in_time(own, naive, zone)
    if zone is None:
        raise RuleError("DATE_WITHOUT_ZONE")
    local = naive.replace(tzinfo=zone)
    doubts: Doubts = ()
    # `fold=1` is the second of two equal times, when the clocks are set back. Set forward, the time
    # does not exist, and both have different offsets too.
    if local.utcoffset() != local.replace(fold=1).utcoffset():
        doubts = ("CLOCKS_CHANGED",)
    elif own is None and naive.time() == _NO_TIME:
        doubts = ("DATE_WITHOUT_TIME",)
    return _format(local, doubts)


def _format(local: datetime, doubts: Doubts) -> Moment:
    """Return a time with a zone in the format of the APIs."""
    offset = (local.utcoffset() or timedelta(0)) // timedelta(minutes=1)
    sign, size = ("-", -offset) if offset < 0 else ("+", offset)
    text = f"{local:%Y-%m-%d %H:%M:%S}{sign}{size // 60:02}:{size % 60:02}"
    return Moment(text, int(local.timestamp()), doubts)
