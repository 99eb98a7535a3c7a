"""One catalogue of every code of this function, and of those of Google's that need more than
Google's message.

The results document, `check`, `explain` and `docs/codes.md` take their texts from it. The texts
are in `ours.ini` and `google.ini`, and those that several codes share in `shared.ini`:

    [rejected INVALID_DATE]
    meaning = The date and time cannot be read.
    action = Write it as 2026-11-24 14:05.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pkgutil import get_data
from string import Template
from typing import Any, Final, Literal

from lib.catalogue.kinds import CODE_KINDS, Scope, Severity
from lib.catalogue.texts import AGAIN, first_sentence, for_engineer, for_owner
from lib.model.outcomes import Outcome

Origin = Literal["This function", "Google"]

_FEWEST_ROWS_OF_A_SETTING: Final = 5
"""Fewer rows are corrected sooner than a setting is found, and do not prove that one is wrong."""


@dataclass(frozen=True, slots=True)
class Code:
    """What a code means, what it affects, and what to do about it.

    `scope`: the row alone; the file; the account or its settings, and so every row; or a transient
    error, which is retried. `outcome`: the outcome of a row with this code (None: the row is still
    processed). `action`: who must act, and what to do. `if_most`: the setting that is the action if
    most rows have the code; "": none.
    `is_too_late`: the cause can be corrected for the next files, but not for this row.
    `needs_action`: a person can correct the cause. `says_upload`: the action says how to upload the
    file again.
    `needs_look`: no row is lost by it, and somebody must look at the file all the same.
    `needs_profile`: nothing in the file is wrong, and one change of the profile mends all its rows.
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
    needs_action: bool = True
    says_upload: bool = False
    needs_look: bool = False
    needs_profile: bool = False

    @property
    def summary(self) -> str:
        """The first sentence of its meaning: `The conversion time is in the future.`"""
        return f"{first_sentence(self.meaning)}."

    @property
    def is_temporary(self) -> bool:
        """Whether a row with it may count if it is sent again."""
        return self.outcome == "deferred" or self.scope == "transient"

    def is_caused_by_setting(self, count: int, rows: int) -> bool:
        """Return whether a setting is the cause, if `count` of the `rows` have this code."""
        return bool(self.if_most) and count >= _FEWEST_ROWS_OF_A_SETTING and 2 * count > rows

    def advice(self, count: int, rows: int) -> str:
        """Return what to do about this code in a file of which `count` of the `rows` have it."""
        return self.if_most if self.is_caused_by_setting(count, rows) else self.action

    @property
    def needs_upload(self) -> bool:
        """Whether somebody must upload the file again after the action, which does not say so."""
        return self.needs_action and not self.says_upload and not self.is_too_late

    def advice_with_upload(self, count: int = 0, rows: int = 0) -> str:
        """Return the advice, and that the file must be uploaded again, if it must."""
        advice = self.advice(count, rows)
        if not self.needs_upload:
            return advice
        return f"{advice} {AGAIN}"


_SECTION: Final = re.compile(r"^\[(.+)\]\n((?:[\w ].*\n)+)", re.M)
_FIELD: Final = re.compile(r"^(\w+) = (.+(?:\n .+)*)", re.M)


def _sections(name: str) -> dict[str, str]:
    """Return title → lines of an INI file. `configparser` would take 10 ms of each cold start."""
    return dict(_SECTION.findall((get_data(__package__, name) or b"").decode()))


def _fields(lines: str, texts: Mapping[str, str]) -> dict[str, str]:
    """Return the fields of a section, each on one line, and with `${name}` replaced."""
    found = _FIELD.findall(lines)
    return {key: Template(" ".join(text.split())).substitute(texts) for key, text in found}


