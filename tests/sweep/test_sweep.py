"""Which runs a sweep advances, in which order, and for how long."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

import pytest

from lib.catalogue.codes import lookup
from lib.catalogue.open_problems import ALL_PROFILES
from lib.errors import AttemptError, PermanentError, RetryableError
from lib.model.outcomes import Problem
from lib.state.runs import run_key
from lib.sweep.sweep import MAX_WAITING_NAMES
from tests.fakes import START, Dies, World, deliver, fails, logged, sales, sweep, world

IN = "in-bucket"
DIGEST = "open_problems_digest"


def wait_for_google(google: World, names: Sequence[str]) -> None:
    """Deliver files, a second after each other, while the API cannot be reached."""
    google.api.preflight = RetryableError("API_UNAVAILABLE")
    for name in names:
        with pytest.raises(RetryableError):
            deliver(google, f"{name}.csv", sales(name))
        google.clock.seconds += 1
    google.api.preflight = None


def test_a_sweep_with_nothing_to_do() -> None:
    """Its counts say so."""
    assert sweep(world()) == {
        **dict.fromkeys(("runs", "problems", "due", "started", "finished", "again"), 0),
        "unreadable": 0,
        "out_of_time": False,
    }


def test_the_fewest_tries_come_first() -> None:
    """Of runs with equally many, the one that is due longest. What is not due yet is left."""
    google = world()
    wait_for_google(google, ["tried", "late", "early", "not due"])
    due = {"tried": (2, 1), "late": (0, 3600), "early": (0, 2), "not due": (0, 3601)}
    for name, (tries, seconds) in due.items():
        saved = google.context.runs.read(run_key(google.store.stored(IN, f"{name}.csv")))
        assert saved is not None
        at = google.clock.utc() + timedelta(seconds=seconds)
        google.context.runs.save(saved, tries=tries, due=at)
    google.clock.seconds += 3600
    counts = sweep(google)
    assert google.api.counted == ["early", "late", "tried"]
    assert (counts["due"], counts["finished"]) == (3, 3)


def test_a_sweep_ends_before_its_time_limit() -> None:
    """The next one goes on."""
    google = world(sweep_time_limit_seconds=600)
    wait_for_google(google, "abcde")
    google.clock.seconds += 601

    def takes_long(number: int) -> None:
        google.clock.seconds += 200

    google.api.after = takes_long
    for counted in ("abc", "abcde"):
        counts = sweep(google)
        assert google.api.counted == [*counted]
        assert counts["out_of_time"] == (counted == "abc")


@pytest.mark.parametrize(
    ("minutes", "is_started"), [(29, False), (30, True), (7 * 1440, True), (7 * 1440 + 1, False)]
)
def test_a_file_without_a_run_is_started(minutes: int, is_started: bool) -> None:
    """After a grace, in which its event may come, and for a week."""
    google = world(sweep_grace_minutes=30)
    google.store.put(IN, "a.csv", sales("a"))
    google.clock.seconds += 60 * minutes
    assert sweep(google)["started"] == is_started


def test_a_file_that_is_overwritten_before_it_is_old(capsys: pytest.CaptureFixture[str]) -> None:
    """Without a trigger, no generation lives for half an hour. The name does, and is started."""
    google = world(sweep_grace_minutes=30)
    told = []
    for minutes in range(0, 180, 5):
        google.clock.seconds = 60.0 * minutes
        if minutes % 20 == 0:
            google.store.put(IN, "stock.csv", sales(str(minutes)))
        if minutes % 15 == 10:
            sweep(google)
            if '"kind": "file_not_started"' in capsys.readouterr().out:
                told.append(minutes)
    assert told == [40, 100, 160]
    assert google.api.counted == ["40", "100", "160"]


def test_of_many_waiting_files_the_oldest_keep_their_time() -> None:
    """The page has room for a few names. Those that have waited for longest are started, although
    each file was overwritten just now."""
    google = world(sweep_grace_minutes=30)
    oldest = [f"z{number}.csv" for number in range(MAX_WAITING_NAMES)]
    names = [*oldest, *(f"a{number}.csv" for number in range(9))]
    for name in names:
        google.store.put(IN, name, sales(name))
        google.clock.seconds += 1
    sweep(google)
    google.clock.seconds += 20 * 60
    for name in names:
        google.store.put(IN, name, sales(name))
    google.clock.seconds += 15 * 60
    assert sweep(google)["started"] == MAX_WAITING_NAMES
    assert {*oldest} <= {*google.api.counted}


def test_a_file_that_replaces_one_that_was_never_started(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The old one is too old to be sent. The new one is told and started as any other."""
    google = world(sweep_grace_minutes=30)
    google.store.put(IN, "stock.csv", sales("old"))
    google.clock.seconds = 30 * 86400
    sweep(google)
    google.store.put(IN, "stock.csv", sales("new"))
    told = []
    for minutes in (15, 30, 45):
        google.clock.seconds = 30 * 86400 + 60 * minutes
        sweep(google)
        if '"kind": "file_not_started"' in capsys.readouterr().out:
            told.append(minutes)
    assert told == [30]
    assert google.api.counted == ["new"]


