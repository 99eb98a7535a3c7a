"""A network that forgets idle connections without telling either end."""

from __future__ import annotations

from sandbox.profiles import DEFAULT_PROFILES
from sandbox.up import Sandbox
from tests.whole.recovery.conftest import FUNCTION, SETTINGS, retry_soon
from tests.whole.recovery.files import finish, make_file

KINDS = ("click", "identifiers")


def test_a_warm_instance_connects_again() -> None:
    """After all connections were forgotten, the first delivery of a file finishes it."""
    # As the other requests of a run: they end after their own timeout.
    timeouts = {"STORAGE_TIMEOUT_OF_CODE": "2", "REQUEST_TIMEOUT_SECONDS": "2"}
    with Sandbox(source=FUNCTION, env=SETTINGS | timeouts, forgetful=True) as google:
        retry_soon(google)
        for route in ("google_ads", "data_manager"):
            profile = {**DEFAULT_PROFILES["default"], "destination": route, "event_source": "WEB"}
            google.set_profiles({"default": profile})
            finish(google, make_file(f"{route}.csv", 20, seed=1, kinds=KINDS).drop(google))
            for network in google.networks:
                network.forget()
            file = make_file(f"{route}-2.csv", 20, seed=1, kinds=KINDS).drop(google)
            document = finish(google, file)
            # On a busy machine, an answer comes later than that, and rows are sent again.
            assert document["counts"]["uploaded"] + document["counts"]["duplicate"] == 20
            assert [each.status for each in google.delivery.records()[-1].attempts] == [200]