def _read(name: str, origin: Origin) -> dict[str, Code]:
    """Return the codes of a file, by name."""
    sections = _sections(name)
    texts = _fields(_sections("shared.ini")["DEFAULT"], {})
    texts |= _fields(sections.pop("DEFAULT"), texts)
    codes = {}
    for title, lines in sections.items():
        kind_name, first = title.split()
        kind = CODE_KINDS[kind_name]
        fields = _fields(lines, texts)
        flags: dict[str, Any] = {
            key: text == "yes" for key, text in fields.items() if text in ("yes", "no")
        }
        action = fields.get("action", "")
        if "ask_engineer" in fields:
            action, flags["needs_action"] = for_engineer(fields["ask_engineer"]), True
        elif flags.setdefault("needs_action", kind.needs_action):
            action = for_owner(action)
        if_most = for_owner(fields["if_most"]) if "if_most" in fields else ""
        if "engineer_if_most" in fields:
            if_most = for_engineer(fields["engineer_if_most"])
        for code in (first, *fields.get("also", "").split()):
            codes[code] = Code(
                code,
                origin,
                kind.severity,
                kind.scope,
                kind.outcome,
                fields["meaning"],
                action,
                if_most,
                **flags,
            )
    return codes


_OURS: Final = _read("ours.ini", "This function")
_GOOGLES: Final = _read("google.ini", "Google")
_OTHER_FAILURE: Final = _GOOGLES.pop("ANY_OTHER")
_OTHER_WARNING: Final = _GOOGLES.pop("WARNING_REASON_ANY_OTHER")

TABLES: Final[Mapping[Origin, Mapping[str, Code]]] = {"This function": _OURS, "Google": _GOOGLES}
CATALOGUE: Final[Mapping[str, Code]] = {
    name: code for table in TABLES.values() for name, code in table.items()
}

_PREFIXES: Final = ("", "PROCESSING_ERROR_REASON_", "PROCESSING_ERROR_")
"""Google leaves these off in some answers, and in parts of its documentation."""


def lookup(code: str) -> Code:
    """Return the entry of a code.

    A code that no table has keeps its name: `WARNING_REASON_...` is a warning, any other one, such
    as a code of a newer API, a permanent failure of its row.
    """
    for prefix in _PREFIXES:
        entry = CATALOGUE.get(prefix + code)
        if entry is not None:
            return entry
    return replace(_OTHER_WARNING if "WARNING_REASON_" in code else _OTHER_FAILURE, code=code)


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

CAUSES_OF: Final[Mapping[str, frozenset[str]]] = {
    "NO_CLICK_ID_OR_IDENTIFIER": frozenset(
        {
            *("INVALID_CLICK_ID", "BRAID_ON_ONE_PER_CLICK"),
            *("INVALID_EMAIL", "INVALID_DIGEST", "INVALID_PHONE", "PHONE_REGION_MISSING"),
            *("ADDRESS_INCOMPLETE", "INVALID_REGION"),
            *("INVALID_IP_ADDRESS", "INVALID_SESSION_ATTRIBUTES"),
            "SESSION_ATTRIBUTES_INCOMPLETE",
        }
    ),
    "INVALID_CALLER_ID": frozenset({"PHONE_REGION_MISSING"}),
    "DEFERRED_TOO_LONG": frozenset({"CONVERSION_NOT_FOUND"}),
}
"""Code → the codes that cause it. In a row that has one of these too, the first needs no correction
of its own: a wrong email address was left out, so nothing identifies the person."""

WAITS_A_DAY: Final = frozenset({"TOO_RECENT_CONVERSION", "CONVERSION_NOT_FOUND"})
"""Reasons for which a deferred row is sent again only after 24 hours.

Google may not find a conversion yet that it got less than 24 hours ago. Whether it got it from this
function is not recorded: that would cost every file of sales a write, for the rare refund that
comes so soon, and Google may have got it from elsewhere. So every adjustment of an unknown
conversion waits once, also if its sale arrives only after it."""

KEEPS_OLD_VALUE: Final = frozenset({"PROCESSING_ERROR_REASON_DUPLICATE_TRANSACTION_ID"})
"""Reasons that for a sale say that it counts, and for a correction that its value does not.

Google's documents say that a known order ID changes the value, and have a reason for it too."""

NOBODY_CLICKED: Final = frozenset({"PROCESSING_ERROR_REASON_CLICK_NOT_FOUND"})
"""Reasons that only say that no ad click led to the conversion. This is normal for a row without a
click ID: Google asks for all conversions, also for those that no ad led to."""
