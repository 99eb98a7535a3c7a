"""Builds upload requests and reads their responses, for the tests of the sandbox."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from google.api_core import exceptions
from google.protobuf.message import Message

from sandbox.google_ads import PACKAGE, ads_module

CUSTOMER = "1234567890"
ACTION = f"customers/{CUSTOMER}/conversionActions/1001"
GCLID = "EAIaIQobChMI_example-0001"
EMAIL = "973dfe463ec85785f5f95af5ba3906eedb2d931c24e69824a89ea65dba4e813b"  # test@example.com

types = ads_module("services.types.conversion_upload_service")
Failure: Any = ads_module("errors.types.errors").GoogleAdsFailure.pb()
Request: Any = types.UploadClickConversionsRequest.pb()
Conversion: Any = types.ClickConversion.pb()


def ago(**delta: float) -> str:
    """A conversion_date_time in the past, by this time span."""
    return f"{datetime.now(UTC) - timedelta(**delta):%Y-%m-%d %H:%M:%S}+00:00"


def conversion(**fields: Any) -> Any:
    """A valid conversion. `fields` replaces some fields, or (None) leaves them out."""
    given: dict[str, Any] = {
        "gclid": GCLID,
        "conversion_action": ACTION,
        "conversion_date_time": ago(days=2),
        "conversion_value": 12.5,
        "currency_code": "USD",
    } | fields
    return Conversion(**{name: value for name, value in given.items() if value is not None})


def request(*conversions: Any, **fields: Any) -> Any:
    given = {"customer_id": CUSTOMER, "partial_failure": True, "job_id": 42} | fields
    return Request(
        conversions=conversions, **{name: v for name, v in given.items() if v is not None}
    )


def code_of(error: Any) -> str:
    """The name of an error's code.

    `GoogleAdsException.failure` holds proto-plus messages even if the client is set to raw ones.
    """
    if not isinstance(error, Message):
        error = type(error).pb(error)
    family = error.error_code.WhichOneof("error_code")
    field = error.error_code.DESCRIPTOR.fields_by_name[family]
    number = getattr(error.error_code, family)
    value = field.enum_type.values_by_number.get(number)
    return value.name if value else str(number)


def path_of(error: Any) -> str:
    return ".".join(
        f"{e.field_name}[{e.index}]" if e.HasField("index") else e.field_name
        for e in error.location.field_path_elements
    )


def failures(response: Any) -> list[tuple[str, str]]:
    """(field path, code) for every error in a response."""
    found = []
    for detail in response.partial_failure_error.details:
        failure = Failure()
        assert detail.Unpack(failure)
        found += [(path_of(error), code_of(error)) for error in failure.errors]
    return found


def failure_behind(error: exceptions.GoogleAPICallError) -> Any:
    """The failure in an error that the client does not unpack (RESOURCE_EXHAUSTED, INTERNAL)."""
    trailing = dict(error.errors[0].trailing_metadata())
    assert trailing["request-id"]
    return Failure.FromString(trailing[f"{PACKAGE}.errors.googleadsfailure-bin"])
