"""Environment and profiles → one checked object. Every problem is reported at once.

`Settings` comes from the environment once per instance, `Profile` from the document that
`PROFILES` names; a run fixes the profile in its claim, so that a resumed run judges as the first
attempt did. Every field here is documented in `docs/settings.md` and `docs/profiles.md` (a test
holds them together).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from lib.config import messages as mistakes

CHUNK_ROWS = 2_000
"""Most conversions in one request of either API
(https://developers.google.com/google-ads/api/docs/best-practices/quotas)."""


def _words(value: object) -> object:
    """`.csv, .tsv` → [".csv", ".tsv"], since an environment variable is one string."""
    if isinstance(value, str):
        return [word.strip() for word in value.split(",") if word.strip()]
    return value


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
