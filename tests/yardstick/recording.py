"""What the base did, in one file: written once, and never again.

    {"cases": {name: {"answers": [...], "requests": [number...], "documents": [number...]}},
     "requests": [{"method", "login_customer_id", "sha256", "message"}...],
     "documents": [{"name", "text"}...]}

Requests and documents are stored once, by their numbers. `sha256` is of the bytes of a request;
`message` is for people: its decoded form, in which rows after the first 20 are only digests.

`docs/renamed.json` lists what has another name today. The recorded documents get the new names
before they are compared:

- `keys`: a key of the documents; a plain name is renamed everywhere, a path from the top such as
  `rows.errors.code` only there (a list has no part in a path). The new name is a plain name.
- `codes` and `settings`: whole words in every text, and keys.

`schema_version` is that of `docs/results.schema.json`. The order of keys counts, spaces do not, and
neither do the texts of codes and keys of documents that the base did not write (`_NEWER_KEYS`).
"""

from __future__ import annotations

import difflib
import hashlib
import json
import lzma
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from google.ads import datamanager_v1
from google.protobuf.json_format import MessageToDict

from sandbox.google_ads import ads_module
from tests.yardstick.play import Document, Played, Request

ROOT: Final = Path(__file__).resolve().parents[2]
PATH: Final = Path(__file__).parent / "recorded" / "base.json.xz"
_SHOWN_ROWS: Final = 20
_SHOWN_LINES: Final = 120
_ROWS: Final = ("conversions", "conversion_adjustments", "events")
_TEXTS: Final = ("meaning", "action")
_NEWER_KEYS: Final = ("profile_keys", "reading", "money", "micros", "currency")
_LEFT_OUT: Final = (*_TEXTS, *_NEWER_KEYS)
_ADS_MODULES: Final = {
    "UploadClickConversions": "conversion_upload_service",
    "UploadCallConversions": "conversion_upload_service",
    "UploadConversionAdjustments": "conversion_adjustment_upload_service",
    "Search": "google_ads_service",
    "SearchStream": "google_ads_service",
}


class Renamed(NamedTuple):
    """What has another name today."""

    keys: Mapping[str, str]
    words: Mapping[str, str]
    schema_version: int

    def document(self, text: str) -> Any:
        """Return a recorded document, with today's names."""
        found = self._renamed(json.loads(text), "")
        found["schema_version"] = self.schema_version
        # Codes of the same count are sorted by their names, which may be new.
        codes: dict[str, Any] = found.get("codes", {})
        found["codes"] = dict(sorted(codes.items(), key=lambda each: (-each[1]["count"], each[0])))
        return found

    def word(self, text: str) -> str:
        """Return a text with today's names of codes and settings."""
        if not self.words:
            return text
        return re.sub(r"\w+", lambda match: self.words.get(match[0], match[0]), text)

    def _renamed(self, value: Any, path: str) -> Any:
        if isinstance(value, str):
            return self.word(value)
        if isinstance(value, list):
            return [self._renamed(each, path) for each in value]
        if not isinstance(value, dict):
            return value
        renamed = {}
        for key, each in value.items():
            below = f"{path}.{key}" if path else key
            new = self.keys.get(below, self.keys.get(key, self.word(key)))
            renamed[new] = self._renamed(each, below)
        return renamed


def renamed(listed: Mapping[str, Mapping[str, str]], schema_version: int) -> Renamed:
    """Return the names that `docs/renamed.json` lists."""
    return Renamed(listed["keys"], {**listed["codes"], **listed["settings"]}, schema_version)


def renamed_today() -> Renamed:
    """Read `docs/renamed.json` and the version of the schema."""
    listed = json.loads((ROOT / "docs" / "renamed.json").read_text("utf-8"))
    schema = json.loads((ROOT / "docs" / "results.schema.json").read_text("utf-8"))
    return renamed(listed, schema["properties"]["schema_version"]["const"])


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


# Recording


def write(played: Iterable[tuple[str, Played]]) -> None:
    """Record the cases."""
    requests: dict[tuple[str, str, str], tuple[int, Any]] = {}
    documents: dict[Document, int] = {}
    cases = {}
    for name, each in played:
        sent = []
        for request in each.requests:
            key = (request.method, request.login_customer_id, _sha256(request))
            if key not in requests:
                requests[key] = len(requests), _shown(request)
            sent.append(requests[key][0])
        written = [documents.setdefault(one, len(documents)) for one in each.documents]
        cases[name] = {"answers": each.answers, "requests": sent, "documents": written}
    recorded = {
        "cases": cases,
        "requests": [
            {"method": method, "login_customer_id": login, "sha256": sha256, "message": message}
            for (method, login, sha256), (_, message) in requests.items()
        ],
        "documents": [{"name": each.name, "text": each.text} for each in documents],
    }
    PATH.parent.mkdir(exist_ok=True)
    text = json.dumps(recorded, ensure_ascii=False, separators=(",", ":"))
    PATH.write_bytes(lzma.compress(text.encode(), preset=9 | lzma.PRESET_EXTREME))


class Recording:
    """What was recorded, to compare cases with."""

    def __init__(self, names: Renamed) -> None:
        recorded = json.loads(lzma.decompress(PATH.read_bytes()))
        self.cases: Mapping[str, Any] = recorded["cases"]
        self._requests = recorded["requests"]
        self._documents = recorded["documents"]
        self._names = names

    def difference(self, case: str, played: Played) -> str:
        """Return how a case differs from the base, as a unified diff; empty: it is equal."""
        return "\n".join(self._lines(self.cases[case], played))

    def _lines(self, base: Mapping[str, Any], played: Played) -> Iterator[str]:
        answers = [self._names.word(each) for each in base["answers"]]
        yield from _diff("answers", answers, played.answers)
        sent = [self._requests[number] for number in base["requests"]]
        for number in range(max(len(sent), len(played.requests))):
            was = sent[number] if number < len(sent) else None
            now = played.requests[number] if number < len(played.requests) else None
            yield from _request_diff(f"request {number + 1}", was, now)
        written = [self._documents[number] for number in base["documents"]]
        for number in range(max(len(written), len(played.documents))):
            was = written[number] if number < len(written) else {"name": "", "text": "{}"}
            is_new = number >= len(played.documents)
            after = Document("", "{}") if is_new else played.documents[number]
            before = self._names.document(was["text"]) if was["name"] else {}
            title = f"document {number + 1} {after.name or was['name']}"
            yield from _diff(f"{title}, name", was["name"], after.name)
            yield from _diff(title, _without_texts(before), _without_texts(json.loads(after.text)))


def _without_texts(value: Any) -> Any:
    """Return a document without the texts of the catalogue, which may be improved at any time, and
    without keys that are newer than the base."""
    if isinstance(value, list):
        return [_without_texts(each) for each in value]
    if not isinstance(value, dict):
        return value
    return {k: _without_texts(each) for k, each in value.items() if k not in _LEFT_OUT}


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
