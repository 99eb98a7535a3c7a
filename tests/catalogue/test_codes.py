"""The catalogue of codes."""

import importlib
import re
from importlib.resources import files
from pathlib import Path

import pytest
from google.ads.datamanager_v1.types.error import ErrorReason
from google.ads.datamanager_v1.types.processing_errors import (
    ProcessingErrorReason,
    ProcessingWarningReason,
    WarningReason,
)

from lib.catalogue import data_manager as codes_data_manager
from lib.catalogue import google_ads as codes_google_ads
from lib.catalogue import ours as codes_ours
from lib.catalogue.codes import CATALOGUE, lookup
from lib.catalogue.page import page
from lib.rules.values.countries import find_region
from lib.rules.values.errors import RuleError
from lib.source.errors import FILE_ERROR_CODES
from lib.source.records import ROW_PROBLEMS

ROOT = Path(__file__).parents[2]
ADS_ENUMS = """
ConversionUploadError QuotaError AuthenticationError AuthorizationError InternalError
DatabaseError DateError StringLengthError StringFormatError RequestError FieldError
NotAllowlistedError HeaderError IdError RangeError CurrencyCodeError CollectionSizeError
NotEmptyError NullError EnumError DistinctError PartialFailureError SizeLimitError
ResourceAccessDeniedError
"""


@pytest.mark.parametrize("enum", ADS_ENUMS.split())
def test_every_code_of_the_google_ads_client_is_known(enum: str) -> None:
    """A new client library that brings another one fails here."""
    module = re.sub(r"(?<!^)(?=[A-Z])", "_", enum).lower()
    types = importlib.import_module(f"google.ads.googleads.v26.errors.types.{module}")
    values = getattr(getattr(types, f"{enum}Enum"), enum)
    assert {value.name for value in values} - set(CATALOGUE) == set()


@pytest.mark.parametrize(
    "enum", [ErrorReason, ProcessingErrorReason, ProcessingWarningReason, WarningReason]
)
def test_every_code_of_the_data_manager_client_is_known(enum: type[ErrorReason]) -> None:
    """A new client library that brings another one fails here."""
    assert {value.name for value in enum} - set(CATALOGUE) == set()


def test_every_code_that_the_sources_raise_is_known() -> None:
    """Wherever an error or a problem is made with a literal code."""
    made = re.compile(
        r'(?:Error|Problem|PermanentError|RetryableError|CallFailure)\(\s*"([A-Z][A-Z0-9_]{3,})"'
    )
    sources = (ROOT / "lib").rglob("*.py")
    raised = {code for path in sources for code in made.findall(path.read_text("utf-8"))}
    assert "INVALID_EMAIL" in raised
    assert raised - set(CATALOGUE) == set()


def test_every_code_of_reading_a_file_is_known() -> None:
    """Those of the whole file and those of a line."""
    assert {*FILE_ERROR_CODES, *ROW_PROBLEMS} - set(CATALOGUE) == set()
    assert {lookup(code).scope for code in FILE_ERROR_CODES} == {"file"}
    assert {lookup(code).outcome for code in ROW_PROBLEMS} == {"rejected"}


def test_no_code_of_ours_is_one_of_googles() -> None:
    """A row that we refused must not read as if Google had."""
    assert set(codes_ours.TABLE) & set(codes_google_ads.TABLE) == set()
    assert set(codes_ours.TABLE) & set(codes_data_manager.TABLE) == set()
    assert set(codes_google_ads.TABLE) & set(codes_data_manager.TABLE) == set()


@pytest.mark.parametrize("code", CATALOGUE.values(), ids=lambda code: str(code.code))
def test_every_code_says_what_it_means_and_what_to_do(code: object) -> None:
    """In whole sentences on one line."""
    for text in (code.meaning, code.action):  # type: ignore[attr-defined]
        assert text[0].isupper()
        assert text.endswith(".")
        assert "\n" not in text
        assert "  " not in text


