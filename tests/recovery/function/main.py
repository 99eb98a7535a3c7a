"""The real function, made to meet more trouble in less time.

- The client libraries are imported before the server forks its workers, so that a worker that was
  killed is replaced in a tenth of a second.
- Objects are read and written in small pieces, so that a file of a megabyte goes the way of one of
  a gigabyte: ranged reads, and a resumable upload of the results.
- LEAK=log|exception|results|ledger makes it leak a cell: the privacy test must notice each.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
sys.path.insert(0, str(ROOT))

import google.cloud.secretmanager  # noqa: E402, F401

import lib.destinations.google_ads  # noqa: E402, F401
import lib.gcs  # noqa: E402

lib.gcs.UPLOAD_PIECE_BYTES = 256 << 10
lib.gcs.RANGE_BYTES = 256 << 10

_spec = importlib.util.spec_from_file_location("product", ROOT / "main.py")
assert _spec is not None and _spec.loader is not None
product = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(product)

ingest = product.ingest
sweep = product.sweep

if leak := os.environ.get("LEAK"):
    sys.path.insert(0, str(Path(__file__).parent))
    from leaks import make_it_leak

    make_it_leak(leak)
