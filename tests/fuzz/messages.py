"""What must hold for every message to an advertising API, whatever the file says."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from google.ads.datamanager_v1.types.ingestion_service import IngestEventsRequest

from lib.cli.dry_run import OfflineDestination
from lib.destinations.base import EncodedRequest
from lib.destinations.data_manager import messages as event_messages
from lib.destinations.data_manager.event_request import MAX_DESTINATIONS, EventRequest
from lib.destinations.data_manager.messages import EventDefaults
from lib.destinations.google_ads import messages as ads_messages
from lib.destinations.google_ads.upload_request import UploadRequest
from lib.model.account import Account
from lib.model.fields import RecordKind
from tests.cli.validating import ACCOUNT

TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d[+-]\d\d:\d\d")
DIGEST = re.compile(r"[0-9a-f]{64}")
CURRENCY = re.compile(r"[A-Z]{3}")
LONGEST_REQUEST = 60 << 20
"""In bytes. Google refuses 64 MB, as if the quota were used up. A chunk has no room for so much."""


@dataclass(slots=True)
class SerializingDestination(OfflineDestination):
    """A destination that writes real messages, and checks them instead of sending them."""

    has_account: bool = True

    def account(self, customer_id: str, *, custom_variables: bool) -> Account:
        if not self.has_account:
            return OfflineDestination.account(self, customer_id, custom_variables=custom_variables)
        return ACCOUNT

    def encode(
        self, kind: RecordKind, records: Sequence[Any], customer_id: str, job_id: int
    ) -> Sequence[EncodedRequest]:
        if self.capabilities.name == "google_ads":
            of_ads = ads_messages.encode(kind, records, customer_id, job_id, validate_only=False)
            places = sorted(_ads_places(of_ads))
        else:
            events = event_messages.encode(kind, records, customer_id, EventDefaults())
            places = sorted(_event_places(events))
        assert places == list(range(len(records))), "each record is in one message, once"
        return ()


def _ads_places(requests: Sequence[UploadRequest]) -> Iterator[int]:
    for request in requests:
        raw = request.message.SerializeToString()
        parsed = request.kind.message_class("Request").FromString(raw)
        assert parsed == request.message, "the client reads what was written"
        assert len(raw) <= LONGEST_REQUEST
        assert request.customer_id.isdigit()
        assert len(request.rows) == len(request.positions)
        for row in request.rows:
            _check_values(row)
        yield from request.positions


def _event_places(requests: Sequence[EventRequest]) -> Iterator[int]:
    for request in requests:
        parsed = IngestEventsRequest.deserialize(request.content)
        assert IngestEventsRequest.pb(parsed) == request.message, "the client reads what is sent"
        assert len(request.content) <= LONGEST_REQUEST
        json.dumps(request.as_json(), allow_nan=False)
        destinations = request.message.destinations
        references = {each.reference for each in destinations}
        assert len(references) == len(destinations) <= MAX_DESTINATIONS
        assert len(request.events) == len(request.positions) == request.size
        for event in request.events:
            assert references.issuperset(event.destination_references)
            _check_values(event)
        yield from request.positions


# Both APIs: a wrong value of these would refuse the row, or leak what must be hashed.
_PATTERNS = {
    "conversion_date_time": TIME,
    "adjustment_date_time": TIME,
    "call_start_date_time": TIME,
    "currency_code": CURRENCY,
    "currency": CURRENCY,
    "hashed_email": DIGEST,
    "hashed_phone_number": DIGEST,
    "email_address": DIGEST,
    "phone_number": DIGEST,
    "given_name": DIGEST,
    "family_name": DIGEST,
}


def _check_values(message: Any) -> None:
    for field, value in message.ListFields():
        pattern = _PATTERNS.get(field.name)
        for each in value if field.is_repeated else (value,):
            if pattern is not None:
                assert pattern.fullmatch(each), field.name
            elif isinstance(each, float):
                assert math.isfinite(each), field.name
            elif field.message_type is not None:
                _check_values(each)
