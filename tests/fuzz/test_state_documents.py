"""A few damaged documents in each test run; `make fuzz` tries many (`state_documents`)."""

from __future__ import annotations

from pathlib import Path

import pytest

from lib.adapters.secrets import read_credentials
from lib.config.profile import read_profiles
from lib.config.settings import Settings
from lib.destinations.credentials import read_secret
from lib.errors import PermanentError
from tests.fuzz import state_documents
from tests.fuzz.state_documents import DEEP, HALF, check_event


def test_damaged_documents_stop_nothing_else() -> None:
    """Random ones, with a fixed seed."""
    assert state_documents.fuzz(600, 0, most=8) == 8


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (f'{{"default": {{"time_zone": {HALF}}}}}', "surrogates not allowed"),
        (f'{{"default": {{"columns": {DEEP}', "recursion depth"),
        ('{"default": {"time_zone": NaN', "not valid JSON"),
        ("{default: {ad_user_data = GRANTED}}", '"key": "value", with a comma'),
    ],
)
def test_profiles_have_one_clear_error(content: str, why: str) -> None:
    """Whatever bytes they are."""
    with pytest.raises(PermanentError, match=why):
        read_profiles(content.encode())


@pytest.mark.parametrize("text", [DEEP, f"json_key: {DEEP}", 'developer_token: "\\ud83d"', "a: *b"])
def test_secrets_have_one_clear_error(text: str) -> None:
    """Whatever YAML they are."""
    with pytest.raises(PermanentError, match="SECRET_INVALID"):
        read_secret(text)


def test_a_secret_in_a_file_may_be_no_text(tmp_path: Path) -> None:
    """As in Secret Manager, this is an error of the secret."""
    path = tmp_path / "google-ads.yaml"
    path.write_bytes(b"\xff")
    settings = Settings(
        input_bucket="in-bucket",
        output_bucket="out-bucket",
        profiles="profiles.json",
        credentials_path=str(path),
    )
    with pytest.raises(PermanentError, match="not UTF-8"):
        read_credentials(settings)


@pytest.mark.parametrize(
    "body",
    [
        '{"bucket": "b", "name": "a", "generation": "9223372036854775808"}',
        f'{{"bucket": "b", "name": {HALF}, "generation": "7"}}',
        f'{{"bucket": "b", "name": "a", "generation": {DEEP}}}',
    ],
)
def test_events_that_name_no_object_are_ignored(body: str) -> None:
    """They would come again for a day."""
    check_event(body.encode())
