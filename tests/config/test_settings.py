"""Settings and profiles: all errors are reported together, each with an action."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import BaseModel

from lib.config import messages as mistakes
from lib.config.profile import (
    MAX_PROFILES_BYTES,
    Profile,
    choose_profile,
    read_profiles,
)
from lib.config.settings import Settings, SettingsError
from lib.errors import PermanentError

GOOD = {"INPUT_BUCKET": "the-input", "OUTPUT_BUCKET": "the-output"}
ACTIONS = '{"column name": {"value": {"action": 1001}}}'
WON = {"Stage": {"Won": {"action": 1002}}}


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"WINDOW": "many", "LEASE_SECONDS": "0"}, ["LEASE_SECONDS", "WINDOW"]),
        ({"OUTPUT_BUCKET": "the-input"}, ["INPUT_BUCKET"]),
        ({"SWEEP_TIME_LIMIT_SECONDS": "40"}, ["SWEEP_TIME_LIMIT_SECONDS"]),
        ({"TIME_LIMIT_SECONDS": "inf"}, ["TIME_LIMIT_SECONDS"]),
        ({"GOOGLE_ADS_SECRET": "my-secret"}, ["GOOGLE_ADS_SECRET"]),
    ],
)
def test_every_wrong_variable_is_named(changed: dict[str, str], named: list[str]) -> None:
    """Each wrong variable gets one line, without its value."""
    with pytest.raises(SettingsError) as raised:
        Settings.from_environment({**GOOD, **changed})
    assert [line.partition(":")[0] for line in str(raised.value).splitlines()] == named
    assert "my-secret" not in str(raised.value)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"INPUT_BUCKET": ""}, "INPUT_BUCKET: not set. Set it."),
        (
            {"OUTPUT_BUCKET": "o"},
            "OUTPUT_BUCKET: too few characters (minimum: 3). Write a longer value.",
        ),
        ({"WINDOW": "many"}, "WINDOW: not a whole number. Write a whole number."),
        ({"WINDOW": "0"}, "WINDOW: too small. Write 1 or more."),
        ({"WINDOW": "99"}, "WINDOW: too large. Write 64 or less."),
        ({"LEASE_SECONDS": "0"}, "LEASE_SECONDS: too small. Write a number greater than 0."),
        ({"LEASE_SECONDS": "nan"}, "LEASE_SECONDS: not a finite number. Write a number."),
        ({"LEASE_SECONDS": "long"}, "LEASE_SECONDS: not a number. Write a number."),
        ({"LIST_ALL_ROWS": "maybe"}, "LIST_ALL_ROWS: neither true nor false. Write true or false."),
        (
            {"GOOGLE_ADS_SECRET": "t"},
            "GOOGLE_ADS_SECRET: wrong format. Write projects/PROJECT/secrets/NAME, with or without "
            "/versions/VERSION.",
        ),
        (
            {"STATE_BUCKET": "the-input"},
            "INPUT_BUCKET: also used for the results or the ledger, so every object written there "
            "would start the function again. Set OUTPUT_BUCKET and STATE_BUCKET to another bucket.",
        ),
        (
            {"TIME_LIMIT_SECONDS": "30"},
            "TIME_LIMIT_SECONDS: not more than DEADLINE_MARGIN_SECONDS (40), so no row would ever "
            "be sent. Set a longer time limit or a shorter margin.",
        ),
        (
            {"FAILING_ROWS_RATIO": "1"},
            "FAILING_ROWS_RATIO: too large. Write a number less than 1.",
        ),
        ({"STATE_PREFIX": "state"}, "STATE_PREFIX: no slash at the end. Add one."),
    ],
)
def test_the_message_for_a_wrong_variable(changed: dict[str, str], said: str) -> None:
    """The message states the error and what to write, in our words instead of pydantic's."""
    with pytest.raises(SettingsError) as raised:
        Settings.from_environment({**GOOD, **changed})
    assert str(raised.value) == said


