"""Header names: which field a name means, and which one a misspelled name probably means.

Names are compared by `header_key`: only letters and digits, ignoring case. rapidfuzz is imported
with the first name that is unknown: most files have none.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from enum import IntEnum
from functools import cache
from operator import itemgetter
from typing import Final, NamedTuple
from unicodedata import normalize

from lib.model.fields import CUSTOM_VARIABLE, HIGHEST_NUMBER, Field, base_name

_CUSTOM_VARIABLE: Final = re.compile(
    r"\s*custom[\s_-]*variable\s*[.:]\s*(\S.*)", re.IGNORECASE | re.DOTALL
)
_WORDS: Final = re.compile(r"[^\W_]+")
_SALESFORCE_SUFFIX: Final = "__c"
_NUMBERS: Final = frozenset(str(number) for number in range(2, HIGHEST_NUMBER + 1))

_MOST_COMPARED: Final = 100
"""Maximum number of columns with suggestions, because each is compared with every known name."""

_BRACKETS: Final = re.compile(r"([^()\[\]{}]*[^\s()\[\]{}])\s*[(\[{]\s*([^()\[\]{}]+?)\s*[)\]}]\W*")
_LAST_WORD: Final = re.compile(r"(.*?[^\W_])(?:[\W_]+in)?[\s_,/-]+([^\s_,/()-]+)", re.IGNORECASE)
_LONGEST_SPLIT: Final = 100

_LETTERS_PER_TYPO: Final = 5
_LETTERS_PER_TYPO_OF_ALIAS: Final = 7
"""Most unknown columns are spelled correctly and hold no field of ours: "Stage" is not a misspelled
"State"."""

_MOST_TYPOS: Final = 2
"""Letters that are wrong, missing or added; two letters in the wrong order count once."""

_NO_TYPOS: Final = frozenset({"dclid"})
"""Names that are near to one of ours and mean something else: the click ID of Campaign Manager."""

_LIKENESS_IN_PROFILE: Final = 60.0
"""Percent. Every key under `headers` is meant to be a field, so a distant one helps too."""


class HeaderParts(NamedTuple):
    """A name and the text after it, which may be a unit."""

    name: str
    part: str
    in_brackets: bool


def header_parts(header: str) -> HeaderParts | None:
    """Split `Amount (USD)`, `Amount [USD]`, `Amount in USD`, `amount_usd`. None: one word only."""
    if len(header) > _LONGEST_SPLIT:
        return None
    if match := _BRACKETS.fullmatch(header.strip()):
        return HeaderParts(match[1], match[2], True)
    if match := _LAST_WORD.fullmatch(header.strip()):
        return HeaderParts(match[1], match[2], False)
    return None


class Tier(IntEnum):
    """How clearly a header names a field. A column counts only if no better one means its field."""

    ALIAS = 0
    FALLBACK = 1
    WITH_UNIT = 2
    CRM_NAME = 3
    LAST_RESORT = 4


class Meaning(NamedTuple):
    """The meaning of a header: a field, and the unit of its cells if the header names one.

    Among the columns of a tier, those with a low `rank` are better.
    """

    field: str
    tier: Tier
    rank: int = -1
    unit: str = ""

    @property
    def is_clear(self) -> bool:
        """Whether two columns with this meaning are a mistake, and not a choice."""
        return self.tier <= Tier.FALLBACK


def header_key(header: str) -> str:
    """Return a key that equal names share: `Google_Click_ID__c` and `google click id`."""
    plain = header.strip().casefold().removesuffix(_SALESFORCE_SUFFIX)
    return "".join(filter(str.isalnum, plain)) or plain


def _without_accents(header: str) -> str:
    """Return the key of a header without accents: computers encode them in two ways, and people
    omit them."""
    return header_key(normalize("NFD", header))


def has_several_words(header: str) -> bool:
    """Return whether a name is more than one word: `Close Date`, `order_id`, `E-Mail`."""
    return len(_WORDS.findall(header)) > 1


def _custom_variable(header: str) -> str | None:
    """Return `custom_variable.Plan` for `Custom variable: Plan`, and None for other headers."""
    match = _CUSTOM_VARIABLE.fullmatch(header)
    return CUSTOM_VARIABLE + match[1].strip() if match else None


class Vocabulary:
    """The names of declared fields, for lookup."""

    def __init__(self, fields: Sequence[Field]) -> None:
        # The header of a custom variable also contains its name: see `_custom_variable`.
        fields = [field for field in fields if field.name != CUSTOM_VARIABLE]
        self.by_name = {field.name: field for field in fields}
        self._aliases = {header_key(n): f for f in fields for n in (f.name, *f.aliases)}
        self._less_clear = {
            key: Meaning(field.name, tier, rank)
            for field in fields
            for tier, names in (
                (Tier.LAST_RESORT, field.last_resorts),
                (Tier.CRM_NAME, field.crm_names),
                (Tier.FALLBACK, field.fallbacks),
            )
            for rank, name in enumerate(names)
            for key in (header_key(name), _without_accents(name))
        }
        # A CRM has columns with similar names and another meaning.
        self._exact = {header_key(f.name): f.name for f in fields if f.only_exact_name}
        self._names = [header_key(f.name) for f in fields if not f.only_exact_name]
        self._other_names = [*self._aliases, *self._less_clear]
        # Names that are never a cell. "Mobile phone" can be one, because it says how to reach a
        # person, and so can "Date created", in a log.
        self._telling = {
            header_key(name)
            for field in fields
            if not field.numbered
            for name in (field.name, *field.aliases, *field.fallbacks, *field.crm_names)
            if field.clear_in_brackets or has_several_words(name)
        }

    def is_field(self, name: str) -> bool:
        """Return whether a profile may list header names for `name`."""
        if name.startswith(CUSTOM_VARIABLE):
            return name != CUSTOM_VARIABLE
        if name in self.by_name:
            return True
        base = self.by_name.get(base_name(name))
        return base is not None and base.numbered and name.rpartition("_")[2] in _NUMBERS

    def is_numbered(self, field: str) -> bool:
        """Return whether several columns may hold a field: email addresses, phone numbers."""
        declared = self.by_name.get(base_name(field))
        return declared is not None and declared.numbered

    def is_telling(self, header: str) -> bool:
        """Return whether only a header has this name: it is a known one, and no cell of a row.

        An ordinary word is not: `Price` and `Street` are also names of people.
        """
        parts = header_parts(header)
        names = (header, *((parts.name, parts.part) if parts else ()))
        keys = map(header_key, names)
        return _custom_variable(header) is not None or not self._telling.isdisjoint(keys)

    def meaning(self, header: str) -> Meaning | None:
        """Return the meaning of a header, or None if it has none.

        It may end with a number if several columns may hold the field (`email2`), or with a unit
        that the field declares (`Amount (USD)`).
        """
        whole = self._of_name(header)
        parts = header_parts(header)
        if parts is None:
            return whole
        named = self._of_name(parts.name)
        unit = self._unit(named, parts)
        if whole:  # `Total (€)` has the letters of `Total`
            return (
                whole._replace(unit=unit or "") if named and named.field == whole.field else whole
            )
        if named and unit is not None:
            return named._replace(tier=max(named.tier, Tier.WITH_UNIT), unit=unit)
        inner = self._of_name(parts.part) if parts.in_brackets else None
        declared = self.by_name.get(inner.field) if inner else None
        if declared and declared.clear_in_brackets and (not named or named.field == declared.name):
            return Meaning(declared.name, Tier.WITH_UNIT)
        return None

    def _unit(self, named: Meaning | None, parts: HeaderParts) -> str | None:
        declared = self.by_name.get(named.field) if named else None
        if declared is None or declared.read_unit is None:
            return None
        return declared.read_unit(parts.part, parts.in_brackets)

    def field_without_brackets(self, header: str) -> str | None:
        """Return the field of a header like `Amount (thousands)`, if its brackets were omitted."""
        parts = header_parts(header)
        named = self._of_name(parts.name) if parts and parts.in_brackets else None
        return named.field if named else None

    def _of_name(self, name: str) -> Meaning | None:
        if variable := _custom_variable(name):
            return Meaning(variable, Tier.ALIAS)
        key = header_key(name)
        if self._exact.get(key, name.strip()) != name.strip():
            return None
        if (known := self._by_key(key)) or name.isascii():
            return known
        known = self._by_key(_without_accents(name))
        return known and known._replace(tier=max(known.tier, Tier.CRM_NAME))

    def _by_key(self, key: str) -> Meaning | None:
        if field := self._aliases.get(key):
            return Meaning(field.name, Tier.ALIAS)
        if less_clear := self._less_clear.get(key):
            return less_clear
        number, numbered = key[-1:], self._aliases.get(key[:-1])
        if numbered is None or not numbered.numbered:
            return None
        if number == "1":
            return Meaning(numbered.name, Tier.ALIAS)
        return Meaning(f"{numbered.name}_{number}", Tier.ALIAS) if number in _NUMBERS else None

    def closest_field(self, name: str) -> str | None:
        """Return the field that a profile probably means by `name`, or None if none is similar."""
        if known := self._by_key(header_key(name)):
            return known.field
        return closest(name.casefold(), list(self.by_name))

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
        """Return the field whose name or alias is misspelled as this header, or None."""
        key = header_key(header)
        if key[-1:].isdigit() or key in _NO_TYPOS:  # "Email 17" is not a typo
            return None
        from rapidfuzz import process
        from rapidfuzz.distance import OSA

        known = (
            (self._names, _LETTERS_PER_TYPO),
            (self._other_names, _LETTERS_PER_TYPO_OF_ALIAS),
        )
        near = [
            process.extractOne(
                key,
                names,
                scorer=OSA.distance,
                score_cutoff=min(_MOST_TYPOS, len(key) // letters),
            )
            for names, letters in known
        ]
        nearest = min(filter(None, near), key=itemgetter(1), default=None)
        meaning = self._by_key(nearest[0]) if nearest else None
        if meaning is None or self.by_name[meaning.field].only_exact_name:
            return None
        return meaning.field


@cache
def vocabulary_of(fields: tuple[Field, ...]) -> Vocabulary:
    """Return the vocabulary of `fields`. It is created only once."""
    return Vocabulary(fields)


def closest(name: str, names: Sequence[str]) -> str | None:
    """Return the one of `names` that a profile probably means by `name`, or None."""
    from rapidfuzz import fuzz, process

    found = process.extractOne(name, names, scorer=fuzz.ratio, score_cutoff=_LIKENESS_IN_PROFILE)
    return str(found[0]) if found else None
