"""One order is sold for 100, corrected to 80 and refunded, by files in any order, with crashes.

After every file, the API holds what Google's documents say, and the row has exactly one outcome.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from random import Random

import pytest

from sandbox.profiles import DEFAULT_PROFILES
from sandbox.up import INPUT_BUCKET, OUTPUT_BUCKET, Sandbox
from tests.schedule import EVERY_CALL
from tests.whole.recovery.conftest import empty
from tests.whole.recovery.order_life import (
    CORRECTED,
    PROFILES,
    SOLD,
    STEPS,
    AdsModel,
    DataManagerModel,
    Model,
    Order,
    Step,
    codes,
    drop,
    outcomes,
    pass_hours,
    worth,
)
from tests.whole.recovery.test_crash_matrix import walk

ORDERS = list(itertools.permutations(STEPS))
EVERY_ORDER = bool(os.environ.get("EVERY_ORDER"))
WALKS = [(each,) for each in ORDERS] if EVERY_ORDER else [tuple(ORDERS)]
"""The next life of an order has its files in the next order: all of them at each call take half an
hour, so only `make soak` does that."""
SHARDS = 1 if EVERY_CALL else 12  # every 96th call
KINDS = ["kill_before", "kill_after"] if EVERY_CALL else ["kill_after"]
ROUTES = [(None, AdsModel), ("later", DataManagerModel), ("both", AdsModel)]
"""By the Google Ads API with its template, by the Data Manager API alone, and by both."""


@pytest.fixture
def google(google: Sandbox) -> Iterator[Sandbox]:
    """The shared sandbox, empty, with a profile for each way of an adjustment.

    A sweep that runs a day later would else revisit the files of all earlier tests.
    """
    empty(google)
    google.set_profiles(PROFILES)
    yield google
    google.set_profiles(DEFAULT_PROFILES)
    google.state.change_readings(
        recent_conversions="too_recent", retracted_conversions="error", restated_to_zero="ignored"
    )
    google.state.data_manager.repeats_adjust = google.state.data_manager.holds_events = False


@pytest.fixture
def order(new_name: Iterator[str]) -> Order:
    """An order that no other test has."""
    return Order(f"life-{next(new_name)[:-4]}")


def forget(google: Sandbox) -> None:
    """Begin again: the hours would add up, and each sweep ask for the files of all lives before."""
    google.clock.reset()
    for bucket in (INPUT_BUCKET, OUTPUT_BUCKET):
        google.storage.empty(bucket)


def content(order: Order, step: Step) -> bytes:
    return order.sale() if step == "sold" else order.template(step)


@pytest.mark.parametrize("steps", ORDERS, ids=" ".join)
def test_files_in_any_order(
    google: Sandbox, new_name: Iterator[str], order: Order, steps: tuple[Step, ...]
) -> None:
    """With the Google Ads API and its template, and then again with every file dropped again."""
    model = AdsModel()
    for step in (*steps, *steps):
        expected, code = model.take(step)
        document = drop(google, content(order, step), next(new_name))
        (outcome,) = outcomes(document)
        assert outcome in expected, (step, codes(document))
        assert not code or code in codes(document)
        assert worth(google, order) == model.worth, step
    # The second time, the sale was known to all steps: the order ends as it should have at first.
    assert worth(google, order) is None


def test_what_is_dropped_again_changes_nothing(
    google: Sandbox, new_name: Iterator[str], order: Order
) -> None:
    """Every row is a duplicate, or is accepted without effect if Google reads it so."""
    for step in STEPS:
        drop(google, content(order, step), next(new_name))
    for reading in ("error", "ignored"):
        google.state.change_readings(retracted_conversions=reading)
        for step in STEPS:
            (outcome,) = outcomes(drop(google, content(order, step), next(new_name)))
            allowed = "duplicate" if step == "sold" or reading == "error" else "uploaded"
            assert outcome == allowed
            assert worth(google, order) is None


def test_an_older_correction_comes_later(
    google: Sandbox, new_name: Iterator[str], order: Order
) -> None:
    """The newer correction counts; the older one is skipped, as Google supersedes it."""
    drop(google, content(order, "sold"), next(new_name))
    newer = Order(order.order_id)
    newer.times["corrected"] = order.times["refunded"]
    drop(google, newer.template("corrected").replace(b"80.00", b"70.00"), next(new_name))
    document = drop(google, content(order, "corrected"), next(new_name))
    assert outcomes(document) == ["skipped"]
    assert codes(document) == {"MORE_RECENT_RESTATEMENT_FOUND"}
    assert worth(google, order) == 70


@pytest.mark.parametrize("orders", WALKS, ids=lambda orders: " ".join(orders[0]))
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("folder", "model"), ROUTES)
def test_killed_at_every_call(
    google: Sandbox,
    new_name: Iterator[str],
    order: Order,
    folder: str | None,
    model: type[Model],
    kind: str,
    orders: Sequence[tuple[Step, ...]],
    record_property: Callable[[str, object], None],
) -> None:
    """Wherever the function dies, the newest value finally counts: with one API, the other, or
    both, and with files in any order."""
    google.state.data_manager.repeats_adjust = True
    lives = itertools.cycle(orders)

    def live(nth: int) -> None:
        alive, known = Order(f"{order.order_id}-{nth}"), model()
        for step in next(lives):
            expected, code = known.take(step)
            file = alive.export(step) if folder else content(alive, step)
            document = drop(google, file, next(new_name), folder)
            (outcome,) = outcomes(document)
            if folder:
                pass_hours(google, 1)
                continue
            assert outcome in expected or (outcome == "duplicate" and "uploaded" in expected)
            assert not code or outcome == "duplicate" or code in codes(document)
            assert worth(google, alive) == known.worth, f"killed at call {nth}, {step}"
        if folder:
            # What follows a value that may have been sent waits for a day, by both APIs for longer.
            pass_hours(google, *((13, 13) if folder == "later" else [7] * 6))
            newest = CORRECTED if folder == "later" else None
            assert worth(google, alive) == newest, f"killed at call {nth}"
            forget(google)

    points = walk(google, kind, 0, SHARDS, live)
    record_property("crash points", points)


def test_one_export_carries_all(google: Sandbox, new_name: Iterator[str], order: Order) -> None:
    """A nightly export sells, corrects and refunds; in one file, the refund supersedes the rest."""
    other = Order(f"{order.order_id}-other", number=2)
    rows = order.export(*STEPS) + other.export("corrected", "sold").split(b"\r\n", 1)[1]
    document = drop(google, rows, next(new_name), "sales")
    assert outcomes(document) == ["uploaded", "skipped", "uploaded", "uploaded", "uploaded"]
    assert codes(document) == {"SUPERSEDED_ADJUSTMENT"}
    assert worth(google, order) is None
    assert worth(google, other) == CORRECTED


def test_google_does_not_find_what_it_has_just_got(
    google: Sandbox, new_name: Iterator[str], order: Order
) -> None:
    """If Google doesn't know the conversions of this file yet, their adjustments wait for a day."""
    google.state.change_readings(recent_conversions="not_found")
    name = next(new_name)
    document = drop(google, order.export("sold", "refunded"), name, "sales")
    assert outcomes(document) == ["uploaded", "deferred"]
    assert worth(google, order) == SOLD
    google.clock.advance(25)
    google.run_sweep()
    generation = int(document["source"]["generation"])
    assert outcomes(google.results(f"sales/{name}", generation)) == ["uploaded", "uploaded"]
    assert worth(google, order) is None


