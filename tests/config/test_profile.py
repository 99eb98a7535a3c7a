"""What a profile may say, and what each misuse is answered with."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from lib.config.profile import (
    MAX_PROFILES_BYTES,
    REQUIRED_KEYS,
    Profile,
    choose_profile,
    profile_name,
    read_profiles,
)
from lib.destinations.registry import names
from lib.errors import PermanentError

FEED: dict[str, Any] = {
    "destination": "google_ads",
    "customer_id": "123-456-7890",
    "expect": "any time",
    "action": "Sale",
    "columns": {
        "conversion_date_time": "Sold at",
        "conversion_value": "Amount",
        "order_id": "Order",
        "gclid": ["GCLID", "Click ID"],
    },
}
STAGES: dict[str, Any] = {
    **FEED,
    "conversions": [
        {"rows": {"Stage": "Qualified"}, "action": 1001, "value": 50},
        {"rows": {"Stage": ["Won", "*"]}, "columns": {"conversion_value": "Net"}},
        {
            "rows": {"Stage": "Refunded"},
            "send": "retraction",
            "columns": {"adjustment_date_time": "Refunded at", "gclid": None},
        },
    ],
    "skip": {"Stage": ["Lost", ""], "Test": True},
}


def columns(**named: Any) -> dict[str, Any]:
    """The profile of a feed whose columns differ from FEED's: None removes one."""
    merged = {**FEED["columns"], **named}
    return {**FEED, "columns": {name: each for name, each in merged.items() if each is not None}}


def entries(*listed: dict[str, Any], **keys: Any) -> dict[str, Any]:
    return {**FEED, "conversions": list(listed), **keys}


REFUND: dict[str, Any] = {
    "rows": {"Stage": "Refunded"},
    "send": "retraction",
    "columns": {"adjustment_date_time": "Refunded at"},
}


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"Stage": ["Won"], "Type": ["New"]}, {"Stage": ["Won"]}),
        ({"Stage": ["Won"], "Type": ["New"]}, {"Stage": ["Won"], "Type": ["*"]}),
        ({"Stage": ["Won"]}, {"Type": ["New"]}),
        ({"Stage": ["*"]}, {"Stage": ["Won", ""]}),
    ],
)
def test_entries_may_overlap(first: dict[str, Any], second: dict[str, Any]) -> None:
    """An entry is for the rows that those before it leave, if they leave some of each value."""
    assert len(Profile.model_validate(entries({"rows": first}, {"rows": second})).entries) == 2


