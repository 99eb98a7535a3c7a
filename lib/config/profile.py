"""Profiles: values for all rows of one kind of file, unless a row has its own."""

from __future__ import annotations

import codecs
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Annotated, Any, Final, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
)

from lib.config import messages
from lib.config.settings import ZoneName
from lib.destinations import registry
from lib.errors import PermanentError
from lib.rules.fields import FIELDS
from lib.rules.row_filter import comparable
from lib.rules.values.enums import Consent
from lib.rules.values.order_ids import OrderIds
from lib.source.head import HEAD_LINES
from lib.source.vocabulary import header_key, vocabulary_of


def _account_number(value: object) -> object:
    """`123-456-7890` and 1234567890 → "1234567890": people write account numbers both ways."""
    if isinstance(value, int):
        value = str(value)
    return value.replace("-", "").strip() if isinstance(value, str) else value


AccountNumber = Annotated[str, BeforeValidator(_account_number), Field(pattern=r"^\d{3,20}$")]


def _values_by_column(value: object, info: ValidationInfo) -> object:
    """Column → its values, as a tuple of texts: people write a single value without a list, and
    numbers and true without quotes. A column that excludes no row says that it decides nothing."""
    if not isinstance(value, dict):
        raise ValueError('not an object. Write {"column name": ["value", ...]}.')
    may_be_empty = info.field_name == "exclude"
    return {
        _column_name(column): _row_values(column, values, may_be_empty=may_be_empty)
        for column, values in value.items()
    }


def _column_name(name: object) -> str:
    if not isinstance(name, str) or not name.strip():
        raise ValueError("a column has no name. Write the name of a column of the file.")
    return name


def _row_values(column: str, values: object, *, may_be_empty: bool) -> tuple[str, ...]:
    listed = values if isinstance(values, (list, tuple)) else [values]
    if not (listed or may_be_empty) or not all(
        isinstance(each, (str, int, float)) for each in listed
    ):
        raise ValueError(f'"{column}" has no list of values. Write {{"{column}": ["value", ...]}}.')
    return tuple(str(each).lower() if isinstance(each, bool) else str(each) for each in listed)


RowValues = Annotated[dict[str, tuple[str, ...]], BeforeValidator(_values_by_column)]
"""Which rows: `{"Deal Stage": ["Closed Won"]}`."""


def _number_as_text(value: object) -> object:
    return str(value) if isinstance(value, int) else value


ActionName = Annotated[str, BeforeValidator(_number_as_text)]
"""The name, ID or resource name of a conversion action."""


class StageConversion(BaseModel):
    """What the rows with one value of the column of `actions` are."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    action: ActionName = Field(min_length=1)
    value: float | None = Field(None, ge=0, allow_inf_nan=False, strict=True)
    time: str | None = Field(None, min_length=1)


_ACTIONS: Final = '{"column name": {"value": {"action": 1001}}}'


def _values_of_one_column(value: object) -> object:
    """Check the form of `actions`, except that of what belongs to a value of the column."""
    if not isinstance(value, dict):
        raise ValueError(f"not an object. Write {_ACTIONS}.")
    if len(value) > 1:
        raise ValueError("names several columns. Choose the one that tells the stages apart.")
    for column, values in value.items():
        _column_name(column)
        if not isinstance(values, dict) or not values:
            raise ValueError(f'"{column}" has no values. Write {_ACTIONS}.')
        for listed, each in values.items():
            if not isinstance(each, (dict, StageConversion)):
                raise ValueError(f'"{listed}" is not an object. Write {{"action": 1001}}.')
    return value


Actions = Annotated[dict[str, dict[str, StageConversion]], BeforeValidator(_values_of_one_column)]
"""Which rows are which conversions: `{"Stage": {"Won": {"action": 1002}}}`."""

_ENCODINGS: Final = (
    *("ascii", "utf-8", "utf-16", "cp", "iso8859", "mac-", "shift_jis", "euc_", "gb", "big5"),
    "koi8",
)
"""Beginnings of Python's names for the text encodings that spreadsheets write."""


