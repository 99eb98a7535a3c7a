"""The files in examples/ arrive with the profiles in examples/profiles/.

`TRUE_SALES` was read in the files by a person, not taken from the output of the program.
`requests.json` has the SHA-256 of every upload request of an example, for each API: a change of the
bytes that are sent is on purpose. The failed test shows the digests to put there.
"""
# ruff: noqa: E501 (a row of a table is one line)

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pytest

from lib.cli.dry_run import DryRun
from lib.config.profile import Profile
from lib.destinations.instance import Destinations
from lib.model.log import Log
from sandbox.accounts import ConversionAction
from sandbox.apis import Apis, start_apis
from sandbox.examples import EXAMPLES
from sandbox.faults import Faults
from sandbox.state import State
from tests.cli.validating import validate
from tests.exports.playing import APIS, differences, play, true_sale
from tests.fakes import Clock, MemoryStore, World, deliver, world

PROFILE_OF: Final = {
    "crm_export.csv": "google",
    "google_adjustments.csv": "google",
    "google_calls.csv": "google",
    "google_template.csv": "google",
    "hubspot_deals.csv": "hubspot",
    "lead_stages.csv": "lead_stages",
    "paypal_activity.csv": "paypal",
    "pipedrive_deals_de.csv": "pipedrive",
    "salesforce_report.csv": "salesforce",
    "semicolon_decimal_comma.csv": "shop_de",
    "shop_refunds.csv": "shop_refunds",
    "shopify_orders.csv": "shopify",
    "stripe_payments.csv": "stripe",
    "woocommerce_orders.csv": "woocommerce",
    "xero_invoices.csv": "xero",
    "zoho_deals.csv": "zoho",
}
"""Example → file in examples/profiles/, without its extension."""

TRUE_SALES: Final = {
    "hubspot_deals.csv": """
Cj0KCQiAexample_Hd01 | ada.abara@example.com | +12125550111 | 2026-11-18 09:30:00-05:00 | 2400 | USD | 21004410001
 | chloe.castro@example.com | +12125550113 | 2026-11-19 16:02:00-05:00 | 12500.5 | USD | 21004410003
Cj0KCQiAexample_Hd06 | | | 2026-11-20 18:20:00-05:00 | | | 21004410006
""",
    "salesforce_report.csv": """
Cj0KCQiAexample_Sr01 | ada.abara@example.com | +13125550121 | 2026-11-18 00:00:00-06:00 | 12500 | USD | 0065g00000ExAmA
 | chloe.castro@example.com | +13125550123 | 2026-11-05 00:00:00-06:00 | 780 | EUR | 0065g00000ExAma
""",
    "pipedrive_deals_de.csv": """
Cj0KCQiAexample_Pd01 | ada.abara@example.com | +12125550131 | 2026-11-18 09:30:15+01:00 | 18450.5 | EUR | 501
 | chloe.castro@example.com | +12125550133 | 2026-11-05 16:02:09+01:00 | 780 | CHF | 503
Cj0KCQiAexample_Pd05 | | | 2026-11-20 11:47:30+01:00 | 1250 | EUR | 505
""",
    "zoho_deals.csv": """
Cj0KCQiAexample_Zo01 | ada.abara@example.com | | 2026-11-18 00:00:00+00:00 | 1270 | GBP | 000125
 | chloe.castro@example.com | | 2026-11-05 00:00:00+00:00 | 640.5 | GBP | 000126
""",
    "shopify_orders.csv": """
 | ada.abara@example.com | +12125550151 | 2026-11-18 09:31:02-06:00 | 125.98 | USD | #1001
 | gail.gomez@example.com | +12125550157 | 2026-11-20 23:58:59-06:00 | 104.33 | USD | #1007
""",
    "woocommerce_orders.csv": """
Cj0KCQiAexample_Wc01 | ada.abara@example.com | +12125550181 | 2026-11-18 09:31:00-05:00 | 125.98 | USD | 3001
 | chloe.castro@example.com | +12125550183 | 2026-11-19 16:25:00-05:00 | 111.96 | USD | 3003
 | gail.gomez@example.com | +12125550187 | 2026-11-20 23:59:00-05:00 | 104.33 | USD | 3008
""",
    "stripe_payments.csv": """
Cj0KCQiAexample_St01 | ada.abara@example.com | | 2026-11-18 15:30:07+00:00 | 120 | USD | 2001
 | eve.evans@example.com | | 2026-11-20 00:03:12+00:00 | 60 | EUR | 2005
""",
}  # fmt: skip
_KEYS: Final = ("gclid", "email", "phone", "time", "value", "currency", "order_id")

