"""The profile so far. The answers are its keys, so nothing is translated between them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import takewhile
from pathlib import Path
from typing import Any, Final, NamedTuple

from pydantic import ValidationError

from lib.catalogue.texts import EMPTY_SHOWN
from lib.cli.escaping import on_terminal
from lib.cli.init.look import Column, Sample, WrongAnswer, read_sample
from lib.cli.init.rows import (
    UNDECIDED,
    Decider,
    Fate,
    are_fates,
    conditions_of,
    entries_of,
    is_correction,
    read_deciders,
    value_in,
)
from lib.config import mistakes
from lib.config.profile import Entry, Profile, WrittenEntry
from lib.destinations import registry
from lib.destinations.registry import capabilities_of
from lib.errors import RuleError
from lib.model.account import action_id_in
from lib.model.adjustment_types import possible_types, stated_type
from lib.model.fields import HIGHEST_NUMBER
from lib.model.records import line_of
from lib.model.spelling import comparable
from lib.rules.selection import ANY_OTHER, RowSelection
from lib.rules.values.currencies import parse_currency
from lib.rules.values.identifiers import normalize_region_code
from lib.rules.values.money import DASHES, parse_value
from lib.source.end import MAX_FOOTER_ROWS, is_footer

KEYS: Final = {
    "conversion_value": "value",
    "conversion_action": "action",
    "country_code": "phone_region",
}
"""Field → the key for one value of all rows, if it has another name."""
_SAMPLES: Final = 3


class Value(NamedTuple):
    """A value of a column that decides: the number of its rows, the sum of their values, and
    whether all of them are left out."""

    text: str
    rows: int
    amount: float | None
    is_left_out: bool


@dataclass(slots=True)
class Draft:
    """The profile so far, and the file by which it is asked for.

    `answered` has the name of each question that is answered, with the number of its entry: an
    answer may be "none", and then the profile has no such key. `deciders` are the columns that
    decide which rows count. Raises `SourceError` if the file cannot be read.
    """

    name: str
    file: Path
    profile: dict[str, Any]
    sample: Sample = field(init=False)
    deciders: list[Decider] = field(init=False)
    by_hand: bool = field(init=False)
    """Whether the profile says more about rows than this page can show: which value of which column
    is sent, and which is left out. Such rows are edited in the file of the profile."""
    answered: set[tuple[str, int | None]] = field(default_factory=set)
    sent: list[tuple[int, int]] = field(default_factory=list, init=False)
    """The rows that are sent: the place of each in the sample, and the number of its entry."""
    skipped: set[int] = field(default_factory=set, init=False)
    """The lines of the rows that are left out."""

    def __post_init__(self) -> None:
        keys = self.profile.keys() & {"encoding", "delimiter", "sheet"}
        self.sample = read_sample(self.file, {key: self.profile[key] for key in keys})
        self.deciders = read_deciders(self.profile)
        self.by_hand = not are_fates(self.profile)

    def document(self) -> dict[str, Any]:
        """Return the profile with its keys in order. If the destination cannot send the refunds
        and changes, another API does."""
        types = frozenset().union(*(possible_types(entry.send or "") for entry in self.completed))
        able = [name for name in registry.names() if capabilities_of(name).adjusts(types)]
        profile = {**self.profile}
        if optional := [name for name in profile.pop("optional", ()) if name in self.fields]:
            profile["optional"] = optional
        destination = profile.get("destination", able[0])
        if destination not in able:
            profile = {"adjustments_via": able[0], **profile}
        elif capabilities_of(destination).adjusts(possible_types("adjustment")):
            profile.pop("adjustments_via", None)
        return {key: profile[key] for key in Profile.model_fields if key in profile}

    # ── answers ──

    def keys_of(self, entry: int | None) -> dict[str, Any]:
        """Return where an answer is written: the profile, or one of its entries."""
        return self.profile if entry is None else self.entries[entry]

    def constant(self, key: str, entry: int | None = None) -> Any:
        """Return the value of a key, for the rows of an entry."""
        if entry is None or key not in WrittenEntry.model_fields:
            return self.profile.get(key)
        return getattr(self.completed[entry], key)

    def set_constant(self, key: str, value: object, entry: int | None = None) -> None:
        """Let a key have this value. None: it is not set."""
        level = self.keys_of(entry if key in WrittenEntry.model_fields else None)
        level.pop(key, None)
        if value is not None:
            level[key] = value

    @property
    def fields(self) -> set[str]:
        """The fields that have a column, for all rows or for those of an entry."""
        levels = (self.profile, *self.entries)
        return {name for level in levels for name in level.get("columns", ())}

    def column_names(self, field: str, entry: int | None = None) -> list[str]:
        """Return the names that a field's column may have (a file has one of them), for the rows of
        an entry. None: those of the profile itself."""
        columns = self.profile.get("columns", {})
        names = (columns if entry is None else self.completed[entry].columns).get(field, ())
        return [names] if isinstance(names, str) else [*names]

    def column(self, field: str, entry: int | None = None) -> Column | None:
        """Return the column of a field in this file, for the rows of an entry as `column_names` has
        them. None: the file has none."""
        wanted = {*map(comparable, self.column_names(field, entry))}
        columns = (column for column in self.sample.columns if comparable(column.name) in wanted)
        return next(columns, None)

    def set_column(self, name: str, column: Column | None, entry: int | None = None) -> None:
        """Let a field have this column, or none: null in an entry hides that of the profile.

        Names that this file lacks stay: another file may have them.
        """
        kept = [
            each
            for each in self._written_names(name, entry)
            if self.column_named(each) is None and not self.sample.repeats(each)
        ]
        self._write_names(name, [*kept, *([column.name] if column else [])], entry)

    def forget_names(self, name: str) -> None:
        """Remove the names of a field's column, none of which this file has."""
        self._write_names(name, [], None)

    def _written_names(self, name: str, entry: int | None) -> list[str]:
        names = self.keys_of(entry).get("columns", {}).get(name) or ()
        return [names] if isinstance(names, str) else [*names]

    def _write_names(self, name: str, names: list[str], entry: int | None) -> None:
        level = self.keys_of(entry)
        columns = {**level.pop("columns", {}), name: names[0] if len(names) == 1 else names}
        if not names:
            del columns[name]
            if entry is not None and name in self.profile.get("columns", {}):
                columns[name] = None
        if columns:
            level["columns"] = columns

    def free_name(self, field: str) -> str:
        """Return the name for one more column of a field that may have several: `email_2`."""
        names = [field, *(f"{field}_{number}" for number in range(2, HIGHEST_NUMBER + 1))]
        return next((each for each in names if self.column(each) is None), field)

    # ── rows ──

    @property
    def entries(self) -> list[dict[str, Any]]:
        """The entries of `conversions`; without any, one that takes all rows."""
        return entries_of(self.profile)

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

    def decider(self, name: str) -> Decider | None:
        """Return the column of this name, if it decides."""
        same = (each for each in self.deciders if comparable(each.name) == comparable(name))
        return next(same, None)

    def remove_decider(self, decider: Decider) -> None:
        """Let the values of a column decide no longer."""
        self.deciders = [each for each in self.deciders if each is not decider]
        self._write_rows({*decider.fates.values()})

    def rename_decider(self, decider: Decider, name: str) -> None:
        """Let a column with another name decide. Files with the old name are stopped then."""
        decider.name = name
        self._write_rows(set())

    def set_fate(self, decider: Decider, value: str, fate: Fate) -> None:
        """Decide what the rows with a value are."""
        text = decider.listed(value)
        before = UNDECIDED if text is None else decider.fates[text]
        decider.fates[value if text is None else text] = fate
        self._write_rows({before})

    def _write_rows(self, before: Collection[Fate]) -> None:
        """Write the fates of all values, after some value had those `before`.

        An entry that no value has any more is removed: it would take all rows, so that a column of
        refunds would make each sale a refund. Without any value, one entry of sales stays.
        """
        used = {fate for each in self.deciders for fate in each.fates.values()}
        passes = any(each.passes for each in self.deciders)
        is_any_used = any(isinstance(fate, int) for fate in used)
        kept = None if is_any_used else min(self.sales, default=0)
        for number in reversed(range(len(self.entries))):
            is_empty = not self.entries[number].keys() - {"rows"}
            if number not in {*used, kept} and (number in before or (is_empty and not passes)):
                self._remove_entry(number)
        entries = self.entries
        skip, rows = conditions_of(self.deciders, entries)
        levels = [(self.profile, "skip", skip)]
        levels += [(entry, "rows", rows[number]) for number, entry in enumerate(entries)]
        for level, key, conditions in levels:
            level.pop(key, None)
            if conditions:
                level[key] = conditions
        self.set_entries(entries)

    def _remove_entry(self, number: int) -> None:
        """Remove an entry that no value has any more. Later entries move up, so what was answered
        about any of them is asked again."""
        self.set_entries([entry for n, entry in enumerate(self.entries) if n != number])
        for decider in self.deciders:
            for value, fate in decider.fates.items():
                if isinstance(fate, int) and fate > number:
                    decider.fates[value] = fate - 1
        self.answered = {(name, entry) for name, entry in self.answered if entry is None}

    def values_of(self, decider: Decider) -> list[Value]:
        """Return the values of a column of the file, the most frequent first, and then those that
        only the profile lists."""
        column = self.column_named(decider.name)
        if column is None:
            return []
        listed = decider.by_text
        cells = self.sample.cells_of(column) - Counter(row[column.index] for row in self._footer())
        values = {cell: value_in(cell, listed) for cell in self.sample.cells_of(column)}
        keys = {cell: comparable(value) for cell, value in values.items()}
        spelled = {keys[cell]: values[cell] for cell in reversed(values)} | listed
        counts = Counter[str]()
        for cell, rows in cells.items():
            counts[keys[cell]] += rows
        sums, is_left_out = dict[str, float](), dict[str, bool]()
        amounts = self.amounts()
        for place, (line, row, *_) in enumerate(self.sample.rows):
            key = keys[row[column.index]]
            is_left_out[key] = is_left_out.get(key, True) and line in self.skipped
            if amounts:
                sums[key] = sums.get(key, 0) + amounts[place]
        absent = [(key, 0) for key in listed if key not in counts and key != ANY_OTHER]
        return [
            Value(spelled[key], rows, sums.get(key), is_left_out.get(key, False))
            for key, rows in (*counts.most_common(), *absent)
        ]

    def amounts(self) -> list[float]:
        """Return the value of each row, as far as it can be read: else 0. Currencies are not told
        apart. Empty: no column has values, or the file has more rows than the sample."""
        column = self.column("conversion_value")
        sign, scale = self.profile.get("decimal_sign"), self.profile.get("value_scale", 1)
        amounts = []
        for cell in column.cells if column and self.sample.is_whole else ():
            try:
                amounts.append(_signed_amount(cell, sign) * scale if cell else 0)
            except RuleError:
                amounts.append(0)
        return amounts

    def _footer(self) -> list[Sequence[str]]:
        """Return the cells of the rows that a run would take for a footer, the last row first."""
        levels = (None, *range(len(self.entries)))
        columns = [self.column(n, e) for e in levels for n in self.keys_of(e).get("columns", ())]
        columns += [self.column_named(decider.name) for decider in self.deciders]
        used = [*{column.index for column in columns if column is not None}]
        # With one used column, each row would look like a footer while the others are not chosen.
        if not self.sample.is_whole or self.sample.has_fix_columns or len(used) < 2:
            return []
        last_first = (cells for _, cells, *_ in reversed(self.sample.rows[-MAX_FOOTER_ROWS:]))
        return [*takewhile(lambda cells: is_footer(cells, used), last_first)]

    @property
    def says_what_is_sent(self) -> bool:
        """Whether something says that rows are sent: a value of a column that decides, or without
        such a column the answer about all rows (`all_rows_control`)."""
        if self.deciders:
            return any(decider.is_answered for decider in self.deciders)
        return ("rows", None) in self.answered

    @property
    def corrections(self) -> list[int]:
        """The entries that retract or restate conversions."""
        return [n for n, entry in enumerate(self.entries) if stated_type(entry.get("send", ""))]

    @property
    def conversions(self) -> list[int | None]:
        """The entries of conversions, each with an action, time and value of its own. None stands
        for the first one if the profile itself has these."""
        numbers = sorted(self.sales)
        return [None if n == numbers[0] and not self._has_own(n) else n for n in numbers]

    def _has_own(self, number: int) -> bool:
        """Return whether an entry has more of its own than its currency."""
        entry = self.entries[number]
        own_columns = entry.get("columns", {}).keys() - {"currency_code"}
        return bool(own_columns) or "action" in entry or "value" in entry

    @property
    def sales(self) -> set[int]:
        """The entries of conversions, by their numbers alone."""
        return {n for n, entry in enumerate(self.entries) if not is_correction(entry)}

    @property
    def of_own_currency(self) -> list[int]:
        """The conversions that need not be in the currency of the profile's column: their entry has
        one value for all rows beside another entry with a column of values, or says so."""
        if "currency_code" not in self.profile.get("columns", {}):
            return []
        numbers = sorted(self.sales)
        valued = {n for n in numbers if self.column_names("conversion_value", n)}
        return [
            n
            for n in numbers
            if "currency_code" in self.entries[n].get("columns", {}) or (valued and n not in valued)
        ]

    def name_of(self, number: int) -> str:
        """Return the values by which an entry is known: `Qualified and 2 more`."""
        own = [v for each in self.deciders for v, fate in each.fates.items() if fate == number]
        first, *more = own or ["all rows"]
        return f"{written(first)} and {len(more)} more" if more else written(first)

    # ── cells ──

    def cells(self, *names: str) -> list[str]:
        """Return the different cells of these fields, and the constants of these keys."""
        places = (None, *range(len(self.entries)))
        columns = [self.column(name, entry) for name in names for entry in places]
        cells = [cell for column in columns if column is not None for cell in column.filled]
        constants = [self.keys_of(entry).get(name) for name in names for entry in places]
        cells += [str(value) for value in constants if value is not None]
        return [*dict.fromkeys(cells)]

    def select_rows(self) -> None:
        """Find out what the answers so far make of the rows."""
        skip, conditions = self.profile.get("skip", {}), [entry.rows for entry in self.completed]
        columns = {comparable(column.name): column.index for column in self.sample.columns}
        names = {name for listed in (skip, *conditions) for name in listed}
        self.sent, self.skipped = [], set()
        if {*map(comparable, names)} <= columns.keys():  # else it is a profile of other files
            places = {name: columns[comparable(name)] for name in names}
            selected = RowSelection(skip, conditions, places).select(self.sample.rows)
            place_of = {line_of(row): place for place, row in enumerate(self.sample.rows)}
            self.sent = [(place_of[line_of(row)], number) for row, number in selected.numbered()]
            self.skipped = {*selected.skipped}

    def numbered_cells(self, column: Column) -> list[tuple[int, str]]:
        """Return the cells of the rows that are sent, each with the number of its entry."""
        return [(number, column.cells[place]) for place, number in self.sent]

    def samples(self, column: Column) -> list[str]:
        """Return the first three different cells of a column: of sales, if there are any."""
        sales = self.sales if self.says_what_is_sent else ()
        sold = [cell for number, cell in self.numbered_cells(column) if cell and number in sales]
        return [*dict.fromkeys(sold or column.filled)][:_SAMPLES]

    def column_named(self, name: str) -> Column | None:
        """Return the column of this name, if the file has it."""
        same = (c for c in self.sample.columns if comparable(c.name) == comparable(name))
        return next(same, None)