@pytest.mark.parametrize(
    ("profile", "message"),
    [
        ({**FEED, "destination": "bing"}, 'destination: "bing": not an allowed value. Write'),
        ({**FEED, "customer_id": "12345"}, 'customer_id: "12345": wrong format. Write the 10'),
        ({"action": "Sale"}, f"destination: not set. Write {' or '.join(names())}."),
        ({**FEED, "currency": "EUR"}, "not a profile key. Did you mean currency_code?"),
        ({**FEED, "include": {}}, "include: not a profile key. Remove it."),
        ({**FEED, "encoding": "zip"}, 'encoding: "zip": not'),
        ({**FEED, "expect": "soon"}, 'expect: "soon": not understood. Write "any time"'),
        ({**FEED, "date_order": "YMD"}, "date_order: \"YMD\": not an allowed value. Write 'DMY'"),
        ({**FEED, "decimal_sign": "'"}, "decimal_sign: \"'\": not an allowed value."),
        ({**FEED, "value_scale": 0}, "value_scale: 0: too small. Write a number greater than 0."),
        ({**FEED, "value": "10"}, 'value: "10": not an amount. Write a number of 0 or more'),
        ({**FEED, "value": 1795205107000}, "value: 1795205107000: not an amount."),
        ({**FEED, "phone_region": "XX"}, 'phone_region: "XX": not a country with phone numbers.'),
        ({**FEED, "phone_region": "AQ"}, 'phone_region: "AQ": not a country with phone numbers.'),
        ({**FEED, "phone_region": "91"}, 'phone_region: "91": not a country with phone numbers.'),
        ({**FEED, "currency_code": "EUO"}, 'currency_code: "EUO": not a currency in use. Write'),
        ({**FEED, "currency_code": "DEM"}, 'currency_code: "DEM": not a currency in use. Write'),
        ({**FEED, "currency_code": "$"}, 'currency_code: "$": not a currency in use. Write'),
        ({**FEED, "source": "web"}, '"destination": "data_manager". Write that, too.'),
        ({**FEED, "skip": {"Stage": []}}, '"Stage" has no list of values. Write {"Stage"'),
        ({**FEED, "conversions": ["Sale"]}, 'conversions[0]: "Sale": not an object.'),
        ({**FEED, "skip": ["Lost"]}, 'not an object. Write {"column name": ["value", ...]}.'),
        (columns(gclid=None, glcid="GCLID"), "columns.glcid: not a field. Did you mean gclid?"),
        (columns(gclid=[]), 'columns.gclid: not a column name. Write one, such as "Amount"'),
        (columns(order_id_2="Other"), "columns.order_id_2: not a field."),
        (columns(conversion_action="Event"), 'action: "Sale", but columns.conversion_action names'),
        (columns(conversion_date_time=None), 'Write "conversion_date_time": "column name" under'),
        (columns(conversion_value=None), 'profile: no value. Write "conversion_value"'),
        (columns(gclid=None), 'no column by which the Google Ads API finds the conversion'),
        (columns(gclid=None, first_name="A", last_name="B"), "no column by which"),
        ({**FEED, "action": None}, 'profile: no conversion action. Write "action":'),
        ({**FEED, "value": 5}, "value: 5, but columns.conversion_value names a column too. Remove"),
        (
            {**columns(ad_user_data="Opt-in"), "ad_user_data": "GRANTED"},
            'ad_user_data: "GRANTED", but columns.ad_user_data names a column too.',
        ),
        ({**FEED, "ad_personalization": "DENIED"}, "ad_personalization: the Google Ads API does"),
        ({**FEED, "optional": ["phone"]}, 'optional: "phone" is not in columns. Remove it'),
        ({**FEED, "optional": ["order_id"]}, 'optional: "order_id" may not be missing from a file'),
        (
            {
                **columns(conversion_action="Event"),
                "action": None,
                "optional": ["conversion_action"],
            },
            'optional: "conversion_action" may not be missing from a file',
        ),
        (
            {
                **columns(caller_id="Caller", call_start_date_time="Called at"),
                "conversions": [{"send": "call"}],
                "optional": ["caller_id"],
            },
            'optional: "caller_id" may not be missing from a file',
        ),
        (
            {**columns(currency_code="Currency"), "optional": ["currency_code"]},
            'optional: "currency_code" may not be missing from a file',
        ),
        (entries({}, REFUND), "conversions[1]: no row is left for it, because conversions[0] "),
        (
            entries({"rows": {"Stage": ["Won", "Back"]}}, {**REFUND, "rows": {"Stage": [" back"]}}),
            'conversions[1].rows: "Stage" " back": no row is left for it, because conversions[0]',
        ),
        (
            entries(
                {"rows": {"Stage": ["*"]}}, {**REFUND, "rows": {"Stage": ["*"], "Type": ["Back"]}}
            ),
            'conversions[1].rows: "Stage" "*": no row is left for it, because conversions[0]',
        ),
        (
            entries({"value": 5, "columns": {"conversion_value": "Net"}}),
            "conversions[0].value: 5, but conversions[0].columns.conversion_value names a column",
        ),
        (
            entries({"action": 1, "columns": {"conversion_action": "Event"}}),
            'conversions[0].action: "1", but conversions[0].columns.conversion_action names a',
        ),
        (entries({"columns": {"glcid": "A"}}), "conversions[0].columns.glcid: not a field."),
        (entries({"columns": {"caller_id": "A"}}), "columns.caller_id: not read for conversion."),
        (entries({"send": "refund"}), 'conversions[0].send: "refund": not an allowed value.'),
        (entries({**REFUND, "value": 5}), "conversions[0].value: 5, but its rows are sent as"),
        (entries({**REFUND, "columns": {}}), 'Write "adjustment_date_time": "column name"'),
        (entries({**REFUND, "send": "restatement"}), "no new value. Write \"adjusted_value\""),
        (entries({**REFUND, "send": "adjustment"}), 'Write "adjustment_type": "column name"'),
        (
            entries(
                {
                    **REFUND,
                    "columns": {**REFUND["columns"], "order_id": None, "gclid": None},
                }
            ),
            'finds the conversion. Write "order_id": "column name" under columns.',
        ),
        (
            entries(REFUND, destination="data_manager"),
            'does not send "retraction". Write "adjustments_via": "google_ads".',
        ),
        (
            entries(REFUND, adjustments_via="data_manager"),
            "adjustments_via: the Google Ads API sends all adjustments itself. Remove it.",
        ),
        (entries({**REFUND, "send": "call"}), 'Write "call_start_date_time": "column name"'),
        (
            entries({"rows": {"Stage": "Won"}}, skip={"stage": "won "}),
            'conversions[0].rows: "Stage" "Won" is in skip too. Remove it from skip.',
        ),
    ],
)  # fmt: skip
def test_a_misuse_is_told_with_key_value_and_what_to_write(
    profile: dict[str, Any], message: str
) -> None:
    """Each misuse is INVALID_PROFILE, and the message says what to write."""
    with pytest.raises(PermanentError) as caught:
        choose_profile({"default": profile}, "feed.csv")
    assert caught.value.code == "INVALID_PROFILE"
    assert message in caught.value.detail


