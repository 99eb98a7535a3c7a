"""Example files with recent dates: a generated CRM export, and the files in examples/.

Google counts conversions of the last 90 days. The files in examples/ keep the dates of the days
when they were written, in the formats of their programs; `moved_to` moves all dates of a file by
the same number of days. The generated export contains only example.com addresses and 555-01xx phone
numbers; both are reserved for fiction.
"""

from __future__ import annotations

import csv
import hashlib
import random
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
WRITTEN_ON = date(2026, 11, 25)
"""The files were exported on this day: their deals were won before it."""

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_YEAR_FIRST = re.compile(r"\b(20\d\d)-(\d\d)-(\d\d)(?=\b|T)")
_NUMBERS = re.compile(r"\b(\d{1,2})([/.])(\d{1,2})\2(20\d\d)\b")
_NAMED = re.compile(rf"\b({'|'.join(_MONTHS)}) (\d{{1,2}}), (20\d\d)\b")

COLUMNS = (
    "gclid",
    "gbraid",
    "wbraid",
    "email",
    "phone",
    "conversion_action",
    "conversion_date_time",
    "conversion_value",
    "currency_code",
    "order_id",
    "ad_user_data",
)
_ZONE = ZoneInfo("America/Chicago")
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"
_FIRST = ("ada", "ben", "chloe", "dev", "elif", "femi", "grace", "hugo", "ines", "jonas")
_LAST = ("abara", "berg", "castro", "dubois", "evans", "fischer", "garcia", "haddad", "ito")
_AREAS = (212, 213, 214, 215, 216, 217, 218, 224, 225, 229, 231, 234, 239, 240, 248, 252, 253)
_NAMES = {"1001": "Phone sale", "1002": "Qualified lead"}
_NO_CLICK = {"gclid": "", "gbraid": "", "wbraid": ""}

Row = dict[str, str]


@dataclass(frozen=True, slots=True)
class Export:
    """The written file. `wrong` maps the line of each deliberately wrong row to its mistake.

    The rest is what Google must know about its rows: `clicks` with their times, click IDs and
    hashes that match no click (`no_click`), and `orders` that Google has counted before.
    """

    path: Path
    rows: int
    wrong: dict[int, str]
    clicks: dict[str, datetime] = field(default_factory=dict)
    no_click: set[str] = field(default_factory=set)
    orders: set[tuple[str, int]] = field(default_factory=set)


def _changed(**cells: str) -> Callable[[Row, datetime], Row]:
    return lambda row, now: {**row, **cells}


def _at(moment: datetime) -> str:
    return moment.astimezone(_ZONE).isoformat(" ", "seconds")


# Mistakes that people really make. Each function changes a valid row.
MISTAKES: dict[str, Callable[[Row, datetime], Row]] = {
    "an invalid email address, and no other identifier": _changed(
        **_NO_CLICK, email="not-an-address", phone=""
    ),
    "an invalid phone number, and no other identifier": _changed(**_NO_CLICK, email="", phone="12"),
    "no click ID and no user identifier": _changed(**_NO_CLICK, email="", phone=""),
    "an invalid click ID": _changed(
        gclid="{gclid}", gbraid="", wbraid="", email="", phone=""
    ),
    "an invalid date": _changed(conversion_date_time="last Tuesday"),
    "a date in the future": lambda row, now: {
        **row, "conversion_date_time": _at(now + timedelta(days=3))
    },
    "a date that is too old": lambda row, now: {
        **row, "conversion_date_time": _at(now - timedelta(days=200))
    },
    "a negative value": _changed(conversion_value="-25.00"),
    "an invalid value": _changed(conversion_value="on request"),
    "an unknown currency": _changed(currency_code="XXZ"),
    "an email address as order ID": _changed(order_id="buyer@example.com"),
    "an unknown consent value": _changed(ad_user_data="perhaps"),
    "too few cells": lambda row, now: {key: row[key] for key in COLUMNS[:6]},
    "a braid for a one-per-click action, and no other identifier": lambda row, now: {
        **row, **_NO_CLICK, "gbraid": f"0AAAAA{row['order_id'][-6:]}braid", "email": "",
        "phone": "", "conversion_action": "1002",
    },
    "older than the action's look-back window": lambda row, now: {
        **row, "conversion_action": "1002", "conversion_date_time": _at(now - timedelta(days=45))
    },
}  # fmt: skip
_REPEAT = "a duplicate of an earlier line"
_RECENT = "a click one hour ago"
LATE_MISTAKES = (
    "a click ID that Google does not know",
    "a customer who never clicked an ad",
    "a conversion before its click",
    "a click older than the conversion window",
    "an order that Google has counted before",
)
"""What the Data Manager API finds only when it processes the rows. The second one is normal."""


def _good_row(number: int, now: datetime, rng: random.Random) -> Row:
    """A valid row: usually a gclid with user identifiers, sometimes only one of the two."""
    click = "".join(rng.choices(_LETTERS, k=56))
    first, last = rng.choice(_FIRST), rng.choice(_LAST)
    row = dict.fromkeys(COLUMNS, "")
    row["email"] = f"{first}.{last}.{number}@example.com"
    if number % 7 == 0:  # as people type it; normalization fixes it
        row["email"] = f" {row['email'].title()} "
    line = rng.randrange(100)
    row["phone"] = (
        f"+1 {rng.choice(_AREAS)} 555-01{line:02d}"
        if number % 3
        else f"({rng.choice(_AREAS)}) 555-01{line:02d}"
    )
    row["conversion_action"] = "1001" if number % 4 else "1002"
    # Within 25 days: the look-back window of action 1002 is 30 days.
    row["conversion_date_time"] = _at(
        now - timedelta(hours=12) - timedelta(seconds=rng.randrange(24 * 86400))
    )
    row["conversion_value"] = f"{rng.randrange(1000, 250000) / 100:.2f}"
    row["currency_code"] = "USD"
    row["order_id"] = f"SO-{number:06d}"
    row["ad_user_data"] = "GRANTED"
    share = number % 20
    if share == 1:  # user identifiers alone, and no order ID
        row["order_id"] = ""
    elif share == 2:
        row["phone"] = ""
    elif share in (3, 4):
        row["wbraid" if share == 3 else "gbraid"] = f"0AAAAA{click[:40]}"
        row["conversion_action"] = "1001"
    else:
        row["gclid"] = f"Cj0KCQ{click}"
    if share == 5:
        row["email"] = row["phone"] = ""
    return row


