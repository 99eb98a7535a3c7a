"""Announces finished files: one Pub/Sub message per results document, best effort.

Only the results document is reliable. A message can be lost (the function crashes right after it
writes the document) or arrive twice (a sweep writes the document again).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from lib.model.log import Log

TIMEOUT_SECONDS = 10.0

Announce = Callable[[Mapping[str, Any]], None]


def announcer(topic: str, log: Log) -> Announce:
    """Return a function that publishes a message as JSON to the topic (`projects/P/topics/T`).

    Without a topic it does nothing. If a message cannot be published, the function only logs a
    warning: the run is complete and its conversions are counted.
    """
    if not topic:
        return lambda message: None

    publisher: list[Any] = []

    def announce(message: Mapping[str, Any]) -> None:
        # Imported here: few deployments use it, and it costs memory and a slower cold start.
        from google.cloud import pubsub_v1  # type: ignore[attr-defined]  # a namespace without types

        data = json.dumps(message).encode()
        try:
            if not publisher:
                publisher.append(pubsub_v1.PublisherClient())
            publisher[0].publish(topic, data, status=str(message["status"])).result(TIMEOUT_SECONDS)
        except Exception as error:  # no error here may undo a finished run
            log.warning("announce_failed", kind=type(error).__name__)

    return announce
