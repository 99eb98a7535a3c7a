"""`UploadClickConversions`: Google's documented rules for one `ClickConversion`.

Where Google's documentation does not name the error code, a comment explains the choice. Sources:
the proto comments of `google.ads.googleads`, and the ads API docs conversions/upload-offline and
conversions/troubleshooting.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from sandbox.accounts import Account, ConversionAction
from sandbox.conversions import CLICK_ID, TOO_RECENT
from sandbox.google_ads import ads_module
from sandbox.google_ads.rows import Row
from sandbox.google_ads.uploads import Authorize, Checked, Unique, Uploads
from sandbox.state import State

_SHA256 = re.compile(r"[0-9a-fA-F]{64}").fullmatch
_CLICK_IDS = ("gclid", "gbraid", "wbraid")
_IDENTIFIER_ONLY_DAYS = 63
_types = ads_module("services.types.conversion_upload_service")


class ClickUploads(Uploads):
    request_type = _types.UploadClickConversionsRequest.pb()
    response_type = _types.UploadClickConversionsResponse.pb()
    counts_actions = True

    def __init__(self, state: State, authorize: Authorize) -> None:
        click = Unique(
            (
                "DUPLICATE_CLICK_CONVERSION_IN_REQUEST",
                "Multiple events have the same click and conversion_date_time.",
            ),
            (
                "CLICK_CONVERSION_ALREADY_EXISTS",
                "The event has the same click and conversion_date_time as an existing one.",
            ),
            state.click_keys,
        )
        order = Unique(
            (
                "DUPLICATE_ORDER_ID",
                "Imported events include multiple conversions with the same order ID.",
            ),
            (
                "ORDER_ID_ALREADY_IN_USE",
                "The imported event includes an order ID that was previously recorded.",
            ),
            state.order_keys,
            "order_id",
        )
        super().__init__(state, authorize, click, order)

    def is_open_to(self, account: Account) -> bool:
        # Closed to new adopters since 2026-06-15 (docs: conversions/upload-offline).
        return account.allowlisted_for_upload

    def check(self, row: Row) -> Checked | None:
        sent = row.message
        action = row.action("UPLOAD_CLICKS")
        moment = row.moment("conversion_date_time")
        click_id = _check_click_ids(row, action)
        if sent.user_identifiers:
            _check_account(row)
            _check_identifiers(row)
        elif not (click_id or sent.WhichOneof("session_attributes") or sent.user_ip_address):
            text = "A click id or user identifiers are required."
            row.refuse("field_error.REQUIRED", text, "gclid")
        row.money("conversion_value")
        row.order_id()
        if sent.custom_variables and sent.user_identifiers:
            # Google drops such a conversion without a specific code; the sandbox reports an error.
            text = "Custom variables can't be used with user identifiers."
            row.refuse("field_error.VALUE_MUST_BE_UNSET", text, "custom_variables")
        row.custom_variables()
        row.ad_personalization("click")
        _check_session_attributes(row)
        if moment is not None and action is not None:
            self._check_age(row, click_id, moment, action)
        if row.problems or moment is None or action is None:
            return None
        click_key = (click_id, action.id, moment.timestamp()) if click_id else None
        order_key = (sent.order_id, action.id) if sent.order_id else None
        return Checked(action.id, (click_key, order_key))

    def _check_age(
        self, row: Row, click_id: str, moment: datetime, action: ConversionAction
    ) -> None:
        field, text = "conversion_date_time", row.message.conversion_date_time
        days = action.lookback_days
        window = timedelta(days=days if click_id else min(days, _IDENTIFIER_ONLY_DAYS))
        clicked = self.state.clicks.get(click_id) if click_id else None
        if clicked is not None and row.now - clicked < TOO_RECENT:
            reason = "The click occurred less than 6 hours ago."
            row.refuse("TOO_RECENT_EVENT", reason, value=click_id)
        elif clicked is not None and moment < clicked:
            reason = "The conversion_date_time precedes the click."
            row.refuse("CONVERSION_PRECEDES_EVENT", reason, field, value=text)
        # A click precedes its conversion. So if the conversion is older than the window, its click
        # is too, whenever it happened.
        elif row.now - moment > window or (clicked is not None and moment - clicked > window):
            reason = "The click occurred before this conversion's click-through window."
            row.refuse("EXPIRED_EVENT", reason, field, value=text)


def _check_click_ids(row: Row, action: ConversionAction | None) -> str:
    """The click ID that counts; empty if there is none."""
    sent = row.message
    given = {name: value for name in _CLICK_IDS if (value := getattr(sent, name))}
    for name, value in given.items():
        if CLICK_ID(value) is None:
            text = f"The {name} could not be decoded."
            row.refuse(f"UNPARSEABLE_{name.upper()}", text, name, value=value)
    if sent.gbraid and sent.wbraid:
        text = "Can't use both gbraid and wbraid parameters."
        row.refuse("GBRAID_WBRAID_BOTH_SET", text, "gbraid")
    elif len(given) > 1:
        # Google's documentation does not clearly say whether a gclid and a braid can be combined.
        # The sandbox is strict, because sending exactly one is always correct.
        second = list(given)[1]
        text = "Only one of gclid, gbraid and wbraid may be set."
        row.refuse("field_error.VALUE_MUST_BE_UNSET", text, second, value=given[second])
    if action is not None and action.counting_type == "ONE_PER_CLICK":
        code = "ONE_PER_CLICK_CONVERSION_ACTION_NOT_PERMITTED_WITH_BRAID"
        text = "One-per-click conversion actions can't be used with gbraid or wbraid."
        for name in [name for name in given if name != "gclid"]:
            row.refuse(code, text, name, value=given[name])
    return next(iter(given.values()), "")


def _check_account(row: Row) -> None:
    """Whether the account may send user identifiers."""
    if len(row.message.user_identifiers) > 5:
        # The proto comment has the limit but no code; this is the general code for lists.
        text = "At most 5 user identifiers are allowed."
        row.refuse("collection_size_error.TOO_MANY", text, "user_identifiers")
    if not row.account.accepted_customer_data_terms:
        code = "CUSTOMER_NOT_ACCEPTED_CUSTOMER_DATA_TERMS"
        text = "The customer has not accepted the customer data terms."
    elif not row.account.enhanced_conversions_for_leads:
        code = "CUSTOMER_NOT_ENABLED_ENHANCED_CONVERSIONS_FOR_LEADS"
        text = "Enhanced conversions for leads are not turned on."
    else:
        return
    row.refuse(code, text, "user_identifiers")


def _check_identifiers(row: Row) -> None:
    for number, identifier in enumerate(row.message.user_identifiers):
        here = ("user_identifiers", number)
        member = identifier.WhichOneof("identifier")
        if member in ("hashed_email", "hashed_phone_number"):
            value = getattr(identifier, member)
            if _SHA256(value) is None:
                text = "Make sure you hash user provided data using SHA-256."
                row.refuse("INVALID_USER_IDENTIFIER", text, here, member, value=value)
        elif member is None:
            row.refuse("field_error.REQUIRED", "The required field was not set.", here)
        else:
            text = "Use only hashed email or phone number."
            row.refuse("UNSUPPORTED_USER_IDENTIFIER", text, here, member)


def _check_session_attributes(row: Row) -> None:
    """Open only to callers that used session attributes and IP addresses on 2026-02-02."""
    if row.account.allowlisted_for_session_attributes:
        return
    code = "not_allowlisted_error.CUSTOMER_NOT_ALLOWLISTED_FOR_THIS_FEATURE"
    text = "The customer is not allowlisted for accessing this feature."
    if attributes := row.message.WhichOneof("session_attributes"):
        row.refuse(code, text, attributes)
    if address := row.message.user_ip_address:
        row.refuse(code, text, "user_ip_address", value=address)
