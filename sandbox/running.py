"""A sandbox in another process: how `drop` finds it, uploads files and reads results."""

from __future__ import annotations

import json
import shlex
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

CURRENT = Path(".sandbox/current.json")


class NotRunning(RuntimeError):
    """No running sandbox was found; the message says where it was expected."""


class RequestRefused(RuntimeError):
    """The control API refused a request; the message is its own."""


def command(arguments: str) -> str:
    """A command of the sandbox for any terminal in this directory: with the Python that runs now.

    The directory of a virtual environment may not be on the PATH, or not in the other terminal.
    """
    python, here = Path(sys.executable), Path.cwd()
    if python.is_relative_to(here):
        python = python.relative_to(here)
    return f"{shlex.quote(str(python))} -m sandbox {arguments}"


def remember(description: Mapping[str, Any]) -> None:
    """Records the running sandbox, so that `drop` finds it in the same directory."""
    CURRENT.parent.mkdir(exist_ok=True)
    CURRENT.write_text(json.dumps(description, indent=2), encoding="utf-8")


def forget(description: Mapping[str, Any]) -> None:
    """Removes the record, unless a later sandbox has replaced it."""
    try:
        noted = json.loads(CURRENT.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return
    if noted.get("control_url") == description["control_url"]:
        CURRENT.unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class Running:
    """A running sandbox, as its control API describes it."""

    description: Mapping[str, Any]

    def upload(self, name: str, content: bytes) -> tuple[str, int]:
        """Uploads a file to the input bucket; returns its name and its generation.

        Plain HTTP is enough, and importing Google's client takes longer than the upload. Fault
        rules do not apply to it.
        """
        storage, bucket = self.description["quiet_storage_url"], self.description["input_bucket"]
        query = urllib.parse.urlencode({"uploadType": "media", "name": name})
        url = f"{storage}/upload/storage/v1/b/{bucket}/o?{query}"
        request = urllib.request.Request(url, content, {"Content-Type": "text/csv"})
        with urllib.request.urlopen(request) as answer:
            written = json.load(answer)
        return str(written["name"]), int(written["generation"])

    def get(self, path: str) -> Any:
        """The JSON response of `GET path`."""
        with urllib.request.urlopen(self.description["control_url"] + path) as answer:
            return json.load(answer)

    def put(self, path: str, body: bytes) -> None:
        """`PUT path`. Raises RequestRefused."""
        url = self.description["control_url"] + path
        try:
            urllib.request.urlopen(urllib.request.Request(url, body, method="PUT")).close()
        except urllib.error.HTTPError as refusal:
            with refusal:
                raise RequestRefused(str(json.load(refusal)["error"])) from None

    def notice_on_events(self, events: Mapping[str, Any]) -> str:
        """Why the function does not hear of a new file, if so. `events`: `GET /delivery`."""
        url = f"{self.description['control_url']}/delivery"
        if events["drop"]:
            return (
                "Events are turned off (drop), so these files get no results. Turn them on with "
                f"curl -X PUT {url} -d '{{\"drop\": false}}' and drop the files again."
            )
        if events["paused"]:
            return (
                "Events are paused, so these files wait. Resume with "
                f"curl -X PUT {url} -d '{{\"paused\": false}}'"
            )
        return ""

    def wait_for_results(
        self, name: str, generation: int, timeout_seconds: float
    ) -> dict[str, Any]:
        """Waits for the results document and returns it. Raises TimeoutError."""
        _, address = self.addresses_of_results(name, generation)
        deadline = time.monotonic() + timeout_seconds
        while True:
            try:
                with urllib.request.urlopen(address) as answer:
                    document: dict[str, Any] = json.load(answer)
                return document
            except urllib.error.HTTPError as refusal:
                with refusal:
                    if refusal.code != HTTPStatus.NOT_FOUND:
                        raise
            if time.monotonic() > deadline:
                raise TimeoutError(
                    f"No results for {name} after {timeout_seconds:.0f} s. Check the function log "
                    f"({self.description['function_log']}) and the deliveries "
                    f"({self.description['control_url']}/deliveries)."
                )
            time.sleep(0.1)

    def addresses_of_results(self, name: str, generation: int) -> list[str]:
        """Where a browser finds the report of a file, and its results document."""
        storage, bucket = self.description["quiet_storage_url"], self.description["output_bucket"]
        objects = f"{storage}/storage/v1/b/{bucket}/o"
        path = urllib.parse.quote(f"{name}.{generation}", safe="")
        return [f"{objects}/{path}.results.{kind}?alt=media" for kind in ("html", "json")]


def running_here() -> str | None:
    """The control URL of the running sandbox that was started in this directory, if any."""
    try:
        return str(find(None).description["control_url"])
    except NotRunning:
        return None


def find(control_url: str | None) -> Running:
    """The sandbox at `control_url`, or the one started in this directory. Raises NotRunning."""
    if control_url is None:
        try:
            control_url = str(json.loads(CURRENT.read_text(encoding="utf-8"))["control_url"])
        except (OSError, ValueError, KeyError):
            raise NotRunning(
                f"No sandbox is running in this directory ({CURRENT} is missing or not valid). "
                f"Start one with `{command('up')}`, or name one with --control-url."
            ) from None
    try:
        with urllib.request.urlopen(control_url.rstrip("/") + "/", timeout=5) as answer:
            return Running(json.load(answer))
    except (urllib.error.URLError, OSError, ValueError) as problem:
        raise NotRunning(f"The sandbox at {control_url} does not respond: {problem}") from None
