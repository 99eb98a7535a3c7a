"""The records of a chunk before they are assembled: one column per attribute."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import compress
from typing import NamedTuple

from lib.model.capabilities import Exclusion
from lib.model.outcomes import Problem
from lib.model.records import Conversion, OptionalFields
from lib.rules.repeats import Key


class RecordColumns(NamedTuple):
    """One column per attribute of a `Conversion`, with its name and in its order; no warnings."""

    customer_id: list[str]
    action_id: list[str]
    time: list[str]
    gclid: list[str]
    gbraid: list[str]
    wbraid: list[str]
    hashed_emails: list[tuple[str, ...]]
    hashed_phones: list[tuple[str, ...]]
    value: list[float | None]
    currency_code: list[str | None]
    order_id: list[str | None]
    ad_user_data: list[str | None]
    optional_fields: list[OptionalFields | None]

    def column(self, name: str) -> Sequence[object]:
        """Return the values of an attribute of the record or of its optional fields."""
        if name == "user_identifiers":
            return [a or b for a, b in zip(self.hashed_emails, self.hashed_phones, strict=True)]
        if name in self._fields:
            found: Sequence[object] = getattr(self, name)
            return found
        return [None if each is None else getattr(each, name) for each in self.optional_fields]

    def rows_with(self, names: Iterable[str]) -> set[int]:
        """Return the rows with a value in one of these attributes."""
        values = zip(*map(self.column, sorted(names)), strict=True)
        return {row for row, each in enumerate(values) if _given(each)}

    def rows_with_both(self, exclusion: Exclusion) -> list[int]:
        """Return the rows with one of `exclusion.values` and also one of `exclusion.beside`."""
        return sorted(self.rows_with(exclusion.values) & self.rows_with(exclusion.beside))

    def click_ids(self) -> Sequence[str]:
        """The click ID of each row, whichever it is."""
        if not (any(self.gbraid) or any(self.wbraid)):
            return self.gclid
        return [a or b or c for a, b, c in zip(self.gclid, self.gbraid, self.wbraid, strict=True)]

    def braids(self) -> Sequence[str]:
        """The gbraid or wbraid of each row."""
        if not any(self.wbraid):
            return self.gbraid
        return [a or b for a, b in zip(self.gbraid, self.wbraid, strict=True)]

    def keys_of(self, rows: Sequence[int], instants: Sequence[int]) -> Iterable[Key]:
        """Return the keys that `find_repeats` compares."""
        columns = (self.click_ids(), instants, self.action_id, self.order_id)
        return zip(rows, *(map(each.__getitem__, rows) for each in columns), strict=True)

    def records(
        self, rows: Iterable[int], warnings: Mapping[int, Sequence[Problem]]
    ) -> list[Conversion]:
        """Return the records of `rows`."""
        of_rows: list[tuple[Problem, ...]] = [()] * len(self.time)
        for row, found in warnings.items():
            of_rows[row] = tuple(found)
        is_wanted = bytearray(len(self.time))
        for row in rows:
            is_wanted[row] = 1
        attributes = compress(zip(*self, of_rows, strict=True), is_wanted)
        # Takes a third of the time of Conversion(...).
        make: Callable[..., Conversion] = tuple.__new__
        return [make(Conversion, each) for each in attributes]


def _given(values: Iterable[object]) -> bool:
    return any(value is not None and value != () for value in values)
