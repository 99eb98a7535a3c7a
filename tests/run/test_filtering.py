"""The row filter in runs with fakes: what is sent, counted, and found again after a crash."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from lib.catalogue.codes import lookup
from lib.sweep.sweep import sweep_once
from lib.model.outcomes import Problem
from lib.run.chunks import CHUNK_ROWS
from lib.run.deliver import process_object
from lib.state.store import StoredObject
from tests.fakes import START, World, world
from tests.results_schema import check_results
from tests.rows import CORE_COLUMNS, core_row, csv_bytes

WON = {"include": {"Deal Stage": ["Closed Won"]}}


def put(google: World, *stages: str, **profile: Any) -> StoredObject:
    """Put a file with a row for each stage."""
    google.profiles["default"] |= profile
    time = (START - timedelta(days=2)).strftime("%Y-%m-%d %H:%M:%S+00:00")
    rows = [
        core_row(number, conversion_date_time=time) | {"Deal Stage": stage}
        for number, stage in enumerate(stages, 1)
    ]
    return google.store.put(
        "in-bucket", "export.csv", csv_bytes(rows, (*CORE_COLUMNS, "Deal Stage"))
    )


def deliver(google: World, source: StoredObject) -> str:
    now = google.clock.utc()
    return process_object(
        source, now, google.context, time_limit_seconds=540, max_age=timedelta(hours=20)
    )


def document(google: World, source: StoredObject) -> dict[str, Any]:
    name = f"{source.name}.{source.generation}.results.json"
    return check_results(json.loads(google.store.objects["out-bucket", name][0]))


def dies(*numbers: int) -> Callable[[int], None]:
    def at(batch: int) -> None:
        if batch in numbers:
            raise KeyboardInterrupt

    return at


def sent(google: World) -> set[str]:
    return set(google.api.counted)


def test_rows_that_do_not_count_are_never_sent() -> None:
    """They are counted as skipped and not listed, and their column is not an unknown one."""
    google = world()
    source = put(google, "Closed Won", "Closed Lost", "closed won ", "", **WON)
    assert deliver(google, source) == "completed"
    found = document(google, source)
    assert (found["counts"]["uploaded"], found["counts"]["skipped"]) == (2, 2)
    assert found["rows"] == []
    assert "UNKNOWN_COLUMNS" not in found["codes"]
    assert sent(google) == {"order-1", "order-3"}


def test_a_skipped_row_makes_no_other_row_a_duplicate() -> None:
    """A lost deal with the click and the order ID of a won one does not take its place."""
    google = world()
    source = put(google, "Closed Lost", "Closed Won", **WON)
    content, generation = google.store.objects["in-bucket", "export.csv"]
    assert b"order-2" in content
    twin = content.replace(b"order-1,", b"order-2,").replace(b"example00000001", b"example00000002")
    google.store.objects["in-bucket", "export.csv"] = (twin, generation)
    deliver(google, source)
    counts = document(google, source)["counts"]
    assert (counts["uploaded"], counts["skipped"], counts["duplicate"]) == (1, 1, 0)


def test_all_rows_are_listed_if_wanted() -> None:
    """With LIST_ALL_ROWS, skipped rows are listed too."""
    google = world(list_all_rows=True)
    source = put(google, "Closed Won", "Closed Lost", **WON)
    deliver(google, source)
    listed = [(row["line"], row["outcome"]) for row in document(google, source)["rows"]]
    assert listed == [(2, "uploaded"), (3, "skipped")]


def test_a_missing_column_stops_the_file_before_the_api_is_asked() -> None:
    """Without the column of the filter, nobody knows which rows count, so nothing is sent."""
    google = world()
    source = put(google, "Closed Won", include={"Deal Stge": ["Closed Won"]})
    assert deliver(google, source) == "stopped"
    found = document(google, source)
    assert found["file_error"]["code"] == "FILTER_COLUMN_MISSING"
    assert 'include "Deal Stge"; did you mean "Deal Stage"?' in found["file_error"]["detail"]
    assert found["counts"]["not_attempted"] == 1
    assert google.api.batches == 0


@pytest.mark.parametrize("list_all", [False, True])
def test_a_crash_changes_no_skipped_row(list_all: bool) -> None:
    """After a crash, the same rows are skipped, even if the profile has changed meanwhile."""
    google = world(list_all_rows=list_all)
    stages = ["Closed Lost" if n % 3 else "Closed Won" for n in range(2 * CHUNK_ROWS + 10)]
    source = put(google, *stages, **WON)
    google.api.before = dies(2, 3)
    with pytest.raises(KeyboardInterrupt):
        deliver(google, source)
    google.api.before = dies()
    google.profiles["default"]["include"] = {"Deal Stage": ["Closed Lost"]}
    google.clock.seconds += 61
    assert deliver(google, source) == "completed"
    found = document(google, source)
    won = stages.count("Closed Won")
    assert (found["counts"]["uploaded"], found["counts"]["skipped"]) == (won, len(stages) - won)
    assert sent(google) == {f"order-{n}" for n, s in enumerate(stages, 1) if s == "Closed Won"}


@pytest.mark.parametrize("list_all", [False, True])
@pytest.mark.parametrize("hours", [6.1, 90])
def test_a_later_resend_keeps_the_skipped_rows(list_all: bool, hours: float) -> None:
    """When deferred rows are sent again, or fail, skipped rows stay skipped."""
    google = world(list_all_rows=list_all)
    google.api.too_recent = {"order-3"}
    source = put(google, "Closed Won", "Closed Lost", "Closed Won", "Open", **WON)
    assert deliver(google, source) == "waiting"
    counts = document(google, source)["counts"]
    assert (counts["uploaded"], counts["deferred"], counts["skipped"]) == (1, 1, 2)
    if hours < 80:
        google.api.too_recent = set()
    google.clock.seconds += hours * 3600
    sweep_once(google.context, 1500)
    found = document(google, source)
    last = "uploaded" if hours < 80 else "failed"
    assert (found["counts"]["skipped"], found["counts"]["deferred"]) == (2, 0)
    assert found["counts"][last] == (2 if last == "uploaded" else 1)
    assert sum(row["outcome"] == "skipped" for row in found["rows"]) == 2 * list_all


@pytest.mark.parametrize(
    "profile, stages, codes, alerts",
    [
        (WON, ["Closed Won", "Closed Lost"], [], 0),
        (WON, ["Closed Lost"], ["FILTER_KEEPS_NO_ROW", "FILTER_VALUE_NOT_FOUND"], 1),
        (WON, ["Closed Lost"] * 20, ["FILTER_KEEPS_NO_ROW", "FILTER_VALUE_NOT_FOUND"], 2),
        ({"exclude": {"Deal Stage": ["Lost"]}}, ["Won"] * 19, ["FILTER_VALUE_NOT_FOUND"], 0),
        ({"exclude": {"Deal Stage": ["Lost"]}}, ["Won"] * 20, ["FILTER_VALUE_NOT_FOUND"], 1),
        ({"exclude": {"Deal Stage": ["Refund"]}}, ["Refunded"], ["FILTER_VALUE_NOT_FOUND"], 1),
        (
            {"exclude": {"Deal Stage": ["A", "B"]}},
            ["A"] + ["C"] * 30,
            ["FILTER_VALUE_NOT_FOUND"],
            0,
        ),
    ],
)
def test_a_filter_that_does_not_fit_is_never_silent(
    profile: dict[str, Any],
    stages: list[str],
    codes: list[str],
    alerts: int,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Each value that no row has is noted; an alert is logged if a mistake is likely."""
    google = world()
    source = put(google, *stages, **profile)
    assert deliver(google, source) == "completed"
    notes = document(google, source)["notes"]
    assert [note["code"] for note in notes if note["code"].startswith("FILTER_")] == codes
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert sum(line["event"] == "filter_mismatch" for line in lines) == alerts


