"""The catalogue of fields: what a column may hold, and the header names it goes by.

Header names are compared by `header_key`: letters and digits only, without regard to case, so
each name stands here once. `aliases` mean the field wherever they stand, so two of them are an
error. `fallbacks` are words whose meaning hangs on the file ("value", "close date"): they count
only while no other column means the field; then they are ignored, except that an additional
e-mail address or phone number ("mobile" beside "phone") becomes the next numbered one.
"""

from __future__ import annotations

import re
from typing import NamedTuple

HIGHEST_NUMBER = 9
"""`email_2` ... `email_9`: more columns than the five identifiers that one conversion may have."""

CUSTOM_VARIABLE = "custom_variable."
"""What the fields of custom variables begin with; their names follow."""

_CUSTOM_VARIABLE = re.compile(
    r"\s*custom[\s_-]*variable\s*[.:]\s*(\S.*)", re.IGNORECASE | re.DOTALL
)
_SALESFORCE_SUFFIX = "__c"


class Field(NamedTuple):
    """One canonical field. Its own name is a header name too."""

    name: str
    description: str
    aliases: tuple[str, ...] = ()
    fallbacks: tuple[str, ...] = ()
    numbered: bool = False
    """Several columns may hold it: `email`, `email_2`, ..."""
    identifies: bool = False
    """A click or a person can be found by it: a file needs at least one such column."""
    best_fallback: bool = False
    """Of several fallbacks, the one that comes first above counts; else they are an error."""


