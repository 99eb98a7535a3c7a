"""Determines by its name whether an object in the bucket is a file to process."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class IgnoreRules:
    """Name rules. All of them ignore case, except `prefixes`."""

    accepted_suffixes: tuple[str, ...]
    temporary_suffixes: tuple[str, ...]
    """Suffixes that a gateway uses while it writes a file. It renames the complete file."""
    prefixes: tuple[str, ...]
    """Folders whose objects are never processed, for example the folder in which
    `gcloud storage cp` stores the parts of a large upload until it composes them."""


def ignored(name: str, size: int, rules: IgnoreRules) -> str | None:
    """Return the reason why the object is not processed, for the log, or None.

    An empty file with an accepted name is processed: its results document reports the error.
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
