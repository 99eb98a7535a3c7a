"""When an object arrived: what an event says about it counts only within what storage knows."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from lib.errors import RetryableError
from lib.run.deliver import process_arrival
from lib.state.store import StoredObject
from tests.fakes import START, World, world
from tests.run.test_deliver import document, put

HOUR = timedelta(hours=1)
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
FAR_AHEAD = datetime(2090, 1, 1, tzinfo=UTC)


@pytest.fixture
def google() -> World:
    return world()


@pytest.mark.parametrize("time", [None, LONG_AGO, START - 30 * HOUR, START, FAR_AHEAD])
def test_a_new_file_is_sent_whatever_the_event_says(google: World, time: datetime | None) -> None:
    """The object was just created, so no time of an event makes it too old."""
    source = put(google, 2)
    assert process_arrival(source, time, google.context) == "completed"


@pytest.mark.parametrize("time", [None, LONG_AGO, START])
def test_an_old_file_is_too_old_without_a_time_too(google: World, time: datetime | None) -> None:
    """An event without a readable time is as old as its object, at each delivery."""
    source = put(google, 2)
    google.clock.seconds += 21 * 3600
    assert process_arrival(source, time, google.context) == "stopped"
    assert document(google, source)["file_error"]["code"] == "STALE"


def test_a_file_that_was_moved_into_place_later_keeps_its_time(google: World) -> None:
    """A time between the creation of the object and now counts: it is that of the event."""
    source = put(google, 2)
    google.clock.seconds += 21 * 3600
    assert process_arrival(source, START + 20 * HOUR, google.context) == "completed"


@pytest.mark.parametrize("off", [-21 * HOUR, 21 * HOUR])
@pytest.mark.parametrize("time", [None, START])
def test_the_clock_of_a_new_instance_does_not_count(
    google: World, off: timedelta, time: datetime | None
) -> None:
    """The time is read after the first answer of storage, which tells it."""
    source = put(google, 2)
    context = google.context

    def utc_now() -> datetime:
        return google.clock.utc() + (timedelta(0) if google.store.calls else off)

    assert process_arrival(source, time, replace(context, utc_now=utc_now)) == "completed"


@pytest.mark.parametrize("time", [None, LONG_AGO, FAR_AHEAD])
def test_an_object_that_is_gone_has_the_time_of_its_event(
    google: World, time: datetime | None
) -> None:
    """Nothing else is known of it, and the file ends with results."""
    source = put(google, 2)
    google.store.objects.clear()
    assert process_arrival(source, time, google.context) == "stopped"
    assert document(google, source)["file_error"]["code"] in ("SOURCE_GONE", "STALE")


@pytest.mark.parametrize("time", [None, FAR_AHEAD, START])
@pytest.mark.parametrize("known", ["created", "updated"])
def test_storage_that_is_down_raises_the_alert_whatever_the_event_says(
    google: World, time: datetime | None, known: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The earliest time of the event decides whether the file is late."""
    stored = put(google, 2)
    source = StoredObject(stored.bucket, stored.name, stored.generation, stored.size)
    source = replace(source, **{known: stored.created})

    def down(operation: str, name: str) -> None:
        raise RetryableError("STORAGE_UNAVAILABLE", "ServiceUnavailable")

    google.store.before = down
    google.clock.seconds += 700
    with pytest.raises(RetryableError):
        process_arrival(source, time, google.context)
    events = [json.loads(line)["event"] for line in capsys.readouterr().out.splitlines()]
    assert "run_late" in events
