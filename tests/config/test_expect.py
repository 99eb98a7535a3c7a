"""When a file is due, as a profile says it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from lib.config.expect import parse_expect

MONDAY = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "after", "by"),
    [
        ("every day by 06:30 UTC", "2026-11-22 06:30", "2026-11-23 06:30"),
        ("Every  weekday by 6:30 UTC", "2026-11-20 06:30", "2026-11-23 06:30"),
        ("every weekday by 06:30 America/New_York", "2026-11-19 11:30", "2026-11-20 11:30"),
        ("every mon, thu by 09:00 UTC", "2026-11-19 09:00", "2026-11-23 09:00"),
        ("every Monday, thu by 09:00 UTC", "2026-11-19 09:00", "2026-11-23 09:00"),
        ("every 3 hours", "2026-11-23 06:00", "2026-11-23 09:00"),
    ],
)
def test_the_latest_due_time(text: str, after: str, by: str) -> None:
    """The latest due time is not after now, and the one before it is returned too."""
    expectation = parse_expect(text)
    assert expectation is not None
    due = expectation.latest_due(MONDAY)
    assert [f"{each.astimezone(UTC):%Y-%m-%d %H:%M}" for each in due] == [after, by]


def test_any_time_is_never_due() -> None:
    """A profile whose files come at any time misses none."""
    assert parse_expect("Any time") is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("never", "not understood. Write"),
        ("every weekday by 06:30", "not understood. Write"),
        ("every mon, fry by 06:30 UTC", "not understood. Write"),
        ("every weekday by 25:00 UTC", "25:00 is not a time. Write one such as 06:30."),
        ("every weekday by 06:30 Berlin", "Berlin is not an IANA time zone."),
        ("every 0 hours", 'not 1 to 168 hours. Write "every 3 hours"'),
    ],
)
def test_what_is_not_understood_is_told(text: str, message: str) -> None:
    """A text of another form says what to write."""
    with pytest.raises(ValueError, match="not") as caught:
        parse_expect(text)
    assert message in str(caught.value)
