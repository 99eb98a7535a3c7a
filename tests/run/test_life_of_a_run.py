"""Histories of a run: what an error means for its rows, and when it ends.

Each one ends with the judgement of `tests.histories.oracle`, as all histories do. It also says
whether somebody was told at each full day.
"""

from __future__ import annotations

import itertools

import pytest

from lib.model.retries import MAX_TRIES, wait_after_try
from tests.fakes import Clock
from tests.histories.files import NAMES, REDUCED, REFUNDED, SalesRow, sales
from tests.histories.google import AccountState, Request, Sending, Statuses, Verdict
from tests.histories.history import File
from tests.histories.oracle import Oracle
from tests.histories.platform import DAY, HOUR
from tests.histories.playing import played
from tests.histories.processes import Deadly, Interruption
from tests.histories.told import files_told

EXPORT, NIGHT, CHANGES, _ = NAMES
MINUTE = 60
ORDERS = (0, 3, 6, 9, 12, 15, 18, 21)
"""Sales with an order ID of their own."""


def all_count(history: Oracle, file: File) -> bool:
    """Return whether each row of a file counts, by its results."""
    found = history.outcomes(file)
    return len(found) == len(file.rows) and {*found} <= {"uploaded", "duplicate"}


def name_only_clicks(history: Oracle) -> None:
    """Let Google refuse a known order because of its click, without naming the order."""
    history.platform.google.names_only_clicks = True


def told_today(history: Oracle, kind: str) -> set[str]:
    """Return the files that the last day's lines name for a kind of problem."""
    platform = history.platform
    since = platform.clock.seconds - DAY
    lines = [line for line in platform.log.problems() if line.seconds >= since]
    return files_told(lines, NAMES).get(kind, set())


def attempts(history: Oracle, file: File) -> int:
    """Return how many processes have worked on a file."""
    key = history.platform.key_of(file.source)
    return sum(key in each.taken for each in history.platform.processes)


# ── sent, perhaps ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("sending", "unwritable"), [("lost", ""), ("", "_state/chunks/")])
def test_rows_that_took_place_without_a_marker(sending: Sending, unwritable: str) -> None:
    """The answers are lost, or the markers cannot be written. Nobody has died, but each row may
    have been sent: what Google knows then is a duplicate."""
    with played("google_ads") as history:
        platform = history.platform
        name_only_clicks(history)
        platform.google.sending, platform.surroundings.unwritable = sending, unwritable
        file = history.upload(EXPORT, sales(0, 1, 3))
        platform.wait(MINUTE)
        platform.google.sending, platform.surroundings.unwritable = "", ""
        platform.wait(DAY)
        assert all_count(history, file)


@pytest.mark.parametrize(("account", "sending"), [("outage", ""), ("", "outage")])
def test_an_earlier_death_is_not_forgotten_in_an_outage(
    account: AccountState, sending: Sending
) -> None:
    """An attempt died after a request took place, and the next ones did not reach Google."""
    for call in itertools.count(1):
        with played("google_ads") as history:
            name_only_clicks(history)
            file = history.upload(EXPORT, sales(0, 1, 3))
            history.platform.deliver(file.source, Interruption(call, "killed"))
            killed, google = history.platform.processes[-1], history.platform.google
            google.account, google.sending = account, sending
            history.platform.wait(HOUR)
            google.account, google.sending = "", ""
            history.platform.wait(DAY)
            assert all_count(history, file), call
        if not killed.interrupted_at:
            break


def test_the_loser_of_a_race_for_a_marker_goes_on_with_what_the_winner_saved() -> None:
    """A process whose clock is ahead takes over too early, and dies before it publishes: the first
    one publishes what the marker says, not what it was told itself."""
    for call in range(1, 12):
        with played("google_ads", chunk_rows=1) as history:
            file = history.upload(EXPORT, sales(0, 3))
            platform = history.platform

            def overtake(history: Oracle = history, file: File = file) -> None:
                history.platform.surroundings.deadly = "report"
                history.platform.deliver(file.source, clock_ahead=HOUR)
                history.platform.surroundings.deadly = ""

            platform.deliver(file.source, Interruption(call, "frozen", True, overtake))
            found = platform.results(file.source)
            if found is not None:
                listed = [row["outcome"] for row in found["rows"]]
                assert all(found["counts"][each] == listed.count(each) for each in {*listed})


