"""The answers so far, in the form of the profile that they become, and which ones are refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from lib.cli.init.constants import refuse_constant
from lib.cli.init.look import Column, Look, Sample, WrongAnswer, has_look, nearest
from lib.config.profile import KIND_OF_SEND
from lib.destinations import registry
from lib.destinations.registry import capabilities_of
from lib.model.account import action_id_in
from lib.model.adjustment_types import possible_types
from lib.model.fields import RecordKind, base_name, comparable
from lib.rules.fields import BY_NAME, is_field
from lib.rules.rows import ANY_OTHER, RowSelection

_NEEDED: Final[Mapping[str, tuple[Look, str]]] = {
    "conversion_date_time": ("time", "a date or time"),
    "adjustment_date_time": ("time", "a date or time"),
    "call_start_date_time": ("time", "a date or time"),
    "time_of_day": ("time of day", "a time of day"),
    "conversion_value": ("amount", "an amount"),
    "adjusted_value": ("amount", "an amount"),
    "currency_code": ("currency", "a currency"),
    "ad_user_data": ("consent", "yes, no, granted or denied"),
    "gclid": ("click ID", "a click ID"),
    "gbraid": ("click ID", "a click ID"),
    "wbraid": ("click ID", "a click ID"),
    "email": ("email", "an email address"),
    "phone": ("phone", "a phone number"),
}
"""Field → what at least one cell of its column is, unless all are empty."""
_NEVER_EMPTY: Final = ("time", "amount")

_DEPENDENT: Final[Mapping[Look, Sequence[str]]] = {
    "time": ("date_order",),
    "amount": ("decimal_sign", "value_scale"),
}
"""Keys that are asked again if a column of this kind is chosen: they say how its cells are
written."""


def refuse_column(name: str, column: Column) -> None:
    """Raise `WrongAnswer` if no cell of a column can be what the field needs."""
    if not is_field(name):
        raise WrongAnswer(f"{name} is not a field.{nearest(name, BY_NAME)}")
    look, what = _NEEDED.get(base_name(name), (None, ""))
    if not look or look in column.looks or any(has_look(cell, look) for cell in column.filled):
        return
    if column.filled or look in _NEVER_EMPTY:
        raise WrongAnswer(f'No cell of "{column.name}" is {what}. Name another column.')


def refuse_action(destination: str | None, action: str) -> None:
    """Raise `WrongAnswer` for a conversion action's name if the destination needs its ID."""
    if not action.strip():
        raise WrongAnswer("Give the name of the conversion action, or its ID.")
    can = capabilities_of(destination) if destination else None
    if can is not None and not can.has_queries and action_id_in(action) is None:
        raise WrongAnswer(
            f"The {can.title} needs the ID of the conversion action: the digits after ctId= in the "
            "address of its page in Google Ads."
        )


