"""How much the tests try: all of what they sample, and what installs packages."""

from __future__ import annotations

import os

import pytest

EVERY_CALL = bool(os.environ.get("EVERY_CALL"))
"""Whether to try all of what is otherwise sampled. `make soak` does."""

IN_BUILD = bool(os.environ.get("CI"))
"""Whether this is a build, as on GitHub or in `.ci/run`: what the tests need may not be missing."""

only_in_builds = pytest.mark.skipif(not IN_BUILD, reason="installs packages; try it with CI=1")
