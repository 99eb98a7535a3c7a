"""The part of the Google Ads Query Language that preflight and diagnostics need.

`SELECT fields FROM resource [WHERE field = value AND ...]`, on the resources of `_RESOURCES`. A
field that this version of the API does not have is refused, as Google does: names are looked up in
the real `GoogleAdsRow`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any
from zoneinfo import ZoneInfo

from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.json_format import ParseDict

from sandbox.accounts import Account
from sandbox.google_ads import ads_module
from sandbox.google_ads.errors import code_number
from sandbox.state import State

_Row: Any = ads_module("services.types.google_ads_service").GoogleAdsRow.pb()
_QUERY = re.compile(
    r"\s*SELECT\s+(?P<fields>.+?)\s+FROM\s+(?P<resource>\w+)"
    r"(?:\s+WHERE\s+(?P<where>.+?))?\s*",
    re.IGNORECASE | re.DOTALL,
)
_CONDITION = re.compile(
    r"\s*(?P<field>[\w.]+)\s*=\s*(?:'(?P<quoted>[^']*)'|(?P<plain>[\w.+-]+))\s*"
)
_ALERT_ERRORS = frozenset(
    ads_module("resources.types.offline_conversion_upload_client_summary")
    .OfflineConversionError.pb()
    .DESCRIPTOR.fields_by_name
)


class QueryProblem(Exception):
    """Google would refuse the query; `code` is the name in its `QueryError` enum."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def run(query: str, account: Account, state: State) -> tuple[list[Any], FieldMask]:
    """The raw `GoogleAdsRow`s of a query, and its field mask. Raises `QueryProblem`."""
    match = _QUERY.fullmatch(query)
    if match is None:
        code = "EXPECTED_SELECT" if not re.match(r"\s*SELECT\b", query, re.I) else "QUERY_ERROR"
        raise QueryProblem(code, "Error in query: it can't be parsed.")
    resource = match["resource"].lower()
    make_rows = _RESOURCES.get(resource)
    if make_rows is None:
        code = "BAD_RESOURCE_TYPE_IN_FROM_CLAUSE"
        raise QueryProblem(code, f"'{resource}' is no resource (of the sandbox).")
    fields = [field.strip() for field in match["fields"].split(",")]
    wanted = _conditions(match["where"])
    for clause, names in (("SELECT", fields), ("WHERE", wanted)):
        for field in names:
            _check_field(field)
            if field.partition(".")[0] != resource:
                # Google may join the resources; here, the answer would lack the field.
                code = f"PROHIBITED_RESOURCE_TYPE_IN_{clause}_CLAUSE"
                raise QueryProblem(code, f"'{field}' is no field of {resource}.")
    rows = [ParseDict({resource: one}, _Row()) for one in make_rows(account, state)]
    rows = [row for row in rows if all(_holds(row, *each) for each in wanted.items())]
    mask = FieldMask(paths=fields)
    return [_project(row, mask) for row in rows], mask


def _conditions(where: str | None) -> dict[str, str]:
    """Field → the value that it must have."""
    wanted = {}
    for part in re.split(r"\s+AND\s+", where, flags=re.IGNORECASE) if where else ():
        match = _CONDITION.fullmatch(part)
        if match is None:
            text = f"The condition on {part.split()[0]} can't be parsed."
            raise QueryProblem("BAD_OPERATOR", text)
        wanted[match["field"]] = match["plain"] or match["quoted"] or ""
    return wanted


def _proto_name(name: str) -> str:
    """The field's name in the Python messages: `conversion_action.type` is `type_` there."""
    return f"{name}_" if name.endswith(".type") else name


def _check_field(name: str) -> Any:
    """The descriptor of a field such as `customer.time_zone`. Raises `QueryProblem`."""
    descriptor, found = _Row.DESCRIPTOR, None
    for part in _proto_name(name).split("."):
        found = descriptor.fields_by_name.get(part) if descriptor is not None else None
        if found is None:
            raise QueryProblem("UNRECOGNIZED_FIELD", f"Unrecognized field in the query: '{name}'.")
        descriptor = found.message_type
    return found


def _holds(row: Any, name: str, wanted: str) -> bool:
    field, value = _check_field(name), row
    for part in _proto_name(name).split("."):
        value = getattr(value, part)
    if field.enum_type is not None:
        if wanted not in field.enum_type.values_by_name:
            raise QueryProblem("BAD_ENUM_CONSTANT", f"Invalid enum value: {wanted}.")
        value = field.enum_type.values_by_number[value].name
    return str(value) == (wanted.capitalize() if isinstance(value, bool) else wanted)


def _project(row: Any, mask: FieldMask) -> Any:
    projected = _Row()
    FieldMask(paths=[_proto_name(path) for path in mask.paths]).MergeMessage(row, projected)
    return projected


