"""Determines by its name and size whether an object in the bucket is a file to process.

Three answers: the object is ignored (a log line), its name is refused (a results document with a
`file_error`, so that a dropped file never disappears), or it is opened.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from lib.source.formats import format_of_name

ACCEPTED_SUFFIXES: Final = (
    ".csv",
    ".tsv",
    ".txt",
    ".xlsx",
    ".xls",
    ".csv.gz",
    ".tsv.gz",
    ".txt.gz",
)
"""The default of the setting `accepted_suffixes`. A person may save a file in another of these
formats, and it is still the same file (`without_suffix`)."""

COMPANION_SUFFIXES = (".ok", ".done", ".ctl", ".md5", ".sha256")
"""Suffixes of small files that a sender puts next to a file: markers and checksums."""

_SUFFIXES: Final = re.compile(
    f"(?:{'|'.join(map(re.escape, sorted(ACCEPTED_SUFFIXES, key=len, reverse=True)))})+$", re.I
)


@dataclass(frozen=True, slots=True)
class IgnoreRules:
    """Names to ignore. The suffixes ignore case, `prefixes` does not."""

    temporary_suffixes: tuple[str, ...]
    """Suffixes that a gateway uses while it writes a file. It renames the complete file."""
    prefixes: tuple[str, ...]
    """Folders whose objects are never processed, for example the folder in which
    `gcloud storage cp` stores the parts of a large upload until it composes them."""


def reason_to_ignore(name: str, size: int, rules: IgnoreRules) -> str | None:
    """Return the reason why the object is not processed, for the log, or None.

    An empty file is processed if its name has a suffix: its results document reports the error.
    """
    last = name.rsplit("/", 1)[-1]
    if not last or (size == 0 and (name.lower().endswith("_$folder$") or "." not in last)):
        # An empty object without a suffix is a folder of a gateway, or a marker such as _SUCCESS.
        return "folder placeholder or marker"
    if name.startswith(rules.prefixes):
        return "in a folder that is not processed"
    if any(part.startswith((".", "~$")) for part in name.split("/")):
        return "hidden or lock file"
    if _ends_with(name, rules.temporary_suffixes):
        return "still being written"
    if _ends_with(name, COMPANION_SUFFIXES):
        return "companion of another file"
    return None


def name_problem(name: str, accepted_suffixes: tuple[str, ...]) -> str | None:
    """Return what the file is and what to upload instead, or None if its name is accepted."""
    if _ends_with(name, accepted_suffixes):
        return None
    if other := format_of_name(name):
        return other
    *others, last = accepted_suffixes
    suffixes = f"{', '.join(others)} or {last}" if others else last
    return f"an unknown format; if it is a text file, rename it so that its name ends in {suffixes}"


def without_suffix(name: str) -> str:
    """Return the name of an object without its suffixes: `crm/deals.csv.xlsx` → `crm/deals`."""
    return _SUFFIXES.sub("", name)


def _ends_with(name: str, suffixes: tuple[str, ...]) -> bool:
    return name.lower().endswith(tuple(suffix.lower() for suffix in suffixes))
