"""What the rules need to know of a Google Ads account. Filled by a destination's preflight."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Action:
    """A conversion action as the account reports it; `lookback_days` is the click look-back.

    `owned`: by the customer that conversions are uploaded to, which takes them for no other's.
    """

    id: str
    name: str
    enabled: bool
    uploads_clicks: bool
    one_per_click: bool
    lookback_days: int
    owned: bool = True


@dataclass(frozen=True, slots=True)
class Account:
    """An account after its preflight.

    `customer_id` is the one configured, `conversion_customer_id` the one that conversions must be
    uploaded to. `custom_variables` maps names (case folded) to ids; None: not asked. `verified` is
    False when the account couldn't be asked (offline check, or no permission for the queries): then
    any action id is taken on trust. A name is so by the offline check alone (`names_on_trust`),
    which sends nothing: an upload needs the id.
    """

    customer_id: str
    conversion_customer_id: str
    time_zone: str = ""
    verified: bool = False
    names_on_trust: bool = False
    accepted_customer_data_terms: bool = True
    enhanced_conversions_on: bool = True
    actions: Mapping[str, Action] = field(default_factory=dict)
    custom_variables: Mapping[str, str] | None = None

    def refuses_user_data(self) -> str | None:
        """Code of the reason why hashed e-mail addresses and phone numbers would be refused."""
        if not self.accepted_customer_data_terms:
            return "CUSTOMER_NOT_ACCEPTED_CUSTOMER_DATA_TERMS"
        if not self.enhanced_conversions_on:
            return "CUSTOMER_NOT_ENABLED_ENHANCED_CONVERSIONS_FOR_LEADS"
        return None

    def by_name(self) -> dict[str, Action]:
        """Actions by their name, case and surrounding space ignored. Of several with one name the
        account's own wins, then an enabled one."""
        named: dict[str, Action] = {}
        for action in sorted(self.actions.values(), key=lambda each: (each.owned, each.enabled)):
            named[action.name.strip().casefold()] = action
        return named
