"""Closed vocabularies: consent, environment, customer type, event source.

Cells come in any case, with spaces, hyphens or underscores. An empty or undecided cell is None,
which says nothing to Google; a word that isn't known is an error, not a guess: a denial that is
misread would be a grant.
"""

from typing import Final, Literal, TypeVar

from lib.rules.values.errors import RuleError

Consent = Literal["GRANTED", "DENIED"]
ConversionEnvironment = Literal["APP", "WEB"]
CustomerType = Literal["NEW", "RETURNING"]
EventSource = Literal["WEB", "APP", "IN_STORE", "PHONE", "MESSAGE", "OTHER"]

Word = TypeVar("Word", bound=str)

_CONSENT: Final[dict[str, Consent | None]] = {
    **dict.fromkeys(("GRANTED", "CONSENT_GRANTED", "YES", "Y", "TRUE", "1"), "GRANTED"),
    **dict.fromkeys(("DENIED", "CONSENT_DENIED", "NO", "N", "FALSE", "0"), "DENIED"),
    **dict.fromkeys(("", "UNSPECIFIED", "CONSENT_STATUS_UNSPECIFIED", "UNKNOWN"), None),
}
_ENVIRONMENT: Final[dict[str, ConversionEnvironment | None]] = {
    **dict.fromkeys(("", "UNSPECIFIED", "UNKNOWN"), None),
    "APP": "APP",
    "WEB": "WEB",
}
_CUSTOMER_TYPE: Final[dict[str, CustomerType | None]] = {
    **dict.fromkeys(("", "UNSPECIFIED", "UNKNOWN"), None),
    "NEW": "NEW",
    "RETURNING": "RETURNING",
}
_EVENT_SOURCE: Final[dict[str, EventSource | None]] = {
    **dict.fromkeys(("", "UNSPECIFIED", "EVENT_SOURCE_UNSPECIFIED", "UNKNOWN"), None),
    "WEB": "WEB",
    "APP": "APP",
    "IN_STORE": "IN_STORE",
    "PHONE": "PHONE",
    "MESSAGE": "MESSAGE",
    "OTHER": "OTHER",
}


def parse_consent(value: str) -> Consent | None:
    """`Granted`, `yes`, `true`, `1` -> GRANTED; `Denied`, `no`, `false`, `0` -> DENIED.
    Raises INVALID_CONSENT."""
    return _look_up(value, _CONSENT, "INVALID_CONSENT")


def parse_conversion_environment(value: str) -> ConversionEnvironment | None:
    """APP or WEB. Raises INVALID_CONVERSION_ENVIRONMENT."""
    return _look_up(value, _ENVIRONMENT, "INVALID_CONVERSION_ENVIRONMENT")


def parse_customer_type(value: str) -> CustomerType | None:
    """NEW or RETURNING. Raises INVALID_CUSTOMER_TYPE."""
    return _look_up(value, _CUSTOMER_TYPE, "INVALID_CUSTOMER_TYPE")


def parse_event_source(value: str) -> EventSource | None:
    """WEB, APP, IN_STORE, PHONE, MESSAGE or OTHER (Data Manager). Raises INVALID_EVENT_SOURCE."""
    return _look_up(value, _EVENT_SOURCE, "INVALID_EVENT_SOURCE")


def _look_up(value: str, words: dict[str, Word | None], code: str) -> Word | None:
    if value in words:
        return words[value]
    word = "_".join(value.replace("-", " ").replace("_", " ").upper().split())
    if word not in words:
        raise RuleError(code)
    return words[word]
