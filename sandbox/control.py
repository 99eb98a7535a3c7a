"""The control API: JSON over HTTP, to inspect the sandbox and to inject faults.

Documented in docs/sandbox.md. An error is a 4xx with `{"error": "what is wrong"}`.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Annotated, Any, Final, NamedTuple, Protocol
from urllib.parse import parse_qs, urlsplit

from pydantic import AwareDatetime, Field, TypeAdapter, ValidationError

from sandbox.clock import Clock
from sandbox.delivery import Delivery
from sandbox.faults import BadRule, Faults
from sandbox.function import Function
from sandbox.state import State

_SECRETS = "/secrets/"
_COMMENT = re.compile(rb"^[ \t]*//.*", re.MULTILINE)
_SWEEP_HOURS = 0.25
_STATUS_NAMES = {number: f"status_{number}" for number in ("401", "403", "412", "429", "503")}


ROUTES: Final[Mapping[str, str]] = {
    "GET /": "what `up --json` printed, and what each request does (`routes`)",
    "GET /conversions": "every accepted conversion, with its destination (`route`)",
    "GET /adjustments": "every accepted adjustment",
    "GET /values": (
        "what every conversion is worth now (null if it was retracted), and its adjustments; "
        "`?order_id=SO-1`"
    ),
    "GET /requests": "every request to an API or to storage: method, size, status, time, fault",
    "POST /clock": (
        'lets `{"hours": 6}` pass for the function, the APIs, storage and its events; '
        '`"sweeps": true` runs the sweep every 15 minutes meanwhile'
    ),
    "GET /clock": "the time of the sandbox",
    "PUT /accounts": "replaces the accounts (format: `sandbox/accounts.py`)",
    "PUT /clicks": (
        'sets when clicks happened: `{"CLICK_ID": "2026-11-24T10:00:00+00:00"}`; others are '
        "old enough"
    ),
    "PUT /secrets/NAME": "makes the body the newest version of that secret",
    "PUT /profiles": "replaces the profiles document of the function",
    "PUT /faults": "replaces the fault rules and counts requests from 1",
    "GET /faults": "each rule, how many requests it matched (`calls`), and how often it fired",
    "PUT /delivery": "changes how events are delivered",
    "GET /delivery": "how events are delivered now",
    "GET /deliveries": "every event: its attempts, and whether it is done",
    "POST /deliveries": (
        'sends the event of an object again: `{"name": "export.csv", "copies": 2}`, or by '
        "`event_id`"
    ),
    "GET /idle": "whether no delivery is due or in progress; `?timeout_seconds=30` waits for that",
    "POST /sweep": "calls the sweep and returns status and answer",
    "POST /kill": "sends SIGKILL to the busy instances, or to all if none is busy",
    "POST /terminate": "ends them as Cloud Run does: SIGTERM, and SIGKILL 10 seconds later",
    "DELETE /state": "resets everything",
}
"""What each request does, as `GET /` and docs/sandbox.md say it."""


class Controlled(Protocol):
    """What the control API needs of a sandbox; `sandbox.up.Sandbox` provides it."""

    clock: Clock
    state: State
    faults: Faults
    delivery: Delivery
    function: Function | None
    env: dict[str, str]

    def description(self) -> dict[str, Any]: ...

    def run_sweep(self) -> tuple[int, str]: ...

    def kill_working(self) -> list[int]: ...
    def terminate_working(self) -> list[int]: ...

    def set_profiles(self, profiles: Mapping[str, Any]) -> None: ...

    def clear(self) -> None: ...


class Refused(Exception):
    """A request that cannot be carried out: the HTTP status, and the problem as the message."""

    def __init__(self, status: int, problem: str) -> None:
        super().__init__(problem)
        self.status = status


class Asked(NamedTuple):
    """A request: its body, its query, and the name at the end of its path."""

    body: bytes
    query: Mapping[str, str]
    name: str = ""

    def read(self, kind: Any) -> Any:
        """The body, which is JSON of this type. Raises `ValidationError`."""
        return TypeAdapter(kind).validate_json(self.body)


class Lines:
    """A response of several JSON documents, one per line (NDJSON)."""

    def __init__(self, documents: Iterable[Mapping[str, Any]]) -> None:
        self.documents = documents


@dataclass
class Redelivery:
    """The body of `POST /deliveries`: which event, and how often it is sent again."""

    name: str | None = None
    event_id: str | None = None
    copies: Annotated[int, Field(ge=1)] = 1


@dataclass
class Hours:
    """The body of `POST /clock`: how many hours pass, and whether sweeps run meanwhile."""

    hours: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    sweeps: bool = False


class Routes:
    """The handler of each request. The keys of `table` are `VERB /path`."""

    def __init__(self, sandbox: Controlled) -> None:
        self._sandbox = sandbox
        state, faults, delivery = sandbox.state, sandbox.faults, sandbox.delivery
        self.table: dict[str, Callable[[Asked], Any]] = {
            "GET /": lambda asked: {**sandbox.description(), "routes": ROUTES},
            "GET /conversions": lambda asked: Lines(state.conversions()),
            "GET /adjustments": lambda asked: Lines(state.accepted_adjustments()),
            "GET /values": lambda asked: Lines(state.histories(asked.query.get("order_id", ""))),
            "GET /requests": lambda asked: Lines(state.request_log()),
            "GET /clock": lambda asked: {"now": sandbox.clock.now().isoformat()},
            "POST /clock": self.post_clock,
            "PUT /accounts": self.put_accounts,
            "PUT /clicks": self.put_clicks,
            f"PUT {_SECRETS}": self.put_secret,
            "PUT /profiles": self.put_profiles,
            "PUT /faults": self.put_faults,
            "GET /faults": lambda asked: {
                "total_calls": faults.total_calls,
                "kills": faults.kills,
                "rules": faults.fired(),
            },
            "PUT /delivery": lambda asked: asdict(delivery.set(**asked.read(dict))),
            "GET /delivery": lambda asked: asdict(delivery.settings),
            "GET /deliveries": lambda asked: [one.as_json() for one in delivery.records()],
            "POST /deliveries": self.post_deliveries,
            "GET /idle": self.get_idle,
            "POST /sweep": self.post_sweep,
            "POST /kill": lambda asked: {"killed": self._of_function(sandbox.kill_working)},
            "POST /terminate": lambda asked: {
                "terminated": self._of_function(sandbox.terminate_working)
            },
            "DELETE /state": self.delete_state,
        }

    def answer(self, verb: str, target: str, body: bytes) -> Any:
        """The response of a route, to be sent as JSON. Raises Refused."""
        parts = urlsplit(target)
        query = {key: values[-1] for key, values in parse_qs(parts.query).items()}
        path, name = parts.path, ""
        if path.startswith(_SECRETS):
            path, name = _SECRETS, path.removeprefix(_SECRETS)
        if route := self.table.get(f"{verb} {path}"):
            try:
                return route(Asked(body, query, name))
            except ValidationError as error:
                found = [(".".join(map(str, one["loc"])), one["msg"]) for one in error.errors()]
                problems = (f"{where}: {text}" if where else text for where, text in found)
                raise Refused(400, "; ".join(problems)) from None
            except BadRule as problem:
                raise Refused(400, str(problem)) from None
        known = [one for one in self.table if one.split()[1] == path]
        if known:
            raise Refused(405, f"{path} does not support {verb}; use {', '.join(known)}")
        raise Refused(404, f"unknown path {path}; GET / lists all routes")

    def _of_function(self, act: Callable[[], list[int]]) -> list[int]:
        if self._sandbox.function is None:
            raise Refused(409, "this sandbox does not run the function")
        return act()

    def post_clock(self, asked: Asked) -> Any:
        passed: Hours = asked.read(Hours)
        left, step = passed.hours, _SWEEP_HOURS if passed.sweeps else passed.hours
        while left > 0:
            # An attempt that sees hours pass would lose its lease, as if it had died.
            with self._sandbox.delivery.held():
                now = self._sandbox.clock.advance(min(step, left))
            left -= step
            if passed.sweeps:
                self.post_sweep(asked)
        return {"now": now.isoformat()}

    def put_accounts(self, asked: Asked) -> Any:
        self._sandbox.state.load_accounts(asked.read(list))
        return {"accounts": list(self._sandbox.state.accounts)}

    def put_clicks(self, asked: Asked) -> Any:
        clicks = asked.read(dict[str, AwareDatetime])
        self._sandbox.state.register_clicks(clicks)
        return {"clicks": len(clicks)}

    def put_secret(self, asked: Asked) -> Any:
        if not asked.name:
            raise Refused(400, "PUT /secrets/NAME: the name is missing")
        secret = f"projects/{self._sandbox.env['GOOGLE_CLOUD_PROJECT']}/secrets/{asked.name}"
        self._sandbox.state.set_secret(secret, asked.body)
        return {"secret": secret}

    def put_profiles(self, asked: Asked) -> Any:
        # The function accepts comments in this document too: lines that begin with //.
        profiles = asked._replace(body=_COMMENT.sub(b"", asked.body)).read(dict)
        self._sandbox.set_profiles(profiles)
        return {"profiles": list(profiles)}

    def put_faults(self, asked: Asked) -> Any:
        rules = asked.read(list)
        for rule in rules:
            if isinstance(rule, dict):
                rule["kind"] = _STATUS_NAMES.get(str(rule.get("kind")), rule.get("kind"))
        self._sandbox.faults.set(rules)
        return {"rules": self._sandbox.faults.fired()}

    def post_deliveries(self, asked: Asked) -> Any:
        wanted: Redelivery = asked.read(Redelivery)
        records = self._sandbox.delivery.records()
        for record in reversed(records):
            if wanted.event_id in (None, record.event_id) and wanted.name in (None, record.name):
                return self._sandbox.delivery.again(record.event_id, wanted.copies).as_json()
        raise Refused(404, f"no event matches; {len(records)} events are known")

    def get_idle(self, asked: Asked) -> Any:
        try:
            seconds = float(asked.query.get("timeout_seconds", 0))
        except ValueError:
            raise Refused(400, "timeout_seconds must be a number") from None
        return {"idle": self._sandbox.delivery.wait_until_idle(seconds)}

    def post_sweep(self, asked: Asked) -> Any:
        try:
            status, text = self._sandbox.run_sweep()
        except RuntimeError as problem:
            raise Refused(409, str(problem)) from None
        try:
            return {"status": status, "answer": json.loads(text)}
        except ValueError:
            return {"status": status, "answer": text}

    def delete_state(self, asked: Asked) -> Any:
        self._sandbox.clear()
        return {"cleared": True}


class ControlServer:
    """Serves the control API on its own port, until closed."""

    def __init__(self, sandbox: Controlled) -> None:
        routes = Routes(sandbox)

        class Handler(_Handler):
            answer = staticmethod(routes.answer)

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        ).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    answer: Callable[[str, str, bytes], Any]

    def log_message(self, *args: Any) -> None:
        """Print nothing."""

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        status, kind = 200, "application/json"
        try:
            answer = self.answer(self.command, self.path, body)
        except Refused as refused:
            status, answer = refused.status, {"error": str(refused)}
        if isinstance(answer, Lines):
            kind = "application/x-ndjson"
            text = "".join(f"{json.dumps(one, default=str)}\n" for one in answer.documents)
        else:
            text = json.dumps(answer, indent=2, default=str) + "\n"
        content = text.encode()
        self.send_response_only(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_PUT = do_POST = do_DELETE = _serve  # noqa: N815  (http.server's names)
