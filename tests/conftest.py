"""One certificate authority for each test process, and settings of all tests.

gRPC reads `GRPC_DEFAULT_SSL_ROOTS_FILE_PATH` only when a process opens its first channel. The file
must therefore exist before the first test, and all sandboxes of a process share the authority.
"""

from __future__ import annotations

import functools
import gc
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, settings

from sandbox.credentials import create_certificates
from tests.every_call import IN_BUILD
from tests.results_schema import check_results

if TYPE_CHECKING:
    from playwright.sync_api import Browser

_DIRECTORY = Path(tempfile.mkdtemp(prefix="local-google-"))
os.environ["GRPC_DEFAULT_SSL_ROOTS_FILE_PATH"] = str(create_certificates(_DIRECTORY).ca_path)

# The benchmarks measure time; a busy machine must not fail a property. The examples are the same in
# each run, so that a build fails because of its own changes; `make fuzz` tries new ones.
settings.register_profile(
    "any machine",
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("any machine")


def pytest_collection_finish() -> None:
    """Never scan the imported objects again: a million of them, in every full collection."""
    gc.collect()
    gc.freeze()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the sums of the numbers that tests recorded with `record_property`."""
    covered: dict[str, list[float]] = {}
    for report in terminalreporter.getreports("passed"):
        for name, value in report.user_properties:
            if isinstance(value, int | float):
                covered.setdefault(name, []).append(value)
    for name, values in sorted(covered.items()):
        terminalreporter.write_line(f"{name}: {sum(values):g}")


def pytest_unconfigure() -> None:
    shutil.rmtree(_DIRECTORY, ignore_errors=True)


@pytest.fixture(scope="session")
def ca_directory() -> Path:
    """The directory to start sandboxes in, which makes clients in this process trust them."""
    return _DIRECTORY


@pytest.fixture(autouse=True)
def _results_are_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Check every results document that a test reads from a sandbox against the published schema.

    The sandbox cannot do this itself: it knows neither the schema nor the function that it runs.
    """
    # Here, because it takes a second, and the process that deals the tests to workers runs none.
    from sandbox.up import Sandbox

    as_written = Sandbox.results

    @functools.wraps(as_written)
    def results(self: Sandbox, *arguments: Any, **options: Any) -> dict[str, Any]:
        return check_results(as_written(self, *arguments, **options))

    monkeypatch.setattr(Sandbox, "results", results)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The system's Chromium.

    A missing one skips the tests, and fails a build.
    """
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        if IN_BUILD:
            pytest.fail("not installed: chromium")
        pytest.skip("not installed: chromium")
    from playwright.sync_api import sync_playwright  # most test processes open no page

    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield running
        running.close()
