"""A file that takes longer than the time limit of a delivery is finished by the next ones."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sandbox.up import Sandbox
from tests.whole.recovery.conftest import PROFILES, running_function
from tests.whole.recovery.files import FOLDERS, UPLOADS, finish, log_lines, make_file

LIMIT_SECONDS = 60
START_SECONDS = 4
"""Within these, even a busy machine starts the first chunk of an attempt."""


@pytest.fixture(scope="module")
def hurried() -> Iterator[Sandbox]:
    """A function that starts no chunk after its first seconds, and waits long for each answer."""
    limits = {"DEADLINE_MARGIN_SECONDS": str(LIMIT_SECONDS - START_SECONDS), "WINDOW": "2"}
    with running_function(limits) as running:
        yield running


@pytest.mark.parametrize("route", FOLDERS)
def test_a_file_larger_than_the_time_limit(hurried: Sandbox, route: str) -> None:
    """Requests in flight at the limit are answered, so none is sent twice by the next delivery.

    Without derived order IDs, the API would count some rows twice.
    """
    google, folder = hurried, FOLDERS[route]
    google.set_profiles(
        {name: {**each, "derive_order_id": False} for name, each in PROFILES.items()}
    )
    # The first delivery of an instance also creates its clients, which is not tested here.
    finish(google, make_file(f"{folder}first.csv", 10, 1, ("click",)).drop(google))
    google.faults.set([{"method": UPLOADS[route], "kind": "latency_ms", "latency_ms": 5_000}])
    file = make_file(f"{folder}slow.csv", 410, 6, ("click", "identifiers")).drop(google)
    assert google.delivery.wait_until_idle()
    document = finish(google, file)
    assert document["attempts"] >= 2
    assert document["counts"]["uploaded"] == document["counts"]["rows"] == 410
    sent = [each.conversions for each in google.state.requests if each.method == UPLOADS[route]]
    assert sorted(sent[1:]) == [10, 200, 200]
    codes = {line.get("code") for line in log_lines(google, file)}
    assert codes == {None, "DEADLINE"}
    attempts = google.delivery.records()[-1].attempts
    assert all(each.milliseconds < 1_000 * LIMIT_SECONDS for each in attempts)
