"""`UploadConversionAdjustments` and `UploadCallConversions` of the Google Ads API."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from sandbox import ads_adjustments
from sandbox.accounts import Account
from sandbox.ads_adjustments import Adjustment, find, judge_adjustment, judge_change
from sandbox.ads_calls import JudgedCall, Rules, judge_call, repeated_calls
from sandbox.ads_errors import Problem
from sandbox.ads_fields import ADJUSTMENT
from sandbox.ads_uploads import (
    ADJUSTMENTS,
    CALL_CONVERSIONS,
    bad_rows,
    check_request,
    chosen_errors,
    decoder,
    error_without_index,
    fill_response,
    parse,
    stray_error,
)
from sandbox.ads_version import ads_module
from sandbox.rpc import Call
from sandbox.state import Accepted, State

_adjustment_types = ads_module("services.types.conversion_adjustment_upload_service")
_upload_types = ads_module("services.types.conversion_upload_service")
_AdjustmentsRequest: Any = _adjustment_types.UploadConversionAdjustmentsRequest.pb()
_AdjustmentsResponse: Any = _adjustment_types.UploadConversionAdjustmentsResponse.pb()
_CallsRequest: Any = _upload_types.UploadCallConversionsRequest.pb()
_CallsResponse: Any = _upload_types.UploadCallConversionsResponse.pb()

decode_adjustment = decoder(_adjustment_types.ConversionAdjustment.pb())
decode_call = decoder(_upload_types.CallConversion.pb())

Authorize = Callable[[Call, str], Account]
"""Returns the account of a request, if the caller may use it. Raises `Refusal`."""


class AdjustmentUploads:
    """Adjusts the conversions that both APIs accepted; `State.book` has their histories."""

    def __init__(self, state: State, authorize: Authorize) -> None:
        self._state = state
        self._authorize = authorize

    def upload(self, body: bytes, call: Call) -> bytes:
        request = parse(_AdjustmentsRequest, body)
        rows = request.conversion_adjustments
        call.request.conversions = len(rows)
        account = self._authorize(call, request.customer_id)
        job_id = check_request(request, ADJUSTMENTS, account, call)
        call.request.job_id = job_id
        problems = error_without_index(call)
        if not problems:
            problems = self._judge_and_commit(request, account, job_id, call)
        response = _AdjustmentsResponse(job_id=job_id)
        fill = None if request.validate_only else _copy_adjustment
        return fill_response(response, rows, problems, call, fill)

    def _judge_and_commit(
        self, request: Any, account: Account, job_id: int, call: Call
    ) -> list[Problem]:
        state = self._state
        rules = ads_adjustments.Rules(account, state.now(), state.adjustment_readings)
        rows = request.conversion_adjustments
        judged = [judge_adjustment(row, n, rules) for n, row in enumerate(rows)]
        problems = [problem for found, _ in judged for problem in found]
        problems += chosen_errors(call, ADJUSTMENTS)
        adjustments = [adjustment for _, adjustment in judged]
        problems += ads_adjustments.repeats_in_request(adjustments, state.repeats_in_request)
        bad = bad_rows(problems)
        with state.lock:
            undo: list[Callable[[], object]] = []
            for index, adjustment in enumerate(adjustments):
                if adjustment is None or index in bad:
                    continue
                if refused := self._apply(adjustment, index, rules, call, undo):
                    problems.append(refused)
            if request.validate_only:
                for take_back in reversed(undo):
                    take_back()
            else:
                self._commit(request, adjustments, account, job_id, call, bad_rows(problems))
        return problems + stray_error(call)

    def _apply(
        self,
        adjustment: Adjustment,
        index: int,
        rules: ads_adjustments.Rules,
        call: Call,
        undo: list[Callable[[], object]],
    ) -> Problem | None:
        """Enter one adjustment into the book, or say why not. Later rows see earlier ones."""
        conversion = find(adjustment, self._state.book)
        refused = judge_change(adjustment, conversion, rules)
        if refused is not None:
            return Problem(ADJUSTMENT + refused[0], refused[1], ((ADJUSTMENTS.rows, index),))
        assert conversion is not None
        changed = ads_adjustments.change(adjustment, conversion, rules.now, call.request_id)
        conversion.history.append(changed)
        undo.append(conversion.history.pop)
        return None

    def _commit(
        self,
        request: Any,
        adjustments: list[Adjustment | None],
        account: Account,
        job_id: int,
        call: Call,
        bad: dict[int | None, str],
    ) -> None:
        state = self._state
        good = 0
        for index, adjustment in enumerate(adjustments):
            if adjustment is None or index in bad:
                continue
            good += 1
            state.adjustments.append(
                Accepted(
                    account.customer_id,
                    adjustment.action.id,
                    job_id,
                    call.request_id,
                    state.now(),
                    "google_ads",
                    request.conversion_adjustments[index].SerializeToString(),
                    decode_adjustment,
                )
            )
        state.count_job(account.customer_id, "", job_id, good, Counter(bad.values()))


def _copy_adjustment(row: Any, result: Any) -> None:
    if row.HasField("gclid_date_time_pair"):
        result.gclid_date_time_pair.CopyFrom(row.gclid_date_time_pair)
    result.order_id = row.order_id
    result.conversion_action = row.conversion_action
    result.adjustment_date_time = row.adjustment_date_time
    result.adjustment_type = row.adjustment_type


class CallUploads:
    """Accepts conversions of calls. They have no job ID."""

    def __init__(self, state: State, authorize: Authorize) -> None:
        self._state = state
        self._authorize = authorize

    def upload(self, body: bytes, call: Call) -> bytes:
        request = parse(_CallsRequest, body)
        call.request.conversions = len(request.conversions)
        account = self._authorize(call, request.customer_id)
        check_request(request, CALL_CONVERSIONS, account, call)
        problems = error_without_index(call)
        if not problems:
            problems = self._judge_and_commit(request, account, call)
        fill = None if request.validate_only else _copy_call
        return fill_response(_CallsResponse(), request.conversions, problems, call, fill)

    def _judge_and_commit(self, request: Any, account: Account, call: Call) -> list[Problem]:
        state = self._state
        rules = Rules(account, state.calls or None, state.now())
        judged = [judge_call(row, n, rules) for n, row in enumerate(request.conversions)]
        problems = [problem for one in judged for problem in one.problems]
        problems += chosen_errors(call, CALL_CONVERSIONS)
        with state.lock:
            problems += repeated_calls(judged, state.repeats_in_request, state.call_keys)
            if not request.validate_only:
                self._commit(request, judged, account, call, bad_rows(problems))
        return problems + stray_error(call)

    def _commit(
        self,
        request: Any,
        judged: list[JudgedCall],
        account: Account,
        call: Call,
        bad: dict[int | None, str],
    ) -> None:
        state = self._state
        for index, (row, one) in enumerate(zip(request.conversions, judged, strict=True)):
            if index in bad or one.key is None:
                continue
            state.call_keys.add(one.key)
            state.accepted.append(
                Accepted(
                    account.customer_id,
                    one.action_id,
                    0,
                    call.request_id,
                    state.now(),
                    "google_ads",
                    row.SerializeToString(),
                    decode_call,
                )
            )


def _copy_call(row: Any, result: Any) -> None:
    result.caller_id = row.caller_id
    result.call_start_date_time = row.call_start_date_time
    result.conversion_action = row.conversion_action
    result.conversion_date_time = row.conversion_date_time
