"""`undo FILE RESULTS`: dropped in the local Google, its file leaves Google as before the upload."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from click.testing import CliRunner, Result
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lib.cli.commands import main
from sandbox.apis import Apis
from sandbox.conversions import Conversion
from tests.cli.validating import csv_of
from tests.fakes import PROFILE, START, World, deliver, world
from tests.workbooks import workbook
from tests.yardstick.play import Stage, running_apis

AT = "2026-11-20 10:00:00"
HOUR_AFTER = (START + timedelta(hours=1)).isoformat()
VIA = {"destination": "data_manager", "adjustments_via": "google_ads"}
STAGES = {"Stage": {"Won": {"action": 1001, "time": "Won on"}, "Qualified": {"action": "Purchase"}}}
REFUNDS = {"refunds": {"Status": ["Refunded"]}}
REFUNDED = {"Status": "Refunded", "adjusted_value": "0.5", "adjustment_date_time": "2026-11-22"}


def sale(number: int, **cells: str) -> dict[str, str]:
    """A row that has both a click and an order."""
    return {
        "gclid": f"Cj0KCQiAexample{number:04}",
        "email": f"buyer{number}@example.com",
        "conversion_date_time": AT,
        "conversion_value": str(number),
        "order_id": f"SO-{number}",
        **cells,
    }


def without(*fields: str, number: int = 7, **cells: str) -> dict[str, str]:
    """A row that lacks some cells."""
    return sale(number, **dict.fromkeys(fields, ""), **cells)


SALES = [sale(1), sale(2), sale(3)]
CASES: Mapping[str, tuple[bytes, Mapping[str, Any]]] = {
    "orders": (csv_of(*SALES), {}),
    "clicks": (csv_of(without("order_id"), without("order_id", number=8)), {}),
    "derived order IDs": (csv_of(without("order_id", "gclid"), sale(1)), {}),
    "derived order IDs of a named action": (
        csv_of(without("order_id", "gclid"), sale(1)),
        {"conversion_action": "Phone sale"},
    ),
    "orders with .0": (csv_of(sale(1, order_id="1001.0"), sale(2, order_id="1002.0")), {}),
    "orders that keep their .0": (
        csv_of(sale(1, order_id="1001.0"), sale(2)),
        {"order_ids": "keep"},
    ),
    "several actions": (
        csv_of(
            sale(1, **{"Conversion Name": "Phone sale"}),
            sale(1, gclid="", **{"Conversion Name": "Kauf (Größe M)"}),
            without("order_id", "gclid", **{"Conversion Name": "1009"}),
        ),
        {},
    ),
    "rows that do not count": (
        csv_of(sale(1, Stage="Won"), sale(2, Stage="Lost"), sale(3, Stage="won ")),
        {"include": {"Stage": ["Won"]}, "exclude": {"email": ["buyer9@example.com"]}},
    ),
    "a filter on the column of the action": (
        csv_of(sale(1, Name="Purchase"), sale(2, Name="Draft")),
        {"headers": {"conversion_action": "Name"}, "include": {"Name": ["Purchase"]}},
    ),
    "an action for each stage": (
        csv_of(
            sale(1, Stage="Won", **{"Won on": "2026-11-21 10:00:00"}),
            sale(2, Stage="Qualified"),
            sale(3, Stage="Lost"),
        ),
        {"actions": STAGES, "conversion_action": None},
    ),
    "names of its own": (
        csv_of(*({f"My {name}": cell for name, cell in each.items()} for each in SALES)),
        {"headers": {name: f"My {name}" for name in sale(1)}},
    ),
    "another encoding": (
        csv_of(sale(1, Größe="ä"), sale(2)).decode().replace(",", ";").encode("cp1252"),
        {"encoding": "cp1252", "delimiter": ";"},
    ),
    "a workbook": (
        workbook([list(sale(1)), *(list(each.values()) for each in SALES)]),
        {"sheet": "Sheet1"},
    ),
    "accounts by row": (csv_of(*(each | {"customer_id": "123-456-7890"} for each in SALES)), {}),
    "a sale and its refund": (
        csv_of(sale(1, Status="Paid"), sale(1, **REFUNDED)),
        REFUNDS,
    ),
    "wrong rows and repeats": (
        csv_of(sale(1), sale(1), sale(2, conversion_date_time="soon"), sale(3, email="nobody")),
        {},
    ),
    "another API": (csv_of(sale(1, order_id="1001"), sale(2)), VIA),
    "another API, derived": (csv_of(without("order_id", "gclid")), VIA),
}


@pytest.fixture(scope="module")
def apis(ca_directory: Path) -> Iterator[Apis]:
    with running_apis(ca_directory) as running:
        yield running


def undo(tmp_path: Path, data: bytes, document: str, *options: str, name: str = "f.csv") -> Result:
    """Run the command, an hour after the upload."""
    (tmp_path / name).write_bytes(data)
    (tmp_path / "results.json").write_text(document, "utf-8")
    arguments = [str(tmp_path / name), str(tmp_path / "results.json")]
    output = ["-o", str(tmp_path / "undo.csv"), "--force"]
    return CliRunner().invoke(main, ["undo", *arguments, *output, "--now", HOUR_AFTER, *options])


def counting(apis: Apis) -> dict[tuple[str, int, str], float | None]:
    """The conversions that count at the simulated Google, with their values."""

    def key(one: Conversion) -> tuple[str, int, str]:
        return one.order_id, one.action_id, one.gclid

    return {key(one): one.value for one in apis.state.book.conversions() if not one.retracted}


@pytest.mark.parametrize("case", CASES)
def test_google_is_as_before(case: str, apis: Apis, tmp_path: Path) -> None:
    """What an earlier file has counted stays, and what this file has counted is taken back."""
    data, keys = CASES[case]
    data_manager = {"conversion_action": 1001} if "destination" in keys else {}
    stage = Stage(apis, {**PROFILE, **data_manager, **keys}, {})
    stage.world.profiles["earlier"] = {**PROFILE}
    stage.deliver("earlier/a.csv", csv_of(sale(91), sale(92, gclid="")))
    before = counting(apis)
    suffix = "xlsx" if case == "a workbook" else "csv"
    stage.deliver(f"f.{suffix}", data)
    document = stage.played.documents[-1].text
    assert len(counting(apis)) > len(before)
    named = () if "named" not in case else ("--action-id", "Phone sale=1001")
    done = undo(tmp_path, data, document, *named, name=f"f.{suffix}")
    assert done.exit_code == 0, done.output
    assert "A retraction is final." in done.stderr
    stage.wait(1)
    stage.sweep()  # until Google has processed the sales, what takes them back waits
    stage.deliver("undo.csv", (tmp_path / "undo.csv").read_bytes())
    counts = json.loads(stage.played.documents[-1].text)["counts"]
    assert counts["uploaded"] == counts["rows"] > 0, stage.played.documents[-1].text
    assert counting(apis) == before


def test_recent_conversions_wait_by_themselves(apis: Apis, tmp_path: Path) -> None:
    """A conversion of today is retracted when it is 24 hours old, and the command says so."""
    stage = Stage(apis, PROFILE, {})
    data = csv_of(sale(1, conversion_date_time="2026-11-24 01:00:00"))
    stage.deliver("f.csv", data)
    done = undo(tmp_path, data, stage.played.documents[-1].text)
    assert "1 row will wait (deferred) until the conversion is 24 hours old." in done.stderr
    stage.wait(1)
    stage.deliver("undo.csv", (tmp_path / "undo.csv").read_bytes())
    assert len(counting(apis)) == 1
    stage.wait(25)
    stage.sweep()
    assert counting(apis) == {}


def results_of(here: World, data: bytes) -> str:
    """Upload a file. Return the results document."""
    deliver(here, "f.csv", data)
    names = here.store.names("out-bucket")
    (name,) = (each for each in names if each.endswith(".results.json"))
    return here.store.objects["out-bucket", name][0].decode()


def uploaded(data: bytes, **profile: Any) -> tuple[World, str]:
    """Upload a file to a fake API. Return the world and the results document."""
    here = world()
    here.profiles["default"] |= profile
    return here, results_of(here, data)


def test_what_was_not_uploaded_is_left_alone(tmp_path: Path) -> None:
    """Duplicates were counted by another upload, and deferred rows still wait: both are counted."""
    here = world()
    here.api.counted.append("SO-1")
    here.api.deferred.add("SO-2")
    data = csv_of(*SALES)
    done = undo(tmp_path, data, results_of(here, data))
    assert done.exit_code == 0
    assert "1 row of 1 that were uploaded" in done.stderr
    assert "1 row that Google had counted before" in done.stderr
    assert "1 row that still wait" in done.stderr
    rows = list(csv.DictReader(io.StringIO((tmp_path / "undo.csv").read_text("utf-8-sig"))))
    assert [each["Order ID"] for each in rows] == ["SO-3"]


def test_the_output_is_googles_template(tmp_path: Path) -> None:
    """Somebody who cannot use the API uploads it by hand, so it has no other columns."""
    data = csv_of(*SALES)
    undo(tmp_path, data, uploaded(data)[1])
    header, first, *_ = (tmp_path / "undo.csv").read_text("utf-8-sig").splitlines()
    assert header == (
        "Order ID,Conversion Name,Adjustment Time,Adjustment Type,Adjusted Value,"
        "Adjusted Value Currency"
    )
    assert first == "SO-1,1001,2026-11-24 13:00:00+0000,RETRACT,,"


def test_an_api_that_cannot_retract_is_named_with_the_way_out(tmp_path: Path) -> None:
    """The file is for the other API: the command says which line the profile needs."""
    here = world()
    here.use_destination("data_manager")
    data = csv_of(sale(1, order_id="1001"))
    done = undo(tmp_path, data, results_of(here, data))
    assert done.exit_code == 0
    assert "this file is for the Google Ads API" in done.stderr
    assert 'Set "adjustments_via": "google_ads" in the profile' in done.stderr
    assert "Goals > Conversions > Uploads" in done.stderr
    assert "order-1001," in (tmp_path / "undo.csv").read_text("utf-8-sig"), "as it was sent"


@pytest.mark.parametrize(
    ("data", "profile", "reason"),
    [
        (
            csv_of(sale(1), sale(2, conversion_date_time="2026-09-20 10:00:00")),
            {},
            "1 row (line 3) too old",
        ),
        (
            csv_of(sale(1), without("order_id", "gclid", gbraid="0AAAAAexample0001")),
            {"derive_order_id": False},
            "1 row (line 3) without order ID and gclid",
        ),
        (
            csv_of(sale(1), sale(2, **REFUNDED)),
            REFUNDS,
            "1 row (line 3) adjustments of earlier conversions",
        ),
    ],
)
def test_what_cannot_be_taken_back_is_named(
    data: bytes, profile: Mapping[str, Any], reason: str, tmp_path: Path
) -> None:
    """Its lines and the reason are named, also with -q. It is not written: the exit code is 1."""
    done = undo(tmp_path, data, uploaded(data, **profile)[1], "-q")
    assert done.exit_code == 1, done.output
    assert f"Not taken back: {reason}" in done.stderr


def test_calls_cannot_be_taken_back(apis: Apis, tmp_path: Path) -> None:
    """Google adjusts no conversion from a call: nothing is written."""
    data = (
        b"Caller's Phone Number,Call Start Time,Conversion Time\n"
        b"+12125550101,2026-11-20 10:00:00,2026-11-20 10:05:00\n"
    )
    stage = Stage(apis, {**PROFILE, "conversion_action": "1012"}, {})
    stage.deliver("f.csv", data)
    done = undo(tmp_path, data, stage.played.documents[-1].text)
    assert "Not taken back: 1 row (line 2) from phone calls" in done.stderr
    assert (done.exit_code, (tmp_path / "undo.csv").exists()) == (1, False)


def test_a_file_or_results_of_something_else_are_refused(tmp_path: Path) -> None:
    """A changed file, a check's results, or a reading with other outcomes take nothing back."""
    data = csv_of(*SALES)
    document = uploaded(data)[1]
    assert "is not the file of these results" in undo(tmp_path, data + b"\n", document).output
    checked = json.loads(document) | {"validate_only": True}
    done = undo(tmp_path, data, json.dumps(checked))
    assert (done.exit_code, "Nothing was uploaded" in done.output) == (0, True)
    other = json.loads(document)
    other["counts"] |= {"rows": 4, "uploaded": 4}
    done = undo(tmp_path, data, json.dumps(other))
    assert (done.exit_code, "cannot be read as it was" in done.output) == (1, True)
    assert not (tmp_path / "undo.csv").exists()


