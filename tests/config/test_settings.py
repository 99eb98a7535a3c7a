"""The environment: every problem at once, and settings that contradict each other."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import BaseModel

from lib.config import messages as mistakes
from lib.config.profile import Profile, choose_profile, read_profiles
from lib.config.settings import Settings, SettingsError
from lib.errors import PermanentError

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


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"INPUT_BUCKET": ""}, "INPUT_BUCKET: must be set"),
        ({"OUTPUT_BUCKET": "o"}, "OUTPUT_BUCKET: must have 3 or more characters"),
        ({"WINDOW": "many"}, "WINDOW: must be a whole number"),
        ({"WINDOW": "0"}, "WINDOW: must be 1 or more"),
        ({"WINDOW": "99"}, "WINDOW: must be 64 or less"),
        ({"LEASE_SECONDS": "0"}, "LEASE_SECONDS: must be more than 0"),
        ({"LEASE_SECONDS": "nan"}, "LEASE_SECONDS: must be a number"),
        ({"LEASE_SECONDS": "long"}, "LEASE_SECONDS: must be a number"),
        ({"LIST_ALL_ROWS": "maybe"}, "LIST_ALL_ROWS: must be true or false"),
        ({"ANNOUNCE_TOPIC": "t"}, "ANNOUNCE_TOPIC: must be projects/PROJECT/topics/NAME"),
    ],
)
def test_a_wrong_variable_is_told_what_it_must_be(changed: dict[str, str], said: str) -> None:
    """In words, not in those of the library that found it."""
    with pytest.raises(SettingsError) as raised:
        Settings.from_environment({**GOOD, **changed})
    assert str(raised.value) == said


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
        with pytest.raises(PermanentError) as raised:
            choose_profile(profiles, "a.csv")
        assert raised.value.code == "INVALID_PROFILE"
    else:
        assert choose_profile(profiles, "a.csv")[1].encoding == read_as


@pytest.mark.parametrize(
    ("profile", "said"),
    [
        ({"customer": "1234567890"}, "customer: not a key of a profile; did you mean customer_id?"),
        ({"Time_Zone": "UTC"}, "Time_Zone: not a key of a profile; did you mean time_zone?"),
        ({"zzz": 1}, "zzz: not a key of a profile (docs/profiles.md names them)"),
        (
            {"customer_id": "12"},
            "customer_id: must be the digits of a Google Ads account, such as 123-456-7890",
        ),
        ({"phone_region": "Germany"}, "phone_region: must be two capital letters, such as DE"),
        ({"currency_code": "eur"}, "currency_code: must be three capital letters, such as EUR"),
        ({"currency_code": 7}, "currency_code: must be text"),
        ({"day_first": "perhaps"}, "day_first: must be true or false"),
        ({"destination": "meta"}, "destination: must be 'google_ads' or 'data_manager'"),
        ({"ad_user_data": "yes"}, "ad_user_data: must be 'GRANTED' or 'DENIED'"),
        ({"delimiter": ";;"}, "delimiter: must have no more characters than 1"),
        ({"time_zone": "CET+1"}, "time_zone: not an IANA time zone such as America/Chicago"),
        ({"encoding": "x"}, "encoding: not an encoding such as utf-8 or windows-1252"),
        ({"headers": "Email"}, "headers: must be an object: {...}"),
        ({"headers": {"email": 1}}, "headers.email: must be a name, or a list of names"),
        ({"headers": {"email": [1]}}, "headers.email.0: must be text"),
        (
            {"headers": {"conversion_vlaue": "Betrag", "zzz": "Z"}},
            "headers: conversion_vlaue is not a field; did you mean conversion_value?; "
            "zzz is not a field; docs/input.md names the fields",
        ),
        (
            {"headers": {"Conversion Name": "Aktion"}},
            "headers: Conversion Name is not a field; did you mean conversion_action?",
        ),
    ],
)
def test_a_mistake_in_a_profile_is_said_in_plain_words(profile: Any, said: str) -> None:
    """With the key that was probably meant; a misspelt one never goes unnoticed."""
    with pytest.raises(PermanentError) as raised:
        choose_profile({"default": profile}, "a.csv")
    assert raised.value.detail == f'profile "default": {said}'


def test_fields_that_a_profile_may_name() -> None:
    """Every field, the numbered ones, and custom variables by their name."""
    headers = {"conversion_value": "Betrag", "email_2": ["A", "B"], "custom_variable.Plan": "Tarif"}
    _, profile = choose_profile({"default": {"headers": headers}}, "a.csv")
    assert profile.headers.keys() == headers.keys()


@pytest.mark.parametrize("model", [Settings, Profile])
def test_every_pattern_has_words_for_it(model: type[BaseModel]) -> None:
    """Nobody is shown a regular expression."""
    schema = model.model_json_schema()["properties"]
    patterned = {name for name, about in schema.items() if "pattern" in json.dumps(about)}
    assert patterned <= mistakes.FORMS.keys()


def test_a_profile_without_its_name_is_to_be_wrapped() -> None:
    """What a newcomer writes first."""
    with pytest.raises(PermanentError) as raised:
        read_profiles('{"customer_id": "1234567890", "headers": {}}')
    assert raised.value.code == "INVALID_PROFILE"
    assert 'wrap it: {"default": {...}}' in raised.value.detail
    assert "1234567890" not in raised.value.detail


@pytest.mark.parametrize("document", ["{", "[]", '{"default": 1}', '"x"'])
def test_a_profiles_document_that_is_none(document: str) -> None:
    """Said once, as a file error."""
    with pytest.raises(PermanentError) as raised:
        read_profiles(document)
    assert raised.value.code == "INVALID_PROFILE"