@dataclass(slots=True)
class Answers:
    """The answers so far. `profile` is the document that they become.

    `answered` are the keys of questions that need not be asked: an answer may be "none".
    """

    sample: Sample
    profile: dict[str, Any]
    answered: set[str] = field(default_factory=set)

    # ── entries ──

    @property
    def entries(self) -> list[dict[str, Any]]:
        """The entries of `conversions`; without any, one that takes all rows."""
        return self.profile.get("conversions") or [{}]

    def kind(self, number: int) -> RecordKind:
        """Return what an entry sends: a conversion, an adjustment or a call."""
        return KIND_OF_SEND[self.entries[number].get("send", "conversion")]

    @property
    def others(self) -> list[int]:
        """The entries of conversions with an action, time or value of their own: all but the first,
        which has those of the profile unless it names its own."""
        own = {"action", "value", "columns"}
        return [
            number
            for number, entry in enumerate(self.entries)
            if self.kind(number) != "adjustment" and (number or own & entry.keys())
        ]

    @property
    def corrections(self) -> list[int]:
        """The entries that retract or restate conversions."""
        return [n for n in range(len(self.entries)) if self.kind(n) == "adjustment"]

    def rows_of(self, numbers: Sequence[int]) -> list[int]:
        """Return which rows of the sample are of these entries, by the rules of a run."""
        skip, conditions = self.profile.get("skip", {}), [e.get("rows", {}) for e in self.entries]
        names = {name for listed in (skip, *conditions) for name in listed}
        try:
            places = {name: self.sample.column(name).index for name in names}
        except WrongAnswer:  # of another file
            return []
        selected = RowSelection(skip, conditions, places).select(self.sample.rows)
        entries = selected.entries or [0] * len(selected.rows)
        found = {
            row[0] for row, each in zip(selected.rows, entries, strict=True) if each in numbers
        }
        return [at for at, row in enumerate(self.sample.rows) if row[0] in found]

    def level(self, entry: int | None) -> dict[str, Any]:
        """Return where an answer is written: the profile, or one of its entries."""
        return self.profile if entry is None else self.entries[entry]

    @property
    def of_kinds(self) -> list[str]:
        """The columns that say what a row is: those by which the entries differ, or the first."""
        first, *others = [entry.get("rows", {}) for entry in self.entries]
        if not others:
            return [*first][:1]
        names = {name: None for rows in (first, *others) for name in rows}
        return [n for n in names if any(rows.get(n) != first.get(n) for rows in others)]

    def other_skips(self) -> dict[str, list[str]]:
        """Return the values of `skip` in columns that decide nothing else."""
        deciding = {*self.of_kinds}
        if (consent := self.column("ad_user_data")) is not None:
            deciding.add(consent.name)
        skipped = self.profile.get("skip", {})
        return {name: values for name, values in skipped.items() if name not in deciding}

    def unseen(self, name: str) -> str:
        """Return what happens to a row with a value of a column that the profile does not list."""
        if ANY_OTHER in self.profile.get("skip", {}).get(name, ()):
            return "left out"
        listed = [entry.get("rows", {}).get(name, (ANY_OTHER,)) for entry in self.entries]
        return "sent" if any(ANY_OTHER in values for values in listed) else "rejected"

    # ── columns ──

    def column(self, name: str, entry: int | None = None) -> Column | None:
        """Return the column of a field: the entry's, otherwise the profile's."""
        columns = dict(self.profile.get("columns", {}))
        if entry is not None:
            columns |= self.entries[entry].get("columns", {})
        names = columns.get(name)
        for each in [names] if isinstance(names, str) else names or ():
            try:
                return self.sample.column(each)
            except WrongAnswer:
                continue
        return None

    def columns(self, name: str) -> list[Column]:
        """Return the columns of a field in all entries."""
        found = [self.column(name, number) for number in (None, *range(len(self.entries)))]
        return [*{each.index: each for each in found if each is not None}.values()]

    def with_field(self) -> set[int]:
        """Return the columns that have a field already."""
        levels = [self.profile.get("columns", {}), *(e.get("columns", {}) for e in self.entries)]
        names = {name for columns in levels for name in columns}
        return {column.index for name in names for column in self.columns(name)}

    def deciding(self) -> set[int]:
        """Return the columns that decide which rows are sent."""
        of_rows = [self.profile.get("skip", {}), *(entry.get("rows", {}) for entry in self.entries)]
        listed = {comparable(name) for columns in of_rows for name in columns}
        return {column.index for column in self.sample.columns if comparable(column.name) in listed}

    def set_column(self, name: str, column: Column | None, entry: int | None = None) -> None:
        """Let a field have this column, or none. Raises `WrongAnswer`."""
        if column is not None:
            refuse_column(name, column)
        level = self.level(entry)
        columns = level.setdefault("columns", {})
        columns.pop(name, None)
        if column is not None and (entry is None or column != self.column(name)):
            columns[name] = column.name
        if not columns:
            del level["columns"]
        look, _ = _NEEDED.get(name, (None, ""))
        for key in _DEPENDENT.get(look, ()) if look else ():
            self.profile.pop(key, None)
            self.answered.discard(key)

    def set_constant(self, key: str, value: object) -> None:
        """Let a key of the profile have this value; None: it is not set. Raises `WrongAnswer`."""
        self.profile.pop(key, None)
        if value is not None:
            refuse_constant(key, value)
            self.profile[key] = value

    def send_corrections(self) -> None:
        """Let an API that takes these corrections send them, if the destination does not."""
        sends = [self.entries[number]["send"] for number in self.corrections]
        types = frozenset().union(*map(possible_types, sends))
        able = [name for name in registry.names() if capabilities_of(name).adjusts(types)]
        if self.profile["destination"] not in able:
            self.profile.setdefault("adjustments_via", able[0])

    def skip(self, column: str, values: Sequence[str]) -> None:
        """Let these values of a column be left out, and no others."""
        _list_values(self.profile, "skip", column, values)

    def keep(self, column: str, values: Sequence[str]) -> None:
        """Let all entries take only these values of a column; without any, all values."""
        self.profile["conversions"] = self.entries
        for entry in self.entries:
            _list_values(entry, "rows", column, values)
        if self.entries == [{}]:
            del self.profile["conversions"]


def _list_values(level: dict[str, Any], key: str, column: str, values: Sequence[str]) -> None:
    """Let a key list these values of a column; without any, not the column."""
    listed = {**level.get(key, {}), column: [*values]}
    level[key] = {name: each for name, each in listed.items() if each}
    if not level[key]:
        del level[key]
