"""Profiles: which columns of a kind of file mean what, which rows are which conversion, and how
cells are written. A run uses what its profile names, and nothing else."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from typing import Annotated, Any, Final, Literal, cast

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from lib.config import mistakes
from lib.config.expect import Expectation, parse_expect
from lib.config.settings import Listed, ZoneName
from lib.destinations import registry
from lib.errors import PermanentError, RuleError
from lib.model.account import without_dashes
from lib.model.adjustment_types import ADJUSTMENT_TYPES, AdjustmentType, possible_types, stated_type
from lib.model.capabilities import KindCapabilities
from lib.model.fields import ADDRESS_FIELDS, RecordKind, base_name
from lib.model.money import MAX_VALUE
from lib.model.spelling import comparable
from lib.rules.fields import BY_NAME, NEEDS, is_field
from lib.rules.values.currencies import parse_currency
from lib.rules.values.enums import Consent
from lib.rules.values.phones import WITHOUT_NUMBERS, normalize_phone_region

Send = Literal["conversion", "call", AdjustmentType, "adjustment"]
"""What rows are sent as. With `adjustment`, the type of each is in a column."""

KIND_OF_SEND: Final[Mapping[Send, RecordKind]] = {
    "conversion": "conversion",
    "call": "call",
    "adjustment": "adjustment",
    **dict.fromkeys(ADJUSTMENT_TYPES, "adjustment"),
}


def needed_fields(send: Send) -> dict[str, str]:
    """Return each field without which no row can be sent → what its column has, for messages.

    `needed_fields("restatement")` returns `{"adjustment_date_time": "column of times",
    "adjusted_value": "new value"}`.
    """
    fields = dict(NEEDS[KIND_OF_SEND[send]].fields)
    if stated := stated_type(send):
        del fields["adjustment_type"]  # `send` says it
        if ADJUSTMENT_TYPES[stated].has_value:
            fields["adjusted_value"] = "new value"
    return fields


ACTION_DEFAULT: Final = "action_default"
"""The value of a conversion whose value cell is empty: that of its conversion action."""


def _known_destination(name: str) -> str:
    if name not in registry.names():
        known = " or ".join(f'"{each}"' for each in registry.names())
        raise ValueError(f"not an allowed value. Write {known}.")
    return name


DestinationName = Annotated[str, AfterValidator(_known_destination)]


def _readable_expect(text: str) -> str:
    parse_expect(text)
    return text


AccountNumber = Annotated[
    str,
    Field(pattern=r"^\d{10}$", coerce_numbers_to_str=True),
    BeforeValidator(without_dashes),
]
"""The ten digits of an account: people write 123-456-7890 and 1234567890."""

ActionName = Annotated[str, Field(min_length=1, coerce_numbers_to_str=True)]
"""The ID of a conversion action, or its name."""


def _names_of_field(value: object) -> object:
    """Return the names as a tuple: people write a single one without a list."""
    names = value if isinstance(value, (list, tuple)) else [value]
    if not names or not all(isinstance(name, str) and name.strip() for name in names):
        raise ValueError('not a column name. Write one, such as "Amount", or a list of them.')
    return tuple(names)


ColumnNames = Annotated[tuple[str, ...], BeforeValidator(_names_of_field)]


def _values_by_column(value: object) -> object:
    """Column → its values, as a tuple of texts: people write a single value without a list, and
    numbers and true without quotes."""
    if not isinstance(value, dict):
        raise ValueError('not an object. Write {"column name": ["value", ...]}.')
    if not all(column.strip() for column in value):
        raise ValueError("a column has no name. Write the name of a column of the file.")
    return {column: _row_values(column, values) for column, values in value.items()}


def _row_values(column: str, values: object) -> tuple[str, ...]:
    """Return the values that are listed for a column, as texts: `true` becomes "true"."""
    listed = values if isinstance(values, (list, tuple)) else [values]
    if not listed or not all(isinstance(each, (str, int, float)) for each in listed):
        raise ValueError(f'"{column}" has no list of values. Write {{"{column}": ["value", ...]}}.')
    return tuple(str(each).lower() if isinstance(each, bool) else str(each) for each in listed)


RowValues = Annotated[dict[str, tuple[str, ...]], BeforeValidator(_values_by_column)]
"""Column → values, as in `{"Deal Stage": ["Closed Won"]}`."""

_ENCODINGS: Final = (
    *("ascii", "utf-8", "utf-16", "cp", "iso8859", "mac-", "shift_jis", "euc_", "gb", "big5"),
    "koi8",
)
"""Beginnings of Python's names for the text encodings that spreadsheets write."""


