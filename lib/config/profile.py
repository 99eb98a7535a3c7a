"""Profiles: what the rows of a kind of file leave out."""

from __future__ import annotations

import codecs
import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator

from lib.config import messages as mistakes
from lib.errors import PermanentError
from lib.source.fields import is_field
from lib.source.suggest import closest_field

Consent = Literal["GRANTED", "DENIED"]


ENCODINGS = (
    "ascii",
    "utf-8",
    "utf-16",
    "cp",
    "iso8859",
    "mac-",
    "shift_jis",
    "euc_",
    "gb",
    "big5",
    "koi8",
)
"""How names of text encodings begin that spreadsheets write (Python's names)."""


def _account_number(value: object) -> object:
    """`123-456-7890` and 1234567890 → "1234567890", as people write account numbers."""
    if isinstance(value, int):
        value = str(value)
    return value.replace("-", "").strip() if isinstance(value, str) else value


AccountNumber = Annotated[str, BeforeValidator(_account_number), Field(pattern=r"^\d{3,20}$")]


class Profile(BaseModel):
    """What the rows leave out, per kind of file. A row's own cell wins."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    destination: Literal["google_ads", "data_manager"] = Field(
        "google_ads", description="Which API the conversions go to."
    )
    customer_id: AccountNumber | None = Field(
        None, description="Google Ads account of the conversions, with or without dashes."
    )
    login_customer_id: AccountNumber | None = Field(
        None, description="Manager account through which access is granted."
    )
    conversion_action: str | None = Field(
        None, description="Conversion action: its id, resource name or name."
    )
    time_zone: str | None = Field(
        None, description="IANA zone of times that name none, such as America/Chicago."
    )
    currency_code: str | None = Field(
        None, pattern=r"^[A-Z]{3}$", description="ISO 4217 code of values that name none."
    )
    phone_region: str | None = Field(
        None, pattern=r"^[A-Z]{2}$", description="ISO 3166 country of phone numbers without +."
    )
    ad_user_data: Consent | None = Field(
        None, description="Consent of rows that state none (EEA rules ask for one)."
    )
    ad_personalization: Consent | None = Field(
        None, description="Second consent, for the Data Manager route only."
    )
    day_first: bool = Field(False, description="03/04/2026 is the third of April.")
    decimal_comma: bool = Field(False, description="1.234,50 is one thousand and a half.")
    headers: dict[str, tuple[str, ...]] = Field(
        default_factory=dict, description="Own header names per field; they win over aliases."
    )
    encoding: str | None = Field(None, description="Encoding of the files; unset: detected.")
    delimiter: str | None = Field(
        None, min_length=1, max_length=1, description="Delimiter of the files; unset: detected."
    )
    derive_order_id: bool = Field(
        True, description="Give identifier-only rows without order id one, so a resend is safe."
    )
    validate_only: bool = Field(
        False, description="Let the API check everything and count nothing."
    )
    omit_session_and_ip: bool = Field(
        False,
        description="Leave session attributes and IP address out, for callers that "
        "Google doesn't allow them (they are refused row by row).",
    )
    event_source: Literal["WEB", "APP", "IN_STORE", "PHONE", "MESSAGE", "OTHER"] = Field(
        "OTHER", description="Where conversions happened, for the Data Manager route."
    )

    @field_validator("headers", mode="before")
    @classmethod
    def _one_header_or_several(cls, value: object) -> object:
        if isinstance(value, dict):
            return {k: (v,) if isinstance(v, str) else v for k, v in value.items()}
        return value

    @field_validator("headers")
    @classmethod
    def _known_fields(cls, value: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        unknown = [name for name in value if not is_field(name)]
        if unknown:
            raise ValueError("; ".join(map(_not_a_field, unknown)))
        return value

    @field_validator("conversion_action", mode="before")
    @classmethod
    def _action_id_as_number(cls, value: object) -> object:
        return str(value) if isinstance(value, int) else value

    @field_validator("delimiter", mode="before")
    @classmethod
    def _tab_by_name(cls, value: object) -> object:
        return "\t" if value in ("tab", "\\t") else value

    @field_validator("encoding")
    @classmethod
    def _text_encoding(cls, value: str | None) -> str | None:
        if value is None:
            return None
        try:
            name = codecs.lookup(value).name
        except LookupError:
            raise ValueError("not an encoding such as utf-8 or windows-1252") from None
        if not name.startswith(ENCODINGS):
            raise ValueError(f"not supported; what is: {', '.join(ENCODINGS)}")
        # Without a byte order mark (which would win) Windows means little-endian.
        return "utf-16-le" if name == "utf-16" else name

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, value: str | None) -> str | None:
        if value is not None:
            try:
                ZoneInfo(value)
            except Exception:
                raise ValueError("not an IANA time zone such as America/Chicago") from None
        return value


def _not_a_field(name: str) -> str:
    near = closest_field(name)
    advice = f"did you mean {near}?" if near else "docs/input.md names the fields"
    return f"{name} is not a field; {advice}"


def read_profiles(document: str) -> dict[str, Any]:
    """The profiles document as it is, `{name: {...}}`, still unchecked.

    Raises `PermanentError("INVALID_PROFILE")` when it isn't such a document.
    """
    if not document.strip():
        return {"default": {}}
    try:
        profiles = json.loads(document)
    except ValueError as error:
        raise PermanentError("INVALID_PROFILE", f"PROFILES is not JSON: {error}") from None
    if not isinstance(profiles, dict) or not all(isinstance(p, dict) for p in profiles.values()):
        if isinstance(profiles, dict) and profiles.keys() & Profile.model_fields.keys():
            detail = 'PROFILES holds a profile without its name; wrap it: {"default": {...}}'
            raise PermanentError("INVALID_PROFILE", detail)
        raise PermanentError("INVALID_PROFILE", 'PROFILES must be {"<profile name>": {...}, ...}')
    return profiles


def choose_profile(profiles: Mapping[str, Any], object_name: str) -> tuple[str, Profile]:
    """The profile named after the object's first folder; `default` at the root.

    Only the chosen profile is checked, so that a mistake in one doesn't stop the others.
    Raises `PermanentError` with UNKNOWN_PROFILE or INVALID_PROFILE.
    """
    folder, slash, _ = object_name.partition("/")
    name = folder if slash else "default"
    if name not in profiles:
        known = ", ".join(sorted(profiles)) or "none"
        raise PermanentError("UNKNOWN_PROFILE", f'no profile "{name}"; there are: {known}')
    try:
        return name, Profile.model_validate(profiles[name])
    except ValidationError as error:
        problems = "; ".join(mistakes.lines(error, Profile))
        raise PermanentError("INVALID_PROFILE", f'profile "{name}": {problems}') from None