@pytest.mark.parametrize("has_run", [False, True])
def test_a_software_error_stops_no_other_file(
    has_run: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is logged with its file, which the next sweep tries again."""
    google = world()
    if has_run:
        wait_for_google(google, "ab")
        google.clock.seconds += 601
    else:
        for name in "ab":
            google.store.put(IN, f"{name}.csv", sales(name))
            google.clock.seconds += 1

    def fails_once(number: int) -> None:
        if number == 1:
            raise ValueError

    google.api.before = fails_once
    counts = sweep(google)
    assert google.api.counted == ["b"]
    assert (counts["finished"], counts["again"]) == (1, 1)
    (error,) = logged(capsys, "unexpected_error")
    assert error["run_id"].startswith("in-bucket/a.csv#")
    google.clock.seconds += 61 + 900
    sweep(google)
    assert google.api.counted == ["b", "a"]


def test_a_file_that_must_wait_is_logged_once(capsys: pytest.CaptureFixture[str]) -> None:
    """By its attempt, with its name; the sweep only counts it."""
    google = world()
    wait_for_google(google, "a")
    google.api.preflight = RetryableError("API_UNAVAILABLE")
    google.clock.seconds += 601
    capsys.readouterr()
    assert sweep(google)["again"] == 1
    (line,) = logged(capsys, "run_redelivered")
    assert line["run_id"].startswith("in-bucket/a.csv#")


# ── what people see ──────────────────────────────────────────────────────────────────────────────


def stop_files(google: World, values: Mapping[str, int]) -> None:
    """Deliver files that the account refuses, each with one sale of this value."""
    google.api.stop = Problem("CUSTOMER_NOT_ENABLED")
    for name, value in values.items():
        deliver(google, name, sales("a", conversion_value=str(value)))


def test_a_digest_a_day(capsys: pytest.CaptureFixture[str]) -> None:
    """By the first sweep after 06:00 UTC, as long as something is open."""
    google = world()
    sweep(google)
    stop_files(google, {"a.csv": 5})
    told = []
    for hour in range(9 * 24):
        google.clock.seconds = hour * 3600
        capsys.readouterr()
        sweep(google)
        if logged(capsys, DIGEST):
            told.append(google.clock.utc())
    first = START.replace(hour=6) + timedelta(days=1)
    assert told == [first + timedelta(days=day) for day in range(7)]


def test_a_digest_has_all_files_dearest_first(capsys: pytest.CaptureFixture[str]) -> None:
    """As plain text: each problem with its money, what to do, and its files."""
    google = world()
    stop_files(google, {"a.csv": 60, "[b](x).csv": 9_999_900, "other/c.csv": 7})
    sweep(google)
    (line,) = logged(capsys, DIGEST)
    assert (line["severity"], line["count"]) == ("WARNING", 2)
    first, second = line["text"].split("\n\n")[1:]
    title, profile, to_do, *files, more = first.splitlines()
    assert title.startswith("1. A file was stopped. The account is not enabled")
    assert title.endswith("At stake: 9,999,960 USD.")
    assert profile.endswith(": default")
    assert lookup("CUSTOMER_NOT_ENABLED").advice_with_upload() in to_do
    assert [file.split()[1] for file in files] == ["［b］(x).csv", "a.csv"]
    assert more.endswith("ERROR. For your engineer: file_stopped CUSTOMER_NOT_ENABLED")
    assert "Profile: (no profile)" in second


def test_a_sweep_that_dies_has_written_the_digest(capsys: pytest.CaptureFixture[str]) -> None:
    """Once, and the page: a file that kills each sweep hides nothing, and is no daily flood."""
    google = world()
    stop_files(google, {"a.csv": 5})
    wait_for_google(google, "b")
    google.api.stop = None
    google.api.before = fails(Dies())
    capsys.readouterr()
    for _ in range(3):
        google.clock.seconds += 4 * 3600
        with pytest.raises(Dies):
            sweep(google)
    assert len(logged(capsys, DIGEST)) == 1
    assert b"A file was stopped" in google.store.objects["out-bucket", "index.html"][0]


def test_a_page_that_cannot_be_written_keeps_the_digest(capsys: pytest.CaptureFixture[str]) -> None:
    """The next sweep that writes it has the digest."""
    google = world()
    stop_files(google, {"a.csv": 5})
    google.store.refuse = ["index.html"]
    sweep(google)
    assert not logged(capsys, DIGEST)
    sweep(google)
    assert len(logged(capsys, DIGEST)) == 1


@pytest.mark.parametrize("code", ["STORAGE_FORBIDDEN", "STORAGE_UNAVAILABLE"])
def test_a_page_that_may_not_be_written_is_an_alert(
    code: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else an old green page, and no digest, would say that nothing is open."""
    google = world()
    monkeypatch.setattr(type(google.store), "write", fails(RetryableError(code, "index.html")))
    sweep(google)
    alerts = logged(capsys, "settings_invalid")
    assert [each["code"] for each in alerts] == [code] * (code == "STORAGE_FORBIDDEN")


@pytest.mark.parametrize(("weeks", "is_shown"), [(5, True), (6, False)])
def test_a_finished_file_is_shown_for_five_weeks(weeks: int, is_shown: bool) -> None:
    """Then a sweep keeps nothing of it. One that waits is never forgotten."""
    google = world()
    deliver(google, "done.csv", sales("a"))
    wait_for_google(google, ["waits"])
    google.api.preflight = RetryableError("API_UNAVAILABLE")
    google.clock.seconds += weeks * 7 * 86400 - 60
    sweep(google)
    page = google.store.objects["out-bucket", "index.html"][0]
    assert (b"done.csv" in page) == is_shown
    assert b"waits.csv" in page


@pytest.mark.parametrize("error", [PermanentError, RetryableError])
def test_profiles_that_cannot_be_read_are_told(
    error: type[AttemptError], capsys: pytest.CaptureFixture[str]
) -> None:
    """The sweep goes on, but nobody knows which files are expected."""
    google = world()
    google.profiles["default"]["expect"] = "every day by 06:00 UTC"
    google.profiles_changed_at = START + timedelta(days=-1)
    assert sweep(google)["problems"] == 1
    google.profiles_changed_at = START
    assert sweep(google)["problems"] == 0
    google.no_profiles = error("INVALID_PROFILE", "is not valid JSON")
    capsys.readouterr()
    assert sweep(google)["problems"] == 1
    (told,) = logged(capsys, "open_problem")
    assert (told["kind"], told["profile"]) == ("profile_unreadable", ALL_PROFILES)
    assert told["code"] == "INVALID_PROFILE"
