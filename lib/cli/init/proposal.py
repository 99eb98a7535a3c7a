"""A sample of a file, and what a person has said → a profile with its reasons, and questions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from lib.cli.init import reading
from lib.cli.init.columns import all_columns, find_columns, headers_entry
from lib.cli.init.counting_rows import find_row_filter
from lib.cli.init.findings import Entry, Found, Given, Proposal, Question
from lib.cli.init.phones import phone_region
from lib.cli.init.sample import Sample
from lib.destinations import registry
from lib.model.fields import ADDRESS_FIELDS

_GIVEN: Final = "You gave it."
_DEFAULT: Final = "The default; an option of `init` changes it."
_ORDER: Final = (
    *("destination", "customer_id", "login_customer_id", "conversion_action", "time_zone"),
    *("currency_code", "phone_region", "ad_user_data", "day_first", "decimal_comma", "encoding"),
    *("headers", "include", "exclude", "refunds"),
)
_ROW_FILTER: Final = ("include", "exclude")


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What does not come from the file: the time, and the time zone of the computer."""

    now: datetime
    local_zone: str


def propose(sample: Sample, given: Given, around: Surroundings) -> Proposal:
    """Return the profile for files like this one."""
    headers: Mapping[str, Sequence[str]] = given.values.get("headers", {})
    given_filter = {key: given.values[key] for key in _ROW_FILTER if key in given.values}
    adjustments = registry.capabilities_of(
        given.values.get("destination", registry.DEFAULT)
    ).of_kind("adjustment")
    can_retract = adjustments is not None and "retraction" in adjustments.adjustment_types
    counting = find_row_filter(sample, given_filter, can_retract=can_retract)
    rows = counting.rows
    found_columns, questions = find_columns(sample, rows, headers)
    if counting.refunds.time is not None and "adjustment_date_time" not in headers:
        reason = "the time of a refund."
        found_columns["adjustment_date_time"] = (counting.refunds.time, reason)
    columns = dict(all_columns(sample, found_columns))
    times, amounts = (columns.get(field) for field in _times_and_amounts(sample))
    parts = [
        Found(questions=_of_the_account(columns, given)),
        Found(headers_entry(sample, found_columns, headers), questions),
        Found(counting.entries),
        reading.time_zone(sample, rows, times, around.local_zone, given.decides("time_zone")),
        reading.day_first(sample, times, around.now, given.decides("day_first")),
        reading.decimal_comma(sample, amounts, given.decides("decimal_comma")),
        reading.currency(sample, rows, columns, given.decides("currency_code")),
        _encoding(sample, given),
    ]
    known = _known(given, parts)
    parts.append(phone_region(rows, columns, known, given.decides("phone_region")))
    entries = [entry for part in parts for entry in part.entries]
    said = {
        key: value for key, value in given.values.items() if key not in ("headers", *_ROW_FILTER)
    }
    entries += [
        Entry(key, value, _DEFAULT if key in given.by_default else _GIVEN)
        for key, value in said.items()
    ]
    entries.sort(key=lambda entry: _ORDER.index(entry.key))
    return Proposal(tuple(entries), _all_questions(parts, columns, given))


def _times_and_amounts(sample: Sample) -> tuple[str, str]:
    """Return the fields that every row of such a file has, in which its dates and numbers show."""
    if sample.header.kind == "adjustment":
        return "adjustment_date_time", "adjusted_value"
    return "conversion_date_time", "conversion_value"


def _all_questions(
    parts: Sequence[Found], columns: Mapping[str, int], given: Given
) -> tuple[Question, ...]:
    questions = [question for part in parts for question in part.questions]
    if "ad_user_data" not in columns and not given.decides("ad_user_data"):
        text = (
            "Consent to sending user data, if it is the same for all customers: GRANTED or DENIED"
        )
        questions.append(Question("ad_user_data", "--ad-user-data", text, "", False))
    return tuple(questions)


def _of_the_account(columns: Mapping[str, int], given: Given) -> tuple[Question, ...]:
    questions = []
    if not given.decides("destination"):
        text = (
            f"API that receives the conversions ({' or '.join(registry.names())}{_extras(columns)})"
        )
        questions.append(Question("destination", "--destination", text, registry.DEFAULT, False))
    if "customer_id" not in columns and not given.decides("customer_id"):
        text = "Google Ads account that receives the conversions, such as 123-456-7890"
        questions.append(Question("customer_id", "--customer-id", text, "", True))
    if "conversion_action" not in columns and not given.decides("conversion_action"):
        text = "Conversion action, as Google Ads shows its name, or its ID"
        questions.append(Question("conversion_action", "--action", text, "", True))
    return tuple(questions)


def _extras(columns: Mapping[str, int]) -> str:
    """Return what the other APIs can send of this file in addition to the usual one."""
    usual = registry.capabilities_of(registry.DEFAULT).fields
    texts = []
    for name in registry.names():
        fields = registry.capabilities_of(name).fields
        extra = [field for field in columns if field in fields and field not in usual]
        if not columns.keys() >= set(ADDRESS_FIELDS):
            extra = [field for field in extra if field not in ADDRESS_FIELDS]
        if extra:
            texts.append(f"; {name} also sends {', '.join(extra)}")
    return "".join(texts)


def _encoding(sample: Sample, given: Given) -> Found:
    if not sample.table.encoding_guessed or given.decides("encoding"):
        return Found()
    encoding = sample.table.encoding
    reason = "The file does not state its encoding; its letters make sense with this one."
    return Found((Entry("encoding", encoding, reason),))


def _known(given: Given, parts: Sequence[Found]) -> dict[str, Any]:
    found = {entry.key: entry.value for part in parts for entry in part.entries}
    return {**found, **given.values}
