"""Rows for tests: a CRM export with the core columns and invented data."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta

CORE_COLUMNS = (
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


def core_row(number: int, **cells: str) -> dict[str, str]:
    """Return a valid row, changed by `cells`. Its time is `number` seconds and three days ago."""
    moment = datetime.now(UTC).replace(microsecond=0) - timedelta(days=3, seconds=number)
    row = {
        "gclid": f"Cj0KCQiAexample{number:08d}",
        "gbraid": "",
        "wbraid": "",
        "email": f"buyer.{number}@example.com",
        "phone": f"+1 212-555-{100 + number % 100:04d}",
        "conversion_action": "1001",
        "conversion_date_time": moment.strftime("%Y-%m-%d %H:%M:%S+00:00"),
        "conversion_value": f"{number % 500}.50",
        "currency_code": "USD",
        "order_id": f"order-{number}",
        "ad_user_data": "Granted",
    }
    return {**row, **cells}


def csv_bytes(
    rows: Iterable[Mapping[str, str]], columns: Iterable[str] = CORE_COLUMNS, delimiter: str = ","
) -> bytes:
    """Return the rows as a CSV file."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(columns), delimiter=delimiter, lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()