def test_the_defaults_are_valid() -> None:
    """Only the two buckets have no default."""
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
    """Only encodings that spreadsheets write are accepted; others would fail within a file."""
    profiles = {"default": {"destination": "google_ads", "encoding": encoding}}
    if read_as is None:
        with pytest.raises(PermanentError) as raised:
            choose_profile(profiles, "a.csv")
        assert raised.value.code == "INVALID_PROFILE"
    else:
        assert choose_profile(profiles, "a.csv")[1].encoding == read_as


@pytest.mark.parametrize(
    ("profile", "said"),
    [
        ({"customer": "1234567890"}, "customer: not a profile key. Did you mean customer_id?"),
        ({"Time_Zone": "UTC"}, "Time_Zone: not a profile key. Did you mean time_zone?"),
        ({"zzz": 1}, "zzz: not a profile key. Remove it."),
        (
            {"customer_id": "12"},
            "customer_id: wrong format. "
            "Write the digits of a Google Ads account, such as 123-456-7890.",
        ),
        (
            {"phone_region": "Germany"},
            "phone_region: wrong format. Write two capital letters, such as DE.",
        ),
        (
            {"currency_code": "eur"},
            "currency_code: wrong format. Write three capital letters, such as EUR.",
        ),
        ({"currency_code": 7}, "currency_code: not text. Write it as text, in quotes."),
        ({"day_first": "perhaps"}, "day_first: neither true nor false. Write true or false."),
        (
            {"destination": "meta"},
            "destination: not an allowed value. Write 'google_ads' or 'data_manager'.",
        ),
        (
            {"ad_user_data": "yes"},
            "ad_user_data: not an allowed value. Write 'GRANTED' or 'DENIED'.",
        ),
        (
            {"delimiter": ";;"},
            "delimiter: too many characters (maximum: 1). Write a shorter value.",
        ),
        (
            {"time_zone": "CET+1"},
            "time_zone: not an IANA time zone. Write a name such as America/Chicago.",
        ),
        (
            {"encoding": "x"},
            "encoding: not a known encoding. Write a name such as utf-8 or windows-1252.",
        ),
        ({"headers": "Email"}, 'headers: not an object. Write {"field": "column name"}.'),
        (
            {"headers": {"email": 1}},
            "headers.email: not a column name. Write one name, or a list of names.",
        ),
        ({"headers": {"email": [1]}}, "headers.email.0: not text. Write it as text, in quotes."),
        ({"include": "Won"}, 'include: not an object. Write {"column name": ["value", ...]}.'),
        (
            {"include": {"Stage": []}},
            'include: "Stage" has no list of values. Write {"Stage": ["value", ...]}.',
        ),
        (
            {"exclude": {" ": ["Lost"]}},
            "exclude: a column has no name. Write the name of a column of the file.",
        ),
        (
            {"headers": {"conversion_vlaue": "Betrag", "zzz": "Z"}},
            "headers: conversion_vlaue is not a field. Did you mean conversion_value? "
            "zzz is not a field. Remove it.",
        ),
        (
            {"currency_code": "eur", "phone_region": "Germany"},
            "currency_code: wrong format. Write three capital letters, such as EUR. "
            "phone_region: wrong format. Write two capital letters, such as DE.",
        ),
        ({"actions": ["Won"]}, f"actions: not an object. Write {ACTIONS}."),
        ({"actions": {"Stage": {}}}, f'actions: "Stage" has no values. Write {ACTIONS}.'),
        ({"actions": {"Stage": ["Won"]}}, f'actions: "Stage" has no values. Write {ACTIONS}.'),
        (
            {"actions": {" ": {"Won": {"action": 1}}}},
            "actions: a column has no name. Write the name of a column of the file.",
        ),
        (
            {"actions": {"Stage": {"Won": {"action": 1}}, "Status": {"Paid": {"action": 2}}}},
            "actions: names several columns. Choose the one that tells the stages apart.",
        ),
        (
            {"actions": {"Stage": {"Won": 1002}}},
            'actions: "Won" is not an object. Write {"action": 1001}.',
        ),
        ({"actions": {"Stage": {"Won": {}}}}, "actions.Stage.Won.action: not set. Set it."),
        (
            {"actions": {"Stage": {"Won": {"action": "", "valeu": 5, "time": ""}}}},
            "actions.Stage.Won.action: too few characters (minimum: 1). Write a longer value. "
            "actions.Stage.Won.time: too few characters (minimum: 1). Write a longer value. "
            "actions.Stage.Won.valeu: not known here. Remove it.",
        ),
        (
            {"actions": {"Stage": {"A": {"action": 1, "value": "50"}}}},
            "actions.Stage.A.value: not a number. Write a number.",
        ),
        (
            {"actions": {"Stage": {"A": {"action": 1, "value": -1}}}},
            "actions.Stage.A.value: too small. Write 0 or more.",
        ),
        (
            {"actions": WON, "conversion_action": 1001},
            "actions: conversion_action is set too, and names one action for all rows. Remove it.",
        ),
        (
            {"actions": WON, "headers": {"conversion_action": "Goal", "order_id": []}},
            "actions: headers names a column for conversion_action too. Remove it there. order_id "
            "is switched off under headers. Name the column of the order IDs there.",
        ),
        (
            {"actions": WON, "include": {"STAGE": ["Won"]}, "exclude": {"stage ": ["Lost"]}},
            'actions: include lists "Stage" too. Remove it there: values that actions does not '
            'list are skipped. exclude lists "Stage" too. Remove it there: values that actions '
            "does not list are skipped.",
        ),
        (
            {"actions": {"Stage": {"Won": {"action": 1}, "won ": {"action": 2}}}},
            'actions: "Won" and "won " are the same value. Keep one of them.',
        ),
        (
            {"actions": WON, "refunds": {"Stage": ["won", "Refunded"]}},
            'actions: refunds lists "Refunded". List it here too, with the action of the '
            "conversion that is adjusted.",
        ),
        (
            {"headers": {"Conversion Name": "Aktion"}},
            "headers: Conversion Name is not a field. Did you mean conversion_action?",
        ),
    ],
)
def test_the_message_for_a_mistake_in_a_profile(profile: Any, said: str) -> None:
    """No mistake in a profile is ignored, and the message states what to write instead."""
    with pytest.raises(PermanentError) as raised:
        choose_profile({"default": {"destination": "google_ads", **profile}}, "a.csv")
    assert raised.value.detail == f'profile "default": {said}'