@pytest.mark.parametrize(
    ("folder", "first"), [("sales", "sold"), ("sales", "refunded"), ("both", "sold")]
)
def test_a_refund_of_a_sale_in_another_file(
    google: Sandbox, new_name: Iterator[str], order: Order, folder: str, first: Step
) -> None:
    """Google may not find the sale of the last 24 hours, or it comes later: the refund waits."""
    google.state.change_readings(recent_conversions="not_found")
    google.state.data_manager.repeats_adjust = True
    names = {step: next(new_name) for step in ("sold", "refunded")}
    found = {}
    for step in ("sold", "refunded") if first == "sold" else ("refunded", "sold"):
        found[step] = drop(google, order.export(step), names[step], folder)
        pass_hours(google, 12)
    assert outcomes(found["sold"]) == ["uploaded"]
    assert outcomes(found["refunded"]) == ["deferred"]
    assert codes(found["refunded"]) == {"CONVERSION_NOT_FOUND"}
    for _ in range(2):
        google.clock.advance(13)
        google.run_sweep()
    generation = int(found["refunded"]["source"]["generation"])
    assert outcomes(google.results(f"{folder}/{names['refunded']}", generation)) == ["uploaded"]
    assert worth(google, order) is None


def test_a_sale_of_today_is_refunded_tomorrow(
    google: Sandbox, new_name: Iterator[str], order: Order
) -> None:
    """Google takes adjustments after 24 hours: until then, the row is deferred."""
    now = google.clock.now().replace(microsecond=0)
    order.times |= {"sold": now - timedelta(hours=3), "refunded": now - timedelta(hours=1)}
    drop(google, content(order, "sold"), next(new_name))
    name = next(new_name)
    document = drop(google, content(order, "refunded"), name)
    assert outcomes(document) == ["deferred"]
    assert codes(document) == {"TOO_RECENT_CONVERSION"}
    google.clock.advance(25)
    google.run_sweep()
    generation = int(document["source"]["generation"])
    assert outcomes(google.results(name, generation)) == ["uploaded"]
    assert worth(google, order) is None


