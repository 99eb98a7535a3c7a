"""`actions` in a profile: the stage of a row chooses its conversion action, value and time."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.cli.commands import main
from lib.destinations.base import UploadResult
from lib.model.account import Account
from lib.model.deadline import Deadline
from lib.model.records import Conversion
from lib.run.chunks import CHUNK_ROWS
from lib.source.table import FIRST_LINES
from tests.fakes import START, FakeApi, FakeBatch, World, deliver, deliver_again, sweep, world
from tests.workbooks import workbook

STAGES = {
    "Qualified": {"action": 1001, "value": 50, "time": "Qualified on"},
    "Proposal": {"action": "1003", "time": "Proposed on"},
    "Won": {"action": 1002},
}
COLUMNS = ("Deal ID", "Stage", "email", "Amount", "Close Date", "Qualified on", "Proposed on")
CLOSED = "2026-11-20 10:00:00-06:00"
QUALIFIED = "2026-11-10 09:00:00-06:00"
PROPOSED = "2026-11-15 17:30:00-06:00"


@dataclass(slots=True)
class ApiOfStages(FakeApi):
    """Counts an order once for each conversion action, as Google does: `D1/1001`.

    `sent` are all conversions that it has counted, `customers` the number of accounts it was asked
    for. The actions in `wrong` accept no conversions.
    """

    sent: list[Conversion] = field(default_factory=list)
    wrong: set[str] = field(default_factory=set)
    actions: tuple[str, ...] = ("1001", "1002", "1003")

    def account(self, customer_id: str, *, fresh: bool = False) -> Account:
        account = FakeApi.account(self, customer_id, fresh=fresh)
        action = account.actions["1001"]
        calls = frozenset({"call"})
        return replace(
            account,
            actions={
                each: replace(
                    *(action,),
                    id=each,
                    name=f"Action {each}",
                    accepts=calls if each in self.wrong else action.accepts,
                )
                for each in self.actions
            },
        )

    def send(self, batch: FakeBatch, deadline: Deadline) -> UploadResult:
        named = FakeBatch(batch.job_id)
        for each in batch.records:
            named.records.append(each._replace(order_id=f"{each.order_id}/{each.action_id}"))
        before = set(self.counted)
        try:
            return FakeApi.send(self, named, deadline)
        finally:
            new = set(self.counted) - before
            for each, key in zip(batch.records, named.records, strict=True):
                if isinstance(each, Conversion) and key.order_id in new:
                    new.remove(key.order_id)
                    self.sent.append(each)


def google_with(destination: str = "google_ads", **profile: Any) -> World:
    made = world()
    made.api = ApiOfStages()
    del made.profiles["default"]["conversion_action"]
    made.profiles["default"] |= {
        "actions": {"Stage": STAGES},
        "headers": {"order_id": "Deal ID"},
        **profile,
    }
    made.use_destination(destination)
    return made


def api_of(google: World) -> ApiOfStages:
    assert isinstance(google.api, ApiOfStages)
    return google.api


def deal(number: int, stage: str, **cells: str) -> dict[str, str]:
    made = {
        "Deal ID": f"D{number}",
        "Stage": stage,
        "email": f"lead.{number}@example.com",
        "Amount": "1200.5",
        "Close Date": CLOSED,
        "Qualified on": QUALIFIED,
        "Proposed on": PROPOSED,
    }
    return {**made, **cells}


def csv_of(rows: Sequence[Mapping[str, str]], columns: Sequence[str] = COLUMNS) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def document(google: World, name: str) -> dict[str, Any]:
    written = [each for each in google.store.names("out-bucket") if each.startswith(f"{name}.")]
    found = [each for each in written if each.endswith(".results.json")][-1]
    content: dict[str, Any] = json.loads(google.store.objects["out-bucket", found][0])
    return content


def counts(google: World, name: str) -> dict[str, int]:
    found = document(google, name)["counts"]
    return {key: count for key, count in found.items() if count and key not in ("rows", "awaiting")}


def sent(google: World) -> list[tuple[str | None, str, float | None, str]]:
    records = api_of(google).sent
    return [(each.order_id, each.action_id, each.value, each.time) for each in records]


@pytest.mark.parametrize("destination", ["google_ads", "data_manager"])
def test_every_stage_has_its_action_value_and_time(destination: str) -> None:
    """A constant replaces the amount, another column the time; other stages are skipped."""
    google = google_with(destination)
    rows = [
        deal(1, "Qualified"),
        deal(2, "Won"),
        deal(3, "Lost"),
        deal(4, " proposal "),
        deal(5, ""),
    ]
    assert deliver(google, "deals.csv", csv_of(rows)) == "completed"
    assert sent(google) == [
        ("D1", "1001", 50.0, QUALIFIED),
        ("D2", "1002", 1200.5, CLOSED),
        ("D4", "1003", 1200.5, PROPOSED),
    ]
    assert {each.currency_code for each in api_of(google).sent} == {"USD"}
    found = document(google, "deals.csv")
    assert counts(google, "deals.csv") == {"uploaded": 3, "skipped": 2}
    assert [note["code"] for note in found["notes"]] == []
    assert found["columns"] == {
        "order_id": "Deal ID",
        "conversion_action": "Stage",
        "email": "email",
        "conversion_value": "Amount",
        "conversion_date_time": "Close Date",
        "conversion_date_time_2": "Qualified on",
        "conversion_date_time_3": "Proposed on",
    }


@pytest.mark.parametrize("destination", ["google_ads", "data_manager"])
def test_tomorrows_export_adds_only_the_new_stages(destination: str) -> None:
    """An order that has moved on is a conversion of another action; a repeat is a duplicate."""
    google = google_with(destination)
    deliver(google, "monday.csv", csv_of([deal(1, "Qualified"), deal(2, "Won"), deal(3, "Open")]))
    deliver(google, "tuesday.csv", csv_of([deal(1, "Won"), deal(2, "Won"), deal(3, "Qualified")]))
    assert [each[:2] for each in sent(google)] == [
        *(("D1", "1001"), ("D2", "1002")),
        *(("D1", "1002"), ("D3", "1001")),
    ]
    assert counts(google, "tuesday.csv") == {"uploaded": 2, "duplicate": 1}


def test_one_file_may_have_several_stages_of_an_order() -> None:
    """A history of stages has a row for each: none of them repeats another one."""
    google = google_with()
    rows = [deal(1, "Qualified"), deal(1, "Proposal"), deal(1, "Won"), deal(1, "Won")]
    deliver(google, "history.csv", csv_of(rows))
    assert [each[:2] for each in sent(google)] == [("D1", "1001"), ("D1", "1003"), ("D1", "1002")]
    assert counts(google, "history.csv") == {"uploaded": 3, "duplicate": 1}


@pytest.mark.parametrize("destination", ["google_ads", "data_manager"])
def test_a_crash_between_two_chunks_changes_nothing(destination: str) -> None:
    """The second attempt sends the rest by the profile of the first, and nothing twice."""
    google = google_with(destination)
    stages = [*STAGES, "Lost"]
    rows = [deal(n, stages[n % 4]) for n in range(2 * CHUNK_ROWS)]
    google.api.after = _dies_after(2)
    with pytest.raises(KeyboardInterrupt):
        deliver(google, "deals.csv", csv_of(rows))
    google.api.after = lambda number: None
    google.profiles["default"]["actions"] = {"Stage": {"Won": {"action": 1001}}}
    google.clock.seconds += 61
    assert deliver_again(google, "deals.csv") == "completed"
    assert sorted(sent(google)) == sorted(filter(None, map(_expected, rows)))
    # The answer about the second chunk was lost, so its conversions come back as duplicates.
    assert counts(google, "deals.csv") == {"uploaded": 1_500, "duplicate": 1_500, "skipped": 1_000}


def _dies_after(batch: int) -> Any:
    def dies(number: int) -> None:
        if number == batch:
            raise KeyboardInterrupt

    return dies


def _expected(row: Mapping[str, str]) -> tuple[str, str, float, str] | None:
    """What is sent of a row, in words of this test."""
    expected = {
        "Qualified": ("1001", 50.0, row["Qualified on"]),
        "Proposal": ("1003", float(row["Amount"]), row["Proposed on"]),
        "Won": ("1002", float(row["Amount"]), row["Close Date"]),
    }
    found = expected.get(row["Stage"])
    return (row["Deal ID"], *found) if found else None


def test_deferred_rows_are_sent_again_as_what_they_were() -> None:
    """The sweep reads the file again, with the profile that its run started with."""
    google = google_with()
    google.api.too_recent = {"D2/1001", "D3/1002"}
    rows = [deal(1, "Won"), deal(2, "Qualified"), deal(3, "Won"), deal(4, "Lost")]
    assert deliver(google, "deals.csv", csv_of(rows)) == "waiting"
    google.api.too_recent = set()
    google.profiles["default"]["actions"] = {"Stage": {"Lost": {"action": 1001}}}
    google.clock.seconds += 7 * 3600
    sweep(google)
    assert sorted(sent(google)) == sorted(filter(None, map(_expected, rows)))
    assert counts(google, "deals.csv") == {"uploaded": 3, "skipped": 1}


REFUNDED = {
    "refunds": {"Paid": ["Refunded"]},
    "headers": {"order_id": "Deal ID", "adjustment_date_time": "Refunded on"},
}
WITH_REFUNDS = (*COLUMNS, "Paid", "Refunded on", "adjusted_value")


def refund(number: int, stage: str, **cells: str) -> dict[str, str]:
    made = {"Paid": "Refunded", "Refunded on": "2026-11-22 08:00:00-06:00", "adjusted_value": ""}
    return deal(number, stage, **{**made, **cells})


@pytest.mark.parametrize("destination", ["google_ads", "data_manager"])
def test_a_refund_adjusts_the_conversion_of_its_stage(destination: str) -> None:
    """Its stage names the action, as it did for the sale; refunds of other stages are counted."""
    google = google_with(destination, **REFUNDED)
    rows = [
        deal(1, "Won"),
        refund(2, "Won", adjusted_value="80"),
        refund(3, "Qualified", adjusted_value="20"),
        refund(4, "Lost"),
    ]
    deliver(google, "deals.csv", csv_of(rows, WITH_REFUNDS))
    assert sent(google) == [("D1", "1002", 1200.5, CLOSED)]
    assert google.api.adjusted == [("D2/1002", 80.0), ("D3/1001", 20.0)]
    assert counts(google, "deals.csv") == {"uploaded": 3, "skipped": 1}
    notes = {note["code"]: note["detail"] for note in document(google, "deals.csv")["notes"]}
    assert notes["REFUNDS_SKIPPED"] == '1 row; actions "Stage"'


@pytest.mark.parametrize("others", [0, 40])
def test_columns_that_nobody_reads_change_nothing(others: int) -> None:
    """A wide file, of which only the used cells are kept, is read like a narrow one."""
    google = google_with(exclude={"Owner": ["Test"]}, **REFUNDED)
    notes = [f"Note {number}" for number in range(others)]
    columns = ("Owner", "Pipeline Status", "Type")
    columns = tuple(
        name for each in (*WITH_REFUNDS, *columns) for name in (*notes[:3], each, *notes[3:])
    )
    rows = [
        deal(1, "Won", Owner="Test"),
        deal(3, "Won", Amount="much"),
        refund(4, "Qualified", adjusted_value="20"),
        refund(5, "Won"),
        *[deal(7, "Lost")] * FIRST_LINES,
        deal(2, "Proposal", **{"Pipeline Status": "Lost"}),
        deal(6, "Won", Type="Retract"),
    ]
    rows = [{**dict.fromkeys(notes, f"text {at}"), **row} for at, row in enumerate(rows)]
    deliver(google, "deals.csv", csv_of(rows, tuple(dict.fromkeys(columns))))
    assert sent(google) == [("D2", "1003", 1200.5, PROPOSED)]
    assert google.api.adjusted == [("D4/1001", 20.0), ("D5/1002", None)]
    found = document(google, "deals.csv")
    listed = [(row["line"], row["errors"][0]["code"]) for row in found["rows"]]
    assert listed == [(3, "INVALID_CONVERSION_VALUE"), (len(rows) + 1, "ADJUSTMENT_ROW")]
    stages = {note["code"]: note["detail"] for note in found["notes"]}["STAGES_NOT_FILTERED"]
    assert stages.startswith('"Pipeline Status": 1 row')


def test_a_refund_may_be_a_stage_of_its_own() -> None:
    """Then `actions` says which conversion it adjusts; a file without refunds gets no note."""
    stages = {**STAGES, "Refunded": {"action": 1002}}
    refunds = {**REFUNDED, "refunds": {"Stage": ["Refunded"]}}
    google = google_with(actions={"Stage": stages}, **refunds)
    rows = [deal(1, "Won"), deal(2, "Qualified"), deal(3, "Proposal")]
    columns = (*COLUMNS, "Refunded on", "adjusted_value")
    deliver(google, "sales.csv", csv_of(rows, columns))
    assert document(google, "sales.csv")["notes"] == []
    deliver(google, "refunds.csv", csv_of([refund(1, "Refunded")], columns))
    assert google.api.adjusted == [("D1/1002", None)]


def test_a_crash_between_sales_and_refunds_changes_nothing() -> None:
    """The parts of a chunk keep their stages when another attempt sends the rest."""
    google = google_with(**REFUNDED)
    rows = [deal(1, "Won"), refund(2, "Won"), deal(3, "Qualified"), refund(4, "Qualified")]
    google.api.before = _dies_after(2)
    with pytest.raises(KeyboardInterrupt):
        deliver(google, "deals.csv", csv_of(rows, WITH_REFUNDS))
    google.api.before = lambda number: None
    google.clock.seconds += 61
    deliver_again(google, "deals.csv")
    google.clock.seconds += 7 * 3600
    sweep(google)
    assert sent(google) == [("D1", "1002", 1200.5, CLOSED), ("D3", "1001", 50.0, QUALIFIED)]
    assert google.api.adjusted == [("D2/1002", None), ("D4/1001", None)]
    assert counts(google, "deals.csv") == {"uploaded": 4}


@pytest.mark.parametrize(
    "changed, code, detail",
    [
        ({"actions": ("1001", "1003")}, "UNKNOWN_ACTION", 'actions "Won" in the profile: "1002"'),
        ({"wrong": {"1003"}}, "ACTION_FOR_CALLS", 'actions "Proposal" in the profile: "1003"'),
        ({"wrong": {"1001"}}, "ACTION_FOR_CALLS", 'actions "Qualified" in the profile: "1001"'),
    ],
)
def test_a_wrong_action_stops_the_file_once(
    changed: Mapping[str, Any], code: str, detail: str
) -> None:
    """Each action is checked before the first row, also one that no row of this file has."""
    google = google_with()
    for name, value in changed.items():
        setattr(google.api, name, value)
    assert deliver(google, "deals.csv", csv_of([deal(1, "Lost")])) == "stopped"
    error = document(google, "deals.csv")["file_error"]
    assert (error["code"], error["detail"]) == (code, detail)
    assert (google.api.batches, counts(google, "deals.csv")) == (0, {"not_attempted": 1})


@pytest.mark.parametrize(
    "renamed, profile, code, detail",
    [
        (
            {"Deal ID": "Reference"},
            {"headers": {}},
            "INVALID_PROFILE",
            "actions: the file has no column of order IDs.",
        ),
        (
            {"Amount": "Conversion Name"},
            {},
            "INVALID_PROFILE",
            'actions: the column "Conversion Name" (column 4) names the conversion action',
        ),
        ({"Stage": "Stge"}, {}, "FILTER_COLUMN_MISSING", 'actions "Stage"; did you mean "Stge"?'),
        (
            {"Proposed on": "Proposal on"},
            {},
            "FILTER_COLUMN_MISSING",
            'actions "Proposed on"; did you mean "Proposal on"?',
        ),
        ({"Close Date": "Closing"}, {}, "NO_TIME_COLUMN", ""),
        (
            {"Qualified on": "Qualified on (UTC)"},
            {
                "actions": {
                    "Stage": {
                        "Won": {"action": 1, "time": "Qualified on (UTC)"},
                        "A": {"action": 1},
                    }
                }
            },
            "INVALID_PROFILE",
            "actions: the columns of the times have different time zones in their names.",
        ),
    ],
)
def test_a_file_that_does_not_fit_is_stopped_before_the_api_is_asked(
    renamed: Mapping[str, str], profile: Mapping[str, Any], code: str, detail: str
) -> None:
    """The error names the column, and nothing is sent."""
    google = google_with(**profile)
    header = [renamed.get(name, name) for name in COLUMNS]
    rows = [{renamed.get(name, name): cell for name, cell in deal(1, "Won").items()}]
    assert deliver(google, "deals.csv", csv_of(rows, header)) == "stopped"
    error = document(google, "deals.csv")["file_error"]
    assert error["code"] == code
    assert error["detail"].startswith(detail)
    assert google.api.batches == 0


def test_a_column_of_actions_may_be_the_stage_itself() -> None:
    """The values of `Conversion Name` are then stages: none of them is an action of the account."""
    google = google_with(actions={"Conversion Name": {"Signed": {"action": 1002}}})
    header = ["Conversion Name" if name == "Stage" else name for name in COLUMNS]
    rows = [deal(n, "") | {"Conversion Name": stage} for n, stage in enumerate(("Signed", "1001"))]
    deliver(google, "deals.csv", csv_of(rows, header))
    assert [each[:2] for each in sent(google)] == [("D0", "1002")]


def test_the_zone_in_the_name_of_a_time_is_that_of_its_cells() -> None:
    """The name of the only column with times says UTC, and the profile America/Chicago."""
    actions = {"Stage": {"Won": {"action": 1002, "time": "Won on (UTC)"}}}
    google = google_with(actions=actions)
    rows = [deal(1, "Won") | {"Won on (UTC)": "2026-11-20 10:00:00"}]
    deliver(google, "deals.csv", csv_of(rows, (*COLUMNS, "Won on (UTC)")))
    assert [each.time for each in api_of(google).sent] == ["2026-11-20 10:00:00+00:00"]
    assert "DATE_COLUMN_CHOSEN" not in document(google, "deals.csv")["codes"]


def test_a_row_without_the_time_of_its_stage_is_rejected() -> None:
    """The problem names the column of that stage, and other times do not replace it."""
    google = google_with()
    rows = [
        deal(1, "Qualified", **{"Qualified on": ""}),
        deal(2, "Proposal", **{"Proposed on": "soon"}),
        deal(3, "Won", **{"Close Date": "N/A", "Qualified on": ""}),
        deal(4, "Proposal", **{"Proposed on": "NULL"}),
        deal(5, "Proposal", **{"Close Date": "", "Qualified on": "never"}),
    ]
    deliver(google, "deals.csv", csv_of(rows))
    found = document(google, "deals.csv")
    problems = [(row["line"], *row["errors"][0].values()) for row in found["rows"]]
    assert problems == [
        (2, "TIME_MISSING", "conversion_date_time_2", ""),
        (3, "INVALID_DATE", "conversion_date_time_3", ""),
        (4, "TIME_MISSING", "conversion_date_time", ""),
        (5, "TIME_MISSING", "conversion_date_time_3", ""),
    ]
    notes = [note["detail"] for note in found["notes"] if note["code"] == "PLACEHOLDERS"]
    assert [note.partition(":")[0] for note in notes] == [
        'column "Close Date", 1 row',
        'column "Proposed on", 1 row',
    ]
    assert [each[0] for each in sent(google)] == ["D5"]


def test_a_warning_about_a_time_names_its_column() -> None:
    """Rows that are sent have warnings too."""
    google = google_with()
    rows = [deal(1, "Qualified", **{"Qualified on": "2026-11-10"}), deal(2, "Won")]
    deliver(google, "deals.csv", csv_of(rows))
    (row,) = document(google, "deals.csv")["rows"]
    assert row["warnings"] == [
        {"code": "DATE_WITHOUT_TIME", "field": "conversion_date_time_2", "detail": ""}
    ]


@pytest.mark.parametrize(
    "value, decimal_comma, amount, currency, expected",
    [
        (0, False, "7", "", (0.0, "USD")),
        (None, False, "7", "", (7.0, "USD")),
        (None, False, "", "", (None, None)),
        (49.5, True, "", "EUR", (49.5, "EUR")),
        (1.234, False, "7", "", (1.234, "USD")),
        (1234.5, True, "7,5", "GBP", (1234.5, "GBP")),
        (1e-7, False, "7", "", (1e-7, "USD")),
        (10**15, False, "nothing", "", (1e15, "USD")),
    ],
)
def test_a_constant_value_is_an_amount_of_the_row(
    value: float | None, decimal_comma: bool, amount: str, currency: str, expected: tuple[Any, Any]
) -> None:
    """It is in the currency of the row or the profile; the amount that it replaces is not read."""
    actions = {"Stage": {"Won": {"action": 1002, "value": value}}}
    google = google_with(actions=actions, decimal_comma=decimal_comma)
    row = deal(1, "Won", Amount=amount) | {"Currency": currency}
    deliver(google, "deals.csv", csv_of([row], (*COLUMNS, "Currency")))
    (found,) = api_of(google).sent
    assert (found.value, found.currency_code) == expected


def test_a_file_needs_no_amounts_and_no_common_time() -> None:
    """Every stage may have its own value and the column of its time."""
    actions = {"Stage": {"Qualified": {"action": 1001, "value": 5, "time": "Qualified on"}}}
    google = google_with(actions=actions)
    rows = [deal(1, "Qualified")]
    deliver(google, "deals.csv", csv_of(rows, ("Deal ID", "Stage", "email", "Qualified on")))
    assert sent(google) == [("D1", "1001", 5.0, QUALIFIED)]


def test_a_time_of_day_belongs_to_one_date_only() -> None:
    """It completes the file's own date, and never that of another stage."""
    actions = {"Stage": {"Won": {"action": 1002}, "Qualified": STAGES["Qualified"]}}
    google = google_with(actions=actions)
    cells = {"Close Date": "2026-11-20", "Qualified on": "2026-11-10", "Time": "15:00"}
    rows = [deal(n, stage) | cells for n, stage in enumerate(("Won", "Qualified"))]
    deliver(google, "deals.csv", csv_of(rows, (*COLUMNS, "Time")))
    times = [each.time for each in api_of(google).sent]
    assert times == ["2026-11-20 15:00:00-06:00", "2026-11-10 00:00:00-06:00"]


