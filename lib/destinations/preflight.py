"""Preflight: one look at an account and its conversion actions, before the first row.

The look goes by REST through the only API with queries about accounts, also for destinations
without queries:
https://developers.google.com/google-ads/api/rest/reference/rest/latest/customers.googleAds/search

It has a scope of its own, so credentials may be allowed to upload and not to look. A look that
fails stops nothing by itself: the account then says why it could not be read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from lib.destinations import rest
from lib.destinations.connections import Kept, KeptConnection, PacedConnection
from lib.destinations.credentials import Authorized
from lib.destinations.google_ads.api import HOST, QUERY_PATH
from lib.destinations.pacing import Pacer
from lib.destinations.rest import RestSession
from lib.errors import AttemptError, PermanentError, RestRefused, RetryableError
from lib.model.account import Account, ConversionAction
from lib.model.deadline import Deadline, elapsed_seconds
from lib.model.fields import RecordKind
from lib.model.log import Log
from lib.model.outcomes import Problem

KEPT_SECONDS: Final = 60.0
"""How long a look is used: enough for a burst of files, and shorter than a person needs to correct
an account."""

READ_SECONDS: Final = 30.0
"""Maximum wait for a look: less than the margin that a run keeps at its end."""

QUERY_SECONDS: Final = 10.0
"""Maximum wait for the answer to one query. A look makes two at the same time, two more if another
account owns the conversions, and one more if the file has custom variables."""

_MAX_QUERIES_AT_ONCE: Final = 4
_DEFAULT_LOOKBACK_DAYS: Final = 30
"""Google's default, for an action without a look-back window of its own."""

# https://developers.google.com/google-ads/api/docs/conversions/upload-offline
# (`conversion_tracking_setting` replaces the `offline_conversion_tracking_info` of an older guide).
_SETTING = "customer.conversion_tracking_setting"

CUSTOMER_QUERY: Final = (
    "SELECT customer.id, customer.time_zone, customer.currency_code, "
    f"{_SETTING}.google_ads_conversion_customer, {_SETTING}.accepted_customer_data_terms, "
    f"{_SETTING}.effective_enablement_setting FROM customer"
)

ACTION_QUERY: Final = (
    "SELECT conversion_action.id, conversion_action.name, conversion_action.resource_name, "
    "conversion_action.type, conversion_action.status, conversion_action.counting_type, "
    "conversion_action.click_through_lookback_window_days, conversion_action.owner_customer, "
    "conversion_action.value_settings.always_use_default_value "
    "FROM conversion_action"
)

CUSTOM_VARIABLE_QUERY: Final = (
    "SELECT conversion_custom_variable.id, conversion_custom_variable.name "
    "FROM conversion_custom_variable WHERE conversion_custom_variable.status = 'ENABLED'"
)

ACCEPTS: Final[Mapping[str, frozenset[RecordKind]]] = {
    "UPLOAD_CLICKS": frozenset({"conversion", "adjustment"}),
    "UPLOAD_CALLS": frozenset({"call"}),
    "WEBPAGE": frozenset({"adjustment"}),
    "SALESFORCE": frozenset({"adjustment"}),
}
"""Type of conversion action → the kinds of record that may be uploaded for it."""

Json = Mapping[str, Any]
"""A resource as JSON: what is false is left out, and numbers of 64 bits are texts."""

Search = Callable[[str, str], Iterator[Json]]
"""(customer ID, query) → the resources that the query selects."""


