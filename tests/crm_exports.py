"""The exports of CRMs in examples/, and the conversions in them. docs/recipes.md describes them.

The conversions were written by hand from the files: a person's reading, not the program's.
"""
# ruff: noqa: E501 (a row of a table is one line)

from __future__ import annotations

from hashlib import sha256
from typing import Final, NamedTuple

FILES: Final = {
    "hubspot_deals": "hubspot_deals.csv",
    "salesforce_report": "salesforce_report.csv",
    "pipedrive_de": "pipedrive_deals_de.csv",
    "zoho": "zoho_deals.csv",
    "dynamics": "dynamics_opportunities.xlsx",
    "close": "close_opportunities.csv",
    "shopify": "shopify_orders.csv",
    "stripe": "stripe_payments.csv",
}
"""Profile in examples/profiles.json → file."""

_WON: Final = {
    "hubspot_deals": """
2 | Cj0KCQiAexample_Hd01 | ada.abara@example.com | +12125550111 | 2026-11-18 09:30:00-05:00 | 2400 | USD | 21004410001
4 | | chloe.castro@example.com | +12125550113 | 2026-11-19 16:02:00-05:00 | 12500.5 | USD | 21004410003
7 | Cj0KCQiAexample_Hd06 | | | 2026-11-20 18:20:00-05:00 | | | 21004410006
""",
    "salesforce_report": """
2 | Cj0KCQiAexample_Sr01 | ada.abara@example.com | +13125550121 | 2026-11-18 00:00:00-06:00 | 12500 | USD | 0065g00000ExAmA
4 | | chloe.castro@example.com | +13125550123 | 2026-11-05 00:00:00-06:00 | 780 | EUR | 0065g00000ExAma
""",
    "pipedrive_de": """
2 | Cj0KCQiAexample_Pd01 | ada.abara@example.com | +12125550131 | 2026-11-18 09:30:15+01:00 | 18450.5 | EUR | 501
4 | | chloe.castro@example.com | +12125550133 | 2026-11-05 16:02:09+01:00 | 780 | CHF | 503
6 | Cj0KCQiAexample_Pd05 | | | 2026-11-20 11:47:30+01:00 | 1250 | EUR | 505
""",
    "zoho": """
2 | Cj0KCQiAexample_Zo01 | ada.abara@example.com | | 2026-11-18 00:00:00+00:00 | 1270 | GBP | 000125
4 | | chloe.castro@example.com | | 2026-11-05 00:00:00+00:00 | 640.5 | GBP | 000126
""",
    "dynamics": """
2 | Cj0KCQiAexample_Dy01 | ada.abara@example.com | +12065550161 | 2026-11-18 00:00:00-08:00 | 12700.5 | USD | 7b1e5c5e-0000-4000-8000-00000000a001
4 | | chloe.castro@example.com | +12065550163 | 2026-11-05 00:00:00-08:00 | 640 | EUR | 7b1e5c5e-0000-4000-8000-00000000a003
""",
    "close": """
2 | Cj0KCQiAexample_Cl01 | ada.abara@example.com | +14155550141 | 2026-11-18 00:00:00-08:00 | 1270 | USD | 1001
5 | | chloe.castro@example.com | | 2026-11-05 00:00:00-08:00 | 499.5 | USD | 1002
""",
    "shopify": """
2 | | ada.abara@example.com | +12125550151 | 2026-11-18 09:31:02-06:00 | 125.98 | USD | #1001
10 | | gail.gomez@example.com | +12125550157 | 2026-11-20 23:58:59-06:00 | 104.33 | USD | #1007
""",
    "stripe": """
2 | Cj0KCQiAexample_St01 | ada.abara@example.com | | 2026-11-18 15:30:07+00:00 | 120 | USD | 2001
6 | | eve.evans@example.com | | 2026-11-20 00:03:12+00:00 | 60 | EUR | 2005
""",
}  # fmt: skip


class Sale(NamedTuple):
    """What is sent for one row. The user identifiers are hashed."""

    line: int
    gclid: str
    hashed_emails: tuple[str, ...]
    hashed_phones: tuple[str, ...]
    time: str
    value: float | None
    currency_code: str | None
    order_id: str


def won(profile: str) -> list[Sale]:
    """Return the conversions of the file of a profile."""
    return [_sale(*map(str.strip, line.split("|"))) for line in _WON[profile].strip().splitlines()]


def _sale(
    line: str, gclid: str, email: str, phone: str, time: str, value: str, currency: str, order: str
) -> Sale:
    amount = float(value) if value else None
    return Sale(
        *(int(line), gclid, _hashed(email), _hashed(phone), time, amount, currency or None, order)
    )


def _hashed(identifier: str) -> tuple[str, ...]:
    return (sha256(identifier.encode()).hexdigest(),) if identifier else ()
