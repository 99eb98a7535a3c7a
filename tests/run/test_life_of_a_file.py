"""Histories of a file: what the object itself says, what a run says of it in listings, and why it
was stopped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from lib.errors import LeaseLost, RetryableError
from lib.model.fields import RecordKind
from lib.model.outcomes import Problem
from lib.model.records import Record
from lib.rules.values.currencies import CURRENCIES
from lib.run.deliver import deliver as deliver_object
from lib.state.store import OpenedObject, Readable, StoredObject
from tests.fakes import (
    SOLD_AT,
    START,
    Clock,
    Dies,
    FakeApi,
    FakeRequest,
    MemoryStore,
    World,
    deliver,
    fails,
    logged,
    passes,
    results,
    sales,
    saved,
    sweep,
    world,
)
from tests.histories.files import sales as sales_rows
from tests.histories.history import DEADLY, SENDING, UNWRITABLE, Step
from tests.histories.playing import played
from tests.histories.told import files_told
from tests.rows import CORE_COLUMNS, core_row, csv_bytes

IN, OUT = "in-bucket", "out-bucket"
HOUR, DAY = 3600, 24 * 3600


def stopped_files(capsys: pytest.CaptureFixture[str]) -> str:
    """Return what was told of stopped files since the last call."""
    problems = logged(capsys, "open_problem")
    return " ".join(line["detail"] for line in problems if line["kind"] == "file_stopped")


@pytest.fixture
def google() -> World:
    return world()


# ── what a listing shows: 8 KiB of metadata, in bytes ────────────────────────────────────────────


def test_a_column_is_missing_among_230_with_japanese_names(
    google: World, capsys: pytest.CaptureFixture[str]
) -> None:
    """COLUMN_MISSING is in the results, and somebody is told."""
    columns = [f"{name} コンバージョン計測" for name in CORE_COLUMNS]
    others = [f"顧客管理システムの任意項目その{number}" for number in range(230)]
    google.profiles["default"]["columns"] = dict(zip(CORE_COLUMNS, columns, strict=True))
    google.profiles["default"]["columns"]["order_id"] = "注文番号"
    deliver(google, "daily.csv", ",".join([*columns, *others]).encode() + b"\n")
    assert results(google)["file_error"]["code"] == "COLUMN_MISSING"
    capsys.readouterr()
    sweep(google)
    assert "daily.csv" in stopped_files(capsys)


def test_an_unknown_folder_among_400_profiles(
    google: World, capsys: pytest.CaptureFixture[str]
) -> None:
    """UNKNOWN_PROFILE is in the results, and somebody is told."""
    for number in range(400):
        google.profiles[f"店舗別プロファイル{number}"] = google.profiles["default"]
    deliver(google, "nobody/daily.csv", sales("a"))
    assert results(google, "nobody/daily.csv")["file_error"]["code"] == "UNKNOWN_PROFILE"
    capsys.readouterr()
    sweep(google)
    assert "nobody/daily.csv" in stopped_files(capsys)


def test_sums_in_every_currency(google: World) -> None:
    """A run with as many sums of money is saved, and its results have all of them."""
    currencies = sorted(CURRENCIES)
    google.api.too_old = {f"failed-{each}" for each in currencies}
    google.api.too_recent = {f"deferred-{each}" for each in currencies}
    rows = [
        core_row(
            number,
            order_id=f"{kind}-{currency}",
            conversion_date_time=SOLD_AT,
            conversion_value="1234567.89",
            currency_code=currency,
        )
        for kind in ("sold", "failed", "deferred")
        for number, currency in enumerate(currencies)
    ]
    deliver(google, "daily.csv", csv_bytes(rows))
    money = results(google)["money"]
    for outcome in ("uploaded", "failed", "deferred"):
        assert {*money[outcome]["sums"]} == CURRENCIES


# ── what the object itself says ──────────────────────────────────────────────────────────────────


def test_an_event_is_not_believed_about_size_and_checksum(google: World) -> None:
    """It says those of Tuesday's file, but what Monday's is, its bytes say: both are sent."""
    google.store.versioned = True
    tuesday = google.store.put(IN, "another.csv", sales("tuesday"))
    monday = google.store.put(IN, "daily.csv", sales("monday"))
    google.api.before = fails(RetryableError("API_UNAVAILABLE"))
    with pytest.raises(RetryableError):
        deliver_object(replace(monday, size=tuesday.size, md5=tuesday.md5), google.context)
    google.api.before = passes
    google.clock.seconds += 3600
    deliver(google, "daily.csv", sales("tuesday"))
    sweep(google)
    assert sorted({*google.api.counted}) == ["monday", "tuesday"]


def test_a_forged_event_cannot_keep_a_new_file_back(google: World) -> None:
    """It says that the file came a month ago, but the object itself says when it came."""
    source = google.store.put(IN, "daily.csv", sales("a"))
    deliver_object(replace(source, created=START - timedelta(days=30)), google.context)
    assert google.api.counted == ["a"]


def test_an_old_object_whose_event_comes_now(
    google: World, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is not sent after a week, and somebody is told for a week from now on."""
    source = google.store.put(IN, "daily.csv", sales("a"))
    google.clock.seconds += 30 * DAY
    deliver_object(source, google.context)
    assert not google.api.counted
    assert results(google)["file_error"]["code"] == "STALE"
    google.clock.seconds += DAY
    capsys.readouterr()
    sweep(google)
    assert "daily.csv" in stopped_files(capsys)
    google.clock.seconds += 7 * DAY
    sweep(google)
    assert not stopped_files(capsys)


