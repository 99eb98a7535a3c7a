"""The fields that identify a click or a person."""

from __future__ import annotations

from functools import partial
from typing import Final

from lib.model.fields import Field

_OF_ADDRESS: Final = partial(Field, target="address")

IDENTITY: Final[tuple[Field, ...]] = (
    Field(
        "gclid",
        "Google click ID (gclid) from the landing page URL.",
        template_names=("Google Click ID",),
        target="gclid",
    ),
    Field("gbraid", "Click ID of iOS clicks that lead from the web to an app.", target="gbraid"),
    Field("wbraid", "Click ID of iOS clicks that lead from an app to the web.", target="wbraid"),
    Field("email", "Email address, or its SHA-256 hash.", numbered=True, target="hashed_emails"),
    Field(
        "phone",
        "Phone number, or its SHA-256 hash.",
        template_names=("Phone Number",),
        numbered=True,
        target="hashed_phones",
    ),
    Field(
        "hashed_email",
        "SHA-256 hash of the normalized email address: 64 hexadecimal digits.",
        numbered=True,
        target="hashed_emails",
    ),
    Field(
        "hashed_phone_number",
        "SHA-256 hash of a number such as +12125550101: 64 hexadecimal digits.",
        numbered=True,
        target="hashed_phones",
    ),
    _OF_ADDRESS("first_name", "First name.", kind="name"),
    _OF_ADDRESS("last_name", "Last name.", kind="name"),
    _OF_ADDRESS("postal_code", "Postal code of the address."),
    Field(
        "country_code",
        "Country of the address and of phone numbers without +: a two-letter code.",
        kind="country",
    ),
)
