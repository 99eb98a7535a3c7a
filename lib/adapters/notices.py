"""Tells others: a message for each finished file, news for people, a sign of life of each sweep.

Announces finished files: one Pub/Sub message per results document, best effort.

Only the results document is reliable. A message can be lost (the function crashes right after it
writes the document) or arrive twice (a sweep writes the document again).
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Mapping
from functools import cache
from threading import Thread
from typing import Any

from lib.model.log import Log
from lib.model.notices import Letter, Recipient

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

    publisher = cache(connect)

    def announce(message: Mapping[str, Any]) -> None:
        data = json.dumps(message).encode()
        try:
            publisher().publish(topic, data, status=str(message["status"])).result(TIMEOUT_SECONDS)
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


# ── news for people ──────────────────────────────────────────────────────────────────────────

SEND_SECONDS = 20.0
"""So long all services together have, however many they are, and whatever they do."""
_URGENT = "urgent="


class ApprisePost:
    """Sends news by Apprise (https://appriseit.com), which knows more than a hundred services.

    `read` returns the addresses, one a line. They contain passwords and tokens, so none of them is
    ever logged or stored. Apprise takes 25 MiB and a second, so it is imported only when there is
    something to send.
    """

    def __init__(self, read: Callable[[], str]) -> None:
        self._read = read
        self._services: dict[str, Any] = {}

    def addresses(self) -> list[Recipient]:
        """Return the addresses. Raises `PermanentError` or `RetryableError` of the secret."""
        found = []
        for number, line in enumerate(self._read().splitlines(), 1):
            text = line.strip()
            if not text or text.startswith("#"):
                continue
            key = hashlib.sha256(text.encode()).hexdigest()[:16]
            url = text.removeprefix(_URGENT)
            service = _service(url)
            if service is None:
                problem = "not an address that Apprise understands"
                found.append(Recipient(key, f"line {number}", problem=problem))
                continue
            self._services[key] = service
            name = f"{url.partition(':')[0].lower()}, line {number}"
            found.append(Recipient(key, name, service.body_maxlen, url != text))
        return found

    def send(self, letters: Mapping[str, Letter]) -> dict[str, str]:
        """Send all letters at once. A service that does not answer is left behind."""
        problems = dict.fromkeys(letters, f"no answer within {SEND_SECONDS:.0f} seconds")

        def send_one(key: str, letter: Letter) -> None:
            try:
                problems[key] = _sent(self._services[key], letter)
            except Exception as error:  # of a plugin; its message may quote the address
                problems[key] = f"failed ({type(error).__name__})"

        # No pool: Python would wait for its threads when the instance ends.
        threads = [Thread(target=send_one, args=each, daemon=True) for each in letters.items()]
        for each in threads:
            each.start()
        ends = time.monotonic() + SEND_SECONDS
        for each in threads:
            each.join(max(0, ends - time.monotonic()))
        return {key: problem for key, problem in problems.copy().items() if problem}


def _service(url: str) -> Any:
    """Return what sends to an address, or None if it is none."""
    import apprise  # see the class

    asset = apprise.AppriseAsset(app_id="Conversions", image_url_mask="", image_url_logo="")
    try:
        return apprise.Apprise.instantiate(url, asset=asset, suppress_exceptions=True)
    except Exception:  # of a plugin
        return None


def _sent(service: Any, letter: Letter) -> str:
    import apprise

    kind = apprise.NotifyType.FAILURE if letter.urgent else apprise.NotifyType.WARNING
    to = apprise.Apprise()
    to.add(service)
    is_sent = to.notify(
        title=letter.title,
        body=letter.body,
        notify_type=kind,
        body_format=apprise.NotifyFormat.MARKDOWN,
    )
    return "" if is_sent else "the service did not accept it"