def test_the_time_of_day_completes_the_only_date() -> None:
    """It does so too if the profile names the column of the date."""
    actions = {"Stage": {"Qualified": STAGES["Qualified"]}}
    google = google_with(actions=actions)
    row = deal(1, "Qualified") | {"Qualified on": "2026-11-10", "Time": "15:00"}
    deliver(google, "deals.csv", csv_of([row], (*COLUMNS, "Time")))
    assert [each.time for each in api_of(google).sent] == ["2026-11-10 15:00:00-06:00"]


@pytest.mark.parametrize("last", ["Qualified on", "Stage", "Notes"])
def test_a_last_line_that_may_be_cut_waits_if_a_stage_reads_its_last_column(last: str) -> None:
    """A cut time or stage would be another conversion; a column that nobody reads may be cut."""
    google = google_with()
    columns = [*(each for each in COLUMNS if each != last), last]
    content = csv_of([deal(1, "Won"), deal(2, "Qualified", Notes="a note")], columns).rstrip()
    waits = last != "Notes"
    assert deliver(google, "deals.csv", content) == ("waiting" if waits else "completed")
    assert [each[0] for each in sent(google)] == (["D1"] if waits else ["D1", "D2"])


def test_a_value_that_no_row_has_is_noted() -> None:
    """The note names the key and the column, and counts similar cells, as for `include`."""
    google = google_with()
    deliver(google, "deals.csv", csv_of([deal(1, "Qualifed"), deal(2, "Won")]))
    (note,) = document(google, "deals.csv")["notes"]
    assert note["code"] == "FILTER_VALUE_NOT_FOUND"
    assert note["detail"] == (
        'actions "Stage": "Qualified", but a similar value in 1 row; actions "Stage": "Proposal"'
    )