@pytest.mark.parametrize(
    ("name", "answer", "code"),
    [
        pytest.param("upload.csv.filepart", "ignored", None, id="an upload in progress"),
        pytest.param("export.zip", "stopped", "FILE_NAME_NOT_ACCEPTED", id="an unknown format"),
    ],
)
def test_objects_that_are_no_files(google: World, name: str, answer: str, code: str | None) -> None:
    """Their names say so. Nobody waits for results of an upload in progress."""
    assert deliver(google, name, b"half a fi") == answer
    assert ("read", name) not in google.store.calls
    assert (name in str(google.store.names(OUT))) == bool(code)
    if code is not None:
        assert results(google, name)["file_error"]["code"] == code


# ── why a file was stopped ───────────────────────────────────────────────────────────────────────


def test_a_second_stop_does_not_replace_the_first() -> None:
    """The account refuses the first chunk, and then the rest of the file cannot be read."""
    google = world(max_file_lines=3_000)
    google.api.stop = Problem("CUSTOMER_NOT_ENABLED")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("lib.run.chunks.CHUNK_ROWS", 100)
        deliver(google, "daily.csv", sales(*map(str, range(4_000))))
    assert results(google)["counts"]["rows"] < 4_000
    assert results(google)["file_error"]["code"] == "CUSTOMER_NOT_ENABLED"


# ── late work of a file that has results ─────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("obstacle", "days"),
    [
        pytest.param(Step("sending", SENDING.index("outage")), 0.5, id="an outage"),
        pytest.param(Step("sending", SENDING.index("quota")), 2, id="no quota"),
        pytest.param(Step("unwritable", UNWRITABLE.index(".results.")), 0.5, id="no results"),
        pytest.param(Step("deadly", DEADLY.index("start")), 0.5, id="each attempt dies"),
    ],
)
def test_late_work_of_a_file_with_results_is_told(obstacle: Step, days: float) -> None:
    """Each attempt says when the next one is due, but the work is late since the first time."""
    with played("google_ads") as history:
        platform, rows = history.platform, sales_rows(0, 1, 3)
        history.judge("too recent", *rows)
        history.upload("export.csv", rows)
        platform.wait(2 * HOUR)
        history.judge("", *rows)
        history.play([obstacle])
        platform.wait(days * DAY)
        told = files_told(platform.log.problems(), ["export.csv"])
        assert told == {"file_unfinished": {"export.csv"}}


