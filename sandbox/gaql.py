"""The part of the Google Ads Query Language that preflight and diagnostics need.

`SELECT fields FROM resource [WHERE a AND b ...] [ORDER BY field [DESC]] [LIMIT n]` with the
operators =, !=, <, <=, >, >=, IN, NOT IN, on the resources of `_RESOURCES`. A field that this
version of the API does not have is refused, as Google does: names are looked up in the real
`GoogleAdsRow`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple

from google.protobuf.field_mask_pb2 import FieldMask

from sandbox.accounts import Account
from sandbox.ads_errors import code_number
from sandbox.ads_version import ads_module
from sandbox.state import JobCounts, State

_Row: Any = ads_module("services.types.google_ads_service").GoogleAdsRow.pb()
_QUERY = re.compile(
    r"\s*SELECT\s+(?P<fields>.+?)\s+FROM\s+(?P<resource>\w+)"
    r"(?:\s+WHERE\s+(?P<where>.+?))?"
    r"(?:\s+ORDER\s+BY\s+(?P<order>.+?))?"
    r"(?:\s+LIMIT\s+(?P<limit>\d+))?"
    r"(?:\s+PARAMETERS\s+.+)?\s*;?\s*",
    re.IGNORECASE | re.DOTALL,
)
_CONDITION = re.compile(
    r"\s*(?P<field>[\w.]+)\s*(?P<operator>!=|<=|>=|=|<|>|NOT\s+IN\b|IN\b)\s*(?P<value>.+?)\s*",
    re.IGNORECASE | re.DOTALL,
)
_ALERT_ERRORS = frozenset(
    ads_module("resources.types.offline_conversion_upload_client_summary")
    .OfflineConversionError.pb()
    .DESCRIPTOR.fields_by_name
)
_LITERAL = re.compile(r"'([^']*)'|\"([^\"]*)\"|([\w.+-]+)")


class QueryProblem(Exception):
    """Google would refuse the query; `code` is the name in its `QueryError` enum."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class _Condition(NamedTuple):
    field: str
    operator: str
    values: tuple[str, ...]


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
    conditions = [_read_condition(part) for part in _split_where(match["where"])]
    for field in (*fields, *(condition.field for condition in conditions)):
        _check_field(field)
    if resource == "click_view" and not any(c.field == "segments.date" for c in conditions):
        # "Queries must have a filter limiting results to one day" (reference: click_view).
        code = "EXPECTED_FILTERS_ON_DATE_RANGE"
        raise QueryProblem(code, "click_view needs a filter on segments.date.")
    rows = [row for row in make_rows(account, state) if all(_holds(row, c) for c in conditions)]
    if match["order"]:
        field, _, direction = match["order"].strip().partition(" ")
        _check_field(field)
        rows.sort(key=lambda row: _value(row, field), reverse=direction.strip().upper() == "DESC")
    if match["limit"]:
        rows = rows[: int(match["limit"])]
    mask = FieldMask(paths=fields)
    return [_project(row, mask) for row in rows], mask


def _split_where(where: str | None) -> list[str]:
    return re.split(r"\s+AND\s+", where, flags=re.IGNORECASE) if where else []


def _read_condition(part: str) -> _Condition:
    match = _CONDITION.fullmatch(part)
    if match is None:
        raise QueryProblem("BAD_OPERATOR", f"The condition on {part.split()[0]} can't be parsed.")
    values = tuple(
        next(group for group in literal.groups() if group is not None)
        for literal in _LITERAL.finditer(match["value"])
    )
    operator = " ".join(match["operator"].upper().split())
    return _Condition(match["field"], operator, values)


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


def _value(row: Any, name: str) -> Any:
    field, value = _check_field(name), row
    for part in _proto_name(name).split("."):
        value = getattr(value, part)
    if field.enum_type is not None:
        return field.enum_type.values_by_number[value].name
    return value


def _holds(row: Any, condition: _Condition) -> bool:
    value = _value(row, condition.field)
    field = _check_field(condition.field)
    if field.enum_type is not None:
        unknown = [v for v in condition.values if v not in field.enum_type.values_by_name]
        if unknown:
            raise QueryProblem("BAD_ENUM_CONSTANT", f"Invalid enum value: {unknown[0]}.")
    try:
        wanted = [
            type(value)(v) if not isinstance(value, bool) else v.upper() == "TRUE"
            for v in condition.values
        ]
    except ValueError as error:
        raise QueryProblem("BAD_VALUE", f"Bad value for {condition.field}.") from error
    match condition.operator:
        case "IN":
            return value in wanted
        case "NOT IN":
            return value not in wanted
        case "=":
            return bool(value == wanted[0])
        case "!=":
            return bool(value != wanted[0])
        case "<":
            return bool(value < wanted[0])
        case "<=":
            return bool(value <= wanted[0])
        case ">":
            return bool(value > wanted[0])
        case _:
            return bool(value >= wanted[0])


def _project(row: Any, mask: FieldMask) -> Any:
    projected = _Row()
    FieldMask(paths=[_proto_name(path) for path in mask.paths]).MergeMessage(row, projected)
    return projected


def _enum(row: Any, name: str, value: str) -> int:
    return int(_check_field(name).enum_type.values_by_name[value].number)


