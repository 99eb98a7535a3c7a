"""Hypothesis strategies for records with any of the fields that an API can be sent."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from hypothesis import strategies as st

from lib.model.adjustment_types import ADJUSTMENT_TYPES
from lib.model.records import Address, Adjustment, Call, CartItem, Conversion

_IDS: Final = st.text("abcXYZ012-_", min_size=1, max_size=1_024)
_DIGEST: Final = st.text("0123456789abcdef", min_size=64, max_size=64)
_DIGESTS: Final = st.lists(_DIGEST, max_size=5).map(tuple)
ORDER_IDS: Final = st.text(min_size=1, max_size=512).filter(str.isprintable)
_TIMES: Final = st.builds(
    lambda moment, zone: f"{moment:%Y-%m-%d %H:%M:%S}{zone}",
    st.datetimes(datetime(1960, 1, 2), datetime(3090, 1, 1)),
    st.sampled_from(["+00:00", "-06:00", "+05:45", "-03:30", "+14:00"]),
)
_VALUES: Final = st.none() | st.floats(0, allow_infinity=False)
_CURRENCIES: Final = st.sampled_from([None, "USD", "EUR"])
_CONSENTS: Final = st.sampled_from([None, "GRANTED", "DENIED"])
EVENT_SOURCES: Final = st.sampled_from(["WEB", "APP", "IN_STORE", "PHONE", "MESSAGE", "OTHER"])
_CUSTOM_VARIABLES: Final = (("7001", "ümlaut"), ("tier", "2"))

CART: Final[dict[str, Any]] = {
    "merchant_id": 12,
    "feed_country_code": "US",
    "feed_language_code": "en",
    "local_transaction_cost": 1.5,
    "items": (CartItem("p", 2, 9.5),) * 400,  # more bytes than a length of two bytes can count
}
OPTIONAL_FIELDS: Final[dict[str, st.SearchStrategy[Any]]] = {
    "ad_personalization": st.sampled_from(["GRANTED", "DENIED"]),
    "conversion_environment": st.sampled_from(["APP", "WEB"]),
    "customer_type": st.sampled_from(["NEW", "RETURNING"]),
    "landing_page_user_agent": st.just("Mozilla/5.0 (X11)"),
    "user_ip_address": st.sampled_from(["192.0.2.1", "2001:db8::1"]),
    "session_attributes_encoded": st.just(b"eyJnYWRfc291cmNlIjoiMSJ9"),
    "session_attributes_key_value_pairs": st.just((("gad_source", "1"), ("gad_campaignid", "2"))),
    "custom_variables": st.just(_CUSTOM_VARIABLES),
    "cart": st.just(CART),
    "address": st.just(Address("a" * 64, "b" * 64, "GB", "SW1A 1AA")),
    "event_source": EVENT_SOURCES,
}


def _has_one_form_of_session_attributes(optional: dict[str, Any]) -> bool:
    """The rules refuse a row that has both."""
    return not optional.keys() >= {
        "session_attributes_encoded",
        "session_attributes_key_value_pairs",
    }


CONVERSIONS: Final = st.builds(
    Conversion,
    action_id=st.sampled_from([*map(str, range(1_001, 1_014)), "名前"]),
    time=_TIMES,
    gclid=st.just("") | _IDS,
    gbraid=st.just("") | _IDS,
    wbraid=st.just("") | _IDS,
    hashed_emails=_DIGESTS,
    hashed_phones=_DIGESTS,
    value=_VALUES,
    currency_code=_CURRENCIES,
    order_id=st.none() | ORDER_IDS | st.sampled_from(["0", "123456"]),
    ad_user_data=_CONSENTS,
    optional_fields=st.none()
    | st.fixed_dictionaries({}, optional=OPTIONAL_FIELDS).filter(
        _has_one_form_of_session_attributes
    ),
    warnings=st.just(()),
)
ADJUSTMENTS: Final = st.builds(
    Adjustment,
    action_id=st.sampled_from(["1001", "1002"]),
    adjustment_type=st.sampled_from([*ADJUSTMENT_TYPES]),
    time=_TIMES,
    order_id=st.none() | _IDS,
    gclid=_IDS,
    conversion_time=_TIMES,
    value=_VALUES,
    currency_code=_CURRENCIES,
    original=st.none(),
    warnings=st.just(()),
)
CALLS: Final = st.builds(
    Call,
    action_id=st.sampled_from(["1001", "1002"]),
    caller_id=st.sampled_from(["+12125550142", "+442071838750"]),
    call_time=_TIMES,
    time=_TIMES,
    value=_VALUES,
    currency_code=_CURRENCIES,
    ad_user_data=_CONSENTS,
    optional_fields=st.none()
    | st.fixed_dictionaries(
        {},
        optional={
            name: OPTIONAL_FIELDS[name] for name in ("ad_personalization", "custom_variables")
        },
    ),
    warnings=st.just(()),
)


def click_id_of(row: Conversion) -> dict[str, str]:
    """Return the first click ID of a conversion by its name, if it has any. Only this one is sent,
    because Google refuses or ignores two together."""
    given = {"gclid": row.gclid, "gbraid": row.gbraid, "wbraid": row.wbraid}
    return dict([each for each in given.items() if each[1]][:1])
