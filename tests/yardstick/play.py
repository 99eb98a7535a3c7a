"""Plays a case on storage in memory, with Google's clients and the sandbox's APIs in this process.

Everything that could differ between two runs is fixed: the time, tokens, generations, the IDs that
the APIs give to requests, and their order. For the order, a window of 1 is not enough: of two
chunks that wait for the window, either can be next. So what `lib` gives to a pool is done at once.
"""

from __future__ import annotations

import itertools
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from lib.config.profile import Profile
from lib.destinations.connections import Destinations
from lib.errors import UploadError
from lib.model.log import Log
from sandbox.accounts import ConversionAction
from sandbox.apis import Apis, start_apis
from sandbox.faults import Faults
from sandbox.state import DataManagerLimits, State
from tests.fakes import Clock, MemoryStore, World, deliver, sweep, world

RESULTS = ".results.json"
CUSTOMER = "1234567890"
_PHONE_ORDER = ConversionAction(1014, "Phone order", type="UPLOAD_CALLS", lookback_days=60)


class Request(NamedTuple):
    """What went over the wire."""

    method: str
    login_customer_id: str
    body: bytes


class Document(NamedTuple):
    """A results document, as it was written after a step."""

    name: str
    text: str


@dataclass(slots=True)
class Played:
    """What a case did: the answer of each delivery, the requests and the documents, in order."""

    answers: list[str] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    documents: list[Document] = field(default_factory=list)


class _Clock(Clock):
    """The waits of Google's clients are real. No attempt comes near its time limit."""

    def __init__(self) -> None:
        super().__init__()
        self._ahead = time.monotonic() + 1e6

    def monotonic(self) -> float:
        return self._ahead + self.seconds


@dataclass
class _World(World):
    """A world with the real destinations."""

    connections: Destinations | None = None

    def connect(self, profile: Profile, log: Log) -> Any:
        assert self.connections is not None
        return self.connections.connect(profile, log)


class Stage:
    """The steps of a case. Each of them records what it did."""

    def __init__(self, apis: Apis, profile: Mapping[str, Any], settings: Mapping[str, Any]) -> None:
        self.state = apis.state
        self.played = Played()
        clock = _Clock()
        endpoints = {"google_ads": apis.endpoint, "data_manager": apis.data_manager_endpoint}
        empty = world(destination_endpoints=endpoints, **settings)
        key = apis.google_ads_key_yaml
        self.world = _World(
            MemoryStore(clock),
            empty.api,
            clock,
            empty.settings,
            {"default": dict(profile)},
            connections=Destinations(empty.settings, lambda: key),
        )
        _reset(self.state, clock)
        self._files = itertools.count(1)
        self._written: dict[str, bytes] = {}

    def deliver(self, name: str, data: bytes) -> None:
        """A file arrives."""
        # However often the function writes meanwhile, a file gets the same generation.
        self.world.store.generations = itertools.count(next(self._files) * 1_000_000)
        self._record(lambda: deliver(self.world, name, data))

    def wait(self, hours: float) -> None:
        """Time passes."""
        self.world.clock.sleep(hours * 3600)

    def sweep(self) -> None:
        """The sweep runs."""
        self._record(lambda: str(bool(sweep(self.world)) and "swept"))

    def _record(self, step: Callable[[], str]) -> None:
        try:
            answer = step()
        except UploadError as error:
            answer = error.code
        self._collect(answer)

    def _collect(self, answer: str) -> None:
        self.played.answers.append(answer)
        store, bucket = self.world.store, self.world.settings.output_bucket
        for name in store.names(bucket):
            data = store.objects[bucket, name][0]
            if name.endswith(RESULTS) and self._written.get(name) != data:
                self._written[name] = data
                self.played.documents.append(Document(name, data.decode()))

    def end(self) -> Played:
        """Return what was recorded."""
        for each in self.state.requests:
            api, _, method = each.method.partition(".")
            if api in ("google_ads", "data_manager"):
                assert each.body is not None
                sent = Request(f"{api}.{method}", each.login_customer_id, each.body)
                self.played.requests.append(sent)
        return self.played


def _reset(state: State, clock: Clock) -> None:
    state.clear()
    state.now = clock.utc
    numbers: Counter[str] = Counter()

    def new_request_id(method: str) -> str:
        numbers[method] += 1
        return f"{method}-{numbers[method]}"

    state.new_request_id = new_request_id
    state.data_manager = DataManagerLimits()
    account = state.accounts[CUSTOMER]
    state.change_account(
        CUSTOMER,
        conversion_actions=(*account.conversion_actions, _PHONE_ORDER),
        allowlisted_for_session_attributes=True,
    )


@contextmanager
def running_apis(directory: Path) -> Iterator[Apis]:
    """Google's APIs, in threads of this process."""
    apis = start_apis(State(), Faults(), directory)
    try:
        yield apis
    finally:
        apis.close()


@contextmanager
def one_after_another() -> Iterator[None]:
    """Let no pool of `lib` start a thread: `submit` returns when the work is done."""
    submit = ThreadPoolExecutor.submit

    def at_once(pool: ThreadPoolExecutor, work: Any, /, *given: Any, **named: Any) -> Future[Any]:
        module = getattr(getattr(work, "func", work), "__module__", "") or ""
        if not module.startswith("lib."):
            return submit(pool, work, *given, **named)
        done: Future[Any] = Future()
        try:
            done.set_result(work(*given, **named))
        except BaseException as error:
            done.set_exception(error)
        return done

    ThreadPoolExecutor.submit = at_once  # type: ignore[method-assign]
    try:
        yield
    finally:
        ThreadPoolExecutor.submit = submit  # type: ignore[method-assign]