def _customers(account: Account, state: State) -> Iterator[Any]:
    row = _Row()
    customer = row.customer
    customer.resource_name = f"customers/{account.customer_id}"
    customer.id = int(account.customer_id)
    customer.descriptive_name = account.descriptive_name
    customer.time_zone = account.time_zone
    customer.currency_code = account.currency_code
    customer.status = _enum(row, "customer.status", "ENABLED")
    setting = customer.conversion_tracking_setting
    setting.google_ads_conversion_customer = f"customers/{account.conversion_customer}"
    setting.accepted_customer_data_terms = account.accepted_customer_data_terms
    enablement = "ON" if account.enhanced_conversions_for_leads else "OFF"
    for name in ("enablement_setting", "effective_enablement_setting"):
        known = _check_field(f"customer.conversion_tracking_setting.{name}").enum_type
        setattr(setting, name, known.values_by_name[enablement].number)
    yield row


def _conversion_actions(account: Account, state: State) -> Iterator[Any]:
    for one in account.conversion_actions:
        row = _Row()
        action = row.conversion_action
        action.resource_name = f"customers/{account.customer_id}/conversionActions/{one.id}"
        action.id = one.id
        action.name = one.name
        action.type_ = _enum(row, "conversion_action.type", one.type)
        action.status = _enum(row, "conversion_action.status", one.status)
        action.counting_type = _enum(row, "conversion_action.counting_type", one.counting_type)
        action.click_through_lookback_window_days = one.lookback_days
        action.value_settings.always_use_default_value = one.always_use_default_value
        action.owner_customer = f"customers/{one.owner or account.customer_id}"
        yield row


def _custom_variables(account: Account, state: State) -> Iterator[Any]:
    for one in account.custom_variables:
        row = _Row()
        variable = row.conversion_custom_variable
        variable.resource_name = (
            f"customers/{account.customer_id}/conversionCustomVariables/{one.id}"
        )
        variable.id = one.id
        variable.name = variable.tag = one.name
        variable.status = _enum(row, "conversion_custom_variable.status", one.status)
        variable.owner_customer = f"customers/{account.customer_id}"
        yield row


def _click_views(account: Account, state: State) -> Iterator[Any]:
    for click_id, clicked in list(state.clicks.items()):
        row = _Row()
        row.click_view.resource_name = (
            f"customers/{account.customer_id}/clickViews/{clicked:%Y-%m-%d}~{click_id}"
        )
        row.click_view.gclid = click_id
        row.segments.date = f"{clicked:%Y-%m-%d}"
        yield row


def _job_summaries(summary: Any, jobs: dict[int, JobCounts]) -> None:
    """Add the counts and errors of all jobs, and the 7 most recent jobs, to the summary."""
    last: datetime | None = None
    errors: Counter[str] = Counter()
    for job_id, counts in sorted(
        jobs.items(), key=lambda item: str(item[1].last_upload), reverse=True
    ):
        summary.successful_event_count += counts.successful
        summary.pending_event_count += counts.pending
        summary.total_event_count += counts.successful + counts.failed + counts.pending
        errors.update(counts.errors)
        last = max(filter(None, (last, counts.last_upload)), default=None)
        if len(summary.job_summaries) < 7:
            job = summary.job_summaries.add()
            job.job_id = job_id
            job.successful_count = counts.successful
            job.failed_count = counts.failed
            job.pending_count = counts.pending
    for code, count in errors.most_common():
        family, number = code_number(code)
        if family in _ALERT_ERRORS:
            alert = summary.alerts.add(error_percentage=count / summary.total_event_count)
            setattr(alert.error, family, number)
    if last is not None:
        summary.last_upload_date_time = f"{last:%Y-%m-%d %H:%M:%S}"


def _fill_summary(row: Any, name: str, account: Account, action: str, state: State) -> Any:
    """Fill in client, counts and status of the summary of one action ("": of all actions)."""
    with state.lock:
        jobs = dict(state.jobs.get((account.customer_id, action), {}))
    summary = getattr(row, name)
    summary.client = _enum(row, f"{name}.client", "GOOGLE_ADS_API")
    _job_summaries(summary, jobs)
    # Google does not document the thresholds between these.
    rate = _success_rate(summary)
    if not summary.total_event_count:
        status = "NO_RECENT_UPLOAD"
    elif rate >= 0.9:
        status = "EXCELLENT"
    else:
        status = "GOOD" if rate >= 0.5 else "NEEDS_ATTENTION"
    summary.status = _enum(row, f"{name}.status", status)
    return summary


def _success_rate(summary: Any) -> float:
    total: int = summary.total_event_count
    return summary.successful_event_count / total if total else 0.0


def _client_summaries(account: Account, state: State) -> Iterator[Any]:
    row = _Row()
    summary = _fill_summary(row, "offline_conversion_upload_client_summary", account, "", state)
    summary.resource_name = (
        f"customers/{account.customer_id}/offlineConversionUploadClientSummaries/GOOGLE_ADS_API"
    )
    # The summaries of actions do not have this field.
    summary.success_rate = _success_rate(summary)
    yield row


def _action_summaries(account: Account, state: State) -> Iterator[Any]:
    """One summary for each action that received an upload."""
    for one in account.conversion_actions:
        if (account.customer_id, str(one.id)) not in state.jobs:
            continue
        row = _Row()
        name = "offline_conversion_upload_conversion_action_summary"
        summary = _fill_summary(row, name, account, str(one.id), state)
        summary.resource_name = (
            f"customers/{account.customer_id}/offlineConversionUploadConversionActionSummaries/"
            f"{one.id}~GOOGLE_ADS_API"
        )
        summary.conversion_action_id = one.id
        summary.conversion_action_name = one.name
        yield row


_RESOURCES = {
    "customer": _customers,
    "conversion_action": _conversion_actions,
    "conversion_custom_variable": _custom_variables,
    "click_view": _click_views,
    "offline_conversion_upload_client_summary": _client_summaries,
    "offline_conversion_upload_conversion_action_summary": _action_summaries,
}
