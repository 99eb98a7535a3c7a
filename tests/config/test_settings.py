"""Settings and profiles: all errors are reported together, each with an action."""

from __future__ import annotations

import json

import pytest
from pydantic import BaseModel

from lib.config import messages as mistakes
from lib.config.profile import Profile
from lib.config.settings import Settings, SettingsError

GOOD = {"INPUT_BUCKET": "the-input", "OUTPUT_BUCKET": "the-output"}


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


@pytest.mark.parametrize("model", [Settings, Profile])
def test_every_pattern_is_explained_in_words(model: type[BaseModel]) -> None:
    """No message shows a regular expression."""
    schema = model.model_json_schema()["properties"]
    patterned = {name for name, about in schema.items() if "pattern" in json.dumps(about)}
    assert patterned <= mistakes.FORMS.keys()


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