def test_results_without_their_profile_need_it(tmp_path: Path) -> None:
    """Results of an offline check have no profile: it must be given."""
    data = csv_of(*SALES)
    older = json.loads(uploaded(data)[1])
    del older["profile_keys"]
    done = undo(tmp_path, data, json.dumps(older))
    assert (done.exit_code, "Add --profiles FILE" in done.output) == (2, True)
    profiles = tmp_path / "profiles.json"
    profiles.write_text(json.dumps({"default": PROFILE}))
    assert undo(tmp_path, data, json.dumps(older), "--profiles", str(profiles)).exit_code == 0


def test_a_profile_that_reads_the_output_otherwise_is_refused(tmp_path: Path) -> None:
    """`1001.0` was sent as it is, and a file of adjustments would read 1001: nothing is written."""
    data = csv_of(sale(1), sale(2, order_id="1001.0"))
    document = uploaded(data)[1]
    done = undo(tmp_path, data, document)
    assert (done.exit_code, 'set "order_ids": "keep"' in done.output) == (1, True)
    assert not (tmp_path / "undo.csv").exists()
    profiles = tmp_path / "profiles.json"
    profiles.write_text(json.dumps({"default": {**PROFILE, "order_ids": "keep"}}))
    assert undo(tmp_path, data, document, "--profiles", str(profiles)).exit_code == 0
    profiles.write_text(json.dumps({"default": {**PROFILE, "headers": {"order_id": []}}}))
    done = undo(tmp_path, data, document, "--profiles", str(profiles))
    assert (done.exit_code, "COLUMN_OF_KIND_MISSING" in done.output) == (1, True)


