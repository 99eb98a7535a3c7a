"""What Google's reports count is shown beside what was uploaded, once a day."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta

import pytest

from lib.destinations.base import AccountCache, LookupState, ReportedAction
from lib.errors import PermanentError, UploadError
from lib.model.account import Account, Action
from lib.model.log import Log
from tests.fakes import World, deliver, sweep, world
from tests.rows import CORE_COLUMNS, core_row, csv_bytes

ACCOUNT = Account(
    "1234567890",
    "1234567890",
    currency_code="USD",
    verified=True,
    actions={"1001": Action("1001", "Phone sale", True, frozenset({"conversion"}), False, 90)},
)


class Reporting:
    """A lookup with a report. `asked` has the days of each question."""

    def __init__(self, failure: UploadError | None = None) -> None:
        self.asked: list[tuple[date, date]] = []
        self.failure = failure

    def known(
        self, customer: str, manager: str | None, cache: AccountCache, log: Log
    ) -> Account | None:
        return ACCOUNT

    def account(self, customer: str, manager: str | None, cache: AccountCache) -> Account | None:
        return ACCOUNT

    def state(self, customer: str) -> LookupState:
        return LookupState(ACCOUNT, "")

    def reported(
        self, customer: str, manager: str | None, first: date, last: date
    ) -> Mapping[str, ReportedAction]:
        self.asked.append((first, last))
        if self.failure is not None:
            raise self.failure
        return {"1001": ReportedAction(1.5, 120.0), "1004": ReportedAction(99.0, 9_900.0)}


def page_of(google: World) -> str:
    return google.store.objects["out-bucket", "index.html"][0].decode()


def deliver_two_rows(lookup: Reporting) -> World:
    """Deliver two rows of a profile that names its action."""
    google = world()
    google.lookup = lookup
    columns = [each for each in CORE_COLUMNS if each != "conversion_action"]
    when = google.clock.utc() - timedelta(days=3)
    rows = []
    for number in (1, 2):
        moment = when + timedelta(seconds=number)
        row = core_row(number, conversion_date_time=f"{moment:%Y-%m-%d %H:%M:%S+00:00}")
        rows.append({name: row[name] for name in columns})
    assert deliver(google, "a.csv", csv_bytes(rows, columns)) == "completed"
    return google


def test_the_overview_shows_uploaded_beside_counted() -> None:
    """After two days, for the last thirty of them; only the actions of the profile; once a day."""
    lookup = Reporting()
    google = deliver_two_rows(lookup)
    sweep(google)
    assert "What Google" not in page_of(google)
    google.clock.seconds += 3 * 86_400
    for _ in range(2):
        sweep(google)
    last = google.clock.utc().date() - timedelta(days=2)
    assert lookup.asked == [(last - timedelta(days=29), last)]
    shown = page_of(google)
    assert "What Google&#39;s reports count" in shown or "What Google's reports count" in shown
    assert "<bdi>Phone sale</bdi>" in shown
    assert '<td class="number">2</td><td class="number">1.5</td>' in shown
    assert "120\u00a0USD" in shown
    google.clock.seconds += 86_400
    sweep(google)
    assert len(lookup.asked) == 2


@pytest.mark.parametrize("failure", [PermanentError("ACTION_NOT_PERMITTED")])
def test_a_report_that_is_refused_is_left_out(failure: UploadError) -> None:
    """The overview is written without it, and Google is not asked again on that day."""
    lookup = Reporting(failure)
    google = deliver_two_rows(lookup)
    google.clock.seconds += 3 * 86_400
    for _ in range(2):
        sweep(google)
    assert "reports count" not in page_of(google)
    assert len(lookup.asked) == 1


def test_nothing_is_asked_if_lookups_are_switched_off() -> None:
    """LOOK_UP_ACCOUNTS=false."""
    lookup = Reporting()
    google = deliver_two_rows(lookup)
    google.settings = google.settings.model_copy(update={"look_up_accounts": False})
    google.clock.seconds += 3 * 86_400
    sweep(google)
    assert lookup.asked == []
