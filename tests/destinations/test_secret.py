"""The secret: what it may contain, and how its mistakes are told."""

from __future__ import annotations

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.destinations.credentials import read_secret
from lib.errors import PermanentError

CLIENT = "client_id: abc.example.com\nclient_secret: hidden\nrefresh_token: 1//hidden\n"
KEY = {"type": "service_account", "private_key": "hidden", "client_email": "f@example.com"}


@pytest.mark.parametrize(
    "text, key, value",
    [
        ("developer_token: 12345678", "developer_token", "12345678"),
        ("developer_token: 01234567", "developer_token", "01234567"),
        ("linked_customer_id: 1234567890", "linked_customer_id", "1234567890"),
        ("login_customer_id: 123-456-7890", "login_customer_id", "1234567890"),
        ("login_customer_id:", "login_customer_id", ""),
        ("client_secret: 123", "client_secret", "123"),
        ("use_proto_plus: True\nlogging: {version: 1}", "developer_token", ""),
    ],
)
def test_natural_spellings_are_understood(text: str, key: str, value: str) -> None:
    """A number without quotes is what it looks like, and unknown keys are ignored."""
    lines = "".join(line for line in CLIENT.splitlines(True) if not line.startswith(f"{key}:"))
    assert getattr(read_secret(f"{lines}{text}\n"), key) == value


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(KEY),
        json.dumps({"json_key": KEY}),
        json.dumps({"json_key": json.dumps(KEY)}),
        f"json_key: |\n  {json.dumps(KEY)}\n",
    ],
)
def test_a_service_account_key_is_read(text: str) -> None:
    """It may be the whole secret, a part of it, or JSON in a string."""
    assert read_secret(text).json_key == KEY


@pytest.mark.parametrize(
    "text, told",
    [
        ("", "it must be lines of the form key: value"),
        ("just a hidden password", "it must be lines of the form key: value"),
        ("- hidden", "it must be lines of the form key: value"),
        ("client_id: hidden\n  client_secret: hidden", "it is not valid YAML in line 2"),
        ("client_id: a\nclient_secret: hidden", "missing: refresh_token"),
        ("use_proto_plus: true", "missing: client_id, client_secret, refresh_token"),
        ("json_key: 5", "json_key must be the JSON key of a service account"),
        ("json_key: '{hidden'", "json_key must be the JSON key of a service account"),
        (CLIENT + "login_customer_id: hidden", "login_customer_id must be the ten digits"),
        (CLIENT + "developer_token: [hidden]", "developer_token must be one text"),
        ("use_application_default_credentials: hidden", "must be true or false"),
        (
            CLIENT + "developer_token: [hidden]\nlinked_customer_id: 5",
            "developer_token must be one text; linked_customer_id must be the ten digits",
        ),
    ],
)
def test_a_mistake_is_told_by_its_key(text: str, told: str) -> None:
    """The message says which key is wrong and what it must be, and repeats no value."""
    with pytest.raises(PermanentError) as raised:
        read_secret(text)
    assert raised.value.code == "SECRET_INVALID"
    assert told in raised.value.detail
    assert "hidden" not in str(raised.value)


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    """No content of the secret is an unexpected error."""
    with suppress(PermanentError):
        read_secret(text)
