"""The secret is read while the first file of an instance is fetched and claimed."""

from __future__ import annotations

from itertools import count

import pytest

from lib.destinations.connections import MOST_SECONDS_AHEAD, SecretAhead
from lib.errors import PermanentError


class Secret:
    """A secret with a new version for each reading, and the clock of an instance."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._versions = count(1)
        self.ahead = SecretAhead(self.version, lambda: self.seconds)

    def version(self) -> str:
        return f"version {next(self._versions)}"


def test_what_was_read_ahead_is_used_once() -> None:
    """Each connection after the first one reads the secret that is valid then."""
    secret = Secret()
    secret.ahead.begin()
    secret.ahead.begin()
    assert [secret.ahead.read() for _ in range(3)] == ["version 1", "version 2", "version 3"]
    secret.ahead.begin()
    assert secret.ahead.read() == "version 4"


def test_an_old_secret_is_read_again() -> None:
    """The first object was no file, and the secret was rotated before the next one."""
    secret = Secret()
    secret.ahead.begin()
    secret.seconds += MOST_SECONDS_AHEAD
    assert secret.ahead.read() == "version 2"


def test_a_problem_is_raised_where_the_secret_is_needed() -> None:
    """A file that needs no connection does not notice it."""

    def no_secret() -> str:
        raise PermanentError("SECRET_NOT_SET")

    ahead = SecretAhead(no_secret, lambda: 0.0)
    ahead.begin()
    with pytest.raises(PermanentError, match="SECRET_NOT_SET"):
        ahead.read()
