"""Responses of the storage proxy: errors in Google's format, preconditions, links to the proxy."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlencode

from sandbox.storage_calls import Call

STATUS_FAULTS = {
    "status_503": (503, "backendError", "The service is unavailable (a fault of the sandbox)"),
    "status_429": (429, "rateLimitExceeded", "The rate limit was exceeded (a fault)"),
    "status_403": (403, "forbidden", "The caller does not have access to the object (a fault)"),
    "status_401": (401, "authError", "Invalid Credentials (a fault)"),
    "status_412": (412, "conditionNotMet", "A precondition did not hold (a fault)"),
}


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    reason: str
    headers: list[tuple[str, str]]
    body: bytes


def first_byte(range_header: str) -> int:
    """The first byte that a `Range: bytes=5-9` header asks for; 0 without one."""
    start = range_header.removeprefix("bytes=").partition("-")[0]
    return int(start) if start.isdigit() else 0


def error_answer(status: int, reason: str, message: str) -> Answer:
    """An error in the format of Google's JSON API."""
    error = {
        "code": status,
        "message": message,
        "errors": [{"message": message, "domain": "global", "reason": reason}],
    }
    body = json.dumps({"error": error}).encode()
    return Answer(status, reason, [("Content-Type", "application/json")], body)


def refusal(call: Call, live_generation: Callable[[Call], int | None]) -> Answer | None:
    """The 412 or 404 with which Google answers an unmet precondition, or None."""
    match = call.query.get("ifGenerationMatch")
    differ = call.query.get("ifGenerationNotMatch")
    pinned = call.query.get("generation") if call.method.endswith((".delete", ".patch")) else None
    if not call.name or not (match or differ or pinned):
        return None
    live = live_generation(call)
    if pinned and live != int(pinned):
        return error_answer(404, "notFound", f"No such object: {call.bucket}/{call.name}")
    if match and (live or 0) != int(match):
        return error_answer(412, "conditionNotMet", "ifGenerationMatch did not hold")
    if differ and (live or 0) == int(differ):
        return error_answer(412, "conditionNotMet", "ifGenerationNotMatch did not hold")
    return None


def target_of(call: Call, target: str) -> str:
    """The target for the binary, which knows `versions=true` but not `True`, as Google's client."""
    if call.method == "storage.objects.list":
        return target.replace("versions=True", "versions=true")
    return target


def at_our_port(answer: Answer, call: Call, ours: str, theirs: str) -> Answer:
    """Changes the links in a response, so that they point at the port that got the request.

    A resumable upload keeps the precondition and the name of its first request in its link: the
    binary forgets the precondition, and a name in the body.
    """
    headers = [(key, value.replace(theirs, ours)) for key, value in answer.headers]
    if call.begins_resumable:
        kept = {"ifGenerationMatch": call.query.get("ifGenerationMatch"), "name": call.name}
        headers = [(k, _with(v, kept) if k == "Location" else v) for k, v in headers]
    body = answer.body if ours == theirs else answer.body.replace(theirs.encode(), ours.encode())
    return Answer(answer.status, answer.reason, headers, body)


def _with(url: str, parameters: dict[str, str | None]) -> str:
    missing = {k: v for k, v in parameters.items() if v is not None and f"{k}=" not in url}
    return f"{url}&{urlencode(missing)}" if missing else url
