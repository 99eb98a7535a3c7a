"""A network that forgets idle connections without telling either end."""

from __future__ import annotations

from sandbox.profiles import DEFAULT_PROFILES
from sandbox.up import Sandbox
from tests.whole.recovery.conftest import FUNCTION, SETTINGS
from tests.whole.recovery.files import finish, make_file

KINDS = ("click", "identifiers")


def test_a_warm_instance_connects_again() -> None:
    """After all connections were forgotten, the first delivery of a file finishes it."""
    with Sandbox(source=FUNCTION, env=SETTINGS, forgetful=True) as google:
        google.delivery.set(backoff_seconds=0.05, max_backoff_seconds=0.2)
        for route in ("google_ads", "data_manager"):
            profile = {**DEFAULT_PROFILES["default"], "destination": route, "event_source": "WEB"}
            google.set_profiles({"default": profile})
            finish(google, make_file(f"{route}.csv", 20, seed=1, kinds=KINDS).drop(google))
            for network in google.networks:
                network.forget()
            file = make_file(f"{route}-2.csv", 20, seed=1, kinds=KINDS).drop(google)
            document = finish(google, file)
            assert document["counts"]["uploaded"] == 20
            assert [each.status for each in google.delivery.records()[-1].attempts] == [200]
