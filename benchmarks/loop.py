"""The bare loops of both APIs: the cost of reading, hashing and serializing without any checks.

`csv.reader`, strip + lower + SHA-256, raw protobuf (setting attributes is the fastest way: keyword
arguments take a fifth longer), one request per 2,000 rows. It looks up no header, applies no rules
and handles no errors: an invalid row is sent as it is. Only a time that cannot be read leaves its
row out on the Data Manager API, which takes times as numbers.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import datetime
from hashlib import sha256

from google.ads.datamanager_v1.types.ingestion_service import IngestEventsRequest

from sandbox.google_ads import ads_module

Request = ads_module("services.types.conversion_upload_service").UploadClickConversionsRequest.pb()
EventsRequest = IngestEventsRequest.pb()


def prepare(content: bytes) -> Iterator[bytes]:
    """The serialized requests for a file with the columns of `benchmarks.rows`."""
    reader = csv.reader(io.TextIOWrapper(io.BytesIO(content), encoding="utf-8", newline=""))
    next(reader)
    request = Request(customer_id="1234567890", partial_failure=True, job_id=1)
    size = 0
    for gclid, _, _, email, phone, action, time, value, currency, order_id, consent in reader:
        conversion = request.conversions.add()
        conversion.gclid = gclid
        conversion.conversion_action = "customers/1234567890/conversionActions/" + action
        conversion.conversion_date_time = time
        conversion.conversion_value = float(value)
        conversion.currency_code = currency
        conversion.order_id = order_id
        conversion.consent.ad_user_data = 2 if consent == "GRANTED" else 3
        identifier = conversion.user_identifiers.add()
        identifier.hashed_email = sha256(email.strip().lower().encode()).hexdigest()
        identifier.user_identifier_source = 2
        identifier = conversion.user_identifiers.add()
        identifier.hashed_phone_number = sha256(phone.strip().lower().encode()).hexdigest()
        identifier.user_identifier_source = 2
        size += 1
        if size == 2_000:
            yield request.SerializeToString()
            request = Request(customer_id="1234567890", partial_failure=True, job_id=1)
            size = 0
    if size:
        yield request.SerializeToString()


def prepare_events(content: bytes) -> Iterator[bytes]:
    """The same for the Data Manager API."""
    reader = csv.reader(io.TextIOWrapper(io.BytesIO(content), encoding="utf-8", newline=""))
    next(reader)
    request = EventsRequest(encoding=1)
    size = 0
    for gclid, _, _, email, phone, action, time, value, currency, order_id, consent in reader:
        try:
            seconds = int(datetime.fromisoformat(time).timestamp())
        except ValueError:
            continue
        event = request.events.add()
        event.destination_references.append(action)
        event.event_timestamp.seconds = seconds
        event.event_source = 5
        event.ad_identifiers.gclid = gclid
        event.conversion_value = float(value)
        event.currency = currency
        event.transaction_id = order_id
        event.consent.ad_user_data = 1 if consent == "GRANTED" else 2
        identifiers = event.user_data.user_identifiers
        identifiers.add().email_address = sha256(email.strip().lower().encode()).hexdigest()
        identifiers.add().phone_number = sha256(phone.strip().lower().encode()).hexdigest()
        size += 1
        if size == 2_000:
            yield request.SerializeToString()
            request = EventsRequest(encoding=1)
            size = 0
    if size:
        yield request.SerializeToString()
