"""A network that forgets idle connections without telling either end."""

from __future__ import annotations

from tests.whole.recovery.conftest import running_function
from tests.whole.recovery.files import FOLDERS, finish, make_file

KINDS = ("click", "identifiers")


def test_a_warm_instance_connects_again() -> None:
    """After all connections were forgotten, the first delivery of a file finishes it."""
    # As the other requests of a run: they end after their own timeout.
    timeouts = {"STORAGE_TIMEOUT_OF_CODE": "2", "REQUEST_TIMEOUT_SECONDS": "2"}
    with running_function(timeouts, forgetful=True) as google:
        for folder in FOLDERS.values():
            finish(google, make_file(f"{folder}warm.csv", 20, 1, KINDS).drop(google))
            for network in google.networks:
                network.forget()
            file = make_file(f"{folder}forgotten.csv", 20, 1, KINDS).drop(google)
            counts = finish(google, file)["counts"]
            # On a busy machine, an answer comes later than that, and rows are sent again.
            assert counts["uploaded"] + counts["duplicate"] == 20
            assert [each.status for each in google.delivery.records()[-1].attempts] == [200]
