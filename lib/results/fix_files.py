"""The files that `fix` writes: their names, and what came back of the rows in them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from lib.source.names import without_suffix
from lib.state.runs import RunEntry

_ROWS_TO_FIX: Final = "rows-to-fix-"


def rows_to_fix(object_name: str, generation: int) -> str:
    """Return the name, without a suffix, of the file into which `fix` writes the rows of an object.

    It says whose rows they are, so that they are no longer lost when Google has taken them:
    `crm/deals.csv` → `crm/rows-to-fix-deals.1795521600000001`. An object that was only checked has
    the generation 0.
    """
    folder, slash, last = without_suffix(object_name).rpartition("/")
    return f"{folder}{slash}{_ROWS_TO_FIX}{last}{f'.{generation}' if generation else ''}"


def is_written_by_fix(object_name: str) -> bool:
    """Return whether an object is one that `fix` has written: a few rows of another one."""
    return object_name.rpartition("/")[2].startswith(_ROWS_TO_FIX)


def fix_files_by_run(entries: Iterable[RunEntry]) -> Mapping[str, Sequence[RunEntry]]:
    """Return the files that say what became of the lost rows of a file, by the key of its run:
    those with the rows that `fix` wrote, if they were sent.

    Somebody may upload them in parts under one name, or again. Of a file that has lost 10 rows:

        6 rows, then 4               two parts: both count
        6 rows, then 10              more than 10 together, so they came again: the newest counts
        6 rows, then 6, of which     they came again too: the newest counts
          Google had some before
        6 rows, 4, then 4 that       the newer one of two files of equal size and worth counts
          are worth the same
    """
    by_name: dict[str, dict[object, RunEntry]] = {}
    for entry in sorted(entries, key=lambda each: each.generation, reverse=True):
        if entry.is_sent and entry.totals.meant:
            worth = entry.totals.meant, *sorted(entry.totals.meant_money().items())
            by_name.setdefault(without_suffix(entry.name), {}).setdefault(worth, entry)
    found: dict[str, Sequence[RunEntry]] = {}
    for entry in entries:
        parts = [*by_name.get(rows_to_fix(entry.name, entry.generation), {}).values()]
        is_more = sum(part.totals.meant for part in parts) > entry.totals.lost
        came_again = is_more or any(part.totals.before for part in parts[:-1])
        if parts:
            found[entry.key] = parts[:1] if came_again else parts
    return found