def test_the_filter_of_the_upload_now_is_copied_from_a_wide_file(tmp_path: Path) -> None:
    """Then nobody read the column by which the profile skips rows today."""
    notes = [f"Note {each}" for each in range(20)]
    sales = [sale(number, **dict.fromkeys(notes, f"text {number}")) for number in range(1, 15)]
    data = csv_of(*sales)
    document = uploaded(data)[1]
    profiles = tmp_path / "profiles.json"
    profiles.write_text(json.dumps({"default": {**PROFILE, "exclude": {"Note 7": ["text 99"]}}}))
    done = undo(tmp_path, data, document, "--profiles", str(profiles))
    rows = [*csv.DictReader(io.StringIO((tmp_path / "undo.csv").read_text("utf-8-sig")))]
    assert done.exit_code == 0
    assert [each["Note 7"] for each in rows] == [f"text {number}" for number in range(1, 15)]


def test_the_id_of_a_named_action_is_asked_for(tmp_path: Path) -> None:
    """A derived order ID depends on it; the message has the option to add."""
    data = csv_of(without("order_id", "gclid"))
    document = json.loads(uploaded(data)[1])
    document["profile_keys"]["conversion_action"] = "Phone sale"
    done = undo(tmp_path, data, json.dumps(document))
    assert (done.exit_code, '--action-id "Phone sale=ID"' in done.output) == (2, True)
    assert undo(tmp_path, data, json.dumps(document), "--action-id", "1001").exit_code == 2
    given = ("--action-id", "Phone sale=1001")
    assert undo(tmp_path, data, json.dumps(document), *given).exit_code == 0


@settings(max_examples=40)
@given(st.lists(st.text("01=+-@'\"., ABé", min_size=1, max_size=6), min_size=1, max_size=5))
@example(["@0.'"])
def test_every_order_is_named_as_it_was_sent(orders: list[str]) -> None:
    """Whatever an order ID looks like, it is retracted as it was sent, or nothing is written."""
    data = csv_of(*(sale(n, order_id=each) for n, each in enumerate(orders)))
    here, document = uploaded(data)
    sent = [each for each in here.api.counted if each]
    with TemporaryDirectory() as folder:
        done = undo(Path(folder), data, document)
        if done.exit_code == 0 and sent:
            here.clock.sleep(3600)
            deliver(here, "undo.csv", Path(folder, "undo.csv").read_bytes())
            assert {order for order, _ in here.api.adjusted if order} == {*sent}
        else:
            reasons = ['set "order_ids": "keep"']
            # `@0.'` gets an apostrophe for spreadsheets, and then looks like an address.
            if any("@" in each and each.endswith("'") for each in sent):
                reasons.append("ORDER_ID_LOOKS_LIKE_EMAIL")
            assert not sent or any(each in done.output for each in reasons), done.output
