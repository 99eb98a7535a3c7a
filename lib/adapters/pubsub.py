"""Tell subscribers of a finished file: one Pub/Sub message, best effort.

The results document is what counts; a message can be lost (the function dies right after the
document) or come twice (a sweep writes the document again).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from lib.adapters.logging import Log

TIMEOUT_SECONDS = 10.0

Announce = Callable[[Mapping[str, Any]], None]


def announcer(topic: str, log: Log) -> Announce:
    """A function that publishes a message as JSON to the topic (`projects/P/topics/T`).

    Without a topic it does nothing. A message that can't be published costs a log line, never the
    run: its conversions are counted.
    """
    if not topic:
        return lambda message: None

    publisher: list[Any] = []

    def announce(message: Mapping[str, Any]) -> None:
        # Imported here: few deployments announce, and the client costs memory and a cold start.
        from google.cloud import pubsub_v1  # type: ignore[attr-defined]  # a namespace without types

        data = json.dumps(message).encode()
        try:
            if not publisher:
                publisher.append(pubsub_v1.PublisherClient())
            publisher[0].publish(topic, data, status=str(message["status"])).result(TIMEOUT_SECONDS)
        except Exception as error:  # whatever goes wrong here must not undo a finished run
            log.warning("announce_failed", kind=type(error).__name__)

    return announce