def test_a_note_names_the_value_and_how_often_a_similar_one_occurs() -> None:
    """The value is the profile's own; the similar cell is not quoted."""
    google = world()
    source = put(
        google, "Closed Won", "Close Lost", exclude={"deal stage": ["Closed Lost", "Open"]}
    )
    deliver(google, source)
    (note,) = [
        n for n in document(google, source)["notes"] if n["code"] == "FILTER_VALUE_NOT_FOUND"
    ]
    column = 'exclude "deal stage"'
    text = f'{column}: "Closed Lost", but a similar value in 1 row; {column}: "Open"'
    assert note["detail"] == text


def test_a_filter_of_addresses_is_not_quoted(capsys: pytest.CaptureFixture[str]) -> None:
    """A profile may exclude its testers: their addresses reach neither the results nor the log."""
    google = world()
    testers = ["tester@example.com", "+1 212 555 0101", "Test"]
    source = put(google, *["Closed Won"] * 20, exclude={"Deal Stage": testers})
    deliver(google, source)
    personal = 'exclude "Deal Stage": an email address or phone number'
    notes = [note["detail"] for note in document(google, source)["notes"]]
    text = f'{personal}; {personal}; exclude "Deal Stage": "Test"'
    assert [note for note in notes if text in note]
    assert not [each for each in testers[:2] if each in capsys.readouterr().out + str(notes)]