def test_a_process_that_was_frozen_past_its_lease_publishes_nothing() -> None:
    """Wherever it was frozen before it began with the results: another attempt may be at it."""
    for call in itertools.count(1):
        with played("google_ads") as history:
            clock = history.platform.clock

            def pass_the_lease(clock: Clock = clock) -> None:
                clock.seconds += 10 * MINUTE

            file = history.upload(EXPORT, sales(0, 3))
            history.platform.deliver(
                file.source, Interruption(call, "frozen", True, pass_the_lease)
            )
            frozen = history.platform.processes[-1]
            assert not frozen.written_late, call
        if not frozen.interrupted_at:
            break


# ── the same bytes again ─────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("keeps_versions", [True, False])
def test_rows_that_wait_are_sent_although_the_file_comes_again(keeps_versions: bool) -> None:
    """A tool copies it every day. The time of the first copy's rows ends nevertheless, and somebody
    hears of them."""
    with played("google_ads", keeps_versions=keeps_versions) as history:
        files = []
        for _ in range(5):
            files.append(history.upload(CHANGES, [SalesRow(0, REFUNDED)]))
            history.platform.wait(DAY - MINUTE)
        assert history.outcomes(files[0]) == ["failed"]
        assert CHANGES in told_today(history, "rows_lost")


def test_a_file_that_comes_again_every_hour_in_an_outage_is_told() -> None:
    """Nothing of it was sent yet, so each copy replaces the one before, but not its age."""
    with played("google_ads") as history:
        history.platform.google.sending = "outage"
        for _ in range(12):
            history.upload(EXPORT, sales(0, 3))
            history.platform.wait(HOUR)
        assert EXPORT in told_today(history, "file_unfinished")
        history.platform.google.sending = ""
        history.platform.wait(2 * DAY)
        assert EXPORT not in told_today(history, "file_unfinished")


# ── limits of time ───────────────────────────────────────────────────────────────────────────────


def test_a_first_pass_four_days_after_the_run_began() -> None:
    """A daily quota was used up for days: an unterminated line and corrections were never sent, so
    the limit of deferred rows has not begun for them."""
    with played("google_ads") as history:
        history.platform.google.sending = "quota"
        rows = [SalesRow(0), SalesRow(0, REDUCED), SalesRow(3)]
        file = history.upload(EXPORT, rows, is_cut=True)
        history.platform.wait(4 * DAY)
        history.platform.google.sending = ""
        history.platform.wait(2 * DAY)
        assert history.outcomes(file) == ["uploaded"] * 3


def test_a_held_line_of_a_file_that_was_replaced_is_not_sent() -> None:
    """Its cells may be cut. The newer file, which has the whole line, is a file of its own."""
    with played("google_ads", keeps_versions=True) as history:
        monday = history.upload(EXPORT, sales(0, 3), is_cut=True)
        history.platform.wait(MINUTE)
        assert history.outcomes(monday) == ["uploaded", "deferred"]
        history.upload(EXPORT, sales(0, 3, 6))
        history.platform.wait(2 * DAY)
        assert history.outcomes(monday) == ["uploaded", "not_attempted"]
        _, row = history.results(monday)["rows"]
        assert [error["code"] for error in row["errors"]] == ["SUPERSEDED"]