_amount = cache(parse_value)
_NO_SIGN: Final = {**str.maketrans("", "", "-()"), **dict.fromkeys(DASHES)}


def _signed_amount(cell: str, decimal_sign: Any) -> float:
    """Return the number in a cell. A refund may be negative. Raises `RuleError`."""
    try:
        return _amount(cell, decimal_sign)
    except RuleError as error:
        if error.code != "NEGATIVE_VALUE":
            raise
        return -_amount(cell.translate(_NO_SIGN), decimal_sign)


def written(value: str) -> str:
    """Return a value of the profile as it is shown."""
    return "any other value" if value == ANY_OTHER else on_terminal(value) or EMPTY_SHOWN


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
    # EST is a zone for Python, but it has no summer time, and Chicago has.
    zone = text if key == "time_zone" else text.partition(" by ")[2].partition(" ")[2]
    if key in ("time_zone", "expect") and zone and zone != "UTC" and "/" not in zone:
        raise WrongAnswer("Not the time zone of a place. Write one such as America/Chicago.")
    smallest = {"destination": next(iter(registry.names())), "customer_id": "1234567890"}
    try:
        profile = Profile.model_validate({**smallest, key: _READERS.get(key, str)(text)})
    except RuleError:
        raise WrongAnswer(f"Not known. Write {mistakes.FORMS[key]}.") from None
    except ValidationError as error:
        problem = mistakes.lines(error, Profile)[0].removeprefix(f"{key}: ")
        raise WrongAnswer(f"{problem[:1].upper()}{problem[1:]}") from None
    if key == "action" and (refusal := why_no_name(destination, text)):
        raise WrongAnswer(refusal)
    return getattr(profile, key)


def why_no_name(destination: str | None, action: str) -> str:
    """Return why the destination cannot take this name of a conversion action, or "" if it can, or
    if it is an ID."""
    can = capabilities_of(destination) if destination else None
    if can is None or can.has_queries or action_id_in(action) is not None:
        return ""
    return f"The {can.title} needs the ID of the conversion action: its digits."
