"""The cases: every example, by both APIs."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sandbox.apis import Apis
from tests.yardstick.play import Played, Stage, one_after_another

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
PROFILES: Final = json.loads((EXAMPLES / "profiles.json").read_text("utf-8"))
APIS: Final = ("google_ads", "data_manager")

Profile = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Example:
    """A file in examples/, and its profile."""

    name: str
    profile: str

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


EXAMPLE_FILES: Final = (
    Example("close_opportunities.csv", "close"),
    Example("crm_export.csv", "default"),
    Example("deals_to_correct.csv", "hubspot_deals"),
    Example("dynamics_opportunities.xlsx", "dynamics"),
    Example("google_adjustments.csv", "default"),
    Example("google_calls.csv", "default"),
    Example("google_template.csv", "default"),
    Example("hubspot_deals.csv", "hubspot_deals"),
    Example("hubspot_export.csv", "hubspot"),
    Example("pipedrive_deals_de.csv", "pipedrive_de"),
    Example("salesforce_export.csv", "salesforce"),
    Example("salesforce_report.csv", "salesforce_report"),
    Example("semicolon_decimal_comma.csv", "shop_de"),
    Example("shop_refunds.csv", "shop_refunds"),
    Example("shopify_orders.csv", "shopify"),
    Example("stripe_payments.csv", "stripe"),
    Example("utf16_tab.txt", "default"),
    Example("windows_1252.csv", "default"),
    Example("zoho_deals.csv", "zoho"),
)

CASES: Final = tuple((example, api) for api in APIS for example in EXAMPLE_FILES)


def play(example: Example, api: str, apis: Apis) -> Played:
    """Deliver an example, and sweep on the next two days."""
    stage = Stage(apis, example.base(api), {"read_diagnostics": True})
    with one_after_another():
        stage.deliver(example.name, (EXAMPLES / example.name).read_bytes())
        for _ in range(2):
            stage.wait(25)
            stage.sweep()
    return stage.end()
