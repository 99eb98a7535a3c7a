"""`UploadCallConversions`: Google's documented rules for one `CallConversion`.

Sources: the proto comments of `google.ads.googleads` and its `ConversionUploadError`; the ads API
docs conversions/upload-calls.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from sandbox.conversions import TOO_RECENT
from sandbox.google_ads import ads_module
from sandbox.google_ads.rows import Row
from sandbox.google_ads.uploads import Authorize, Checked, Unique, Uploads
from sandbox.state import State

_E164 = re.compile(r"\+[1-9]\d{6,14}").fullmatch
_types = ads_module("services.types.conversion_upload_service")


class CallUploads(Uploads):
    request_type = _types.UploadCallConversionsRequest.pb()
    response_type = _types.UploadCallConversionsResponse.pb()
    has_job_id = False

    def __init__(self, state: State, authorize: Authorize) -> None:
        call = Unique(
            (
                "DUPLICATE_CALL_CONVERSION_IN_REQUEST",
                "Multiple conversions have the same call and conversion_date_time.",
            ),
            (
                "CALL_CONVERSION_ALREADY_EXISTS",
                "The conversion has the same call and conversion_date_time as an existing one.",
            ),
            state.call_keys,
        )
        super().__init__(state, authorize, call)

    def check(self, row: Row) -> Checked | None:
        sent = row.message
        if not sent.caller_id:
            row.missing("caller_id")
        elif _E164(sent.caller_id) is None:
            text = "The caller's phone number cannot be parsed."
            row.refuse("UNPARSEABLE_CALLERS_PHONE_NUMBER", text, "caller_id", value=sent.caller_id)
        action = row.action("UPLOAD_CALLS")
        start = row.moment("call_start_date_time")
        moment = row.moment("conversion_date_time")
        row.money("conversion_value")
        row.custom_variables()
        row.ad_personalization("call")
        if row.problems or action is None or start is None or moment is None:
            return None
        self._check_times(row, start, moment, timedelta(days=action.lookback_days))
        if row.problems:
            return None
        key = (sent.caller_id, start.timestamp(), action.id, moment.timestamp())
        return Checked(action.id, (key,))

    def _check_times(self, row: Row, start: datetime, moment: datetime, window: timedelta) -> None:
        if moment < start:
            code = "CONVERSION_PRECEDES_CALL"
            text = "The conversion_date_time precedes the call."
        elif row.now - start < TOO_RECENT:
            code, text = "TOO_RECENT_CALL", "The call occurred less than 6 hours ago."
        # A call precedes its conversion, so an old conversion has an old call: see `ClickUploads`.
        elif row.now - moment > window or moment - start > window:
            code = "EXPIRED_CALL"
            text = "The call occurred before this conversion's look-back window."
        else:
            return
        # Google quotes the offending value, even a phone number.
        row.refuse(code, text, "caller_id", value=row.message.caller_id)
