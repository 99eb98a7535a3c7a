"""The kinds of codes: what a code affects, and the outcome of a row with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, NamedTuple

from lib.model.outcomes import Outcome

Severity = Literal["error", "warning", "note"]
Scope = Literal["row", "file", "account", "transient"]


class CodeKind(NamedTuple):
    """The parts of a code that must not contradict each other.

    `needs_action`: somebody must act, unless the entry of the code says that nobody must.
    """

    severity: Severity
    scope: Scope
    outcome: Outcome | None = None
    needs_action: bool = True


CODE_KINDS: Final[Mapping[str, CodeKind]] = {
    "rejected": CodeKind("error", "row", "rejected"),
    "failed": CodeKind("error", "row", "failed"),
    "duplicate": CodeKind("note", "row", "duplicate"),
    "deferred": CodeKind("note", "row", "deferred", needs_action=False),
    "deferred_error": CodeKind("error", "row", "deferred"),
    "superseded": CodeKind("note", "row", "skipped", needs_action=False),
    "not_attempted": CodeKind("note", "row", "not_attempted", needs_action=False),
    "warning": CodeKind("warning", "row"),
    "note": CodeKind("note", "file"),
    "file": CodeKind("error", "file", "not_attempted"),
    "account": CodeKind("error", "account", "not_attempted"),
    "transient": CodeKind("error", "transient", needs_action=False),
}
"""What the first word of a section of `ours.ini` or `google.ini` says of its code.

    rejected        our rules refuse the row
    failed          Google refuses the row for good
    duplicate       Google has counted the row before, or the file has it twice
    deferred        Google cannot count the row yet: it is sent again later
    deferred_error  the same, but the row is wrong if it lasts
    superseded      the order has a newer value, so the row is not needed
    not_attempted   the row is not sent, because of its file
    warning         the row is sent, perhaps without the cell that the code is about
    note            a remark about the file, which changes no outcome
    file            the file is wrong: the rest of it is not sent
    account         the account or its settings are wrong: the rest of the file is not sent
    transient       nothing is wrong: the request, the row or the file is tried again
"""