TRUE_REFUNDS: Final = {
    "paypal_activity.csv": [
        ("sale", "5EX0000000000001A", "2026-11-16 09:31:02-08:00", 125.98),
        ("sale", "5EX0000000000002B", "2026-11-17 12:02:44-08:00", 60.0),
        ("retraction", "5EX0000000000002B", "2026-11-19 23:59:59-08:00", None),
    ],
    "shop_refunds.csv": [
        ("sale", "2001", "2026-11-18 09:31:02-06:00", 125.98),
        ("retraction", "2002", "2026-11-19 08:15:00-06:00", None),
        ("restatement", "2003", "2026-11-19 16:40:00-06:00", 80.0),
    ],
    "xero_invoices.csv": [
        ("sale", "INV-0101", "2026-11-16 00:00:00+00:00", 1440.0),
        ("sale", "INV-0102", "2026-11-17 00:00:00+00:00", 600.0),
        ("retraction", "INV-0102", "2026-11-19 23:59:59+00:00", None),
    ],
}
"""Examples with refunds → kind, order, time and value of each row that is sent."""

ALL_ROWS: Final = {"google_template.csv": 5, "semicolon_decimal_comma.csv": 3}
"""Examples of which every row is a sale."""

_REQUESTS: Final = Path(__file__).with_name("requests.json")
_CUSTOMER: Final = "1234567890"
_PHONE_ORDER: Final = ConversionAction(1014, "Phone order", type="UPLOAD_CALLS", lookback_days=60)
_ONLY_GOOGLE_ADS: Final = {"google_adjustments.csv", "google_calls.csv", "google_template.csv"}
"""They name their actions, which the Data Manager API does not look up."""
_SENT: Final = [
    (example, api)
    for example in PROFILE_OF
    for api in APIS
    if api == "google_ads" or example not in _ONLY_GOOGLE_ADS
]


def profile_of(example: str) -> dict[str, Any]:
    """Return the profile of an example."""
    name = PROFILE_OF[example]
    document = json.loads((EXAMPLES / "profiles" / f"{name}.json").read_text("utf-8"))
    profile: dict[str, Any] = document[name]
    return profile


def test_every_example_and_every_profile_is_tested() -> None:
    """No file in examples/ lacks a profile, and no profile an example."""
    exports = {path.name for path in EXAMPLES.glob("*.*")} - {"deals_to_correct.csv"}
    assert exports == {*PROFILE_OF, "keep_click_ids.js"}
    profiles = {path.stem for path in (EXAMPLES / "profiles").iterdir()}
    assert profiles == {*PROFILE_OF.values()}


@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize("example", TRUE_SALES)
def test_google_gets_the_sales_of_an_example_and_nothing_else(example: str, api: str) -> None:
    """Won deals and paid orders arrive once, and every other row is skipped on purpose."""
    played = play(EXAMPLES / example, {**profile_of(example), "action": "1001"}, api)
    lines = TRUE_SALES[example].strip("\n").splitlines()
    truths = [dict(zip(_KEYS, map(str.strip, line.split("|")), strict=True)) for line in lines]
    true = [true_sale({**truth, "action": "1001"}) for truth in truths]
    assert differences(played.sales, true) == {}
    counts = played.results["counts"]
    assert counts["skipped"] == counts["rows"] - len(true)


@pytest.mark.parametrize("example", TRUE_REFUNDS)
def test_a_refund_names_the_sale_that_it_takes_back(example: str) -> None:
    """Sales and refunds of one file, each with its order; every other row is skipped."""
    profile = Profile.model_validate(profile_of(example))
    dry_run = DryRun(profile, datetime(2026, 11, 24, 12, tzinfo=UTC), list_all=True)
    with (EXAMPLES / example).open("rb") as stream:
        (chunk,) = dry_run.read(stream)
    sent = [chunk.records[line] for line in sorted(chunk.records)]
    found = [
        (getattr(each, "adjustment_type", "sale"), each.order_id, each.time, each.value)
        for each in sent
    ]
    assert found == TRUE_REFUNDS[example]
    assert {row.outcome for row in chunk.outcomes.listed} <= {"ok", "skipped"}


