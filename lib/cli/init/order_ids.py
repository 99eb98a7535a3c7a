"""The column that names an order or a deal: without one, Google cannot recognize a row again."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import Final

from lib.cli.init.sample import Sample, SampleRow, filled
from lib.rules.values.cells import without_accents
from lib.rules.values.order_ids import looks_personal

_WORDS: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_SHORT_NUMBER: Final = re.compile(r"#\d+")
_LONGEST: Final = 64
"""Google's limit of an order ID."""
_FEWEST_DIFFERENT: Final = 0.95
"""Share of the rows that have an ID of their own. Some rows may be repeated by mistake."""

_ORDERS: Final = (
    *("order", "invoice", "transaction", "receipt", "beleg", "rechnung", "auftrag", "bestell"),
    *("vorgang", "facture", "commande", "pedido", "factura", "ordine", "fattura", "factuur"),
)
_DEALS: Final = ("deal", "opportunit", "record", "datensatz", "sale", "booking", "verkaufschance")
_IDS: Final = (
    *("id", "ids", "number", "no", "nr", "num", "key", "code", "nummer", "numero"),
    *("kennung", "guid"),
)
_OTHERS: Final = (
    *("contact", "account", "owner", "customer", "lead", "card", "user", "person", "company"),
    *("kunde", "kontakt", "besitzer", "associated", "campaign", "click", "payment", "refund"),
    *("product", "session", "transfer", "line", "item", "invoiced", "status", "checksum", "date"),
)


def find_order_id(
    sample: Sample, rows: Sequence[SampleRow], taken: Collection[int]
) -> tuple[int, str] | None:
    """Return the column and the reason, or None if no column identifies every row that counts."""
    ranked = [
        (rank, at)
        for at in sample.free_columns()
        if at not in taken and (rank := _rank(sample.names[at], rows, at)) is not None
    ]
    if not ranked:
        return None
    _, at = min(ranked)
    name = sample.names[at]
    return at, f'"{name}" is different in every row that counts.'


def _rank(name: str, rows: Sequence[SampleRow], at: int) -> int | None:
    """Return how likely it is the ID of the order, 0 the most; None: it is not."""
    cells = filled(rows, at)
    if not cells or len(cells) < len(rows) or len(set(cells)) < _FEWEST_DIFFERENT * len(cells):
        return None
    if any(len(c) > _LONGEST or looks_personal(c) for c in cells):
        return None
    if all(map(_SHORT_NUMBER.fullmatch, cells)):
        return 0
    words = [word.casefold() for word in _WORDS.findall(without_accents(name))]
    if any(word.startswith(_OTHERS) for word in words):
        return None
    has_id = any(word in _IDS or word.endswith(("nummer", "nr", "kennung")) for word in words)
    if any(word.startswith(_ORDERS) for word in words):
        return 0 if has_id else 2
    if any(word.startswith(_DEALS) for word in words):
        is_code = all(" " not in cell and any(map(str.isdecimal, cell)) for cell in cells)
        return 1 if has_id else (3 if is_code else None)
    return 4 if has_id and len(words) == 1 else None
