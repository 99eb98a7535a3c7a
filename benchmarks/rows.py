"""The input files: all core columns, two user identifiers per row, some invalid rows."""

from __future__ import annotations

import random
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

COLUMNS = (
    "gclid,gbraid,wbraid,email,phone,conversion_action,conversion_date_time,"
    "conversion_value,currency_code,order_id,ad_user_data"
)
HEADER = f"{COLUMNS}\r\n".encode()

PROFILE = {
    "destination": "google_ads",
    "customer_id": "1234567890",
    "expect": "any time",
    "time_zone": "America/Chicago",
    "currency_code": "USD",
    "phone_region": "US",
    "columns": {name: name for name in COLUMNS.split(",")},
}
"""The profile of these files."""

# Mistakes as (column, cell). Each of them gets the row rejected.
WRONG = (
    (6, "yesterday"),
    (6, "2019-03-04 10:00:00-06:00"),
    (6, ""),
    (8, "XYZ"),
    (9, "buyer@example.com"),
    (10, "maybe"),
)
_OFFSET = timedelta(hours=-6)
_AREAS = ("201", "212", "312", "415", "512", "617", "713", "808", "907")


def rows(count: int, wrong_every: int, seed: int = 1) -> Iterator[list[str]]:
    """`count` rows as in an export: over 25 days, in the order of time. Every `wrong_every`-th row
    is invalid."""
    rng = random.Random(seed)
    start = datetime.now(UTC) + _OFFSET - timedelta(days=26)
    step = timedelta(days=25) / max(count, 1)
    for number in range(count):
        click = urlsafe_b64encode(rng.randbytes(36)).decode()
        phone = f"+1{rng.choice(_AREAS)}555{rng.randrange(100, 200):04d}"
        at = start + number * step
        row = [
            f"Cj0KCQiA{click}",
            "",
            "",
            f"Buyer.{seed}.{number}@example.com",
            phone,
            "1001" if number % 3 else "1002",
            f"{at:%Y-%m-%d %H:%M:%S}-06:00",
            f"{rng.randrange(50_000) / 100:.2f}",
            "USD",
            f"order-{seed}-{number}",
            "GRANTED" if number % 5 else "DENIED",
        ]
        if number % wrong_every == wrong_every - 1:
            column, cell = WRONG[number // wrong_every % len(WRONG)]
            row[column] = cell
        yield row


def file_of(count: int, wrong_every: int, seed: int = 1) -> bytes:
    """The same rows as the bytes of a CSV file."""
    lines = [",".join(row) + "\r\n" for row in rows(count, wrong_every, seed)]
    return HEADER + "".join(lines).encode()


def widened(content: bytes) -> bytes:
    """The file with 49 columns that nobody uses, five behind each one until there are no more."""
    lines = []
    for number, line in enumerate(content.decode().splitlines()):
        others = [f"text {number} {each}" if each % 3 else "" for each in range(49)]
        if number == 0:
            others = [f"Internal note {each}" for each in range(49)]
        cells = []
        for at, cell in enumerate(line.split(",")):
            cells += [cell, *others[5 * at : 5 * at + 5]]
        lines.append(",".join(cells) + "\r\n")
    return "".join(lines).encode()
