"""Adjustments and calls sent to the sandbox with the real client: what happens to every row."""

from __future__ import annotations

from typing import Any

import pytest
from ads_records import CALLER, adjustment, call, conversion, retraction

from lib.destinations.connections import KeptConnection, PacedConnection, SignIns
from lib.destinations.credentials import ADWORDS_SCOPE
from lib.destinations.google_ads.capabilities import CAPABILITIES
from lib.destinations.google_ads.client import GoogleAds, open_ads_channel
from lib.destinations.pacing import Pacer
from lib.destinations.preflight import Preflight
from lib.model.adjustment_types import ADJUSTMENT_TYPES, AdjustmentType
from lib.model.log import SilentLog
from lib.model.records import Conversion
from sandbox.apis import Apis
from tests.destinations.sending import CUSTOMER, ago, send, shown

ADJUSTABLE: Any = CAPABILITIES.kinds["adjustment"]


def destination(apis: Apis, *, validate_only: bool = False) -> GoogleAds:
    """Return the destination as a run gets it."""
    credentials = SignIns(lambda: apis.google_ads_key_yaml).for_scope(ADWORDS_SCOPE)
    kept = KeptConnection(
        credentials, lambda authorized: open_ads_channel(authorized, apis.endpoint)
    )
    return GoogleAds(
        connection=PacedConnection(kept, Pacer(8)),
        preflight=Preflight(credentials, apis.data_manager_endpoint),
        log=SilentLog(),
        manager_id="",
        timeout_seconds=20,
        validate_only=validate_only,
    )


def sold(order_id: str, **changes: Any) -> Conversion:
    given = {"time": ago(days=5), "gclid": f"EAIaIQobChMI_example-{order_id}"}
    return conversion(order_id=order_id, **given | changes)


def test_the_life_of_an_order(apis: Apis) -> None:
    """Sold, corrected, refunded, in the wrong order: Google has the last state."""
    ads = destination(apis)
    sales = send(ads, sold("SO-1"), sold("SO-2"))
    first = send(
        ads,
        retraction(order_id="SO-1", time=ago(days=1)),
        adjustment(order_id="SO-1", time=ago(days=2), value=80.0),
        adjustment(order_id="SO-2", time=ago(days=2), value=70.0),
    )
    assert (shown(sales), shown(first), first.stop, len(first.request_ids)) == ({}, {}, None, 1)
    assert apis.state.worth("SO-1") is None
    assert apis.state.worth("SO-2") == 70.0
    (history,) = apis.state.histories("SO-1")
    assert [each["kind"] for each in history["history"]] == [
        *("conversion", "restatement", "retraction")
    ]
    again = send(
        ads,
        retraction(order_id="SO-1", time=ago(days=1)),
        adjustment(order_id="SO-2", time=ago(days=3), value=60.0),
        adjustment(order_id="SO-3", time=ago(days=1)),
        adjustment(order_id="SO-2", time=ago(days=1), value=50.0),
    )
    assert shown(again) == {
        0: ("duplicate", ["CONVERSION_ALREADY_RETRACTED"], [""]),
        1: ("skipped", ["MORE_RECENT_RESTATEMENT_FOUND"], [""]),
        2: ("deferred", ["CONVERSION_NOT_FOUND"], [""]),
    }
    assert apis.state.worth("SO-2") == 50.0


@pytest.mark.parametrize("adjustment_type", sorted(ADJUSTABLE.adjustment_types))
def test_each_type_of_adjustment_is_accepted(apis: Apis, adjustment_type: AdjustmentType) -> None:
    """Google knows every type that the destination says it can send."""
    ads = destination(apis)
    send(ads, sold("SO-1"))
    given = {"adjustment_type": adjustment_type, "time": ago(days=1)}
    if not ADJUSTMENT_TYPES[adjustment_type].has_value:
        given |= {"value": None, "currency_code": None}
    assert shown(send(ads, adjustment(order_id="SO-1", **given))) == {}
    (history,) = apis.state.histories("SO-1")
    assert [each["kind"] for each in history["history"]] == ["conversion", adjustment_type]