@pytest.mark.parametrize(
    "codes, scope, outcome",
    [
        ("CLICK_CONVERSION_ALREADY_EXISTS ORDER_ID_ALREADY_IN_USE", "row", "duplicate"),
        ("DUPLICATE_CLICK_CONVERSION_IN_REQUEST DUPLICATE_ORDER_ID", "row", "duplicate"),
        ("TOO_RECENT_EVENT TOO_RECENT_CONVERSION_ACTION", "row", "deferred"),
        ("UNPARSEABLE_GCLID UNPARSEABLE_GBRAID UNPARSEABLE_WBRAID", "row", "failed"),
        ("CONVERSION_PRECEDES_EVENT INVALID_USER_IDENTIFIER", "row", "failed"),
        ("UNSUPPORTED_USER_IDENTIFIER GBRAID_WBRAID_BOTH_SET", "row", "failed"),
        ("ORDER_ID_CONTAINS_PII CUSTOM_VARIABLE_VALUE_CONTAINS_PII", "row", "failed"),
        ("INVALID_STRING_DATE_TIME_SECONDS_WITH_OFFSET TOO_SHORT", "row", "failed"),
        ("EXPIRED_EVENT EVENT_NOT_FOUND", "row", "failed"),
        ("CONVERSION_TRACKING_NOT_ENABLED_AT_IMPRESSION_TIME", "row", "failed"),
        ("CONVERSION_NOT_COMPLIANT_WITH_ATT_POLICY", "row", "failed"),
        ("NO_CONVERSION_ACTION_FOUND INVALID_CONVERSION_ACTION_TYPE", "account", "not_attempted"),
        ("CUSTOMER_NOT_ACCEPTED_CUSTOMER_DATA_TERMS", "account", "not_attempted"),
        ("CUSTOMER_NOT_ENABLED_ENHANCED_CONVERSIONS_FOR_LEADS", "account", "not_attempted"),
        ("CUSTOMER_DATA_POLICY_PROHIBITS_ENHANCED_CONVERSIONS", "account", "not_attempted"),
        ("CUSTOM_VARIABLE_NOT_ENABLED UNAUTHORIZED_CUSTOMER", "account", "not_attempted"),
        ("USER_PERMISSION_DENIED", "account", "not_attempted"),
        ("CUSTOMER_NOT_ALLOWLISTED_FOR_THIS_FEATURE", "account", "not_attempted"),
        ("CLOUD_PROJECT_NOT_APPROVED_FOR_PRODUCTION", "account", "not_attempted"),
        ("TRANSIENT_ERROR CONCURRENT_MODIFICATION INTERNAL_ERROR", "transient", None),
        ("RESOURCE_TEMPORARILY_EXHAUSTED UNAVAILABLE", "transient", None),
        ("CLICK_NOT_FOUND", "row", None),
        ("EVENT_TOO_OLD CONVERSION_PRECEDES_CLICK DENIED_CONSENT", "row", "failed"),
        ("DUPLICATE_GCLID DUPLICATE_TRANSACTION_ID", "row", "duplicate"),
        ("TOO_RECENT_CLICK", "row", "deferred"),
        ("OPERATING_ACCOUNT_MISMATCH_FOR_AD_IDENTIFIER NO_CONSENT", "row", "failed"),
        ("INVALID_EMAIL CLICK_NOT_FOUND", "row", None),
        ("REPEATED_LINE", "row", "duplicate"),
        ("FUTURE_DATE NO_CLICK_ID_OR_IDENTIFIER", "row", "rejected"),
        ("EMPTY_FILE", "file", "not_attempted"),
    ],
)
def test_a_code_decides_what_becomes_of_its_row(
    codes: str, scope: str, outcome: str | None
) -> None:
    """As Google's documentation, and experience with the API, has it."""
    for code in codes.split():
        assert (lookup(code).scope, lookup(code).outcome) == (scope, outcome), code


def test_a_warning_of_google_is_no_failure() -> None:
    """A row whose identifiers match no click was taken."""
    assert lookup("CLICK_NOT_FOUND").severity == "warning"


def test_an_unknown_code_is_a_failure_of_its_row_shown_as_it_came() -> None:
    """Newer API versions bring some."""
    entry = lookup("SOME_NEW_CODE")
    assert entry.code == "SOME_NEW_CODE"
    assert (entry.severity, entry.scope, entry.outcome) == ("error", "row", "failed")


def test_a_rule_error_speaks_by_the_catalogue() -> None:
    """Its text is the code and the meaning."""
    error = RuleError("INVALID_EMAIL")
    assert str(error) == f"INVALID_EMAIL: {CATALOGUE['INVALID_EMAIL'].meaning}"


def test_the_page_of_codes_is_current() -> None:
    """`python -m lib.catalogue.codes > docs/codes.md` makes it."""
    assert (ROOT / "docs" / "codes.md").read_text("utf-8") == page()


def test_every_country_of_the_time_zone_database_is_known() -> None:
    """By its code; there's one more, Kosovo."""
    table = files("tzdata").joinpath("zoneinfo/iso3166.tab").read_text("utf-8")
    codes = {line[:2] for line in table.splitlines() if not line.startswith("#")}
    assert len(codes) == 249
    assert {find_region(code) for code in codes} == codes
