"""The fields that identify a click or a person."""

from __future__ import annotations

import re
from functools import partial
from typing import Final

from lib.model.fields import Content, Field
from lib.rules.fields.languages import (
    COUNTRY,
    EMAIL,
    FIRST_NAME,
    LAST_NAME,
    PHONE,
    POSTAL_CODE,
    all_names,
)
from lib.rules.fields.units import kind_of_contact

# What cells look like, to suspect a column that no name identifies. The patterns accept only usual
# values: a wrong suspicion costs a person's time, a missing one leaves the file as it is. Google
# publishes no format of click IDs. They have begun like this so far (observed, not documented).
_GCLID: Final = re.compile(
    r"(?:Cj[0w]K|EAIaIQ|C[I-P][\w-]{2})[\w-]{16,}"
    # The URL of a landing page, or a note that a shop wrote.
    r"|(?:[\s\S]{0,1000}[\s?&|;,])?gclid(?:=|: ?)[\w-]{10,}[\s\S]*"
    r'|\{.{0,2000}"gclid": ?"[\w-]{10,}"[\s\S]*',
    re.ASCII,
)
_BRAID: Final = re.compile(
    r"(?:0AAAAA|C[j-n](?![0w]K)[\w-]K)[\w-]{10,}|\S*[?&][gw]braid=[\w-]{10,}\S*", re.ASCII
)
_EMAIL: Final = re.compile(r"[^@\s,;]+@[^@\s,;]+\.[^@\s,;.]{2,}")
_PHONE: Final = re.compile(
    r"(?:\+|00)[1-9](?:[\s()./-]{0,2}\d){7,14}"  # +49 30 555 0100
    r"|\(\d{2,4}\)\s?\d{2,4}(?:[\s.-]?\d){4,8}"  # (212) 555-0100
    r"|[2-9]\d\d([\s.-])\d{3}\1\d{4}"  # 212-555-0100
    r"|0\d{1,4}[\s/-]\d(?:[\s-]?\d){4,9}",  # 030 5550100
    re.ASCII,
)

_GCLIDS: Final = Content("LOOKS_LIKE_CLICK_IDS", _GCLID)
_BRAIDS: Final = Content("LOOKS_LIKE_BRAIDS", _BRAID)
_EMAILS: Final = Content("LOOKS_LIKE_EMAILS", _EMAIL)
_PHONES: Final = Content("LOOKS_LIKE_PHONE_NUMBERS", _PHONE)

_OBJECTS: Final = ("lead", "contact", "deal", "opportunity", "customer", "account", "person")
"""CRMs and their consultants put the object before the name of a click ID: `Lead GCLID`."""


def _of_objects(click_id: str) -> tuple[str, ...]:
    return tuple(f"{each} {click_id}" for each in _OBJECTS)


_CLICK_ID: Final = partial(
    Field, prefers_first_fallback=True, clear_in_brackets=True, identifies=True
)
_OF_ADDRESS: Final = partial(Field, target="address", prefers_first_fallback=True)

IDENTITY: Final[tuple[Field, ...]] = (
    _CLICK_ID(
        "gclid",
        "Google click ID (gclid) from the landing page URL.",
        aliases=(
            "google click id",
            "google click identifier",
            "google ad click id",
            "google ads click id",
            "hs_google_click_id",
        ),
        fallbacks=("click id",),
        crm_names=_of_objects("gclid"),
        content=_GCLIDS,
        target="gclid",
    ),
    _CLICK_ID(
        "gbraid",
        "Click ID of iOS clicks that lead from the web to an app.",
        crm_names=_of_objects("gbraid"),
        content=_BRAIDS,
        target="gbraid",
    ),
    _CLICK_ID(
        "wbraid",
        "Click ID of iOS clicks that lead from an app to the web.",
        crm_names=_of_objects("wbraid"),
        content=_BRAIDS,
        target="wbraid",
    ),
    Field(
        "email",
        "Email address, or its SHA-256 hash.",
        aliases=(
            "email address",
            "e-mail",
            "e-mail address",
            "customer email",
            "customer email address",
            "user email",
            "lead email",
            "contact email",
        ),
        fallbacks=("work email", "personal email", "secondary email", "additional email"),
        crm_names=all_names(EMAIL),
        numbered=True,
        read_unit=kind_of_contact,
        content=_EMAILS,
        identifies=True,
        target="hashed_emails",
    ),
    Field(
        "phone",
        "Phone number, or its SHA-256 hash.",
        aliases=(
            "phone number",
            "telephone",
            "telephone number",
            "tel",
            "customer phone",
            "customer phone number",
            "user phone",
            "contact phone",
        ),
        fallbacks=(
            "mobile",
            "mobile phone",
            "mobile number",
            "mobile phone number",
            "cell",
            "cell phone",
            "work phone",
            "business phone",
            "home phone",
            "other phone",
        ),
        crm_names=all_names(PHONE),
        numbered=True,
        read_unit=kind_of_contact,
        content=_PHONES,
        identifies=True,
        target="hashed_phones",
    ),
    Field(
        "hashed_email",
        "SHA-256 hash of the normalized email address: 64 hexadecimal digits.",
        aliases=("email hash", "email sha256", "sha256 email", "hashed email address"),
        numbered=True,
        identifies=True,
        target="hashed_emails",
    ),
    Field(
        "hashed_phone_number",
        "SHA-256 hash of a number such as +12125550101: 64 hexadecimal digits.",
        aliases=("hashed phone", "phone hash", "phone number hash", "phone sha256", "sha256 phone"),
        numbered=True,
        identifies=True,
        target="hashed_phones",
    ),
    _OF_ADDRESS(
        "first_name",
        "First name.",
        aliases=("given name", "forename", "customer first name"),
        crm_names=all_names(FIRST_NAME),
        not_sent_code="ADDRESS_NOT_SENT",
        kind="name",
    ),
    _OF_ADDRESS(
        "last_name",
        "Last name.",
        aliases=("family name", "surname", "customer last name"),
        crm_names=all_names(LAST_NAME),
        not_sent_code="ADDRESS_NOT_SENT",
        kind="name",
    ),
    _OF_ADDRESS(
        "postal_code",
        "Postal code of the address.",
        aliases=("postcode", "zip", "zip code", "post code", "zip/postal code"),
        fallbacks=(
            "mailing postal code",
            "mailing zip/postal code",
            "mailing zip",
            "billing postal code",
            "billing zip/postal code",
            "billing zip",
        ),
        crm_names=all_names(POSTAL_CODE),
        not_sent_code="ADDRESS_NOT_SENT",
    ),
    Field(
        "country_code",
        "Country of the address and of phone numbers without +: a two-letter code.",
        aliases=("country", "country/region"),
        fallbacks=(
            "mailing country code",
            "mailing country",
            "billing country code",
            "billing country",
        ),
        crm_names=all_names(COUNTRY),
        prefers_first_fallback=True,
        kind="country",
    ),
)