@pytest.mark.parametrize("apis", ["google_ads", "data_manager"])
def test_a_line_that_was_held_before_an_outage_is_sent(apis: str) -> None:
    """Nobody replaced its file while it was held, so it is whole, and in no other file."""
    with played(apis, keeps_versions=True) as history:
        monday = history.upload(EXPORT, sales(0, 3), is_cut=True)
        history.platform.wait(MINUTE)
        history.platform.google.sending = "outage"
        history.platform.wait(2 * HOUR)
        assert history.outcomes(monday) == ["uploaded", "deferred"]
        history.upload(EXPORT, sales(6, 9))
        history.platform.google.sending = ""
        history.platform.wait(2 * DAY)
        assert history.outcomes(monday) == ["uploaded", "uploaded"]
        # If it was cut nevertheless, its value is wrong, and the results still say why.
        (row,) = (row for row in history.results(monday)["rows"] if row["warnings"])
        assert [warning["code"] for warning in row["warnings"]] == ["UNTERMINATED_LAST_LINE"]


@pytest.mark.parametrize("verdict", ["too recent", "too recent, unnamed", "too recent at once"])
@pytest.mark.parametrize("apis", ["google_ads", "data_manager"])
def test_rows_that_stay_too_recent_fail_after_three_days(apis: str, verdict: Verdict) -> None:
    """At once or by their final status, they are deferred for 72 hours, and not for ever."""
    with played(apis) as history:
        history.judge(verdict, SalesRow(0))
        file = history.upload(EXPORT, sales(0))
        history.platform.wait(2 * DAY)
        assert history.outcomes(file) != ["failed"]
        history.platform.wait(2 * DAY)
        is_unnamed = apis == "data_manager" and "unnamed" in verdict
        assert history.outcomes(file) == ["uploaded" if is_unnamed else "failed"]
        assert history.platform.due(file.source) is None
        (row,) = history.results(file)["rows"]
        codes = [each["code"] for each in row["errors"]]
        assert codes[1:] == ([] if is_unnamed else ["DEFERRED_TOO_LONG"])


@pytest.mark.parametrize("happens", ["sent again", "deleted", "overwritten", "outage"])
def test_rows_that_google_only_counts_are_told_if_they_are_not_sent_again(happens: str) -> None:
    """A row in four does not count, and Google does not say which one."""
    with played("data_manager", keeps_versions=False) as history:
        history.judge("too recent, unnamed", SalesRow(0))
        file = history.upload(EXPORT, sales(0, 3, 6, 9))
        history.platform.wait(13 * HOUR)
        history.judge("", SalesRow(0))
        match happens:
            case "deleted":
                history.delete(EXPORT)
            case "overwritten":
                history.upload(EXPORT, sales(12))
            case "outage":
                history.platform.google.sending = "outage"
        history.platform.wait(4 * DAY)
        history.platform.google.sending = ""
        history.platform.wait(DAY)
        unnamed = history.results(file).get("unnamed", {})
        assert sum(unnamed.values()) == (0 if happens == "sent again" else 1)


@pytest.mark.parametrize("apis", ["google_ads", "data_manager"])
def test_a_row_that_counts_after_seventy_hours_is_not_lost(apis: str) -> None:
    """It is sent for the last time when its 72 hours end, not an interval earlier."""
    with played(apis) as history:
        history.platform.wait(HOUR / 12)  # so that no sweep comes exactly when the time ends
        history.judge("too recent at once", SalesRow(0))
        file = history.upload(EXPORT, sales(0))
        history.platform.wait(70 * HOUR)
        history.judge("", SalesRow(0))
        history.platform.wait(DAY)
        assert history.outcomes(file) == ["uploaded"]


def test_a_refund_waits_three_days_for_its_sale() -> None:
    """It is sent once a day, and the last time when its 72 hours end."""
    with played("google_ads") as history:
        history.platform.wait(HOUR / 12)  # so that no sweep comes exactly when the time ends
        refund = history.upload(CHANGES, [SalesRow(0, REFUNDED)])
        history.platform.wait(60 * HOUR)
        history.upload(EXPORT, sales(0))
        history.platform.wait(DAY)
        assert history.outcomes(refund) == ["uploaded"]