def test_an_answer_of_google_that_cannot_be_saved_is_told() -> None:
    """That storage fails does not mean that Google is silent."""
    with played("data_manager") as history:
        platform = history.platform
        history.judge("refused", *sales_rows(0))
        file = history.upload("export.csv", sales_rows(0))
        platform.wait(2 * HOUR)
        history.play([Step("unwritable", UNWRITABLE.index("_state/chunks/"))])
        platform.wait(DAY)
        told = files_told(platform.log.problems(), ["export.csv"])
        assert told == {"file_unfinished": {"export.csv"}}
        history.play([Step("unwritable", UNWRITABLE.index(""))])
        platform.wait(HOUR)
        assert history.outcomes(file) == ["failed"]


# ── what the first pass finds out ────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("click", [0, 1, 2, None])
def test_a_column_is_empty_although_the_first_attempt_ended_early(
    google: World, click: int | None
) -> None:
    """The next attempt looks at all rows, also at those that were sent already."""
    google.profiles["default"]["columns"] = {each: each for each in CORE_COLUMNS}
    rows = [
        core_row(
            number,
            order_id=order,
            conversion_date_time=SOLD_AT,
            gclid="Cj0KCQiAexample" if number == click else "",
            email=f"buyer.{number}@example.com",
        )
        for number, order in enumerate("abc")
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("lib.run.chunks.CHUNK_ROWS", 1)

        def dies_at_the_second(batch: int) -> None:
            if batch > 1:
                raise Dies

        google.api.before = dies_at_the_second
        with pytest.raises(Dies):
            deliver(google, "daily.csv", csv_bytes(rows))
        google.api.before = passes
        google.clock.seconds += HOUR
        sweep(google)
    assert results(google)["counts"]["uploaded"] == 3
    facts = saved(google).facts
    assert facts is not None
    assert ("gclid" in facts.empty_columns) == (click is None)


# ── the lease ────────────────────────────────────────────────────────────────────────────────────


class SlowEncoder(FakeApi):
    """An API whose client needs more than the lease, after a chunk was prepared."""

    clock_set_back: bool = False
    world: World

    def encode(
        self, kind: RecordKind, records: Sequence[Record], customer_id: str, job_id: int
    ) -> Sequence[FakeRequest]:
        self.world.clock.seconds += 61
        self.clock_set_back = True
        return super().encode(kind, records, customer_id, job_id)


def test_a_wall_clock_that_is_set_back_extends_no_lease(google: World) -> None:
    """The monotonic clock says that it has ended, so nothing is sent."""
    google.api = slow = SlowEncoder()
    slow.world = google

    def wall_clock() -> datetime:
        hour = timedelta(hours=1) if slow.clock_set_back else timedelta()
        return google.clock.utc() - hour

    source = google.store.put(IN, "daily.csv", sales("a"))
    with pytest.raises(LeaseLost):
        deliver_object(source, replace(google.context, utc_now=wall_clock))
    assert slow.batches == 0


def test_a_monotonic_clock_that_stands_still_extends_no_lease(google: World) -> None:
    """The wall clock says that it has ended, so nothing is sent."""
    google.api = slow = SlowEncoder()
    slow.world = google
    source = google.store.put(IN, "daily.csv", sales("a"))
    with pytest.raises(LeaseLost):
        deliver_object(source, replace(google.context, elapsed_seconds=lambda: 0.0))
    assert slow.batches == 0


# ── the time limit ───────────────────────────────────────────────────────────────────────────────


class SlowStream:
    """A stream of which each block takes ten seconds."""

    def __init__(self, stream: Readable, clock: Clock) -> None:
        self._stream, self._clock = stream, clock

    def read(self, size: int, /) -> bytes:
        self._clock.seconds += 10
        return self._stream.read(size)


def test_a_file_without_rows_is_not_read_beyond_the_time_limit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """No chunk and no request would notice that time is up: it consists of blank lines."""
    google = world(deadline_margin_seconds=30.0)
    right = type(google.store).open_live

    def open_slowly(store: MemoryStore, source: StoredObject) -> OpenedObject | None:
        opened = right(store, source)
        return opened and opened._replace(stream=SlowStream(opened.stream, google.clock))

    monkeypatch.setattr(type(google.store), "open_live", open_slowly)
    with pytest.raises(RetryableError, match="DEADLINE"):
        deliver(google, "daily.csv", sales() + b"\n" * (1 << 20))
    assert google.clock.seconds < 60
