"""Filters of Cloud Logging, as far as `terraform/` uses them: text → a function of a log entry.

https://cloud.google.com/logging/docs/view/logging-query-language. OR binds tighter than AND. A
comparison with a field that an entry lacks is false.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

Entry = Mapping[str, Any]
"""A LogEntry as JSON: `jsonPayload`, `resource`, `logName`, ..."""

Test = Callable[[Entry], bool]

_TOKEN = re.compile(
    r"\s*(?:(?P<text>\"(?:[^\"\\]|\\.)*\")|(?P<mark>[()])|(?P<operator>=~|!~|>=|<=|!=|[=<>:])"
    r"|(?P<word>[\w./%-]+))"
)
_OPERATORS: Mapping[str, Callable[[Any, str], bool]] = {
    "=": lambda value, wanted: str(value).casefold() == wanted.casefold(),
    "!=": lambda value, wanted: str(value).casefold() != wanted.casefold(),
    ":": lambda value, wanted: wanted.casefold() in str(value).casefold(),
    "=~": lambda value, wanted: re.search(wanted, str(value)) is not None,
    "!~": lambda value, wanted: re.search(wanted, str(value)) is None,
    ">": lambda value, wanted: float(value) > float(wanted),
    "<": lambda value, wanted: float(value) < float(wanted),
    ">=": lambda value, wanted: float(value) >= float(wanted),
    "<=": lambda value, wanted: float(value) <= float(wanted),
}


def parse(text: str) -> Test:
    """Return the test for a filter. Raises `ValueError` for what is not supported."""
    tokens = _Tokens(text)
    test = _all_of(tokens)
    if tokens.next is not None:
        raise ValueError(f"not understood from {tokens.next!r} on: {text}")
    return test


def field_of(entry: Entry, path: str) -> Any:
    """Return the value of a field such as `jsonPayload.code`, or None."""
    return _at(entry, path.split("."))


def _at(entry: Entry, parts: Sequence[str]) -> Any:
    value: Any = entry
    for part in parts:
        value = value.get(part) if isinstance(value, dict) else None
    return value


class _Tokens:
    def __init__(self, text: str) -> None:
        self._found = []
        at = 0
        while text[at:].strip():
            match = _TOKEN.match(text, at)
            if match is None:
                raise ValueError(f"not understood: {text[at:]}")
            self._found.append(match.group().strip())
            at = match.end()
        self._at = 0

    @property
    def next(self) -> str | None:
        return self._found[self._at] if self._at < len(self._found) else None

    def take(self, *wanted: str) -> str:
        token = self.next
        if token is None or (wanted and token not in wanted):
            raise ValueError(f"expected {' or '.join(wanted) or 'more'}, found {token}")
        self._at += 1
        return token

    def skip(self, word: str) -> bool:
        if self.next == word:
            self._at += 1
            return True
        return False


def _all_of(tokens: _Tokens) -> Test:
    tests = [_any_of(tokens)]
    while tokens.next not in (None, ")"):
        tokens.skip("AND")
        tests.append(_any_of(tokens))
    # Usually the last one says what a filter is about, so most entries are refused by it alone.
    last, *others = reversed(tests)
    return lambda entry: last(entry) and all(test(entry) for test in others)


def _any_of(tokens: _Tokens) -> Test:
    tests = [_single(tokens)]
    while tokens.skip("OR"):
        tests.append(_single(tokens))
    return tests[0] if len(tests) == 1 else lambda entry: any(test(entry) for test in tests)


def _single(tokens: _Tokens) -> Test:
    if tokens.skip("NOT"):
        inner = _single(tokens)
        return lambda entry: not inner(entry)
    if tokens.skip("("):
        inner = _all_of(tokens)
        tokens.take(")")
        return inner
    field = tokens.take()
    if field == "log_id":
        tokens.take("(")
        name = _literal(tokens).replace("/", "%2F")
        tokens.take(")")
        return lambda entry: str(entry.get("logName", "")).endswith(f"/logs/{name}")
    compare = _OPERATORS[tokens.take(*_OPERATORS)]
    wanted, parts = _values(tokens), field.split(".")

    def test(entry: Entry) -> bool:
        value = _at(entry, parts)
        return value is not None and any(compare(value, each) for each in wanted)

    return test


def _values(tokens: _Tokens) -> list[str]:
    if not tokens.skip("("):
        return [_literal(tokens)]
    values = [_literal(tokens)]
    while tokens.skip("OR"):
        values.append(_literal(tokens))
    tokens.take(")")
    return values


def _literal(tokens: _Tokens) -> str:
    token = tokens.take()
    return re.sub(r"\\(.)", r"\1", token[1:-1]) if token.startswith('"') else token