class Preflight:
    """Looks at accounts, and remembers them for `KEPT_SECONDS`. One per instance. Thread-safe."""

    def __init__(
        self,
        credentials: Kept[Authorized],
        endpoint: str,
        clock: Callable[[], float] = elapsed_seconds,
    ) -> None:
        self._endpoint = endpoint
        self._clock = clock
        session = KeptConnection(credentials, self._connect)
        self._queries = PacedConnection(session, Pacer(_MAX_QUERIES_AT_ONCE))
        self._seen: dict[tuple[str, str, bool], tuple[float, Account]] = {}

    def account(
        self, customer_id: str, manager_id: str, log: Log, *, custom_variables: bool
    ) -> Account:
        """Return the account. `manager_id` is the manager account that gives access to it, or "".

        It is not `verified` if the look failed; then `Account.unread` is the reason.
        """
        key = customer_id, manager_id, custom_variables
        seen_at, account = self._seen.get(key, (0.0, None))
        if account is None or self._clock() - seen_at >= KEPT_SECONDS:
            account = self._read(customer_id, manager_id, log, custom_variables)
            self._seen[key] = self._clock(), account
        return account

    def _read(self, customer_id: str, manager_id: str, log: Log, custom_variables: bool) -> Account:
        """Read an account. One that cannot be read says why (`Account.unread`)."""
        search = self.make_search(manager_id, log)
        try:
            return read_account(customer_id, search, custom_variables=custom_variables)
        except AttemptError as error:
            log.warning("account_not_read", code=error.code, detail=error.detail)
            return Account(
                customer_id,
                customer_id,
                unread=Problem(error.code, "", error.detail),
                is_unreachable=isinstance(error, RetryableError),
            )

    def make_search(self, manager_id: str, log: Log) -> Search:
        """Return a function for the queries of one look, which together have `READ_SECONDS`.

        It raises `PermanentError` if Google refuses, and `RetryableError` if it cannot be reached.
        """
        ends = elapsed_seconds() + READ_SECONDS
        headers = {"login-customer-id": manager_id} if manager_id else {}

        def search(customer_id: str, query: str) -> Iterator[Json]:
            path = QUERY_PATH.format(customer_id=customer_id)
            body = {"query": query}

            def send(session: RestSession, seconds: float) -> Json:
                return session.send("POST", path, seconds, json=body, headers=headers)

            while True:
                page = self._page(send, Deadline(ends, ends), log)
                for row in page.get("results", ()):
                    # Each query selects fields of one resource: {"customer": {"id": ...}}
                    yield from row.values()
                if not page.get("nextPageToken"):
                    return
                body["pageToken"] = page["nextPageToken"]

        return search

    def _page(
        self, send: Callable[[RestSession, float], Json], deadline: Deadline, log: Log
    ) -> Json:
        """Return one page of the answer to a query. Raises what `make_search` says."""
        try:
            return self._queries.send(
                send, rest.classify, deadline=deadline, timeout_seconds=QUERY_SECONDS, log=log
            )
        except RestRefused as refused:
            raise PermanentError(refused.code) from None
        except RetryableError as error:
            if error.code == "DEADLINE":  # that of the look, not of the attempt
                raise RetryableError("API_UNAVAILABLE", error.detail) from None
            raise

    def _connect(self, authorized: Authorized) -> RestSession:
        headers = authorized.configuration.ads_headers
        return RestSession(authorized.credentials, self._endpoint or HOST, headers)


# ── JSON → account ────────────────────────────────────────────────────────────────────────────────


def read_account(customer_id: str, search: Search, *, custom_variables: bool = False) -> Account:
    """Read an account, and the conversion actions of the customer that owns its conversions.

    Raises what `search` raises, and `PermanentError` (CUSTOMER_NOT_FOUND).
    """
    # The queries are made at the same time. The actions of another owner are asked for once more.
    with ThreadPoolExecutor(1, "look") as meanwhile:
        asked = meanwhile.submit(_actions, customer_id, search)
        customer = _customer(customer_id, search)
        setting = customer.get("conversionTrackingSetting", {})
        owner = setting.get("googleAdsConversionCustomer", "").rpartition("/")[2] or customer_id
        if owner != customer_id:
            # The terms and settings that matter are those of the account that gets the conversions.
            asked = meanwhile.submit(_actions, owner, search)
            customer = _customer(owner, search)
            setting = customer.get("conversionTrackingSetting", {})
        actions = asked.result()
    return Account(
        customer_id=customer_id,
        conversion_customer_id=owner,
        time_zone=customer.get("timeZone", ""),
        currency_code=customer.get("currencyCode", ""),
        verified=True,
        accepted_customer_data_terms=setting.get("acceptedCustomerDataTerms", False),
        enhanced_conversions_on=setting.get("effectiveEnablementSetting") != "OFF",
        actions=actions,
        custom_variables=_custom_variables(owner, search) if custom_variables else {},
    )


def _customer(customer_id: str, search: Search) -> Json:
    for customer in search(customer_id, CUSTOMER_QUERY):
        return customer
    raise PermanentError("CUSTOMER_NOT_FOUND", f"customer {customer_id}")


def _actions(customer_id: str, search: Search) -> dict[str, ConversionAction]:
    """Return the conversion actions of an account by their IDs."""
    actions = (_action(each, customer_id) for each in search(customer_id, ACTION_QUERY))
    return {action.id: action for action in actions}


def _action(given: Json, customer_id: str) -> ConversionAction:
    owner = given.get("ownerCustomer", "").rpartition("/")[2]
    action_type = given.get("type", "")
    value_settings = given.get("valueSettings", {})
    return ConversionAction(
        id=str(given["id"]),
        name=given.get("name", ""),
        enabled=given.get("status") == "ENABLED",
        accepts=ACCEPTS.get(action_type, frozenset()),
        one_per_click=given.get("countingType") == "ONE_PER_CLICK",
        lookback_days=int(given.get("clickThroughLookbackWindowDays", 0)) or _DEFAULT_LOOKBACK_DAYS,
        owned=owner in ("", customer_id),
        is_of_tag=action_type == "WEBPAGE",
        always_uses_default_value=value_settings.get("alwaysUseDefaultValue", False),
    )


def _custom_variables(customer_id: str, search: Search) -> dict[str, str]:
    """Return the enabled custom variables: name (case folded) → ID."""
    return {
        variable["name"].casefold(): str(variable["id"])
        for variable in search(customer_id, CUSTOM_VARIABLE_QUERY)
    }
