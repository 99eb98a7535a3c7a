"""The catalogue of codes."""

import importlib
import importlib.util
import json
import re
import sys
from importlib.resources import files
from itertools import combinations
from pathlib import Path
from typing import get_args

import pytest

import lib.catalogue
from lib.catalogue import codes as codes_module
from lib.catalogue.codes import CATALOGUE, TABLES, WAITS_A_DAY, lookup
from lib.config.profile import Profile, Send
from lib.model.records import ROW_PROBLEMS
from lib.rules.values.cells import RuleError
from lib.rules.values.countries import find_region
from lib.source.errors import FILE_ERROR_CODES

ROOT = Path(__file__).parents[2]
VALID = {
    "destination": "google_ads",
    "customer_id": "1234567890",
    "expect": "any time",
    "action": "1",
    "value": 1,
}
"""A profile."""


def test_every_code_that_the_sources_raise_is_known() -> None:
    """Wherever the code creates an error or a problem with a literal code."""
    made = re.compile(
        r'(?:Error|Problem|PermanentError|RetryableError|RequestFailure)\(\s*"([A-Z][A-Z0-9_]{3,})"'
    )
    sources = (ROOT / "lib").rglob("*.py")
    raised = {code for path in sources for code in made.findall(path.read_text("utf-8"))}
    assert "INVALID_EMAIL" in raised
    assert raised - set(CATALOGUE) == set()


def test_every_code_of_reading_a_file_is_known() -> None:
    """Codes of the whole file, and codes of a line."""
    assert {*FILE_ERROR_CODES, *ROW_PROBLEMS} - set(CATALOGUE) == set()
    assert {lookup(code).scope for code in FILE_ERROR_CODES} == {"file"}
    outcomes = {code: lookup(code).outcome for code in ROW_PROBLEMS}
    assert outcomes.pop("UNTERMINATED_LAST_LINE") == "deferred"
    assert outcomes.pop("REPORT_FOOTER") is None  # it is not a row
    assert set(outcomes.values()) == {"rejected"}


def test_every_module_with_a_table_is_in_the_catalogue() -> None:
    """This function's own codes come first, the others by name."""
    folder = ROOT / "lib" / "catalogue"
    names = {path.stem for path in folder.glob("*.py") if "\nTABLE: " in path.read_text("utf-8")}
    assert names >= {"ours", "google_ads", "data_manager"}
    assert list(TABLES) == ["ours", *sorted(names - {"ours"})]
    titles = [module.TITLE for module in TABLES.values()]
    assert all(titles)
    assert len(set(titles)) == len(titles)


