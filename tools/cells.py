"""What is read and what is refused: the tables of `docs/cells.md`, made by the rules themselves."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Final
from zoneinfo import ZoneInfo

from lib.errors import RuleError
from lib.model.fields import UNDECLARED, NumberFormat, ValueKind
from lib.model.spelling import unwrap
from lib.rules.values.cart import parse_cart_items, parse_discount
from lib.rules.values.cells import PLACEHOLDERS, is_placeholder
from lib.rules.values.click_ids import check_click_id
from lib.rules.values.countries import find_country_code
from lib.rules.values.currencies import CURRENCIES_BY_SIGN, parse_currency
from lib.rules.values.dates import MONTHS, WEEKDAYS, DateOrder
from lib.rules.values.enums import CONSENT_WORDS, parse_consent
from lib.rules.values.identifiers import normalize_email, normalize_name
from lib.rules.values.money import parse_amount, written_currencies
from lib.rules.values.network import is_complete, parse_session_attributes_pairs
from lib.rules.values.order_ids import check_order_id, fitting_order_id
from lib.rules.values.phones import normalize_phone
from lib.rules.values.time_reader import TimeReader
from lib.rules.values.time_zones import ABBREVIATIONS

_CHICAGO: Final = ZoneInfo("America/Chicago")
_NOW: Final = datetime(2026, 11, 24, 12, tzinfo=UTC)

Read = Callable[[str], str]
"""Cell → what it is read as. Raises `RuleError`."""


@dataclass(frozen=True, slots=True)
class Examples:
    """Cells of one kind. `ways`: what the profile says → the rule, with this setting."""

    title: str
    kind: ValueKind
    ways: Mapping[str, Read]
    cells: tuple[str, ...]


def _time(cell: str, order: DateOrder | None = None) -> str:
    text, _, doubts = TimeReader(_NOW, _CHICAGO, order).read(cell)
    return f"{text} {', '.join(doubts)}".strip()


def _amount(cell: str, number_format: NumberFormat = UNDECLARED) -> str:
    amount = parse_amount(cell, number_format.decimal_sign, None, number_format.scale)
    currencies = sorted(written_currencies(cell))
    if len(currencies) > 1:
        return f"{amount:.15g} with a stated currency, else AMBIGUOUS_CURRENCY"
    return f"{amount:.15g} {''.join(currencies)}".strip()


def _cart(cell: str, number_format: NumberFormat) -> str:
    items = parse_cart_items(cell, number_format)
    return "; ".join(f"{each.quantity} x {each.unit_price:.15g}" for each in items)


def _pairs(cell: str) -> str:
    pairs = parse_session_attributes_pairs(cell)
    return f"{len(pairs)} pairs" + ("" if is_complete(pairs) else " SESSION_ATTRIBUTES_INCOMPLETE")


def _order_id(cell: str, prefix: str = "") -> str:
    def as_sent(order_id: str) -> str:
        return prefix + order_id if order_id.isdigit() else order_id

    return as_sent(fitting_order_id(check_order_id(cell), as_sent))


_COMMA: Final = NumberFormat(",")
_POINT: Final = NumberFormat(".")
_LONG_ID: Final = "7" * 60


def _country(cell: str) -> str:
    code = find_country_code(cell)
    if code is None:
        raise RuleError("INVALID_REGION")
    return code


EXAMPLES: Final = (
    Examples(
        "Times, in America/Chicago",
        "text",
        {"not set": _time, "DMY": partial(_time, order="DMY"), "MDY": partial(_time, order="MDY")},
        (
            *("2026-11-20 14:05:07-06:00", "2026-11-20 14:05:07", "2026-11-20T20:05:07Z"),
            *("2026-11-20T20:05:07.000+0000", "11/20/2026 02:05:07 PM", "11/20/2026 14:05:07"),
            *("03/11/2026", "11/20/2026 14:05:07*123", "2026-11-20 14.05.07", "20261120 140507"),
            *("Nov 20, 2026 3:05:07 PM America/New_York", "Nov 20, 2026 - 2:05:07 PM"),
            *("November 20, 2026 at 02:05PM", "20-Nov-2026 14:05:07", "20NOV2026 14:05:07"),
            *("Fri, 20 Nov 2026 14:05:07 -0600", "Fri Nov 20 14:05:07 CET 2026"),
            "Fri Nov 20 2026 14:05:07 GMT-0600 (Central Standard Time)",
            *("Freitag, 20. Nov. 2026 14:05", "20 novembre 2026 14 h 05 min 07 s"),
            *("20.11.2026 14:05 Uhr", "20. 11. 2026, 14:05", "20.11.2026 14:05 MEZ"),
            *("2026. 11. 20. 14:05:07", "26. 11. 20.", "2026年11月20日 14时05分07秒"),
            *("2026/11/20(金) 午後2:05:07", "20.11.26", "26-11-20", "20NOV2026"),
            *("2026-11-20", "2026-11-20 00:00:00", "2026-11-20 00:00:00-06:00", "1795205107"),
            *("2026-11-24 12:09 UTC", "2026-11-24 12:11 UTC", "2026-11-20 14:05 CST"),
            *("2026-11-20 14:05 BST", "46350.59", "2026-08-01", "20112026", "2026-02-30"),
        ),
    ),
    Examples(
        "Values",
        "number",
        {
            "not set": _amount,
            '`"."`': partial(_amount, number_format=_POINT),
            '`","`': partial(_amount, number_format=_COMMA),
        },
        (
            *("1234.5", "1,234.50", "1.234,50", "1 234,50", "1'234.50", "12,34,567", "1,234"),
            *("1.234", "0,125", "0.990", "0.125", "50.-", "1.5E+3", "-5", "(5.00)", "1e999"),
            *("$12", "US$ 12", "$US 12", "12 $ CA", "£GB 12", "£12", "E£500", "EG£ 500", "12 kr"),
            *("12 EUR", "Rs. 500", "12 ¤", "₿ 5", "5 apples", "1795205107000", "1.23457E+17"),
            *("1000000000000", "1000000000000.01", "TBD", "#REF!"),
        ),
    ),
    Examples(
        "Currencies",
        "unit",
        {"": parse_currency},
        ("EUR", "usd", "US$", "$US", "Euro (€)", "British Pound", "$", "kr", "EUO", "DEM"),
    ),
    Examples(
        "Carts",
        "text",
        {
            '`"."`': partial(_cart, number_format=_POINT),
            '`","`': partial(_cart, number_format=_COMMA),
            '`"."`, `value_scale` 0.01': partial(_cart, number_format=NumberFormat(".", 0.01)),
        },
        (
            *("SKU-1:2:19.50;SKU-2:1:5.50", "a:1:1,125", "a:1:1999"),
            *("a:1:19.50 JPY", "a:1:-5", "a:0:5"),
            '[{"product_id": "a", "quantity": 1, "unit_price": 1.125}]',
        ),
    ),
    Examples(
        "Discounts",
        "number",
        {"": lambda cell: f"{parse_discount(cell, _POINT):.15g}"},
        ("2.50", "-2.50", "abc"),
    ),
    Examples(
        "Phone numbers",
        "text",
        {
            "`DE`": partial(normalize_phone, region="DE", only_if_sure=True),
            "`US`": partial(normalize_phone, region="US", only_if_sure=True),
            "not set": partial(normalize_phone, region=None, only_if_sure=True),
        },
        (
            *("+49 151 12345678", "0151 12345678", "4915112345678", "4915112345678.0"),
            *("0049 151 12345678", "(800) 555-0100", "18005550100", "1-800-FLOWERS", "555-0100"),
            "+1 800 555 0100 ext. 7",
        ),
    ),
    Examples(
        "Email addresses",
        "text",
        {"": normalize_email},
        (
            *("Cloudy.SanFrancisco+shopping@gmail.com", "User.Name+NYC@Example.com"),
            *("Jane Doe <jane@example.com>", "mailto:jane@example.com", "jane @example.com"),
            *("jane@example.com, joe@example.com", "jane", "jane@example.com."),
            *("jane@example.com - work", "j***@example.com"),
        ),
    ),
    Examples("Names", "name", {"": normalize_name}, (" O'Brien ", "Åsa", "Mary-Jane", "n/a")),
    Examples(
        "Countries",
        "country",
        {"": _country},
        ("us", "USA", "UK", "Deutschland", "XX", "Atlantis", "NA"),
    ),
    Examples(
        "Click IDs",
        "text",
        {"": check_click_id},
        (
            *("Cj0KCQiAexample0001", "https://example.com/?gclid=Cj0KCQiA01&x=1"),
            *("GCL.1795205107.Cj0KCQiAexample0001", "Cj0KCQiAexample...", "0123456789"),
            *("00c0ffee00c0ffee00c0ffee00c0ffee", "IwAR0Hexample0000000000001", "newsletter"),
            *("IwY2xjawexample000000001", "pay_Example000001", "2026-11-20"),
        ),
    ),
    Examples(
        "Order IDs",
        "text",
        {"Google Ads API": _order_id, "Data Manager API": partial(_order_id, prefix="order-")},
        (
            *("SO-1001", "1001", "112-3456789-1234567", _LONG_ID, "SO-" + "x" * 62, "ORD@2026"),
            *("jane@example.com", "jane%40corp", "jane＠corp", "jane @ corp", "+1 800 555 0100"),
            *("٠٢٠ ٧٩٤٦ ٠٩٥٨", "1.23457E+11"),
        ),
    ),
    Examples(
        "Consent",
        "word",
        {"": lambda cell: parse_consent(cell) or "not stated"},
        ("Granted", "yes", "1", "1.0", "denied", "no", "0.0", "Unknown", "maybe"),
    ),
    Examples(
        "Session attributes",
        "text",
        {"": _pairs},
        (
            "gad_source=1;gad_campaignid=2;landing_page_url=https://example.com/;"
            "session_start_time_usec=3",
            "gad_source=1",
            "shoe_size=9",
        ),
    ),
)


def outcome(cell: str, kind: ValueKind, read: Read) -> str:
    """Return what a cell is read as, or the code with which it is refused."""
    text = unwrap(cell, kind)
    if is_placeholder(kind, text):
        return "an empty cell"
    try:
        return f"`{read(text)}`"
    except RuleError as error:
        return f"refused: {error.code}"


def examples() -> Iterator[str]:
    """Yield the lines of all tables of examples."""
    for each in EXAMPLES:
        yield from ("", f"### {each.title}", "")
        heads = [*each.ways] if len(each.ways) > 1 else ["read as"]
        yield f"| cell | {' | '.join(heads)} |"
        yield "|---" * (len(heads) + 1) + "|"
        for cell in each.cells:
            read = [outcome(cell, each.kind, way) for way in each.ways.values()]
            shown = [part.replace("|", r"\|") for part in (f"`{cell}`", *read)]
            yield f"| {' | '.join(shown)} |"


def words() -> Iterator[str]:
    """Yield the lines of the table of words."""
    rows: list[tuple[str, Mapping[str, str]]] = [
        ("month", _by_meaning(MONTHS)),
        ("weekday", _by_meaning(WEEKDAYS)),
        ("consent", _by_meaning(CONSENT_WORDS)),
    ]
    yield "| what | meaning | words |"
    yield "|---|---|---|"
    for what, meanings in rows:
        for meaning, of_meaning in meanings.items():
            yield f"| {what} | {meaning} | {of_meaning} |"
    zones = ", ".join(f"`{name}` {zone}" for name, zone in ABBREVIATIONS.items())
    yield f"| time zone | the offset | {zones} |"
    signs = ", ".join(f"`{sign}` {' '.join(sorted(of))}" for sign, of in CURRENCIES_BY_SIGN.items())
    yield f"| sign of a currency | those that it may mean | {signs} |"
    for kind, of_kind in PLACEHOLDERS.items():
        listed = " ".join(f"`{word}`" for word in sorted(of_kind)).replace("|", r"\|")
        yield f"| empty cell | in a column of the kind {kind} | {listed} |"


def _by_meaning(meanings: Mapping[str, object]) -> Mapping[str, str]:
    """Return meaning → its words."""
    by_meaning: dict[str, list[str]] = {}
    for word, meaning in meanings.items():
        if word:
            by_meaning.setdefault(f"{meaning}", []).append(f"`{word}`")
    return {meaning: " ".join(listed) for meaning, listed in by_meaning.items()}
