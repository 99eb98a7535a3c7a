"""Secret Manager and the token endpoint through Google's own clients."""

from __future__ import annotations

from typing import Any

import google_crc32c
import pytest
from google.ads.googleads.client import GoogleAdsClient
from google.api_core import exceptions
from google.api_core.client_options import ClientOptions
from google.auth.exceptions import RefreshError
from google.cloud.secretmanager_v1 import SecretManagerServiceClient

from sandbox.apis import SECRET, Apis


@pytest.fixture(scope="module")
def secrets(running: Apis) -> Any:
    return SecretManagerServiceClient.from_service_account_file(
        str(running.service_account_path),
        client_options=ClientOptions(api_endpoint=running.endpoint),
    )


def test_secret_is_read_with_its_checksum(apis: Apis, secrets: Any) -> None:
    """The latest version holds the google-ads.yaml, with a right CRC32C."""
    answer = secrets.access_secret_version(name=apis.secret_version)
    assert answer.payload.data.decode() == apis.google_ads_yaml
    assert answer.payload.data_crc32c == google_crc32c.value(answer.payload.data)
    assert answer.name == f"{SECRET}/versions/1"


def test_versions(apis: Apis, secrets: Any) -> None:
    """Payloads can be set; versions are numbered from 1 and `latest` is the last."""
    apis.state.set_secret("projects/p/secrets/s", b"one")
    apis.state.set_secret("projects/p/secrets/s", b"two")
    read = {
        version: secrets.access_secret_version(name=f"projects/p/secrets/s/versions/{version}")
        for version in ("1", "2", "latest")
    }
    assert {k: v.payload.data for k, v in read.items()} == {
        "1": b"one",
        "2": b"two",
        "latest": b"two",
    }


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("projects/p/secrets/none/versions/latest", exceptions.NotFound),
        (f"{SECRET}/versions/99", exceptions.NotFound),
        (f"{SECRET}/versions/0", exceptions.NotFound),
        ("google-ads", exceptions.InvalidArgument),
    ],
)
def test_missing_secrets(apis: Apis, secrets: Any, name: str, error: type) -> None:
    """A secret or version that isn't there is NOT_FOUND, a malformed name INVALID_ARGUMENT."""
    with pytest.raises(error):
        secrets.access_secret_version(name=name)


def test_tokens_remember_their_scopes(apis: Apis) -> None:
    """The google-ads library asks for a token with the adwords scope alone."""
    client = GoogleAdsClient.load_from_string(apis.google_ads_yaml, version="v26")
    scopes = apis.state.tokens[client.credentials.token]
    assert scopes == {"https://www.googleapis.com/auth/adwords"}
    assert apis.state.requests[-1].method == "oauth.token"
    assert apis.state.requests[-1].body is None


def test_refused_token(apis: Apis) -> None:
    """A refused account shows itself as invalid_grant when the client is made."""
    apis.state.refuse_tokens = True
    with pytest.raises(RefreshError, match="invalid_grant"):
        GoogleAdsClient.load_from_string(apis.google_ads_yaml, version="v26")


def test_token_endpoint_fault(apis: Apis) -> None:
    """The token endpoint can be made to fail; google-auth tries again by itself."""
    apis.faults.set([{"method": "oauth.token", "nth": 1, "kind": "unavailable"}])
    client = GoogleAdsClient.load_from_string(apis.google_ads_yaml, version="v26")
    assert client.credentials.valid
    assert [r.status for r in apis.state.requests] == ["unavailable", "OK"]
