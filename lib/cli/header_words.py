"""What the name of a column suggests, for the page of `init` and for `check`. A run never uses it.

The words are those of English exports. Where a name says nothing, the page goes by the cells. A
suggestion that is missing costs a person one look at the menu.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from itertools import chain
from typing import Final

from lib.model.spelling import comparable
from lib.rules.values.cells import without_accents

DECIDES: Final = "decides"
"""Stands for no field: the values of the column decide which rows count."""

_ID: Final = r"(?:id|no|nr|num|number|#|key|code|ref|reference)\b"
_WORDS: Final[Mapping[str, str]] = {
    "gclid": r"gclid|google.*click|\bclick ?id",
    "gbraid": r"gbraid",
    "wbraid": r"wbraid",
    "email": r"e-?mail|\bmail",
    "phone": r"phone|mobil|\bcell|\btel|whatsapp",
    "country_code": r"\bcountry",
    "order_id": rf"^{_ID}|^id\b|(order|deal|record|booking|invoice|transaction|payment|receipt|"
    rf"ticket|lead|opportunity|item|case|contract|sale|reservation|entry|event|charge|box)\W*{_ID}",
    "conversion_date_time": r"date|time|\bon$|\bat$|closed|paid|won\b",
    "conversion_value": r"amount|total|value|price|revenue|\bsum\b|\bgross|\bnet\b|commission|"
    r"deal size",
    "currency_code": r"currency",
    "ad_user_data": r"consent|opt.?in|gdpr|marketing.*(ok|allow|perm)",
    DECIDES: r"status|stage|\bstate\b|\btype\b|phase|pipeline|cancel|\btest\b|\bdemo\b|"
    r"\binternal\b",
}
_PATTERNS: Final = {meaning: re.compile(words) for meaning, words in _WORDS.items()}
_RULED_OUT: Final = {
    "conversion_date_time": re.compile(r"creat|modified|update|refund|expected|estimated|forecast"),
    "conversion_value": re.compile(
        r"\btax|\bvat\b|discount|shipping|refund|\bfee\b|balance|quantity|date|\bid\b|"
        r"\bsub.?total|company currency|converted|expected|weighted|forecast"
    ),
}
_WITH_TAX: Final = re.compile(r"\bincl|\binc\b|\btax|\bvat\b|\bgst\b|brutto|\bttc\b|税込")
_SOLD: Final = re.compile(r"\bwon\b|paid|closed")
_CAMEL: Final = re.compile(r"(?<=[a-z])(?=[A-Z])")
_LEAST_ALIKE: Final = 0.6


def suggests(name: str, meaning: str) -> bool:
    """Return whether a column of this name could be meant: `InvoiceNumber` suggests `order_id`."""
    is_meant = meaning in _PATTERNS and bool(_PATTERNS[meaning].search(_words(name)))
    return is_meant and not rules_out(name, meaning)


def rules_out(name: str, meaning: str) -> bool:
    """Return whether a column of this name is not meant, whatever its cells are: `TaxTotal`."""
    return meaning in _RULED_OUT and bool(_RULED_OUT[meaning].search(_words(name)))


def time_of_sale(names: Sequence[str]) -> str:
    """Return which of these columns of times is that of the sale, or "" if several could be: that
    of a won, paid or closed sale is likelier than any other."""
    named = [name for name in names if suggests(name, "conversion_date_time")]
    likely = [name for name in named if _SOLD.search(_words(name))] or named
    return likely[0] if len(likely) == 1 else ""


def _words(name: str) -> str:
    return without_accents(comparable(_CAMEL.sub(" ", name).replace("_", " ")))


def likely_successor(old: Sequence[str], meaning: str, names: Sequence[str]) -> str:
    """Return which of these names a renamed column probably has now, or "" if several could be it.

    `old` are its names so far, `meaning` its field, and `names` those of columns that the profile
    does not name.
    """

    def is_other(name: str) -> bool:
        return rules_out(name, meaning) or bool(_WITH_TAX.search(_words(name)))

    same = [name for name in names if is_other(name) == any(map(is_other, old))]
    by_text = {comparable(name): name for name in same}
    known = [{*comparable(name).split()} for name in old]  # Total → Sale Total, and not Subtotal
    likely = [
        name
        for text, name in by_text.items()
        if suggests(name, meaning) or any(words <= {*text.split()} for words in known)
    ]
    if not likely:
        near = (get_close_matches(comparable(name), by_text, 2, _LEAST_ALIKE) for name in old)
        likely = [by_text[text] for text in {*chain(*near)}]
    return likely[0] if len(likely) == 1 else ""
