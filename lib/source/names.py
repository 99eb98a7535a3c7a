"""Which objects of the bucket are files to work on, by their names."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class IgnoreRules:
    """All compared without regard to case, except `prefixes`."""

    accepted_suffixes: tuple[str, ...]
    temporary_suffixes: tuple[str, ...]
    """Names a gateway uses while it still writes; it renames the file when that is whole."""
    prefixes: tuple[str, ...]
    """Folders whose objects are never files of ours, such as the one in which
    `gcloud storage cp` keeps the parts of a large upload until it composes them."""


def ignored(name: str, size: int, rules: IgnoreRules) -> str | None:
    """Why the object isn't worked on, for the log; None: it is a file of ours.

    An empty file with an accepted name is a file of ours: its results document says so.
    """
    lowered = name.lower()
    if name.endswith("/") or (size == 0 and lowered.endswith("_$folder$")):
        return "folder placeholder"
    if name.startswith(rules.prefixes):
        return "part of an upload"
    if any(part.startswith((".", "~$")) for part in name.split("/")):
        return "hidden or lock file"
    if _ends_with(lowered, rules.temporary_suffixes):
        return "still being written"
    if not _ends_with(lowered, rules.accepted_suffixes):
        return "suffix not accepted"
    return None


def _ends_with(lowered: str, suffixes: tuple[str, ...]) -> bool:
    return lowered.endswith(tuple(suffix.lower() for suffix in suffixes))