@pytest.mark.parametrize("document", ["", '{"default": {}}', '{"default": {"time_zone": "UTC"}}'])
def test_a_profile_without_a_destination_is_invalid(document: str) -> None:
    """No API is chosen for a profile that does not name one."""
    with pytest.raises(PermanentError) as raised:
        choose_profile(read_profiles(document), "a.csv")
    assert raised.value.code == "INVALID_PROFILE"
    said = 'profile "default": destination: not set. Write google_ads or data_manager.'
    assert raised.value.detail == said


def test_fields_that_a_profile_may_name() -> None:
    """`headers` accepts all fields, numbered fields, and custom variables by name."""
    headers = {"conversion_value": "Betrag", "email_2": ["A", "B"], "custom_variable.Plan": "Tarif"}
    profile = Profile(destination="google_ads", headers=headers)
    assert profile.headers.keys() == headers.keys()


def test_a_claim_keeps_the_actions_of_stages() -> None:
    """The saved profile of a file is the one that it started with; null means that it is not set.

    Terraform writes null for what is left out.
    """
    stages = {"Won": {"action": 1002, "value": None, "time": None}, "": {"action": "A", "value": 0}}
    profile = Profile.model_validate({"destination": "google_ads", "actions": {"Stage": stages}})
    saved = json.loads(json.dumps(profile.model_dump(mode="json")))
    assert Profile.model_validate(saved) == profile
    assert {each.value for each in profile.actions["Stage"].values()} == {None, 0}


