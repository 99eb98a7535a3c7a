"""Tells others: a message for each finished file, and a sign of life after each sweep.

Announces finished files: one Pub/Sub message per results document, best effort.

Only the results document is reliable. A message can be lost (the function crashes right after it
writes the document) or arrive twice (a sweep writes the document again).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from lib.model.log import Log

TIMEOUT_SECONDS = 10.0

_ASK = "Ask the engineer who deployed the function to "
_ADVICE = {
    "PermissionDenied": _ASK + "give its service account roles/pubsub.publisher on {topic}.",
    "NotFound": _ASK + "create {topic}, or to correct ANNOUNCE_TOPIC.",
}

HEARTBEAT_SECONDS = 5.0

Announce = Callable[[Mapping[str, Any]], None]


def _publisher() -> Any:
    # Imported here: few deployments use it, and it costs memory and a slower cold start.
    from google.cloud import pubsub_v1  # type: ignore[attr-defined]  # a namespace without types

    return pubsub_v1.PublisherClient()


def announcer(topic: str, log: Log, connect: Callable[[], Any] = _publisher) -> Announce:
    """Return a function that publishes a message as JSON to the topic (`projects/P/topics/T`).

    Without a topic it does nothing. If a message cannot be published, the function only logs an
    alert: the run is complete and its conversions are counted.
    """
    if not topic:
        return lambda message: None

    publisher: list[Any] = []

    def announce(message: Mapping[str, Any]) -> None:
        data = json.dumps(message).encode()
        try:
            if not publisher:
                publisher.append(connect())
            publisher[0].publish(topic, data, status=str(message["status"])).result(TIMEOUT_SECONDS)
        except Exception as error:  # no error here may undo a finished run
            kind = type(error).__name__
            advice = _ADVICE.get(kind, "Read the results document of this file instead.")
            action = advice.replace("{topic}", topic)
            log.alert("announce_failed", code=kind, detail=message["name"], action=action)

    return announce


def send_heartbeat(url: str, log: Log) -> None:
    """Call the address, if there is one: whoever watches it notices when no sweep comes.

    A failure is only logged: the watcher notices it, too.
    """
    if not url:
        return
    import urllib.request  # few deployments use it

    try:
        with urllib.request.urlopen(url, timeout=HEARTBEAT_SECONDS) as answer:
            answer.read(1)
    except (OSError, ValueError) as error:
        log.warning("heartbeat_failed", code=type(error).__name__)
