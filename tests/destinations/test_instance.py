"""Profile → destination: what connectors make of the profile and the secret."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from google.ads import datamanager_v1

from lib.config.profile import Profile
from lib.destinations.base import Destination
from lib.destinations.instance import Destinations
from lib.errors import PermanentError
from lib.model.deadline import Deadline
from lib.model.log import SilentLog
from sandbox.apis import Apis
from tests.destinations.google_ads.ads_records import conversion

MANAGER = "9999999999"
CLIENT = "2222222222"  # only its manager account gives access to it


@dataclass(frozen=True)
class SandboxSettings:
    """Settings whose endpoints are those of the sandbox."""

    apis: Apis
    window: int = 2
    request_timeout_seconds: float = 20.0

    def endpoint(self, destination: str, /) -> str:
        is_grpc_only = destination == "google_ads"
        return self.apis.endpoint if is_grpc_only else self.apis.data_manager_endpoint


def instance(apis: Apis, secret: str = "") -> Destinations:
    """Return the destinations of a new instance. `secret` is added to the google-ads.yaml."""
    text = f"{apis.google_ads_key_yaml}{secret}"
    return Destinations(SandboxSettings(apis), lambda: text)


def profile_of(destination: str, **keys: Any) -> Profile:
    given = {"destination": destination, "customer_id": CLIENT, "expect": "any time"}
    given |= {"action": "2001", "value": 1, "currency_code": "EUR", "time_zone": "UTC"}
    return Profile.model_validate(given | keys)


def connect(apis: Apis, destination: str, *, secret: str = "", **keys: Any) -> Destination[Any]:
    """Connect as a new instance does."""
    return instance(apis, secret).connect(profile_of(destination, **keys), SilentLog())


@pytest.mark.parametrize("name", ["google_ads", "data_manager"])
@pytest.mark.parametrize(
    ("secret", "keys"),
    [(f"login_customer_id: {MANAGER}\n", {}), ("", {"login_customer_id": MANAGER})],
    ids=["in the secret", "in the profile"],
)
def test_a_manager_account_gives_access(
    apis: Apis, name: str, secret: str, keys: dict[str, Any]
) -> None:
    """Wherever it is named, it reaches the look at the account and the upload, of either API."""
    destination = connect(apis, name, secret=secret, **keys)
    account = destination.account(CLIENT, custom_variables=False)
    assert account.verified
    sold = f"{datetime.now(UTC) - timedelta(days=2):%Y-%m-%d %H:%M:%S}+00:00"
    sale = conversion(
        action_id="2001",
        time=sold,
        gclid="EAIaIQobChMI_example-0001",
        currency_code="EUR",
    )
    deadline = Deadline(float("inf"), float("inf"))
    requests = destination.encode("conversion", [sale], CLIENT, 1)
    result = destination.send(requests, deadline, lambda order_id: False)
    assert (result.row_results, result.stop) == ({}, None)
    assert len(list(apis.state.conversions())) == 1


@pytest.mark.parametrize(
    ("keys", "event_source"),
    [({}, "OTHER"), ({"event_source": "IN_STORE"}, "IN_STORE"), ({"source": "web"}, "WEB")],
)
def test_constants_of_the_profile_reach_the_request(
    apis: Apis, keys: dict[str, Any], event_source: str
) -> None:
    """What holds for all rows of a file is in each event of the Data Manager API."""
    destination = connect(apis, "data_manager", ad_personalization="DENIED", **keys)
    sale = conversion(action_id="2001", gclid="EAIaIQobChMI_example-0001", order_id="SO-1")
    (request,) = destination.encode("conversion", [sale], CLIENT, 1)
    (event,) = request.events
    assert event.event_source == datamanager_v1.EventSource[event_source]
    assert event.consent.ad_personalization == datamanager_v1.ConsentStatus.CONSENT_DENIED


def test_a_refused_look_stops_only_the_api_that_it_is_of(apis: Apis) -> None:
    """For the other API, it says nothing about uploads: a file by IDs goes on."""
    account = connect(apis, "data_manager").account(CLIENT, custom_variables=False)
    assert account.unread is not None
    assert account.unread.code == "USER_PERMISSION_DENIED"
    with pytest.raises(PermanentError, match="USER_PERMISSION_DENIED"):
        connect(apis, "google_ads").account(CLIENT, custom_variables=False)


def test_uploads_may_work_where_queries_do_not(apis: Apis) -> None:
    """Then a file by IDs goes on too."""
    apis.state.change_account("1234567890", readable=False)
    account = connect(apis, "google_ads").account("1234567890", custom_variables=False)
    assert account.unread is not None
    assert account.unread.code == "ACTION_NOT_PERMITTED"


@pytest.mark.parametrize(
    ("name", "uploads"), [("google_ads", "connection"), ("data_manager", "uploads")]
)
def test_all_profiles_of_an_api_wait_for_one_quota(apis: Apis, name: str, uploads: str) -> None:
    """Their requests have one connection, and one pace."""
    made = instance(apis)
    profiles = (profile_of(name), profile_of(name, action="2002"))
    first, second = (made.connect(each, SilentLog()) for each in profiles)
    assert getattr(first, uploads) is getattr(second, uploads)
