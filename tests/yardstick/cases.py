"""The cases: every example and some generated files, by both APIs, with every switch.

A switch is a key of a profile with another value than its default, or a setting that changes the
results document.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from sandbox.apis import Apis
from tests.yardstick import files
from tests.yardstick.play import Played, Stage, clicked_recently, one_after_another

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
PROFILES: Final = json.loads((EXAMPLES / "profiles.json").read_text("utf-8"))
APIS: Final = ("google_ads", "data_manager")

Profile = dict[str, Any]
Steps = Callable[[Stage], None]


@dataclass(frozen=True, slots=True)
class Case:
    """`group` is its file. `switch` is empty, or says what is changed."""

    group: str
    api: str
    switch: str
    profile: Profile
    steps: Steps
    settings: Mapping[str, Any] = field(default_factory=dict)

    def play(self, apis: Apis, renamed: Mapping[str, str]) -> Played:
        """Play the case with today's names of profile keys and environment variables."""
        profile = {renamed.get(key, key): value for key, value in self.profile.items()}
        settings = {
            renamed.get(name.upper(), name).lower(): value for name, value in self.settings.items()
        }
        stage = Stage(apis, profile, settings)
        with one_after_another():
            self.steps(stage)
        return stage.end()

    @property
    def name(self) -> str:
        return " | ".join(filter(None, (self.group, self.api, self.switch)))


@dataclass(frozen=True, slots=True)
class Example:
    """A file in examples/: its profile, and a column with a value, to filter rows by."""

    name: str
    profile: str
    column: str
    value: str

    def base(self, api: str) -> Profile:
        profile: Profile = {**PROFILES[self.profile], "destination": api}
        if api == "data_manager":
            # This API does not look up the names of actions, neither of the profile nor of rows.
            is_call = self.name == "google_calls.csv"
            profile["conversion_action"] = "1014" if is_call else "1009"
            if self.name not in ("crm_export.csv", "deals_to_correct.csv"):
                headers = profile.get("headers", {})
                profile["headers"] = {**headers, "conversion_action": []}
        if self.name == "deals_to_correct.csv":
            profile["include"] = {"Deal Stage": ["Closed Won"]}
        return profile


_WON: Final = "Closed Won"
EXAMPLE_FILES: Final = (
    Example("close_opportunities.csv", "close", "status_label", "Won"),
    Example("crm_export.csv", "default", "conversion_action", "1001"),
    Example("deals_to_correct.csv", "hubspot_deals", "Deal Stage", _WON),
    Example("dynamics_opportunities.xlsx", "dynamics", "Status Reason", "Won"),
    Example("google_adjustments.csv", "default", "Adjustment Type", "RETRACT"),
    Example("google_calls.csv", "default", "Conversion Name", "Phone order"),
    Example("google_template.csv", "default", "Conversion Name", "Qualified lead"),
    Example("hubspot_deals.csv", "hubspot_deals", "Deal Stage", f"{_WON} (Sales Pipeline)"),
    Example("hubspot_export.csv", "hubspot", "Lifecycle Stage", "Customer"),
    Example("pipedrive_deals_de.csv", "pipedrive_de", "Deal - Status", "Gewonnen"),
    Example("salesforce_export.csv", "salesforce", "LEADSOURCE", "Web"),
    Example("salesforce_report.csv", "salesforce_report", "Stage", _WON),
    Example("semicolon_decimal_comma.csv", "shop_de", "Währung", "EUR"),
    Example("shop_refunds.csv", "shop_refunds", "Status", "Paid"),
    Example("shopify_orders.csv", "shopify", "Financial Status", "paid"),
    Example("stripe_payments.csv", "stripe", "Status", "Paid"),
    Example("utf16_tab.txt", "default", "Conversion Name", "Purchase"),
    Example("windows_1252.csv", "default", "currency_code", "EUR"),
    Example("zoho_deals.csv", "zoho", "Stage", _WON),
)

_VALUES: Final[Mapping[str, tuple[Any, ...]]] = {
    "customer_id": ("2222222222",),
    "login_customer_id": ("9999999999",),
    "conversion_action": ("1002", "1003", "no such action"),
    "time_zone": ("Asia/Tokyo",),
    "currency_code": ("CHF",),
    "phone_region": ("GB",),
    "ad_user_data": ("DENIED",),
    "ad_personalization": ("GRANTED", "DENIED"),
    "encoding": ("cp1252", "utf-8"),
    "delimiter": (";",),
    "hold_open_last_line": (False,),
    "sheet": ("My Opportunities", "hiddenSheet", "Other"),
    "order_ids": ("keep", "integer"),
    "derive_order_id": (False,),
    "validate_only": (True,),
    "omit_session_and_ip": (True,),
    "event_source": ("WEB",),
}
_BY_PROFILE: Final[Mapping[str, Callable[[Example, Profile], Iterator[Any]]]] = {
    "day_first": lambda example, base: iter([not base.get("day_first", False)]),
    "decimal_comma": lambda example, base: iter([not base.get("decimal_comma", False)]),
    "headers": lambda example, base: _headers(base),
    "include": lambda example, base: iter([{example.column: [example.value]}]),
    "exclude": lambda example, base: iter([{example.column: [example.value]}]),
    "refunds": lambda example, base: iter([{example.column: [example.value]}]),
    "adjustments_via": lambda example, base: iter(api for api in APIS),
}
SWITCHED_KEYS: Final = {*_VALUES, *_BY_PROFILE, "destination"}
"""The keys of a profile that have a switch. `destination` has one by `APIS`."""
_SETTINGS: Final[Mapping[str, Any]] = {"list_all_rows": True}


def _headers(base: Profile) -> Iterator[Any]:
    headers = base.get("headers", {})
    yield {**headers, "conversion_value": []}
    yield {**headers, "order_id": []}
    if headers:
        yield {}