# The resources, as proto JSON


def _customers(account: Account, state: State) -> Iterator[dict[str, Any]]:
    enablement = "ON" if account.enhanced_conversions_for_leads else "OFF"
    yield {
        "resource_name": f"customers/{account.customer_id}",
        "id": account.customer_id,
        "descriptive_name": account.descriptive_name,
        "time_zone": account.time_zone,
        "currency_code": account.currency_code,
        "status": "ENABLED",
        "conversion_tracking_setting": {
            "google_ads_conversion_customer": f"customers/{account.conversion_customer}",
            "accepted_customer_data_terms": account.accepted_customer_data_terms,
            "enablement_setting": enablement,
            "effective_enablement_setting": enablement,
        },
    }


def _conversion_actions(account: Account, state: State) -> Iterator[dict[str, Any]]:
    for one in account.conversion_actions:
        yield {
            "resource_name": f"customers/{account.customer_id}/conversionActions/{one.id}",
            "id": one.id,
            "name": one.name,
            "type": one.type,
            "status": one.status,
            "counting_type": one.counting_type,
            "click_through_lookback_window_days": one.lookback_days,
            "value_settings": {"always_use_default_value": one.always_use_default_value},
            "owner_customer": f"customers/{one.owner or account.customer_id}",
        }


def _custom_variables(account: Account, state: State) -> Iterator[dict[str, Any]]:
    owner = f"customers/{account.customer_id}"
    for one in account.custom_variables:
        yield {
            "resource_name": f"{owner}/conversionCustomVariables/{one.id}",
            "id": one.id,
            "name": one.name,
            "tag": one.name,
            "status": one.status,
            "owner_customer": owner,
        }


def _client_summaries(account: Account, state: State) -> Iterator[dict[str, Any]]:
    owner = f"customers/{account.customer_id}"
    summary = _summary(account, "", state)
    total = summary["total_event_count"]
    yield {
        "resource_name": f"{owner}/offlineConversionUploadClientSummaries/GOOGLE_ADS_API",
        # The summaries of actions do not have this field.
        "success_rate": summary["successful_event_count"] / total if total else 0.0,
        **summary,
    }


def _action_summaries(account: Account, state: State) -> Iterator[dict[str, Any]]:
    """One summary for each action that received an upload."""
    kind = f"customers/{account.customer_id}/offlineConversionUploadConversionActionSummaries"
    for one in account.conversion_actions:
        if (account.customer_id, str(one.id)) in state.jobs:
            yield {
                "resource_name": f"{kind}/{one.id}~GOOGLE_ADS_API",
                "conversion_action_id": one.id,
                "conversion_action_name": one.name,
                **_summary(account, str(one.id), state),
            }


def _summary(account: Account, action: str, state: State) -> dict[str, Any]:
    """What Google counts of the uploads for one action ("": for all), newest job first."""
    with state.lock:
        jobs = sorted(
            state.jobs.get((account.customer_id, action), {}).items(),
            key=lambda job: str(job[1].last_upload),
            reverse=True,
        )
    successful = sum(counts.successful for _, counts in jobs)
    total = successful + sum(counts.failed for _, counts in jobs)
    errors: Counter[str] = Counter()
    for _, counts in jobs:
        errors.update(counts.errors)
    last = max((counts.last_upload for _, counts in jobs if counts.last_upload), default=None)
    # In the account's time zone, without an offset.
    last = last and last.astimezone(ZoneInfo(account.time_zone))
    # Google does not document the thresholds between these.
    status = "NEEDS_ATTENTION" if successful < 0.5 * total else "GOOD"
    if successful >= 0.9 * total:
        status = "EXCELLENT" if total else "NO_RECENT_UPLOAD"
    return {
        "client": "GOOGLE_ADS_API",
        "status": status,
        "successful_event_count": successful,
        "total_event_count": total,
        "last_upload_date_time": f"{last:%Y-%m-%d %H:%M:%S}" if last else "",
        "job_summaries": [
            {
                "job_id": job_id,
                "successful_count": counts.successful,
                "failed_count": counts.failed,
            }
            for job_id, counts in jobs[:7]
        ],
        "alerts": [
            {"error": {family: number}, "error_percentage": count / total}
            for code, count in errors.most_common()
            for family, number in [code_number(code)]
            if family in _ALERT_ERRORS
        ],
    }


_RESOURCES = {
    "customer": _customers,
    "conversion_action": _conversion_actions,
    "conversion_custom_variable": _custom_variables,
    "offline_conversion_upload_client_summary": _client_summaries,
    "offline_conversion_upload_conversion_action_summary": _action_summaries,
}
