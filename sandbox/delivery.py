"""Event delivery as Eventarc does it: at least once, unordered, retried until a 2xx.

An event is a CloudEvent for a finalized object, in binary mode:
https://cloud.google.com/eventarc/docs/cloudevents-json#binary-content-mode and, for the body,
https://github.com/googleapis/google-cloudevents (StorageObjectData; 64-bit numbers are strings).

At most `concurrency` deliveries are in flight. The default is one per instance of the function
(Cloud Run with concurrency 1). With a larger number, instances get several at a time. Each
delivery goes to the least busy instance.
"""

from __future__ import annotations

import heapq
import http.client
import itertools
import json
import threading
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from typing import Annotated, Any, ClassVar
from urllib.parse import quote

from pydantic import ConfigDict, Field, TypeAdapter

FINALIZED = "google.cloud.storage.object.v1.finalized"
# CloudEvents does not encode these in a header: printable ASCII except space, quote and percent.
_PLAIN = "!#$&'()*+,-./:;<=>?@[\\]^_`{|}~"
_Seconds = Annotated[float, Field(ge=0)]


@dataclass(frozen=True, slots=True)
class DeliverySettings:
    """How events are delivered. `PUT /delivery` changes those that it names."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    duplicate: Annotated[int, Field(ge=1)] = 1
    """How often each event is delivered; in parallel, if concurrency allows."""
    concurrency: Annotated[int, Field(ge=1)] | None = None
    """Maximum number of deliveries in flight; null: one for each instance."""
    backoff_seconds: _Seconds = 0.2
    """The wait after the first answer that is not a 2xx; it doubles each time."""
    max_backoff_seconds: _Seconds = 3.0
    """The longest wait."""
    time_limit_seconds: _Seconds = 600.0
    """After this time without a 2xx, an event is dropped (24 hours at Google)."""
    request_timeout_seconds: _Seconds = 540.0
    """The longest delivery, as at Google."""
    paused: bool = False
    """Events wait."""
    drop: bool = False
    """Events are lost, as when a trigger is missing; POST /deliveries can still send them."""

    def changed(self, changes: Mapping[str, Any]) -> DeliverySettings:
        """A copy with `changes`. Raises `ValidationError`."""
        return _SETTINGS.validate_python({**asdict(self), **changes})


_SETTINGS = TypeAdapter(DeliverySettings)


@dataclass(frozen=True, slots=True)
class Event:
    """One event. All of its deliveries have the same `event_id`."""

    event_id: str
    bucket: str
    name: str
    generation: str
    headers: dict[str, str]
    body: bytes


def finalized_event(resource: Mapping[str, Any]) -> Event:
    """The event for an object, made from the object resource of the JSON API."""
    event_id = uuid.uuid4().hex
    bucket, name = str(resource["bucket"]), str(resource["name"])
    data = {key: value for key, value in resource.items() if isinstance(value, str)}
    headers = {
        "Content-Type": "application/json",
        "ce-specversion": "1.0",
        "ce-type": FINALIZED,
        "ce-id": event_id,
        "ce-time": str(resource.get("timeCreated", "")),
        "ce-source": f"//storage.googleapis.com/projects/_/buckets/{bucket}",
        "ce-subject": quote(f"objects/{name}", _PLAIN),
        "ce-bucket": bucket,
    }
    return Event(
        event_id, bucket, name, str(resource["generation"]), headers, json.dumps(data).encode()
    )


@dataclass(slots=True)
class Attempt:
    """One POST. `status` 0: no response; `problem` says why."""

    at: float
    instance: int
    milliseconds: float
    status: int
    problem: str = ""


@dataclass(slots=True)
class Record:
    """The history of an event: `copies` deliveries were due, `acknowledged` of them got a 2xx."""

    event_id: str
    bucket: str
    name: str
    generation: str
    created: float
    copies: int
    acknowledged: int = 0
    given_up: int = 0
    lost: bool = False
    attempts: list[Attempt] = field(default_factory=list)

    @property
    def done(self) -> bool:
        return self.lost or self.acknowledged + self.given_up >= self.copies

    def as_json(self) -> dict[str, Any]:
        last = self.attempts[-1].status if self.attempts else None
        return {**asdict(self), "last_status": last, "done": self.done}


@dataclass(slots=True)
class _Due:
    event: Event
    record: Record
    since: float
    """When it was first due: an event that is sent again has its whole time limit again."""
    failures: int = 0


class Delivery:
    """Delivers events to the function instances at `urls`, until closed."""

    def __init__(self, urls: list[str], settings: DeliverySettings | None = None) -> None:
        self._urls = urls
        self._settings = settings or DeliverySettings()
        self._changed = threading.Condition()
        self._queue: list[tuple[float, int, _Due]] = []
        self._order = itertools.count()
        self._in_flight = [0] * len(urls)
        self._records: dict[str, tuple[Event, Record]] = {}
        self._held = False
        self._closed = False
        threading.Thread(target=self._dispatch, name="delivery", daemon=True).start()

    def redirect(self, urls: list[str]) -> None:
        """Deliver to these URLs from now on: those of the same instances, of which some moved."""
        self._urls[:] = urls

    @property
    def settings(self) -> DeliverySettings:
        return self._settings

    def set(self, **changes: Any) -> DeliverySettings:
        """Changes settings for all later deliveries. Raises `ValidationError`."""
        with self._changed:
            self._settings = self._settings.changed(changes)
            self._changed.notify_all()
            return self._settings

    def finalized(self, resource: Mapping[str, Any]) -> Record:
        """Delivers the event of a finalized object, as often as `duplicate` says."""
        return self._deliver(finalized_event(resource), self._settings.duplicate)

    def event(self, event_id: str) -> Event:
        """An earlier event. Raises KeyError for an unknown one."""
        return self._records[event_id][0]

    def again(self, event_id: str, copies: int = 1) -> Record:
        """Delivers an earlier event again. Raises KeyError for an unknown event."""
        return self._deliver(self.event(event_id), copies)

    def _deliver(self, event: Event, copies: int) -> Record:
        with self._changed:
            _, record = self._records.setdefault(
                event.event_id,
                (event, Record(event.event_id, event.bucket, event.name, event.generation,
                               created=time.time(), copies=0)),
            )  # fmt: skip
            record.copies += copies
            record.lost = self._settings.drop
            for _ in range(0 if record.lost else copies):
                self._put(time.monotonic(), _Due(event, record, time.time()))
            self._changed.notify_all()
            return record

    def records(self) -> list[Record]:
        """Every event since the last reset, oldest first."""
        with self._changed:
            return [record for _, record in self._records.values()]

    def in_flight(self) -> list[int]:
        """The number of deliveries in progress on each instance."""
        with self._changed:
            return list(self._in_flight)

    @property
    def idle(self) -> bool:
        with self._changed:
            return not self._queue and not any(self._in_flight)

    def wait_until_idle(self, timeout_seconds: float = 180.0) -> bool:
        """Waits until no delivery is due or in flight; returns False on a timeout.

        The default is no measurement: on a busy machine, everything may take ten times as long.
        """
        with self._changed:
            return self._changed.wait_for(
                lambda: not self._queue and not any(self._in_flight), timeout_seconds
            )

    @contextmanager
    def held(self, timeout_seconds: float = 180.0) -> Iterator[None]:
        """Begins no delivery in this context. It starts once none is in flight, or on a timeout."""
        with self._changed:
            self._held = True
            self._changed.wait_for(lambda: not any(self._in_flight), timeout_seconds)
        try:
            yield
        finally:
            with self._changed:
                self._held = False
                self._changed.notify_all()

    def reset(self) -> None:
        """Forgets all events, including due ones, and restores the default settings.

        Deliveries in flight run to their end.
        """
        with self._changed:
            self._queue.clear()
            self._records.clear()
            self._settings = DeliverySettings()
            self._changed.notify_all()

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _put(self, when: float, due: _Due) -> None:
        heapq.heappush(self._queue, (when, next(self._order), due))

    def _dispatch(self) -> None:
        with self._changed:
            while not self._closed:
                wait = self._queue[0][0] - time.monotonic() if self._queue else None
                most = self._settings.concurrency or len(self._urls)
                is_full = sum(self._in_flight) >= most
                if self._settings.paused or self._held or is_full or not self._urls:
                    self._changed.wait()
                elif wait is None or wait > 0:
                    self._changed.wait(wait)
                else:
                    due = heapq.heappop(self._queue)[2]
                    instance = self._in_flight.index(min(self._in_flight))
                    self._in_flight[instance] += 1
                    threading.Thread(
                        target=self._attempt, args=(due, instance), daemon=True
                    ).start()

    def _attempt(self, due: _Due, instance: int) -> None:
        started, clock = time.time(), time.monotonic()
        status, problem = _post(
            self._urls[instance], due.event, self._settings.request_timeout_seconds
        )
        attempt = Attempt(started, instance, (time.monotonic() - clock) * 1000, status, problem)
        with self._changed:
            settings, record = self._settings, due.record
            self._in_flight[instance] -= 1
            record.attempts.append(attempt)
            if 200 <= status < 300:
                record.acknowledged += 1
            elif time.time() - due.since > settings.time_limit_seconds:
                record.given_up += 1
            elif due.event.event_id in self._records:
                wait = settings.backoff_seconds * 2.0 ** min(due.failures, 30)
                due.failures += 1
                self._put(time.monotonic() + min(wait, settings.max_backoff_seconds), due)
            self._changed.notify_all()


def _post(url: str, event: Event, timeout_seconds: float) -> tuple[int, str]:
    connection = http.client.HTTPConnection(
        url.removeprefix("http://").rstrip("/"), timeout=timeout_seconds or None
    )
    try:
        connection.request("POST", "/", event.body, event.headers)
        response = connection.getresponse()
        response.read()
        return response.status, ""
    except (OSError, http.client.HTTPException) as problem:
        return 0, type(problem).__name__
    finally:
        with suppress(OSError):
            connection.close()