def test_entries_take_from_the_profile_what_they_do_not_say() -> None:
    """The entry's column or constant beats the profile's, and null switches a field off."""
    profile = Profile.model_validate(STAGES)
    qualified, won, refunded = profile.entries
    assert (qualified.action, qualified.value) == ("1001", 50)
    assert "conversion_value" not in qualified.columns
    assert (won.action, won.value, won.columns["conversion_value"]) == ("Sale", None, ("Net",))
    assert won.columns["gclid"] == ("GCLID", "Click ID")
    assert refunded.kind == "adjustment"
    assert "gclid" not in refunded.columns
    assert profile.skip == {"Stage": ("Lost", ""), "Test": ("true",)}


def test_one_value_of_an_entry_may_have_the_currency_of_the_profile() -> None:
    """Null switches the column of currencies off for it, and the others keep theirs."""
    lead, sale = Profile.model_validate(
        {
            **FEED,
            "columns": {**FEED["columns"], "currency_code": "Currency"},
            "currency_code": "GBP",
            "conversions": [
                {"rows": {"Stage": ["Lead"]}, "value": 100, "columns": {"currency_code": None}},
                {"rows": {"Stage": ["Won"]}},
            ],
        }
    ).entries
    assert "currency_code" not in lead.columns
    assert sale.columns["currency_code"] == ("Currency",)


def test_an_entry_may_have_a_currency_of_its_own() -> None:
    """It beats the column of the profile, and is that of empty cells beside the entry's column."""
    lead, call, sale = Profile.model_validate(
        {
            **FEED,
            "columns": {**FEED["columns"], "currency_code": "Currency"},
            "currency_code": "USD",
            "conversions": [
                {"rows": {"Stage": ["Lead"]}, "value": 100, "currency_code": "GBP"},
                {
                    "rows": {"Stage": ["Call"]},
                    "columns": {"currency_code": "Code"},
                    "currency_code": "GBP",
                },
                {"rows": {"Stage": ["Won"]}},
            ],
        }
    ).entries
    assert [each.currency_code for each in (lead, call, sale)] == ["GBP", "GBP", "USD"]
    assert "currency_code" not in lead.columns
    assert call.columns["currency_code"] == ("Code",)
    assert sale.columns["currency_code"] == ("Currency",)


def test_columns_beside_a_value_or_a_date_are_about_no_other() -> None:
    """A fixed value is not in the currency of a row's amount, nor has another date the time of day
    of the profile's one. If no row has an amount, the currency is about the fixed value."""
    columns = {**FEED["columns"], "currency_code": "Currency", "time_of_day": "Time"}
    del columns["conversion_value"]
    lead = {"rows": {"Stage": ["Lead"]}, "columns": {"conversion_date_time": "Qualified"}}
    of_value = {"conversion_value": "Net"}
    for won, with_currency in ({"columns": of_value}, [False, True]), ({}, [True, True]):
        listed = [lead, {"rows": {"Stage": ["Won"]}, **won}]
        profile = {**FEED, "columns": columns, "value": 50, "conversions": listed}
        first, second = Profile.model_validate(profile).entries
        found = ["currency_code" in each.columns for each in (first, second)]
        assert found == with_currency
        assert "time_of_day" not in first.columns
        assert second.columns["time_of_day"] == ("Time",)


def test_a_profile_without_columns_decides_nothing_about_them() -> None:
    """Without columns, those of the file decide; the profile needs only its required keys."""
    profile = Profile.model_validate({"destination": "google_ads", "customer_id": 1234567890})
    (entry,) = profile.entries
    assert not profile.names_columns
    assert (entry.send, entry.columns) == (None, {})
    assert profile.expectation is None


def test_adjustments_go_to_the_other_destination() -> None:
    """With adjustments_via, all adjustments go there, and conversions do not."""
    profile = Profile.model_validate(
        entries(REFUND, destination="data_manager", adjustments_via="google_ads")
    )
    assert profile.sender("adjustment") == "google_ads"
    assert profile.sender("conversion") == "data_manager"


