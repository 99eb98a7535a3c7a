"""The environment: every problem at once, and settings that contradict each other."""

from __future__ import annotations

import pytest

from lib.errors import GiveUp
from lib.settings import Settings, SettingsError, choose_profile, read_profiles

GOOD = {"INPUT_BUCKET": "the-input", "OUTPUT_BUCKET": "the-output"}


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"INPUT_BUCKET": ""}, ["INPUT_BUCKET"]),
        ({"WINDOW": "many", "LEASE_SECONDS": "0"}, ["LEASE_SECONDS", "WINDOW"]),
        ({"OUTPUT_BUCKET": "the-input"}, ["INPUT_BUCKET"]),
        ({"STATE_BUCKET": "the-input"}, ["INPUT_BUCKET"]),
        ({"TIME_LIMIT_SECONDS": "30"}, ["TIME_LIMIT_SECONDS"]),
        ({"SWEEP_TIME_LIMIT_SECONDS": "40"}, ["SWEEP_TIME_LIMIT_SECONDS"]),
        ({"TIME_LIMIT_SECONDS": "inf"}, ["TIME_LIMIT_SECONDS"]),
        ({"STATE_PREFIX": "state"}, ["STATE_PREFIX"]),
        ({"GOOGLE_ADS_SECRET": "my-secret"}, ["GOOGLE_ADS_SECRET"]),
    ],
)
def test_what_is_wrong_is_named(changed: dict[str, str], named: list[str]) -> None:
    """Every wrong variable, one a line; never its value."""
    with pytest.raises(SettingsError) as raised:
        Settings.from_environment({**GOOD, **changed})
    assert [line.partition(":")[0] for line in str(raised.value).splitlines()] == named
    assert "my-secret" not in str(raised.value)


def test_the_defaults_are_sound() -> None:
    """Two buckets are enough to begin with."""
    settings = Settings.from_environment(GOOD)
    assert settings.ledger_bucket == "the-output"


@pytest.mark.parametrize(
    ("encoding", "read_as"),
    [
        ("windows-1252", "cp1252"),
        ("UTF8", "utf-8"),
        ("utf-16", "utf-16-le"),
        ("shift-jis", "shift_jis"),
        ("punycode", None),
        ("idna", None),
        ("undefined", None),
        ("unicode_escape", None),
        ("base64", None),
        ("klingon", None),
    ],
)
def test_encodings_of_a_profile(encoding: str, read_as: str | None) -> None:
    """Those that spreadsheets write; others would break a file on every attempt."""
    profiles = {"default": {"encoding": encoding}}
    if read_as is None:
        with pytest.raises(GiveUp) as raised:
            choose_profile(profiles, "a.csv")
        assert raised.value.code == "INVALID_PROFILE"
    else:
        assert choose_profile(profiles, "a.csv")[1].encoding == read_as


@pytest.mark.parametrize("document", ["{", "[]", '{"default": 1}', '"x"'])
def test_a_profiles_document_that_is_none(document: str) -> None:
    """Said once, as a file error."""
    with pytest.raises(GiveUp) as raised:
        read_profiles(document)
    assert raised.value.code == "INVALID_PROFILE"
