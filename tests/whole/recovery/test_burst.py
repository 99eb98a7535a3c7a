"""Many simultaneous files on an account with a tight quota."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from sandbox.up import Sandbox
from tests.schedule import EVERY_CALL
from tests.whole.recovery.conftest import FUNCTION, SETTINGS
from tests.whole.recovery.files import all_documents, check, make_file

FILES = 200 if EVERY_CALL else 40


@pytest.fixture
def two_instances() -> Iterator[Sandbox]:
    """Two instances with four deliveries each, which share only the bucket."""
    with Sandbox(source=FUNCTION, env=SETTINGS, instances=2) as running:
        running.delivery.set(concurrency=8, backoff_seconds=0.05, max_backoff_seconds=0.5)
        yield running


def test_many_files_under_a_quota(
    two_instances: Sandbox, record_property: Callable[[str, object], None]
) -> None:
    """All files are finished, and after the pace has settled, few of the requests are refused."""
    google = two_instances
    # After a pause of the machine, all deliveries may send at once.
    google.state.change_account("1234567890", requests_per_second=25.0, burst=8.0)
    kinds = ("click", "identifiers", "rejected", "failed")
    files = [make_file(f"f{n}.csv", 8, seed=n, kinds=kinds).drop(google) for n in range(FILES)]
    assert google.delivery.wait_until_idle()
    documents = all_documents(google)
    for file in files:
        check(file, documents[f"{file.name}.{file.generation}.results.json"], google)
    log = [r for r in google.state.requests if r.method == "google_ads.UploadClickConversions"]
    settled = log[len(log) // 2 :]
    refused = [r for r in settled if r.status == "RESOURCE_TEMPORARILY_EXHAUSTED"]
    share = len(refused) / len(settled)
    record_property("quota errors, % of settled requests", round(100 * share, 1))
    assert share < 0.2
