"""Fault injection: a list of rules that is consulted for every request.

A rule is a JSON object, as `PUT /faults` takes it:

    {"method": "UploadClickConversions", "nth": 2, "kind": "internal_after_commit"}
    {"method": "storage.*", "every": 5, "kind": "status_503", "times": 3}
    {"method": "*", "nth": 7, "kind": "kill_after"}
    {"method": "*", "kind": "latency_ms", "latency_ms": 80}

- `method`: a name such as `google_ads.UploadClickConversions`, its last part alone, or a glob.
- `target`: only for objects with this name, `bucket/name` or a glob (storage).
- `nth` (a number or a list of numbers, from 1) or `every` (every n-th request). Without either,
  the rule applies to each request. Every rule counts the requests that its own `method` matches, so
  `"method": "*"` counts all of them.
- `times`: how often the rule applies at most (default: once for each number of `nth`, otherwise
  without limit).
- All other keys are parameters of the kind.

If several rules are due, the first one decides. Latency is added to whatever else happens.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

API_KINDS: dict[str, frozenset[str]] = {
    "unavailable": frozenset(),  # refused, not carried out
    "resource_exhausted": frozenset(),  # the daily quota is used up
    # the quota per minute is used up (Data Manager), or requests come too fast (Google Ads)
    "resource_temporarily_exhausted": frozenset({"retry_delay_seconds"}),
    "unauthenticated": frozenset(),  # the access token is refused, not carried out
    "transient_error": frozenset(),  # Google Ads InternalError.TRANSIENT_ERROR, not carried out
    "internal_before_commit": frozenset(),  # INTERNAL, not carried out
    "internal_after_commit": frozenset(),  # INTERNAL, although carried out
    "deadline_after_commit": frozenset(),  # DEADLINE_EXCEEDED, although carried out
    "hang": frozenset({"seconds", "committed"}),  # no response until the client times out
    "drop_connection": frozenset({"committed"}),  # TCP reset; carried out unless committed=false
    # Google Ads: chosen errors (a name or a list of them) on chosen rows, at a path in the row
    "row_error": frozenset({"rows", "error", "path", "message"}),
    "stray_error": frozenset({"error"}),  # Google Ads: one more error, which names no row
    "error_without_index": frozenset({"error"}),  # Google Ads: partial failure that names no row
    "invalid_argument_unnamed": frozenset(),  # Data Manager: a refusal that names no event
}
STORAGE_KINDS: dict[str, frozenset[str]] = {
    "status_503": frozenset(),
    "status_429": frozenset(),
    "status_412": frozenset(),
    "status_401": frozenset(),
    "status_403": frozenset(),
    "cut_read_after_bytes": frozenset({"cut_read_after_bytes"}),
    "flip_bit_at_byte": frozenset({"flip_bit_at_byte"}),  # of the object, if the read contains it
}
COMMON_KINDS: dict[str, frozenset[str]] = {
    "latency_ms": frozenset({"latency_ms"}),
    "kill_before": frozenset(),  # the function dies before the request is carried out
    "kill_after": frozenset(),  # the function dies after that, before the response
}
KINDS = {**API_KINDS, **STORAGE_KINDS, **COMMON_KINDS}
_NEEDED = {kind: kind for kind in ("latency_ms", "cut_read_after_bytes", "flip_bit_at_byte")}
_SELECTORS = frozenset({"method", "kind", "target", "nth", "every", "times"})


class BadRule(ValueError):
    """A rule is not valid; the message names the rule and the problem."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What happens to one request. `kind` is None if it is only delayed."""

    kind: str | None
    latency_seconds: float = 0.0
    parameters: Mapping[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class _Rule:
    method: str
    target: str
    kind: str
    nth: frozenset[int]
    every: int | None
    times: int | None
    parameters: Mapping[str, Any]
    matched: int = 0
    fired: int = 0

    def matches(self, method: str, target: str) -> bool:
        last_part = method.rpartition(".")[2]
        names = fnmatchcase(method, self.method) or fnmatchcase(last_part, self.method)
        return names and fnmatchcase(target, self.target)

    def due(self) -> bool:
        if self.times is not None and self.fired >= self.times:
            return False
        if self.nth:
            return self.matched in self.nth
        return self.every is None or self.matched % self.every == 0


def _whole_number(value: object, name: str, number: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise BadRule(f"rule {number}: {name} must be a whole number of 1 or more")
    return value


def _read_rule(number: int, given: object) -> _Rule:
    if not isinstance(given, Mapping):
        raise BadRule(f"rule {number}: must be a JSON object")
    rule = dict(given)
    kind = rule.get("kind")
    if kind not in KINDS:
        raise BadRule(f"rule {number}: unknown kind {kind!r}; known: {', '.join(sorted(KINDS))}")
    parameters = {name: value for name, value in rule.items() if name not in _SELECTORS}
    unknown = set(parameters) - KINDS[kind]
    if unknown:
        raise BadRule(f"rule {number}: {kind} has no parameter {', '.join(sorted(unknown))}")
    needed = _NEEDED.get(kind)
    if needed and not isinstance(parameters.get(needed), int | float):
        raise BadRule(f"rule {number}: {kind} needs the number {needed!r}")
    if "nth" in rule and "every" in rule:
        raise BadRule(f"rule {number}: use nth or every, not both")
    method = rule.get("method", "*")
    if not isinstance(method, str) or not method:
        raise BadRule(f"rule {number}: method must be a name or a glob")
    listed = rule.get("nth", [])
    chosen = listed if isinstance(listed, list) else [listed]
    nth = frozenset(_whole_number(one, "nth", number) for one in chosen)
    every = _whole_number(rule["every"], "every", number) if "every" in rule else None
    times = len(nth) or None
    if rule.get("times") is not None:
        times = _whole_number(rule["times"], "times", number)
    return _Rule(method, str(rule.get("target", "*")), kind, nth, every, times, parameters)


class Faults:
    """The current rules. Thread-safe; `total_calls` counts every request since the last `set`.

    `on_kill` is called for `kill_before` and `kill_after`; the sandbox sets it to a function that
    kills the process under test.
    """

    def __init__(self, rules: Iterable[object] = ()) -> None:
        self._lock = threading.Lock()
        self._rules: list[_Rule] = []
        self._killed = self._injected = 0
        self.total_calls = 0
        self.on_kill: Callable[[], object] = lambda: None
        self.set(rules)

    def set(self, rules: Iterable[object]) -> None:
        """Replace all rules and restart the counters. Raises `BadRule` and then changes nothing."""
        read = [_read_rule(number, rule) for number, rule in enumerate(rules, start=1)]
        with self._lock:
            self._rules = read
            self.total_calls = 0

    def clear(self) -> None:
        self.set(())

    def decide(self, method: str, target: str = "") -> Fault | None:
        """Count one request to `method` (for the object `target`) and return its fault, or None."""
        latency, decided = 0.0, None
        with self._lock:
            self.total_calls += 1
            for rule in self._rules:
                if not rule.matches(method, target):
                    continue
                rule.matched += 1
                if not rule.due():
                    continue
                if rule.kind == "latency_ms":
                    rule.fired += 1
                    self._injected += 1
                    latency += rule.parameters["latency_ms"] / 1000
                elif decided is None:
                    rule.fired += 1
                    self._injected += 1
                    decided = rule
        if decided is None:
            return Fault(None, latency) if latency else None
        return Fault(decided.kind, latency, decided.parameters)

    def kill(self) -> None:
        """Kill the process under test, through `on_kill`."""
        with self._lock:
            self._killed += 1
        self.on_kill()

    @property
    def kills(self) -> int:
        """How often the process under test was killed."""
        return self._killed

    @property
    def injected(self) -> int:
        """How often rules have fired, including those that were replaced."""
        return self._injected

    def fired(self) -> list[dict[str, Any]]:
        """Every rule, the number of requests that it matched, and how often it fired."""
        with self._lock:
            return [
                {"method": r.method, "kind": r.kind, "calls": r.matched, "fired": r.fired}
                for r in self._rules
            ]
