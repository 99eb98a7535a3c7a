"""Environment and profiles → one checked object. Every problem is reported at once.

`Settings` comes from the environment once per instance, `Profile` from the document that
`PROFILES` names; a run fixes the profile in its claim, so that a resumed run judges as the first
attempt did. Every field here is documented in `docs/settings.md` and `docs/profiles.md` (a test
holds them together).
"""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator

from lib import mistakes
from lib.errors import GiveUp
from lib.source.fields import is_field
from lib.source.suggest import closest_field

CHUNK_ROWS = 2_000
"""Most conversions in one request of either API
(https://developers.google.com/google-ads/api/docs/best-practices/quotas)."""

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


def _words(value: object) -> object:
    """`.csv, .tsv` → [".csv", ".tsv"], since an environment variable is one string."""
    if isinstance(value, str):
        return [word.strip() for word in value.split(",") if word.strip()]
    return value


def _account_number(value: object) -> object:
    """`123-456-7890` and 1234567890 → "1234567890", as people write account numbers."""
    if isinstance(value, int):
        value = str(value)
    return value.replace("-", "").strip() if isinstance(value, str) else value


AccountNumber = Annotated[str, BeforeValidator(_account_number), Field(pattern=r"^\d{3,20}$")]


class SettingsError(ValueError):
    """The environment is wrong; the message lists every problem, one a line."""


