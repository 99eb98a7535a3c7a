"""Files in which nearly no row led to an ad click."""

from __future__ import annotations

import pytest

from lib.followup.final_statuses import note_on_matches
from lib.model.outcomes import Tally
from lib.model.sent_requests import RequestSummary
from lib.run.finish import WrittenRun


@pytest.mark.parametrize(
    "matchable, matched, is_noted",
    [(500, 5, True), (500, 6, False), (499, 0, False), (5_000, 50, True), (5_000, 51, False)],
)
def test_few_matches(matchable: int, matched: int, is_noted: bool) -> None:
    """Nearly none of many rows get a note with both numbers."""
    requests = RequestSummary(matchable=matchable, unmatched=matchable - matched)
    note = note_on_matches(WrittenRun(requests=requests))
    assert (note and note.detail) == (f"{matched} of {matchable} rows" if is_noted else None)


def test_nothing_is_noted_before_the_last_status() -> None:
    """Rows that wait, or whose request is open, may still match."""
    waiting = Tally(outcomes={"deferred": 1})
    none = RequestSummary(matchable=500, unmatched=500)
    assert note_on_matches(WrittenRun(requests=none, tally=waiting)) is None
    open_one = RequestSummary(matchable=500, unmatched=500, open=1)
    assert note_on_matches(WrittenRun(requests=open_one)) is None
