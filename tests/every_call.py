"""Whether tests try all of what they sample: `.ci/run` and `make soak` set EVERY_CALL."""

from __future__ import annotations

import os

import pytest

EVERY_CALL = bool(os.environ.get("EVERY_CALL"))

only_in_builds = pytest.mark.skipif(not EVERY_CALL, reason="takes long; try it with EVERY_CALL=1")