@pytest.mark.parametrize("profile", [FEED, STAGES])
def test_a_profile_survives_being_stored(profile: dict[str, Any]) -> None:
    """What a claim stores of a profile means the same when it is read again."""
    read = Profile.model_validate(profile)
    again = Profile.model_validate(json.loads(json.dumps(read.document())))
    assert again.entries == read.entries
    assert again == read


@pytest.mark.parametrize(
    ("document", "message"),
    [
        (b'{"a": {}, "a": {}}', '"a" is there twice'),
        (b'{"a": {"skip": {"Stage": "Won"}, "skip": {}}}', '"skip" is there twice'),
        (b'{"customer_id": 1}', 'a profile without a name. Give it one: {"default": {...}}.'),
        (b"[]", 'does not list profiles by name. Write {"<profile name>": {...}, ...}.'),
        (b"{", "is not valid JSON"),
        (b"[" * 100_000, "is not valid JSON: maximum recursion depth exceeded"),
        (b'{"a": {"action": "\\ud83d"}}', "is not valid JSON: 'utf-8' codec can't encode"),
        (b"\xff\xfe", "is not valid JSON: 'utf-8' codec can't decode byte 0xff"),
    ],
)
def test_an_unreadable_document_is_told(document: bytes, message: str) -> None:
    """A profiles document of another form is INVALID_PROFILE, with what is wrong."""
    with pytest.raises(PermanentError, match="INVALID_PROFILE") as caught:
        read_profiles(document)
    assert message in caught.value.detail


def test_comments_are_ignored_and_folders_choose() -> None:
    """Lines with // are comments; the first folder of an object chooses its profile."""
    profiles = read_profiles(f'{{\n  // the shop\n"shop": {json.dumps(FEED)}}}'.encode())
    assert profile_name("shop/2026/a.csv") == "shop"
    with pytest.raises(PermanentError, match="UNKNOWN_PROFILE"):
        choose_profile(profiles, "a.csv")
    with pytest.raises(PermanentError, match="UNKNOWN_PROFILE") as caught:
        choose_profile(profiles, "shops/a.csv")
    assert 'Did you mean shop? Then upload the file into the folder "shop".' in caught.value.detail


def test_a_document_of_more_than_a_mebibyte_is_refused() -> None:
    """To read it would need more memory than an instance has. The size decides, not the content."""
    document = b"{}".ljust(MAX_PROFILES_BYTES)
    assert read_profiles(document) == {}
    with pytest.raises(PermanentError) as raised:
        read_profiles(document + b" ", "gs://config/profiles.json")
    assert raised.value.code == "INVALID_PROFILE"
    assert "larger than 1 MiB" in raised.value.detail


@pytest.mark.parametrize(
    ("key", "written", "meant"),
    [
        ("phone_region", "UK", "GB"),
        ("phone_region", "Germany", "DE"),
        ("phone_region", "+91", "IN"),
        ("currency_code", "usd", "USD"),
        ("currency_code", "Euro", "EUR"),
    ],
)
def test_a_constant_is_read_as_a_cell_would_be(key: str, written: str, meant: str) -> None:
    """A profile may write a country or a currency as a file may."""
    assert getattr(Profile.model_validate({**FEED, key: written}), key) == meant


def test_a_large_profile_is_read_in_linear_time() -> None:
    """A profile of 1 MiB with a thousand entries takes less than seconds."""
    rows = [f"stage {number}" for number in range(20)]
    entry = {"send": "conversion", "columns": {"gclid": ["Click", "Click 2"], "order_id": "Order"}}
    listed = [
        {**entry, "rows": {"Stage": [f"{each} of {number}" for each in rows]}}
        for number in range(2_000)
    ]
    began = time.process_time()
    document = json.dumps({"default": entries(*listed)}).encode()
    assert len(document) > MAX_PROFILES_BYTES * 0.9
    assert len(choose_profile(read_profiles(document), "a.csv").entries) == len(listed)
    repeated = ",".join(f'"{number}": 1' for number in range(80_000))
    with pytest.raises(PermanentError, match='"0" is there twice'):
        read_profiles(f'{{{repeated},"0": 1}}'.encode())
    assert time.process_time() - began < 10


def test_the_page_names_every_required_key_as_such() -> None:
    """Those without a default, and `expect`, which only `check` insists on."""
    required = {name for name, field in Profile.model_fields.items() if field.is_required()}
    assert {*REQUIRED_KEYS} == required | {"expect"}
