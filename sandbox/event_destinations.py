"""Checks the destinations of a request: account, caller, conversion action, terms."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

import grpc
from google.ads import datamanager_v1 as dm

from sandbox.accounts import Account, ConversionAction
from sandbox.data_manager_errors import invalid, refusal
from sandbox.event_rules import Finding
from sandbox.rpc import Call
from sandbox.state import State

MAX_DESTINATIONS = 10
_GOOGLE_ADS = int(dm.ProductAccount.AccountType.GOOGLE_ADS)
_LEGACY_GOOGLE_ADS = int(dm.Product.GOOGLE_ADS)


@dataclass(slots=True)
class Target:
    """A destination of a request, and the outcome of the events for it.

    `errors` and `warnings` have, for each reason, the positions of the events in the request.
    """

    destination: Any
    account: Account
    action: ConversionAction
    records: int = 0
    errors: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    warnings: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))


def read_targets(request: Any, action_type: str, state: State, call: Call) -> list[Target]:
    """The checked destinations of an `IngestEventsRequest`. Raises `Refusal`.

    `action_type` is the type of conversion action that the request's events need.
    """
    if not request.destinations:
        text = "The required field is missing."
        raise invalid([Finding("destinations", "REQUIRED_FIELD_MISSING", text)], call)
    if len(request.destinations) > MAX_DESTINATIONS:
        text = "At most 10 destinations are allowed per request."
        raise invalid([Finding("destinations", "TOO_MANY_DESTINATIONS", text)], call)
    findings: list[Finding] = []
    targets: list[Target] = []
    references: set[str] = set()
    call.request.customer_id = request.destinations[0].operating_account.account_id
    call.request.login_customer_id = request.destinations[0].login_account.account_id
    for index, destination in enumerate(request.destinations):
        path = f"destinations[{index}]"
        if destination.reference in references and destination.reference:
            text = "Two or more destinations have the same reference."
            findings.append(Finding(path, "DUPLICATE_DESTINATION_REFERENCE", text))
        references.add(destination.reference)
        account = _account(destination, path, state, findings, call)
        if account is None:
            continue
        action = _action(destination, path, account, action_type, findings)
        if action is not None:
            targets.append(Target(destination, account, action))
    if any(event.HasField("user_data") for event in request.events):
        for index, target in enumerate(targets):
            findings += _user_data_terms(f"destinations[{index}]", target.account)
    if findings:
        raise invalid(findings, call)
    return targets


def _account(
    destination: Any, path: str, state: State, findings: list[Finding], call: Call
) -> Account | None:
    operating, login = destination.operating_account, destination.login_account
    if not operating.account_id:
        text = "The required field is missing."
        where = f"{path}.operating_account.account_id"
        findings.append(Finding(where, "REQUIRED_FIELD_MISSING", text))
        return None
    if operating.account_type != _GOOGLE_ADS and operating.product != _LEGACY_GOOGLE_ADS:
        text = "The destination account type is not that of the account."
        where = f"{path}.operating_account.account_type"
        findings.append(Finding(where, "DESTINATION_ACCOUNT_TYPE_MISMATCH", text))
        return None
    account = state.accounts.get(operating.account_id)
    caller = login.account_id
    permitted = account is not None and account.exists and account.accessible
    if account is not None and permitted:
        own = caller in ("", account.customer_id)
        permitted = account.direct_access if own else caller in account.managers
    denied = grpc.StatusCode.PERMISSION_DENIED
    if account is None or not permitted:
        text = "The user does not have permission or the resource is not found."
        raise refusal(denied, text, "PERMISSION_DENIED", call)
    if not account.data_manager_allowed:
        text = "The account is not allowlisted for the given feature."
        raise refusal(denied, text, "NOT_ALLOWLISTED", call)
    if account.conversion_customer != account.customer_id:
        text = "The operating account must be the Google Ads conversion customer."
        findings.append(Finding(f"{path}.operating_account", "INVALID_DESTINATION", text))
        return None
    return account


def _action(
    destination: Any, path: str, account: Account, action_type: str, findings: list[Finding]
) -> ConversionAction | None:
    where, given = f"{path}.product_destination_id", destination.product_destination_id
    action = account.owned_action(int(given)) if given.isdigit() else None
    if not given:
        finding = Finding(where, "REQUIRED_FIELD_MISSING", "The required field is missing.")
    elif action is None or action.status != "ENABLED":
        text = "Conversion action ID is not valid."
        finding = Finding(where, "INVALID_CONVERSION_ACTION_ID", text)
    elif action.type != action_type:
        text = "The conversion action type is not valid."
        finding = Finding(where, "INVALID_CONVERSION_ACTION_TYPE", text)
    elif action.age_hours < 6:
        text = "The conversion action was created too recently."
        finding = Finding(where, "CONVERSION_ACTION_TOO_RECENTLY_CREATED", text)
    else:
        return action
    findings.append(finding)
    return None


def _user_data_terms(path: str, account: Account) -> list[Finding]:
    if account.data_policy_prohibits_enhanced_conversions:
        text = "Enhanced conversions can't be used because of Google customer data policies."
        reason = "DESTINATION_ACCOUNT_DATA_POLICY_PROHIBITS_ENHANCED_CONVERSIONS"
    elif not account.accepted_customer_data_terms:
        text = "The destination account hasn't agreed to the terms for enhanced conversions."
        reason = "DESTINATION_ACCOUNT_ENHANCED_CONVERSIONS_TERMS_NOT_SIGNED"
    elif not account.enhanced_conversions_for_leads:
        text = "The destination account is not enabled for enhanced conversions for leads."
        reason = "DESTINATION_ACCOUNT_NOT_ENABLED_ENHANCED_CONVERSIONS_FOR_LEADS"
    else:
        return []
    return [Finding(path, reason, text)]
