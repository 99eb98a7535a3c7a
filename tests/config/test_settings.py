"""Settings and profiles: all errors are reported together, each with an action."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from pydantic import BaseModel

from lib.config import mistakes
from lib.config.profile import Profile
from lib.config.settings import Settings
from lib.errors import SettingsError

ROOT = Path(__file__).parents[2]
GOOD = {"INPUT_BUCKET": "the-input", "OUTPUT_BUCKET": "the-output", "PROFILES": "profiles.json"}


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
        (
            {"WINDOW": "many", "REQUEST_TIMEOUT_SECONDS": "0"},
            "REQUEST_TIMEOUT_SECONDS: too small. Write a number greater than 0.\n"
            "WINDOW: not a whole number. Write a whole number.",
        ),
        (
            {"REQUEST_TIMEOUT_SECONDS": "nan"},
            "REQUEST_TIMEOUT_SECONDS: not a finite number. Write a number.",
        ),
        (
            {"REQUEST_TIMEOUT_SECONDS": "long"},
            "REQUEST_TIMEOUT_SECONDS: not a number. Write a number.",
        ),
        ({"LIST_ALL_ROWS": "maybe"}, "LIST_ALL_ROWS: neither true nor false. Write true or false."),
        (
            {"GOOGLE_ADS_SECRET": "my-secret"},
            "GOOGLE_ADS_SECRET: wrong format. Write projects/PROJECT/secrets/NAME, with or without "
            "/versions/VERSION.",
        ),
        *(
            (
                {name: "the-input"},
                "INPUT_BUCKET: also used for the results or the state, so every object written "
                "there would start the function again. Set OUTPUT_BUCKET and STATE_BUCKET to "
                "another bucket.",
            )
            for name in ("OUTPUT_BUCKET", "STATE_BUCKET")
        ),
        *(
            (
                {name: "40"},
                f"{name}: not more than DEADLINE_MARGIN_SECONDS (40), so no row would ever be "
                "sent. Set a longer time limit or a shorter margin.",
            )
            for name in ("TIME_LIMIT_SECONDS", "SWEEP_TIME_LIMIT_SECONDS")
        ),
        ({"TIME_LIMIT_SECONDS": "inf"}, "TIME_LIMIT_SECONDS: not a finite number. Write a number."),
        ({"STATE_PREFIX": "state"}, "STATE_PREFIX: no slash at the end. Add one."),
    ],
)
def test_the_message_for_a_wrong_variable(changed: dict[str, str], said: str) -> None:
    """Each wrong variable gets one line with the error and what to write, in our words instead of
    pydantic's, and without its value."""
    with pytest.raises(SettingsError) as raised:
        Settings.from_environment({**GOOD, **changed})
    assert str(raised.value) == said


def test_the_defaults_are_valid() -> None:
    """Only the two buckets and the place of the profiles have none."""
    settings = Settings.from_environment(GOOD)
    assert settings.bucket_of_state == "the-output"


def test_every_setting_is_read() -> None:
    """No setting outlives what it changed, and none is forgotten."""
    sources = [path for path in (ROOT / "lib").rglob("*.py") if "config" not in path.parts]
    read = {
        name
        for path in (ROOT / "main.py", *sources)
        for name in re.findall(r"settings\.(\w+)", path.read_text("utf-8"))
    }
    by_name = {"bucket_of_state": "state_bucket", "endpoint": "destination_endpoints"}
    assert Settings.model_fields.keys() - {by_name.get(each, each) for each in read} == set()


@pytest.mark.parametrize("model", [Settings, Profile])
def test_every_pattern_is_explained_in_words(model: type[BaseModel]) -> None:
    """No message shows a regular expression."""
    schema = model.model_json_schema()["properties"]
    patterned = {name for name, about in schema.items() if "pattern" in json.dumps(about)}
    assert patterned <= mistakes.FORMS.keys()


def test_lists_are_separated_by_commas() -> None:
    """An environment variable is a single text."""
    settings = Settings.from_environment({**GOOD, "ACCEPTED_SUFFIXES": ".csv, .txt"})
    assert settings.accepted_suffixes == (".csv", ".txt")
