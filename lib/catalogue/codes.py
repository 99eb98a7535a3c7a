"""One catalogue of every code that a results document can hold: this function's and Google's.

The results document, the linter and `docs/codes.md` take their texts from it.

A table is a module of this package with a `TABLE` (code → `kinds.CodeText`). Its name is the origin
of its codes. It also has a `TITLE` for the page. Adding a module adds its codes. A code that no
table has keeps its name, and Google's message says what it means (`lookup`).
"""

import importlib
import pkgutil
from collections.abc import Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Final

import lib.catalogue
from lib.catalogue import kinds
from lib.catalogue.kinds import CodeText, Scope, Severity
from lib.model.outcomes import Outcome

Origin = str
"""Name of a module with a table, or `UNKNOWN`."""

UNKNOWN: Final = "unknown"
"""Origin of a code that no table has."""


@dataclass(frozen=True, slots=True)
class Code:
    """What a code means, what it affects, and what to do about it.

    `scope`: the row alone; the file; the account or its settings, and so every row; or a transient
    error, which is retried. `outcome`: the outcome of a row with this code (None: the row is still
    processed). `if_most`: the setting that is the action if most rows have the code; "": none.
    """

    code: str
    origin: Origin
    severity: Severity
    scope: Scope
    outcome: Outcome | None
    meaning: str
    action: str
    if_most: str = ""

    @property
    def needs_action(self) -> bool:
        """Whether a person can correct the cause (CONTRIBUTING.md, How we write)."""
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

_FIRST: Final = "ours"
_NOT_TABLES: Final = frozenset({"codes", "page"})
"""Modules that use the catalogue: importing them from here would be circular."""


def _tables() -> dict[Origin, ModuleType]:
    names = {module.name for module in pkgutil.iter_modules(lib.catalogue.__path__)} - _NOT_TABLES
    modules = {
        name: importlib.import_module(f"{lib.catalogue.__name__}.{name}")
        for name in sorted(names, key=lambda name: (name != _FIRST, name))
    }
    return {name: module for name, module in modules.items() if hasattr(module, "TABLE")}


TABLES: Final[Mapping[Origin, ModuleType]] = _tables()
"""The modules with a table: `ours` first, the others by name."""


def _catalogue() -> dict[str, Code]:
    """A code of several tables has the text of the first one, in the order of `TABLES`."""
    found: dict[str, Code] = {}
    for origin, module in TABLES.items():
        table: Mapping[str, CodeText] = module.TABLE
        for code, (kind, meaning, action, if_most) in table.items():
            found.setdefault(code, Code(code, origin, *kind, meaning, action, if_most))
    return found


CATALOGUE: Final[Mapping[str, Code]] = _catalogue()

# Google leaves these off in places: in some answers, and in parts of its documentation.
_PREFIXES: Final = (
    *("PROCESSING_ERROR_REASON_", "PROCESSING_ERROR_"),
    *("PROCESSING_WARNING_REASON_", "WARNING_REASON_"),
)


def lookup(code: str) -> Code:
    """The entry of a code. A code that no table has, such as one of a newer API, is a permanent
    failure of its row and keeps its name."""
    for prefix in ("", *_PREFIXES):
        entry = CATALOGUE.get(prefix + code)
        if entry is not None:
            return entry
    return Code(
        code,
        UNKNOWN,
        *kinds.failed,
        "Google answered with a code that this version does not know. The row is not counted.",
        "Read Google's message next to the code. If it is not clear, look the code up in Google's "
        "documentation.",
    )


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
            *("INVALID_CLICK_ID", "CLICK_ID_CUT_OFF", "BRAID_ON_ONE_PER_CLICK"),
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