class Settings(BaseModel):
    """What the deployment decides. `input_bucket` is read from `INPUT_BUCKET`, and so on."""

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)

    input_bucket: str = Field(min_length=3, description="Bucket in which the files land.")
    output_bucket: str = Field(min_length=3, description="Bucket for the results documents.")
    state_bucket: str = Field("", description="Bucket of the ledger; empty: the output bucket.")
    state_prefix: str = Field("_state/", description="Folder of the ledger in the state bucket.")
    profiles: str = Field(
        "", description="Profiles document: a gs:// URI or a path. Empty: one empty profile."
    )
    google_ads_secret: str = Field(
        "",
        pattern=r"^$|^projects/[^/]+/secrets/[^/]+(/versions/[^/]+)?$",
        description="Secret whose payload is a google-ads.yaml; without a version the latest.",
    )
    google_ads_configuration_file_path: str = Field(
        "", description="The same as a file; used when no secret is named."
    )
    secret_manager_endpoint: str = Field(
        "", description="host:port of another Secret Manager. Leave unset in production."
    )
    data_manager_endpoint: str = Field(
        "", description="host:port of another Data Manager API. Leave unset in production."
    )
    accepted_suffixes: Annotated[tuple[str, ...], BeforeValidator(_words)] = Field(
        (".csv", ".tsv", ".txt", ".csv.gz", ".tsv.gz", ".txt.gz"),
        description="Names that are worked on; everything else is ignored with a log line.",
    )
    ignored_suffixes: Annotated[tuple[str, ...], BeforeValidator(_words)] = Field(
        (".tmp", ".part", ".filepart", ".partial", ".crdownload"),
        description="Names a gateway uses while it still writes.",
    )
    ignored_prefixes: Annotated[tuple[str, ...], BeforeValidator(_words)] = Field(
        ("gcloud/tmp/parallel_composite_uploads/",),
        description="Folders whose objects are never files of ours.",
    )
    max_file_bytes: int = Field(
        4 << 30, gt=0, description="Most bytes of one file after decompression."
    )
    time_limit_seconds: float = Field(
        540, gt=0, description="How long one delivery may work: the function's timeout."
    )
    deadline_margin_seconds: float = Field(
        40, ge=0, description="No new chunk is begun this close to the time limit."
    )
    lease_seconds: float = Field(
        60, gt=0, description="How long a silent run is believed alive; renewed while it works."
    )
    request_timeout_seconds: float = Field(
        120, gt=0, description="Longest wait for one answer of an API."
    )
    window: int = Field(8, ge=1, le=64, description="Most upload requests in flight.")
    max_event_age_hours: float = Field(
        20,
        gt=0,
        description="A file still unfinished this long after its event ends as STALE, unless it "
        "waits for the day's quota. "
        "Less than the 24 hours after which the platform drops the event.",
    )
    defer_hours: float = Field(
        6, gt=0, description="When a deferred row (click or action too recent) is sent again."
    )
    max_defer_hours: float = Field(
        48, gt=0, description="A row still too recent after this long is failed."
    )
    sweep_time_limit_seconds: float = Field(1500, gt=0, description="How long one sweep may work.")
    sweep_grace_minutes: float = Field(
        30, ge=0, description="The sweep leaves files younger than this to their event."
    )
    sweep_max_age_days: float = Field(
        7, gt=0, description="The sweep leaves objects older than this alone."
    )
    announce_topic: str = Field(
        "",
        pattern=r"^$|^projects/[^/]+/topics/[^/]+$",
        description="Pub/Sub topic that hears of every finished file; empty: none.",
    )
    list_all_rows: bool = Field(
        False, description="List uploaded rows in the results too, not only the others."
    )
    check_click_ownership: bool = Field(
        False,
        description="Ask click_view about clicks that were refused as unknown (one query a row).",
    )

    @property
    def ledger_bucket(self) -> str:
        """Where the state lives: its own bucket, or the output bucket."""
        return self.state_bucket or self.output_bucket

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Settings:
        """Read the variables named after the fields, in capitals; unset or empty: the default.

        Raises `SettingsError`, which names every variable that is wrong.
        """
        given = {
            name: environ[name.upper()]
            for name in cls.model_fields
            if environ.get(name.upper(), "").strip()
        }
        try:
            settings = cls.model_validate(given)
        except ValidationError as error:
            raise SettingsError("\n".join(mistakes.lines(error, cls, str.upper))) from None
        problems = list(settings._contradictions())
        if problems:
            raise SettingsError("\n".join(problems))
        return settings

    def _contradictions(self) -> Iterator[str]:
        """Settings that are right alone and wrong together."""
        if self.input_bucket in (self.output_bucket, self.ledger_bucket):
            yield (
                "INPUT_BUCKET: results and ledger must lie in another bucket, or every object "
                "written there would start the function again"
            )
        margin = self.deadline_margin_seconds
        for name in ("time_limit_seconds", "sweep_time_limit_seconds"):
            if getattr(self, name) <= margin:
                yield (
                    f"{name.upper()}: must be more than DEADLINE_MARGIN_SECONDS ({margin:g}), "
                    "or no chunk would ever be sent"
                )
        if not self.state_prefix.endswith("/"):
            yield "STATE_PREFIX: must end with a slash"


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

    Raises `GiveUp("INVALID_PROFILE")` when it isn't such a document.
    """
    if not document.strip():
        return {"default": {}}
    try:
        profiles = json.loads(document)
    except ValueError as error:
        raise GiveUp("INVALID_PROFILE", f"PROFILES is not JSON: {error}") from None
    if not isinstance(profiles, dict) or not all(isinstance(p, dict) for p in profiles.values()):
        if isinstance(profiles, dict) and profiles.keys() & Profile.model_fields.keys():
            detail = 'PROFILES holds a profile without its name; wrap it: {"default": {...}}'
            raise GiveUp("INVALID_PROFILE", detail)
        raise GiveUp("INVALID_PROFILE", 'PROFILES must be {"<profile name>": {...}, ...}')
    return profiles


def choose_profile(profiles: Mapping[str, Any], object_name: str) -> tuple[str, Profile]:
    """The profile named after the object's first folder; `default` at the root.

    Only the chosen profile is checked, so that a mistake in one doesn't stop the others.
    Raises `GiveUp` with UNKNOWN_PROFILE or INVALID_PROFILE.
    """
    folder, slash, _ = object_name.partition("/")
    name = folder if slash else "default"
    if name not in profiles:
        known = ", ".join(sorted(profiles)) or "none"
        raise GiveUp("UNKNOWN_PROFILE", f'no profile "{name}"; there are: {known}')
    try:
        return name, Profile.model_validate(profiles[name])
    except ValidationError as error:
        problems = "; ".join(mistakes.lines(error, Profile))
        raise GiveUp("INVALID_PROFILE", f'profile "{name}": {problems}') from None
