"""Names of time zones in settings and profiles."""

from __future__ import annotations

from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import AfterValidator


def _known(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ValueError, OSError, LookupError):
        raise ValueError("not an IANA time zone. Write a name such as America/Chicago.") from None
    return name


ZoneName = Annotated[str, AfterValidator(_known)]