def _tab_by_name(value: object) -> object:
    """Return the tab for `"tab"` and `"\\t"`: nobody sees what a tab in quotes is."""
    return "\t" if value in ("tab", "\\t") else value


Delimiter = Annotated[str, Field(min_length=1, max_length=1), BeforeValidator(_tab_by_name)]


def _known_encoding(value: str) -> str:
    """Return Python's name of an encoding: `windows-1252` → `cp1252`."""
    try:
        name = codecs.lookup(value).name
    except LookupError:
        name = ""
    if not name.startswith(_ENCODINGS):
        raise ValueError("not a known encoding. Write a name such as utf-8 or windows-1252.")
    # A byte order mark in the file takes precedence. Without one, Windows writes little-endian.
    return "utf-16-le" if name == "utf-16" else name


def _amount(value: object) -> object:
    """Return a constant value that is an amount, or `action_default`."""
    if value == ACTION_DEFAULT:
        return value
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not is_number or not 0 <= cast("float", value) <= MAX_VALUE:
        raise ValueError(
            "not an amount. Write a number of 0 or more (at most a million million), or "
            f'"{ACTION_DEFAULT}".'
        )
    return value


ConversionValue = Annotated[int | float | Literal["action_default"], BeforeValidator(_amount)]


def _known_currency(text: str) -> str:
    with suppress(RuleError):
        return parse_currency(text)
    raise ValueError(f"not a currency in use. Write {mistakes.FORMS['currency_code']}.")


def _dialled_region(text: str) -> str:
    """Return the two letters of a country in which phone numbers are dialled."""
    with suppress(RuleError):
        region = normalize_phone_region(text)
        if region.isalpha() and region not in WITHOUT_NUMBERS:
            return region
    raise ValueError(f"not a country with phone numbers. Write {mistakes.FORMS['phone_region']}.")


# A constant is read as a cell would be: UK means GB.
Currency = Annotated[str, AfterValidator(_known_currency)]
PhoneRegion = Annotated[str, AfterValidator(_dialled_region)]


