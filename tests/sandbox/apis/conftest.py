"""The running APIs, and Google's own clients."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from google.ads.googleads.client import GoogleAdsClient
from google.auth.transport.requests import AuthorizedSession
from google.oauth2 import service_account

from sandbox.apis import Apis, start_apis
from sandbox.data_manager.service import SCOPE
from sandbox.faults import Faults
from sandbox.google_ads import API_VERSION, PACKAGE
from sandbox.state import DataManagerLimits, State
from tests.discovery_document import check

# Google's client needs the whole package, of which the function imports only some modules.
import_module(PACKAGE)


@pytest.fixture(scope="session")
def running(ca_directory: Path) -> Iterator[Apis]:
    apis = start_apis(State(), Faults(), ca_directory)
    yield apis
    apis.close()


@pytest.fixture
def apis(running: Apis) -> Apis:
    """The APIs in their initial state."""
    running.state.clear()
    running.faults.clear()
    running.faults.on_kill = lambda: None
    running.state.check_rows = running.state.check_tokens = True
    running.state.refuse_tokens = False
    running.state.instance_has_account = True
    running.state.data_manager = DataManagerLimits()
    return running


@pytest.fixture
def session(apis: Apis) -> Iterator[AuthorizedSession]:
    """A session for the REST methods of the Data Manager API."""
    credentials = service_account.Credentials.from_service_account_file(
        str(apis.service_account_path), scopes=[SCOPE]
    )
    with AuthorizedSession(credentials) as session:
        session.trust_env = False  # a bundle in the environment would take precedence
        session.verify = str(apis.ca_path)
        yield session


@pytest.fixture
def retrieve(apis: Apis, session: AuthorizedSession) -> Callable[[str], Any]:
    """Asks for the status of a request; returns the JSON as Google describes it, or its error."""

    def ask(request_id: str) -> Any:
        url = f"https://{apis.data_manager_endpoint}/v1/requestStatus:retrieve"
        answer = session.get(url, params={"requestId": request_id}, timeout=60).json()
        if "error" not in answer:
            check(answer, "RetrieveRequestStatusResponse")
        return answer

    return ask


@pytest.fixture(scope="session")
def ads(running: Apis) -> GoogleAdsClient:
    return GoogleAdsClient.load_from_string(running.google_ads_key_yaml, version=API_VERSION)


@pytest.fixture(scope="session")
def uploader(ads: GoogleAdsClient) -> Any:
    return ads.get_service("ConversionUploadService")


@pytest.fixture(scope="session")
def searcher(ads: GoogleAdsClient) -> Any:
    return ads.get_service("GoogleAdsService")
