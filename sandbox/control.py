"""The control API: JSON over HTTP, to inspect the sandbox and to inject faults.

Documented in docs/sandbox.md. An error is a 4xx with `{"error": "what is wrong"}`.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol
from urllib.parse import parse_qs, urlsplit

from sandbox.accounts import BadAccounts
from sandbox.delivery import Delivery
from sandbox.delivery_settings import BadSettings
from sandbox.faults import BadRule, Faults
from sandbox.function import Function
from sandbox.state import State

_NAMED = "/secrets/"
_COMMENT = re.compile(rb"^[ \t]*//.*", re.MULTILINE)
_STATUS_NAMES = {number: f"status_{number}" for number in ("401", "403", "412", "429", "503")}


class Controlled(Protocol):
    """What the control API needs of a sandbox; `sandbox.up.Sandbox` provides it."""

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


class Lines:
    """A response of several JSON documents, one per line (NDJSON)."""

    def __init__(self, documents: Iterable[Mapping[str, Any]]) -> None:
        self.documents = documents


def _parsed(body: bytes, wanted: type, shape: str) -> Any:
    try:
        document = json.loads(body)
    except ValueError as problem:
        raise Refused(400, f"the body is not JSON: {problem}") from None
    if not isinstance(document, wanted):
        raise Refused(400, f"the body must be {shape}")
    return document


def _moment(text: object, what: str) -> datetime:
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        raise Refused(400, f"{what} must be ISO 8601") from None
    if moment.tzinfo is None:
        raise Refused(400, f"{what} needs a UTC offset")
    return moment


class Routes:
    """The handler of each request. The keys of `table` are `VERB /path`."""

    def __init__(self, sandbox: Controlled) -> None:
        self._sandbox = sandbox
        self.table: dict[str, Callable[[bytes, str, dict[str, str]], Any]] = {
            "GET /": lambda body, name, query: {
                **sandbox.description(),
                "routes": sorted(self.table),
            },
            "GET /conversions": lambda body, name, query: Lines(sandbox.state.conversions()),
            "GET /adjustments": lambda body, name, query: Lines(
                sandbox.state.accepted_adjustments()
            ),
            "GET /values": lambda body, name, query: Lines(
                sandbox.state.histories(query.get("order_id", ""))
            ),
            "GET /requests": lambda body, name, query: Lines(sandbox.state.request_log()),
            "PUT /accounts": self.put_accounts,
            "GET /faults": lambda body, name, query: {
                "total_calls": sandbox.faults.total_calls,
                "kills": sandbox.faults.kills,
                "rules": sandbox.faults.fired(),
            },
            "PUT /faults": self.put_faults,
            "GET /delivery": lambda body, name, query: asdict(sandbox.delivery.settings),
            "PUT /delivery": self.put_delivery,
            "GET /deliveries": lambda body, name, query: [
                record.as_json() for record in sandbox.delivery.records()
            ],
            "POST /deliveries": self.post_deliveries,
            "GET /idle": self.get_idle,
            "PUT /clicks": self.put_clicks,
            "PUT /calls": self.put_calls,
            "PUT /readings": self.put_readings,
            f"PUT {_NAMED}": self.put_secret,
            "PUT /profiles": self.put_profiles,
            "POST /sweep": self.post_sweep,
            "POST /kill": self.post_kill,
            "POST /terminate": self.post_terminate,
            "DELETE /state": self.delete_state,
        }

    def answer(self, verb: str, target: str, body: bytes) -> Any:
        """The response of a route, to be sent as JSON. Raises Refused."""
        parts = urlsplit(target)
        query = {key: values[-1] for key, values in parse_qs(parts.query).items()}
        path, name = parts.path, ""
        if path.startswith(_NAMED) and path != _NAMED:
            path, name = _NAMED, path.removeprefix(_NAMED)
        if route := self.table.get(f"{verb} {path}"):
            try:
                return route(body, name, query)
            except (BadRule, BadSettings, BadAccounts) as problem:
                raise Refused(400, str(problem)) from None
        known = [one for one in self.table if one.split()[1] == path]
        if known:
            raise Refused(405, f"{path} does not support {verb}; use {', '.join(known)}")
        raise Refused(404, f"unknown path {path}; GET / lists all routes")

    def put_accounts(self, body: bytes, name: str, query: dict[str, str]) -> Any:
        self._sandbox.state.load_accounts(_parsed(body, list, "a list of accounts"))
        return {"accounts": list(self._sandbox.state.accounts)}

    def put_faults(self, body: bytes, name: str, query: dict[str, str]) -> Any:
        rules = _parsed(body, list, "a list of rules")
        for rule in rules:
            if isinstance(rule, dict):
                rule["kind"] = _STATUS_NAMES.get(str(rule.get("kind")), rule.get("kind"))
        self._sandbox.faults.set(rules)
        return {"rules": self._sandbox.faults.fired()}

    def put_delivery(self, body: bytes, name: str, query: dict[str, str]) -> Any:
        changes = _parsed(body, dict, "an object of settings")
        return asdict(self._sandbox.delivery.set(**changes))

    def post_deliveries(self, body: bytes, name: str, query: dict[str, str]) -> Any:
        wanted = _parsed(body, dict, 'an object such as {"name": "export.csv", "copies": 2}')
        copies = wanted.get("copies", 1)
        if not isinstance(copies, int) or copies < 1:
            raise Refused(400, "copies must be a whole number of 1 or more")
        records = self._sandbox.delivery.records()
        for record in reversed(records):
            if wanted.get("event_id", record.event_id) != record.event_id:
                continue
            if wanted.get("name", record.name) == record.name:
                return self._sandbox.delivery.again(record.event_id, copies).as_json()
        raise Refused(404, f"no event matches {wanted}; {len(records)} events are known")

    def get_idle(self, body: bytes, name: str, query: dict[str, str]) -> Any:
        try:
            seconds = float(query.get("timeout_seconds", 0))
        except ValueError:
            raise Refused(400, "timeout_seconds must be a number") from None
        return {"idle": self._sandbox.delivery.wait_until_idle(seconds)}

    def put_clicks(self, body: bytes, name: str, query: dict[str, str]) -> Any:
        given = _parsed(body, dict, 'an object such as {"CLICK_ID": "2026-11-24T10:00:00+00:00"}')
        clicks = {
            click_id: _moment(when, f"the time of click {click_id!r}")
            for click_id, when in given.items()
        }
        self._sandbox.state.register_clicks(clicks)
        return {"clicks": len(clicks)}

    def put_calls(self, body: bytes, name: str, query: dict[str, str]) -> Any:
        given = _parsed(
            body, list, 'a list such as [["+12125550123", "2026-11-24T10:00:00+00:00"]]'
        )
        calls = []
        for number, call in enumerate(given, start=1):
            if not isinstance(call, list) or len(call) != 2:
                raise Refused(400, f"call {number} must be a list of caller ID and start")
            calls.append((str(call[0]), _moment(call[1], f"the start of call {number}")))
        self._sandbox.state.register_calls(calls)
        return {"calls": len(calls)}

    def put_readings(self, body: bytes, name: str, query: dict[str, str]) -> Any:
        changes = _parsed(body, dict, 'an object such as {"recent_conversions": "not_found"}')
        try:
            return asdict(self._sandbox.state.change_readings(**changes))
        except (TypeError, ValueError) as problem:
            raise Refused(400, str(problem)) from None

    def put_secret(self, body: bytes, name: str, query: dict[str, str]) -> Any:
        if not name:
            raise Refused(400, "PUT /secrets/NAME: the name is missing")
        project = self._sandbox.env["GOOGLE_CLOUD_PROJECT"]
        secret = f"projects/{project}/secrets/{name}"
        self._sandbox.state.set_secret(secret, body)
        return {"secret": secret}

    def put_profiles(self, body: bytes, name: str, query: dict[str, str]) -> Any:
        # The function accepts comments in this document too: lines that begin with //.
        profiles = _parsed(_COMMENT.sub(b"", body), dict, "an object of profiles")
        self._sandbox.set_profiles(profiles)
        return {"profiles": list(profiles)}

    def post_sweep(self, body: bytes, name: str, query: dict[str, str]) -> Any:
        try:
            status, text = self._sandbox.run_sweep()
        except RuntimeError as problem:
            raise Refused(409, str(problem)) from None
        try:
            return {"status": status, "answer": json.loads(text)}
        except ValueError:
            return {"status": status, "answer": text}

    def post_kill(self, body: bytes, name: str, query: dict[str, str]) -> Any:
        if self._sandbox.function is None:
            raise Refused(409, "this sandbox does not run the function")
        return {"killed": self._sandbox.kill_working()}

    def post_terminate(self, body: bytes, name: str, query: dict[str, str]) -> Any:
        if self._sandbox.function is None:
            raise Refused(409, "this sandbox does not run the function")
        return {"terminated": self._sandbox.terminate_working()}

    def delete_state(self, body: bytes, name: str, query: dict[str, str]) -> Any:
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
