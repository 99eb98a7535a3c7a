"""One certificate authority for each test process.

gRPC reads `GRPC_DEFAULT_SSL_ROOTS_FILE_PATH` once, when a process makes its first channel, so the
file must stand before any test runs; every sandbox of the process then uses the same authority.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import pytest

from sandbox.tls import create_certificates
from sandbox.up import Sandbox
from tests.results_schema import check_results

_DIRECTORY = Path(tempfile.mkdtemp(prefix="local-google-"))
os.environ["GRPC_DEFAULT_SSL_ROOTS_FILE_PATH"] = str(create_certificates(_DIRECTORY).ca_path)


def pytest_xdist_auto_num_workers() -> int:
    """Three for two cores: tests of the whole wait for leases and retries half of their time."""
    return max(2, (os.cpu_count() or 1) * 3 // 2)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The long ones first, so that no process is left alone with one at the end."""
    items.sort(key=lambda item: "recovery" not in item.path.parts)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Tell what tests have recorded of how much they covered (`record_property`), summed up."""
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
    """The directory to start sandboxes in, so that clients in this process trust them."""
    return _DIRECTORY


@pytest.fixture(autouse=True)
def _results_are_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever document a test reads from a sandbox is held against the published schema.

    Here, and not in the sandbox, which knows neither the schema nor whose function it runs.
    """
    as_written = Sandbox.results

    def results(self: Sandbox, *arguments: Any, **options: Any) -> dict[str, Any]:
        return check_results(as_written(self, *arguments, **options))

    monkeypatch.setattr(Sandbox, "results", results)
