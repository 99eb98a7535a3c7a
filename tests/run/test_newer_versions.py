"""State that a newer version has saved: nothing is touched, the file is retried, and it is said."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from lib.errors import DamagedState, LeaseLost, NewerVersion
from lib.followup.sweep import sweep_once
from lib.run import chunks
from lib.state.newer_values import Order
from lib.state.pending_runs import PendingRun
from lib.state.run import name_key, run_key
from lib.state.store import StoredObject
from tests.fakes import World, world
from tests.run.test_deliver import OUT, deliver, dies, document, put

NAME = "export.csv"


@pytest.fixture
def google(monkeypatch: pytest.MonkeyPatch) -> World:
    """A world with small chunks, whose API reports later what it has counted."""
    monkeypatch.setattr(chunks, "CHUNK_ROWS", 3)
    found = world()
    found.use_destination("data_manager")
    return found


def died(google: World) -> StoredObject:
    """A run that died after two of its three chunks, and every kind of document."""
    source = put(google, 9)
    google.api.before = dies(3)
    with pytest.raises(KeyboardInterrupt):
        deliver(google, source)
    google.api.before = lambda number: None
    run = google.context.claims.of(source)
    assert run is not None
    remember(google)
    google.context.pending_runs.put(PendingRun(run, google.clock.utc(), {}, 3))
    google.clock.seconds += 61
    return source


def waiting(google: World) -> StoredObject:
    """A run with deferred rows and open requests, whose follow-up is due."""
    source = put(google, 9)
    google.api.too_recent = {"order-4"}
    assert deliver(google, source) == "waiting"
    remember(google)
    google.clock.seconds += 6.1 * 3600
    return source


def waiting_elsewhere(google: World) -> StoredObject:
    """The same, after a newer file of the name has got the place of its claim, and a sweep."""
    source = waiting(google)
    google.store.versioned = True
    assert deliver(google, put(google, 2)) == "completed"
    sweep_once(google.context, 1500)
    assert document(google, source)["status"] == "waiting"
    google.clock.seconds += 6.1 * 3600
    return source


def remember(google: World) -> None:
    """Record an adjusted order of another run."""
    google.context.newer_values.record({Order("1001", "0a"): 1}, "restated", google.clock.utc())


Plant = Callable[[dict[str, Any]], Any]
NEWER: dict[str, Plant] = {
    "format": lambda saved: saved.update(format=2, source="?", outcomes="?", metadata="?", run="?"),
    "rules": lambda saved: saved.get("run", saved).update(rules_version=2),
}

CLAIM = f"_state/claims/{name_key(StoredObject('in-bucket', NAME, 1, 0))}/0.json"
KINDS = {
    "claim": CLAIM,
    "first marker": "_state/runs/KEY/chunks/",
    "last marker": "_state/runs/KEY/chunks/",
    "pending run": "_state/waiting/KEY.json",
    "newer values": "_state/newer_values/1001/0.json",
    "claim of a follow-up": "_state/runs/KEY/run.json",
}
WITH_RULES = ("claim", "pending run")


def plant(google: World, source: StoredObject, kind: str, number: str) -> str:
    """Replace a document by that of a newer version. Return its name."""
    prefix = KINDS[kind].replace("KEY", run_key(source))
    names = [name for name in google.store.names(OUT) if name.startswith(prefix)]
    name = names[-1 if kind == "last marker" else 0]
    content, generation = google.store.objects[OUT, name]
    saved = json.loads(content)
    NEWER[number](saved)
    google.store.objects[OUT, name] = json.dumps(saved).encode(), generation
    return name


def said(output: str, name: str) -> list[dict[str, Any]]:
    """Return the log lines about a newer version, each of which names the document."""
    lines = [line for line in map(json.loads, output.splitlines()) if line["severity"] != "INFO"]
    found = [line for line in lines if line["event"] == "newer_version"]
    for line in found:
        assert line["code"] == "NEWER_VERSION"
        assert name in line["detail"]
        assert "2" in line["detail"]
        assert "wait for the deployment to end" in line["action"]
    assert {line["event"] for line in lines} <= {"newer_version", "run_redelivered", "run_late"}
    return found


CASES = [(kind, "format") for kind in list(KINDS)[:-1]]
CASES += [(kind, "rules") for kind in WITH_RULES]


@pytest.mark.parametrize(("kind", "number"), CASES)
def test_a_delivery_touches_nothing(
    google: World, kind: str, number: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The event comes again, until it comes to the newer version. No row is sent."""
    source = died(google)
    name = plant(google, source, kind, number)
    before, batches = dict(google.store.objects), google.api.batches
    capsys.readouterr()
    for _ in range(2):
        with pytest.raises(NewerVersion):
            deliver(google, source)
    assert google.store.objects == before
    assert google.api.batches == batches
    assert len(said(capsys.readouterr().out, name)) == 2


