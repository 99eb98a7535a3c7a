"""The destinations of a request: account, caller, conversion action, terms; and their status."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import grpc
from google.ads import datamanager_v1 as dm
from google.protobuf.json_format import MessageToDict

from sandbox.accounts import Account, ConversionAction
from sandbox.data_manager.errors import Finding, invalid, missing, refusal
from sandbox.rpc import Rpc
from sandbox.state import RecordIndices, State

MAX_DESTINATIONS = 10
_GOOGLE_ADS = int(dm.ProductAccount.AccountType.GOOGLE_ADS)


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


def read_targets(
    request: Any, action_types: Collection[str], state: State, rpc: Rpc
) -> list[Target]:
    """The checked destinations of an `IngestEventsRequest`. Raises `Refusal`.

    `action_types` are the types of conversion action that take the request's events.
    """
    if not request.destinations:
        raise invalid([missing("destinations")], rpc)
    if len(request.destinations) > MAX_DESTINATIONS:
        text = "At most 10 destinations are allowed per request."
        raise invalid([Finding("destinations", "TOO_MANY_DESTINATIONS", text)], rpc)
    findings: list[Finding] = []
    targets: list[Target] = []
    references: set[str] = set()
    rpc.request.customer_id = request.destinations[0].operating_account.account_id
    rpc.request.login_customer_id = request.destinations[0].login_account.account_id
    for index, destination in enumerate(request.destinations):
        path = f"destinations[{index}]"
        if destination.reference in references and destination.reference:
            text = "Two or more destinations have the same reference."
            findings.append(Finding(path, "DUPLICATE_DESTINATION_REFERENCE", text))
        references.add(destination.reference)
        account = _account(destination, path, state, findings, rpc)
        if account is None:
            continue
        action = _action(destination, path, account, action_types, findings)
        if action is not None:
            targets.append(Target(destination, account, action))
    if any(event.HasField("user_data") for event in request.events):
        for index, target in enumerate(targets):
            findings += _user_data_terms(f"destinations[{index}]", target.account)
    if findings:
        raise invalid(findings, rpc)
    return targets


def _account(
    destination: Any, path: str, state: State, findings: list[Finding], rpc: Rpc
) -> Account | None:
    operating, login = destination.operating_account, destination.login_account
    if not operating.account_id:
        findings.append(missing(f"{path}.operating_account.account_id"))
        return None
    if operating.account_type != _GOOGLE_ADS:
        text = "The destination account type is not that of the account."
        where = f"{path}.operating_account.account_type"
        findings.append(Finding(where, "DESTINATION_ACCOUNT_TYPE_MISMATCH", text))
        return None
    denied = grpc.StatusCode.PERMISSION_DENIED
    account = state.accounts.get(operating.account_id)
    if account is None or not _may_use(account, login.account_id):
        text = "The user does not have permission or the resource is not found."
        raise refusal(denied, text, "PERMISSION_DENIED", rpc)
    if not account.data_manager_allowed:
        text = "The account is not allowlisted for the given feature."
        raise refusal(denied, text, "NOT_ALLOWLISTED", rpc)
    if account.conversion_customer != account.customer_id:
        text = "The operating account must be the Google Ads conversion customer."
        findings.append(Finding(f"{path}.operating_account", "INVALID_DESTINATION", text))
        return None
    return account


def _may_use(account: Account, login: str) -> bool:
    own = login in ("", account.customer_id)
    return account.accessible and (account.direct_access if own else login in account.managers)


def _action(
    destination: Any,
    path: str,
    account: Account,
    action_types: Collection[str],
    findings: list[Finding],
) -> ConversionAction | None:
    where, given = f"{path}.product_destination_id", destination.product_destination_id
    action = account.owned_action(int(given)) if given.isdigit() else None
    if not given:
        finding = missing(where)
    elif action is None or action.status != "ENABLED":
        text = "Conversion action ID is not valid."
        finding = Finding(where, "INVALID_CONVERSION_ACTION_ID", text)
    elif action.type not in action_types:
        text = "The conversion action type is not valid."
        finding = Finding(where, "INVALID_CONVERSION_ACTION_TYPE", text)
    elif action.is_new:
        text = "The conversion action was created too recently."
        finding = Finding(where, "CONVERSION_ACTION_TOO_RECENTLY_CREATED", text)
    else:
        return action
    findings.append(finding)
    return None


def _user_data_terms(path: str, account: Account) -> list[Finding]:
    if not account.accepted_customer_data_terms:
        text = "The destination account hasn't agreed to the terms for enhanced conversions."
        reason = "DESTINATION_ACCOUNT_ENHANCED_CONVERSIONS_TERMS_NOT_SIGNED"
    elif not account.enhanced_conversions_for_leads:
        text = "The destination account is not enabled for enhanced conversions for leads."
        reason = "DESTINATION_ACCOUNT_NOT_ENABLED_ENHANCED_CONVERSIONS_FOR_LEADS"
    else:
        return []
    return [Finding(path, reason, text)]


# The status


def status_of(target: Target, done: bool) -> str:
    failed = sum(map(len, target.errors.values()))
    if not done:
        return "PROCESSING"
    if not failed:
        return "SUCCESS"
    return "FAILED" if failed == target.records else "PARTIAL_SUCCESS"


def rest_status(targets: Iterable[Target], done: bool, record_indices: RecordIndices) -> bytes:
    """The JSON of a `RetrieveRequestStatusResponse`, in which every int64 is a string.

    Since v1.9 (2026-11-04), it names the events: `recordIndices`, positions in the request. The
    client library for gRPC (0.9.4) has no field for them, so nothing asks for the status by gRPC.
    https://developers.google.com/data-manager/api/reference/rest/v1/requestStatus/retrieve
    """
    destinations = []
    for target in targets:
        one: dict[str, Any] = {
            "destination": MessageToDict(target.destination),
            "requestStatus": status_of(target, done),
            "eventsIngestionStatus": {"recordCount": str(target.records)},
        }
        if done and target.errors:
            one["errorInfo"] = {"errorCounts": _counts(target.errors, record_indices)}
        if done and target.warnings:
            one["warningInfo"] = {"warningCounts": _counts(target.warnings, record_indices)}
        destinations.append(one)
    return json.dumps({"requestStatusPerDestination": destinations}).encode()


def _counts(
    events_by_reason: Mapping[str, list[int]], record_indices: RecordIndices
) -> list[dict[str, Any]]:
    counts = []
    for reason, events in sorted(events_by_reason.items()):
        count: dict[str, Any] = {"reason": reason, "recordCount": str(len(events))}
        if record_indices != "none":
            count["recordIndices"] = events if record_indices == "all" else events[::2]
        counts.append(count)
    return counts
