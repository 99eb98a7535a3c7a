"""Secret Manager, the token endpoint and the metadata server, with Google's own clients."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import google_crc32c
import pytest
import requests
from google.ads.googleads.client import GoogleAdsClient
from google.api_core import exceptions
from google.api_core.client_options import ClientOptions
from google.cloud.secretmanager_v1 import SecretManagerServiceClient

from sandbox.apis import SECRET, Apis
from sandbox.credentials import EMAIL, PROJECT
from sandbox.google_ads import API_VERSION


@pytest.fixture(scope="module")
def secrets(running: Apis) -> Any:
    return SecretManagerServiceClient.from_service_account_file(
        str(running.service_account_path),
        client_options=ClientOptions(api_endpoint=running.endpoint),
    )


def test_secret_is_read_with_its_checksum(apis: Apis, secrets: Any) -> None:
    """The latest version contains the google-ads.yaml, with a correct CRC32C."""
    answer = secrets.access_secret_version(name=apis.secret_version)
    assert answer.payload.data.decode() == apis.google_ads_yaml
    assert answer.payload.data_crc32c == google_crc32c.value(answer.payload.data)
    assert answer.name == f"{SECRET}/versions/1"


def test_versions(apis: Apis, secrets: Any) -> None:
    """Payloads can be set. Versions are numbered from 1; `latest` is the last one."""
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
    """A missing secret or version is NOT_FOUND, a malformed name INVALID_ARGUMENT."""
    with pytest.raises(error):
        secrets.access_secret_version(name=name)


def test_tokens_remember_their_scopes(apis: Apis) -> None:
    """The google-ads library requests a token with only the adwords scope."""
    client = GoogleAdsClient.load_from_string(apis.google_ads_key_yaml, version=API_VERSION)
    scopes = apis.state.tokens[client.credentials.token]
    assert scopes == {"https://www.googleapis.com/auth/adwords"}
    assert apis.state.requests[-1].method == "oauth.token"
    assert apis.state.requests[-1].body is None


ASK_METADATA = """
import google.auth
from google.auth.transport.requests import Request
credentials, project = google.auth.default(scopes=["https://www.googleapis.com/auth/adwords"])
credentials.refresh(Request())
print(project, credentials.service_account_email, credentials.token)
"""


def ask_metadata(apis: Apis) -> subprocess.CompletedProcess[str]:
    """In a new process, because google-auth reads the metadata server's address on import."""
    return subprocess.run(
        [sys.executable, "-c", ASK_METADATA],
        env={**os.environ, **apis.env()},
        capture_output=True,
        text=True,
        check=False,
    )


def test_an_instance_needs_no_key(apis: Apis) -> None:
    """The metadata server returns the identity, and a token for the requested scopes."""
    answer = ask_metadata(apis)
    project, email, token = answer.stdout.split()
    assert (project, email) == (PROJECT, EMAIL)
    assert apis.state.tokens[token] == {"https://www.googleapis.com/auth/adwords"}
    assert [r.method for r in apis.state.requests] == ["metadata.token"]


def test_an_instance_without_its_account_gets_no_token(apis: Apis) -> None:
    """google-auth raises RefreshError."""
    apis.state.instance_has_account = False
    assert "RefreshError" in ask_metadata(apis).stderr
    assert [r.status for r in apis.state.requests] == ["not_found"]


def test_metadata_is_for_who_says_so(running: Apis) -> None:
    """Without the Metadata-Flavor header, the response is 403, as on Google Cloud."""
    root = f"http://{running.env()['GCE_METADATA_HOST']}/computeMetadata/v1"
    for path, headers, status in (
        ("project/project-id", {}, 403),
        ("project/project-id", {"Metadata-Flavor": "Google"}, 200),
        ("instance/nothing", {"Metadata-Flavor": "Google"}, 404),
    ):
        answer = requests.get(f"{root}/{path}", headers=headers, timeout=60)
        assert answer.status_code == status
