"""Which rows are sent as what: by the values of the columns that decide, one fate for each value.

    Deal Stage:  Closed Won → entry 0 (a sale)     Type:  Customer → any (what other columns say)
                 Refunded   → entry 1 (a refund)          Test     → left out
                 Lost       → left out

`read_deciders` reads these fates from `skip` and the `rows` of the entries, and `conditions_of`
writes them. What a person has written by hand may be more than fates can say: `are_fates` tells.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from lib.model.spelling import comparable, unwrap
from lib.rules.selection import ANY_OTHER
from lib.rules.values.cells import is_placeholder

Fate = int | Literal["", "out", "any"]
"""What the rows with a value are: those of an entry (its number), left out, `any`: what the other
columns say, or "": not decided."""

UNDECIDED: Final = ""
OUT: Final = "out"
ANY_ENTRY: Final = "any"


@dataclass(slots=True)
class Decider:
    """A column that decides which rows are sent. `name` is its name in the profile.

    `fates`: value → what its rows are; `ANY_OTHER` stands for every value that is not listed,
    except an empty cell.
    `passes`: rows with a value that is not listed are sent. Only profiles that were written by hand
    or by options have it: for the page, a new value is never a sale.
    """

    name: str
    fates: dict[str, Fate] = field(default_factory=dict)
    passes: bool = False

    @property
    def by_text(self) -> dict[str, str]:
        """The listed values, as they are compared → as the profile spells them."""
        return {comparable(value): value for value in self.fates}

    def listed(self, value: str) -> str | None:
        """Return the value as the profile spells it, or None if it does not list it."""
        return self.by_text.get(comparable(value))

    def fate_of(self, value: str) -> Fate:
        """Return the fate of a value: its own, else that of `ANY_OTHER` (never for an empty cell),
        else what `passes` says."""
        text = self.listed(value)
        if text is not None and self.fates[text] != UNDECIDED:
            return self.fates[text]
        other = self.fates.get(ANY_OTHER, UNDECIDED)
        if value and other != UNDECIDED:
            return other
        return ANY_ENTRY if self.passes else UNDECIDED

    @property
    def is_answered(self) -> bool:
        """Whether some value is sent."""
        return self.passes or any(f not in (UNDECIDED, OUT) for f in self.fates.values())


def value_in(cell: str, listed: Mapping[str, object]) -> str:
    """Return the value in a cell as a run sees it. `listed` has the listed values, comparable: a
    placeholder such as NULL is an empty cell, unless it is listed."""
    value = unwrap(cell, "word")
    is_empty = comparable(value) not in listed and (
        not value or is_placeholder("word", comparable(value))
    )
    return "" if is_empty else value


def entries_of(profile: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the entries of `conversions`; without any, one that takes all rows."""
    return profile.get("conversions") or [{}]


def read_deciders(profile: Mapping[str, Any]) -> list[Decider]:
    """Return the columns that decide, with the fates that the profile gives to their values."""
    entries, skip = entries_of(profile), profile.get("skip", {})
    names = dict.fromkeys((*(name for e in entries for name in e.get("rows", ())), *skip))
    deciders = []
    for name in names:
        lists = [listed_values(entry.get("rows", {}).get(name, ())) for entry in entries]
        sold = {
            v for e, each in zip(entries, lists, strict=True) if not is_correction(e) for v in each
        }
        owners: dict[str, list[int]] = {}
        for number, entry in enumerate(entries):
            if is_correction(entry) and sold and {*lists[number]} == sold:
                continue  # `conditions_of` gave it these: no value of this column is its own.
            for value in lists[number]:
                owners.setdefault(value, []).append(number)
        fates: dict[str, Fate] = {
            value: numbers[0] if len(numbers) == 1 else ANY_ENTRY
            for value, numbers in owners.items()
        }
        fates |= {value: OUT for value in listed_values(skip.get(name, ())) if value not in fates}
        passes = any(name not in entry.get("rows", ()) for entry in entries)
        deciders.append(Decider(name, fates, passes))
    return deciders


def listed_values(values: object) -> list[str]:
    """Return the values of a column as texts: people write a single one without a list."""
    listed = values if isinstance(values, (list, tuple)) else [values]
    return [str(each).lower() if isinstance(each, bool) else str(each) for each in listed]


def conditions_of(
    deciders: Sequence[Decider], entries: Sequence[Mapping[str, Any]]
) -> tuple[dict[str, list[str]], list[dict[str, list[str]]]]:
    """Return `skip`, and the `rows` of each entry.

    An entry that has no value of its own in a column takes those that the other conversions have
    there: a refund that one column names may be of any sale that another column names.
    """
    skip: dict[str, list[str]] = {}
    rows: list[dict[str, list[str]]] = [{} for _ in entries]
    conversions = {n for n, entry in enumerate(entries) if not is_correction(entry)}
    for decider in deciders:
        by_fate: dict[Fate, list[str]] = {}
        for value, fate in decider.fates.items():
            by_fate.setdefault(fate, []).append(value)
        if OUT in by_fate:
            skip[decider.name] = by_fate[OUT]
        for number in range(len(entries)):
            wanted: set[Fate] = {number, ANY_ENTRY}
            if number not in by_fate:
                wanted = set() if decider.passes else {ANY_ENTRY, *conversions}
            if values := [value for value, fate in decider.fates.items() if fate in wanted]:
                rows[number][decider.name] = values
    return skip, rows


def is_correction(entry: Mapping[str, Any]) -> bool:
    """Return whether the rows of an entry correct earlier conversions."""
    return entry.get("send", "conversion") not in ("conversion", "call")


def are_fates(profile: Mapping[str, Any]) -> bool:
    """Return whether the fates of values say all that the profile says about rows."""
    entries = entries_of(profile)
    skip, rows = conditions_of(read_deciders(profile), entries)
    return _as_sets(skip) == _as_sets(profile.get("skip", {})) and [*map(_as_sets, rows)] == [
        _as_sets(entry.get("rows", {})) for entry in entries
    ]


def _as_sets(conditions: Mapping[str, object]) -> dict[str, set[str]]:
    return {name: set(listed_values(values)) for name, values in conditions.items()}