class WrittenEntry(BaseModel):
    """An entry of `conversions`, as the profile has it. `Profile.entries` completes it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rows: RowValues = {}
    send: Send = "conversion"
    action: ActionName | None = None
    value: ConversionValue | None = None
    currency_code: Currency | None = None
    columns: dict[str, ColumnNames | None] = {}


@dataclass(frozen=True, slots=True)
class Entry:
    """Rows that are sent alike, with what the entry takes from its profile.

    `columns` is empty if the profile names no columns: then the names of the fields and of Google's
    templates count. If it has no `conversions` either, `send` is None: which of these columns a
    file has decides what is sent (`lib.rules.fields.kind_of`).
    """

    number: int
    """Its place in `conversions`, from 0."""
    rows: Mapping[str, tuple[str, ...]]
    send: Send | None
    action: str | None
    value: float | Literal["action_default"] | None
    currency_code: str | None
    columns: Mapping[str, tuple[str, ...]]
    replaced: Collection[str] = ()
    """The fields whose columns do not count, because a constant of the entry stands for them."""

    @property
    def kind(self) -> RecordKind | None:
        """The kind of records that it sends."""
        return None if self.send is None else KIND_OF_SEND[self.send]


REQUIRED_KEYS: Final = ("destination", "customer_id", "expect")
"""The keys that each profile must have. A file is read without `expect` too (`NO_EXPECT`)."""


class Profile(BaseModel):
    """What the files of one folder mean.

    The text below a key is its row in `docs/profiles.md`: `make reference` writes it there.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    destination: DestinationName
    """API that receives the conversions: {destinations}."""
    customer_id: AccountNumber
    """Google Ads account that receives the conversions, with or without dashes."""
    expect: Annotated[str, AfterValidator(_readable_expect)] | None = None
    """When files come: any time, every weekday by 06:30 America/New_York, every mon, thu by 06:30
    Europe/Berlin, or every 3 hours."""
    login_customer_id: AccountNumber | None = None
    """Manager account that gives access to the Google Ads account."""
    adjustments_via: DestinationName | None = None
    """API that receives all adjustments, if the destination cannot send them: {destinations}."""
    action: ActionName | None = None
    """Conversion action of all rows: its ID or its name."""
    columns: dict[str, ColumnNames] = {}
    """For each field, the name of its column in your files, or several names of which a file has
    one. Unset: the names of the fields and of Google's templates."""
    optional: Listed = ()
    """Fields whose columns a file may lack."""
    conversions: tuple[WrittenEntry, ...] = ()
    """Which rows are which conversion. Each entry may have rows, send, action, value,
    currency_code and columns. Unset: each row is one conversion of action."""
    skip: RowValues = {}
    """The rows that are not sent, for each column in your files: its values. "" is an empty cell, *
    any other value."""
    value: ConversionValue | None = None
    """Value of each conversion, or action_default: an empty value cell means the value of the
    conversion action."""
    currency_code: Currency | None = None
    """Currency of values that do not state one: an ISO 4217 code such as EUR."""
    time_zone: ZoneName | None = None
    """Time zone of times that do not state one: an IANA name such as America/Chicago."""
    phone_region: PhoneRegion | None = None
    """Country of phone numbers without +: a two-letter code such as DE."""
    ad_user_data: Consent | None = None
    """Consent to sending user data to Google, of all rows: GRANTED or DENIED. Rules in the European
    Economic Area require it."""
    ad_personalization: Consent | None = None
    """Consent to personalized ads, of all rows: GRANTED or DENIED. Data Manager API only."""
    event_source: Literal["WEB", "APP", "IN_STORE", "PHONE", "MESSAGE", "OTHER"] = "OTHER"
    """Where the conversions happened: WEB, APP, IN_STORE, PHONE, MESSAGE or OTHER. Data Manager API
    only."""
    date_order: Literal["DMY", "MDY"] | None = None
    """Order of day and month in dates such as 03/04/2026: DMY or MDY."""
    decimal_sign: Literal[".", ","] | None = None
    """Decimal sign of numbers such as 1,234: a point or a comma."""
    value_scale: float = Field(1, gt=0, allow_inf_nan=False)
    """Factor of all values of the files: 0.01 if they are in cents."""
    order_ids: Literal["keep", "integer"] = "keep"
    """How order IDs such as 1001.0 are sent: keep sends them as they are, integer sends 1001."""
    derive_order_id: bool = True
    """Create an order ID for rows that have neither a gclid nor an order ID."""
    encoding: Annotated[str, AfterValidator(_known_encoding)] | None = None
    """Text encoding of the files. Unset: detected from the content."""
    delimiter: Delimiter | None = None
    """Character between two cells, such as a comma. Unset: detected from the content."""
    sheet: str | None = Field(None, min_length=1)
    """Name of the sheet to read from a workbook. Unset: the first visible sheet."""
    validate_only: bool = False
    """Google checks the conversions but does not count them."""
    source: Literal["web"] | None = None
    """Set it to web if the tag on your website counts these conversions, and the files add what it
    does not know. Data Manager API only."""
    omit_session_and_ip: bool = False
    """Do not send session attributes and IP addresses. Set this if Google does not allow you to
    send them."""

    @model_validator(mode="after")
    def _is_possible(self) -> Profile:
        if problems := [*misuses(self)]:
            raise ValueError(" ".join(problems))
        return self

    @cached_property
    def names_columns(self) -> bool:
        """Whether the profile says which columns count. Otherwise the known names do."""
        return bool(self.columns) or any(entry.columns for entry in self.conversions)

    @cached_property
    def expectation(self) -> Expectation | None:
        """When files come. None: at any time, or `expect` is missing."""
        return None if self.expect is None else parse_expect(self.expect)

    @cached_property
    def entries(self) -> tuple[Entry, ...]:
        """What is sent: the entries of `conversions`, or one that takes all rows."""
        if not self.conversions:
            send: Send | None = "conversion" if self.names_columns else None
            currency = self.currency_code
            return (Entry(0, {}, send, self.action, self.value, currency, self.columns),)
        return tuple(self._completed(*numbered) for numbered in enumerate(self.conversions))

    def _completed(self, number: int, entry: WrittenEntry) -> Entry:
        """Return an entry with what it takes from the profile. What it has itself comes first:

        - Its column beats the column and the constant of the profile, except a constant that fills
          empty cells: `currency_code`, and `value` if it is `action_default`.
        - Its constant beats both.
        - Its `null` switches either off.
        - The profile's column of currencies is about its column of values, and that of times of day
          about its column of dates. Beside a fixed value or another date, they say nothing.
        """
        columns = {**self.columns, **entry.columns}
        written = entry.model_fields_set
        replaced = set[str]()
        action = entry.action if "action" in written else self.action
        if entry.action is not None:
            replaced.add("conversion_action")
        elif entry.columns.get("conversion_action"):
            action = None
        value = entry.value if "value" in written else self.value
        if entry.value is not None and entry.value != ACTION_DEFAULT:
            replaced.add("conversion_value")
        elif "value" not in written and entry.columns.get("conversion_value"):
            value = ACTION_DEFAULT if self.value == ACTION_DEFAULT else None
        currency = entry.currency_code if "currency_code" in written else self.currency_code
        may_have_values = columns.get("conversion_value") or not self.names_columns
        is_fixed = (
            KIND_OF_SEND[entry.send] != "adjustment"  # it has a new value
            and isinstance(value, int | float)
            and ("conversion_value" in replaced or not may_have_values)
            and self._has_column_of_values
        )
        if not entry.columns.get("currency_code") and (entry.currency_code is not None or is_fixed):
            replaced.add("currency_code")
        if entry.columns.get("conversion_date_time") and not entry.columns.get("time_of_day"):
            replaced.add("time_of_day")
        return Entry(
            number,
            entry.rows,
            entry.send,
            action,
            value,
            currency,
            {f: names for f, names in columns.items() if names is not None and f not in replaced},
            frozenset(replaced),
        )

    @cached_property
    def _has_column_of_values(self) -> bool:
        """Whether values are in a column, of the rows of some entry at least."""
        of_entries = any(entry.columns.get("conversion_value") for entry in self.conversions)
        return not self.names_columns or of_entries or "conversion_value" in self.columns

    @property
    def derives_order_ids(self) -> bool:
        """Whether a sale that Google could not recognize gets an order ID."""
        return self.derive_order_id and self.source != "web"

    def sender(self, kind: RecordKind) -> str:
        """Return the destination that receives records of this kind."""
        return (self.adjustments_via if kind == "adjustment" else None) or self.destination

    def document(self) -> dict[str, Any]:
        """Return the profile as JSON, only with the keys that it sets."""
        return self.model_dump(mode="json", exclude_unset=True)