def _known_encoding(value: str) -> str:
    """Return Python's name of an encoding."""
    try:
        name = codecs.lookup(value).name
    except LookupError:
        raise ValueError(
            "not a known encoding. Write a name such as utf-8 or windows-1252."
        ) from None
    if not name.startswith(_ENCODINGS):
        raise ValueError(
            "not a supported encoding. Write one whose Python name begins with: "
            f"{', '.join(_ENCODINGS)}."
        )
    # A byte order mark in the file takes precedence. Without one, Windows writes little-endian.
    return "utf-16-le" if name == "utf-16" else name


EncodingName = Annotated[str, AfterValidator(_known_encoding)]


class Profile(BaseModel):
    """Values for one kind of file. A value in the row itself takes precedence.

    The text below a key is its row in `docs/profiles.md`: `make reference` writes it there.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    destination: str
    """API that receives the conversions: {destinations}."""
    customer_id: AccountNumber | None = None
    """Google Ads account that receives the conversions, with or without dashes."""
    login_customer_id: AccountNumber | None = None
    """Manager account that gives access to the Google Ads account."""
    conversion_action: ActionName | None = None
    """Conversion action for rows that do not name one: its name, ID or resource name."""
    time_zone: ZoneName | None = None
    """Time zone for times that do not state one: an IANA name such as America/Chicago."""
    currency_code: str | None = Field(None, pattern=r"^[A-Z]{3}$")
    """Currency for rows that do not state one: an ISO 4217 code such as EUR."""
    phone_region: str | None = Field(None, pattern=r"^[A-Z]{2}$")
    """Country of phone numbers without +: a two-letter code such as DE."""
    ad_user_data: Consent | None = None
    """Consent to sending user data to Google, for rows that do not state it: GRANTED or DENIED.
    Rules in the European Economic Area require it."""
    ad_personalization: Consent | None = None
    """Consent to personalized ads, for rows that do not state it: GRANTED or DENIED. Data Manager
    API only."""
    day_first: bool = False
    """Dates begin with the day: 03/04/2026 is 3 April."""
    decimal_comma: bool = False
    """The comma is the decimal separator: 1.234,50 is 1234.50."""
    headers: dict[str, tuple[str, ...]] = {}
    """For each field, the name of its column in your files. An empty list switches the field
    off."""
    include: RowValues = {}
    """The rows that count, for each column in your files: its values."""
    exclude: RowValues = {}
    """The rows that do not count, for each column in your files: its values. An empty list says
    that the column does not decide."""
    refunds: RowValues = {}
    """The rows that retract or correct a conversion that was sent before, for each column in your
    files: its values."""
    actions: Actions = {}
    """The rows that count, each as a conversion of its own conversion action. For one column in
    your files: each value with its action, and if need be its value and the column of its time."""
    adjustments_via: str | None = None
    """API that receives adjustments, if it is not the destination of the conversions:
    {destinations}."""
    encoding: EncodingName | None = None
    """Text encoding of the files. Unset: detected from the content."""
    delimiter: str | None = Field(None, min_length=1, max_length=1)
    """Character between two cells, such as a comma. Unset: detected from the content."""
    hold_open_last_line: bool = True
    """Hold the last row back for 10 minutes if its line has no line end. Set it to false if your
    files always end like this."""
    sheet: str | None = Field(None, min_length=1)
    """Name of the sheet to read from a workbook. Unset: the first visible sheet."""
    header_row: int | None = Field(None, ge=1, le=HEAD_LINES)
    """Line of the column names, as an editor or a spreadsheet shows it. Unset: the first line, or
    the first one below titles."""
    order_ids: OrderIds | None = None
    """How order IDs such as 1001.0 are sent: keep sends them as they are, integer sends 1001.
    Unset: integer for a file whose first order IDs all end with .0."""
    derive_order_id: bool = True
    """Create an order ID for rows that have neither a gclid nor an order ID."""
    validate_only: bool = False
    """Google checks the conversions but does not count them."""
    expect: str | None = None
    """When a file must come, so that somebody is told if none does: every weekday by 06:30, every
    mon and thu, the last working day of the month by 18:00 Europe/Berlin, or never. Unset: learned
    from the files that came."""
    omit_session_and_ip: bool = False
    """Do not send session attributes and IP addresses. Set this if Google does not allow you to
    send them."""
    event_source: Literal["WEB", "APP", "IN_STORE", "PHONE", "MESSAGE", "OTHER"] = "OTHER"
    """Where the conversions happened: WEB, APP, IN_STORE, PHONE, MESSAGE or OTHER. Data Manager API
    only."""
    source: Literal["web"] | None = None
    """Set it to web if the tag on your website counts these conversions, and the files add what it
    does not know. Data Manager API only."""

    @field_validator("destination", "adjustments_via")
    @classmethod
    def _known_destination(cls, value: str | None) -> str | None:
        if value is not None and value not in registry.names():
            known = " or ".join(repr(name) for name in registry.names())
            raise ValueError(f"not an allowed value. Write {known}.")
        return value

    @field_validator("source")
    @classmethod
    def _of_a_tag(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is None or "destination" not in info.data:
            return value
        able = [
            each for each in registry.names() if registry.capabilities_of(each).supplements_tags
        ]
        if info.data["destination"] not in able:
            raise ValueError(f"{value} needs destination = {' or '.join(able)}. Set that, too.")
        if info.data.get("event_source", "WEB") not in ("WEB", "OTHER"):
            raise ValueError(f"{value} contradicts event_source. Remove event_source.")
        return value

    @field_validator("refunds")
    @classmethod
    def _refunds_are_not_excluded(
        cls, value: dict[str, tuple[str, ...]], info: ValidationInfo
    ) -> dict[str, tuple[str, ...]]:
        excluded = info.data.get("exclude", {})
        for column, values in value.items():
            if both := {*values}.intersection(excluded.get(column, ())):
                named = " and ".join(f'"{each}"' for each in sorted(both))
                raise ValueError(f'"{column}" also excludes {named}. Remove it from exclude.')
        return value

    @field_validator("headers", mode="before")
    @classmethod
    def _one_header_or_several(cls, value: object) -> object:
        if isinstance(value, dict):
            return {k: (v,) if isinstance(v, str) else v for k, v in value.items()}
        return value

    @field_validator("headers")
    @classmethod
    def _known_fields(cls, value: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        unknown = [name for name in value if not vocabulary_of(FIELDS).is_field(name)]
        if unknown:
            raise ValueError(" ".join(map(_not_a_field, unknown)))
        return value

    @field_validator("actions")
    @classmethod
    def _actions_decide_alone(
        cls, value: dict[str, dict[str, StageConversion]], info: ValidationInfo
    ) -> dict[str, dict[str, StageConversion]]:
        for column, values in value.items():
            if problems := list(_contradictions(column, values, info.data)):
                raise ValueError(" ".join(problems))
        return value

    @field_validator("delimiter", mode="before")
    @classmethod
    def _tab_by_name(cls, value: object) -> object:
        return "\t" if value in ("tab", "\\t") else value


def _contradictions(
    column: str, values: Mapping[str, StageConversion], others: Mapping[str, Any]
) -> Iterator[str]:
    """Yield why `actions` cannot apply beside the other keys of a profile."""
    headers = others.get("headers", {})
    if others.get("conversion_action") is not None:
        yield "conversion_action is set too, and names one action for all rows. Remove it."
    if headers.get("conversion_action"):
        yield "headers names a column for conversion_action too. Remove it there."
    if "order_id" in headers and not headers["order_id"]:
        yield "order_id is switched off under headers. Name the column of the order IDs there."
    for key in ("include", "exclude"):
        if any(header_key(each) == header_key(column) for each in others.get(key, {})):
            yield (
                f'{key} lists "{column}" too. Remove it there: values that actions does not list '
                "are skipped."
            )
    listed = Counter(map(comparable, values))
    if twice := [value for value in values if listed[comparable(value)] > 1]:
        yield f"{' and '.join(map(_in_quotes, twice))} are the same value. Keep one of them."
    for name, refunds in others.get("refunds", {}).items():
        unlisted = [each for each in refunds if comparable(each) not in listed]
        if header_key(name) == header_key(column) and unlisted:
            yield (
                f"refunds lists {' and '.join(map(_in_quotes, unlisted))}. List it here too, with "
                "the action of the conversion that is adjusted."
            )


def _in_quotes(text: str) -> str:
    return f'"{text}"'


def _not_a_field(name: str) -> str:
    near = vocabulary_of(FIELDS).closest_field(name)
    advice = f"Did you mean {near}?" if near else "Remove it."
    return f"{name} is not a field. {advice}"


MAX_PROFILES_BYTES: Final = 1 << 20
"""Thousands of profiles. To read a document takes up to 60 times its size."""

_COMMENT: Final = re.compile(r"^[ \t]*//.*", re.MULTILINE)
"""A text in JSON has no line breaks, so such a line is never part of one."""


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse a name that is there twice: the first of the two would be ignored in silence."""
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f'"{twice}" is there twice')
    return found


