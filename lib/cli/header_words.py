"""What the name of a column suggests, for the page of `init` and for `check`. A run never uses it.

The words are those of common exports, in a few languages. A suggestion that is missing costs a
person one look at the menu, and nobody gets a suggestion without a look at the cells.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Final

from lib.model.fields import comparable
from lib.rules.values.cells import without_accents

DECIDES: Final = "decides"
"""Stands for no field: the values of the column decide which rows count."""

_ID: Final = r"(?:id|no|nr|num|number|nummer|nº|n°|#|key|code|ref|reference|номер)\b"
_WORDS: Final[Mapping[str, str]] = {
    "gclid": r"gclid|google.*click|\bclick ?id|klick-?(id|kennung)|トラッキング",
    "gbraid": r"gbraid",
    "wbraid": r"wbraid",
    "email": r"e-?mail|\bmail|correo|courriel|почт|メール|이메일",
    "phone": r"phone|mobil|\bcell|\btel\b|\btel|telef|movil|celular|whatsapp|телефон|電話"
    r"|휴대폰",
    "country_code": r"\bcountry|\bland\b|\bpays\b|pais|\bpaese|страна",
    "first_name": r"first.?name|vorname|prenom|given.?name",
    "last_name": r"last.?name|nachname|surname|family.?name",
    "postal_code": r"\bzip|post.?code|postal|\bplz\b",
    "order_id": rf"^{_ID}|^id\b|(order|deal|record|booking|invoice|transaction|payment|receipt|"
    rf"ticket|lead|opportunity|item|case|contract|sale|reservation|entry|event|charge|box|"
    rf"beleg|bestell\w*|auftrag\w*|buchung\w*|rechnung\w*|commande|facture|pedido|factura)"
    rf"\W*{_ID}|注文番号|受付番号",
    "conversion_date_time": r"date|time|datum|zeit|fecha|\bdia|\bjour|\bdata\b|дата|日時|日付"
    r"|일시|\bon$|\bat$|\bam$|\bel$|closed|paid|won\b|created",
    "time_of_day": r"^time$|time of day|uhrzeit|^hora$|^heure$|時間$|^время$",
    "conversion_value": r"amount|total|value|price|revenue|\bsum\b|\bfee|\bgross|\bnet\b|betrag|"
    r"umsatz|preis|\bwert\b|importe|monto|valor|montant|prix|сумма|金額|금액|commission|deal size",
    "currency_code": r"currency|wahrung|devise|moneda|divisa|valuta|валюта|通貨",
    "ad_user_data": r"consent|opt.?in|gdpr|dsgvo|einwillig|werbung|marketing.*(ok|allow|perm)",
    DECIDES: r"status|stage|\bstate\b|\btype\b|phase|pipeline|cancel|estado|etape|statut|stufe|"
    r"\btyp\b|\bart\b|статус|стадия|状況|상태",
}
_PATTERNS: Final = {
    meaning: re.compile(without_accents(words)) for meaning, words in _WORDS.items()
}
_NO_VALUE: Final = re.compile(
    r"\btax|\bvat\b|\bmwst|steuer|discount|shipping|refund|\bfee\b|balance|quantity|date|\bid\b"
)
_CAMEL: Final = re.compile(r"(?<=[a-z])(?=[A-Z])")
_LEAST_ALIKE: Final = 0.6


def suggests(name: str, meaning: str) -> bool:
    """Return whether a column of this name could be meant: `InvoiceNumber` suggests `order_id`."""
    text = without_accents(comparable(_CAMEL.sub(" ", name).replace("_", " ")))
    if meaning == "conversion_value" and _NO_VALUE.search(text):
        return False
    return meaning in _PATTERNS and bool(_PATTERNS[meaning].search(text))


def likely_successor(old: Sequence[str], meaning: str, names: Sequence[str]) -> str:
    """Return which of these names a renamed column probably has now, or "".

    `old` are its names so far, `meaning` its field, and `names` those of columns that the profile
    does not name.
    """
    by_text = {comparable(name): name for name in names}
    for name in old:
        words = {*comparable(name).split()}  # Total → Sale Total, and not Subtotal
        if longer := [each for text, each in by_text.items() if words <= {*text.split()}]:
            return longer[0]
        if near := get_close_matches(comparable(name), by_text, 1, _LEAST_ALIKE):
            return by_text[near[0]]
    return next((name for name in names if suggests(name, meaning)), "")