# ── what is wrong with a profile ─────────────────────────────────────────────────────────────

NEVER_OPTIONAL: Final = frozenset(
    {
        *(field for needs in NEEDS.values() for field in needs.fields),
        *("conversion_action", "conversion_value", "adjusted_value"),
        *("order_id", "ad_user_data", "ad_personalization"),
        *("currency_code", "adjusted_value_currency", "time_zone", "time_of_day"),
    }
)
"""The fields whose columns no file may lack. Without most of them, every row would be rejected.
Without the others, sales would count again, be sent without the consent that their rows state, or
in another currency or at another time.
"""
_ADDRESS: Final = frozenset(ADDRESS_FIELDS)

NO_EXPECT: Final = (
    'expect: not set. Write "expect": "every weekday by 06:30 America/New_York", for example.'
)
"""What to say of a profile that lacks this required key, although it can be used without."""


def misuses(profile: Profile) -> Iterator[str]:
    """Yield what keys say that contradicts other keys or the API: the key, then what to write."""
    yield from _unknown_fields(profile)
    yield from _misused_constants(profile)
    destination = registry.capabilities_of(profile.destination)
    if profile.adjustments_via and destination.adjusts(possible_types("adjustment")):
        # Another API may write the order ID of the sale in another way.
        yield f"adjustments_via: the {destination.title} sends all adjustments itself. Remove it."
    if profile.source is not None:
        yield from _misused_source(profile)
    yield from _misused_entries(profile)
    for entry in profile.entries:
        if entry.send is not None:
            yield from _impossible(profile, entry, entry.send)