def test_a_file_of_adjustments_names_its_actions_itself() -> None:
    """It needs no stages: `actions` is about conversions."""
    google = google_with()
    content = (
        b"Order ID,Conversion Name,Adjustment Time,Adjustment Type,Adjusted Value\n"
        b"D1,1002,2026-11-22 10:00:00-06:00,RETRACT,\n"
    )
    assert deliver(google, "adjustments.csv", content) == "completed"
    assert google.api.adjusted == [("D1/1002", None)]


def test_a_workbook_has_stages_too() -> None:
    """Times are cells with a date format, and an amount is a number."""
    google = google_with()
    at = datetime(2026, 11, 12, 9, 30)
    rows = [
        list(COLUMNS),
        ["D1", "Qualified", "a@example.com", 900, at, at + timedelta(days=1), None],
        ["D2", "Won", "b@example.com", 900, at, None, None],
        ["D3", "Lost", "c@example.com", 900, at, None, None],
    ]
    deliver(google, "deals.xlsx", workbook(rows))
    assert sent(google) == [
        ("D1", "1001", 50.0, "2026-11-13 09:30:00-06:00"),
        ("D2", "1002", 900.0, "2026-11-12 09:30:00-06:00"),
    ]
    assert counts(google, "deals.xlsx") == {"uploaded": 2, "skipped": 1}