def test_a_value_of_a_chunk_before_a_crash_is_remembered() -> None:
    """The notes are the same whether or not the run was interrupted."""
    google = world()
    values = {"Deal Stage": ["Closed Won", "Signed"]}
    source = put(google, "Signed", *["Closed Won"] * CHUNK_ROWS, include=values)
    google.api.before = dies(2)
    with pytest.raises(KeyboardInterrupt):
        deliver(google, source)
    google.api.before = dies()
    google.clock.seconds += 61
    assert deliver(google, source) == "completed"
    found = document(google, source)
    assert found["attempts"] == 2
    assert not [note for note in found["notes"] if "FILTER" in note["code"]]


@pytest.mark.parametrize("list_all", [False, True])
@pytest.mark.parametrize("stage, outcome", [("Closed Won", "uploaded"), ("Closed Lost", "skipped")])
def test_a_held_last_row_is_filtered_when_it_is_sent(
    stage: str, outcome: str, list_all: bool
) -> None:
    """A file may be cut inside the filter's column, so the last row waits before it is filtered."""
    google = world(list_all_rows=list_all)
    source = put(google, "Closed Lost", stage, **WON)
    content, generation = google.store.objects["in-bucket", "export.csv"]
    google.store.objects["in-bucket", "export.csv"] = (content.rstrip(), generation)
    assert deliver(google, source) == "waiting"
    before = document(google, source)
    assert (before["counts"]["deferred"], before["counts"]["skipped"]) == (1, 1)
    assert "FILTER_KEEPS_NO_ROW" not in before["codes"]
    google.clock.seconds += 660
    sweep_once(google.context, 1500)
    found = document(google, source)
    assert found["counts"]["skipped"] == (2 if outcome == "skipped" else 1)
    assert found["counts"]["uploaded"] == (outcome == "uploaded")
    assert len(found["rows"]) == 2 * list_all


def test_refused_accounts_stop_a_file_with_skipped_rows() -> None:
    """If the accounts of all rows that count are refused, that is the file's error."""
    google = world()
    source = put(google, "Closed Won", "Closed Lost", **WON)
    content, generation = google.store.objects["in-bucket", "export.csv"]
    rows = content.decode().splitlines()
    named = [f"customer_id,{rows[0]}", *(f"1234567890,{row}" for row in rows[1:]), ""]
    google.store.objects["in-bucket", "export.csv"] = ("\r\n".join(named).encode(), generation)
    google.api.stop = Problem("CUSTOMER_NOT_ENABLED")
    assert deliver(google, source) == "stopped"
    found = document(google, source)
    assert (found["counts"]["not_attempted"], found["counts"]["skipped"]) == (1, 1)


HEAD = 200
"""So many rows say how a file is read. What only later rows say is noted."""


def stage_notes(profile: dict[str, Any], *stages: str, header: str = "Deal Stage") -> list[str]:
    """Return the messages of STAGES_NOT_FILTERED for a file that has these stages after its head,
    which has the first of them."""
    google = world()
    source = put(google, *stages[:1] * HEAD, *stages, **profile)
    content, generation = google.store.objects["in-bucket", "export.csv"]
    renamed = content.replace(b"Deal Stage", header.encode())
    google.store.objects["in-bucket", "export.csv"] = (renamed, generation)
    assert deliver(google, source) == "completed"
    found = document(google, source)
    assert found["counts"]["rejected"] == 0
    notes = [note for note in found["notes"] if note["code"] == "STAGES_NOT_FILTERED"]
    return [note["detail"] for note in notes]


@pytest.mark.parametrize(
    "profile, stages, note",
    [
        ({}, ["Closed Won", "Negotiation"], None),
        (
            {},
            ["Closed Won", "Closed Lost", "Open", "Closed Lost"],
            '"Deal Stage": 3 rows; "include": {"Deal Stage": ["Closed Won"]}',
        ),
        (
            {},
            ["Signed", "Lost", "Open"],
            '"Deal Stage": 2 rows; "exclude": {"Deal Stage": ["Lost", "Open"]}',
        ),
        (
            {"exclude": {"Deal Stage": ["Lost"]}},
            ["Signed", "Lost", "R\u00fcckerstattet"],
            '"Deal Stage": 1 row; "exclude": {"Deal Stage": ["R\u00fcckerstattet", "Lost"]}',
        ),
        (
            {},
            ["Signed", "Lost to Ada Example"],
            '"Deal Stage": 1 row; "include": {"Deal Stage": ["..."]}',
        ),
        ({"include": {"Deal Stage": ["Open"]}}, ["Open", "Lost"], None),
        ({"exclude": {"Deal Stage": ["Open", "Lost"]}}, ["Won", "Lost", "Open"], None),
        ({"exclude": {"Deal Stage": []}}, ["Won", "Lost", "Open"], None),
    ],
)
def test_stages_that_no_filter_skips_are_noted(
    profile: dict[str, Any], stages: list[str], note: str | None
) -> None:
    """The note has the number of rows and the line for the profile, and no unknown word."""
    assert stage_notes(profile, *stages) == ([note] if note else [])