def _unknown_fields(profile: Profile) -> Iterator[str]:
    """Yield the names of fields that do not exist, or that `optional` may not have."""
    places: list[tuple[str, Mapping[str, object]]] = [("columns", profile.columns)]
    for number, entry in enumerate(profile.conversions):
        places.append((f"conversions[{number}].columns", entry.columns))
    for key, columns in places:
        for name in columns:
            if not is_field(name):
                yield f"{key}.{name}: not a field. {mistakes.nearest(name, BY_NAME)}"
    named = {name for _, columns in places for name in columns}
    for name in profile.optional:
        if name not in named:
            yield f'optional: "{name}" is not in columns. Remove it from optional.'
        elif name in NEVER_OPTIONAL:
            yield f'optional: "{name}" may not be missing from a file. Remove it from optional.'


def _misused_constants(profile: Profile) -> Iterator[str]:
    """Yield the constants that stand beside a column of the same level, or, of consent, of any, and
    a consent that the destination does not send."""
    levels: dict[str, Profile | WrittenEntry] = {"": profile}
    levels |= {f"conversions[{n}].": entry for n, entry in enumerate(profile.conversions)}
    for prefix, level in levels.items():
        for key, name, more in (
            ("action", "conversion_action", ""),
            ("value", "conversion_value", f', or write "value": "{ACTION_DEFAULT}"'),
        ):
            constant = getattr(level, key)
            if constant not in (None, ACTION_DEFAULT) and level.columns.get(name):
                yield (
                    f"{prefix}{key}: {json.dumps(constant, ensure_ascii=False)}, but "
                    f"{prefix}columns.{name} names a column too. Remove one{more}."
                )
    destination = registry.capabilities_of(profile.destination)
    for consent in ("ad_user_data", "ad_personalization"):
        constant = getattr(profile, consent)
        if constant and any(level.columns.get(consent) for level in levels.values()):
            yield f'{consent}: "{constant}", but columns.{consent} names a column too. Remove one.'
        if constant and consent not in destination.kinds["conversion"].fields:
            yield f"{consent}: the {destination.title} does not send it. Remove it."


def _misused_source(profile: Profile) -> Iterator[str]:
    """Yield what `"source": "web"` contradicts."""
    able = [name for name in registry.names() if registry.capabilities_of(name).supplements_tags]
    if profile.destination not in able:
        needed = " or ".join(f'"destination": "{name}"' for name in able)
        yield f'source: "{profile.source}" needs {needed}. Write that, too.'
    if profile.event_source not in ("WEB", "OTHER"):
        yield f'source: "{profile.source}" contradicts event_source. Remove event_source.'


def _misused_entries(profile: Profile) -> Iterator[str]:
    """Yield what is wrong with entries that get no row, and with values and keys of entries that do
    nothing."""
    skipped = _as_sets(profile.skip)
    listed = [_as_sets(entry.rows) for entry in profile.conversions]
    for number, entry in enumerate(profile.conversions):
        key = f"conversions[{number}]"
        yield from _unreachable(number, entry.rows, listed[:number])
        for column, values in entry.rows.items():
            skipped_too = [
                each for each in values if comparable(each) in skipped.get(comparable(column), ())
            ]
            if skipped_too:
                value = skipped_too[0]
                yield f'{key}.rows: "{column}" "{value}" is in skip too. Remove it from skip.'
        if entry.value is not None and KIND_OF_SEND[entry.send] == "adjustment":
            yield (
                f"{key}.value: {entry.value}, but its rows are sent as {entry.send}. Remove it; "
                "name the column of new values under columns.adjusted_value."
            )
        for name in entry.columns:
            if name in BY_NAME and not _is_read(profile, KIND_OF_SEND[entry.send], name):
                yield f"{key}.columns.{name}: not read for {entry.send}. Remove it."