# ── the Data Manager API ─────────────────────────────────────────────────────────────────────


def test_the_other_route_corrects_and_refuses_refunds(
    google: Sandbox, new_name: Iterator[str], order: Order
) -> None:
    """A correction sends the sale again with its new value; a refund is rejected with advice."""
    google.state.data_manager.repeats_adjust = True
    assert outcomes(drop(google, order.export("sold"), next(new_name), "later")) == ["uploaded"]
    assert worth(google, order) == SOLD
    pass_hours(google, 1)
    document = drop(google, order.export("corrected", "refunded"), next(new_name), "later")
    assert outcomes(document) == ["uploaded", "rejected"]
    assert codes(document) == {"RETRACTION_NOT_SENT"}
    assert "adjustments_via" in document["codes"]["RETRACTION_NOT_SENT"]["action"]
    assert worth(google, order) == CORRECTED


@pytest.mark.parametrize("corrected_by", ["template", "export"])
def test_an_overlapping_export_undoes_no_correction(
    google: Sandbox, new_name: Iterator[str], order: Order, corrected_by: str
) -> None:
    """The sale comes again, and is skipped: corrected by the same profile, or by a file of
    adjustments for the other API."""
    google.state.data_manager.repeats_adjust = True
    drop(google, order.export("sold"), next(new_name), "both")
    pass_hours(google, 1)
    if corrected_by == "template":
        drop(google, order.template("corrected"), next(new_name))
    else:
        drop(google, order.export("corrected"), next(new_name), "both")
    document = drop(google, order.export("sold"), next(new_name), "both")
    assert outcomes(document) == ["skipped"]
    assert codes(document) == {"SUPERSEDED_SALE"}
    assert [n["detail"] for n in document["notes"] if n["code"] == "SUPERSEDED_SALE"] == ["1 row"]
    assert worth(google, order) == CORRECTED