@pytest.mark.parametrize("model", [Settings, Profile])
def test_every_pattern_is_explained_in_words(model: type[BaseModel]) -> None:
    """No message shows a regular expression."""
    schema = model.model_json_schema()["properties"]
    patterned = {name for name, about in schema.items() if "pattern" in json.dumps(about)}
    assert patterned <= mistakes.FORMS.keys()


def test_the_message_for_a_profile_without_a_name() -> None:
    """The message for profile keys without a profile name shows how to add the name."""
    with pytest.raises(PermanentError) as raised:
        read_profiles('{"customer_id": "1234567890", "headers": {}}')
    assert raised.value.code == "INVALID_PROFILE"
    assert 'Give it one: {"default": {...}}.' in raised.value.detail
    assert "1234567890" not in raised.value.detail


@pytest.mark.parametrize("document", ["{", "[]", '{"default": 1}', '"x"'])
def test_a_document_without_profiles_is_invalid(document: str) -> None:
    """A document of another form is one error: INVALID_PROFILE. It says where to correct it."""
    with pytest.raises(PermanentError) as raised:
        read_profiles(document, "gs://config/profiles.json")
    assert raised.value.code == "INVALID_PROFILE"
    assert "(gs://config/profiles.json)" in raised.value.detail


def test_values_of_a_row_filter_are_texts() -> None:
    """A single value needs no list, and numbers and true need no quotes."""
    written = {"Stage": "Won", "Paid": [True, "yes"], "Step": [5], "Owner": [""]}
    profile = Profile.model_validate({"destination": "google_ads", "include": written})
    expected = {"Stage": ("Won",), "Paid": ("true", "yes"), "Step": ("5",), "Owner": ("",)}
    assert profile.include == expected
    assert Profile.model_validate(profile.model_dump(mode="json")) == profile


def test_lines_that_begin_with_slashes_are_comments() -> None:
    """A profile can carry its reasons; `//` inside a value stays."""
    document = '{\n // Why: https://example.com\n "a": {"conversion_action": "x//y"}\n}\n// End.'
    assert read_profiles(document) == {"a": {"conversion_action": "x//y"}}


@pytest.mark.parametrize(
    "name, value",
    [
        ("NO_FILE_WEEKDAYS", "mon, friday"),
        ("NO_FILE_HOLIDAYS", "12-25, 25.12."),
        ("NO_FILE_TIME_ZONE", "Berlin"),
    ],
)
def test_a_mistake_in_when_files_are_expected_stops_no_file(name: str, value: str) -> None:
    """A concern of the sweep says what to write (`tests/followup/test_watch.py`)."""
    assert Settings.from_environment({**GOOD, name: value})


def test_the_expectation_is_read() -> None:
    """Lists are separated by commas."""
    environment = {
        "NO_FILE_HOURS": "24",
        "NO_FILE_WEEKDAYS": "mon,tue",
        "NO_FILE_HOLIDAYS": "02-29",
    }
    environment |= {"INPUT_BUCKET": "in-bucket", "OUTPUT_BUCKET": "out-bucket"}
    settings = Settings.from_environment(environment)
    assert (settings.no_file_hours, settings.no_file_weekdays) == (24, ("mon", "tue"))
    assert settings.no_file_holidays == ("02-29",)


def test_a_document_of_more_than_a_mebibyte_is_refused() -> None:
    """To read it would need more memory than an instance has. The size decides, not the content."""
    document = b"{}".ljust(MAX_PROFILES_BYTES)
    assert read_profiles(document) == {}
    with pytest.raises(PermanentError) as raised:
        read_profiles(document + b" ", "gs://config/profiles.json")
    assert raised.value.code == "INVALID_PROFILE"
    assert "larger than 1 MiB" in raised.value.detail