def test_a_refunded_order_is_noted() -> None:
    """Shopify's export has refunded and partly refunded orders next to paid ones."""
    stages = ["paid", "partially_refunded", "refunded", "partially_paid"]
    expected = '"Financial Status": 2 rows; "include": {"Financial Status": ["paid"]}'
    assert stage_notes({}, *stages, header="Financial Status") == [expected]


def test_stages_before_a_crash_are_remembered() -> None:
    """The number of rows is the same whether or not the run was interrupted."""
    google = world()
    source = put(google, *["Won"] * HEAD, *["Lost"] * 3, *["Won"] * CHUNK_ROWS)
    google.api.before = dies(2)
    with pytest.raises(KeyboardInterrupt):
        deliver(google, source)
    google.api.before = dies()
    google.clock.seconds += 61
    assert deliver(google, source) == "completed"
    notes = document(google, source)["notes"]
    (note,) = [note for note in notes if note["code"] == "STAGES_NOT_FILTERED"]
    assert '"Deal Stage": 3 rows; "include": {"Deal Stage": ["Won"]}' in note["detail"]


FOOTER = (
    b"Won Opportunities",
    b'"Copyright (c) 2000-2026 salesforce.com, inc. All rights reserved."',
    b"Confidential Information - Do Not Distribute",
    b"Generated By:  Ada Example  11/24/2026 5:01 PM",
    b"Example Inc",
)


@pytest.mark.parametrize("list_all", [False, True])
@pytest.mark.parametrize("profile", [{}, WON], ids=["no filter", "filter"])
def test_a_footer_across_two_chunks_is_skipped_after_a_crash_too(
    profile: dict[str, Any], list_all: bool
) -> None:
    """The footer is skipped with one note, on every attempt, and no row is rejected."""
    google = world(list_all_rows=list_all)
    source = put(google, *["Closed Won"] * (CHUNK_ROWS - 2), **profile)
    content, generation = google.store.objects["in-bucket", "export.csv"]
    whole = content + b"\r\n" + b"\r\n".join(FOOTER)
    google.store.objects["in-bucket", "export.csv"] = (whole, generation)
    google.api.before = dies(1)
    with pytest.raises(KeyboardInterrupt):
        deliver(google, source)
    google.api.before = dies()
    google.clock.seconds += 61
    assert deliver(google, source) == "completed"
    found = document(google, source)
    assert (found["counts"]["uploaded"], found["counts"]["skipped"]) == (CHUNK_ROWS - 2, 5)
    notes = [note for note in found["notes"] if note["code"] == "REPORT_FOOTER"]
    assert [note["detail"] for note in notes] == ["lines 2001 to 2005"]
    assert not {code for code in found["codes"] if code.startswith("FILTER")}
    skipped = [row["line"] for row in found["rows"] if row["outcome"] == "skipped"]
    assert skipped == (list(range(2001, 2006)) if list_all else [])


@pytest.mark.parametrize(
    ("refunds", "skipped", "alerts"), [(4, 4, 0), (5, 5, 1), (5, 1, 0), (5, 0, 0)]
)
def test_refunds_that_the_filter_skips_are_counted(
    refunds: int, skipped: int, alerts: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """They look like any other skipped row, and their orders would keep their value."""
    google = world()
    orders = [f"order-{number}" for number in range(2, 2 + skipped)] or ["order-99"]
    profile = {"exclude": {"order_id": orders}, "refunds": {"Deal Stage": ["Refunded"]}}
    source = put(google, "Won", *["Refunded"] * refunds, **profile)
    deliver(google, source)
    notes = {note["code"]: note["detail"] for note in document(google, source)["notes"]}
    if skipped:
        rows = f"{skipped} rows" if skipped > 1 else "1 row"
        assert notes["REFUNDS_SKIPPED"] == f'{rows}; exclude "order_id"'
    assert ("REFUNDS_SKIPPED" in notes) == bool(skipped)
    logged = map(json.loads, capsys.readouterr().out.splitlines())
    found = [
        line
        for line in logged
        if line.get("code") == "REFUNDS_SKIPPED" and "ALERT" in line["message"]
    ]
    assert len(found) == alerts
    assert all(line["action"] == lookup("REFUNDS_SKIPPED").action for line in found)
