"""The environment → one validated `Settings` object. All problems are reported together.

An instance reads its `Settings` once, when it starts. A `Profile` (`lib.config.profile`) comes from
the document that `PROFILES` names; a run saves it, so that a later attempt applies the same rules.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
)

from lib.config import mistakes
from lib.destinations import registry
from lib.errors import SettingsError
from lib.source.names import ACCEPTED_SUFFIXES
from lib.source.table import MAX_LINES


def _words(value: object) -> object:
    """`.csv, .tsv` → [".csv", ".tsv"]: an environment variable is a single text."""
    if isinstance(value, str):
        return [word.strip() for word in value.split(",") if word.strip()]
    return value


Listed = Annotated[tuple[str, ...], BeforeValidator(_words)]


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ValueError, OSError, LookupError):
        raise ValueError("not an IANA time zone. Write a name such as America/Chicago.") from None
    return name


ZoneName = Annotated[str, AfterValidator(_known_zone)]
"""A time zone, as settings and profiles name it."""


def _endpoint_variables() -> dict[str, str]:
    """Environment variable of an endpoint → its destination, or queries about accounts."""
    names = (*registry.names(), registry.QUERY_ENDPOINT)
    return {f"{name.upper()}_ENDPOINT": name for name in names}


class Settings(BaseModel):
    """The settings of a deployment. `input_bucket` is read from `INPUT_BUCKET`, and so on.

    The text below a field is its row in `docs/settings.md`: `make reference` writes it there.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="ignore",
        allow_inf_nan=False,
        alias_generator=str.upper,
        validate_by_name=True,
    )

    input_bucket: str = Field(min_length=3)
    """Bucket that receives the conversion files."""
    output_bucket: str = Field(min_length=3)
    """Bucket that receives the results documents."""
    profiles: str = Field(min_length=1)
    """Where the profiles document is: a gs:// URI or a file path."""
    state_bucket: str = ""
    """Bucket that stores the state of the files. Unset: the output bucket."""
    state_prefix: str = "_state/"
    """Folder of the state in its bucket. Must end with a slash."""
    credentials_secret: str = Field(
        "",
        pattern=r"^$|^projects/[^/]+/secrets/[^/]+(/versions/[^/]+)?$",
        validation_alias="GOOGLE_ADS_SECRET",
    )
    """Secret with the google-ads.yaml. Without a version, the latest one."""
    credentials_path: str = Field("", validation_alias="GOOGLE_ADS_CONFIGURATION_FILE_PATH")
    """Path of a google-ads.yaml, if GOOGLE_ADS_SECRET is unset."""
    secret_manager_endpoint: str = ""
    """host:port of a local substitute. Leave unset in production."""
    accepted_suffixes: Listed = ACCEPTED_SUFFIXES
    """File name endings to process. Any other file that is not ignored ends with
    FILE_NAME_NOT_ACCEPTED."""
    ignored_suffixes: Listed = (".tmp", ".part", ".filepart", ".partial", ".crdownload")
    """File name endings of incomplete files. They are ignored, and so are .ok, .done, .ctl, .md5
    and .sha256."""
    ignored_prefixes: Listed = ("gcloud/tmp/parallel_composite_uploads/",)
    """Folders to ignore, such as the one that gcloud uses for parts of an upload."""
    max_file_bytes: int = Field(4 << 30, gt=0)
    """Maximum bytes of a file, after decompression."""
    max_file_lines: int = Field(MAX_LINES, gt=0)
    """Maximum lines of a file below its header, blank ones included."""
    time_limit_seconds: float = Field(540, gt=0)
    """Maximum time for one delivery of an event. Set it to the function's timeout."""
    deadline_margin_seconds: float = Field(40, ge=0)
    """No request starts this close to a time limit; those in progress may finish."""
    request_timeout_seconds: float = Field(120, gt=0)
    """Maximum wait for the answer to an API request."""
    window: int = Field(10, ge=1, le=64)
    """Maximum number of upload requests in progress. Google advises at most 10 for the Data Manager
    API."""
    defer_hours: float = Field(6, gt=0)
    """Wait before a row that is too recent is sent again."""
    max_defer_hours: float = Field(72, gt=0)
    """A row fails this long after Google first deferred it: one that is too recent, or an
    adjustment whose conversion Google does not find."""
    sweep_time_limit_seconds: float = Field(1500, gt=0)
    """Maximum time for one sweep."""
    sweep_grace_minutes: float = Field(30, ge=0)
    """The sweep leaves younger files to their event."""
    list_all_rows: bool = False
    """List all rows in the results, also those uploaded without a warning."""
    read_diagnostics: bool = True
    """For each file, read later what Google's diagnostics count for it (Google Ads API only)."""
    destination_endpoints: Mapping[str, str] = {}
    """host:port of a local substitute. Leave unset in production."""

    @property
    def bucket_of_state(self) -> str:
        """The bucket that stores the state: STATE_BUCKET, or else OUTPUT_BUCKET."""
        return self.state_bucket or self.output_bucket

    @classmethod
    def variables(cls) -> dict[str, str]:
        """Every environment variable that is read → its field."""
        variables = {str(field.validation_alias): name for name, field in cls.model_fields.items()}
        del variables["DESTINATION_ENDPOINTS"]
        return variables | dict.fromkeys(_endpoint_variables(), "destination_endpoints")

    def endpoint(self, destination: str) -> str:
        """The endpoint of a destination; empty: Google's own."""
        return self.destination_endpoints.get(destination, "")

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Settings:
        """Read the variable of each field. Unset or empty: the default.

        Raises `SettingsError`, which names every variable that is not valid.
        """
        given = {name: environ[name] for name in cls.variables() if environ.get(name, "").strip()}
        endpoints = {
            destination: given[variable]
            for variable, destination in _endpoint_variables().items()
            if variable in given
        }
        try:
            settings = cls.model_validate({**given, "destination_endpoints": endpoints})
        except ValidationError as error:
            raise SettingsError("\n".join(mistakes.lines(error, cls))) from None
        problems = list(settings._contradictions())
        if problems:
            raise SettingsError("\n".join(problems))
        return settings

    def _contradictions(self) -> Iterator[str]:
        """Problems that pydantic does not check, mostly of settings that contradict each other."""
        if self.input_bucket in (self.output_bucket, self.bucket_of_state):
            yield (
                "INPUT_BUCKET: also used for the results or the state, so every object written "
                "there would start the function again. Set OUTPUT_BUCKET and STATE_BUCKET to "
                "another bucket."
            )
        margin = self.deadline_margin_seconds
        for name in ("time_limit_seconds", "sweep_time_limit_seconds"):
            if getattr(self, name) <= margin:
                yield (
                    f"{name.upper()}: not more than DEADLINE_MARGIN_SECONDS ({margin:g}), so no "
                    "row would ever be sent. Set a longer time limit or a shorter margin."
                )
        if not self.state_prefix.endswith("/"):
            yield "STATE_PREFIX: no slash at the end. Add one."
