"""The profile so far. The answers are its keys, so nothing is translated between them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from lib.catalogue.texts import EMPTY
from lib.cli.escaping import on_terminal
from lib.cli.init.look import Column, Sample, WrongAnswer, nearest_zone, read_sample
from lib.config import messages
from lib.config.profile import ACTION_DEFAULT, KIND_OF_SEND, Profile
from lib.destinations import registry
from lib.destinations.registry import capabilities_of
from lib.model.account import action_id_in
from lib.model.adjustment_types import possible_types
from lib.model.fields import RecordKind, comparable
from lib.rules.selection import ANY_OTHER, RowSelection
from lib.rules.values.cells import RuleError
from lib.rules.values.currencies import parse_currency
from lib.rules.values.identifiers import normalize_region_code

HOW_FILES_ARE_WRITTEN: Final = ("encoding", "delimiter", "sheet")
_SMALLEST: Final = {"destination": next(iter(registry.names())), "customer_id": "1234567890"}
_FORGOTTEN: Final = {
    "conversion_date_time": ("date_order",),
    "adjustment_date_time": ("date_order",),
    "conversion_value": ("decimal_sign", "value_scale", "value_currency"),
    "adjusted_value": ("decimal_sign", "value_scale"),
    "currency_code": ("value_currency",),
    "order_id": ("order_ids",),
}
"""Field or key → the answers that are asked again after another answer to it."""


@dataclass(slots=True)
class Draft:
    """The profile so far, and the file by which it is asked for.

    `answered` has the key of each question that is answered, with the number of its entry: an
    answer may be "none", and then the profile has no such key.
    """

    file: Path
    profile: dict[str, Any]
    sample: Sample = field(init=False)
    answered: set[tuple[str, int | None]] = field(default_factory=set)
    given_via: str | None = field(init=False)
    """The `adjustments_via` that the profile had before."""

    def __post_init__(self) -> None:
        self.given_via = self.profile.get("adjustments_via")
        self.read_file()

    def read_file(self) -> None:
        """Read the first rows of the file. Raises `SourceError`."""
        keys = self.profile.keys() & {*HOW_FILES_ARE_WRITTEN}
        self.sample = read_sample(self.file, {key: self.profile[key] for key in keys})

    # ── answers ──

    def level(self, entry: int | None) -> dict[str, Any]:
        """Return where an answer is written: the profile, or one of its entries."""
        return self.profile if entry is None else self.entries[entry]

    def set_column(self, name: str, column: Column | None, entry: int | None = None) -> None:
        """Let a field have this column, or none: null in an entry hides that of the profile."""
        level = self.level(entry)
        columns = {**level.pop("columns", {}), name: column.name if column else None}
        if column is None and (entry is None or name not in self.profile.get("columns", {})):
            del columns[name]
        if name == "conversion_value" and columns.get("currency_code", "") is None:
            del columns["currency_code"]  # It was about the one value before.
        if columns:
            level["columns"] = columns
        self._forget(name)

    def set_constant(self, key: str, value: object, entry: int | None = None) -> None:
        """Let a key have this value. None: it is not set."""
        level = self.level(entry)
        level.pop(key, None)
        if value is not None:
            level[key] = value
        self._forget(key)
        if key in HOW_FILES_ARE_WRITTEN:
            self.read_file()

    def _forget(self, changed: str) -> None:
        for key in _FORGOTTEN.get(changed, ()):
            self.answered = {(each, entry) for each, entry in self.answered if each != key}

    def set_value_currency(self, code: str | None) -> None:
        """Let the one value of an entry be in this currency. None: in that of each row.

        The profile has the code, which also fills empty cells of the column of currencies.
        """
        self.set_constant("currency_code", code)
        for entry in self.of_one_value:
            if code is None:
                self.level(entry).get("columns", {}).pop("currency_code", None)
            else:
                self.set_column("currency_code", None, entry)

    def set_entries(self, entries: list[dict[str, Any]]) -> None:
        """Let these be the entries of `conversions`. One that says nothing is not written."""
        self.profile.pop("conversions", None)
        if entries != [{}]:
            self.profile["conversions"] = entries

    def skip(self, column: str, values: Sequence[str]) -> None:
        """Let these values of a column be left out, and no others."""
        _list_values(self.profile, "skip", column, values)

    def keep(self, column: str, values: Sequence[str]) -> None:
        """Let all entries take only these values of a column; without any, all values."""
        entries = self.entries
        for entry in entries:
            _list_values(entry, "rows", column, values)
        self.set_entries(entries)

    def send_corrections(self) -> None:
        """Let an API that takes these corrections send them only if the destination does not."""
        sends = [self.entries[number]["send"] for number in self.corrections]
        types = frozenset().union(*map(possible_types, sends))
        able = [name for name in registry.names() if capabilities_of(name).adjusts(types)]
        if self.profile["destination"] not in able:
            self.profile.setdefault("adjustments_via", able[0])
        elif self.given_via in (None, self.profile["destination"]):
            self.profile.pop("adjustments_via", None)

    # ── entries ──

    @property
    def entries(self) -> list[dict[str, Any]]:
        """The entries of `conversions`; without any, one that takes all rows."""
        return self.profile.get("conversions") or [{}]

    def kind(self, number: int) -> RecordKind:
        """Return what an entry sends: a conversion, an adjustment or a call."""
        return KIND_OF_SEND[self.entries[number].get("send", "conversion")]

    @property
    def corrections(self) -> list[int]:
        """The entries that retract or restate conversions."""
        return [n for n in range(len(self.entries)) if self.kind(n) == "adjustment"]

    @property
    def conversions(self) -> list[int | None]:
        """The entries of conversions, each with an action, time and value of its own. None stands
        for the first one if the profile itself has these."""
        own = {"action", "value", "columns"}
        found = [n for n in range(len(self.entries)) if n not in self.corrections]
        return [None if n == 0 and not own & self.entries[n].keys() else n for n in found]

    @property
    def of_one_value(self) -> list[int]:
        """The entries with one value for all their rows, if other rows have columns of value and
        currency: then nobody has said in which currency the one value is."""
        if not {"conversion_value", "currency_code"} <= self.profile.get("columns", {}).keys():
            return []
        numbers = [n for n in self.conversions if n is not None]
        return [n for n in numbers if isinstance(self.entries[n].get("value"), (int, float))]

    @property
    def stage_columns(self) -> list[str]:
        """The columns that say what a row is: those by which the entries differ, or the first."""
        rows = [entry.get("rows", {}) for entry in self.entries]
        names = [*dict.fromkeys(name for each in rows for name in each)]
        return [n for n in names if any(each.get(n) != rows[0].get(n) for each in rows)] or names[
            :1
        ]

    def name_of(self, number: int) -> str:
        """Return the values by which an entry is known: `Qualified and 2 more`."""
        rows = self.entries[number].get("rows", {})
        first, *more = [v for n in self.stage_columns for v in rows.get(n, ())] or ["all rows"]
        return f"{written(first)} and {len(more)} more" if more else written(first)

    def of_unseen(self, column: str) -> str:
        """Return what happens to a row with a value of a column that the profile does not list."""
        if ANY_OTHER in self.profile.get("skip", {}).get(column, ()):
            return "left out"
        listed = [entry.get("rows", {}).get(column, (ANY_OTHER,)) for entry in self.entries]
        return "sent" if any(ANY_OTHER in values for values in listed) else "rejected"

    # ── columns ──

    def constant(self, key: str, entry: int | None = None) -> Any:
        """Return the value of a key: the entry's, otherwise the profile's."""
        return self.level(entry).get(key, self.profile.get(key))

    def hides_column(self, key: str, entry: int | None) -> bool:
        """Return whether an entry has one value of its own for all rows: it beats a column."""
        own = None if entry is None else self.entries[entry].get(key)
        return own not in (None, ACTION_DEFAULT)

    def column_names(self, name: str, entry: int | None = None) -> list[str]:
        """Return the names of a field's column, of which a file has one: the entry's, otherwise
        the profile's."""
        names = self.profile.get("columns", {}).get(name, ())
        if entry is not None:
            names = self.entries[entry].get("columns", {}).get(name, names)
        return [names] if isinstance(names, str) else [*(names or ())]

    def column(self, name: str, entry: int | None = None) -> Column | None:
        """Return the column of a field in this file."""
        wanted = {*map(comparable, self.column_names(name, entry))}
        found = (each for each in self.sample.columns if comparable(each.name) in wanted)
        return next(found, None)

    def cells(self, *names: str) -> list[str]:
        """Return the different cells of these fields, and the constants of these keys."""
        places = (None, *range(len(self.entries)))
        columns = [self.column(name, entry) for name in names for entry in places]
        cells = [cell for column in columns if column is not None for cell in column.filled]
        constants = [self.level(entry).get(name) for name in names for entry in places]
        cells += [str(value) for value in constants if value is not None]
        return [*dict.fromkeys(cells)]

    def unlisted(self, column: Column) -> list[tuple[str, int]]:
        """Return the values for which no entry and no `skip` says anything, with their rows."""
        if self.of_unseen(column.name) != "rejected":
            return []
        levels = [self.profile.get("skip", {}), *(e.get("rows", {}) for e in self.entries)]
        listed = {comparable(v) for level in levels for v in level.get(column.name, ())}
        return [each for each in column.values() if comparable(each[0]) not in listed]

    def _entry_of_line(self) -> dict[int, int]:
        """Return the number of the entry of each row that is sent, by its line."""
        skip, conditions = self.profile.get("skip", {}), [e.get("rows", {}) for e in self.entries]
        columns = {comparable(each.name): each.index for each in self.sample.columns}
        names = {name for listed in (skip, *conditions) for name in listed}
        if not {*map(comparable, names)} <= columns.keys():  # a profile of other files
            return {}
        places = {name: columns[comparable(name)] for name in names}
        selected = RowSelection(skip, conditions, places).select(self.sample.rows)
        entries = selected.entries or [0] * len(selected.rows)
        return {row[0]: each for row, each in zip(selected.rows, entries, strict=True)}

    def cells_of_sales(self, column: Column) -> list[tuple[int, str]]:
        """Return the cells of conversions, each with the number of its entry."""
        entry_of = self._entry_of_line()
        return [
            (entry_of[row[0]], cell)
            for row, cell in zip(self.sample.rows, column.cells, strict=True)
            if entry_of.get(row[0]) not in (None, *self.corrections)
        ]

    def of_entry(self, column: Column, number: int) -> Column:
        """Return the column with only the cells of an entry."""
        entry_of, rows = self._entry_of_line(), self.sample.rows
        cells = zip(rows, column.cells, strict=True)
        return replace(column, cells=[c for row, c in cells if entry_of.get(row[0]) == number])

    def differing(self, column: Column) -> str:
        """Return `13 different in 21 sales: 8 would count as repeats`, by entry: each has an action
        of its own, and only within one action an order ID counts once.

        If cells are empty: `filled in 10 of 18 sales`.
        """
        cells = self.cells_of_sales(column)
        filled = [each for each in cells if each[1]]
        repeats = len(filled) - len({*filled})
        text = f"{len({*filled})} different in"
        if len(filled) < len(cells):
            text = f"filled in {len(filled)} of"
        text += f" {len(cells)} {'sales' if self.conversions == [None] else 'conversions'}"
        return f"{text}: {repeats} would count as repeats" if repeats else text


