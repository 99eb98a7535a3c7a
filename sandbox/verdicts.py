"""The demo's check of what the Data Manager API says late: does the document name the right lines?

It is independent of the function. For every event that the API accepted and did not count, it finds
the line in the file, and what the results document says about it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from sandbox.identity import identity_of_event, identity_of_row
from sandbox.state import NotCounted

_PREFIX = "PROCESSING_ERROR_REASON_"


def is_unmatched(event: NotCounted) -> bool:
    """Whether nobody clicked, which is normal for an event with user data alone."""
    has_click = event.message.get("ad_identifiers", {}).keys() & {"gclid", "gbraid", "wbraid"}
    return event.reason == f"{_PREFIX}CLICK_NOT_FOUND" and not has_click


def _expected_outcome(event: NotCounted) -> str:
    reason = event.reason.removeprefix(_PREFIX)
    if is_unmatched(event):
        return "uploaded"
    if reason.startswith("DUPLICATE_"):
        return "duplicate"
    return "deferred" if reason.startswith("TOO_RECENT_") else "failed"


def wrong_verdicts(
    rows: Mapping[int, Mapping[str, str]],
    document: Mapping[str, Any],
    not_counted: Iterable[NotCounted],
) -> Iterator[str]:
    """The contradictions between the document and what the API did not count."""
    lines = defaultdict(list)
    for line, row in rows.items():
        lines[identity_of_row(row)].append(line)
    listed = {row["line"]: row for row in document["rows"]}
    named = {
        (row["line"], error["code"])
        for row in document["rows"]
        for error in row["errors"]
        if error["code"].startswith("PROCESSING_ERROR_")
    }
    unmatched = 0
    for event in not_counted:
        expected = _expected_outcome(event)
        at = lines[identity_of_event(event.message)]
        if is_unmatched(event):
            unmatched += 1
            found = [line for line in at if line not in listed]
        else:
            found = [line for line in at if (line, event.reason) in named]
            named -= {(line, event.reason) for line in found}
            found = [line for line in found if listed[line]["outcome"] == expected]
        if not found:
            yield f"the API found {event.reason} in one of the lines {at}: not {expected}"
    if document["counts"].get("unmatched", 0) != unmatched:
        yield f"the API found no click for {unmatched} rows without a click ID"
    for line, code in sorted(named):
        yield f"line {line} has {code}, but the API counted its event"