@pytest.mark.parametrize(("folder", "step"), [("both", "refunded"), ("later", "corrected")])
def test_an_adjustment_waits_for_the_sale_beside_it(
    google: Sandbox, new_name: Iterator[str], order: Order, folder: str, step: Step
) -> None:
    """The sale is repeated in the same file, and Google processes it hours later."""
    state, rng = google.state, Random(0)
    state.data_manager.repeats_adjust = state.data_manager.holds_events = True
    drop(google, order.export("sold"), next(new_name), folder)
    state.process_held(rng)
    pass_hours(google, 1)
    name = next(new_name)
    document = drop(google, order.export("sold", step), name, folder)
    assert outcomes(document) == ["uploaded", "deferred"]
    assert codes(document) == {"ORDER_IN_PROCESS"}
    pass_hours(google, 7)
    assert worth(google, order) == SOLD
    state.process_held(rng)
    pass_hours(google, 1, 7)
    state.process_held(rng)
    assert worth(google, order) == (None if step == "refunded" else CORRECTED)
    pass_hours(google, 1)
    generation = int(document["source"]["generation"])
    assert outcomes(google.results(f"{folder}/{name}", generation)) == ["uploaded", "uploaded"]


def test_googles_template_is_refused_on_the_other_route(
    google: Sandbox, new_name: Iterator[str], order: Order
) -> None:
    """The template lacks the sale's data: without it, an unknown order would be a new sale."""
    for step, code in (
        ("corrected", "ADJUSTMENT_NEEDS_ORIGINAL"),
        ("refunded", "RETRACTION_NOT_SENT"),
    ):
        document = drop(google, order.template(step, "1001"), next(new_name), "template")
        assert outcomes(document) == ["rejected"]
        assert code in codes(document)
        assert "adjustments_via" in document["codes"][code]["action"]
    assert worth(google, order) == "unknown"


@pytest.mark.parametrize("steps", ORDERS if EVERY_CALL else ORDERS[::2], ids=" ".join)
def test_adjustments_via_the_other_api(
    google: Sandbox, new_name: Iterator[str], order: Order, steps: tuple[Step, ...]
) -> None:
    """Sales by one API, adjustments by the other: the same as with one API, in any order."""
    google.state.data_manager.repeats_adjust = True
    model = AdsModel()
    for step in steps:
        expected, code = model.take(step)
        document = drop(google, order.export(step), next(new_name), "both")
        (outcome,) = outcomes(document)
        assert outcome in expected, (step, codes(document))
        assert not code or code in codes(document)
        assert worth(google, order) == model.worth, step
        pass_hours(google, 1)


def test_a_sale_is_not_sent_again_after_its_correction(
    google: Sandbox, new_name: Iterator[str], order: Order
) -> None:
    """A sale and its correction in one file, by two APIs, and a crash before the answer."""
    google.state.data_manager.repeats_adjust = True
    google.faults.set([{"method": "UploadConversionAdjustments", "nth": 1, "kind": "kill_after"}])
    name = next(new_name)
    document = drop(google, order.export("sold", "corrected"), name, "both")
    assert outcomes(document) == ["uploaded", "deferred"]
    assert worth(google, order) == SOLD
    pass_hours(google, 7, 7, 7)
    generation = int(document["source"]["generation"])
    assert outcomes(google.results(f"both/{name}", generation)) == ["uploaded", "duplicate"]
    assert worth(google, order) == CORRECTED


@pytest.mark.parametrize("kind", KINDS)
def test_killed_at_every_call_of_one_file_with_both(
    google: Sandbox,
    new_name: Iterator[str],
    order: Order,
    kind: str,
    record_property: Callable[[str, object], None],
) -> None:
    """Wherever the function dies, the correction is applied last, at the latest by the sweep."""
    google.state.data_manager.repeats_adjust = True

    def live(nth: int) -> None:
        alive, name = Order(f"{order.order_id}-{nth}"), next(new_name)
        document = drop(google, alive.export("sold", "corrected"), name, "both")
        pass_hours(google, *[7] * 6)
        found = google.results(f"both/{name}", int(document["source"]["generation"]))
        assert set(outcomes(found)) <= {"uploaded", "duplicate"}
        assert worth(google, alive) == CORRECTED, f"killed at call {nth}"
        forget(google)

    points = walk(google, kind, 0, 1 if EVERY_CALL else SHARDS, live)
    record_property("crash points", points)