def test_check_and_fix_point_at_the_column_of_the_stage(tmp_path: Path) -> None:
    """Both name it, and `check` knows which rows count."""
    rows = [deal(1, "Qualified", **{"Qualified on": "last week"}), deal(2, "Won"), deal(3, "Lost")]
    file, results = tmp_path / "deals.csv", tmp_path / "results.json"
    file.write_bytes(csv_of(rows))
    profiles = tmp_path / "profiles.json"
    profile = google_with().profiles["default"]
    profiles.write_text(json.dumps({"default": profile}))
    options = ["--profiles", str(profiles), "--now", START.isoformat()]
    checked = CliRunner().invoke(main, ["check", *options, str(file)])
    assert checked.exit_code == 1
    assert '"Qualified on"' in " ".join(checked.output.split())
    results.write_text(CliRunner().invoke(main, ["check", "--json", *options, str(file)]).stdout)
    found = json.loads(results.read_text())["counts"]
    assert (found["ok"], found["rejected"], found["skipped"]) == (1, 1, 1)
    output = tmp_path / "fix.csv"
    fixed = CliRunner().invoke(main, ["fix", str(file), str(results), "-o", str(output)])
    assert fixed.exit_code == 0, fixed.output
    (row,) = csv.DictReader(io.StringIO(output.read_text()))
    assert 'Column: "Qualified on".' in row["problem"]
    assert row["Deal ID"] == "D1"


