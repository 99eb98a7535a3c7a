"""What an API reports later about the uploads of an account: its diagnostics, by job."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class JobCounts(NamedTuple):
    """The rows of one job, as the API counts them. `pending`: it is still processing them."""

    successful: int
    failed: int
    pending: int


class DiagnosticsAlert(NamedTuple):
    """An error or a warning of the API, and its share of the uploaded rows (0 to 1)."""

    code: str
    share: float


class UploadDiagnostics(NamedTuple):
    """The diagnostics of an account, or of one of its conversion actions (`conversion_action`).

    `jobs` has the most recent jobs only, and `alerts` concern all uploads of the latest day, not
    one job. `last_upload` is in the account's time zone.
    """

    status: str
    last_upload: str
    jobs: Mapping[int, JobCounts]
    alerts: tuple[DiagnosticsAlert, ...] = ()
    conversion_action: str = ""