def test_deferred_rows_whose_resends_get_no_answer_fail_after_three_days() -> None:
    """An outage does not make them wait for ever."""
    with played("google_ads") as history:
        history.judge("too recent", SalesRow(0))
        file = history.upload(EXPORT, sales(0, 3))
        history.platform.wait(60 * HOUR)
        history.platform.google.sending = "outage"
        history.platform.wait(2 * DAY)
        assert history.outcomes(file) == ["failed", "uploaded"]
        assert history.results(file)["rows"][0]["errors"][0]["code"] == "TOO_RECENT_EVENT"
        assert history.platform.due(file.source) is None


def test_rows_that_nobody_could_send_for_a_week() -> None:
    """They are not sent any more, and the file is told as stopped, also a day later."""
    with played("google_ads") as history:
        history.platform.google.sending = "quota"
        file = history.upload(EXPORT, sales(0))
        history.platform.wait(8.5 * DAY)
        history.platform.google.sending = ""
        history.platform.wait(DAY)
        assert history.results(file)["file_error"]["code"] == "STALE"
        assert history.results(file)["counts"]["rows"] == 0
        assert not history.platform.google.requests


# ── statuses ─────────────────────────────────────────────────────────────────────────────────────


def test_statuses_that_cannot_be_read_for_a_day() -> None:
    """Google keeps them: they are asked for until they are read."""
    with played("data_manager") as history:
        history.judge("refused", SalesRow(3))
        file = history.upload(EXPORT, sales(0, 3))
        history.platform.google.statuses = "unavailable"
        history.platform.wait(26 * HOUR)
        history.platform.google.statuses = ""
        history.platform.wait(DAY)
        assert history.outcomes(file) == ["uploaded", "failed"]
        assert history.results(file)["processing"]["status"] == "finished"


@pytest.mark.parametrize("statuses", ["unavailable", "processing", "refused"])
def test_statuses_that_never_come(statuses: Statuses) -> None:
    """After a week nobody asks any more: the rows stay uploaded, and somebody is told."""
    with played("data_manager") as history:
        file = history.upload(EXPORT, sales(0))
        history.platform.google.statuses = statuses
        history.platform.wait(9 * DAY)
        assert history.platform.due(file.source) is None
        counts = history.results(file)["counts"]
        assert (counts["uploaded"], counts["unknown"], counts["awaiting"]) == (1, 1, 0)
        assert told_today(history, "google_silent") == {EXPORT}
        history.platform.wait(8 * DAY)
        assert told_today(history, "google_silent") == set()


def test_statuses_that_are_refused_are_asked_for_by_each_sweep() -> None:
    """Somebody is told until the permission is mended, and then the next sweep reads them."""
    with played("data_manager") as history:
        history.judge("refused", SalesRow(0))
        file = history.upload(EXPORT, sales(0))
        history.platform.google.statuses = "refused"
        for _ in range(3):
            history.platform.wait(DAY)
            assert told_today(history, "google_silent") == {EXPORT}
        history.platform.google.statuses = ""
        history.platform.wait(MINUTE)
        history.platform.sweep()
        assert history.outcomes(file) == ["failed"]
        history.platform.wait(2 * DAY)
        assert told_today(history, "google_silent") == set()


def test_statuses_that_kill_each_process_are_asked_for_by_their_schedule() -> None:
    """That they are asked for is saved before, so no try follows another one, and once they kill
    nobody any more they are read soon."""
    with played("data_manager") as history:
        file = history.upload(EXPORT, sales(0))
        history.platform.surroundings.deadly = "statuses"
        history.platform.wait(10 * HOUR)
        history.platform.surroundings.deadly = ""
        history.platform.google.process()
        history.platform.wait(2.5 * HOUR)
        assert history.outcomes(file) == ["uploaded"]
        assert history.results(file)["file_error"] is None
        assert history.results(file)["processing"]["status"] == "finished"


