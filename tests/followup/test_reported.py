"""What Google's reports count is shown beside what was uploaded, once a day."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, timedelta

import pytest

from lib.destinations.base import LookupState, ReportedAction
from lib.errors import PermanentError, UploadError
from lib.model.account import Account, Action
from lib.model.log import Log
from lib.model.outcomes import MOST_ACTIONS, Tally
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
        self.sold = ""
        self.asked: list[tuple[date, date]] = []
        self.failure = failure

    def known(self, customer: str, manager: str | None, log: Log) -> Account | None:
        return ACCOUNT

    def account(self, customer: str, manager: str | None) -> Account | None:
        return ACCOUNT

    def state(self, customer: str) -> LookupState:
        return LookupState(ACCOUNT, "")

    def reported(
        self, customer: str, manager: str | None, first: date, last: date
    ) -> Mapping[tuple[str, str], ReportedAction]:
        self.asked.append((first, last))
        if self.failure is not None:
            raise self.failure
        return {
            ("1001", self.sold): ReportedAction(1.5, 120.0),
            ("1001", f"{first}"): ReportedAction(4.0, 100.0),
            ("1004", self.sold): ReportedAction(99.0, 9_900.0),
        }


def page_of(google: World) -> str:
    return google.store.objects["out-bucket", "index.html"][0].decode()


def deliver_two_rows(lookup: Reporting) -> World:
    """Deliver two rows of a profile that names its action."""
    google = world()
    google.lookup = lookup
    columns = [each for each in CORE_COLUMNS if each != "conversion_action"]
    when = google.clock.utc() - timedelta(days=3)
    lookup.sold = f"{when:%F}"
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
    day = '<td class="number">{}</td><td class="number">{}</td><td class="number">{}\u00a0USD</td>'
    assert day.format(2, 5.5, 220) in shown
    _, _, by_day = shown.partition("Day by day")
    assert f"<td>{lookup.sold}</td>" in by_day
    assert day.format(2, 1.5, 120) in by_day
    assert day.format(0, 4, 100) in by_day
    assert "9,900" not in shown
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


def test_a_report_shows_its_uploads_by_action_and_day() -> None:
    """Also rows that are sent again later, once; not those that were refused at once. The label has
    the same, and the newest days only."""
    google = world()
    google.api.deferred, google.api.too_old = {"SO-3"}, {"SO-4"}
    days = []
    rows = []
    for number in range(70):
        moment = google.clock.utc() - timedelta(days=max(2, number))
        days.append(f"{moment:%F}")
        time = f"{moment:%Y-%m-%d %H:%M:%S+00:00}"
        rows.append(core_row(number, conversion_date_time=time, order_id=f"SO-{number}"))
    deliver(google, "a.csv", csv_bytes(rows, CORE_COLUMNS))
    for _ in range(2):
        (name,) = (n for n in google.store.names("out-bucket") if n.endswith(".results.json"))
        label = google.store.labels["out-bucket", name].metadata
        of_action = json.loads(label["days"])["1001"]
        assert of_action.pop(days[2]) == 3  # the rows 0, 1 and 2
        assert days[4] not in of_action
        assert {*of_action} == {days[3], *days[5:63]}
        assert {*of_action.values()} == {1}
        report = name.replace(".json", ".html")
        page = google.store.objects["out-bucket", report][0].decode()
        day = '<tr><td>{}</td><td><bdi>Phone sale</bdi></td><td class="number">{}</td></tr>'
        assert day.format(days[2], 3) in page
        assert day.format(days[3], 1) in page
        assert days[4] not in page
        google.api.deferred.clear()
        google.clock.seconds += 86_400
        sweep(google)
    assert "SO-3" in google.api.counted


def labelled(google: World) -> dict[str, str]:
    (name,) = (n for n in google.store.names("out-bucket") if n.endswith(".results.json"))
    return dict(google.store.labels["out-bucket", name].metadata)


def test_a_row_enters_its_day_when_google_gets_it_and_leaves_it_when_google_refuses_it() -> None:
    """A row that waits for the rest of the file is no upload yet, and one that is refused when it
    is sent again was none."""
    google = world()
    day = google.clock.utc() - timedelta(days=2)
    time = f"{day:%Y-%m-%d %H:%M:%S+00:00}"
    rows = [core_row(n, conversion_date_time=time, order_id=f"SO-{n}") for n in (1, 2, 3)]
    google.api.deferred = {"SO-1"}
    deliver(google, "a.csv", csv_bytes(rows, CORE_COLUMNS).rstrip())
    assert json.loads(labelled(google)["days"]) == {"1001": {f"{day:%F}": 2}}  # SO-1 and SO-2
    google.api.deferred.clear()
    google.api.too_old = {"SO-1"}
    google.clock.seconds += 86_400
    sweep(google)
    assert {*google.api.counted} == {"SO-2", "SO-3"}
    assert json.loads(labelled(google)["days"]) == {"1001": {f"{day:%F}": 2}}  # SO-2 and SO-3


def test_a_test_uploads_on_no_day() -> None:
    """With validate_only, a last row that is sent later counts as little as the others."""
    google = world()
    google.profiles["default"]["validate_only"] = True
    time = f"{google.clock.utc() - timedelta(days=2):%Y-%m-%d %H:%M:%S+00:00}"
    rows = [core_row(n, conversion_date_time=time) for n in (1, 2)]
    deliver(google, "a.csv", csv_bytes(rows, CORE_COLUMNS).rstrip())
    google.clock.seconds += 86_400
    sweep(google)
    label = labelled(google)
    assert json.loads(label["counts"]) == {"rows": 2, "ok": 2, "waited": 1}
    assert "days" not in label


def test_days_that_a_label_has_no_room_for_are_not_compared(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Otherwise Google would seem to count more than was uploaded."""
    monkeypatch.setattr("lib.results.document.MOST_LABELLED_DAYS", 10)
    lookup = Reporting()
    google = world()
    google.lookup = lookup
    rows = []
    for number in range(30):
        moment = google.clock.utc() - timedelta(days=2 + number)
        time = f"{moment:%Y-%m-%d %H:%M:%S+00:00}"
        rows.append(core_row(number, conversion_date_time=time))
    deliver(google, "a.csv", csv_bytes(rows, CORE_COLUMNS))
    label = labelled(google)
    days = {day for of_action in json.loads(label["days"]).values() for day in of_action}
    assert min(days) > label["days_after"] > ""
    google.clock.seconds += 3 * 86_400
    sweep(google)
    ((first, _),) = lookup.asked
    assert f"{first:%F}" == f"{date.fromisoformat(label['days_after']) + timedelta(days=1):%F}"


def test_damaged_reports_are_asked_for_again() -> None:
    """They are a copy of what Google knows."""
    lookup = Reporting()
    google = deliver_two_rows(lookup)
    google.clock.seconds += 3 * 86_400
    google.store.put("out-bucket", "_state/reports.json", b'{"format":1,"read_at":""}')
    sweep(google)
    assert len(lookup.asked) == 1
    assert "reports count" in page_of(google)


def test_a_column_with_another_number_in_each_row_names_no_thousands_of_actions() -> None:
    """The days of a file stay small, whatever its column of actions contains."""
    total = Tally()
    for number in range(5 * MOST_ACTIONS):
        total.add(Tally(days={str(number): {"2026-11-24": 1}}))
        total.add(Tally(days={"0": {"2026-11-24": 1}}))
    assert len(total.days) == MOST_ACTIONS
    assert total.days["0"] == {"2026-11-24": 5 * MOST_ACTIONS + 1}
