"""The Google Ads accounts of the sandbox, and the JSON format of `PUT /accounts`.

    [{"customer_id": "1234567890", "managers": ["9999999999"], "time_zone": "America/Chicago",
      "currency_code": "USD",
      "custom_variables": [{"id": 7001, "name": "branch", "status": "ENABLED"}],
      "conversion_actions": [{"id": 1001, "name": "Phone sale", "type": "UPLOAD_CLICKS",
        "status": "ENABLED", "counting_type": "MANY_PER_CLICK", "lookback_days": 90,
        "age_hours": 1000}]}]

Only `customer_id` and the `id` of each conversion action and custom variable are required. All
other keys have the defaults of `Account`, `ConversionAction` and `CustomVariable`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from pydantic import ConfigDict, Field, TypeAdapter

_AS_JSON = ConfigDict(extra="forbid", coerce_numbers_to_str=True)


@dataclass(frozen=True, slots=True)
class ConversionAction:
    __pydantic_config__: ClassVar[ConfigDict] = _AS_JSON

    id: int
    name: str = ""
    type: str = "UPLOAD_CLICKS"
    status: str = "ENABLED"
    counting_type: str = "MANY_PER_CLICK"
    lookback_days: int = 30
    owner: str = ""
    """Customer ID of the owner. Empty: the account itself. Uploads must name the owner."""
    age_hours: float = 24 * 365
    always_use_default_value: bool = False

    @property
    def is_new(self) -> bool:
        """Whether Google accepts nothing for it yet: an action must be 6 hours old."""
        return self.age_hours < 6


@dataclass(frozen=True, slots=True)
class CustomVariable:
    """A conversion custom variable. Google Ads API uses its ID, Data Manager API its name."""

    __pydantic_config__: ClassVar[ConfigDict] = _AS_JSON

    id: int
    name: str = ""
    status: str = "ENABLED"


@dataclass(frozen=True, slots=True)
class Account:
    __pydantic_config__: ClassVar[ConfigDict] = _AS_JSON

    customer_id: Annotated[str, Field(pattern=r"^\d+$")]
    descriptive_name: str = ""
    accessible: bool = True
    """False: every caller gets USER_PERMISSION_DENIED."""
    direct_access: bool = True
    """False: callers need a `login-customer-id` header that names one of `managers`."""
    readable: bool = True
    """False: accepts uploads, but refuses queries with ACTION_NOT_PERMITTED."""
    managers: tuple[str, ...] = ()
    conversion_customer_id: str = ""
    """Empty: the account itself."""
    accepted_customer_data_terms: bool = True
    enhanced_conversions_for_leads: bool = True
    time_zone: str = "America/Chicago"
    currency_code: str = "USD"
    conversion_actions: tuple[ConversionAction, ...] = ()
    custom_variables: tuple[CustomVariable, ...] = ()
    allowlisted_for_upload: bool = True
    """False: uploads are refused, as Google has done for new adopters since 2026-06-15."""
    allowlisted_for_adjustments: bool = True
    """False: adjustments are refused, too. Google's announcement doesn't name them."""
    allowlisted_for_session_attributes: bool = False
    data_manager_allowed: bool = True
    requests_per_second: float | None = None
    burst: float = 1.0

    @property
    def conversion_customer(self) -> str:
        return self.conversion_customer_id or self.customer_id

    def owned_action(self, action_id: int) -> ConversionAction | None:
        """The action with this ID, or None if another account owns it: uploads go to the owner."""
        for action in self.conversion_actions:
            if action.id == action_id and (action.owner or self.customer_id) == self.customer_id:
                return action
        return None


ACCOUNTS = TypeAdapter(tuple[Account, ...])
"""Reads the JSON of `PUT /accounts`."""

_MANAGER = "9999999999"


def default_accounts() -> tuple[Account, ...]:
    """One valid account, and one account for each common restriction or problem."""
    phone_sale = ConversionAction(1001, "Phone sale", lookback_days=90)
    return (
        Account(
            "1234567890",
            "Example shop",
            managers=(_MANAGER,),
            custom_variables=(
                CustomVariable(7001, "branch"),
                CustomVariable(7002, "campaign_code", status="PAUSED"),
            ),
            conversion_actions=(
                phone_sale,
                ConversionAction(1002, "Qualified lead", counting_type="ONE_PER_CLICK"),
                ConversionAction(1003, "Retired action", status="REMOVED"),
                ConversionAction(1004, "Website purchase", type="WEBPAGE"),
                ConversionAction(1005, "New action", age_hours=1),
                ConversionAction(1007, "Manager's action", owner=_MANAGER),
                # The files in examples/ use these.
                ConversionAction(1008, "Closed deal", lookback_days=90),
                ConversionAction(1009, "Purchase", lookback_days=90),
                ConversionAction(1010, "Kauf", lookback_days=90),
                ConversionAction(1011, "Kauf (Größe M)", lookback_days=90),
                ConversionAction(1012, "Call sale", type="UPLOAD_CALLS", lookback_days=60),
                ConversionAction(1013, "Fixed value", always_use_default_value=True),
            ),
        ),
        Account(
            "2222222222",
            "Second shop",
            direct_access=False,
            managers=(_MANAGER,),
            time_zone="Europe/Berlin",
            currency_code="EUR",
            allowlisted_for_session_attributes=True,
            conversion_actions=(ConversionAction(2001, "Store visit", lookback_days=90),),
        ),
        Account("3333333333", "Somebody else's", accessible=False),
        Account(
            "4444444444",
            "No data terms",
            accepted_customer_data_terms=False,
            conversion_actions=(phone_sale,),
        ),
        Account(
            "5555555555",
            "No enhanced conversions",
            enhanced_conversions_for_leads=False,
            conversion_actions=(phone_sale,),
        ),
        Account(
            "6666666666",
            "New adopter",
            allowlisted_for_upload=False,
            conversion_actions=(phone_sale,),
        ),
    )
