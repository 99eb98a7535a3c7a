"""No message of an API quotes a row, in whatever form."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

import pytest
from google.ads import datamanager_v1 as dm

from lib.destinations.redaction import without_values

_Event: Any = dm.Event.pb()
DIGEST = hashlib.sha256(b"jane@example.com").hexdigest()
BASE64 = base64.b64encode(bytes.fromhex(DIGEST)).decode()
SENT = _Event(transaction_id="SO-1001")
SENT.user_data.user_identifiers.add(email_address=DIGEST)


@pytest.mark.parametrize(
    "quoted",
    [
        *(DIGEST, DIGEST.upper(), DIGEST[:16], DIGEST[20:40].upper(), f"{DIGEST[:8]}..."),
        *(
            BASE64,
            BASE64[:20],
            BASE64.translate(str.maketrans("+/", "-_")),
            "SO%2D1001",
            "\uff33\uff2f-1001",
        ),
    ],
)
def test_a_message_that_quotes_a_sent_value_is_left_out(quoted: str) -> None:
    """A digest is recognized in upper case, in base64, and if only a part of it is there."""
    assert without_values(f"The value {quoted} is wrong.", SENT) == ""


@pytest.mark.parametrize(
    "address",
    [
        "jane@example.com",
        "jane%40example.com",
        "jane\uff20example.com",
        "jane\ufe6bexample.com",
        "jane%ef%bc%a0example.com",
    ],
)
def test_an_address_is_replaced(address: str) -> None:
    """It may be another one than what was sent, percent-encoded, or of full width."""
    assert without_values(f"The value {address} is wrong.", SENT) == "The value [email] is wrong."


def test_other_messages_stay() -> None:
    """Words and codes that look like no digest are kept."""
    text = "PROCESSING_ERROR_REASON_INVALID_CLICK: the conversion_value is not valid (abcdef)."
    assert without_values(text, SENT) == text
