"""`Conversion` → raw protobuf `ClickConversion`, and the records of a chunk → upload requests.

Common fields are written as bytes (`lib.destinations.google_ads.wire_format`), rare ones by raw
message classes (`.pb()`). Building a conversion through proto-plus would take ten times as long.
Field rules: https://developers.google.com/google-ads/api/reference/rpc/latest/ClickConversion
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from lib.destinations.base import RowResult
from lib.destinations.google_ads.api import module
from lib.destinations.google_ads.call_conversion import call_message
from lib.destinations.google_ads.capabilities import CAPABILITIES
from lib.destinations.google_ads.enums import CONSENT
from lib.destinations.google_ads.upload_kinds import (
    ADJUSTMENTS,
    CALLS,
    CLICKS,
    KINDS,
    UploadKind,
    UploadRequest,
)
from lib.destinations.google_ads.wire_format import (
    CONVERSION,
    GBRAID,
    GCLID,
    HASHED_EMAIL,
    HASHED_PHONE,
    ORDER_ID,
    TIME,
    VALUE,
    WBRAID,
    common_part,
    rows_tag,
)
from lib.destinations.wire_format import (
    VARINTS,
    double,
    latin,
    plain_paths,
    varint,
    write_plain_values,
)
from lib.model.records import Adjustment, Call, Cart, Conversion, OptionalFields

ClickConversion = module("services.types.conversion_upload_service").ClickConversion.pb()

_SPECIAL = ("session_attributes_key_value_pairs", "items")
_PLAIN = plain_paths(OptionalFields, CAPABILITIES.fields, _SPECIAL)
_PLAIN_OF_CART = plain_paths(Cart, CAPABILITIES.fields, _SPECIAL)


class _Pile(NamedTuple):
    """Rows that share a request. `is_last`: they follow the other rows of this request."""

    kind: UploadKind
    customer_id: str
    is_last: bool = False


class AdsBatch:
    """The records of one chunk as upload requests, one per kind of record and account.

    `maybe_sent`: Google may already have counted them for the same run. `sent_clicks` are the
    chunk's requests of click conversions with their results, also those of the batch `after` which
    this one is sent.
    """

    def __init__(
        self,
        job_id: int,
        validate_only: bool,
        maybe_sent: bool = False,
        after: AdsBatch | None = None,
    ) -> None:
        self.sent_clicks: list[tuple[UploadRequest, dict[int, RowResult]]] = (
            after.sent_clicks if after is not None else []
        )
        self.maybe_sent = maybe_sent and not validate_only
        self._job_id = job_id
        self._validate_only = validate_only
        self._closed: list[UploadRequest] = []
        self._written: dict[_Pile, list[str]] = {}
        # (batch size, pile) at each change of pile. Most files have only one.
        self._turns: list[tuple[int, _Pile]] = []
        self._customer_id = ""  # of conversions, if the last row is one
        nowhere: list[str] = []
        self._append: Callable[[str], None] = nowhere.append
        self._common: dict[tuple[str, str | None, str | None], str] = {}

    def __len__(self) -> int:
        closed = sum(request.size for request in self._closed)
        return closed + sum(map(len, self._written.values()))

    def close(self) -> int:
        """See `Batch.close`."""
        self._closed += self._requests()
        return sum(len(request.content) for request in self._closed)

    def take_requests(self) -> list[UploadRequest]:
        """Return the requests, in the order in which they must be sent, and clear the batch."""
        self.close()
        requests, self._closed = self._closed, []
        return requests

    def _requests(self) -> list[UploadRequest]:
        positions: dict[_Pile, list[int]] = {}
        # An empty batch (the rules refused every row) has no turn and no end.
        ends = [*(start for start, _ in self._turns), len(self)][1:]
        for (start, pile), end in zip(self._turns, ends, strict=True):
            positions.setdefault(pile, []).extend(range(start, end))
        content: dict[tuple[UploadKind, str], tuple[list[str], list[int]]] = {}
        for pile in sorted(self._written, key=lambda pile: (KINDS.index(pile.kind), pile.is_last)):
            content.setdefault((pile.kind, pile.customer_id), ([], []))
            rows, positions_of_rows = content[pile.kind, pile.customer_id]
            written = self._written.pop(pile)
            rows += written
            written.clear()  # `_append` still refers to the list
            positions_of_rows += positions[pile]
        self._turns.clear()
        self._customer_id = ""
        return [
            self._request(kind, customer_id, rows, positions_of_rows)
            for (kind, customer_id), (rows, positions_of_rows) in content.items()
        ]

    def _request(
        self, kind: UploadKind, customer_id: str, rows: list[str], positions: list[int]
    ) -> UploadRequest:
        content = "".join(rows).encode("latin-1")
        return kind.new_request(customer_id, self._job_id, self._validate_only, content, positions)

    def add_adjustment(self, adjustment: Adjustment, /) -> None:
        """Serialize an adjustment. Google accepts no adjustment after a retraction."""
        # Few files have adjustments, so their types are not imported at the start.
        from lib.destinations.google_ads.adjustment import adjustment_message

        is_last = adjustment.adjustment_type == "retraction"
        pile = _Pile(ADJUSTMENTS, adjustment.customer_id, is_last)
        self._add_message(pile, adjustment_message(adjustment))

    def add_call(self, call: Call, /) -> None:
        """Serialize a call."""
        self._add_message(_Pile(CALLS, call.customer_id), call_message(call))

    def _add_message(self, pile: _Pile, message: Any) -> None:
        self._customer_id = ""
        if not self._turns or self._turns[-1][1] != pile:
            self._switch(pile)
        content = message.SerializeToString().decode("latin-1")
        self._append(f"{rows_tag(pile.kind.rows_field())}{varint(len(content))}{content}")

    def add(self, conversion: Conversion, /) -> None:
        """Serialize one conversion for the request of its account (see `wire_format`)."""
        (
            customer_id,
            action_id,
            time,
            gclid,
            gbraid,
            wbraid,
            hashed_emails,
            hashed_phones,
            value,
            currency_code,
            order_id,
            ad_user_data,
            optional_fields,
            _,
        ) = conversion
        if customer_id != self._customer_id:
            self._customer_id = customer_id
            self._switch(_Pile(CLICKS, customer_id))
        body = self._common.get((action_id, currency_code, ad_user_data))
        if body is None:
            body = self._common_part(action_id, currency_code, ad_user_data)
        # At most one click ID (the rules have chosen it): Google refuses or ignores two together.
        if gclid:
            body = f"{body}{TIME}{time}{GCLID}{VARINTS[len(gclid)]}{gclid}"
        elif gbraid:
            body = f"{body}{TIME}{time}{GBRAID}{VARINTS[len(gbraid)]}{gbraid}"
        elif wbraid:
            body = f"{body}{TIME}{time}{WBRAID}{VARINTS[len(wbraid)]}{wbraid}"
        else:
            body = f"{body}{TIME}{time}"
        if value is not None:
            body = f"{body}{VALUE}{double(value).decode('latin-1')}"
        if order_id is not None:
            order_id = latin(order_id)
            body = f"{body}{ORDER_ID}{VARINTS[len(order_id)]}{order_id}"
        # A UserIdentifier has only one member (oneof), so every digest needs a separate one.
        if len(hashed_emails) == 1 == len(hashed_phones):
            body = f"{body}{HASHED_EMAIL}{hashed_emails[0]}{HASHED_PHONE}{hashed_phones[0]}"
        else:
            for digest in hashed_emails:
                body = f"{body}{HASHED_EMAIL}{digest}"
            for digest in hashed_phones:
                body = f"{body}{HASHED_PHONE}{digest}"
        if optional_fields is not None:
            message = ClickConversion()
            _write_optional_fields(message, customer_id, optional_fields)
            body += message.SerializeToString().decode("latin-1")
        size = len(body)
        length = VARINTS[size] if size < len(VARINTS) else varint(size)
        self._append(f"{CONVERSION}{length}{body}")

    def _switch(self, pile: _Pile) -> None:
        self._turns.append((len(self), pile))
        self._append = self._written.setdefault(pile, []).append
        self._common = {}

    def _common_part(self, action_id: str, currency_code: str | None, consent: str | None) -> str:
        part = common_part(
            f"customers/{self._customer_id}/conversionActions/{action_id}",
            currency_code,
            None if consent is None else CONSENT[consent],
        )
        self._common[action_id, currency_code, consent] = part
        return part


def _write_optional_fields(message: Any, customer_id: str, optional: OptionalFields) -> None:
    write_plain_values(message, _PLAIN, optional)
    # The encoded form and the pairs are a oneof. The rules have rejected rows with both.
    for key, value in optional.session_attributes_key_value_pairs:
        message.session_attributes_key_value_pairs.key_value_pairs.add(
            session_attribute_key=key, session_attribute_value=value
        )
    for variable_id, value in optional.custom_variables:
        message.custom_variables.add(
            conversion_custom_variable=(
                f"customers/{customer_id}/conversionCustomVariables/{variable_id}"
            ),
            value=value,
        )
    if optional.cart is not None:
        write_plain_values(message, _PLAIN_OF_CART, optional.cart)
        for item in optional.cart.items:
            message.cart_data.items.add(
                product_id=item.product_id, quantity=item.quantity, unit_price=item.unit_price
            )
