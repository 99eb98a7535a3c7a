"""A Google Ads account, as the rules need it. A destination's preflight fills it in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from lib.model.fields import RecordKind
from lib.model.outcomes import Problem


@dataclass(frozen=True, slots=True)
class ConversionAction:
    """A conversion action, as reported by the account.

    `accepts` are the kinds of record that may be uploaded for it. `lookback_days` is the click
    look-back window in days. `owned` is True if the action belongs to the customer that conversions
    are uploaded to. It accepts conversions only for its own actions.

    `is_of_tag` is True if the tag of a website counts its conversions: only an order ID names
    one of them. `always_uses_default_value` is True if no conversion of it can be restated.
    """

    id: str
    name: str
    enabled: bool
    accepts: frozenset[RecordKind]
    one_per_click: bool
    lookback_days: int
    owned: bool = True
    is_of_tag: bool = False
    always_uses_default_value: bool = False


@dataclass(frozen=True, slots=True)
class Account:
    """An account after its preflight.

    `customer_id` is the configured account. `conversion_customer_id` is the account that
    conversions must be uploaded to. `custom_variables` maps case-folded names to IDs.

    `verified` is False if the account was not read. Any action ID is then accepted without
    verification. `unread` is the reason; `is_unreachable`: Google could not be reached, so a later
    attempt may read it. Without a reason, nobody has tried: an offline check accepts names too, but
    an upload needs the ID. `currency_code` is "" if it is not known.
    """

    customer_id: str
    conversion_customer_id: str
    time_zone: str = ""
    currency_code: str = ""
    verified: bool = False
    accepted_customer_data_terms: bool = True
    enhanced_conversions_on: bool = True
    actions: Mapping[str, ConversionAction] = field(default_factory=dict)
    custom_variables: Mapping[str, str] = field(default_factory=dict)
    unread: Problem | None = None
    is_unreachable: bool = False

    def refuses_user_data(self) -> str | None:
        """Return the code of the reason why the account refuses hashed user data, or None.

        Hashed user data means hashed email addresses and phone numbers.
        """
        if not self.accepted_customer_data_terms:
            return "CUSTOMER_NOT_ACCEPTED_CUSTOMER_DATA_TERMS"
        if not self.enhanced_conversions_on:
            return "CUSTOMER_NOT_ENABLED_ENHANCED_CONVERSIONS_FOR_LEADS"
        return None

    def action_of(self, text: str) -> ConversionAction | None:
        """Return the action that is given by its ID, resource name or name.

        A name may also consist of digits or contain slashes. Case and surrounding spaces of a name
        do not matter. If several actions share it, one that the account owns takes precedence, then
        an enabled one.
        """
        if found := self.actions.get(action_id_in(text) or ""):
            return found
        wanted = text.strip().casefold()
        named = [each for each in self.actions.values() if each.name.strip().casefold() == wanted]
        return max(named, key=lambda each: (each.owned, each.enabled), default=None)


def action_id_in(text: str) -> str | None:
    """Return the ID of an action that is given by its ID or resource name; None: by its name."""
    prefix, _, last = text.rpartition("/")
    is_id = last.isascii() and last.isdigit() and (not prefix or "conversionActions" in prefix)
    return last if is_id else None


def without_dashes(value: object) -> object:
    """Return an account number as its digits alone: people write 123-456-7890. What is no text is
    returned as it is, for the check that follows."""
    return value.replace("-", "").strip() if isinstance(value, str) else value
