"""A server refuses the credentials of a connection (UNAUTHENTICATED): a new one is tried once."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from sandbox.up import Sandbox
from tests.whole.recovery.files import FOLDERS, UPLOADS, finish, make_file

SECRET = "secret_manager.AccessSecretVersion"
KINDS = ("click", "identifiers")


@pytest.fixture
def google(google: Sandbox) -> Iterator[Sandbox]:
    """The secret contains a service account's key, whose tokens the sandbox can refuse."""
    use_secret(google, google.apis.google_ads_key_yaml)
    yield google
    google.state.refuse_tokens = False
    use_secret(google, google.apis.google_ads_yaml)


def use_secret(google: Sandbox, content: str) -> None:
    """Replace the secret, and the instance, which may have a connection already."""
    assert google.function is not None
    name = google.apis.secret_version.rpartition("/versions/")[0]
    google.state.set_secret(name, content.encode())
    google.function.kill(google.function.instances)


def warm_up(google: Sandbox, name: str) -> None:
    """Upload a small file, so that the instance has a connection."""
    file = make_file(name, 20, seed=1, kinds=KINDS).drop(google)
    assert finish(google, file)["counts"]["uploaded"] == 20


def secrets_read(google: Sandbox) -> int:
    return sum(each.method == SECRET for each in google.state.requests)


@pytest.mark.parametrize("route", FOLDERS)
def test_a_refused_token(google: Sandbox, new_name: Callable[..., str], route: str) -> None:
    """A warm instance reads the secret again and continues; the file does not stop."""
    warm_up(google, new_name(route))
    before = secrets_read(google)
    google.faults.set([{"method": UPLOADS[route], "kind": "unauthenticated", "nth": 2}])
    file = make_file(new_name(route), 410, seed=1, kinds=KINDS).drop(google)
    document = finish(google, file)
    assert document["file_error"] is None
    assert document["counts"]["uploaded"] == 410
    assert secrets_read(google) == before + 1


@pytest.mark.parametrize("route", FOLDERS)
def test_refused_credentials_stop_files_only_until_they_are_replaced(
    google: Sandbox, new_name: Callable[..., str], route: str
) -> None:
    """Every row of the stopped file has its outcome, and the next file uses the new credentials."""
    warm_up(google, new_name(route))
    google.faults.set([{"method": UPLOADS[route], "kind": "unauthenticated"}])
    google.state.revoke_tokens()
    google.state.refuse_tokens = True
    stopped = finish(google, make_file(new_name(route), 410, seed=1, kinds=KINDS).drop(google))
    assert stopped["file_error"]["code"] == "CREDENTIALS_REFUSED"
    assert stopped["counts"]["not_attempted"] == stopped["counts"]["rows"] == 410
    google.state.refuse_tokens = False
    google.faults.clear()
    warm_up(google, new_name(route))