def read_profiles(document: str | bytes, where: str = "PROFILES") -> dict[str, Any]:
    """Return a profiles document, `{name: {...}}`. The profiles themselves are not checked yet.

    Lines that begin with `//` are comments.
    Raises `PermanentError("INVALID_PROFILE")` if the document does not have this form; the error
    says `where` to correct it.
    """
    invalid = partial(_not_profiles, where)
    if len(document) > MAX_PROFILES_BYTES:
        raise invalid(
            "is larger than 1 MiB, so it is probably another file. Name the file with the profiles."
        )
    if isinstance(document, bytes):
        try:
            document = document.decode("utf-8-sig")
        except UnicodeDecodeError:
            raise invalid("is not UTF-8 text") from None
    document = _COMMENT.sub("", document)
    if not document.strip():
        return {"default": {}}
    try:
        profiles = json.loads(document, object_pairs_hook=_without_repeats)
        json.dumps(profiles, ensure_ascii=False).encode()
    except RecursionError:
        raise invalid("is nested too deeply. Correct it there.") from None
    except UnicodeEncodeError:
        raise invalid(
            "has half a character (\\uD800 to \\uDFFF without the other half, perhaps of an "
            "emoji). Correct it there."
        ) from None
    except ValueError as error:
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


def _not_profiles(where: str, what: str) -> PermanentError:
    return PermanentError("INVALID_PROFILE", f"the profiles document ({where}) {what}")


def choose_profile(profiles: Mapping[str, Any], object_name: str) -> tuple[str, Profile]:
    """Return the name and the profile for an object. The name is its first folder, or `default`.

    Only this profile is checked, so an error in one profile does not affect the files of others.
    Raises `PermanentError` with UNKNOWN_PROFILE or INVALID_PROFILE.
    """
    folder, slash, _ = object_name.partition("/")
    name = folder if slash else "default"
    if name not in profiles:
        known = ", ".join(sorted(profiles)) or "none"
        raise PermanentError(
            "UNKNOWN_PROFILE", f'no profile is named "{name}"; existing profiles: {known}'
        )
    try:
        return name, Profile.model_validate(profiles[name])
    except ValidationError as error:
        problems = " ".join(messages.lines(error, Profile))
        raise PermanentError("INVALID_PROFILE", f'profile "{name}": {problems}') from None
