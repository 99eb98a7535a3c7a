"""What the platform tells an instance: that an object was finalized, and that the instance ends.

Eventarc posts a CloudEvent in binary content mode: its attributes are headers, its body is a
StorageObjectData in JSON (https://cloud.google.com/eventarc/docs/cloudevents,
https://googleapis.github.io/google-cloudevents/testdata/google/events/cloud/storage/v1). Structured
mode, in which both are in the body, is read too: other routers of CloudEvents send it.

The end of an instance is announced by SIGTERM, ten seconds before SIGKILL.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import NamedTuple

from cloudevents.http import from_http

from lib.state.store import StoredObject

FINALIZED = "google.cloud.storage.object.v1.finalized"


class NotAnObjectEvent(NamedTuple):
    """A request that no redelivery can improve. `reason` is safe to log.

    `wrong_trigger`: it is an event, but of another type, so the trigger is wrong.
    """

    reason: str
    wrong_trigger: bool = False


def read_event(headers: Mapping[str, str], body: bytes) -> StoredObject | NotAnObjectEvent:
    """Return the object that was finalized, as the event in a request describes it. Never raises.

    A detail that the event omits, or that cannot be read, is left out: storage knows it too. The
    object's own word counts where it matters (`Store.open_live`): anybody who may call the function
    can write an event.
    """
    try:
        event = from_http(headers, body)
    except Exception as error:  # whatever the library raises, the same bytes raise it again
        return NotAnObjectEvent(f"not a CloudEvent ({type(error).__name__})")
    if event["type"] != FINALIZED:
        return NotAnObjectEvent(f"not the type {FINALIZED}", wrong_trigger=True)
    data = event.get_data()
    if not isinstance(data, dict):
        return NotAnObjectEvent("its data is not a JSON object")
    bucket, name = _text(data.get("bucket")), _text(data.get("name"))
    generation = _number(data.get("generation"))
    if not (bucket and name and generation):
        return NotAnObjectEvent("its data has no valid bucket, name and generation")
    return StoredObject(
        bucket=bucket,
        name=name,
        generation=generation,
        size=_number(data.get("size")),
        md5=_text(data.get("md5Hash")),
        created=_read_moment(data.get("timeCreated")),
        crc32c=_text(data.get("crc32c")),
    )


def _number(value: object) -> int:
    """Read a 64-bit number, which JSON made from proto writes as text, and omits if it is zero.

    0 also means that it cannot be read: no object has this generation.
    """
    try:
        number = int(value) if isinstance(value, (str, int)) else 0
    except ValueError:
        return 0
    return number if 0 <= number < 1 << 63 else 0


def _text(value: object) -> str:
    """Read a text. Return "" if it is none, or if it has half a character (`"\\ud83d"`), which JSON
    can contain, and nothing can store or send."""
    is_whole = isinstance(value, str) and value == value.encode("utf-8", "ignore").decode()
    return str(value) if is_whole else ""


def _read_moment(value: object) -> datetime | None:
    """Read an RFC 3339 time. Return None if there is none, it cannot be read, or it states no zone,
    so that nobody knows which moment it is: storage is asked then."""
    try:
        moment = datetime.fromisoformat(_text(value))
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else None


def on_termination(begin: Callable[[], None]) -> None:
    """Call `begin` in each forked process, in a separate thread, when it gets SIGTERM.

    functions-framework runs the function in a gunicorn worker. The worker is forked after `main`
    was imported, and it then installs its own signal handlers, so `main` cannot install one.
    Requests run in threads, where `signal.signal` is not allowed. Therefore each forked worker
    blocks SIGTERM in all of its threads and one thread waits for it; the signal is then sent again
    for gunicorn, which lets requests in progress finish.
    """

    def watch() -> None:
        signal.sigwait({signal.SIGTERM})
        begin()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
        os.kill(os.getpid(), signal.SIGTERM)

    def in_child() -> None:
        # Threads inherit the mask of the thread that starts them, and now there is only this one.
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
        threading.Thread(target=watch, name="termination", daemon=True).start()

    os.register_at_fork(after_in_child=in_child)
