"""The profile so far. The answers are its keys, so nothing is translated between them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from lib.catalogue.texts import EMPTY
from lib.cli.escaping import on_terminal
from lib.cli.init.look import Column, Sample, WrongAnswer, nearest_zone, read_sample
from lib.config import messages
from lib.config.profile import Entry, Profile, WrittenEntry
from lib.destinations import registry
from lib.destinations.registry import capabilities_of
from lib.model.account import action_id_in
from lib.model.adjustment_types import possible_types, stated_type
from lib.model.fields import comparable
from lib.rules.selection import RowSelection
from lib.rules.values.cells import RuleError
from lib.rules.values.currencies import parse_currency
from lib.rules.values.identifiers import normalize_region_code

KEYS: Final = {
    "conversion_value": "value",
    "conversion_action": "action",
    "country_code": "phone_region",
}
"""Field → the key for one value of all rows, if it has another name."""
_FORGOTTEN: Final = {
    "conversion_date_time": ("date_order",),
    "adjustment_date_time": ("date_order",),
    "conversion_value": ("decimal_sign", "value_scale", "currency_code"),
    "adjusted_value": ("decimal_sign", "value_scale"),
    "order_id": ("order_ids",),
}
"""Field → the answers that are asked again after another answer to it."""


@dataclass(slots=True)
class Draft:
    """The profile so far, and the file by which it is asked for.

    `answered` has the name of each question that is answered, with the number of its entry: an
    answer may be "none", and then the profile has no such key. Raises `SourceError` if the file
    cannot be read.
    """

    name: str
    file: Path
    profile: dict[str, Any]
    sample: Sample = field(init=False)
    answered: set[tuple[str, int | None]] = field(default_factory=set)

    def __post_init__(self) -> None:
        keys = self.profile.keys() & {"encoding", "delimiter", "sheet"}
        self.sample = read_sample(self.file, {key: self.profile[key] for key in keys})

    def document(self) -> dict[str, Any]:
        """Return the profile with its keys in order. If the destination cannot send the refunds
        and changes, another API does."""
        types = frozenset().union(*(possible_types(entry.send or "") for entry in self.completed))
        able = [name for name in registry.names() if capabilities_of(name).adjusts(types)]
        profile = self.profile
        if profile["destination"] not in able:
            profile = {"adjustments_via": able[0], **profile}
        return {key: profile[key] for key in Profile.model_fields if key in profile}

    # ── answers ──

    def level(self, entry: int | None) -> dict[str, Any]:
        """Return where an answer is written: the profile, or one of its entries."""
        return self.profile if entry is None else self.entries[entry]

    def constant(self, key: str, entry: int | None = None) -> Any:
        """Return the value of a key, for the rows of an entry."""
        if entry is None or key not in WrittenEntry.model_fields:
            return self.profile.get(key)
        return getattr(self.completed[entry], key)

    def set_constant(self, key: str, value: object, entry: int | None = None) -> None:
        """Let a key have this value. None: it is not set."""
        level = self.level(entry if key in WrittenEntry.model_fields else None)
        level.pop(key, None)
        if value is not None:
            level[key] = value

    def column_names(self, name: str, entry: int | None = None) -> list[str]:
        """Return the names of a field's column, of which a file has one, for the rows of an
        entry."""
        columns = self.profile.get("columns", {})
        names = (columns if entry is None else self.completed[entry].columns).get(name, ())
        return [names] if isinstance(names, str) else [*names]

    def column(self, name: str, entry: int | None = None) -> Column | None:
        """Return the column of a field in this file."""
        wanted = {*map(comparable, self.column_names(name, entry))}
        columns = (column for column in self.sample.columns if comparable(column.name) in wanted)
        return next(columns, None)

    def set_column(self, name: str, column: Column | None, entry: int | None = None) -> None:
        """Let a field have this column, or none: null in an entry hides that of the profile."""
        level = self.level(entry)
        columns = {**level.pop("columns", {}), name: column.name if column else None}
        if column is None and (entry is None or name not in self.profile.get("columns", {})):
            del columns[name]
        if columns:
            level["columns"] = columns
        for key in _FORGOTTEN.get(name, ()):
            self.answered.discard((key, entry if key == "currency_code" else None))

    # ── rows ──

    @property
    def entries(self) -> list[dict[str, Any]]:
        """The entries of `conversions`; without any, one that takes all rows."""
        return self.profile.get("conversions") or [{}]

    @property
    def completed(self) -> Sequence[Entry]:
        """The entries with what they take from the profile, as a run reads them."""
        written = tuple(map(WrittenEntry.model_validate, self.profile.get("conversions", ())))
        return Profile.model_construct(**{**self.profile, "conversions": written}).entries

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

    @property
    def corrections(self) -> list[int]:
        """The entries that retract or restate conversions."""
        return [entry.number for entry in self.completed if stated_type(entry.send or "")]

    @property
    def conversions(self) -> list[int | None]:
        """The entries of conversions, each with an action, time and value of its own. None stands
        for the first one if the profile itself has these."""
        own = {"action", "value", "columns"}
        numbers = [entry.number for entry in self.completed if entry.kind != "adjustment"]
        return [None if n == 0 and not own & self.entries[n].keys() else n for n in numbers]

    @property
    def sales(self) -> set[int]:
        """The entries of conversions, by their numbers alone."""
        return {number or 0 for number in self.conversions}

    @property
    def of_own_currency(self) -> list[int]:
        """The conversions that need not be in the currency of the profile's column: their entry has
        one value for all rows, or says so."""
        columns = self.profile.get("columns", {})
        numbers = [n for n in self.conversions if n is not None and "currency_code" in columns]
        return [
            n
            for n in numbers
            if "currency_code" in self.entries[n].get("columns", {})
            or ("conversion_value" in columns and not self.column_names("conversion_value", n))
        ]

    @property
    def stage_columns(self) -> list[str]:
        """The columns that say what a row is: those by which the entries differ, or the first."""
        rows = [entry.rows for entry in self.completed]
        names = [*dict.fromkeys(name for conditions in rows for name in conditions)]
        differing = [n for n in names if any(other.get(n) != rows[0].get(n) for other in rows)]
        return differing or names[:1]

    def name_of(self, number: int) -> str:
        """Return the values by which an entry is known: `Qualified and 2 more`."""
        rows = self.completed[number].rows
        first, *more = [v for n in self.stage_columns for v in rows.get(n, ())] or ["all rows"]
        return f"{written(first)} and {len(more)} more" if more else written(first)

    # ── cells ──

    def cells(self, *names: str) -> list[str]:
        """Return the different cells of these fields, and the constants of these keys."""
        places = (None, *range(len(self.entries)))
        columns = [self.column(name, entry) for name in names for entry in places]
        cells = [cell for column in columns if column is not None for cell in column.filled]
        constants = [self.level(entry).get(name) for name in names for entry in places]
        cells += [str(value) for value in constants if value is not None]
        return [*dict.fromkeys(cells)]

    def numbered_cells(self, column: Column) -> list[tuple[int, str]]:
        """Return the cells of the rows that are sent, each with the number of its entry."""
        skip, conditions = self.profile.get("skip", {}), [entry.rows for entry in self.completed]
        columns = {comparable(column.name): column.index for column in self.sample.columns}
        names = {name for listed in (skip, *conditions) for name in listed}
        if not {*map(comparable, names)} <= columns.keys():  # a profile of other files
            return []
        places = {name: columns[comparable(name)] for name in names}
        selected = RowSelection(skip, conditions, places).select(self.sample.rows)
        numbers = selected.entries or [0] * len(selected.rows)
        entry_of = {row[0]: number for row, number in zip(selected.rows, numbers, strict=True)}
        cells = zip(self.sample.rows, column.cells, strict=True)
        return [(entry_of[row[0]], cell) for row, cell in cells if row[0] in entry_of]

    def as_sent(self, column: Column, entries: Collection[int]) -> Column:
        """Return the column with only the cells that are sent by these entries."""
        cells = self.numbered_cells(column)
        return replace(column, cells=[cell for number, cell in cells if number in entries])

    def differing(self, column: Column) -> str:
        """Return `13 different in 21 sales: 8 would count as repeats`, or if cells are empty,
        `10 different in 10 of 18 sales`.

        Each entry has an action of its own, and only within one action an order ID counts once.
        """
        sales = self.sales
        cells = [(number, cell) for number, cell in self.numbered_cells(column) if number in sales]
        filled = [(number, cell) for number, cell in cells if cell]
        rows = f"{len(cells)} {'sales' if self.conversions == [None] else 'conversions'}"
        if len(filled) < len(cells):
            rows = f"{len(filled)} of {rows}"
        repeats = len(filled) - len({*filled})
        text = f": {repeats} would count as repeats" if repeats else ""
        return f"{len({*filled})} different in {rows}{text}"


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
    """Return the value of a key as the profile has it: `tab` is "\\t", an account only digits.

    Raises `WrongAnswer` if the profile cannot have it.
    """
    zone = _zone_in(key, text)
    if zone and zone != "UTC" and "/" not in zone:
        near = nearest_zone(zone)
        raise WrongAnswer(f"Not the time zone of a place. Write one such as America/Chicago.{near}")
    smallest = {"destination": next(iter(registry.names())), "customer_id": "1234567890"}
    try:
        profile = Profile.model_validate({**smallest, key: _READERS.get(key, str)(text)})
    except RuleError:
        raise WrongAnswer(f"Not known. Write {messages.FORMS[key]}.") from None
    except ValidationError as error:
        problem = messages.lines(error, Profile)[0].removeprefix(f"{key}: ")
        raise WrongAnswer(f"{problem[:1].upper()}{problem[1:]}") from None
    if key == "action" and (refusal := why_no_name(destination, text)):
        raise WrongAnswer(refusal)
    return getattr(profile, key)


def _zone_in(key: str, text: str) -> str:
    """Return the time zone in a value: `every day by 06:30 EST` → `EST`. "": there is none.

    EST is a zone for Python, but it has no summer time, and Chicago has.
    """
    if key == "time_zone":
        return text
    return text.partition(" by ")[2].partition(" ")[2] if key == "expect" else ""


def why_no_name(destination: str | None, action: str) -> str:
    """Return why the destination cannot take this name of a conversion action, or "" if it can, or
    if it is an ID."""
    can = capabilities_of(destination) if destination else None
    if can is None or can.has_queries or action_id_in(action) is not None:
        return ""
    return f"The {can.title} needs the ID of the conversion action: its digits."
