"""The kinds of codes: what a code affects, and the outcome of a row with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, NamedTuple

from lib.model.outcomes import Outcome

Severity = Literal["error", "warning", "note"]
Scope = Literal["row", "file", "account", "transient"]


class CodeKind(NamedTuple):
    """The parts of a code that must not contradict each other."""

    severity: Severity
    scope: Scope
    outcome: Outcome | None = None


KINDS: Final[Mapping[str, CodeKind]] = {
    "rejected": CodeKind("error", "row", "rejected"),
    "failed": CodeKind("error", "row", "failed"),
    "duplicate": CodeKind("note", "row", "duplicate"),
    "deferred": CodeKind("note", "row", "deferred"),
    "retried": CodeKind("error", "row", "deferred"),
    "superseded": CodeKind("note", "row", "skipped"),
    "not_attempted": CodeKind("note", "row", "not_attempted"),
    "warning": CodeKind("warning", "row"),
    "note": CodeKind("note", "file"),
    "file": CodeKind("error", "file", "not_attempted"),
    "account": CodeKind("error", "account", "not_attempted"),
    "transient": CodeKind("error", "transient"),
}
"""What the first word of a section of `ours.ini` or `google.ini` says."""