def _plant_late_failure(kind: str, row: Row, place: int, now: datetime, export: Export) -> None:
    """Change a valid row so that an API that counts later finds this mistake, and tell Google."""
    row.update(_NO_CLICK, gclid=f"Cj0KCQlate{place:06d}", conversion_action="1001")
    match kind:
        case "a click ID that Google does not know":
            export.no_click.add(row["gclid"])
        case "a customer who never clicked an ad":
            row.update(gclid="", phone="", email=f"nobody.{place}@example.com")
            export.no_click.add(hashlib.sha256(row["email"].encode()).hexdigest())
        case "a conversion before its click":
            row["conversion_date_time"] = _at(now - timedelta(days=3))
            export.clicks[row["gclid"]] = now - timedelta(days=2)
        case "a click older than the conversion window":
            export.clicks[row["gclid"]] = now - timedelta(days=200)
        case "an order that Google has counted before":
            row["order_id"] = f"SO-before-{place}"
            export.orders.add((row["order_id"], 1001))


def write_crm_export(
    path: Path, rows: int, now: datetime, seed: int = 1, *, late: bool = False
) -> Export:
    """Writes `rows` data rows to `path`, a few dozen of them wrong.

    The same seed writes the same rows. Every kind of mistake appears twice, if there are enough
    rows. `late`: also mistakes that the Data Manager API finds only when it processes the rows.
    """
    rng = random.Random(seed)
    table = [_good_row(number, now, rng) for number in range(1, rows + 1)]
    kinds = [*MISTAKES, _REPEAT, _RECENT, *(LATE_MISTAKES if late else ())] * 2
    # Not the first rows: a duplicate needs an earlier row.
    places = sorted(rng.sample(range(10, rows), k=min(len(kinds), max(0, rows - 10))))
    rng.shuffle(kinds)
    export = Export(path, rows, {})
    wrong = export.wrong
    for place, kind in zip(places, kinds, strict=False):
        row = table[place]
        if kind == _REPEAT:
            # A valid row nearby, so that both are in the same request.
            source = next(n for n in range(place - 1, -1, -1) if n + 2 not in wrong)
            table[place] = dict(table[source])
        elif kind == _RECENT:
            row.update(_NO_CLICK, gclid=f"Cj0KCQrecent{place:06d}", conversion_action="1001")
            row["conversion_date_time"] = _at(now - timedelta(minutes=30))
            export.clicks[row["gclid"]] = now - timedelta(hours=1)
        elif kind in LATE_MISTAKES:
            _plant_late_failure(kind, row, place, now, export)
        else:
            table[place] = MISTAKES[kind](row, now)
        wrong[place + 2] = kind  # line 1 is the header
    if late:
        for row in table:
            # By name, as people write it. That API needs the ID, so the function looks it up.
            if "conversion_action" in row:
                row["conversion_action"] = _NAMES[row["conversion_action"]]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        writer.writerows(list(row.values()) for row in table)
    return export


# The files in examples/


def is_example(path: Path) -> bool:
    """Whether a file is an export in examples/."""
    return path.resolve().parent == EXAMPLES and path.suffix == ".csv"


def moved_to(path: Path, today: date) -> bytes:
    """An export in examples/ as if it had been written `today`. Everything else stays as it is."""
    days = today - WRITTEN_ON
    content = path.read_bytes()
    if not days:
        return content
    # Dates consist of ASCII. Latin-1 keeps every byte of the other text.
    return _moved_text(content.decode("latin-1"), days).encode("latin-1")


def _moved_text(text: str, days: timedelta) -> str:
    def year_first(match: re.Match[str]) -> str:
        year, month, day = map(int, match.groups())
        return str(date(year, month, day) + days)

    def named(match: re.Match[str]) -> str:
        month = _MONTHS.index(match[1]) + 1
        moved = date(int(match[3]), month, int(match[2])) + days
        return f"{_MONTHS[moved.month - 1]} {moved.day}, {moved.year}"

    text = _YEAR_FIRST.sub(year_first, text)
    text = _NAMED.sub(named, text)
    return _NUMBERS.sub(_numbers(text, days), text)


def _numbers(text: str, days: timedelta) -> Callable[[re.Match[str]], str]:
    """11/18/2026 or 18.11.2026: a day over 12 in the file shows the order."""
    day_first = any(int(match[1]) > 12 for match in _NUMBERS.finditer(text))

    def change(match: re.Match[str]) -> str:
        day, month = (match[1], match[3]) if day_first else (match[3], match[1])
        moved = date(int(match[4]), int(month), int(day)) + days
        has_zeros = match[1].startswith("0") or match[3].startswith("0") or day_first
        parts = [moved.day, moved.month] if day_first else [moved.month, moved.day]
        shown = [f"{part:02}" if has_zeros else str(part) for part in parts]
        return match[2].join([*shown, str(moved.year)])

    return change
