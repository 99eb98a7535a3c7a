"""One catalogue of every code of this function, and of those of Google's that need more than
Google's message.

The results document, `check`, `explain` and `docs/codes.md` take their texts from it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from lib.catalogue import google, kinds, ours
from lib.catalogue.kinds import CodeText, Scope, Severity
from lib.model.outcomes import Outcome

Origin = Literal["This function", "Google"]

TABLES: Final[Mapping[Origin, Mapping[str, CodeText]]] = {
    "This function": ours.TABLE,
    "Google": google.TABLE,
}


@dataclass(frozen=True, slots=True)
class Code:
    """What a code means, what it affects, and what to do about it.

    `scope`: the row alone; the file; the account or its settings, and so every row; or a transient
    error, which is retried. `outcome`: the outcome of a row with this code (None: the row is still
    processed). `if_most`: the setting that is the action if most rows have the code; "": none.
    `is_too_late`: the cause can be corrected for the next files, but not for this row.
    """

    code: str
    origin: Origin
    severity: Severity
    scope: Scope
    outcome: Outcome | None
    meaning: str
    action: str
    if_most: str = ""
    is_too_late: bool = False

    @property
    def needs_action(self) -> bool:
        """Whether a person can correct the cause."""
        return not self.action.startswith("No action needed")

    @property
    def action_if_stopped(self) -> str:
        """What to do if it has stopped a file, because it is never retried."""
        if not self.needs_action or "pload" in self.action:
            return self.action
        return f"{self.action} Then upload the file again: nothing counts twice."

    def is_one_setting(self, count: int, rows: int) -> bool:
        """Return whether so many problems in so many rows have one cause: a setting."""
        return bool(self.if_most) and count >= _FEWEST and 2 * count > rows

    def advice(self, count: int, rows: int) -> str:
        """Return what to do about so many problems with this code in a file of so many rows."""
        return self.if_most if self.is_one_setting(count, rows) else self.action


_FEWEST: Final = 5
"""Fewer rows are sooner corrected than a setting is found, and prove none."""


def _code(code: str, origin: Origin, text: CodeText) -> Code:
    return Code(code, origin, *text.kind, text.meaning, text.action, text.if_most, text.is_too_late)


CATALOGUE: Final[Mapping[str, Code]] = {
    code: _code(code, origin, text)
    for origin, table in TABLES.items()
    for code, text in table.items()
}

_PREFIXES: Final = ("", "PROCESSING_ERROR_REASON_", "PROCESSING_ERROR_")
"""Google leaves these off in some answers, and in parts of its documentation."""

_OTHER_FAILURE: Final = kinds.failed(
    "Google refused the row. Its message, or else the name of the code, says why.",
    "Correct what Google's message names. If nothing is wrong with it, look the code up in "
    "Google's "
    "documentation, or report it at the project's issue tracker.",
)
_OTHER_WARNING: Final = kinds.warning(
    "Google accepted the row, but not one of its values. Its message says which.",
    "No action needed; the conversion counts. To keep the value, correct what the message names.",
)


def lookup(code: str) -> Code:
    """Return the entry of a code.

    A code that no table has keeps its name: `WARNING_REASON_...` is a warning, any other one, such
    as a code of a newer API, a permanent failure of its row.
    """
    for prefix in _PREFIXES:
        entry = CATALOGUE.get(prefix + code)
        if entry is not None:
            return entry
    return _code(code, "Google", _OTHER_WARNING if "WARNING_REASON_" in code else _OTHER_FAILURE)


ABOUT_THE_ACTION: Final = frozenset(
    {
        "NO_CONVERSION_ACTION_FOUND",
        "INVALID_CONVERSION_ACTION_ID",
        "INVALID_CONVERSION_ACTION_TYPE",
        "INVALID_DESTINATION",
        "CUSTOM_VARIABLE_NOT_ENABLED",
        "CANNOT_RESTATE_CONVERSION_ACTION_THAT_ALWAYS_USES_DEFAULT_CONVERSION_VALUE",
    }
)
"""Account-level errors of Google that may concern a single conversion action: rows of other
conversion actions are still sent."""

CONSEQUENCES: Final[Mapping[str, frozenset[str]]] = {
    "NO_CLICK_ID_OR_IDENTIFIER": frozenset(
        {
            *("INVALID_CLICK_ID", "BRAID_ON_ONE_PER_CLICK"),
            *("INVALID_EMAIL", "INVALID_DIGEST", "INVALID_PHONE", "PHONE_REGION_MISSING"),
            *("ADDRESS_INCOMPLETE", "INVALID_REGION"),
            *("INVALID_IP_ADDRESS", "INVALID_SESSION_ATTRIBUTES"),
        }
    )
}
"""Codes that other problems of the row explain, and which ones: what they left out was needed."""

WAITS_A_DAY: Final = frozenset({"TOO_RECENT_CONVERSION", "CONVERSION_NOT_FOUND"})
"""Reasons for which a deferred row is sent again only after 24 hours.

Google may not find a conversion yet that it got less than 24 hours ago. Whether it got it from this
function is not recorded: that would cost every file of sales a write, for the rare refund that
comes so soon, and Google may have got it from elsewhere. So every adjustment of an unknown
conversion waits once, also if its sale arrives only after it."""

NOBODY_CLICKED: Final = frozenset({"PROCESSING_ERROR_REASON_CLICK_NOT_FOUND"})
"""Reasons that only say that no ad click led to the conversion. This is normal for a row without a
click ID: Google asks for all conversions, also for those that no ad led to."""