def _as_sets(rows: RowValues) -> dict[str, frozenset[str]]:
    """Return the values of each column, both as they are compared."""
    return {comparable(name): frozenset(map(comparable, values)) for name, values in rows.items()}


def _unreachable(
    number: int, rows: RowValues, before: Sequence[Mapping[str, frozenset[str]]]
) -> Iterator[str]:
    """Yield why no row is left for an entry, or for one of its values: an entry before it takes
    them all, as sales perhaps, while this one takes them back.

    `rows` are those of the entry, `before` those of the entries before it.
    """
    key = f"conversions[{number}]"
    if {} in before:
        first = before.index({})
        yield (
            f"{key}: no row is left for it, because conversions[{first}] takes all. Write "
            f'"rows": {{"column name": ["value"]}} in conversions[{first}].'
        )
        return
    own = _as_sets(rows)
    # A large profile has thousands of entries and values. Few entries share rows with another one.
    sharing = [
        (first, taken)
        for first, taken in enumerate(before)
        if not any(taken[column].isdisjoint(own.get(column, ())) for column in taken)
    ]
    for name, value in ((name, value) for name, values in rows.items() for value in values):
        of_value = {**own, comparable(name): frozenset({comparable(value)})}
        for first, taken in sharing:
            if all(column in of_value and of_value[column] <= taken[column] for column in taken):
                yield (
                    f'{key}.rows: "{name}" "{value}": no row is left for it, because '
                    f"conversions[{first}] takes all of them. Remove it there, or move {key} up."
                )
                break


def _is_read(profile: Profile, kind: RecordKind, name: str) -> bool:
    """Return whether a field does anything for records of this kind. Few do for adjustments."""
    if kind in BY_NAME[name].record_kinds:
        return True
    if BY_NAME[name].only_helps:
        return True
    kinds: dict[RecordKind, None] = {kind: None}
    if kind == "adjustment" and profile.derives_order_ids:
        kinds["conversion"] = None  # the order ID of the sale is derived from its cells
    readers = (registry.capabilities_of(profile.sender(each)).kinds.get(each) for each in kinds)
    return any(reader is not None and name in reader.fields for reader in readers)


def _impossible(profile: Profile, entry: Entry, send: Send) -> Iterator[str]:
    """Yield why no row of an entry could be sent."""
    key = f"conversions[{entry.number}]" if profile.conversions else "profile"
    kind = KIND_OF_SEND[send]
    capabilities = registry.capabilities_of(profile.sender(kind))
    sendable = capabilities.kinds.get(kind)
    types = possible_types(send)
    if sendable is None or not types <= sendable.adjustment_types:
        line = '"send": "conversion"'
        if kind == "adjustment":
            able = (
                each for each in registry.names() if registry.capabilities_of(each).adjusts(types)
            )
            line = f'"adjustments_via": "{next(able)}"'
        yield f'{key}.send: the {capabilities.title} does not send "{send}". Write {line}.'
        return
    if not profile.names_columns:
        return
    columns = entry.columns
    if entry.action is None and "conversion_action" not in columns:
        yield f'{key}: no conversion action. Write "action": "its ID or name".'
    if kind != "adjustment" and entry.value is None and "conversion_value" not in columns:
        yield (
            f'{key}: no value. Write "conversion_value": "column name" under columns, or a number '
            'as "value".'
        )
    needed = needed_fields(send)
    if profile.source == "web":
        needed["order_id"] = "order ID, by which the tag finds a conversion"
    missing = {name: what for name, what in needed.items() if name not in columns}
    is_found = identifies(columns, sendable)
    if not is_found and not (kind == "adjustment" and names_original(profile, columns)):
        of_kind = NEEDS[kind]
        what = f"column by which the {capabilities.title} finds the {of_kind.found}"
        missing[of_kind.found_by] = what
    for name, what in missing.items():
        yield f'{key}: no {what}. Write "{name}": "column name" under columns.'


