"""The exports of CRMs are accepted as they come, and exactly their won rows are conversions."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from lib.adapters.logging import JsonLog
from lib.cli.check import OfflineDestination, check
from lib.config.profile import Profile
from lib.destinations.base import UploadResult
from lib.destinations.registry import capabilities_of
from lib.model.deadline import Deadline
from lib.model.outcomes import ChunkOutcomes
from lib.model.records import Conversion
from lib.state.store import StoredObject
from tests.cli.validating import NOW, validate
from tests.crm_exports import FILES, Sale, won

EXAMPLES = Path(__file__).parents[2] / "examples"
PROFILES = json.loads((EXAMPLES / "profiles.json").read_text("utf-8"))

NOTES_ON_COLUMNS = {
    *("UNKNOWN_COLUMNS", "COLUMN_NOT_SENT", "ADDRESS_NOT_SENT", "ADDRESS_COLUMNS_MISSING"),
}
OTHER_CODES = {
    "salesforce_report": {"DATE_WITHOUT_TIME", "REPORT_FOOTER"},
    "zoho": {"DATE_WITHOUT_TIME"},
    "dynamics": {"DATE_WITHOUT_TIME"},
    "close": {"DATE_WITHOUT_TIME", "ORDER_IDS_AS_INTEGERS"},
}


class _Batch(list[Conversion]):
    add = add_adjustment = add_call = list.append


@dataclass(slots=True)
class Recording(OfflineDestination):
    """The offline destination, except that it keeps what would be sent."""

    sent: list[Conversion] = field(default_factory=list)

    def batch(self, job_id: int, *, maybe_sent: bool, after: Any = None) -> Any:
        return _Batch()

    def send(self, batch: Any, deadline: Deadline) -> UploadResult:
        self.sent += batch
        return UploadResult({}, ())


def sales_of(content: bytes, settings: dict[str, Any]) -> list[Sale]:
    """Return what would be sent of a file."""
    profile = Profile.model_validate(settings)
    destination = Recording(capabilities_of(profile.destination))

    def connect(profile: Profile, log: JsonLog) -> Recording:
        return destination

    reports: list[ChunkOutcomes] = []
    source = StoredObject("", "export", 0, len(content))
    check(
        *(io.BytesIO(content), source, "default", profile, NOW, reports.append),
        connect=connect,
        list_all=True,
    )
    lines = [row.line for report in reports for row in report.listed if row.outcome == "ok"]
    return [
        Sale(line, *(getattr(each, name) for name in Sale._fields[1:]))
        for line, each in zip(lines, destination.sent, strict=True)
    ]


@pytest.mark.parametrize("name", FILES)
def test_the_conversions_of_an_export_are_exactly_the_won_rows(name: str) -> None:
    """Lost, open, failed and refunded rows are skipped, and won ones are read as a person does."""
    assert sales_of((EXAMPLES / FILES[name]).read_bytes(), PROFILES[name]) == won(name)


@pytest.mark.parametrize("destination", ["google_ads", "data_manager"])
@pytest.mark.parametrize("name", FILES)
def test_an_export_is_accepted_as_it_comes(name: str, destination: str) -> None:
    """No row is rejected, and only columns that are not needed and missing times are mentioned."""
    route = {"destination": destination, "conversion_action": "1001"}
    document = validate((EXAMPLES / FILES[name]).read_bytes(), {**PROFILES[name], **route})
    assert document["file_error"] is None
    counts = document["counts"]
    assert (counts["ok"], counts["rejected"]) == (len(won(name)), 0)
    assert counts["ok"] + counts["skipped"] == counts["rows"]
    assert document["codes"].keys() - NOTES_ON_COLUMNS == OTHER_CODES.get(name, set())


@pytest.mark.parametrize("name", FILES)
def test_without_the_row_filter_the_file_is_stopped(name: str) -> None:
    """Each of these exports has rows that are no sales: a profile must say which."""
    settings = {key: value for key, value in PROFILES[name].items() if key != "include"}
    document = validate((EXAMPLES / FILES[name]).read_bytes(), settings)
    assert document["file_error"]["code"] == "ROLE_UNDECIDED"
    assert "Which rows are sales?" in document["file_error"]["detail"]