def _of_example(example: Example, api: str) -> Iterator[Case]:
    data = (EXAMPLES / example.name).read_bytes()
    base = example.base(api)

    def deliver(stage: Stage) -> None:
        stage.deliver(example.name, data)

    def deliver_unterminated(stage: Stage) -> None:
        stage.deliver(example.name, data.rstrip(b"\r\n"))

    def follow_up(stage: Stage) -> None:
        stage.deliver(example.name, data)
        for _ in range(2):
            stage.wait(25)
            stage.sweep()

    group = f"examples/{example.name}"
    yield Case(group, api, "", base, follow_up, {"read_diagnostics": True})
    for key, values in _VALUES.items():
        for value in values:
            steps = deliver_unterminated if key == "hold_open_last_line" else deliver
            yield Case(group, api, f"{key}={value!r}", {**base, key: value}, steps)
    for key, make in _BY_PROFILE.items():
        for value in make(example, base):
            yield Case(group, api, f"{key}={value!r}", {**base, key: value}, deliver)
    for name, setting in _SETTINGS.items():
        yield Case(group, api, f"{name.upper()}={setting!r}", base, deliver, {name: setting})
    yield Case(group, api, "unterminated last line", base, deliver_unterminated)


# Generated files

_SALES: Final[Profile] = {
    "customer_id": "1234567890",
    "conversion_action": "1001",
    "time_zone": "America/Chicago",
    "currency_code": "USD",
    "phone_region": "US",
}
_REFUNDS: Final[Profile] = {
    **_SALES,
    "include": {"status": ["Paid"]},
    "refunds": {"status": ["Refunded", "Partially refunded"]},
}


def _large(rows: int, make: Callable[[int], bytes] = files.orders) -> Steps:
    def steps(stage: Stage) -> None:
        clicked_recently(stage, *files.recent_clicks(rows))
        stage.deliver("large.csv", make(rows))
        for hours in (7, 24, 48):
            stage.wait(hours)
            stage.sweep()

    return steps


def _crash(rows: int, after_uploads: int | None) -> Steps:
    def steps(stage: Stage) -> None:
        stage.deliver_and_die("orders.csv", files.orders(rows), after_uploads)
        stage.deliver_again("orders.csv")
        stage.wait(0.1)
        stage.deliver_again("orders.csv")
        stage.deliver_again("orders.csv")

    return steps


def _twice(make: Callable[[int], bytes]) -> Steps:
    def steps(stage: Stage) -> None:
        stage.deliver("orders.csv", make(120))
        stage.deliver("copy.csv", make(120))
        stage.wait(1)
        stage.deliver("longer.csv", make(150))

    return steps


def _life_of_orders(stage: Stage) -> None:
    """Sales, their adjustments, older adjustments, and the sales again."""
    stage.deliver("sales.csv", files.sales(40))
    stage.deliver("adjustments.csv", files.adjustments(hours_ago=2))
    stage.deliver("older.csv", files.adjustments(hours_ago=30))
    stage.deliver("sales_again.csv", files.sales(40, conversion_value="20"))
    for hours in (7, 24, 24):
        stage.wait(hours)
        stage.sweep()


def _calls(stage: Stage) -> None:
    stage.deliver("calls.csv", files.calls())
    for hours in (7, 24, 24):
        stage.wait(hours)
        stage.sweep()


def _every_column(stage: Stage) -> None:
    stage.deliver("every_column.csv", files.every_column())


def _of_generated_files(api: str) -> Iterator[Case]:
    def case(group: str, switch: str, profile: Profile, steps: Steps, **settings: Any) -> Case:
        return Case(group, api, switch, {**profile, "destination": api}, steps, settings)

    other = {"adjustments_via": "google_ads" if api == "data_manager" else "data_manager"}
    refunds = {**_REFUNDS, "adjustments_via": "google_ads"}
    for rows in (4_500, 300):
        group = f"{rows} orders with refunds"
        yield case(group, "", refunds, _large(rows))
        yield case(group, "validate_only", {**refunds, "validate_only": True}, _large(rows))
        yield case(group, "LIST_ALL_ROWS", refunds, _large(rows), list_all_rows=True)
        yield case(group, "other API", {**_REFUNDS, **other}, _large(rows))
        yield case(group, "same API", _REFUNDS, _large(rows))
        yield case(group, "crash before the results", refunds, _crash(rows, None))
    yield case("4500 orders", "", _SALES, _large(4_500, files.sales))
    for rows, uploads in ((300, 1), (300, 2), (4_500, 3), (4_500, 4)):
        group, crash = f"{rows} orders with refunds", _crash(rows, uploads)
        yield case(group, f"crash after request {uploads}", refunds, crash)
    yield case("orders twice", "", _SALES, _twice(files.sales))
    yield case("orders twice", "refunds", refunds, _twice(files.orders))
    for switch, route in (("", {}), ("other API", other), ("via Google Ads", refunds)):
        via = {key: route[key] for key in ("adjustments_via",) if key in route}
        yield case("life of orders", switch, {**_SALES, **via}, _life_of_orders)
    yield case("calls", "", {**_SALES, "conversion_action": "1012"}, _calls)
    for switch in ({}, {"omit_session_and_ip": True}, {"ad_user_data": "GRANTED"}):
        yield case("every column", str(switch or ""), {**_SALES, **switch}, _every_column)


def every_case() -> list[Case]:
    """Return all cases."""
    found = [
        case
        for api in APIS
        for cases in (*(_of_example(each, api) for each in EXAMPLE_FILES), _of_generated_files(api))
        for case in cases
    ]
    assert len({each.name for each in found}) == len(found), "each name is used once"
    return found
