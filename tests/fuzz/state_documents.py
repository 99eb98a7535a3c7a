"""Damages what the function has saved, and what others give it, and lets it go on.

A document of the state gets another value in one place, or other bytes. Then a sweep must end, the
file next to it must be finished, and every line of the log must be JSON. A document that cannot be
read is left alone, and no bug.
Profiles, secrets and events must have one clear error, or none.

`python -m tests.fuzz.state_documents --minutes 2 --seed 0` runs it alone.
"""

from __future__ import annotations

import argparse
import contextlib
import copy
import io
import json
import random
import time
from collections.abc import Callable, Iterator
from typing import Any

from lib.adapters.events import FINALIZED, NotAnObjectEvent, read_event
from lib.config.profile import choose_profile, read_profiles
from lib.destinations import credentials
from lib.errors import NewerFormat, NotResults, PermanentError, UnreadableState
from lib.model.chunk_outcomes import ChunkOutcomes
from lib.results.document import SCHEMA_VERSION
from lib.results.reading import read_results
from lib.state.corrections import Correction, SavedCorrections, order_key
from lib.state.runs import Run, run_id, run_key
from lib.state.store import ObjectMetadata
from lib.sweep.sweep import sweep_once
from tests.fakes import World, deliver, world

ROWS = "\n".join(
    [
        "order_id,email,conversion_date_time,conversion_value",
        *(f"A{n},a{n}@example.com,2026-11-20 10:00:00+00:00,10" for n in range(3)),
        "",
    ]
).encode()
VALUES: tuple[Any, ...] = (
    *(None, True, 0, -1, 1 << 63, 1 << 64, 10**30, 1e300, 0.5, "", "x", [], {}, [[]], {"": {}}),
    *(
        "2026-11-20T10:00:00",
        "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59Z",
        "\U0001f600",
        "running",
    ),
)
OTHERS_PER_SWEEP = 4
"""They take little time."""
DEEP = "[" * 100_000
HALF = '"\\ud83d"'
"""Half an emoji, in JSON."""
PROFILES = {
    "default": {
        "destination": "google_ads",
        "customer_id": "1234567890",
        "columns": {"order_id": ["A"], "conversion_date_time": "B"},
        "value": 10,
        "action": "1001",
    }
}
SECRET = {"developer_token": "x", "client_id": "y", "json_key": {"type": "service_account"}}
EVENT = {"bucket": "in-bucket", "name": "a.csv", "generation": "7", "size": "1"}

PROBLEM = {"code": "INVALID_DATE", "detail": ""}
RESULTS = {
    "schema_version": SCHEMA_VERSION,
    "profile": "",
    "status": "completed",
    "columns": {},
    "counts": {},
    "codes": {},
    "started_at": "",
    "validate_only": False,
    "file_error": PROBLEM,
    "source": {"bucket": "", "name": "a.csv", "generation": "0"},
}

KINDS: dict[str, type] = {
    "runs/": Run,
    "chunks/": ChunkOutcomes,
    "corrections/": SavedCorrections,
}


def _places(document: Any, found: list[tuple[Any, Any]]) -> list[tuple[Any, Any]]:
    """Return all places of a document: the list or object, and the index or key."""
    pairs = document.items() if isinstance(document, dict) else enumerate(document)
    for key, value in pairs:
        found.append((document, key))
        if isinstance(value, dict | list):
            _places(value, found)
    return found


def damaged(document: Any, rng: random.Random) -> bytes:
    """Return a document with another value in one place, or with other bytes."""
    changed = copy.deepcopy(document)
    places = _places(changed, [])
    times = [(where, key) for where, key in places if str(where[key]).endswith("Z")]
    if times and rng.random() < 0.3:
        where, key = rng.choice(times)
        where[key] = where[key].removesuffix("Z")  # a time without a time zone
        return json.dumps(changed).encode()
    if rng.random() < 0.9:
        where, key = rng.choice(places)
        choice = rng.random()
        if choice < 0.1 and isinstance(where, dict):
            del where[key]
        elif choice < 0.25:
            where[key] = "MARK"
            return json.dumps(changed).replace('"MARK"', rng.choice([DEEP, HALF, "NaN"])).encode()
        else:
            where[key] = rng.choice(VALUES)
        return json.dumps(changed).encode()
    content = json.dumps(changed).encode()
    at = rng.randrange(len(content))
    return rng.choice([b"", content[:at], content[:at] + b"\xff" + content[at:], DEEP.encode()])


def _worlds() -> Iterator[World]:
    """Yield a world with a run that died, and one with a run whose deferred row is due."""
    for is_dead in (True, False):
        made = world()
        made.use_destination("data_manager")
        made.profiles["default"] |= {"action": "1001", "adjustments_via": "google_ads"}
        if is_dead:
            made.api.before = _dies
            with contextlib.suppress(KeyboardInterrupt):
                deliver(made, "old.csv", ROWS)
            made.api.before = lambda number: None
        else:
            made.api.too_recent = {"A1"}
            deliver(made, "old.csv", ROWS)
        found = made.context.runs.read(run_key(made.store.stored("in-bucket", "old.csv")))
        assert found is not None
        corrections = made.context.corrections.of("1234567890")
        correction = Correction(order_key("1001", "A0"), 1, 5_000_000, "USD")
        corrections.save(made.context.documents, found.run, 0, [correction], made.clock.utc())
        made.clock.seconds += 7 * 3600
        yield made


