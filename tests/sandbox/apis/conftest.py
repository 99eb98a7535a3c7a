"""The running APIs, and Google's own clients."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from google.ads.googleads.client import GoogleAdsClient

from sandbox.ads_version import API_VERSION
from sandbox.apis import Apis, start_apis
from sandbox.faults import Faults
from sandbox.state import DataManagerLimits, State


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
    running.state.judge = running.state.check_tokens = True
    running.state.repeats_in_request = "all"
    running.state.known_conversions = "both"
    running.state.refuse_tokens = False
    running.state.instance_has_account = True
    running.state.data_manager = DataManagerLimits()
    return running


@pytest.fixture(scope="session")
def ads(running: Apis) -> GoogleAdsClient:
    return GoogleAdsClient.load_from_string(running.google_ads_key_yaml, version=API_VERSION)


@pytest.fixture(scope="session")
def uploader(ads: GoogleAdsClient) -> Any:
    return ads.get_service("ConversionUploadService")


@pytest.fixture(scope="session")
def searcher(ads: GoogleAdsClient) -> Any:
    return ads.get_service("GoogleAdsService")
