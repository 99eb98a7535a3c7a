"""Header names: the field of a name, and the probable field of a misspelled name.

Names are compared by `header_key`: only letters and digits, ignoring case.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from difflib import get_close_matches
from functools import cache
from typing import Final

from lib.model.fields import CUSTOM_VARIABLE, HIGHEST_NUMBER, Field, base_name

_CUSTOM_VARIABLE: Final = re.compile(
    r"\s*custom[\s_-]*variable\s*[.:]\s*(\S.*)", re.IGNORECASE | re.DOTALL
)
_SALESFORCE_SUFFIX: Final = "__c"
_NUMBERS: Final = frozenset(str(number) for number in range(2, HIGHEST_NUMBER + 1))

_MOST_COMPARED: Final = 100
"""Maximum number of columns with suggestions, because each is compared with every known name."""

_LIKENESS: Final = 0.8
_LIKENESS_OF_ALIAS: Final = 0.85
"""Most unknown columns are spelled correctly and hold no field of ours: "Contact Owner" is not a
misspelled "Contact Phone"."""

_MOST_LETTERS: Final = 2
"""Maximum number of letters that a typo adds or omits: "Customer" is not a misspelled
customer_type."""


def header_key(header: str) -> str:
    """Return a key that equal names share: `Google_Click_ID__c` and `google click id`."""
    plain = header.strip().casefold().removesuffix(_SALESFORCE_SUFFIX)
    return "".join(filter(str.isalnum, plain)) or plain


def custom_variable(header: str) -> str | None:
    """Return `custom_variable.Plan` for `Custom variable: Plan`, and None for other headers."""
    match = _CUSTOM_VARIABLE.fullmatch(header)
    return CUSTOM_VARIABLE + match[1].strip() if match else None


class Vocabulary:
    """The names of declared fields, for lookup."""

    def __init__(self, fields: Sequence[Field]) -> None:
        # The header of a custom variable also contains its name: see `custom_variable`.
        fields = [field for field in fields if field.name != CUSTOM_VARIABLE]
        self.by_name = {field.name: field for field in fields}
        self._aliases = {header_key(n): f for f in fields for n in (f.name, *f.aliases)}
        self._fallbacks = {header_key(n): f for f in fields for n in f.fallbacks}
        # A CRM has columns with similar names and another meaning.
        self._exact = {header_key(f.name): f.name for f in fields if f.only_exact_name}
        self._suggested = {header_key(f.name): f.name for f in fields if not f.only_exact_name}
        self._suggested_aliases = {header_key(n): f.name for f in fields for n in f.aliases}

    def is_field(self, name: str) -> bool:
        """Return whether a profile may list header names for `name`."""
        if name.startswith(CUSTOM_VARIABLE):
            return name != CUSTOM_VARIABLE
        if name in self.by_name:
            return True
        base = self.by_name.get(base_name(name))
        return base is not None and base.numbered and name.rpartition("_")[2] in _NUMBERS

    def meaning(self, header: str) -> tuple[str, bool] | None:
        """Return (field, whether the name is only a fallback) of a header name, or None if unknown.

        The name may end with a number if several columns may hold the field: `email2`.
        """
        if variable := custom_variable(header):
            return variable, False
        key = header_key(header)
        if self._exact.get(key, header.strip()) != header.strip():
            return None
        return self._by_key(key)

    def _by_key(self, key: str) -> tuple[str, bool] | None:
        if field := self._aliases.get(key):
            return field.name, False
        if field := self._fallbacks.get(key):
            return field.name, True
        number, numbered = key[-1:], self._aliases.get(key[:-1])
        if numbered is None or not numbered.numbered:
            return None
        if number == "1":
            return numbered.name, False
        return (f"{numbered.name}_{number}", False) if number in _NUMBERS else None

    def closest_field(self, name: str) -> str | None:
        """Return the field that a profile probably means by `name`, or None if none is similar."""
        if known := self._by_key(header_key(name)):
            return known[0]
        return next(iter(get_close_matches(name.casefold(), self.by_name, 1)), None)

    def with_suggestions(
        self, columns: Iterable[tuple[str, str]], is_taken: Callable[[str], bool]
    ) -> tuple[str, ...]:
        """Return the unknown columns as they are shown, with the field that was probably meant.

        `columns` contains (header, how it is shown). There is no suggestion if the header can't be
        shown, or if the field already has a column.
        """
        shown_names = []
        for place, (header, shown) in enumerate(columns):
            field = self._suggestion(header) if place < _MOST_COMPARED and header == shown else None
            useful = field is not None and not is_taken(field)
            shown_names.append(f"{shown} (did you mean {field}?)" if useful else shown)
        return tuple(shown_names)

    def _suggestion(self, header: str) -> str | None:
        key = header_key(header)
        if key[-1:].isdigit():  # "Email 17" is not a typo
            return None
        for names, likeness in (
            (self._suggested, _LIKENESS),
            (self._suggested_aliases, _LIKENESS_OF_ALIAS),
        ):
            for near in get_close_matches(key, names, 1, likeness):
                if abs(len(near) - len(key)) <= _MOST_LETTERS:
                    field = names[near]
                    return None if self.by_name[field].only_exact_name else field
        return None


@cache
def vocabulary_of(fields: tuple[Field, ...]) -> Vocabulary:
    """Return the vocabulary of `fields`. It is created only once."""
    return Vocabulary(fields)