def _dies(number: int) -> None:
    raise KeyboardInterrupt


def check_sweep(made: World, name: str, content: bytes, entry: bytes | None = None) -> None:
    """Let a sweep meet a damaged document, or a damaged `entry` of a listing."""
    bucket = made.settings.output_bucket
    made.store.objects[bucket, name] = content, made.store.objects[bucket, name][1]
    if entry is not None:
        text = entry.decode("utf-8", "replace")
        made.store.metadata[bucket, name] = ObjectMetadata(custom={"run": text})
    made.store.put("in-bucket", "next.csv", ROWS.replace(b"A", b"B"))
    made.clock.seconds += 60
    could_be_read = is_readable(made, name)
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        sweep_once(made.context, 1500)
    assert not err.getvalue(), err.getvalue()
    events = [json.loads(line) for line in out.getvalue().splitlines()]
    if not could_be_read:
        assert made.store.objects[bucket, name][0] == content, "it must be left alone"
        assert not [each for each in events if each["event"] == "unexpected_error"], events
    if could_be_read or not name.startswith("_state/corrections/"):
        names = made.store.names(bucket)
        assert any(n.startswith("next.csv") and n.endswith("json") for n in names)


def is_readable(made: World, name: str) -> bool:
    """Return whether a damaged document has still the types that it must have."""
    name = name.removeprefix(made.settings.state_prefix)
    kind = next(kind for start, kind in KINDS.items() if name.startswith(start))
    try:
        return made.context.documents.read(name, kind) is not None
    except (UnreadableState, NewerFormat):
        return False


def check_profiles(content: bytes) -> None:
    """Read a profiles document."""
    with contextlib.suppress(PermanentError):
        profile = choose_profile(read_profiles(content), "a.csv")
        profile.model_dump_json().encode()


def check_secret(content: bytes) -> None:
    """Read a secret."""
    with contextlib.suppress(PermanentError):
        credentials.read_secret(content.decode("utf-8", "replace"))


def check_event(content: bytes) -> None:
    """Read an event: it names an object that can exist, or is none."""
    headers = {
        "ce-id": "1",
        "ce-source": "s",
        "ce-specversion": "1.0",
        "ce-type": FINALIZED,
        "content-type": "application/json",
    }
    event = read_event(headers, content)
    if not isinstance(event, NotAnObjectEvent):
        run_key(event)
        run_id(event).encode()
        assert event.generation < 1 << 63


def check_results(content: bytes) -> None:
    """Read a results document."""
    with contextlib.suppress(NotResults):
        _, rows = read_results(io.BytesIO(content))
        list(rows)


OTHERS: tuple[tuple[Any, Callable[[bytes], None]], ...] = (
    (PROFILES, check_profiles),
    (SECRET, check_secret),
    (EVENT, check_event),
    (RESULTS, check_results),
)


def _copy(made: World) -> World:
    """Return a world of its own with the same objects."""
    other = world()
    other.profiles, other.api = copy.deepcopy(made.profiles), made.api
    other.store.objects, other.store.times = dict(made.store.objects), dict(made.store.times)
    other.store.metadata = dict(made.store.metadata)
    other.clock.seconds = made.clock.seconds
    other.store.generations, other.tokens = made.store.generations, made.tokens
    return other


def fuzz(seconds: float, seed: int, most: int | None = None) -> int:
    """Try damaged documents, and return how many. Raises the first time a promise breaks."""
    rng, ends, tried = random.Random(seed), time.monotonic() + seconds, 0
    with contextlib.redirect_stdout(io.StringIO()):
        worlds = [(made, dict(made.store.objects)) for made in _worlds()]
    while time.monotonic() < ends and (most is None or tried < most):
        made, objects = rng.choice(worlds)
        names = [n for b, n in objects if b == "out-bucket" and n.startswith("_state/")]
        name = rng.choice(names)
        content, entry, other = objects["out-bucket", name][0], None, b""
        if "/runs/" in name and rng.random() < 0.3:
            metadata = made.store.metadata["out-bucket", name]
            entry = damaged(json.loads(metadata.custom["run"]), rng)
        else:
            content = damaged(json.loads(content), rng)
        try:
            for given, check in OTHERS * OTHERS_PER_SWEEP:
                other = damaged(given, rng)
                check(other)
            check_sweep(_copy(made), name, content, entry)
        except BaseException:
            print(
                f"FAILED after {tried}: {name} {content[:2_000]!r} {entry!r}\nor {other[:2_000]!r}"
            )
            raise
        tried += 1
    return tried


def main() -> None:
    """Read the command line, and try documents until the time is over."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.state_documents")
    parser.add_argument("--minutes", type=float, default=2)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    print(f"{fuzz(60 * given.minutes, given.seed):,} documents")


if __name__ == "__main__":
    main()