@pytest.mark.parametrize(("kind", "number"), CASES)
@pytest.mark.parametrize("begun", [died, waiting], ids=["unfinished", "waiting"])
def test_a_sweep_touches_nothing_and_goes_on_with_other_files(
    google: World,
    begun: Callable[[World], StoredObject],
    kind: str,
    number: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """What the newer version works on is left to it, and the other files are finished."""
    source = begun(google)
    name = plant(google, source, kind, number)
    before = dict(google.store.objects)
    other = google.store.put("in-bucket", "other.csv", google.store.objects["in-bucket", NAME][0])
    google.clock.seconds += 60
    capsys.readouterr()
    counts = sweep_once(google.context, 1500)
    assert counts["finished"] == 1
    assert counts["again"] >= 1
    assert before.items() <= google.store.objects.items()
    assert document(google, other)["counts"]["rows"] == 9
    assert said(capsys.readouterr().out, name)


def test_the_own_claim_of_a_follow_up_is_left_alone(google: World) -> None:
    """It exists if a newer generation has got the place of the claim."""
    source = waiting_elsewhere(google)
    plant(google, source, "claim of a follow-up", "format")
    before = dict(google.store.objects)
    assert sweep_once(google.context, 1500)["again"] == 1
    assert before.items() <= google.store.objects.items()


def test_another_generation_waits_too(google: World) -> None:
    """Whether the newer version sends the same rows cannot be known."""
    plant(google, died(google), "claim", "format")
    second = put(google, 9)
    before = dict(google.store.objects)
    with pytest.raises(NewerVersion):
        deliver(google, second)
    assert google.store.objects == before


def test_an_attempt_ends_when_a_newer_version_takes_over(google: World) -> None:
    """An attempt that was frozen finds the claim of its successor, and changes it no more."""
    source = put(google, 9)

    def taken_over(number: int) -> None:
        saved = json.loads(google.store.objects[OUT, CLAIM][0])
        google.store.put(OUT, CLAIM, json.dumps(saved | {"format": 2, "owner": 7}).encode())
        google.clock.seconds += 61

    google.api.before = taken_over
    with pytest.raises(LeaseLost):
        deliver(google, source)
    assert json.loads(google.store.objects[OUT, CLAIM][0])["owner"] == 7


def test_a_follow_up_that_nobody_can_read_alerts(
    google: World, capsys: pytest.CaptureFixture[str]
) -> None:
    """If the newer version is gone, someone hears of it."""
    plant(google, waiting(google), "pending run", "format")
    sweep_once(google.context, 1500)
    (alert,) = [
        line
        for line in map(json.loads, capsys.readouterr().out.splitlines())
        if line["severity"] == "ERROR"
    ]
    assert (alert["event"], alert["code"]) == ("run_late", "NEWER_VERSION")
    assert "deploy the newer one again" in alert["action"]


@pytest.mark.parametrize("number", [None, "1", 1.5])
def test_a_document_without_a_number_is_damaged(google: World, number: object) -> None:
    """Nothing is read that was saved before there were numbers. Nothing is touched either."""
    source = died(google)
    content, generation = google.store.objects[OUT, CLAIM]
    saved = {**json.loads(content), "format": number}
    if number is None:
        del saved["format"]
    google.store.objects[OUT, CLAIM] = json.dumps(saved).encode(), generation
    before = dict(google.store.objects)
    with pytest.raises(DamagedState, match="format"):
        deliver(google, source)
    assert google.store.objects == before