def test_a_new_table_needs_no_other_change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A module beside the others brings its codes; a known code keeps its first text."""
    (tmp_path / "a_new_api.py").write_text(
        "from lib.catalogue.kinds import account, failed\n"
        'TITLE = "A new API"\n'
        "TABLE = {\n"
        '    "A_NEW_CODE": account("It is new.", "Report it."),\n'
        '    "INVALID_EMAIL": failed("It is not valid.", "Correct it."),\n'
        "}\n"
    )
    monkeypatch.setattr(lib.catalogue, "__path__", [*lib.catalogue.__path__, str(tmp_path)])
    specification = importlib.util.spec_from_file_location("read_again", codes_module.__file__)
    assert specification is not None
    assert specification.loader is not None
    again = importlib.util.module_from_spec(specification)
    monkeypatch.setitem(sys.modules, "read_again", again)
    try:
        specification.loader.exec_module(again)
    finally:
        sys.modules.pop("lib.catalogue.a_new_api", None)
        vars(lib.catalogue).pop("a_new_api", None)
    new = again.CATALOGUE["A_NEW_CODE"]
    assert list(again.TABLES) == ["ours", *sorted({"a_new_api", *TABLES} - {"ours"})]
    assert (new.origin, new.scope, new.meaning) == ("a_new_api", "account", "It is new.")
    for code, entry in CATALOGUE.items():
        assert again.CATALOGUE[code].origin == entry.origin
        assert again.CATALOGUE[code].meaning == entry.meaning


def test_no_code_is_in_two_tables() -> None:
    """A row that our rules reject must not read as if Google had refused it."""
    for one, other in combinations(TABLES, 2):
        assert set(TABLES[one].TABLE) & set(TABLES[other].TABLE) == set()


def test_every_code_says_what_it_means_and_what_to_do() -> None:
    """In whole sentences on one line, without contractions."""
    for code in CATALOGUE.values():
        for text in filter(None, (code.meaning, code.action, code.if_most)):
            assert text[0].isupper(), code
            assert text.endswith("."), code
            assert "\n" not in text, code
            assert "  " not in text, code
            assert "n't" not in text, code


@pytest.mark.parametrize(
    "code",
    [
        *("CONVERSION_PRECEDES_EVENT", "CONVERSION_PRECEDES_CALL"),
        "PROCESSING_ERROR_REASON_CONVERSION_PRECEDES_CLICK",
    ],
)
def test_if_most_rows_are_too_early_the_time_zone_is_the_cause(code: str) -> None:
    """Each row looks like a wrong time, but all of them together are one line of the profile."""
    entry = lookup(code)
    assert '"time_zone": ' in entry.advice(12, 12)
    assert entry.advice(3, 12) == entry.action


def test_an_action_names_profile_keys_that_exist() -> None:
    """`"key": value` can be copied into the document: the key is known and the value is valid."""
    for code in CATALOGUE.values():
        advice = f"{code.action} {code.if_most}"
        assert not re.search(r"\w+ = [\w/\[-]", advice), code
        for key, value in re.findall(r'"(\w+)": (\w+|"[^"]*")', advice):
            if key == "send":
                assert json.loads(value) in get_args(Send)
            else:
                base = {"destination": "data_manager", "customer_id": "1234567890"}
                Profile.model_validate({**base, key: json.loads(value)})


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
        ("CONVERSION_ALREADY_RETRACTED RESTATEMENT_ALREADY_EXISTS", "row", "duplicate"),
        ("DUPLICATE_ADJUSTMENT_IN_REQUEST CONVERSION_ALREADY_ENHANCED", "row", "duplicate"),
        ("MORE_RECENT_RESTATEMENT_FOUND", "row", "skipped"),
        ("TOO_RECENT_CONVERSION TOO_RECENT_CALL", "row", "deferred"),
        ("ADJUSTMENT_PRECEDES_CONVERSION", "row", "failed"),
        ("CONVERSION_NOT_FOUND", "row", "deferred"),
        ("GCLID_DATE_TIME_PAIR_AND_ORDER_ID_BOTH_SET", "row", "failed"),
        ("MISSING_ORDER_ID_FOR_WEBPAGE CONVERSION_EXPIRED TOO_MANY_ADJUSTMENTS", "row", "failed"),
        (
            "CANNOT_RESTATE_CONVERSION_ACTION_THAT_ALWAYS_USES_DEFAULT_CONVERSION_VALUE",
            "account",
            "not_attempted",
        ),
        ("TOO_MANY_ADJUSTMENTS_IN_REQUEST INVALID_JOB_ID", "file", "not_attempted"),
        ("CALL_CONVERSION_ALREADY_EXISTS", "row", "duplicate"),
        ("DUPLICATE_CALL_CONVERSION_IN_REQUEST", "row", "duplicate"),
        ("CALL_NOT_FOUND CONVERSION_PRECEDES_CALL EXPIRED_CALL", "row", "failed"),
        ("UNPARSEABLE_CALLERS_PHONE_NUMBER INVALID_CUSTOMER_FOR_CALL", "row", "failed"),
        ("CONVERSION_TRACKING_NOT_ENABLED_AT_CALL_TIME", "row", "failed"),
        ("EXPIRED_CALL INVALID_CALL", "row", "failed"),
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
def test_a_code_decides_the_outcome_of_its_row(codes: str, scope: str, outcome: str | None) -> None:
    """According to Google's documentation and to experience with the API."""
    for code in codes.split():
        assert (lookup(code).scope, lookup(code).outcome) == (scope, outcome), code


def test_only_deferred_rows_wait_a_day() -> None:
    """For every other reason to wait, six hours are enough."""
    assert {lookup(code).outcome for code in WAITS_A_DAY} == {"deferred"}
    deferred = {code.code for code in CATALOGUE.values() if "24 hours" in code.action}
    assert deferred & {c.code for c in CATALOGUE.values() if c.outcome == "deferred"} == WAITS_A_DAY


def test_a_warning_from_google_is_not_a_failure() -> None:
    """Google accepts a row whose identifiers match no click."""
    assert lookup("CLICK_NOT_FOUND").severity == "warning"


def test_an_unknown_code_is_a_failure_of_its_row_and_keeps_its_name() -> None:
    """Newer API versions bring some. Which API it was, the code alone does not say."""
    entry = lookup("SOME_NEW_CODE")
    assert entry.code == "SOME_NEW_CODE"
    assert entry.origin == "unknown"
    assert entry.origin not in TABLES
    assert not [m.TITLE for m in TABLES.values() if m.TITLE in entry.meaning + entry.action]
    assert (entry.severity, entry.scope, entry.outcome) == ("error", "row", "failed")


def test_a_rule_error_has_the_text_of_the_catalogue() -> None:
    """The code and its meaning."""
    error = RuleError("INVALID_EMAIL")
    assert str(error) == f"INVALID_EMAIL: {CATALOGUE['INVALID_EMAIL'].meaning}"


def test_the_page_has_every_code_once() -> None:
    """In a row of its origin's table."""
    page = (ROOT / "docs" / "codes.md").read_text("utf-8")
    heads = re.findall(r"^## (.+)$", page, re.M)
    assert heads == [module.TITLE for module in TABLES.values()]
    rows = re.findall(r"^\| `(\w+)` \|", page, re.M)
    assert sorted(rows) == sorted(CATALOGUE)


def test_every_country_of_the_time_zone_database_is_known() -> None:
    """By its code. The catalogue of countries has one more, Kosovo."""
    table = files("tzdata").joinpath("zoneinfo/iso3166.tab").read_text("utf-8")
    codes = {line[:2] for line in table.splitlines() if not line.startswith("#")}
    assert len(codes) == 249
    assert {find_region(code) for code in codes} == codes