# ── any stages, any rows ─────────────────────────────────────────────────────────────────────

TIMES = ("Close Date", "Qualified on", "Proposed on")
WORDS = st.text("abcdefgh ", min_size=1, max_size=8).map(str.strip).filter(bool)
CHOSEN = st.fixed_dictionaries(
    {"action": st.sampled_from(["1001", "1002", "1003"])},
    optional={
        "value": st.floats(0, 1e6).map(lambda value: round(value, 3)),
        "time": st.sampled_from(TIMES),
    },
)
STAGES_OF_A_PROFILE = st.dictionaries(WORDS, CHOSEN, min_size=1, max_size=5)


@settings(max_examples=60, deadline=None)
@given(STAGES_OF_A_PROFILE, st.data())
def test_every_conversion_is_that_of_its_stage(stages: dict[str, Any], data: st.DataObject) -> None:
    """Whatever the stages and rows are, each row that counts has the action, value and time of its
    stage, and every other row is skipped."""
    google = google_with(actions={"Stage": stages})
    minute = st.integers(0, 59).map(lambda minute: f"2026-11-20 10:{minute:02}:00-06:00")
    cells = st.fixed_dictionaries(
        {
            "Stage": st.one_of(st.sampled_from(sorted(stages)), WORDS),
            "Amount": st.integers(0, 10**6).map(str),
            **dict.fromkeys(TIMES, minute),
        }
    )
    rows = [deal(n, "") | each for n, each in enumerate(data.draw(st.lists(cells, max_size=20)))]
    expected = []
    for row in rows:
        if (chosen := stages.get(row["Stage"])) is not None:
            value = chosen.get("value", float(row["Amount"]))
            time = row[chosen.get("time", "Close Date")]
            expected.append((row["Deal ID"], chosen["action"], value, time))
    deliver(google, "deals.csv", csv_of([*rows, deal(99, "no such stage")]))
    assert sent(google) == expected
    found = counts(google, "deals.csv")
    assert found.get("uploaded", 0) == len(expected)
    assert found.get("skipped", 0) == len(rows) + 1 - len(expected)
