"""Files in which surprisingly few rows led to an ad click."""

from __future__ import annotations

import pytest

from lib.followup.final_statuses import note_on_matches
from lib.state.documents import Documents
from lib.state.match_history import MatchedRows, MatchHistory
from tests.fakes import MemoryStore


def files(*rows: tuple[int, int]) -> list[MatchedRows]:
    return [MatchedRows(f"file-{n}", *each) for n, each in enumerate(rows)]


@pytest.mark.parametrize(
    "matchable, matched, recent, code",
    [
        (500, 5, [], "NEARLY_NO_MATCHES"),
        (500, 6, [], None),
        (499, 0, [], None),
        (5_000, 0, [(1_000, 400)] * 3, "NEARLY_NO_MATCHES"),
        (100, 19, [(100, 40)] * 3, "FEWER_MATCHES"),
        (100, 20, [(100, 40)] * 3, None),
        (100, 0, [(100, 40)] * 2, None),  # too few files
        (40, 0, [(100, 40)] * 3, None),  # 16 rows expected: it may be chance
        (100, 90, [(100, 40)] * 3, None),
        (100, 0, [(100, 0)] * 3, None),  # as always
    ],
)
def test_few_matches(
    matchable: int, matched: int, recent: list[tuple[int, int]], code: str | None
) -> None:
    """Nearly none of many rows, or far fewer than in recent files, get a note with both numbers."""
    note = note_on_matches(MatchedRows("this", matchable, matched), files(*recent))
    assert (note and note.code) == code
    assert note is None or f"{matched} of {matchable} rows" in note.detail


def test_a_file_is_not_compared_with_itself() -> None:
    """A sweep that crashed after recording the file comes to the same result again."""
    recent = files((100, 40), (100, 40), (100, 40))
    this = MatchedRows("this", 100, 10)
    assert note_on_matches(this, [*recent, this]) == note_on_matches(this, recent) is not None


def test_the_history_keeps_the_last_ten_files_of_each_profile() -> None:
    """Profiles do not mix, a file is recorded once, and the oldest one is forgotten."""
    history = MatchHistory(Documents(MemoryStore(), "bucket", "_state/", 1))
    for each in files(*((n, 0) for n in range(1, 13))):
        history.add("shop", each)
    history.add("shop", MatchedRows("file-11", 99, 9))
    history.add("other", MatchedRows("file-0", 1, 1))
    found = history.recent("shop")
    assert [each.run_key for each in found] == [f"file-{n}" for n in range(2, 12)]
    assert found[-1].matchable == 99
    assert len(history.recent("other")) == 1
    assert history.recent("never seen") == []
