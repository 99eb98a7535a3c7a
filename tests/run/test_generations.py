"""Two generations of one upload: one sends the rows, the other one ends without an alert."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from lib.errors import LeaseHeld, NothingDone, PermanentError
from lib.followup.sweep import sweep_once
from lib.model.outcomes import Problem
from lib.run.chunks import CHUNK_ROWS
from lib.run.deliver import process_arrival
from lib.state.output import results_name
from lib.state.store import ContentDigest, StoredObject
from tests.fakes import START, World, world
from tests.rows import core_row, csv_bytes

NAME = "export.csv"
MINUTE = 60


def content(first: int, last: int, **cells: str) -> bytes:
    time = (START - timedelta(days=2)).strftime("%Y-%m-%d %H:%M:%S+00:00")
    rows = [core_row(n, conversion_date_time=time, **cells) for n in range(first, last + 1)]
    return csv_bytes(rows)


THREE = content(1, 3)


def put(google: World, data: bytes = THREE) -> StoredObject:
    return google.store.put("in-bucket", NAME, data)


def deliver(google: World, source: StoredObject) -> str:
    return process_arrival(source, google.clock.utc(), google.context)


def document(google: World, source: StoredObject) -> dict[str, Any]:
    name = f"{source.name}.{source.generation}.results.json"
    found: dict[str, Any] = json.loads(google.store.objects["out-bucket", name][0])
    return found


def alerts(output: str) -> list[str]:
    lines = [json.loads(line) for line in output.splitlines()]
    return [line["event"] for line in lines if line["severity"] == "ERROR"]


@pytest.fixture(params=["versioned", "not versioned"])
def google(request: pytest.FixtureRequest) -> World:
    """A world whose input bucket keeps replaced versions, and one whose bucket does not."""
    found = world()
    found.store.versioned = request.param == "versioned"
    return found


@pytest.fixture
def unversioned() -> World:
    return world()


# ── the newer generation ─────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("seconds", [0, 1, 10 * MINUTE])
def test_the_copy_of_a_sent_file_is_not_sent(
    google: World, seconds: float, capsys: pytest.CaptureFixture[str]
) -> None:
    """A copy that a gateway makes within 10 minutes ends as `same_as`, without an alert."""
    first = put(google)
    deliver(google, first)
    google.clock.seconds += seconds
    second = put(google)
    assert deliver(google, second) == "same_as"
    assert deliver(google, second) == "skipped"
    found = document(google, second)
    assert found["other_generation"] == str(first.generation)
    assert (found["status"], found["counts"]["rows"], found["file_error"]) == ("same_as", 0, None)
    assert [note["code"] for note in found["notes"]] == ["SAME_AS"]
    assert google.api.batches == 1
    assert alerts(capsys.readouterr().out) == []


def test_the_third_copy_names_the_run_that_sent_the_rows(google: World) -> None:
    """A copy of a copy refers to the generation whose document has the rows."""
    first = put(google)
    deliver(google, first)
    deliver(google, put(google))
    third = put(google)
    assert deliver(google, third) == "same_as"
    assert document(google, third)["other_generation"] == str(first.generation)


def late(google: World) -> bytes:
    google.clock.seconds += 10 * MINUTE + 1
    return THREE


def an_hour_later(google: World) -> bytes:
    google.clock.seconds += 60 * MINUTE
    return THREE


def other_content(google: World) -> bytes:
    return THREE.replace(b"order-1", b"order-9")


def other_profile(google: World) -> bytes:
    google.profiles["default"]["currency_code"] = "EUR"
    return THREE


def other_settings(google: World) -> bytes:
    google.settings = google.settings.model_copy(update={"list_all_rows": True})
    return THREE


@pytest.mark.parametrize(
    "change", [late, an_hour_later, other_content, other_profile, other_settings]
)
def test_another_upload_runs(google: World, change: Callable[[World], bytes]) -> None:
    """A newer generation runs if it came later, or if content, profile or settings differ."""
    deliver(google, put(google))
    second = put(google, change(google))
    assert deliver(google, second) == "completed"
    assert google.api.batches == 2


def stopped(google: World) -> None:
    google.api.preflight = PermanentError("CUSTOMER_NOT_FOUND")


def refused(google: World) -> None:
    google.api.stop = Problem("USER_PERMISSION_DENIED")


def failed(google: World) -> None:
    google.api.too_old = {"order-2"}


def deferred(google: World) -> None:
    google.api.too_recent = {"order-2"}


def validated(google: World) -> None:
    google.profiles["default"]["validate_only"] = True


@pytest.mark.parametrize(
    "broken, status",
    [
        (stopped, "stopped"),
        (refused, "stopped"),
        (failed, "completed"),
        (deferred, "waiting"),
        (validated, "completed"),
    ],
)
def test_a_file_that_is_uploaded_again_after_a_correction_runs(
    google: World, broken: Callable[[World], None], status: str
) -> None:
    """If the rows of the earlier run did not count, the newer generation is sent."""
    broken(google)
    assert deliver(google, put(google)) == status
    google.api.preflight = google.api.stop = None
    google.api.too_recent = google.api.too_old = set()
    google.profiles["default"].pop("validate_only", None)
    second = put(google)
    assert deliver(google, second) == "completed"
    counts = document(google, second)["counts"]
    assert counts["uploaded"] + counts["duplicate"] == 3
    assert sorted(google.api.counted) == ["order-1", "order-2", "order-3"]


def test_a_rejected_row_lets_the_newer_generation_run(google: World) -> None:
    """A file with a rejected row is sent again, because its rules may have been corrected."""
    bad = content(1, 3) + content(4, 4, conversion_value="much").split(b"\n", 1)[1]
    deliver(google, put(google, bad))
    second = put(google, bad)
    assert deliver(google, second) == "completed"
    assert document(google, second)["counts"]["duplicate"] == 3


def test_the_newer_generation_waits_for_the_run_of_the_earlier_one(google: World) -> None:
    """While the earlier run works, the delivery of the copy is retried and claims nothing."""
    first = put(google)
    held: list[StoredObject] = []

    def copied(number: int) -> None:
        second = put(google)
        held.append(second)
        with pytest.raises(LeaseHeld, match=f"generation {first.generation}"):
            deliver(google, second)

    google.api.before = copied
    assert deliver(google, first) == "completed"
    assert deliver(google, held[0]) == "same_as"
    assert google.api.batches == 1


def test_the_newer_generation_waits_until_the_end_of_the_earlier_one_is_recorded(
    google: World,
) -> None:
    """Between the results and the end of the claim, nobody knows yet whether all rows count."""
    first = put(google)
    held: list[StoredObject] = []

    def copied(operation: str, name: str) -> None:
        is_last = operation == "write" and name.startswith("_state/claims/")
        if is_last and ("out-bucket", results_name(NAME, first.generation)) in google.store.objects:
            google.store.before = lambda operation, name: None
            held.append(put(google))
            with pytest.raises(LeaseHeld, match=f"generation {first.generation}"):
                deliver(google, held[0])

    google.store.before = copied
    assert deliver(google, first) == "completed"
    assert deliver(google, held[0]) == "same_as"
    assert google.api.batches == 1


def dies(number: int) -> None:
    raise KeyboardInterrupt


def test_the_newer_generation_runs_if_the_earlier_run_has_crashed(google: World) -> None:
    """It waits only for the lease; when both runs send, Google counts every row once."""
    first = put(google)
    google.api.after = dies
    with pytest.raises(KeyboardInterrupt):
        deliver(google, first)
    google.api.after = lambda number: None
    second = put(google)
    with pytest.raises(LeaseHeld):
        deliver(google, second)
    google.clock.seconds += 61
    assert deliver(google, second) == "completed"
    assert deliver(google, first) == ("completed" if google.store.versioned else "superseded")
    assert sorted(google.api.counted) == ["order-1", "order-2", "order-3"]


def test_a_crash_after_the_decision_does_not_change_it(google: World) -> None:
    """The claim records `same_as`, so a later attempt ends in the same way."""
    deliver(google, put(google))
    second = put(google)

    def die(operation: str, name: str) -> None:
        if operation == "write" and name.endswith(".results.json"):
            raise KeyboardInterrupt

    google.store.before = die
    with pytest.raises(KeyboardInterrupt):
        deliver(google, second)
    google.store.before = lambda operation, name: None
    google.clock.seconds += 61
    assert deliver(google, second) == "same_as"
    assert google.api.batches == 1


def test_a_run_that_has_begun_is_finished(google: World) -> None:
    """A run that began before the other one ended continues to the end."""
    first, second = put(google), put(google)
    google.api.after = dies
    with pytest.raises(KeyboardInterrupt):
        deliver(google, second)
    google.api.after = lambda number: None
    google.clock.seconds += 61
    assert deliver(google, first) == ("completed" if google.store.versioned else "superseded")
    assert deliver(google, second) == "completed"
    assert len(google.api.counted) == 3


def test_events_in_another_order(google: World) -> None:
    """If the newer generation was sent first, the older one is not sent again."""
    google.store.versioned = True
    first, second = put(google), put(google)
    assert [deliver(google, second), deliver(google, first)] == ["completed", "same_as"]
    assert document(google, first)["other_generation"] == str(second.generation)
    assert google.api.batches == 1


def test_a_run_that_was_not_claimed(google: World) -> None:
    """A delivery that dies before its claim leaves nothing that the next one waits for."""
    google.store.versioned = True
    first = put(google)

    def die(operation: str, name: str) -> None:
        if operation == "write" and "/claims/" in name:
            raise KeyboardInterrupt

    google.store.before = die
    with pytest.raises(KeyboardInterrupt):
        deliver(google, first)
    google.store.before = lambda operation, name: None
    assert deliver(google, put(google)) == "completed"
    assert deliver(google, first) == "same_as"
    assert google.api.batches == 1


def claims(google: World) -> list[str]:
    return [name for name in google.store.names("out-bucket") if "/claims/" in name]


def test_a_name_that_is_used_every_night_has_one_claim(google: World) -> None:
    """The claim of a run that is over is replaced, and no delivery of it is processed again."""
    first = put(google)
    deliver(google, first)
    for night in range(1, 4):
        google.clock.seconds += 24 * 3600
        newest = put(google, content(10 * night, 10 * night + 2))
        google.store.calls.clear()
        assert deliver(google, newest) == "completed"
        # A refused claim, two reads and a look for results more than for a new name.
        assert len(google.store.calls) == 10
        assert len(claims(google)) == 1
    google.clock.seconds += 60
    assert [deliver(google, each) for each in (first, newest)] == ["skipped", "skipped"]
    assert google.api.batches == 4


def test_a_claim_is_kept_while_its_run_is_not_over(google: World) -> None:
    """A newer generation claims another place, and each run is finished by its own claim."""
    google.store.versioned = True
    first = put(google)
    google.api.after = dies
    with pytest.raises(KeyboardInterrupt):
        deliver(google, first)
    google.api.after = lambda number: None
    google.clock.seconds += 24 * 3600
    second = put(google, content(4, 6))
    assert deliver(google, second) == "completed"
    assert len(claims(google)) == 2
    sweep_once(google.context, 1500)
    assert document(google, first)["status"] == "completed"
    assert sorted(google.api.counted) == [f"order-{n}" for n in range(1, 7)]


def test_an_old_event_whose_object_seems_to_be_newer(unversioned: World) -> None:
    """A time of creation that is too late does not hide that another generation has the place."""
    first = put(unversioned)
    deliver(unversioned, first)
    unversioned.clock.seconds += 24 * 60 * MINUTE
    deliver(unversioned, put(unversioned, content(11, 13)))
    unversioned.clock.seconds += 60 * MINUTE
    changed = unversioned.clock.utc()
    assert deliver(unversioned, replace(first, created=changed, updated=changed)) == "skipped"
    assert unversioned.api.batches == 2


def test_an_older_generation_that_was_frozen_before_its_claim(google: World) -> None:
    """Its claim has an old time, and replaces that of a newer run, which is not sent again."""
    deliver(google, put(google))
    google.clock.seconds += 60 * MINUTE
    second = put(google, content(4, 6))
    third: list[StoredObject] = []

    def freeze(operation: str, name: str) -> None:
        if operation == "write" and "/claims/" in name and not third:
            google.clock.seconds += 60 * MINUTE
            third.append(put(google, content(7, 9)))
            assert deliver(google, third[0]) == "completed"

    google.store.before = freeze
    with pytest.raises(NothingDone):
        deliver(google, second)
    sent = google.api.batches
    google.clock.seconds += 2 * MINUTE
    assert deliver(google, third[0]) == "skipped"
    assert google.api.batches == sent


def test_a_follow_up_whose_claim_was_replaced(google: World) -> None:
    """It gets a claim of its own: deferred rows are sent, whatever was uploaded meanwhile."""
    google.store.versioned = True
    google.api.too_recent = {"order-2"}
    first = put(google)
    assert deliver(google, first) == "waiting"
    google.api.too_recent = set()
    google.clock.seconds += 24 * 3600
    assert deliver(google, put(google, content(4, 6))) == "completed"
    assert len(claims(google)) == 1
    sweep_once(google.context, 1500)
    assert document(google, first)["counts"]["uploaded"] == 3
    assert document(google, first)["status"] == "completed"
    assert sorted(google.api.counted) == [f"order-{n}" for n in range(1, 7)]
    sweep_once(google.context, 1500)
    assert deliver(google, first) == "skipped"


@pytest.mark.parametrize("place", [0, 1])
def test_two_generations_that_claim_at_the_same_time(google: World, place: int) -> None:
    """The one whose compare-and-swap fails reads the claims again, and waits for the other."""
    deliver(google, put(google, content(7, 9)))
    google.clock.seconds += 24 * 3600
    google.store.versioned = True
    first = put(google)
    second: list[StoredObject] = []

    def meanwhile(operation: str, name: str) -> None:
        if operation == "read" and name.endswith(f"/{place}.json") and not second:
            second.append(put(google))
            google.api.after = dies
            with pytest.raises(KeyboardInterrupt):
                deliver(google, second[0])
            google.api.after = lambda number: None

    google.store.before = meanwhile
    with pytest.raises(LeaseHeld, match="of the same upload"):
        deliver(google, first)
    google.clock.seconds += 61
    assert deliver(google, second[0]) == "completed"
    assert deliver(google, first) == "same_as"


def test_content_is_compared_as_storage_reports_it(google: World) -> None:
    """An event with the checksum of other content, or with none, decides nothing."""
    first = put(google)
    deliver(google, replace(first, md5="", crc32c=""))
    other = replace(put(google, other_content(google)), md5=first.md5)
    assert deliver(google, other) == "completed"
    deliver(google, other)
    assert deliver(google, replace(put(google, other_content(google)), md5="")) == "same_as"
    assert google.api.batches == 2


@pytest.mark.parametrize(
    "one, other, same",
    [
        (ContentDigest(3, "a", "b"), ContentDigest(3, "a", "b"), True),
        (ContentDigest(3, "", "b"), ContentDigest(3, "a", "b"), True),
        (ContentDigest(3, "a", ""), ContentDigest(3, "a", "b"), True),
        (ContentDigest(3, "a", "b"), ContentDigest(4, "a", "b"), False),
        (ContentDigest(3, "a", "b"), ContentDigest(3, "a", "c"), False),
        (ContentDigest(3, "a", "b"), ContentDigest(3, "c", "b"), False),
        (ContentDigest(3, "a", ""), ContentDigest(3, "", "b"), False),
        (ContentDigest(3, "", ""), ContentDigest(3, "", ""), False),
    ],
)
def test_equal_content(one: ContentDigest, other: ContentDigest, same: bool) -> None:
    """Size and every checksum that both sides have must agree, and there must be one."""
    assert one.equals(other) is other.equals(one) is same


# ── the older generation ─────────────────────────────────────────────────────────────────────────


def test_a_replaced_generation_that_can_be_read_is_a_file_of_its_own(
    google: World, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two different files of one name both count if the bucket keeps the first one."""
    google.store.versioned = True
    first, second = put(google), put(google, content(4, 5))
    assert [deliver(google, first), deliver(google, second)] == ["completed", "completed"]
    assert len(google.api.counted) == 5
    assert alerts(capsys.readouterr().out) == []


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_a_replaced_generation_that_is_gone_is_superseded(
    unversioned: World, order: tuple[int, int], capsys: pytest.CaptureFixture[str]
) -> None:
    """Whichever event comes first: one document has the rows, the other one names it."""
    google = unversioned
    both = put(google), put(google)
    statuses = {number: deliver(google, both[number]) for number in order}
    assert statuses == {0: "superseded", 1: "completed"}
    found = document(google, both[0])
    assert found["other_generation"] == str(both[1].generation)
    assert (found["counts"]["rows"], found["file_error"]) == (0, None)
    assert [note["code"] for note in found["notes"]] == ["SUPERSEDED"]
    assert document(google, both[1])["counts"]["uploaded"] == 3
    assert alerts(capsys.readouterr().out) == []


