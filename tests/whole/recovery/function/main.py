"""The real function, configured to meet more problems in less time.

- What an instance imports during its first deliveries is imported before the server forks its
  workers. So a killed worker is replaced in a tenth of a second.
- Chunks are ten times smaller, and objects are read and written in small pieces. A file of 400
  rows is therefore processed like one of a million: several chunks, ranged reads, results in
  pieces. CHUNK_ROWS_OF_CODE makes an instance cut otherwise.
- Waits before a retry are twenty times shorter, and a file that was left unfinished is due at once.
  STORAGE_TIMEOUT_OF_CODE is the number of seconds after which a request to storage ends.
- A workbook that nobody can read ends after two seconds of CPU time instead of 15.
- If LEAK is set, the function leaks cells in several ways (`leaks`); the privacy test must find
  each of them.
"""

from __future__ import annotations

import importlib
import os
import pkgutil
import sys
from datetime import timedelta
from pathlib import Path

ROOT = Path(__file__).parents[4]
sys.path.insert(0, str(ROOT))

from google.cloud.storage.retry import DEFAULT_RETRY  # noqa: E402

from lib.model import retries  # noqa: E402

# Before anything that copies these numbers.
retries.API_REQUEST = retries.Backoff(0.02, 0.2, retries.API_REQUEST.tries)
retries.API_ROWS = retries.Backoff(0.02, 0.04, retries.API_ROWS.tries)
retries.QUOTA = retries.Backoff(0.02, 0.2, retries.QUOTA.tries)
retries.STORAGE_TIMEOUT_SECONDS = float(os.environ.get("STORAGE_TIMEOUT_OF_CODE", "30"))
retries.OUTAGE = timedelta(0)
retries.MAX_TRIES = 50  # some mixtures of faults kill many attempts in a row
retries._TRIES = (timedelta(0),)

import lib.adapters.object_reader as reader  # noqa: E402

reader.RANGE_BYTES, reader.CHECKED_FIRST_BYTES = 64 << 10, 256 << 10
reader.RETRY = DEFAULT_RETRY.with_timeout(retries.STORAGE_SECONDS).with_delay(
    initial=0.05, maximum=0.2
)

import lib.adapters.storage  # noqa: E402
import lib.adapters.workbook  # noqa: E402
import lib.run.advance  # noqa: E402
import lib.run.chunks  # noqa: E402
import lib.run.deliver  # noqa: E402

lib.adapters.storage.UPLOAD_PIECE_BYTES = 256 << 10
lib.adapters.workbook.CPU_SECONDS = 2
lib.run.chunks.CHUNK_ROWS = int(os.environ.get("CHUNK_ROWS_OF_CODE", "200"))
lib.run.deliver._quota_reset = lambda now: now

from lib.destinations.google_ads import api  # noqa: E402
from lib.destinations.lazy_imports import import_lazily  # noqa: E402
from lib.destinations.registry import PACKAGES  # noqa: E402

import_lazily(api.LAZY_PACKAGES)
for _name in ("errors.types.errors", "services.services.conversion_upload_service"):
    api.module(_name)
for _package in map(importlib.import_module, PACKAGES.values()):
    for _module in pkgutil.iter_modules(_package.__path__, f"{_package.__name__}."):
        importlib.import_module(_module.name)
for _name in ("google.auth.compute_engine", "lib.sweep.sweep", "phonenumbers.data.region_US"):
    importlib.import_module(_name)
import lib.results.page  # noqa: E402

for _name in ("report.html", "overview.html"):
    lib.results.page.TEMPLATES.get_template(_name)

if os.environ.get("LEAK"):
    sys.path.insert(0, str(Path(__file__).parent))
    import leaks

    leaks.begin()

# In this module, so that the sandbox finds the clock of the function here (`timed_function`).
exec(compile((ROOT / "main.py").read_text("utf-8"), str(ROOT / "main.py"), "exec"), globals())
