"""The connections to the APIs that an instance keeps, renews, and sends requests on."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from lib.destinations.pacing import Classify, Pacer
from lib.model.deadline import Deadline, elapsed_seconds
from lib.model.log import Log

C = TypeVar("C")
T = TypeVar("T")

CONNECTION_SECONDS = 900.0
"""How long a connection is used. After this time, a rotated secret is in use everywhere. (A refused
connection is replaced at once.)"""

ReadCredentials = Callable[[], str]
"""Returns the text of the google-ads.yaml. Raises `PermanentError` or `RetryableError`."""


class KeptConnection(Generic[C]):
    """Made by `connect` when it is first needed; again when it is too old or has a defect.

    Thread-safe: if several requests notice the same defect, only one of them connects again.
    """

    def __init__(self, connect: Callable[[], C]) -> None:
        self._connect = connect
        self._lock = threading.Lock()
        self._connection: C | None = None
        self._made = 0.0

    def get(self) -> C:
        """Return the connection. Raises what `connect` raises."""
        with self._lock:
            if self._connection is None or elapsed_seconds() - self._made >= CONNECTION_SECONDS:
                self._connection = self._connect()
                self._made = elapsed_seconds()
            return self._connection

    def discard(self, connection: C) -> None:
        """Do not return this connection again: it has a defect."""
        with self._lock:
            if self._connection is connection:
                self._connection = None


@dataclass(frozen=True, slots=True)
class PacedConnection(Generic[C]):
    """Sends requests on a kept connection, at the pace of one quota."""

    kept: KeptConnection[C]
    pacer: Pacer

    def send(
        self,
        request: Callable[[C, float], T],
        classify: Classify,
        *,
        deadline: Deadline,
        timeout_seconds: float,
        log: Log,
    ) -> T:
        """Run `request(connection, timeout_seconds)`, paced and retried (`Pacer.send`).

        If the connection is refused, connect and run the request again. After NO_ANSWER, the next
        try gets a new connection.
        """

        def attempt(seconds: float) -> T:
            connection = self.kept.get()
            try:
                return request(connection, seconds)
            except Exception as error:
                defect = classify(error).defect
                if defect is None:
                    raise
                self.kept.discard(connection)
                log.warning("connection_renewed", code=defect)
                if defect != "UNAUTHENTICATED":
                    raise
            return request(self.kept.get(), seconds)

        return self.pacer.send(
            attempt, classify, deadline=deadline, timeout_seconds=timeout_seconds, log=log
        )
