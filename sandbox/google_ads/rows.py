"""One row of an upload under check, and the fields that clicks, calls and adjustments share."""

from __future__ import annotations

import math
import re
from datetime import datetime
from typing import Any

from sandbox.accounts import Account, ConversionAction
from sandbox.conversions import CURRENCY
from sandbox.google_ads.errors import Path, Problem

_ACTION = re.compile(r"customers/\d+/conversionActions/(\d+)").fullmatch
_VARIABLE = re.compile(r"customers/\d+/conversionCustomVariables/(\d+)").fullmatch
_DATE_TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d[+-]\d\d:\d\d").fullmatch


class Row:
    """A raw message in its request. Collects all of its problems, not only the first one."""

    def __init__(
        self, message: Any, place: tuple[str, int], family: str, account: Account, now: datetime
    ) -> None:
        self.message = message
        self.account = account
        self.now = now
        self.problems: list[Problem] = []
        self._place, self._family = place, family

    def refuse(
        self, code: str, text: str, *path: str | tuple[str, int], value: str | None = None
    ) -> None:
        """Add an error at a path in the row. A code without a family is one of this upload's."""
        code = code if "." in code else f"{self._family}.{code}"
        steps: Path = tuple((step, None) if isinstance(step, str) else step for step in path)
        message = self.message.DESCRIPTOR
        for name, _ in steps:  # a KeyError shows a field that Google's message does not have
            message = message.fields_by_name[name].message_type
        self.problems.append(Problem(code, text, (self._place, *steps), value))

    def missing(self, *path: str) -> None:
        self.refuse("field_error.REQUIRED", "The required field was not set.", *path)

    def action(self, *types: str) -> ConversionAction | None:
        """The conversion action, if it exists and has one of these types."""
        field, name = "conversion_action", self.message.conversion_action
        if not name:
            self.missing(field)
            return None
        match = _ACTION(name)
        if match is None:
            text = f"Resource name '{name}' is malformed."
            self.refuse("request_error.RESOURCE_NAME_MALFORMED", text, field, value=name)
            return None
        # "Validation will ignore the customer id and use the conversion action id" (proto comment).
        action = self.account.owned_action(int(match[1]))
        if action is None or action.status != "ENABLED":
            code = "NO_CONVERSION_ACTION_FOUND"
            text = "The conversion action specified in the upload request cannot be found."
        elif action.type not in types:
            code = "INVALID_CONVERSION_ACTION_TYPE"
            text = "The conversion action isn't set up for uploading conversions."
        elif action.is_new:
            code = "TOO_RECENT_CONVERSION_ACTION"
            text = "Can't import events to a conversion action that was just created."
        else:
            return action
        self.refuse(code, text, field, value=name)
        return None

    def moment(self, *path: str) -> datetime | None:
        """The time in a field, which must not lie in the future."""
        text = self._value(path)
        if not text:
            self.missing(*path)
            return None
        if not text.isascii() or _DATE_TIME(text) is None:
            # `yyyy-mm-dd hh:mm:ss+|-hh:mm`; the offset and its colon are required.
            code = "date_error.INVALID_STRING_DATE_TIME_SECONDS_WITH_OFFSET"
            self.refuse(code, "The date-time string is invalid.", *path, value=text)
            return None
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            code = "date_error.INVALID_FIELD_VALUES_IN_DATE_TIME"
            self.refuse(code, "The date-time has impossible values.", *path, value=text)
            return None
        if moment > self.now:
            # Google documents no code for a time in the future; this code fits best.
            code = "date_error.LATER_THAN_MAXIMUM_DATE"
            self.refuse(code, "The conversion lies in the future.", *path, value=text)
            return None
        return moment

    def money(self, *path: str) -> None:
        """Check an amount, and the currency next to it."""
        value = self._value(path)
        if not math.isfinite(value):
            self.refuse("field_error.INVALID_VALUE", "The value is not a finite number.", *path)
        elif value < 0:
            self.refuse("range_error.TOO_LOW", "The value must not be negative.", *path)
        there = (*path[:-1], "currency_code")
        currency = self._value(there)
        if currency and CURRENCY(currency) is None:
            text = "The currency code is not supported."
            self.refuse("currency_code_error.UNSUPPORTED", text, *there, value=currency)

    def order_id(self) -> None:
        if "@" in self.message.order_id:
            text = "Can't import events with order IDs containing PII."
            self.refuse("ORDER_ID_CONTAINS_PII", text, "order_id", value=self.message.order_id)

    def custom_variables(self) -> None:
        """Custom variables must exist, be enabled, and contain no personal data."""
        enabled = {one.id for one in self.account.custom_variables if one.status == "ENABLED"}
        for number, variable in enumerate(self.message.custom_variables):
            here = ("custom_variables", number)
            name = variable.conversion_custom_variable
            match = _VARIABLE(name)
            if match is None or int(match[1]) not in enabled:
                text = "Enable the custom variable in your conversion settings."
                field = "conversion_custom_variable"
                self.refuse("CUSTOM_VARIABLE_NOT_ENABLED", text, here, field, value=name)
            if "@" in variable.value:
                text = "Custom variables must not contain personally identifiable information."
                code = "CUSTOM_VARIABLE_VALUE_CONTAINS_PII"
                self.refuse(code, text, here, "value", value=variable.value)

    def ad_personalization(self, kind: str) -> None:
        if self.message.consent.ad_personalization:
            text = f"ad_personalization can't be set on {kind} conversions."
            path = ("consent", "ad_personalization")
            self.refuse("field_error.VALUE_MUST_BE_UNSET", text, *path)

    def _value(self, path: tuple[str, ...]) -> Any:
        value = self.message
        for name in path:
            value = getattr(value, name)
        return value
