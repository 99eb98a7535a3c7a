"""One catalogue of every code that a results document can hold: ours and Google's.

The results document, the linter and `docs/codes.md` are made from it:
`python -m lib.catalogue.codes > docs/codes.md`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

from lib.catalogue import data_manager as codes_data_manager
from lib.catalogue import google_ads as codes_google_ads
from lib.catalogue import ours as codes_ours

Origin = Literal["ours", "google_ads", "data_manager"]
Severity = Literal["error", "warning", "note"]
Scope = Literal["row", "file", "account", "transient"]
Outcome = Literal["rejected", "failed", "duplicate", "deferred", "not_attempted"]


@dataclass(frozen=True, slots=True)
class Code:
    """What a code means, whom it concerns and what to do about it.

    `scope`: the row alone; the file; the account or its settings, and so every row; or a passing
    trouble, which is retried. `outcome`: what becomes of a row for this reason (None: it goes on).
    """

    code: str
    origin: Origin
    severity: Severity
    scope: Scope
    outcome: Outcome | None
    meaning: str
    action: str


# The tables name one of these, so that the parts of a code can't contradict each other.
_KINDS: Final[dict[str, tuple[Severity, Scope, Outcome | None]]] = {
    "rejected": ("error", "row", "rejected"),
    "failed": ("error", "row", "failed"),
    "duplicate": ("note", "row", "duplicate"),
    "deferred": ("note", "row", "deferred"),
    "warning": ("warning", "row", None),
    "note": ("note", "file", None),
    "file": ("error", "file", "not_attempted"),
    "account": ("error", "account", "not_attempted"),
    "transient": ("error", "transient", None),
}


def _codes(origin: Origin, table: Mapping[str, tuple[str, str, str]]) -> dict[str, Code]:
    return {
        code: Code(code, origin, *_KINDS[kind], meaning, action)
        for code, (kind, meaning, action) in table.items()
    }


# A code that several of them use means the same in each; the first one's words are shown.
CATALOGUE: Final[Mapping[str, Code]] = MappingProxyType(
    _codes("data_manager", codes_data_manager.TABLE)
    | _codes("google_ads", codes_google_ads.TABLE)
    | _codes("ours", codes_ours.TABLE)
)

# The Data Manager API's documentation leaves these off in places, and so do some of its answers.
_PREFIXES: Final = ("PROCESSING_ERROR_REASON_", "PROCESSING_ERROR_", "WARNING_REASON_")


def lookup(code: str) -> Code:
    """The entry of a code. One that isn't known, as a newer API may send, counts as a permanent
    failure of its row and is shown as it came."""
    for prefix in ("", *_PREFIXES):
        entry = CATALOGUE.get(prefix + code)
        if entry is not None:
            return entry
    return Code(
        code,
        "google_ads",
        *_KINDS["failed"],
        "Google answered with a code that this version doesn't know.",
        "Read Google's message beside it; if it isn't clear, look the code up in Google's "
        "documentation. The row wasn't counted.",
    )


ABOUT_THE_ACTION: Final = frozenset(
    {
        "NO_CONVERSION_ACTION_FOUND",
        "INVALID_CONVERSION_ACTION_ID",
        "INVALID_CONVERSION_ACTION_TYPE",
        "INVALID_DESTINATION",
        "CUSTOM_VARIABLE_NOT_ENABLED",
    }
)
"""Refusals that are account-level at Google's, yet may hold for one action only: the rows of other
actions are sent all the same."""


if __name__ == "__main__":
    from lib.catalogue.page import page

    print(page(), end="")
