"""The real function, configured to meet more problems in less time.

- Everything is imported, and the pages' templates are read, before the server forks its workers. So
  a killed worker is replaced in a tenth of a second, and its first delivery costs little more than
  others.
- Chunks are ten times smaller, and objects are read and written in small pieces. A file of 400
  rows is therefore processed like one of a million (several chunks, ranged reads, results in
  pieces).
- CHUNK_ROWS_OF_CODE and FORMAT_OF_CODE make the instance one of another version of the code. The
  latter is also the version of its rules. STORAGE_TIMEOUT_OF_CODE is the number of seconds after
  which a request to storage ends.
- Waits before a retry are twenty times shorter, and so is the pause after the daily quota is
  exhausted.
- The clock shows the time of the sandbox, which tests can move (`sandbox.clock`), and is wrong by
  the seconds in the file `clock_is_off` of the instance, if there is one.
- If LEAK is set, the function leaks cells in several ways (`leaks`); the privacy test must find
  each of them.
"""

from __future__ import annotations

import contextlib
import datetime
import importlib.util
import os
import sys
from pathlib import Path

ROOT = Path(__file__).parents[4]
sys.path.insert(0, str(ROOT))

from google.cloud.storage.retry import DEFAULT_RETRY  # noqa: E402

# Before anything that copies these numbers.
import lib.rules.row_rules  # noqa: E402
import lib.state.documents  # noqa: E402

lib.rules.row_rules.RULES_VERSION = lib.state.documents.FORMAT = int(
    os.environ.get("FORMAT_OF_CODE", lib.state.documents.FORMAT)
)

import lib.run.chunks  # noqa: E402

lib.run.chunks.CHUNK_ROWS = int(os.environ.get("CHUNK_ROWS_OF_CODE", "200"))

import lib.adapters.object_reader  # noqa: E402
import lib.adapters.storage  # noqa: E402
from lib.model import retries  # noqa: E402

lib.adapters.storage.TIMEOUT_SECONDS = lib.adapters.object_reader.TIMEOUT_SECONDS = float(
    os.environ.get("STORAGE_TIMEOUT_OF_CODE", "30")
)
lib.adapters.storage.UPLOAD_PIECE_BYTES = 256 << 10
lib.adapters.object_reader.RANGE_BYTES = 64 << 10
lib.adapters.object_reader.CHECKED_FIRST_BYTES = 256 << 10
lib.adapters.storage.RETRY = lib.adapters.object_reader.RETRY = DEFAULT_RETRY.with_timeout(
    retries.STORAGE_SECONDS
).with_delay(initial=0.05, maximum=0.2)
retries.API_REQUEST = retries.Backoff(0.02, 0.2, retries.API_REQUEST.tries)
retries.API_ROWS = retries.Backoff(0.02, 0.04, retries.API_ROWS.tries)
retries.QUOTA_SECONDS = 0.02
retries.DAILY_QUOTA_SECONDS = 0.3

import lib.destinations.data_manager.client  # noqa: E402

lib.destinations.data_manager.client.QUOTA = lib.destinations.pacing.Quota(6_000_000, 60)

_spec = importlib.util.spec_from_file_location("product", ROOT / "main.py")
assert _spec is not None
assert _spec.loader is not None
product = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(product)

# What an instance otherwise does once, during its first deliveries: most of their time.
from lib.destinations.google_ads import api  # noqa: E402
from lib.destinations.lazy_imports import import_lazily  # noqa: E402
from lib.destinations.registry import PACKAGES, connector_class  # noqa: E402

import_lazily(api.LAZY_PACKAGES)
for _name in (
    "errors.types.errors",
    "resources.types.conversion_action",
    "resources.types.customer",
    "services.services.conversion_upload_service",
):
    api.module(_name)
for _name in PACKAGES:
    connector_class(_name)
    importlib.import_module(f"{PACKAGES[_name]}.client")
for _name in (
    "google.auth.compute_engine",
    "lib.sweep.sweep",
    "lib.results.report",
    "phonenumbers.data.region_US",
):
    importlib.import_module(_name)
import lib.results.page  # noqa: E402

lib.results.page._template("report.html")
lib.results.page._template("overview.html")


class _Moved(datetime.datetime):
    """The clock of the instance."""

    @classmethod
    def now(cls, tz: datetime.tzinfo | None = None) -> datetime.datetime:  # type: ignore[override]
        offset = float(Path(os.environ["SANDBOX_CLOCK"]).read_text("utf-8"))
        with contextlib.suppress(FileNotFoundError):
            offset += float(Path(os.environ["XDG_RUNTIME_DIR"], "clock_is_off").read_text("utf-8"))
        return datetime.datetime.now(tz) + datetime.timedelta(seconds=offset)


product.datetime = _Moved

ingest = product.ingest
sweep = product.sweep

if os.environ.get("LEAK"):
    sys.path.insert(0, str(Path(__file__).parent))
    import leaks

    leaks.begin()