def test_a_generation_that_is_replaced_between_its_first_bytes_and_its_claim(
    unversioned: World,
) -> None:
    """Its content is here, but the newer generation has sent it: nothing is sent again."""
    google = unversioned
    first = put(google)
    second: list[StoredObject] = []

    def replace_it(operation: str, name: str) -> None:
        if operation == "write" and "/claims/" in name and not second:
            second.append(put(google))
            assert deliver(google, second[0]) == "completed"

    google.store.before = replace_it
    assert deliver(google, first) == "same_as"
    assert document(google, first)["other_generation"] == str(second[0].generation)
    assert google.api.batches == 1


@pytest.mark.parametrize("change", [late, other_content])
def test_a_replacement_that_is_another_file_is_reported(
    unversioned: World,
    change: Callable[[World], bytes],
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Rows that are lost cause an alert: the replacement came later, or has other content."""
    google = unversioned
    first = put(google)
    put(google, change(google))
    assert deliver(google, first) == "stopped"
    assert document(google, first)["file_error"]["code"] == "SOURCE_GONE"
    assert alerts(capsys.readouterr().out) == ["run_stopped"]


def test_an_empty_object_that_was_replaced(
    google: World, capsys: pytest.CaptureFixture[str]
) -> None:
    """A gateway that creates an empty object before it writes the file causes no alert."""
    first, second = put(google, b""), put(google)
    assert [deliver(google, first), deliver(google, second)] == ["superseded", "completed"]
    assert alerts(capsys.readouterr().out) == []


@pytest.mark.parametrize("unknown", [{"size": 0, "md5": ""}, {"created": None}])
def test_a_lost_generation_of_which_too_little_is_known(
    unversioned: World, unknown: dict[str, Any]
) -> None:
    """An event without checksum or time of creation is no proof that nothing was lost."""
    first = put(unversioned)
    put(unversioned)
    assert deliver(unversioned, replace(first, **unknown)) == "stopped"


def test_a_generation_that_is_replaced_while_it_is_sent(
    unversioned: World, capsys: pytest.CaptureFixture[str]
) -> None:
    """The rows that were sent are reported, and the newer generation sends all of them again."""
    google = unversioned
    data = content(1, CHUNK_ROWS + 2)
    first = put(google, data)
    google.api.before = lambda number: dies(number) if number > 1 else None
    with pytest.raises(KeyboardInterrupt):
        deliver(google, first)
    google.api.before = lambda number: None
    second = put(google, data)
    with pytest.raises(LeaseHeld):
        deliver(google, second)
    google.clock.seconds += 61
    assert deliver(google, first) == "superseded"
    assert document(google, first)["counts"]["uploaded"] == CHUNK_ROWS
    assert deliver(google, second) == "completed"
    counts = document(google, second)["counts"]
    assert (counts["duplicate"], counts["uploaded"]) == (CHUNK_ROWS, 2)
    assert len(google.api.counted) == len(set(google.api.counted)) == CHUNK_ROWS + 2
    assert alerts(capsys.readouterr().out) == []


# ── the sweep ────────────────────────────────────────────────────────────────────────────────────


def test_the_sweep_decides_as_an_event_does(google: World) -> None:
    """Without events, the copy is `same_as`, and a later copy runs."""
    deliver(google, put(google))
    second = put(google)
    sweep_once(google.context, 1500)
    assert document(google, second)["status"] == "same_as"
    google.clock.seconds += 60 * MINUTE
    third = put(google)
    sweep_once(google.context, 1500)
    assert document(google, third)["status"] == "completed"


def test_deferred_rows_of_a_generation_that_is_gone(
    unversioned: World, capsys: pytest.CaptureFixture[str]
) -> None:
    """When the deferred rows are due, they are left to the newer generation, without an alert."""
    google = unversioned
    google.api.too_recent = {"order-2"}
    first = put(google)
    assert deliver(google, first) == "waiting"
    second = put(google)
    assert deliver(google, second) == "waiting"
    google.api.too_recent = set()
    google.clock.seconds += 7 * 60 * MINUTE
    sweep_once(google.context, 1500)
    found = document(google, first)
    assert (found["status"], found["other_generation"]) == ("superseded", str(second.generation))
    assert [(row["line"], row["outcome"]) for row in found["rows"]] == [(3, "not_attempted")]
    assert document(google, second)["status"] == "completed"
    assert sorted(google.api.counted) == ["order-1", "order-2", "order-3"]
    assert alerts(capsys.readouterr().out) == []


@pytest.mark.parametrize("withdrawn", [False, True])
def test_the_sweep_finds_replaced_versions(google: World, withdrawn: bool) -> None:
    """If its event is lost, a version that can be read is sent, unless the file was deleted."""
    google.store.versioned = True
    first, second = put(google), put(google, content(4, 5))
    if withdrawn:
        google.store.delete("in-bucket", NAME)
    sweep_once(google.context, 1500)
    assert len(google.api.counted) == (0 if withdrawn else 5)
    if not withdrawn:
        assert document(google, first)["status"] == "completed"
        assert document(google, second)["status"] == "completed"