def _list_values(level: dict[str, Any], key: str, column: str, values: Sequence[str]) -> None:
    """Let a key list these values of a column; without any, not the column."""
    level[key] = {**level.get(key, {}), column: [*values]}
    if not values:
        del level[key][column]
    if not level[key]:
        del level[key]


def written(value: str) -> str:
    """Return a value of the profile as it is shown."""
    return on_terminal(value) or EMPTY


# ── answers that are no column ───────────────────────────────────────────────────────────────


def _number(text: str) -> float | str:
    """`50` → 50, `49.90` → 49.9. The profile refuses another text, except action_default."""
    try:
        value = float(text)
    except ValueError:
        return text
    return int(value) if value.is_integer() else value


_READERS: Final[Mapping[str, Callable[[str], Any]]] = {
    "value": _number,
    "value_scale": _number,
    "currency_code": parse_currency,
    "phone_region": normalize_region_code,
    "ad_user_data": lambda text: None if text.lower() == "none" else text.upper(),
}


def read_constant(key: str, text: str, destination: str | None) -> Any:
    """Return the value of a key. Raises `WrongAnswer` if the profile cannot have it."""
    try:
        value = _READERS.get(key, str)(text)
        Profile.model_validate({**_SMALLEST, key: value})
    except RuleError:
        raise WrongAnswer(f"Not known. Write {messages.FORMS[key]}.") from None
    except ValidationError as error:
        said = messages.lines(error, Profile)[0].removeprefix(f"{key}: ")
        near = nearest_zone(text.split()[-1] if key == "expect" else text) if "IANA" in said else ""
        raise WrongAnswer(f"{said[:1].upper()}{said[1:]}{near}") from None
    if key == "action":
        refuse_name(destination, text)
    return value


def refuse_name(destination: str | None, action: str) -> None:
    """Raise `WrongAnswer` for a conversion action's name if the destination needs its ID."""
    can = capabilities_of(destination) if destination else None
    if can is not None and not can.has_queries and action_id_in(action) is None:
        raise WrongAnswer(f"The {can.title} needs the ID of the conversion action: its digits.")
