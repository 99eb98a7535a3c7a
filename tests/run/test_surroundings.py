"""What surrounds a run: a disk that cannot be written, and what other versions have saved."""

from __future__ import annotations

import builtins
import errno
import io
import json
import os
from collections.abc import Sequence
from typing import Any

import pytest

from lib.errors import RetryableError
from lib.model.sent_requests import RequestStatus
from tests.fakes import World, deliver, deliver_again, results, sales, saved, sweep, world
from tests.run.test_named_histories import HOUR, OUT, outcomes
from tests.workbooks import workbook


def change_saved_profile(google: World, **changes: object) -> None:
    """Change the profile in the saved run, as another version would have written it."""
    name = f"_state/runs/{saved(google).key}.json"
    content, generation = google.store.objects[OUT, name]
    found = json.loads(content)
    found["profile"] |= changes
    google.store.objects[OUT, name] = json.dumps(found).encode(), generation


@pytest.mark.parametrize("number", [errno.EROFS, errno.ENOSPC])
def test_a_disk_that_cannot_be_written_does_not_matter(
    number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run writes no file, so a full or read-only disk stops nothing."""

    def checked(opens: Any, is_writing: Any) -> Any:
        def open_file(path: Any, *given: Any, **named: Any) -> Any:
            if is_writing(*given, **named):
                raise OSError(number, os.strerror(number))
            return opens(path, *given, **named)

        return open_file

    def mode_writes(mode: str = "r", *rest: Any, **named: Any) -> bool:
        return not set(mode).isdisjoint("wax+")

    def flags_write(flags: int, *rest: Any, **named: Any) -> bool:
        return bool(flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))

    google = world()
    google.profiles["default"] |= {"action": "1001", "value": "action_default"}
    content = workbook([["gclid", "conversion_date_time"], ["Cj0KCQiAexample0001", "2026-11-20"]])
    monkeypatch.setattr(builtins, "open", checked(builtins.open, mode_writes))
    monkeypatch.setattr(io, "open", checked(io.open, mode_writes))
    monkeypatch.setattr(os, "open", checked(os.open, flags_write))
    assert deliver(google, "a.csv", sales("a")) == "completed"
    assert deliver(google, "b.xlsx", content) == "completed"


def test_a_run_of_another_version_is_finished() -> None:
    """If its documents have the same format, values that are unknown here are ignored."""
    google = world()
    google.api.too_recent = {"b"}
    deliver(google, "daily.csv", sales("a", "b"))
    for (bucket, name), (content, generation) in [*google.store.objects.items()]:
        if bucket == OUT and name.startswith("_state/"):
            found = json.loads(content) | {"of_another_version": [1]}
            google.store.objects[bucket, name] = json.dumps(found).encode(), generation
    google.api.too_recent = set()
    google.clock.seconds += 7 * HOUR
    deliver_again(google, "daily.csv")
    assert outcomes(google) == {"uploaded": 2}
    assert google.api.counted == ["a", "b"]


def test_sent_rows_of_a_profile_that_this_version_cannot_read() -> None:
    """They stay uploaded, the file is not stopped, and after a week nobody waits for an answer."""
    google = world()
    google.use_destination("data_manager")
    deliver(google, "daily.csv", sales("a"))
    assert saved(google).state == "waiting"
    change_saved_profile(google, value={})
    for _ in range(60):
        google.clock.seconds += 24 * HOUR
        sweep(google)
    assert saved(google).state == "done"
    assert outcomes(google) == {"uploaded": 1, "unknown": 1}
    assert results(google)["processing"]["requests"][0]["code"] == "STATUS_UNKNOWN"
    assert "STATUS_UNKNOWN" in {note["code"] for note in results(google)["notes"]}
    assert results(google)["file_error"] is None


def test_one_conversion_action_of_a_request_never_answers() -> None:
    """After a week, what the other one has said still counts."""
    google = world()
    google.use_destination("data_manager")
    refused = {"PROCESSING_ERROR_REASON_NO_CONSENT": 1}

    def statuses(request_ids: Sequence[str]) -> list[RequestStatus]:
        return [
            status
            for each in request_ids
            for status in (
                RequestStatus(each, "PARTIAL_SUCCESS", "1001", 2, refused),
                RequestStatus(each, "PROCESSING", "1002", 1),
            )
        ]

    google.api.statuses = statuses
    deliver(google, "daily.csv", sales("a", "b", "c"))
    for _ in range(9):
        google.clock.seconds += 24 * HOUR
        sweep(google)
    assert outcomes(google) == {"uploaded": 3, "unknown": 2}
    assert results(google)["unnamed"] == refused
    told = results(google)["processing"]["requests"]
    assert [each.get("code", "") for each in told] == ["", "STATUS_UNKNOWN"]


def test_a_saved_profile_that_this_version_cannot_read() -> None:
    """It stops the file, and says what to do: its rows must not be read in another way."""
    google = world()
    google.api.preflight = RetryableError("API_UNAVAILABLE")
    with pytest.raises(RetryableError):
        deliver(google, "daily.csv", sales("a"))
    change_saved_profile(google, destination="of_another_version")
    google.api.preflight = None
    google.clock.seconds += HOUR
    deliver_again(google, "daily.csv")
    assert outcomes(google) == {"not_attempted": 1}
    assert results(google)["file_error"]["code"] == "INVALID_PROFILE"
    assert results(google)["file_error"]["detail"].endswith("upload the file again")
