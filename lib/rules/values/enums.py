"""Closed vocabularies: consent, environment, customer type, event source.

Cells may have any case, and spaces, hyphens or underscores between words. An empty or undecided
cell returns None, which makes no statement to Google. An unknown word is an error, not a guess: a
misread denial would count as consent.
"""

import re
from collections.abc import Callable
from typing import Final, Literal, TypeVar

from lib.errors import RuleError
from lib.rules.values.cells import without_accents

Consent = Literal["GRANTED", "DENIED"]

Word = TypeVar("Word", bound=str)

_SEPARATORS: Final = re.compile(r"[\s_-]+")

_NOT_STATED: Final = ("", "UNSPECIFIED", "EVENT_SOURCE_UNSPECIFIED", "UNKNOWN")
# In English, German, French, Spanish, Italian, Dutch and Portuguese: yes and no, what spreadsheets
# write for true and false, and granted and denied. Without accents.
_GRANTED: Final = """
GRANTED CONSENT_GRANTED YES Y TRUE 1 1.0 JA OUI SI SIM WAHR VRAI VERDADERO VERO WAAR VERDADEIRO
ERTEILT
ZUGESTIMMT EINGEWILLIGT GEWAHRT ACCORDE ACCORDEE ACCEPTE ACCEPTEE CONCEDIDO CONCEDIDA OTORGADO
OTORGADA ACEPTADO CONCESSO CONCESSA ACCETTATO ACCETTATA VERLEEND TOEGESTAAN GEGEVEN ACEITO ACEITE
ACEITA
"""
_DENIED: Final = """
DENIED CONSENT_DENIED NO N FALSE 0 0.0 NEIN NON NEE NAO FALSCH FAUX FALSO ONWAAR VERWEIGERT
ABGELEHNT
NICHT_ERTEILT WIDERRUFEN REFUSE REFUSEE DENEGADO DENEGADA RECHAZADO RECHAZADA NEGATO NEGATA
RIFIUTATO RIFIUTATA GEWEIGERD NIET_VERLEEND INGETROKKEN NEGADO NEGADA RECUSADO RECUSADA
"""
_NO_ANSWER: Final = """
UNSPECIFIED CONSENT_STATUS_UNSPECIFIED UNKNOWN UNBEKANNT INCONNU DESCONOCIDO SCONOSCIUTO ONBEKEND
DESCONHECIDO
"""
CONSENT_WORDS: Final[dict[str, Consent | None]] = {
    **dict.fromkeys(_GRANTED.split(), "GRANTED"),
    **dict.fromkeys(_DENIED.split(), "DENIED"),
    **dict.fromkeys(("", *_NO_ANSWER.split()), None),
}


def parse_consent(value: str) -> Consent | None:
    """`Granted`, `yes`, `true`, `1` -> GRANTED; `Denied`, `no`, `false`, `0` -> DENIED.
    Raises INVALID_CONSENT."""
    return _look_up(value, CONSENT_WORDS, "INVALID_CONSENT")


def one_of(*words: str) -> Callable[[str], str | None]:
    """Return a parser for one of these words, in any case and with any separator.

    "Unspecified" and "unknown" give None. The parser raises UNKNOWN_WORD for every other text.
    """
    known = {**dict.fromkeys(_NOT_STATED), **{word: word for word in words}}
    return lambda value: _look_up(value, known, "UNKNOWN_WORD")


parse_conversion_environment: Final = one_of("APP", "WEB")
parse_customer_type: Final = one_of("NEW", "RETURNING", "REENGAGED")
parse_event_source: Final = one_of("WEB", "APP", "IN_STORE", "PHONE", "MESSAGE", "OTHER")


def _look_up(value: str, words: dict[str, Word | None], code: str) -> Word | None:
    """Return the word of the API that a cell means. Raises `code` for any other text."""
    if value in words:
        return words[value]
    word = _SEPARATORS.sub("_", value.strip()).upper()
    if word not in words:
        word = without_accents(word)
    if word not in words:
        raise RuleError(code)
    return words[word]
