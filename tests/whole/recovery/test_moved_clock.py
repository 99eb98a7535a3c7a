"""The sandbox's clock moves Google and the function together."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from sandbox.up import Sandbox
from tests.rows import core_row, csv_bytes
from tests.whole.recovery.conftest import empty


def test_hours_pass_for_google_and_the_function(google: Sandbox, new_name: Iterator[str]) -> None:
    """A row whose click is an hour old is deferred; 6 hours later, a sweep sends it."""
    empty(google)  # the hours would also make the files of earlier tests due
    name, now = next(new_name), google.clock.now()
    sold = f"{now - timedelta(minutes=30):%Y-%m-%d %H:%M:%S}+00:00"
    row = core_row(1, order_id=name, gclid=f"Moved_{name[:-4]}_000001", conversion_date_time=sold)
    google.state.register_clicks({row["gclid"]: now - timedelta(hours=1)})
    _, generation = google.drop(csv_bytes([row]), name)
    assert google.results(name, generation)["counts"]["deferred"] == 1
    assert google.delivery.wait_until_idle()

    google.clock.advance(6)
    google.run_sweep()
    document = google.results(name, generation)
    assert document["counts"]["uploaded"] == 1
    assert document["finished_at"] >= f"{now + timedelta(hours=6):%Y-%m-%dT%H:%M}"
