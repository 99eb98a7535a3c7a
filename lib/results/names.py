"""What a run has in the output bucket: the names of its results, and their generations."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from posixpath import commonprefix
from typing import Final, NamedTuple
from urllib.parse import quote

from lib.source.names import without_suffix
from lib.state.runs import RunEntry
from lib.state.store import Store, StoredObject

OVERVIEW = "index.html"
RESULTS = ".results.json"
REPORT = ".results.html"
_ROWS_TO_FIX: Final = "rows-to-fix-"


def results_name(object_name: str, generation: int) -> str:
    """Return the name of the results document in the output bucket.

    An object name can have at most 1,024 bytes. A longer name is shortened and made unique with a
    digest of the whole name.
    """
    name = f"{object_name}.{generation}{RESULTS}"
    if len(name.encode()) <= 1024:
        return name
    digest = hashlib.sha256(object_name.encode()).hexdigest()[:32]
    start = object_name.encode()[:900].decode("utf-8", "ignore")
    return f"{start}.{digest}.{generation}{RESULTS}"


def report_name(results: str) -> str:
    """Return the name of the report beside a results document. Both names have the same length."""
    return results.removesuffix(RESULTS) + REPORT


def rows_to_fix(object_name: str, generation: int) -> str:
    """Return the name, without a suffix, of the file into which `fix` writes the rows of an object.

    It says whose rows they are, so that they are no longer lost when Google has taken them:
    `crm/deals.csv` → `crm/rows-to-fix-deals.1795521600000001`. An object that was only checked has
    the generation 0.
    """
    folder, slash, last = without_suffix(object_name).rpartition("/")
    return f"{folder}{slash}{_ROWS_TO_FIX}{last}{f'.{generation}' if generation else ''}"


def is_written_by_fix(object_name: str) -> bool:
    """Return whether the object is one that `fix` has written: a few rows of another one."""
    return object_name.rpartition("/")[2].startswith(_ROWS_TO_FIX)


def report_path(source: StoredObject) -> str:
    """Return where a file's report is in the output bucket, for the end of an address."""
    return quote(report_name(results_name(source.name, source.generation)))


def fix_files_by_run(entries: Iterable[RunEntry]) -> Mapping[str, Sequence[RunEntry]]:
    """Return the files that say what became of the lost rows of a file, by the key of its run:
    those with the rows that `fix` wrote, if they were sent.

    The rows may come in parts under one name. If all parts have more rows than were lost, or Google
    had some of a later part before, they came again: then only the newest file counts, which has
    the rows of those before. So it does if another one has as many rows of the same worth.
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


class ResultsGenerations(NamedTuple):
    """The generations of the results document and of the report; 0: there is none."""

    document: int
    report: int


NO_RESULTS: Final = ResultsGenerations(0, 0)


def generations_of(source: StoredObject, store: Store, bucket: str) -> ResultsGenerations:
    """Return the generations of a run's results. Both names begin alike: one listing."""
    document = results_name(source.name, source.generation)
    names = document, report_name(document)
    listed = store.list(bucket, commonprefix(names))
    by_name = {each.name: each.generation for each in listed}
    return ResultsGenerations(*(by_name.get(name, 0) for name in names))
