"""Two orders of one click and time on the whole path, undisturbed and after crashes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import pytest

from sandbox.up import Sandbox
from tests.rows import core_row, csv_bytes
from tests.whole.recovery.files import File, finish

FAILED = "CLICK_AND_TIME_ALREADY_USED"


@pytest.fixture
def google(google: Sandbox) -> Iterator[Sandbox]:
    """The sandbox of these tests, whose answers about repeats are as usual again afterwards."""
    yield google
    google.state.repeats_in_request = "all"
    google.state.known_conversions = "both"


def orders(name: str) -> bytes:
    """Make a file of two clicks: the first has three orders, the second one."""
    click = core_row(1, gclid=f"Cj0KCQiA-{name.replace('.', '-')}-1", email="")
    rows = [{**click, "order_id": f"{name}-{number}"} for number in (1, 2, 3)]
    other = core_row(4, gclid=f"Cj0KCQiA-{name.replace('.', '-')}-2", email="")
    return csv_bytes([*rows, {**other, "order_id": f"{name}-4"}])


def drop(google: Sandbox, name: str, content: bytes) -> tuple[dict[str, Any], list[str]]:
    """Drop the file. Return its document, and the order IDs of its name that Google has counted."""
    document = finish(google, File(name, content, []).drop(google))
    found = [each.as_json()["conversion"] for each in google.state.accepted]
    sent = [each.get("order_id", "") for each in found]
    return document, sorted(each for each in sent if each.startswith(f"{name}-"))


def shown(document: dict[str, Any]) -> dict[int, str]:
    """Return the outcome and the codes of each listed row."""
    return {
        row["line"]: " ".join([row["outcome"], *(each["code"] for each in row["errors"])])
        for row in document["rows"]
    }


@pytest.mark.parametrize("refused", ["all", "later"])
def test_one_order_of_a_click_is_counted_and_the_others_fail(
    google: Sandbox, new_name: Iterator[str], refused: Literal["all", "later"]
) -> None:
    """Google counts the first order of a click. The others have failed, with advice."""
    google.state.repeats_in_request = refused
    name = next(new_name)
    content = orders(name)
    document, accepted = drop(google, name, content)
    assert accepted == [f"{name}-1", f"{name}-4"]
    assert document["counts"]["uploaded"] == 2
    assert shown(document) == {3: f"failed {FAILED}", 4: f"failed {FAILED}"}
    assert "its own conversion time" in document["codes"][FAILED]["action"]

    again, accepted = drop(google, name, content)
    assert accepted == [f"{name}-1", f"{name}-4"]
    assert [row["outcome"] for row in again["rows"]] == [
        "duplicate",
        "failed",
        "failed",
        "duplicate",
    ]


@pytest.mark.parametrize("known", ["both", "click"])
@pytest.mark.parametrize("nth", [1, 2, 3])
def test_a_crash_between_answer_and_marker(
    google: Sandbox, new_name: Iterator[str], nth: int, known: Literal["both", "click"]
) -> None:
    """The order that the crashed attempt sent is a duplicate; only the others have failed."""
    google.state.known_conversions = known
    google.faults.set([{"method": "UploadClickConversions", "nth": nth, "kind": "kill_after"}])
    name = next(new_name)
    document, accepted = drop(google, name, orders(name))
    assert google.faults.fired()[0]["fired"]
    assert document["attempts"] == 2
    assert accepted == [f"{name}-1", f"{name}-4"]
    outcomes = {row["line"]: row["outcome"] for row in document["rows"]}
    assert (outcomes[3], outcomes[4]) == ("failed", "failed")
    assert document["counts"]["uploaded"] + document["counts"]["duplicate"] == 2


@pytest.mark.parametrize("kind", ["internal_after_commit", "drop_connection"])
def test_a_lost_answer(google: Sandbox, new_name: Iterator[str], kind: str) -> None:
    """If the answer of a request was lost, an order that Google now knows by its click alone may be
    the one of that request: it is a duplicate."""
    google.state.known_conversions = "click"
    google.faults.set([{"method": "UploadClickConversions", "nth": 1, "kind": kind}])
    name = next(new_name)
    document, accepted = drop(google, name, orders(name))
    assert document["attempts"] == 1
    assert accepted == [f"{name}-1", f"{name}-4"]
    assert shown(document)[5] == "duplicate CLICK_CONVERSION_ALREADY_EXISTS"
    assert {shown(document)[line].split()[0] for line in (3, 4)} == {"failed"}


def test_an_order_of_an_earlier_file(google: Sandbox, new_name: Iterator[str]) -> None:
    """If Google names only the click of a known order, this may be another order: it has failed."""
    google.state.known_conversions = "click"
    name = next(new_name)
    content = orders(name)
    drop(google, name, content)
    document, accepted = drop(google, name, content)
    assert accepted == [f"{name}-1", f"{name}-4"]
    assert set(shown(document).values()) == {f"failed {FAILED}"}
