"""One connection that an instance keeps, and makes again when it no longer works."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, Literal, TypeVar

from lib.model.log import Log

C = TypeVar("C")
T = TypeVar("T")

Defect = Literal["UNAUTHENTICATED", "NO_ANSWER"]
"""Why a connection must not be used again. UNAUTHENTICATED: the server refuses its credentials.
NO_ANSWER: not one byte came back in time, so the network may have forgotten the connection."""


class KeptConnection(Generic[C]):
    """Made by `connect` when it is first needed; again when it is too old or has a defect.

    Thread-safe: if several calls notice the same defect, only one of them connects again.
    """

    def __init__(
        self, connect: Callable[[], C], max_age_seconds: float, clock: Callable[[], float]
    ) -> None:
        self._connect = connect
        self._max_age = max_age_seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._connection: C | None = None
        self._made = 0.0

    def get(self) -> C:
        """Return the connection. Raises what `connect` raises."""
        with self._lock:
            if self._connection is None or self._clock() - self._made >= self._max_age:
                self._connection = self._connect()
                self._made = self._clock()
            return self._connection

    def call(
        self, request: Callable[[C], T], defect_of: Callable[[Exception], Defect | None], log: Log
    ) -> T:
        """Call `request` with the connection. If that is refused, connect again and call it again.

        After NO_ANSWER, the exception is raised, but the next call gets a new connection.
        """
        connection = self.get()
        try:
            return request(connection)
        except Exception as error:
            defect = defect_of(error)
            if defect is None:
                raise
            self._drop(connection)
            log.warning("connection_renewed", code=defect)
            if defect != "UNAUTHENTICATED":
                raise
        return request(self.get())

    def _drop(self, connection: C) -> None:
        with self._lock:
            if self._connection is connection:
                self._connection = None