FIELDS: tuple[Field, ...] = (
    Field(
        "gclid",
        "Google click id of the ad click.",
        (
            "google click id",
            "google click identifier",
            "google ad click id",
            "google ads click id",
            "hs_google_click_id",
        ),
        ("click id",),
        identifies=True,
    ),
    Field("gbraid", "Click id of app measurement from iOS, web to app.", identifies=True),
    Field("wbraid", "Click id of web measurement from iOS, app to web.", identifies=True),
    Field(
        "email",
        "E-mail address; hashed before it is sent. A SHA-256 digest is taken as it is.",
        (
            "email address",
            "e-mail",
            "e-mail address",
            "customer email",
            "customer email address",
            "user email",
            "lead email",
            "contact email",
        ),
        ("work email", "personal email", "secondary email", "additional email"),
        numbered=True,
        identifies=True,
    ),
    Field(
        "phone",
        "Phone number; hashed before it is sent. A SHA-256 digest is taken as it is.",
        (
            "phone number",
            "telephone",
            "telephone number",
            "tel",
            "customer phone",
            "customer phone number",
            "user phone",
            "contact phone",
        ),
        (
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
        numbered=True,
        identifies=True,
    ),
    Field(
        "hashed_email",
        "SHA-256 of the normalized e-mail address, 64 hex digits.",
        ("email hash", "email sha256", "sha256 email", "hashed email address"),
        numbered=True,
        identifies=True,
    ),
    Field(
        "hashed_phone_number",
        "SHA-256 of the phone number in E.164 format, 64 hex digits.",
        ("hashed phone", "phone hash", "phone number hash", "phone sha256", "sha256 phone"),
        numbered=True,
        identifies=True,
    ),
    Field("first_name", "Given name; hashed.", ("given name", "forename", "customer first name")),
    Field("last_name", "Family name; hashed.", ("family name", "surname", "customer last name")),
    Field(
        "street",
        "Street address.",
        ("street address",),
        ("address", "address line 1", "address 1", "mailing street", "billing street"),
        best_fallback=True,
    ),
    Field(
        "city",
        "City of the address.",
        (),
        ("town", "mailing city", "billing city"),
        best_fallback=True,
    ),
    Field(
        "region",
        "State or province of the address.",
        ("state/region", "state or region"),
        ("state", "province", "county", "mailing state", "billing state"),
        best_fallback=True,
    ),
    Field(
        "postal_code",
        "Postal code of the address.",
        (
            "postcode",
            "zip",
            "zip code",
            "post code",
            "zip/postal code",
        ),
        (
            "mailing postal code",
            "mailing zip/postal code",
            "mailing zip",
            "billing postal code",
            "billing zip/postal code",
            "billing zip",
        ),
        best_fallback=True,
    ),
    Field(
        "country_code",
        "Country of the address and of phone numbers without +, two letters.",
        (
            "country",
            "country/region",
        ),
        (
            "mailing country code",
            "mailing country",
            "billing country code",
            "billing country",
        ),
        best_fallback=True,
    ),
    Field(
        "conversion_action",
        "Conversion action: its id, resource name or name.",
        ("conversion name", "conversion action name", "conversion action id", "conversion event"),
    ),
    Field(
        "conversion_date_time",
        "When the conversion happened.",
        (
            "conversion time",
            "conversion date",
            "conversion datetime",
            "conversion timestamp",
            "converted at",
            "date",
        ),
        (
            "close date",
            "closed at",
            "date closed",
            "converted date",
            "time",
            "timestamp",
            "datetime",
            "event time",
        ),
    ),
    Field(
        "time_zone",
        "Zone of the row's time, an IANA name or an offset, when the time itself names none. Only "
        "spelled so, or as the alias: `Time Zone` is usually the contact's own, and is ignored.",
        ("conversion time zone",),
    ),
    Field(
        "conversion_value",
        "Value of the conversion.",
        ("amount", "revenue"),
        ("value", "deal value", "total", "price", "order value", "order total"),
    ),
    Field(
        "currency_code",
        "Currency of the value, an ISO 4217 code.",
        (
            "conversion currency",
            "conversion currency code",
            "currency",
            "currency iso code",
            "deal currency",
            "deal currency code",
        ),
        (
            "amount currency",
            "value currency",
            "order currency",
            "transaction currency",
            "revenue currency",
        ),
    ),
    Field(
        "order_id",
        "Id of the transaction: no two conversions of an action share one.",
        ("transaction id", "order number", "order no"),
    ),
    Field(
        "ad_user_data",
        "Consent to sending user data to Google: Granted or Denied.",
        ("consent ad user data", "ad user data consent"),
    ),
    Field(
        "ad_personalization",
        "Consent to personalized ads: Granted or Denied.",
        ("consent ad personalization", "ad personalization consent", "ad personalisation"),
    ),
    Field("conversion_environment", "Where it happened: APP or WEB."),
    Field("customer_type", "NEW or RETURNING."),
    Field(
        "user_ip_address",
        "IP address of the click, v4 or v6.",
        (),
        ("ip address", "ip"),
        identifies=True,
        best_fallback=True,
    ),
    Field(
        "session_attributes_encoded",
        "Session attributes as Google's tag encodes them.",
        ("session attributes",),
        identifies=True,
    ),
    Field(
        "session_attributes_key_value_pairs",
        "Session attributes as key=value pairs.",
        identifies=True,
    ),
    Field("merchant_id", "Cart: Merchant Center account.", ("cart data merchant id",)),
    Field("feed_country_code", "Cart: country of the feed.", ("cart data feed country code",)),
    Field("feed_language_code", "Cart: language of the feed.", ("cart data feed language code",)),
    Field(
        "local_transaction_cost",
        "Cart: discount of the whole order.",
        ("cart data local transaction cost",),
    ),
    Field("items", "Cart: the items bought.", ("cart items", "cart data items")),
    Field("external_attribution_credit", "Share of the conversion given to this click, 0 to 1."),
    Field("external_attribution_model", "Name of the external attribution model."),
    Field(
        "customer_id",
        "Google Ads account of the row, for a file with several accounts. Only spelled so, or as "
        "one of the aliases: `Customer ID` is usually the CRM's own number, and is ignored.",
        ("google ads customer id", "ads customer id", "google ads account id"),
    ),
    Field("event_source", "Data Manager: WEB, APP, IN_STORE, PHONE, MESSAGE or OTHER."),
)

BY_NAME = {field.name: field for field in FIELDS}


def header_key(header: str) -> str:
    """What two header names have in common: `Google_Click_ID__c` is `google click id`."""
    plain = header.strip().casefold().removesuffix(_SALESFORCE_SUFFIX)
    return "".join(filter(str.isalnum, plain)) or plain


def custom_variable(header: str) -> str | None:
    """`Custom variable: Plan` → `custom_variable.Plan`; None when it is no such header."""
    match = _CUSTOM_VARIABLE.fullmatch(header)
    return CUSTOM_VARIABLE + match[1].strip() if match else None


def is_field(name: str) -> bool:
    """Whether a profile may give `name` header names of its own."""
    if name in BY_NAME or (name.startswith(CUSTOM_VARIABLE) and name != CUSTOM_VARIABLE):
        return True
    base, _, number = name.rpartition("_")
    return base in BY_NAME and BY_NAME[base].numbered and number in _NUMBERS


_NUMBERS = {str(number) for number in range(2, HIGHEST_NUMBER + 1)}
_ALIASES = {header_key(a): f for f in FIELDS for a in (f.name, *f.aliases)}
_FALLBACKS = {header_key(a): f for f in FIELDS for a in f.fallbacks}


def field_of(key: str) -> tuple[str, bool] | None:
    """The field that a header key means and whether only as a fallback; None: unknown.

    A number at its end counts where several columns may hold the field: `email2`; 1 is none.
    """
    if field := _ALIASES.get(key):
        return field.name, False
    if field := _FALLBACKS.get(key):
        return field.name, True
    base, number = key[:-1], key[-1:]
    numbered = _ALIASES.get(base)
    if numbered and numbered.numbered and number == "1":
        return numbered.name, False
    if numbered and numbered.numbered and number in _NUMBERS:
        return f"{numbered.name}_{number}", False
    return None
