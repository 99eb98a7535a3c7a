"""The kinds of codes: what a code affects, and the outcome of a row with it."""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

from lib.model.outcomes import Outcome

Severity = Literal["error", "warning", "note"]
Scope = Literal["row", "file", "account", "transient"]


class CodeText(NamedTuple):
    """An entry of a table: `rejected("The value is negative.", "Write it as a positive number.")`.

    `if_most` is what to do instead if most rows have the code: one setting, and no cell. For a few
    rows, the setting would damage the others. `is_too_late`: nothing brings the row to Google.
    """

    kind: CodeKind
    meaning: str
    action: str
    if_most: str = ""
    is_too_late: bool = False


class CodeKind(NamedTuple):
    """The parts of a code that must not contradict each other. Tables call it to make an entry."""

    severity: Severity
    scope: Scope
    outcome: Outcome | None = None

    def __call__(
        self, meaning: str, action: str, *, if_most: str = "", is_too_late: bool = False
    ) -> CodeText:
        return CodeText(self, meaning, action, if_most, is_too_late)


rejected: Final = CodeKind("error", "row", "rejected")
failed: Final = CodeKind("error", "row", "failed")
duplicate: Final = CodeKind("note", "row", "duplicate")
deferred: Final = CodeKind("note", "row", "deferred")
retried: Final = CodeKind("error", "row", "deferred")
superseded: Final = CodeKind("note", "row", "skipped")
not_attempted: Final = CodeKind("note", "row", "not_attempted")
warning: Final = CodeKind("warning", "row")
note: Final = CodeKind("note", "file")
file: Final = CodeKind("error", "file", "not_attempted")
account: Final = CodeKind("error", "account", "not_attempted")
transient: Final = CodeKind("error", "transient")
