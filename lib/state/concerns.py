"""What people have been told or must still be told: one document, `concerns.json`.

Two sweeps can run at once. The document is replaced only if nobody has changed it meanwhile, and
only who has replaced it tells (`lib.followup.watch`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from lib.state.documents import Documents
from lib.state.store import SavedTime

NAME: Final = "concerns.json"
DRILL: Final = "drill"
"""An object of this name makes a test concern, as long as it is there."""


@dataclass(frozen=True, slots=True)
class KnownConcern:
    """A concern that held at the last sweep. `told_at` is None: no line was left for it."""

    since: SavedTime
    told_at: SavedTime | None
    what: str


@dataclass(frozen=True, slots=True)
class Arrivals:
    """When files of a profile arrived. It outlives the files and their results.

    `watched_since` is when the profile was first met with this `expect`. `longest_gap` is the
    longest time between two files, in seconds, if there were enough to know it.
    """

    watched_since: SavedTime
    first: SavedTime | None = None
    last: SavedTime | None = None
    longest_gap: float | None = None
    expect: str = ""


@dataclass(frozen=True, slots=True)
class ToldToday:
    """How many lines of a severity a day has had, and when its last line "and N more" was."""

    day: str
    lines: int = 0
    more_at: SavedTime | None = None


@dataclass(frozen=True, slots=True)
class WatchState:
    """The whole document. `concerns` are by key, `profiles` by name, `told` by severity."""

    concerns: Mapping[str, KnownConcern] = field(default_factory=dict)
    profiles: Mapping[str, Arrivals] = field(default_factory=dict)
    told: Mapping[str, ToldToday] = field(default_factory=dict)


class KnownConcerns:
    """The document, and the object that asks for a drill."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents

    def read(self) -> tuple[WatchState, int]:
        """Return what is known, and the generation. Raises `NewerVersion`, or `DamagedState`."""
        return self._documents.read(NAME, WatchState) or (WatchState(), 0)

    def replace(self, state: WatchState, generation: int) -> bool:
        """Write what is known now. Return False if another sweep has written meanwhile."""
        return self._documents.write(NAME, state, if_generation_match=generation) is not None

    def asks_for_drill(self) -> bool:
        """Return whether somebody asks for a test concern."""
        return self._documents.exists(DRILL)