def names_original(profile: Profile, columns: Collection[str]) -> bool:
    """Return whether rows with these fields have all of a sale from which its order ID was derived:
    its time, its value, and a person or a click."""
    sales = registry.capabilities_of(profile.destination).kinds["conversion"]
    has_value = "conversion_value" in columns or isinstance(profile.value, int | float)
    is_complete = has_value and "conversion_date_time" in columns and profile.derives_order_ids
    return is_complete and identifies(columns, sales)


def identifies(columns: Collection[str], can: KindCapabilities) -> bool:
    """Return whether an API finds what a record is about by one of these fields. Of an address, all
    must be there."""
    named = {base_name(name) for name in columns} & can.fields.keys()
    if not named >= _ADDRESS:
        named -= _ADDRESS
    return not can.identifying.isdisjoint(BY_NAME[name].attribute for name in named)


# ── the profiles document ────────────────────────────────────────────────────────────────────

MAX_PROFILES_BYTES: Final = 1 << 20
"""Thousands of profiles. To read a document takes up to 60 times its size."""

COMMENT: Final = re.compile(r"^[ \t]*//.*", re.MULTILINE)
"""A text in JSON has no line breaks, so such a line is never part of one."""


def _refusing_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse a name that is there twice: the first of the two would be ignored in silence."""
    merged: dict[str, Any] = {}
    for name, value in pairs:
        if name in merged:
            raise ValueError(f'"{name}" is there twice')
        merged[name] = value
    return merged


def read_profiles(document: bytes, where: str = "PROFILES") -> dict[str, Any]:
    """Return a profiles document, `{name: {...}}`. The profiles themselves are not checked yet.

    Lines that begin with `//` are comments.
    Raises `PermanentError("INVALID_PROFILE")` if the document does not have this form; the error
    says `where` to correct it.
    """

    def invalid(what: str) -> PermanentError:
        return PermanentError("INVALID_PROFILE", f"the profiles document ({where}) {what}")

    if len(document) > MAX_PROFILES_BYTES:
        raise invalid(
            "is larger than 1 MiB, so it is probably another file. Name the file with the profiles."
        )
    try:
        text = COMMENT.sub("", document.decode("utf-8-sig"))
        profiles = json.loads(text if text.strip() else "{}", object_pairs_hook=_refusing_repeats)
        json.dumps(profiles, ensure_ascii=False).encode()  # refuses half a character ("\\uD83D")
    except (ValueError, RecursionError) as error:
        raise invalid(
            f'is not valid JSON: {error}. Correct it there: write each key as "key": "value", '
            "with a comma before the next one."
        ) from None
    if isinstance(profiles, dict):
        if all(isinstance(each, dict) for each in profiles.values()):
            return profiles
        if profiles.keys() & Profile.model_fields.keys():
            raise invalid('has a profile without a name. Give it one: {"default": {...}}.')
    raise invalid('does not list profiles by name. Write {"<profile name>": {...}, ...}.')


def profile_name(object_name: str) -> str:
    """Return the name of the profile for an object: its first folder, or `default`."""
    folder, slash, _ = object_name.partition("/")
    return folder if slash else "default"


def choose_profile(profiles: Mapping[str, Any], object_name: str) -> Profile:
    """Return the profile for an object.

    Only this profile is checked, so an error in one profile does not affect the files of others.
    Raises `PermanentError` with UNKNOWN_PROFILE or INVALID_PROFILE.
    """
    name = profile_name(object_name)
    if name not in profiles:
        known = ", ".join(sorted(profiles)) or "none"
        detail = f'No profile is named "{name}". The profiles are: {known}.'
        if near := get_close_matches(name, profiles, 1):
            detail += f' Did you mean {near[0]}? Then upload the file into the folder "{near[0]}".'
        raise PermanentError("UNKNOWN_PROFILE", detail)
    try:
        return Profile.model_validate(profiles[name])
    except ValidationError as error:
        problems = " ".join(mistakes.lines(error, Profile, shows_values=True))
        raise PermanentError("INVALID_PROFILE", f'profile "{name}": {problems}') from None
