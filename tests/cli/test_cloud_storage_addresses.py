"""`check --profiles gs://...` with Google's own client and a real storage."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from click.testing import CliRunner, Result
from google.api_core.exceptions import RetryError
from google.auth.exceptions import DefaultCredentialsError, RefreshError, TransportError
from google.cloud.storage.exceptions import DataCorruption

from lib.cli.commands import main
from sandbox.faults import Faults
from sandbox.processes import Processes
from sandbox.storage import Storage
from sandbox.storage_proxy import Hooks
from tests.cli.validating import NOW, csv_of, row

BUCKET = "config"


class Google:
    """A storage with one bucket."""

    def __init__(self, folder: Path) -> None:
        self.faults = Faults()
        self.processes = Processes()
        hooks = Hooks(decide=self.faults.decide)
        self.storage = Storage(self.processes, hooks, folder / "log")
        self.storage.create_bucket(BUCKET)

    def write(self, name: str, content: bytes) -> str:
        self.storage.client().bucket(BUCKET).blob(name).upload_from_string(content)
        return f"gs://{BUCKET}/{name}"


@pytest.fixture(scope="module")
def _storage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Google]:
    google = Google(tmp_path_factory.mktemp("storage"))
    yield google
    google.storage.close()
    google.processes.close()


@pytest.fixture
def google(_storage: Google, monkeypatch: pytest.MonkeyPatch) -> Google:
    """The storage, as the library finds it."""
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", _storage.storage.url)
    monkeypatch.delenv("GOOGLE_CLOUD_PROJECT", raising=False)
    _storage.faults.clear()
    return _storage


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["check", "--now", NOW.isoformat(), *arguments])


def test_a_file_is_checked_with_profiles_in_the_cloud(google: Google, tmp_path: Path) -> None:
    """The document is read as the function reads it: comments, and a mark that Windows writes."""
    profile = {
        "destination": "google_ads",
        "customer_id": "1234567890",
        "expect": "any time",
        "value": "action_default",
        "time_zone": "UTC",
    }
    document = "// edited by Ann\n" + json.dumps({"crm": profile})
    address = google.write("profiles.json", document.encode("utf-8-sig"))
    file = tmp_path / "export.csv"
    file.write_bytes(csv_of(row(), row(gclid="Cj0KCQiAexample0002")))
    done = run("--profiles", address, "--profile", "crm", str(file))
    assert (done.exit_code, done.stderr) == (0, "")
    assert "2 rows: 2 would be sent." in done.stdout
    done = run("--profiles", address)
    assert (done.exit_code, done.output) == (0, "1 profile: none with errors.\n")


def test_what_is_wrong_is_said_in_words(google: Google) -> None:
    """No object, no permission, and an object of another kind."""
    address = google.write("workbook.json", b"PK\x03\x04\xff")
    done = run("--profiles", address)
    assert done.exit_code == 1
    assert "the profiles document (PROFILES) is not valid JSON: 'utf-8' codec" in done.output
    done = run("--profiles", f"gs://{BUCKET}/no.json")
    assert done.exit_code == 2
    assert "there is no such object." in done.stderr
    google.faults.set([{"method": "*", "kind": "status_403", "every": 1}])
    done = run("--profiles", address)
    assert done.exit_code == 2
    assert "ask for roles/storage.objectViewer on config" in done.stderr
    assert "the function's" not in done.stderr


@pytest.mark.parametrize(
    "error, said",
    [
        (DefaultCredentialsError("x"), "you have no login; run: gcloud auth application-default"),
        (RefreshError("x"), "your login has expired; run: gcloud auth application-default login."),
        (TransportError("x"), "Cloud Storage cannot be read (TransportError); try again."),
        (RetryError("x", None), "Cloud Storage cannot be read (RetryError); try again."),
        (requests.ConnectionError("x"), "cannot be read (ConnectionError); try again."),
        (DataCorruption(None, "x"), "cannot be read (DataCorruption); try again."),
    ],
)
def test_no_login_and_no_connection_are_said_in_words(
    error: Exception, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever Google's client raises ends the command with a sentence."""

    def fails() -> None:
        raise error

    monkeypatch.setattr("lib.adapters.download.storage_client", fails)
    done = run("--profiles", f"gs://{BUCKET}/profiles.json")
    assert done.exit_code == 2
    assert said in done.stderr