def test_rows_that_were_sent_again_get_their_own_schedule() -> None:
    """A day and a half after the first request, the newest one is asked for within two hours."""
    with played("data_manager") as history:
        google = history.platform.google
        history.judge("too recent", SalesRow(3))
        file = history.upload(EXPORT, sales(0, 3))
        history.platform.wait(34 * HOUR)
        assert (len(google.requests), history.outcomes(file)[1]) == (2, "deferred")
        history.judge("", SalesRow(3))
        history.platform.wait(6 * HOUR)
        assert len(google.requests) == 3
        google.process()
        history.platform.wait(2 * HOUR)
        assert history.results(file)["counts"]["awaiting"] == 0
        assert history.outcomes(file) == ["uploaded"] * 2


# ── tries ────────────────────────────────────────────────────────────────────────────────────────


def dies_at_its_second_request(history: Oracle) -> None:
    """Let each process die after it has saved the answer to one request."""
    google = history.platform.google
    judge_request = google.check

    def check(request: Request) -> None:
        if request.process.requests:
            request.process.die()
        judge_request(request)

    google.check = check


def test_a_file_whose_attempts_die_after_one_more_chunk_each() -> None:
    """Each of them has made progress, so none is a try."""
    with played("google_ads", chunk_rows=1) as history:
        dies_at_its_second_request(history)
        file = history.upload(EXPORT, sales(*ORDERS))
        history.platform.wait(3 * DAY)
        assert all_count(history, file)


def test_resends_that_die_after_one_more_chunk_each() -> None:
    """They make progress too, although the number of markers stays the same."""
    with played("google_ads", chunk_rows=1) as history:
        history.judge("too recent", *sales(*ORDERS))
        file = history.upload(EXPORT, sales(*ORDERS))
        history.platform.wait(HOUR)
        history.judge("", *sales(*ORDERS))
        dies_at_its_second_request(history)
        history.platform.wait(3 * DAY)
        assert all_count(history, file)
        assert history.results(file)["file_error"] is None


@pytest.mark.parametrize("deadly", ["report", "document"])
def test_a_run_that_dies_while_it_publishes_ends(deadly: Deadly) -> None:
    """After a few tries it has results without a report, or none. Other files go on meanwhile."""
    with played("google_ads") as history:
        platform = history.platform
        file = history.upload(EXPORT, sales(0))
        platform.surroundings.deadly = deadly
        platform.surroundings.deadly_file = platform.key_of(file.source)
        platform.wait(HOUR)
        other = history.upload(NIGHT, sales(3))
        platform.events.clear()  # the sweep begins with this file
        platform.wait(HOUR)
        assert history.outcomes(other) == ["uploaded"]
        waits = [wait_after_try(tries).total_seconds() for tries in range(1, MAX_TRIES + 2)]
        platform.wait(sum(waits) + DAY)
        assert platform.due(file.source) is None
        assert attempts(history, file) <= MAX_TRIES + 3
        if deadly == "report":
            assert history.results(file)["file_error"]["code"] == "NO_PROGRESS"
        else:
            assert told_today(history, "file_unfinished") == {EXPORT}
            assert platform.log.problems()[-1].fields["code"] == "NO_PROGRESS"
            before = attempts(history, file)
            platform.surroundings.deadly = ""
            assert platform.deliver(file.source)
            assert attempts(history, file) == before, "an ended run is begun again"


@pytest.mark.parametrize("statuses", ["slow", "processing"])
def test_statuses_that_stay_in_process_for_four_hours(statuses: Statuses) -> None:
    """Attempts without a marker end no file that is well."""
    with played("data_manager") as history:
        history.judge("too recent at once", SalesRow(3))
        file = history.upload(EXPORT, sales(0, 3))
        history.platform.google.statuses = statuses
        history.platform.wait(5 * HOUR)
        history.platform.google.statuses = ""
        history.judge("", SalesRow(3))
        history.platform.wait(3 * DAY)
        assert history.outcomes(file) == ["uploaded"] * 2
        assert history.results(file)["file_error"] is None


