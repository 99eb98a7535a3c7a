"""The catalogue of codes."""

import json
import re
from configparser import ConfigParser, ExtendedInterpolation
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import get_args

import pytest

from lib.catalogue.codes import (
    ABOUT_THE_ACTION,
    CATALOGUE,
    CAUSES_OF,
    KEEPS_OLD_VALUE,
    NOBODY_CLICKED,
    TABLES,
    WAITS_A_DAY,
    lookup,
)
from lib.catalogue.kinds import CODE_KINDS
from lib.catalogue.texts import OPEN_PROFILE, THE_ACCOUNT, for_engineer, for_owner
from lib.config.profile import Profile, Send
from lib.errors import FILE_ERROR_CODES
from lib.model.records import ROW_PROBLEMS
from lib.rules.values.countries import find_country_code

ROOT = Path(__file__).parents[2]

FLAGS = {"is_too_late", "needs_look", "needs_profile", "says_upload"}
READERS = {
    "action": for_owner,
    "ask_engineer": for_engineer,
    "if_most": for_owner,
    "engineer_if_most": for_engineer,
}
"""Keys of an entry that say what to do, and to whom they say it."""

BEGINS_WELL = re.compile(
    "(?:Owner of the export: |Ask your engineer: )?"
    "(No action "
    "needed|Are|Did|Do|Does|Have|Is|Was|Which|Accept|Add|Apply|Ask|Check|Clear|Compare|Compress|Contact|Copy|Correct|Create"
    "|Enable|End|Export|Fill|Find|Format|Give|Keep|Leave|Look|Make|Move|Name|Open|Read|Remove|Rename"
    "|Report|Save|Set|Shorten|Split|Turn|Upload|Use|Wait|Write)\\b"
)
"""What an action may begin with, after who must act: a verb, unless there is nothing to do, or the
question that decides."""


def test_every_code_that_the_sources_raise_is_ours() -> None:
    """Wherever the code creates an error or a problem with a literal code."""
    made = re.compile(r'(?:Error|Problem|RequestFailure|reject|warn)\([^")]*"([A-Z][A-Z0-9_]{3,})"')
    sources = [path for path in (ROOT / "lib").rglob("*.py") if "catalogue" not in path.parts]
    raised = {code for path in sources for code in made.findall(path.read_text("utf-8"))}
    assert {"INVALID_EMAIL", "RESTATED_TO_ZERO"} <= raised
    assert raised - set(CATALOGUE) == set()


def test_every_code_of_ours_is_raised() -> None:
    """No entry outlives the rule that it describes."""
    sources = [path for path in (ROOT / "lib").rglob("*.py") if "catalogue" not in path.parts]
    words = {word for path in sources for word in re.findall(r"\w+", path.read_text("utf-8"))}
    assert set(TABLES["This function"]) - words == set()


def test_every_code_of_a_list_is_known() -> None:
    """The codes about which other modules decide."""
    listed = {*ABOUT_THE_ACTION, *CAUSES_OF, *WAITS_A_DAY, *NOBODY_CLICKED, *KEEPS_OLD_VALUE}
    assert listed.union(*CAUSES_OF.values()) - set(CATALOGUE) == set()


def test_every_code_of_reading_a_file_is_known() -> None:
    """Codes of the whole file, and codes of a line."""
    assert {*FILE_ERROR_CODES, *ROW_PROBLEMS} - set(CATALOGUE) == set()
    assert {lookup(code).scope for code in FILE_ERROR_CODES} == {"file"}
    outcomes = {code: lookup(code).outcome for code in ROW_PROBLEMS}
    assert outcomes.pop("UNTERMINATED_LAST_LINE") == "deferred"
    assert outcomes.pop("REPORT_FOOTER") is None  # it is not a row
    assert set(outcomes.values()) == {"rejected"}


@pytest.mark.parametrize("name", ["ours.ini", "google.ini"])
def test_the_texts_are_an_ini_file(name: str) -> None:
    """`configparser` reads the same codes and texts, and no line of a text as a comment."""
    slow = ConfigParser(interpolation=ExtendedInterpolation())
    for each in ("shared.ini", name):
        text = (ROOT / "lib" / "catalogue" / each).read_text("utf-8")
        assert not re.search(r"^ +[#;]", text, re.M)
        slow.read_string(text)
    keys = {"meaning", "needs_action", "also", *FLAGS, *READERS, *slow.defaults()}
    codes = []
    for title in slow.sections():
        section = {key: " ".join(text.split()) for key, text in slow[title].items()}
        assert section.keys() <= keys, title
        kind, first = title.split()
        for code in (first, *section.get("also", "").split()):
            codes.append(code)
            entry = lookup(code)
            assert entry.meaning == section["meaning"]
            texts = {key: to(section[key]) for key, to in READERS.items() if key in section}
            is_for_engineer = "ask_engineer" in section
            assert is_for_engineer != ("action" in section)
            if not entry.needs_action:
                texts["action"] = section["action"]
            assert entry.action == texts["ask_engineer" if is_for_engineer else "action"]
            assert entry.if_most == texts.get("if_most", texts.get("engineer_if_most", ""))
            somebody = CODE_KINDS[kind].needs_action and section.get("needs_action") != "no"
            assert entry.needs_action == (is_for_engineer or somebody)
            assert {flag for flag in FLAGS if getattr(entry, flag)} == section.keys() & FLAGS
    assert len(codes) == len(set(codes))


