"""Google's documented rules for one `CallConversion`, as pure functions.

Sources: the proto comments of `google.ads.googleads` and its `ConversionUploadError`; the ads API
docs conversions/upload-calls.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Set as AbstractSet
from datetime import datetime, timedelta
from typing import Any, Literal, NamedTuple

from sandbox.accounts import Account
from sandbox.ads_errors import Path, Problem
from sandbox.ads_fields import (
    CALLS,
    TOO_RECENT,
    UPLOAD,
    judge_action,
    judge_custom_variables,
    judge_date_time,
    judge_money,
    missing,
)

_E164 = re.compile(r"\+[1-9]\d{6,14}").fullmatch

CallKey = tuple[str, float, int, float]
"""Caller ID, start of the call, conversion action, time of the conversion."""


class Rules(NamedTuple):
    """What a row is checked against; the same for all rows of a request.

    `known` has caller ID and start of each call that Google connected; None: all calls are known.
    """

    account: Account
    known: AbstractSet[tuple[str, float]] | None
    now: datetime


class JudgedCall(NamedTuple):
    problems: list[Problem]
    action_id: int = 0
    key: CallKey | None = None


def judge_call(row: Any, index: int, rules: Rules) -> JudgedCall:
    """Check one raw `CallConversion`; finds all of its problems, not only the first one."""
    here: Path = (("conversions", index),)
    problems: list[Problem] = []
    place = (*here, ("caller_id", None))
    if not row.caller_id:
        problems.append(missing(place))
    elif _E164(row.caller_id) is None:
        text = "The caller's phone number cannot be parsed."
        code = UPLOAD + "UNPARSEABLE_CALLERS_PHONE_NUMBER"
        problems.append(Problem(code, text, place, row.caller_id))
    action = judge_action(row, here, rules.account, CALLS, problems)
    start = judge_date_time(row, here, "call_start_date_time", rules.now, problems)
    moment = judge_date_time(row, here, "conversion_date_time", rules.now, problems)
    judge_money(row, here, "conversion_value", problems)
    judge_custom_variables(row, here, rules.account, problems)
    if row.consent.ad_personalization:
        text = "ad_personalization can't be set on call conversions."
        there = (*here, ("consent", None), ("ad_personalization", None))
        problems.append(Problem("field_error.VALUE_MUST_BE_UNSET", text, there))
    if problems or action is None or start is None or moment is None:
        return JudgedCall(problems)
    found = _judge_times(row.caller_id, start, moment, action.lookback_days, rules)
    if found is not None:
        # Google quotes the offending value, even a phone number.
        return JudgedCall([Problem(UPLOAD + found[0], found[1], place, row.caller_id)])
    return JudgedCall(
        [], action.id, (row.caller_id, start.timestamp(), action.id, moment.timestamp())
    )


def _judge_times(
    caller_id: str, start: datetime, moment: datetime, lookback_days: int, rules: Rules
) -> tuple[str, str] | None:
    if rules.known is not None and (caller_id, start.timestamp()) not in rules.known:
        return "CALL_NOT_FOUND", "The call for this caller ID and start time can't be found."
    if moment < start:
        return "CONVERSION_PRECEDES_CALL", "The conversion_date_time precedes the call."
    if rules.now - start < TOO_RECENT:
        return "TOO_RECENT_CALL", "The call occurred less than 6 hours ago."
    if moment - start > timedelta(days=lookback_days):
        return "EXPIRED_CALL", "The call occurred before this conversion's look-back window."
    return None


def repeated_calls(
    judged: list[JudgedCall], refused: Literal["all", "later"], known: AbstractSet[CallKey]
) -> list[Problem]:
    """Rows that repeat a call conversion of the request, or one that was accepted earlier."""
    counts = Counter(one.key for one in judged if one.key is not None)
    problems: list[Problem] = []
    seen: set[CallKey] = set()
    for index, one in enumerate(judged):
        if one.key is None:
            continue
        here: Path = (("conversions", index),)
        if counts[one.key] > 1 and (one.key in seen or refused == "all"):
            text = "Multiple conversions have the same call and conversion_date_time."
            problems.append(Problem(UPLOAD + "DUPLICATE_CALL_CONVERSION_IN_REQUEST", text, here))
        if one.key in known:
            text = "The conversion has the same call and conversion_date_time as an existing one."
            problems.append(Problem(UPLOAD + "CALL_CONVERSION_ALREADY_EXISTS", text, here))
        seen.add(one.key)
    return problems