def test_the_profile_for_pipedrive_reads_english_exports_too(tmp_path: Path) -> None:
    """The German names and words of its sample, translated, are the same sales."""
    text = (EXAMPLES / "pipedrive_deals_de.csv").read_text("utf-8")
    for german, english in (
        *(("Datum des gewonnenen Deals", "Won time"), ("Deal - Wert", "Deal - Value")),
        *(("Währung", "Currency of value"), ("E-Mail", "Email"), ("Telefon", "Phone")),
        *(("Gewonnen", "Won"), ("Verloren", "Lost"), ("Offen", "Open")),
    ):
        assert german in text
        text = text.replace(german, english)
    path = tmp_path / "deals.csv"
    path.write_text(text, "utf-8")
    profile = {**profile_of("pipedrive_deals_de.csv"), "action": "1001"}
    german_sales = play(EXAMPLES / "pipedrive_deals_de.csv", profile, "google_ads").sales
    assert play(path, profile, "google_ads").sales == german_sales


@pytest.mark.parametrize("example", ALL_ROWS)
def test_every_row_of_an_example_is_accepted(example: str) -> None:
    """No row has an error or a warning."""
    document = validate((EXAMPLES / example).read_bytes(), profile_of(example))
    counts = document["counts"]
    assert (counts["ok"], counts["rows"]) == (ALL_ROWS[example], ALL_ROWS[example])
    assert document["rows"] == []


def test_the_example_with_mistakes_shows_them() -> None:
    """In `crm_export.csv`, the rows that are wrong on purpose are rejected."""
    counts = validate((EXAMPLES / "crm_export.csv").read_bytes(), profile_of("crm_export.csv"))[
        "counts"
    ]
    assert (counts["ok"], counts["rejected"]) == (12, 8)


# ── the bytes of the requests ────────────────────────────────────────────────────────────────


class _Clock(Clock):
    """The waits of Google's clients are real. No attempt comes near its time limit."""

    def monotonic(self) -> float:
        return time.monotonic() + 1e6


class _World(World):
    """A world with the real destinations."""

    connections: Destinations

    def connect(self, profile: Profile, log: Log) -> Any:
        return self.connections.connect(profile, log)


@pytest.fixture(scope="module")
def apis(ca_directory: Path) -> Iterator[Apis]:
    """Google's APIs, in threads of this process."""
    running = start_apis(State(), Faults(), ca_directory)
    try:
        yield running
    finally:
        running.close()


def _profile_for(example: str, api: str) -> dict[str, Any]:
    """Return the profile. The Data Manager API takes only the IDs of actions."""
    profile = {**profile_of(example), "destination": api}
    if api == "data_manager":
        profile["adjustments_via"] = "google_ads"
        for each in (profile, *profile.get("conversions", ())):
            if "action" in each:
                each["action"] = "1009"
    return profile


@pytest.mark.parametrize(("example", "api"), _SENT)
def test_an_example_is_sent_with_the_same_bytes(example: str, api: str, apis: Apis) -> None:
    """The digests of its upload requests are the recorded ones, in whatever order they come."""
    apis.state.clear()
    actions = apis.state.accounts[_CUSTOMER].conversion_actions
    if _PHONE_ORDER not in actions:
        apis.state.change_account(_CUSTOMER, conversion_actions=(*actions, _PHONE_ORDER))
    rest = apis.data_manager_endpoint
    endpoints = {"google_ads": apis.endpoint, "data_manager": rest, "lookup": rest}
    base = world(destination_endpoints=endpoints)
    clock = _Clock()
    there = _World(MemoryStore(clock), base.api, clock, base.settings)
    apis.state.now = clock.utc
    there.connections = Destinations(base.settings, lambda: apis.google_ads_key_yaml)
    there.profiles["default"] = _profile_for(example, api)
    deliver(there, example, (EXAMPLES / example).read_bytes())
    found = sorted(
        f"{each.method} {hashlib.sha256(each.body).hexdigest()}"
        for each in apis.state.requests
        if each.body is not None and (".Upload" in each.method or ".Ingest" in each.method)
    )
    assert found == json.loads(_REQUESTS.read_text("utf-8"))[f"{example} {api}"]
