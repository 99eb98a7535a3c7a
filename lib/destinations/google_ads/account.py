"""Reads the account's settings with GAQL, before the first row.

The queries are those of https://developers.google.com/google-ads/api/docs/conversions/upload-offline
(`conversion_tracking_setting` replaces the `offline_conversion_tracking_info` of an older guide).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lib.destinations.google_ads.enums import enum_name
from lib.destinations.google_ads.search import Search
from lib.model.account import Account, Action
from lib.model.fields import RecordKind

_SETTING = "customer.conversion_tracking_setting"

CUSTOMER_QUERY = (
    "SELECT customer.id, customer.time_zone, customer.currency_code, "
    f"{_SETTING}.google_ads_conversion_customer, {_SETTING}.accepted_customer_data_terms, "
    f"{_SETTING}.effective_enablement_setting FROM customer"
)

ACTION_QUERY = (
    "SELECT conversion_action.id, conversion_action.name, conversion_action.resource_name, "
    "conversion_action.type, conversion_action.status, conversion_action.counting_type, "
    "conversion_action.click_through_lookback_window_days, conversion_action.owner_customer, "
    "conversion_action.value_settings.always_use_default_value "
    "FROM conversion_action"
)

CUSTOM_VARIABLE_QUERY = (
    "SELECT conversion_custom_variable.id, conversion_custom_variable.name "
    "FROM conversion_custom_variable WHERE conversion_custom_variable.status = 'ENABLED'"
)

_ACCEPTS: Mapping[str, frozenset[RecordKind]] = {
    "UPLOAD_CLICKS": frozenset({"conversion", "adjustment"}),
    "UPLOAD_CALLS": frozenset({"call"}),
    "WEBPAGE": frozenset({"adjustment"}),
    "SALESFORCE": frozenset({"adjustment"}),
}
"""Type of conversion action → the kinds of record that may be uploaded for it."""


def read_account(customer_id: str, search: Search) -> Account:
    """Read the account, and the conversion actions of the customer that owns its conversions."""
    customer = next(iter(search(customer_id, CUSTOMER_QUERY)))
    setting = customer.conversion_tracking_setting
    owner = setting.google_ads_conversion_customer.rpartition("/")[2] or customer_id
    if owner != customer_id:
        # The terms and settings that matter are those of the account that gets the conversions.
        customer = next(iter(search(owner, CUSTOMER_QUERY)))
        setting = customer.conversion_tracking_setting
    actions = {}
    for each in search(owner, ACTION_QUERY):
        action = _action(each, owner)
        actions[action.id] = action
    return Account(
        customer_id=customer_id,
        conversion_customer_id=owner,
        time_zone=customer.time_zone,
        verified=True,
        accepted_customer_data_terms=setting.accepted_customer_data_terms,
        enhanced_conversions_on=enum_name(setting, "effective_enablement_setting") != "OFF",
        actions=actions,
    )


def read_custom_variables(customer_id: str, search: Search) -> dict[str, str]:
    """Return the account's conversion custom variables: name (case folded) → ID."""
    return {
        variable.name.casefold(): str(variable.id)
        for variable in search(customer_id, CUSTOM_VARIABLE_QUERY)
    }


def _action(action: Any, customer_id: str) -> Action:
    owner = action.owner_customer.rpartition("/")[2]
    kind = enum_name(action, "type_")
    return Action(
        id=str(action.id),
        name=action.name,
        enabled=enum_name(action, "status") == "ENABLED",
        accepts=_ACCEPTS.get(kind, frozenset()),
        one_per_click=enum_name(action, "counting_type") == "ONE_PER_CLICK",
        lookback_days=action.click_through_lookback_window_days or 30,
        owned=owner in ("", customer_id),
        needs_order_id=kind == "WEBPAGE",
        always_uses_default_value=action.value_settings.always_use_default_value,
    )