def test_no_code_is_in_two_tables() -> None:
    """A row that our rules reject must not read as if Google had refused it."""
    assert len(CATALOGUE) == sum(map(len, TABLES.values()))


def test_every_code_says_what_it_means_and_what_to_do() -> None:
    """In whole sentences on one line, without contractions. An action begins with a verb."""
    for code in (*CATALOGUE.values(), lookup("SOME_NEW_CODE"), lookup("WARNING_REASON_NEW")):
        for text in (code.meaning, code.action, *filter(None, [code.if_most])):
            assert text[0].isupper(), code
            assert text.endswith("."), code
            assert "\n" not in text, code
            assert "  " not in text, code
            assert "n't" not in text, code
        for action in filter(None, (code.action, code.if_most)):
            assert BEGINS_WELL.match(action), code


def test_a_text_decides_nothing() -> None:
    """Who has to act, and whether a stopped file comes again, are keys of the entry."""
    for code in ("SHUTDOWN", "COLUMN_MISSING", "SOURCE_GONE"):
        entry, other = lookup(code), replace(lookup(code), action="Do something else.")
        assert other.needs_action == entry.needs_action == (code != "SHUTDOWN")
        is_completed = "upload the file again" in other.advice_with_upload()
        assert is_completed == (code == "COLUMN_MISSING")


def test_who_has_nothing_to_do_reads_that_first() -> None:
    """A text that begins with it does not contradict its key."""
    for code in CATALOGUE.values():
        assert code.needs_action != code.action.startswith("No action needed"), code


def test_a_command_in_an_action_gets_the_names_of_the_file() -> None:
    """Report and `check` put them in for these words, so an action has no others."""
    texts = [text for code in CATALOGUE.values() for text in (code.action, code.if_most)]
    with_command = [text for text in texts if re.search(r"\binit\b", text)]
    assert with_command
    assert all(OPEN_PROFILE in text for text in with_command)
    assert any(THE_ACCOUNT in text for text in texts)


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
        (
            "INVALID_FORMAT INVALID_MERCHANT_ID PROCESSING_ERROR_REASON_INVALID_EVENT",
            "row",
            "failed",
        ),
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
        ("CLICK_NOT_FOUND WARNING_REASON_GENERIC WARNING_REASON_INVALID_MERCHANT_ID", "row", None),
        ("EVENT_TOO_OLD CONVERSION_PRECEDES_CLICK DENIED_CONSENT", "row", "failed"),
        ("DUPLICATE_GCLID DUPLICATE_TRANSACTION_ID", "row", "duplicate"),
        ("TOO_RECENT_CLICK CONVERSION_ACTION_TOO_RECENTLY_CREATED", "row", "deferred"),
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
    """For every other reason to wait, some hours are enough."""
    assert {lookup(code).outcome for code in WAITS_A_DAY} == {"deferred"}


def test_a_warning_from_google_is_not_a_failure() -> None:
    """Google accepts a row whose identifiers match no click, or with a warning of a newer API."""
    for code in ("CLICK_NOT_FOUND", "WARNING_REASON_NEW", "PROCESSING_WARNING_REASON_NEW"):
        assert lookup(code).severity == "warning"
        assert not lookup(code).needs_action


def test_an_unknown_code_is_a_failure_of_its_row_and_keeps_its_name() -> None:
    """Google's message says what is wrong."""
    entry = lookup("SOME_NEW_CODE")
    assert (entry.code, entry.origin) == ("SOME_NEW_CODE", "Google")
    assert (entry.severity, entry.scope, entry.outcome) == ("error", "row", "failed")
    assert "message" in entry.meaning


def test_the_page_has_every_code_once() -> None:
    """In the table of its origin. Codes with the same text share a row."""
    page = (ROOT / "docs" / "codes.md").read_text("utf-8")
    assert re.findall(r"^## (.+)$", page, re.M) == list(TABLES)
    names = re.findall(r"^\| (`\w+`(?:, `\w+`)*) \|", page, re.M)
    codes = [code for each in names for code in re.findall(r"\w+", each)]
    assert sorted(codes) == sorted(CATALOGUE)


def test_every_country_of_the_time_zone_database_is_known() -> None:
    """By its code. The catalogue of countries has one more, Kosovo."""
    table = files("tzdata").joinpath("zoneinfo/iso3166.tab").read_text("utf-8")
    codes = {line[:2] for line in table.splitlines() if not line.startswith("#")}
    assert len(codes) == 249
    assert {find_country_code(code) for code in codes} == codes
