"""What `init` finds out, and what it must ask: values, so that the search itself is pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Entry:
    """A key of the profile, its value, and the reason in words. The reason quotes no cell, except
    the values of a row filter."""

    key: str
    value: Any
    reason: str


@dataclass(frozen=True, slots=True)
class Question:
    """A key that the file cannot tell. Every question has a default; "" leaves the key out.

    `is_needed`: without the key, rows are rejected or mean something else.
    """

    key: str
    option: str
    text: str
    default: str
    is_needed: bool


@dataclass(frozen=True, slots=True)
class Given:
    """What a person has said: values by profile key, and keys that are left out on purpose.

    `by_default`: keys whose value is the default of a question that nobody answered."""

    values: Mapping[str, Any] = field(default_factory=dict)
    left_out: frozenset[str] = frozenset()
    by_default: frozenset[str] = frozenset()

    def decides(self, key: str) -> bool:
        """Return whether the person has decided on a key."""
        return key in self.values or key in self.left_out


@dataclass(frozen=True, slots=True)
class Found:
    """Entries and questions of one part of the search."""

    entries: tuple[Entry, ...] = ()
    questions: tuple[Question, ...] = ()


@dataclass(frozen=True, slots=True)
class Proposal:
    """A profile with its reasons, and what is still to be asked."""

    entries: tuple[Entry, ...]
    questions: tuple[Question, ...]

    def values(self) -> dict[str, Any]:
        """Return the profile as a document."""
        return {entry.key: entry.value for entry in self.entries}

    @property
    def needed(self) -> tuple[Question, ...]:
        """The questions without whose answers rows are rejected or mean something else."""
        return tuple(each for each in self.questions if each.is_needed)
