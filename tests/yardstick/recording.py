"""What an older version sent and wrote: recorded once, and never again.

    {"cases": {name: {"answers": [...], "requests": [number...], "documents": [number...]}},
     "requests": [{"method", "login_customer_id", "sha256", "message"}...],
     "documents": [{"name", "content"}...]}

Requests and documents are stored once, by their numbers. `sha256` is of the bytes of a request;
`message` is for people: its decoded form, in which rows after the first 20 are only digests.

The order of keys counts. The version of the schema, the texts of codes and keys that are newer than
the recording (`_LEFT_OUT`) are not compared.
"""

from __future__ import annotations

import difflib
import hashlib
import json
import lzma
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from google.ads import datamanager_v1
from google.protobuf.json_format import MessageToDict

from sandbox.google_ads import ads_module
from tests.yardstick.play import Document, Played, Request

PATH: Final = Path(__file__).parent / "recorded" / "base.json.xz"
_SHOWN_ROWS: Final = 20
_SHOWN_LINES: Final = 120
_ROWS: Final = ("conversions", "conversion_adjustments", "events")
_LEFT_OUT: Final = (
    *("schema_version", "meaning", "action"),
    *("profile_keys", "reading", "money", "micros", "currency"),
)
_ADS_MODULES: Final = {
    "UploadClickConversions": "conversion_upload_service",
    "UploadCallConversions": "conversion_upload_service",
    "UploadConversionAdjustments": "conversion_adjustment_upload_service",
    "Search": "google_ads_service",
    "SearchStream": "google_ads_service",
}


# Requests, for people


def _decoded(request: Request) -> Any:
    if request.body.startswith(b"{"):
        return json.loads(request.body)
    api, _, method = request.method.partition(".")
    if api == "google_ads":
        name = "SearchGoogleAds" + method.removeprefix("Search") if "Search" in method else method
        types = ads_module(f"services.types.{_ADS_MODULES[method]}")
    else:
        name, types = method, datamanager_v1
    message = getattr(types, f"{name}Request").pb().FromString(request.body)
    return MessageToDict(message, preserving_proto_field_name=True)


def _shown(request: Request) -> Any:
    """The decoded request. Of rows after the first 20, only a digest: enough to name the row."""
    message = _decoded(request)
    for name in _ROWS:
        rows = message.get(name, [])
        message |= {name: [*rows[:_SHOWN_ROWS], *map(_digest, rows[_SHOWN_ROWS:])]} if rows else {}
    return message


def _digest(row: Any) -> str:
    return hashlib.sha256(json.dumps(row).encode()).hexdigest()[:8]


def _sha256(request: Request) -> str:
    return hashlib.sha256(request.body).hexdigest()


class Recording:
    """What was recorded, to compare cases with."""

    def __init__(self) -> None:
        recorded = json.loads(lzma.decompress(PATH.read_bytes()))
        self.cases: Mapping[str, Any] = recorded["cases"]
        self._requests = recorded["requests"]
        self._documents = recorded["documents"]

    def difference(self, case: str, played: Played) -> str:
        """Return how a case differs from the base, as a unified diff; empty: it is equal."""
        return "\n".join(self._lines(self.cases[case], played))

    def _lines(self, base: Mapping[str, Any], played: Played) -> Iterator[str]:
        yield from _diff("answers", base["answers"], played.answers)
        sent = [self._requests[number] for number in base["requests"]]
        for number in range(max(len(sent), len(played.requests))):
            was = sent[number] if number < len(sent) else None
            now = played.requests[number] if number < len(played.requests) else None
            yield from _request_diff(f"request {number + 1}", was, now)
        written = [self._documents[number] for number in base["documents"]]
        for number in range(max(len(written), len(played.documents))):
            was = written[number] if number < len(written) else {"name": "", "content": {}}
            is_gone = number >= len(played.documents)
            now = Document("", "{}") if is_gone else played.documents[number]
            title = f"document {number + 1} {now.name or was['name']}"
            yield from _diff(f"{title}, name", was["name"], now.name)
            yield from _diff(title, was["content"], _compared(json.loads(now.text)))


def _compared(value: Any) -> Any:
    """Return a document without the keys that are not compared."""
    if isinstance(value, list):
        return [_compared(each) for each in value]
    if not isinstance(value, dict):
        return value
    return {k: _compared(each) for k, each in value.items() if k not in _LEFT_OUT}


def _request_diff(title: str, was: Any, now: Request | None) -> Iterator[str]:
    if now is None:
        yield from _diff(f"{title}, not sent any more", was, None)
        return
    shown = {"method": now.method, "login_customer_id": now.login_customer_id}
    shown["sha256"] = _sha256(now)
    if was is None:
        yield from _diff(f"{title}, not sent before", None, shown | {"message": _shown(now)})
    elif any(was[key] != value for key, value in shown.items()):
        title += " (if only sha256 differs, the same content has other bytes)"
        yield from _diff(title, was, shown | {"message": _shown(now)})


def _diff(title: str, was: Any, now: Any) -> Iterator[str]:
    """The lines of a unified diff; none if both are equal, with the order of keys."""
    before, after = _pretty(was), _pretty(now)
    if before == after:
        return
    lines = difflib.unified_diff(
        before.splitlines(), after.splitlines(), f"base: {title}", f"now: {title}", lineterm=""
    )
    for number, line in enumerate(lines):
        if number == _SHOWN_LINES:
            yield "... more lines differ"
            return
        yield line


def _pretty(value: Any) -> str:
    return json.dumps(value, indent=1, ensure_ascii=False)
