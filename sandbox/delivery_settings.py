"""The settings of event delivery, and their validation for `PUT /delivery`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any


class BadSettings(ValueError):
    """A delivery setting is not valid; the message names it and says what it accepts."""


@dataclass(frozen=True, slots=True)
class DeliverySettings:
    """How events are delivered. `PUT /delivery` accepts these names and changes only those given.

    duplicate: how often each event is delivered; the copies run in parallel if concurrency allows.
    concurrency: the most deliveries in flight; None: one per instance.
    backoff_seconds: wait after the first failure; it doubles up to max_backoff_seconds.
    time_limit_seconds: after this time without a 2xx, an event is not retried (24 h at Google).
    request_timeout_seconds: the platform's limit for one request (540 s at Google).
    paused: events wait. drop: events are lost without a trace, as when a trigger is missing.
    """

    duplicate: int = 1
    concurrency: int | None = None
    backoff_seconds: float = 0.2
    max_backoff_seconds: float = 3.0
    time_limit_seconds: float = 600.0
    request_timeout_seconds: float = 540.0
    paused: bool = False
    drop: bool = False

    def changed(self, changes: Mapping[str, Any]) -> DeliverySettings:
        """A copy with `changes`. Raises BadSettings for an unknown name or an invalid value."""
        for name, value in changes.items():
            if name not in _CHECKS:
                raise BadSettings(f"unknown setting {name!r}; known: {', '.join(_CHECKS)}")
            wanted, check = _CHECKS[name]
            if not check(value):
                raise BadSettings(f"{name} must be {wanted}")
        return replace(self, **changes)


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def _is_seconds(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value >= 0


_COUNT = ("a whole number of 1 or more", _is_count)
_SECONDS = ("a number of seconds", _is_seconds)
_SWITCH = ("true or false", lambda value: isinstance(value, bool))
_CHECKS: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "duplicate": _COUNT,
    "concurrency": (
        "null, or a whole number of 1 or more",
        lambda value: value is None or _is_count(value),
    ),
    "backoff_seconds": _SECONDS,
    "max_backoff_seconds": _SECONDS,
    "time_limit_seconds": _SECONDS,
    "request_timeout_seconds": _SECONDS,
    "paused": _SWITCH,
    "drop": _SWITCH,
}
