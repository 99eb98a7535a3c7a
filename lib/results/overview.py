"""The overview of all files: `index.html` in the output bucket, made of what a listing tells.

It is made of the labels of the results documents (`lib.results.document`), so no document is read.
"""

from __future__ import annotations

import heapq
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, get_args

import msgspec

from lib.model.money import Sum
from lib.model.outcomes import LOST, OUTCOMES
from lib.results.document import Status
from lib.results.page import bucket_address, render, share_of
from lib.state.output import RESULTS, report_name
from lib.state.store import LabelledObject

MOST_FILES = 100
_COUNTS: Final = msgspec.json.Decoder(dict[str, int])
_MONEY: Final = msgspec.json.Decoder(dict[str, dict[str, Sum]])
_GENERATION = re.compile(r"\.\d+$")


class FileResults(NamedTuple):
    """What the label of a results document says about its file.

    Times are texts, all in UTC and to the second, so that they are in the order of time. `money`
    has the sums by outcome and currency.
    """

    results: str
    finished_at: str
    arrived_at: str
    status: str
    counts: Mapping[str, int]
    money: Mapping[str, Mapping[str, Sum]]
    to_correct: int
    profile: str
    code: str
    alerts: str
    validate_only: bool

    @property
    def name(self) -> str:
        """The name of the file; a very long one is shortened."""
        return _GENERATION.sub("", self.results.removesuffix(RESULTS))

    @property
    def needs_action(self) -> bool:
        """Whether a person must act: rows to correct, or a file that was stopped."""
        return self.status == "stopped" or self.to_correct > 0

    @property
    def is_open(self) -> bool:
        """Whether the outcome of a row may change."""
        return bool(self.counts.get("deferred") or self.counts.get("awaiting"))

    @property
    def refused(self) -> int:
        """Number of rows that do not count although they should."""
        return sum(self.counts.get(each, 0) for each in LOST)

    @property
    def rows(self) -> int:
        """Number of rows that should count."""
        return self.counts.get("rows", 0) - self.counts.get("skipped", 0)


class ReportedProfile(NamedTuple):
    """What Google's reports count for the conversion actions of a profile, and its uploads."""

    profile: str
    actions: tuple[str, ...]
    uploaded: int
    conversions: float
    value: float
    currency: str


@dataclass(frozen=True, slots=True)
class Reports:
    """What the reports count from the day `first` to the day `last`, as asked at `read_at`."""

    read_at: str
    first: str
    last: str
    profiles: tuple[ReportedProfile, ...]


def latest_files(files: Iterable[FileResults]) -> list[FileResults]:
    """Return the files that were finished last, the newest first. Keeps no more in memory."""
    return heapq.nlargest(MOST_FILES, files, key=lambda each: (each.finished_at, each))


def labelled_files(objects: Iterable[LabelledObject]) -> Iterator[FileResults]:
    """Yield the results with a label, in the order of their names."""
    for each in objects:
        if not each.name.endswith(RESULTS):
            continue
        label = each.metadata
        try:
            found = FileResults(
                each.name,
                label["finished_at"],
                label["arrived_at"],
                label["status"],
                _COUNTS.decode(label["counts"]),
                _MONEY.decode(label.get("money", "{}")),
                int(label["to_correct"]),
                label.get("profile", ""),
                label.get("code", ""),
                label.get("alerts", ""),
                "validate_only" in label,
            )
        except (KeyError, ValueError, msgspec.DecodeError):
            continue
        if found.status in get_args(Status):
            yield found


def render_overview(
    bucket: str, files: Sequence[FileResults], reports: Reports | None = None
) -> str:
    """Return the page. It depends on nothing else, so the same files make the same page."""
    return render(
        "overview.html",
        bucket=bucket,
        reports=reports if reports is not None and reports.profiles else None,
        files=[_shown(bucket, each) for each in files],
        to_act=sum(each.needs_action for each in files),
        waiting=sum(each.status == "waiting" for each in files),
        is_full=len(files) == MOST_FILES,
        trend=list(_trend(files)),
        share=share_of(sum(each.refused for each in files), sum(each.rows for each in files)),
    )


def _shown(bucket: str, file: FileResults) -> dict[str, Any]:
    return {
        "name": file.name,
        "address": bucket_address(bucket, report_name(file.results)),
        "finished_at": file.finished_at,
        "status": file.status,
        "needs_action": file.needs_action,
        "rows": file.counts.get("rows", 0),
        "outcomes": [(each, file.counts[each]) for each in OUTCOMES if file.counts.get(each)],
        "refused": share_of(file.refused, file.rows),
    }


def _trend(files: Sequence[FileResults]) -> Iterator[dict[str, Any]]:
    """Yield a bar for each file with rows, the oldest first: its share of refused rows."""
    with_rows = [each for each in reversed(files) if each.rows]
    highest = max((each.refused / each.rows for each in with_rows), default=0)
    width = 1_000 / max(len(with_rows), 20)
    for at, each in enumerate(with_rows):
        height = round(80 * each.refused / each.rows / highest, 2) if highest else 0
        yield {
            "x": round(at * width, 2),
            "width": round(width * 0.75, 2),
            "y": round(90 - max(height, 1), 2),
            "height": max(height, 1),
            "title": f"{each.name}: {share_of(each.refused, each.rows)}",
        }
