"""What must hold of any history. It is read from Google's side, the files and their results.

while it happens   no two processes send one run · a row is not sent again once its outcome is
                   saved · nothing waits for nothing · a sweep ends in time
at each full day   what is told is what had to be told (`tests.histories.told`) · report and
                   overview say the same of each file (`tests.histories.faces`)
in the end         each row has an outcome, and it is what Google's side says · each order is
                   worth what its highest-ranked correction says · nothing counts twice
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from lib.model.retries import MAX_TRIES
from tests.histories.faces import verify_faces
from tests.histories.files import REFUNDED, SOLD, SalesRow
from tests.histories.google import Request, is_twin_of
from tests.histories.history import File, History, is_open
from tests.histories.platform import DAY, LEASE_SECONDS, SWEEP_SECONDS
from tests.histories.processes import SLOW_SECONDS
from tests.histories.told import expected, has_given_up, verify_told

SETTLED: Final = ("uploaded", "duplicate", "failed", "skipped")
"""Answers after which a row is not sent again."""
COUNTED: Final = ("uploaded", "duplicate")
OUTCOMES: Final = (*SETTLED, "deferred", "not_attempted", "rejected")
MAX_ATTEMPTS_REFUSED_A_DAY: Final = 4
"""A daily quota is back at midnight, so few attempts at a file run into it on one day."""
OVERVIEW: Final = "index.html"


@dataclass
class Oracle(History):
    """A history that is judged while it happens. `verify` judges how it ended."""

    # ── while it happens ─────────────────────────────────────────────────────────────────────

    def check(self, request: Request) -> None:
        """Look at a request before Google does."""
        platform = self.platform
        now = platform.clock.seconds
        if any(each.clock_ahead for each in platform.processes):
            return  # a lease protects nobody from a clock that is wrong by more than its length
        for other in platform.processes:
            is_alive = other is not request.process and not (other.has_ended or other.is_dead)
            if is_alive and request.run in other.runs:
                is_old = now - other.began >= LEASE_SECONDS or other.is_sweep
                self.expect(is_old, "a run is taken over while its lease is young")
        earlier = [each for each in platform.google.requests if each.run == request.run]
        for position, row in enumerate(request.rows):
            self._check_repeat(request, position, row, earlier)
            if request.api == "google_ads" and row.step:
                self._check_sale_first(row, earlier)

    def _check_repeat(
        self, request: Request, position: int, row: SalesRow, earlier: Sequence[Request]
    ) -> None:
        """A row whose outcome is saved and final is sent again only with another value."""
        last = next(((r, at) for r, at in reversed([*_sent(row, earlier)]) if r.answers), None)
        if last is None or not last[0].is_saved:
            return
        before, at = last
        answer, sent = before.answers[at], request.records[position]
        has_other_value = sent.value != before.records[at].value
        if not (has_other_value and request.api == "data_manager"):
            self.expect(answer not in SETTLED, f"{row} is sent again, after {answer}")

    def _check_sale_first(self, row: SalesRow, earlier: Sequence[Request]) -> None:
        """The Google Ads API gets a correction after the final answer about the file's sales."""
        now = self.platform.clock.seconds
        for sale in earlier:
            is_unknown = sale.is_accepted and sale.is_saved and not sale.is_reported
            is_own = any(each == SalesRow(row.sale) for each in sale.rows)
            if is_own and is_unknown and now - sale.sent < 7 * DAY:
                was_sent = any(row in each.rows for each in earlier)
                self.expect(was_sent, f"{row} is sent while its sale is open")

    def look(self) -> None:
        """Nothing waits without a time at which it goes on, and each process ends in time."""
        platform = self.platform
        pending = {each.source.generation for each in platform.events}
        for file in self.files:
            found = platform.results(file.source)
            if found is None:
                waits = file.source.generation not in pending and file.deaths < MAX_TRIES
                waits = waits and (file.gone is None or platform.has_run(file.source))
                waits = waits and not self._is_to_be_started(file)
            else:
                waits = is_open(found) and not has_given_up(self, file)
            if waits:
                self.expect(platform.due(file.source), f"{file} waits for nothing")
        for process in platform.processes:
            is_free = process.frozen_seconds or process.is_dead or process.interruption
            seconds = process.ended - process.began
            most = (SWEEP_SECONDS if process.is_sweep else LEASE_SECONDS) + SLOW_SECONDS
            self.expect(is_free or seconds <= most, f"a process takes {seconds} seconds")
            # SIGTERM may come when an attempt has just begun.
            is_late = process.is_sweep and len(process.taken_too_late) > 1
            self.expect(not is_late, "a sweep goes on after SIGTERM")
            self.expect(not process.written_late, f"{process.written_late} after the lease")

    def _is_to_be_started(self, file: File) -> bool:
        """Return whether the sweep begins with this file later, because its event was lost."""
        platform = self.platform
        is_young = platform.clock.seconds - file.came <= 7 * DAY
        return is_young and not platform.has_run(file.source)

    def on_day(self) -> None:
        """A sweep in which nothing is wrong with the process says what had to be told."""
        platform = self.platform
        platform.sweep()
        levels, since = expected(self), len(platform.log.lines)
        if platform.sweep() or platform.log.lines[since:]:
            verify_told(self, platform.log.problems(since), levels)
        written = platform.world.store.times.get((platform.world.settings.output_bucket, OVERVIEW))
        is_old = written is None or (platform.clock.utc() - written).total_seconds() > DAY
        self.expect(not is_old, "the overview stands still")
        verify_faces(self)
        self.look()
        if platform.google.sending == "quota":
            day = platform.clock.seconds - DAY
            refused = [at for at, why in platform.google.refusals if at >= day and why == "quota"]
            most = MAX_ATTEMPTS_REFUSED_A_DAY * len(self.files)
            self.expect(len(refused) <= most, f"{len(refused)} attempts against a daily quota")

    # ── in the end ───────────────────────────────────────────────────────────────────────────

    def verify(self) -> None:
        """Compare the files, what Google has, and what the results say."""
        google = self.platform.google
        self.expect(not self.platform.errors, f"software errors: {self.platform.errors}")
        self.expect(len(google.counted) == len({*google.counted}), "a sale counts twice")
        for file in self.files:
            self._verify_file(file)
        sales = {row.sale for file in self.files for row in file.rows}
        for sale in sorted(sales):
            self._verify_value(SalesRow(sale))

    def _verify_file(self, file: File) -> None:
        platform = self.platform
        found = platform.results(file.source)
        if found is None:
            # It was deleted before anybody began with it, or no attempt has survived.
            was_begun = platform.has_run(file.source)
            is_explained = file.deaths >= MAX_TRIES if was_begun else file.gone is not None
            self.expect(is_explained, f"{file} has no results")
            return
        by_line = {row["line"]: row for row in found["rows"]}
        self._verify_counts(file, found, by_line)
        self._verify_stop(file, found)
        self._verify_unnamed(file, found, by_line)
        is_other = found.get("other_generation") is not None
        for line, row in enumerate(file.rows, 2):
            if line in by_line:
                self._verify_row(file, row, by_line[line], found)
            else:
                self.expect(found["file_error"] or is_other, f"{row} of {file} has no outcome")

    def _verify_counts(self, file: File, found: dict[str, Any], by_line: dict[int, Any]) -> None:
        """The counts add up to the rows."""
        counts, outcomes = found["counts"], [row["outcome"] for row in by_line.values()]
        self.expect(len(by_line) == len(found["rows"]) == counts["rows"], f"{counts} in {file}")
        for outcome in OUTCOMES:
            number = outcomes.count(outcome)
            self.expect(counts[outcome] == number, f"{outcome}: {counts} in {file}")
        is_over = not is_open(found) or has_given_up(self, file)
        self.expect(is_over, f"{file} is still open")

    def _verify_unnamed(self, file: File, found: dict[str, Any], by_line: dict[int, Any]) -> None:
        """Of the rows that are told as uploaded, those that Google has not counted are numbered."""
        of_run = [each for each in self.platform.google.requests if each.run == file.run]
        missing = 0
        for line, row in enumerate(file.rows, 2):
            is_told = line in by_line and by_line[line]["outcome"] == "uploaded"
            sent = [request for request, _ in _sent(row, of_run) if request.is_accepted]
            is_known = bool(sent) and sent[-1].is_reported
            missing += is_told and is_known and not self.platform.google.holds(row)
        told = sum(found.get("unnamed", {}).values())
        self.expect(missing <= told, f"{missing} rows of {file} do not count, not {told}")

    def _verify_stop(self, file: File, found: dict[str, Any]) -> None:
        """A file ends before its rows are sent only for a reason that has happened."""
        twin = found.get("other_generation")
        if twin is not None:
            twins = [f for f in self.files if str(f.source.generation) == twin]
            is_same = bool(twins) and twins[0].rows == file.rows and twins[0].name == file.name
            self.expect(is_same, f"{file} is not {twin}")
        if not found["file_error"]:
            return
        code = found["file_error"]["code"]
        age = (file.stopped or 0.0) - file.came
        has_happened = {
            "CUSTOMER_NOT_ENABLED": file.account_was_refused,
            "UNKNOWN_PROFILE": file.profile == "nobody",
            "SOURCE_GONE": file.lost_its_name or (file.gone is not None and not file.is_kept),
            "STALE": age >= 7 * DAY,
            "NO_PROGRESS": file.deaths >= MAX_TRIES,
        }
        self.expect(has_happened.get(code, False), f"{file} is stopped by {code}")

    def _verify_row(
        self, file: File, row: SalesRow, listed: dict[str, Any], found: dict[str, Any]
    ) -> None:
        """A row counts exactly if Google holds its order, as far as anybody can know."""
        google, outcome = self.platform.google, listed["outcome"]
        codes = {each["code"] for each in listed["errors"]}
        what = f"{row} is {outcome} {sorted(codes) or ''}, in {file}"
        of_run = [each for each in google.requests if each.run == file.run]
        sent = [*_sent(row, of_run)]
        was_taken = any(at in request.taken for request, at in sent)
        # A request that was refused as a whole says nothing of its rows.
        answers = [r.answers[at] for r, at in sent if r.answers]
        last = next((each for each in reversed(answers) if each != "not_attempted"), "")
        last = last or "not_attempted" * bool(answers)
        if outcome in COUNTED:
            # A request's counts may say that some rows do not count, without naming them; of a
            # status that nobody could read, the results say that it is unknown.
            is_unknown = any(r.is_accepted and not (r.is_reported and r.is_named) for r, _ in sent)
            holds = google.holds(row) or is_unknown
            # Google counts a click and time once, and it may be the twin that it has: of a sale
            # without an order ID, of a line that repeats such a one, or of an order that it refuses
            # because of the click only, and that an earlier attempt has perhaps sent.
            twins = [other for other in google.counted if is_twin_of(row, other)]
            key = self.platform.key_of(file.source)
            was_perhaps_sent = sum(key in each.taken for each in self.platform.processes) > 1
            is_click = not row.order_id or "REPEATED_LINE" in codes
            is_click |= was_perhaps_sent and "CLICK_CONVERSION_ALREADY_EXISTS" in codes
            is_twin = outcome == "duplicate" and bool(twins) and is_click
            self.expect(holds or is_twin, f"{what}, but Google does not hold it")
        elif outcome == "failed":
            is_unsaved = bool(sent) and not sent[-1][0].is_saved
            if not (is_unsaved and "DEFERRED_TOO_LONG" in codes):
                # When the three days ended, the last answer could not be saved for over an hour.
                self._verify_failure(file, row, codes, last, was_taken, what)
        elif outcome == "skipped":
            self.expect(self._is_superseded(file, row), what)
        elif outcome == "not_attempted":
            is_over = file.gone is not None or "NO_PROGRESS" in codes
            last_line = file.is_cut and row is file.rows[-1] and is_over
            is_other = found.get("other_generation") is not None
            self.expect(found["file_error"] or is_other or last_line, what)
        elif outcome == "deferred":
            self.expect(has_given_up(self, file), what)
        elif outcome == "rejected":
            # It repeats the click and time of another row of its file, which Google has refused.
            has_twin = any(is_twin_of(row, other) for other in file.rows)
            self.expect(codes == {"REPEATED_REFUSED_LINE"} and has_twin, what)
        else:
            self.expect(outcome == "ok" and found["validate_only"], what)

    def _verify_failure(
        self, file: File, row: SalesRow, codes: set[str], last: str, was_taken: bool, what: str
    ) -> None:
        """Google has refused it, for good or for too long, or nobody could send it again."""
        if last == "failed":
            # If it was taken, then the answer was lost, and a later one refuses its newer value.
            is_used = "CLICK_AND_TIME_ALREADY_USED" in codes
            self.expect(not (is_used and was_taken), f"{what}, but Google has it")
            return
        is_over = bool(codes & {"SOURCE_GONE", "NO_PROGRESS", "STALE"})
        # A row that was deferred for three days fails with the reason of its deferral.
        self.expect(last in ("deferred", "") or is_over, f"{what}, after {last or 'nothing'}")
        is_certain = was_taken and last not in ("deferred", "")
        self.expect(not is_certain, f"{what}, but Google has it")

    def _is_superseded(self, file: File, row: SalesRow) -> bool:
        """Return whether a row need not be sent: its order was retracted, or a newer correction of
        its file, or at an API that compares times any newer one, counts instead."""
        google = self.platform.google
        if row.step == SOLD:
            # Also if nobody could send the retraction any more. A line that repeats the click and
            # time of a retracted order of its file is that order.
            same = [row, *(other for other in file.rows if is_twin_of(row, other))]
            begun = [file for file in self.files if self.platform.has_run(file.source)]
            return any(SalesRow(each.sale, REFUNDED) in f.rows for each in same for f in begun)
        newer = [each for each in file.rows if each.sale == row.sale and each.step > row.step]
        applied = [each.row() for each in google.applied]
        return bool(newer) or any(a.sale == row.sale and a.step > row.step for a in applied)

    # ── the value of an order ────────────────────────────────────────────────────────────────

    def _verify_value(self, sale: SalesRow) -> None:
        """Each order holds its highest-ranked correction, unless Google refused that for good."""
        google = self.platform.google
        held = google.value_of(sale)
        if held == "nothing":
            return
        of_sale = [
            (request, at, row)
            for request in google.requests
            for at, row in enumerate(request.rows)
            if row.sale == sale.sale
        ]
        taken = max((row.step for request, at, row in of_sale if at in request.taken), default=SOLD)
        # What Google has refused, or what could never be sent, may still travel with another row.
        begun = [file for file in self.files if self.platform.has_run(file.source)]
        known = {row.step for file in begun for row in file.rows if row.sale == sale.sale}
        steps = [taken, *(step for step in known if step > taken)]
        allowed = [SalesRow(sale.sale, step).worth for step in steps]
        if held not in allowed and not self._is_unknowable(sale, of_sale):
            self.expect(False, f"sale {sale.sale} is worth {held}, not {allowed}")

    def _is_unknowable(
        self, sale: SalesRow, of_sale: Sequence[tuple[Request, int, SalesRow]]
    ) -> bool:
        """Return whether the design does not promise the value of this order."""
        accepted = [(r, at, row) for r, at, row in of_sale if r.processed_at and at in r.taken]
        if not accepted:
            return False
        last, _, row = max(accepted, key=lambda each: each[0].processed_at)
        later = [r for r, _, _ in of_sale if r.began_at > last.began_at and r.processed_at]
        is_overtaken = any(r.processed_at < last.processed_at for r in later)
        # An answer that got lost with its process: nobody knows the request, and Google has
        # processed it after a later one.
        is_orphan = not last.was_asked and is_overtaken
        # Nobody can read what became of it, so nobody looks again.
        is_silent = last.was_asked and not last.is_reported
        # The row cannot be sent again: its file is gone, or was stopped.
        file = self.file_of(last.run)
        is_gone = file.lost_its_name or (file.gone is not None and not file.is_kept)
        is_over = is_gone or file.stopped is not None
        # A retraction by the other API beside a sale in flight.
        retractions = [r for r, _, row in of_sale if row.step == REFUNDED]
        is_beside = any(
            last.began_at < r.answered_at < last.processed_at or not r.answered_at
            for r in retractions
        )
        # Google has refused the row when it was sent again with the newer value.
        again = [(r, at) for r, at, other in of_sale if r.run == last.run and other == row]
        is_refused = any(r.began_at > last.began_at and place not in r.taken for r, place in again)
        return is_orphan or is_silent or is_over or is_beside or is_refused


def _sent(row: SalesRow, requests: Sequence[Request]) -> Iterator[tuple[Request, int]]:
    """Yield the requests that have sent a row, each with its position, oldest first."""
    for request in requests:
        for position, other in enumerate(request.rows):
            if other == row:
                yield request, position