def test_every_row_of_a_bad_request_has_its_own_outcome(apis: Apis) -> None:
    """Rows that Google refuses do not touch the others."""
    ads = destination(apis)
    send(ads, sold("SO-1"), sold("SO-2", time=ago(hours=3)), sold("SO-4", time=ago(days=60)))
    at = ago(hours=1)
    result = send(
        ads,
        adjustment(order_id="SO-1", time=at, value=80.0),
        retraction(order_id="SO-2", time=at),
        adjustment(order_id="buyer@example.com", time=at),
        retraction(order_id="SO-4", time=at),
        retraction(order_id="SO-5", action_id="1004", time=at),
        adjustment(order_id="SO-6", action_id="1013", time=at),
        adjustment(order_id="SO-7", action_id="1012", time=at),
        adjustment(order_id="SO-1", time=ago(days=30)),
    )
    found = shown(result)
    assert 0 not in found
    assert {position: (outcome, codes) for position, (outcome, codes, _) in found.items()} == {
        1: ("deferred", ["TOO_RECENT_CONVERSION"]),
        2: ("failed", ["ORDER_ID_CONTAINS_PII"]),
        3: ("failed", ["CONVERSION_EXPIRED"]),
        4: ("deferred", ["CONVERSION_NOT_FOUND"]),
        5: (
            "failed",
            ["CANNOT_RESTATE_CONVERSION_ACTION_THAT_ALWAYS_USES_DEFAULT_CONVERSION_VALUE"],
        ),
        6: ("failed", ["INVALID_CONVERSION_ACTION_TYPE"]),
        7: ("failed", ["ADJUSTMENT_PRECEDES_CONVERSION"]),
    }
    assert found[2][2] == ["order_id"]
    assert found[6][2] == ["conversion_action"]
    assert result.stop is None


def test_a_conversion_without_an_order_id_is_found_by_its_click(apis: Apis) -> None:
    """By gclid and time, in whatever zone the time is written."""
    ads = destination(apis)
    sale = sold("SO-1")._replace(order_id=None)
    send(ads, sale)
    named = {"order_id": None, "gclid": sale.gclid, "conversion_time": sale.time}
    assert shown(send(ads, adjustment(**named, time=ago(days=1), value=5.0))) == {}
    (history,) = apis.state.histories()
    assert [each["value"] for each in history["history"]] == [100.0, 5.0]


def test_a_validate_only_upload_changes_nothing(apis: Apis) -> None:
    """Google checks the records and counts none."""
    ads = destination(apis, validate_only=True)
    assert shown(send(ads, sold("SO-1"))) == {}
    result = send(ads, retraction(order_id="SO-2", time=ago(days=1)))
    assert {p: codes for p, (_, codes, _) in shown(result).items()} == {0: ["CONVERSION_NOT_FOUND"]}
    assert apis.state.histories() == []


def test_adjustments_that_google_does_not_allow(apis: Apis) -> None:
    """Conversions are counted, and no further adjustment is tried."""
    apis.state.change_account(CUSTOMER, allowlisted_for_adjustments=False)
    ads = destination(apis)
    row = retraction(order_id="SO-1", time=ago(days=1))
    assert shown(send(ads, sold("SO-1"))) == {}
    for _ in range(2):
        result = send(ads, row)
        assert shown(result)[0][:2] == (
            "not_attempted",
            ["CUSTOMER_NOT_ALLOWLISTED_FOR_THIS_FEATURE"],
        )
        assert result.stop is not None
        assert result.stop.code == "CUSTOMER_NOT_ALLOWLISTED_FOR_THIS_FEATURE"
    methods = [each["method"].rpartition(".")[2] for each in apis.state.request_log()]
    assert methods.count("UploadConversionAdjustments") == 1
    assert apis.state.worth("SO-1") == 100.0


def test_calls(apis: Apis) -> None:
    """Accepted, repeated, too recent and wrong calls, and one of the wrong type of action."""
    ads = destination(apis)
    good = call(call_time=ago(days=3), time=ago(days=2))
    assert shown(send(ads, good, call(call_time=ago(days=3), time=ago(days=1)))) == {}
    result = send(
        ads,
        good,
        call(call_time=ago(hours=2), time=ago(hours=1)),
        call(call_time=ago(days=2), time=ago(days=3)),
        call(call_time=ago(days=80), time=ago(days=2)),
        call(call_time=ago(days=3), time=ago(days=2), action_id="1001"),
        call(call_time=ago(days=3), time=ago(days=2), caller_id="+1"),
    )
    found = shown(result)
    assert {p: (outcome, codes) for p, (outcome, codes, _) in found.items()} == {
        0: ("duplicate", ["CALL_CONVERSION_ALREADY_EXISTS"]),
        1: ("deferred", ["TOO_RECENT_CALL"]),
        2: ("failed", ["CONVERSION_PRECEDES_CALL"]),
        3: ("failed", ["EXPIRED_CALL"]),
        4: ("failed", ["INVALID_CONVERSION_ACTION_TYPE"]),
        5: ("failed", ["UNPARSEABLE_CALLERS_PHONE_NUMBER"]),
    }
    assert found[5][2] == ["caller_id"]
    assert CALLER[2:] not in str(result)
