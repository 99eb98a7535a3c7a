"""Generated files: the same bytes each time, in several chunks, with every kind of problem."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta

from tests.fakes import START

_FORMAT = "%Y-%m-%d %H:%M:%S"
_BEHIND_A_CHUNK = 2_050
"""So many rows earlier is another chunk."""


def _csv(rows: Iterable[Mapping[str, str]]) -> bytes:
    every = list(rows)
    columns = list(dict.fromkeys(name for row in every for name in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, restval="", lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(every)
    return text.getvalue().encode()


def _time(moment: datetime) -> str:
    return moment.strftime(_FORMAT)


def _click(number: int) -> str:
    return f"Cj0KCQiAexample{number:08d}"


def recent_clicks(rows: int) -> list[str]:
    """Return the clicks in `orders` that the Google Ads API may not know yet."""
    return [_click(number) for number in range(211, rows + 1, 211)]


_WRONG: Mapping[int, Mapping[str, str]] = {
    53: {"order_id": "", "email": "", "phone": ""},
    59: {"order_id": "", "gclid": ""},
    71: {"conversion_date_time": "last Tuesday"},
    73: {"conversion_value": "n/a"},
    79: {"currency_code": "Dollars"},
    83: {"email": "buyer.example.com"},
    87: {"phone": "12"},
    89: {"ad_user_data": "Denied"},
    97: {"status": "Open"},
    101: {"conversion_date_time": "2026-06-01 10:00:00"},
    103: {"gclid": "", "email": "", "phone": ""},
    107: {"gclid": "(not set)"},
    109: {"conversion_value": "1,234.50"},
    113: {"order_id": "buyer@example.com"},
}
"""Every so many rows, these cells."""


def _order(number: int) -> dict[str, str]:
    moment = START - timedelta(days=3 + number % 40, seconds=7 * number)
    row = {
        "order_id": f"B-{number}",
        "status": "Paid",
        "gclid": _click(number),
        "email": f"buyer.{number}@example.com" if number % 3 else "",
        "phone": f"212-555-{100 + number % 100:04d}" if number % 2 else "",
        "conversion_date_time": _time(moment),
        "conversion_value": f"{number % 500}.50",
        "currency_code": ("USD", "EUR", "")[number % 3],
        "ad_user_data": ("Granted", "")[number % 2],
        "adjustment_date_time": "",
        "adjusted_value": "",
    }
    for every, cells in _WRONG.items():
        if number % every == 0:
            row |= cells
    if number % 61 == 0:
        row["order_id"] = f"B-{number - 1}"
    if number % 67 == 0:
        row["order_id"] = f"B-{max(1, number - _BEHIND_A_CHUNK)}"
    return row


def _refund(number: int) -> dict[str, str]:
    behind = _BEHIND_A_CHUNK if number % 20 == 0 and number > _BEHIND_A_CHUNK else 7
    refunded = _order(number - behind)
    in_part = number % 30 == 0
    changes = {
        "status": "Partially refunded" if in_part else "Refunded",
        "adjustment_date_time": _time(START - timedelta(hours=30, seconds=number)),
        "adjusted_value": ("", "5.25", "0")[number % 3] if in_part else "",
    }
    return refunded | changes


def orders(rows: int) -> bytes:
    """Return sales; each tenth row is a refund of one of them. The last row is a footer."""
    made = [_refund(n) if n % 10 == 0 else _order(n) for n in range(1, rows + 1)]
    return _csv([*made, {"order_id": "Total", "conversion_value": "99999.00"}])


def _sale(number: int) -> dict[str, str]:
    of_refunds = ("status", "adjustment_date_time", "adjusted_value")
    return {name: cell for name, cell in _order(number).items() if name not in of_refunds}


def sales(rows: int, **cells: str) -> bytes:
    """Return sales of a file that says nothing of refunds."""
    return _csv({**_sale(number), **cells} for number in range(1, rows + 1))


def adjustments(hours_ago: float) -> bytes:
    """Return adjustments of these sales, and of sales that nobody knows."""
    return _csv(_adjustments(START - timedelta(hours=hours_ago)))


def _adjustments(latest: datetime) -> Iterator[dict[str, str]]:
    for number in (*range(1, 30), *range(5, 10), 900, 901):
        retracts = number % 4 == 0
        yield {
            "order_id": f"B-{number}",
            "conversion_action": "1001",
            "adjustment_type": "RETRACT" if retracts else "RESTATE",
            "adjustment_date_time": _time(latest - timedelta(minutes=number)),
            "adjusted_value": "" if retracts else f"{number}.75",
            "currency_code": "USD" if number % 5 else "",
        }


def calls() -> bytes:
    """Return calls. Some are repeated, some have something wrong."""
    rows = []
    for number in (*range(1, 31), 3, 4):
        start = START - timedelta(days=2 + number % 20, minutes=number)
        row = {
            "caller_id": f"+1 212-555-{100 + number:04d}",
            "call_start_date_time": _time(start),
            "conversion_date_time": _time(start + timedelta(hours=1)),
            "conversion_value": f"{number}.00",
            "currency_code": "USD",
        }
        if number % 7 == 0:
            row["caller_id"] = "555"
        if number % 11 == 0:
            row["call_start_date_time"] = "yesterday"
        if number % 13 == 0:
            row["conversion_value"] = ""
        rows.append(row)
    return _csv(rows)


_EXTRAS: tuple[Mapping[str, str], ...] = (
    {"gclid": "", "gbraid": "0AAAAAexample_gbraid", "email": ""},
    {"gclid": "", "wbraid": "0AAAAAexample_wbraid", "phone": ""},
    {"gbraid": "0AAAAAexample_gbraid2"},
    {"hashed_email": "a" * 64, "email": ""},
    {"hashed_phone_number": "B" * 64, "phone": ""},
    {"first_name": "Ada", "last_name": "Abara", "postal_code": "10001", "country_code": "US"},
    {"first_name": "Ben", "last_name": "Berg", "gclid": "", "email": "", "phone": ""},
    {"conversion_time_zone": "Europe/Berlin"},
    {"conversion_time_zone": "+05:30"},
    {"conversion_environment": "APP", "customer_type": "NEW"},
    {"customer_type": "RETURNING", "ad_personalization": "Denied"},
    {"user_ip_address": "192.0.2.7", "session_attributes_encoded": "eyJnYWRfc291cmNlIjoiMSJ9"},
    {
        "user_ip_address": "2001:db8::7",
        "session_attributes_key_value_pairs": "gad_source=1;gad_campaignid=123456789",
    },
    {
        "merchant_id": "12345678",
        "feed_country_code": "US",
        "feed_language_code": "en",
        "local_transaction_cost": "2.50",
        "items": "SKU-1:2:19.50;SKU-2:1:5.50",
    },
    {"items": '[{"product_id": "SKU-3", "quantity": 1, "unit_price": 10}]'},
    {"items": "SKU-1"},
    {"custom_variable.branch": "north", "email": "", "phone": ""},
    {"custom_variable.branch": "north"},
    {"custom_variable.unknown": "x", "email": "", "phone": ""},
    {
        "external_attribution_credit": "0.25",
        "external_attribution_model": "Data-driven",
        "conversion_action": "1006",
        "order_id": "",
        "email": "",
        "phone": "",
    },
    {"event_source": "PHONE"},
    {"event_source": "elsewhere"},
    {"google_ads_customer_id": "1234567890"},
    {"conversion_action": "Qualified lead"},
    {"conversion_action": "customers/1234567890/conversionActions/1002"},
    {"conversion_action": "1004"},
)


def every_column() -> bytes:
    """Return sales with cells in the columns that `orders` does not have."""
    return _csv({**_sale(3 * n + 1), **cells} for n, cells in enumerate(_EXTRAS))