@pytest.mark.parametrize(
    ("account", "sending"),
    [("slow", ""), ("", "slow"), ("", "lost"), ("", "outage")],
)
def test_an_outage_of_more_than_an_hour(account: AccountState, sending: Sending) -> None:
    """However Google fails to answer, the file is sent when it answers again."""
    with played("google_ads") as history:
        google = history.platform.google
        google.account, google.sending = account, sending
        file = history.upload(EXPORT, sales(0, 3))
        history.platform.wait(70 * MINUTE)
        google.account, google.sending = "", ""
        history.platform.wait(2 * DAY)
        assert all_count(history, file)


def test_a_revision_that_dies_at_every_start() -> None:
    """A bad deployment ends no file: the next revision sends it."""
    with played("google_ads") as history:
        history.platform.surroundings.deadly = "start"
        file = history.upload(EXPORT, sales(0, 3))
        history.platform.wait(75 * MINUTE)
        history.platform.surroundings.deadly = ""
        history.platform.revision += 1
        history.platform.wait(DAY)
        assert history.outcomes(file) == ["uploaded"] * 2


@pytest.mark.parametrize("revisions", [1, 2])
def test_a_file_that_takes_all_the_time_to_be_read_ends(revisions: int) -> None:
    """Each attempt is out of time before its first request: the fifth one says so. Another revision
    of the function may try as often."""
    with played("google_ads") as history:
        history.platform.surroundings.reading_seconds = 8.5 * MINUTE  # of 9
        file = history.upload(EXPORT, sales(0))
        history.platform.wait(HOUR)
        history.platform.revision = revisions
        history.platform.wait(3 * DAY)
        assert history.results(file)["file_error"]["code"] == "NO_PROGRESS"
        assert attempts(history, file) <= 7 * revisions
        assert not history.platform.google.requests


def test_a_daily_quota_is_not_tried_every_ten_minutes() -> None:
    """It is back at midnight, so each day has few attempts."""
    with played("google_ads") as history:
        history.platform.google.sending = "quota"
        history.upload(EXPORT, sales(0))
        history.platform.wait(3 * DAY)
        assert 3 <= len(history.platform.google.refusals) <= 8


# ── the file ─────────────────────────────────────────────────────────────────────────────────────


def test_a_file_that_was_deleted_while_it_waited_for_quota() -> None:
    """It is not sent any more, although the bucket keeps its version."""
    with played("google_ads") as history:
        history.platform.google.sending = "quota"
        file = history.upload(EXPORT, sales(0, 3))
        history.platform.wait(HOUR)
        history.delete(EXPORT)
        history.platform.google.sending = ""
        history.platform.wait(2 * DAY)
        assert not history.platform.google.requests
        assert history.results(file)["file_error"]["code"] == "SOURCE_GONE"


@pytest.mark.parametrize("keeps_versions", [True, False])
def test_an_unfinished_file_is_overwritten_with_other_rows(keeps_versions: bool) -> None:
    """It is sent if its version is kept; otherwise its results say that it is gone."""
    with played("google_ads", keeps_versions=keeps_versions) as history:
        history.platform.google.sending = "outage"
        monday = history.upload(EXPORT, sales(0))
        history.platform.wait(HOUR)
        history.platform.google.sending = ""
        tuesday = history.upload(EXPORT, sales(3))
        history.platform.wait(DAY)
        assert history.outcomes(tuesday) == ["uploaded"]
        if keeps_versions:
            assert history.outcomes(monday) == ["uploaded"]
        else:
            assert history.results(monday)["file_error"]["code"] == "SOURCE_GONE"


def test_results_that_cannot_be_written_for_a_day() -> None:
    """The file is told as unfinished, and then its results come, without a second request."""
    with played("google_ads") as history:
        history.platform.surroundings.unwritable = ".results."
        file = history.upload(EXPORT, sales(0))
        history.platform.wait(1.1 * DAY)
        assert told_today(history, "file_unfinished") == {EXPORT}
        history.platform.surroundings.unwritable = ""
        history.platform.wait(DAY)
        assert history.outcomes(file) == ["uploaded"]
        assert len(history.platform.google.requests) == 1
