"""The connections to the APIs that an instance keeps, renews, and sends requests on.

    secret ──▶ credentials for a scope ──▶ channel or session ──▶ requests

Each is kept, and made again when the one before it is new. So all connections of an instance share
the secret, and a refused token renews everything that was made with it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final, Generic, Protocol, TypeVar

from lib.destinations.credentials import Authorized, GoogleAdsYaml, authorize, read_secret
from lib.destinations.pacing import Classify, Pacer
from lib.model.deadline import Deadline, elapsed_seconds
from lib.model.log import Log

S = TypeVar("S")
C = TypeVar("C")
T = TypeVar("T")
K = TypeVar("K")

SECRET_SECONDS: Final = 900.0
"""How long a secret is used. After this time, a rotated secret is in use everywhere. (If Google
refuses a connection, the secret is read again at once.)"""

ReadCredentials = Callable[[], str]
"""Returns the text of the google-ads.yaml. Raises `PermanentError` or `RetryableError`."""


class Kept(Protocol[K]):
    """What an instance makes once and keeps. Thread-safe."""

    def get(self) -> K:
        """Return it, and make it first if there is none.

        Raises `PermanentError` or `RetryableError`.
        """
        ...

    def discard_refused(self, value: K) -> None:
        """Do not use this value again, nor what it was made from: Google has refused it."""
        ...


class KeptSecret:
    """The secret, read when it is first needed, when it is too old, and when Google refuses it."""

    def __init__(self, read_credentials: ReadCredentials) -> None:
        self._read_credentials = read_credentials
        self._lock = threading.Lock()
        self._secret: GoogleAdsYaml | None = None
        self._read_at = 0.0

    def get(self) -> GoogleAdsYaml:
        """Return the configuration. Raises what `ReadCredentials` and `read_secret` raise."""
        with self._lock:
            if self._secret is None or elapsed_seconds() - self._read_at >= SECRET_SECONDS:
                self._secret = read_secret(self._read_credentials())
                self._read_at = elapsed_seconds()
            return self._secret

    def discard_refused(self, value: GoogleAdsYaml) -> None:
        """Read the secret again before its next use."""
        with self._lock:
            if self._secret is value:
                self._secret = None


class KeptConnection(Generic[S, C]):
    """A connection, or credentials, made from a `source` when first needed; made again when the
    source is a new one, or what was made has a defect.

    Thread-safe: if several requests notice the same defect, only one of them connects again.
    """

    def __init__(self, source: Kept[S], connect: Callable[[S], C]) -> None:
        self._source = source
        self._connect = connect
        self._lock = threading.Lock()
        self._made: tuple[S, C] | None = None

    def get(self) -> C:
        """Return the connection. Raises what the source and `connect` raise."""
        with self._lock:
            source = self._source.get()
            if self._made is None or self._made[0] is not source:
                self._made = source, self._connect(source)
            return self._made[1]

    def discard(self, connection: C) -> None:
        """Do not return this connection again: it has a defect."""
        with self._lock:
            if self._made is not None and self._made[1] is connection:
                self._made = None

    def discard_refused(self, value: C) -> None:
        """See `Kept.discard_refused`."""
        with self._lock:
            if self._made is not None and self._made[1] is value:
                self._source.discard_refused(self._made[0])
                self._made = None


class SignIns:
    """The secret of an instance, and its credentials for each scope."""

    def __init__(self, read_credentials: ReadCredentials) -> None:
        self.secret = KeptSecret(read_credentials)
        self._by_scope: dict[str, Kept[Authorized]] = {}

    def for_scope(self, scope: str) -> Kept[Authorized]:
        """Return the credentials for a scope, which all connections with that scope share."""

        def sign_in(secret: GoogleAdsYaml) -> Authorized:
            return authorize(secret, scope)

        return self._by_scope.setdefault(scope, KeptConnection(self.secret, sign_in))


def begin(kept: Kept[Any]) -> None:
    """Connect now, in a thread of its own, so that the first request need not wait. If that fails,
    the next `get` tries again."""

    def make() -> None:
        with suppress(Exception):
            kept.get()

    threading.Thread(target=make, name="begin", daemon=True).start()


@dataclass(frozen=True, slots=True)
class PacedConnection(Generic[C]):
    """Sends requests on a kept connection, at the pace of one quota."""

    kept: KeptConnection[Any, C]
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

        def send_once(seconds: float) -> T:
            connection = self.kept.get()
            try:
                return request(connection, seconds)
            except Exception as error:
                defect = classify(error).defect
                if defect is None:
                    raise
                log.warning("connection_renewed", code=defect)
                if defect != "UNAUTHENTICATED":
                    self.kept.discard(connection)
                    raise
                self.kept.discard_refused(connection)
            return request(self.kept.get(), seconds)

        return self.pacer.send(
            send_once, classify, deadline=deadline, timeout_seconds=timeout_seconds, log=log
        )
