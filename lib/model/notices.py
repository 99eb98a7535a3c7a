"""News for people: the addresses, what is sent to them, and the port that sends it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol


class Recipient(NamedTuple):
    """Where news go: a channel of a chat, a mailbox, a webhook.

    `key` and `name` are no secret: a digest, and the service with its line, such as "slack, line
    2". `only_urgent`: nothing but concerns that somebody must act on today. `problem` says why
    nothing can be sent to it; empty: it can.
    """

    key: str
    name: str
    most_chars: int = 0
    only_urgent: bool = False
    problem: str = ""


class Letter(NamedTuple):
    """A digest for one address. The body is Markdown: paragraphs and links, nothing else."""

    title: str
    body: str
    urgent: bool


class Post(Protocol):
    """Sends letters. A method returns after a bounded time, whatever the services do."""

    def addresses(self) -> Sequence[Recipient]:
        """Return the addresses. Raises `PermanentError` or `RetryableError`."""
        ...

    def send(self, letters: Mapping[str, Letter]) -> Mapping[str, str]:
        """Send letters by the keys of their addresses. Return what went wrong, by key."""
        ...
