"""Helpers to check files of one or more rows in this process, at a fixed time."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from click.testing import CliRunner, Result

from lib.adapters.logging import JsonLog
from lib.cli.check import CheckResult, check
from lib.cli.commands import main
from lib.cli.dry_run import OfflineDestination
from lib.config.profile import Profile
from lib.destinations.base import Destination
from lib.destinations.registry import capabilities_of
from lib.model.account import Account, ConversionAction
from lib.model.chunk_outcomes import ChunkOutcomes
from lib.results.document import results_document
from lib.state.store import StoredObject
from tests.results_schema import check_results
from tests.rows import csv_bytes

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
CUSTOMER = "1234567890"
BASE = {
    "destination": "google_ads",
    "customer_id": CUSTOMER,
    "expect": "any time",
    "value": "action_default",
}
"""A profile that names no columns."""
GOOD_ROW = {
    "gclid": "Cj0KCQiAexample0001",
    "conversion_action": "1001",
    "conversion_date_time": "2026-11-20 10:00:00+00:00",
}


def words_of_check(folder: Path, *arguments: str | Path) -> list[str]:
    """Return the words of a check at the fixed time, with the profile BASE if they name none."""
    words = ["check", "--now", NOW.isoformat(), *map(str, arguments)]
    if "--profiles" in words:
        return words
    path = folder / "profiles-of-test.json"
    path.write_text(json.dumps({"default": BASE}))
    return [*words, "--profiles", str(path)]


def run(*words: str | Path, stdin: bytes | None = None) -> Result:
    """Run a command in this process, without a terminal."""
    return CliRunner().invoke(main, [*map(str, words)], input=stdin)


def run_check(*arguments: str | Path, charset: str = "utf-8") -> Result:
    """Check files in this process, on a terminal of 80 columns with this code page."""
    with TemporaryDirectory() as folder:
        words = words_of_check(Path(folder), *arguments)
        return CliRunner(charset=charset, env={"COLUMNS": "80"}).invoke(main, words)


def flat(text: str) -> str:
    """Return a text without the line breaks of the terminal."""
    return " ".join(text.split())


def _action(number: str, **changes: Any) -> tuple[str, ConversionAction]:
    metadata = {
        "enabled": True,
        "accepts": frozenset({"conversion", "adjustment"}),
        "one_per_click": False,
        "lookback_days": 90,
    }
    return number, ConversionAction(id=number, name=f"Action {number}", **{**metadata, **changes})


ACCOUNT = Account(
    CUSTOMER,
    CUSTOMER,
    time_zone="America/Chicago",
    currency_code="USD",
    verified=True,
    actions=dict(
        [
            _action("1001"),
            _action("1002", one_per_click=True),
            _action("1003", enabled=False),
            _action("1004", accepts=frozenset({"call"})),
            _action("1005", lookback_days=30),
            _action(
                "1006",
                accepts=frozenset({"adjustment"}),
                is_of_tag=True,
                always_uses_default_value=True,
            ),
            _action("1007", accepts=frozenset()),
        ]
    ),
    custom_variables={"plan": "77"},
)
"""A readable account, as a preflight would describe it."""


@dataclass(slots=True)
class Asked(OfflineDestination):
    """The offline destination, except that every account is `known`."""

    known: Account = ACCOUNT

    def account(self, customer_id: str, *, custom_variables: bool) -> Account:
        return self.known


def csv_of(*rows: Mapping[str, str]) -> bytes:
    """Return the rows as a CSV file; the header has the column names of all rows."""
    return csv_bytes(rows, dict.fromkeys(name for row in rows for name in row))


def row(**cells: str) -> dict[str, str]:
    """Return a valid row, changed by `cells`."""
    return {**GOOD_ROW, **cells}


def validate(
    content: bytes,
    profile: Mapping[str, Any] | None = None,
    *,
    account: Account | None = None,
    now: datetime = NOW,
    list_all: bool = False,
) -> dict[str, Any]:
    """Return the results document of a file, after a check of its schema and sums."""
    reports: list[ChunkOutcomes] = []

    def connect(profile: Profile, log: JsonLog) -> Destination[Any]:
        if account is None:
            return OfflineDestination(capabilities_of(profile.destination))
        return Asked(capabilities_of(profile.destination), known=account)

    checked: CheckResult = check(
        io.BytesIO(content),
        StoredObject("", "export.csv", 0, len(content)),
        "default",
        Profile.model_validate({**BASE, **(profile or {})}),
        now,
        reports.append,
        connect=connect,
        list_all=list_all,
    )
    document = json.loads(b"".join(results_document(checked.summary, reports)))
    return check_results(document)
