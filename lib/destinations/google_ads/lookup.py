"""Looks up accounts for other APIs: `googleAds:search` by REST, without a client library.

An API without queries does not know which conversion action has a name, and what kind of action an
ID is. Credentials that may read the Google Ads API do:
https://developers.google.com/google-ads/api/rest/reference/rest/latest/customers.googleAds/search

It has a scope of its own, so every lookup may be refused: uploads by IDs go on without it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

import requests
from google.auth.exceptions import GoogleAuthError
from google.auth.transport.requests import AuthorizedSession

from lib.destinations.connections import (
    CONNECTION_SECONDS,
    KeptConnection,
    ReadCredentials,
    rest_error,
    trusted_roots,
)
from lib.destinations.credentials import ADWORDS_SCOPE, connect_with
from lib.destinations.google_ads.api import API_VERSION
from lib.errors import PermanentError, RetryableError, UploadError
from lib.model.account import Account, Action
from lib.model.fields import RecordKind

HOST: Final = "googleads.googleapis.com"

REQUEST_SECONDS: Final = 10.0
"""How long one query may take. A lookup makes two, or three if a manager owns the conversions."""

FRESH_SECONDS: Final = 120.0
"""How long a lookup is new enough, if somebody may have corrected the account."""

KEPT_SECONDS: Final = 900.0
"""How long an instance uses what it has looked up, or Google's refusal."""

_TOO_MANY_REQUESTS, _SERVER_ERROR = 429, 500

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

_RESOURCES: Final = {CUSTOMER_QUERY: "customer", ACTION_QUERY: "conversionAction"}
"""Query → the name of what it selects FROM, as JSON."""

ACCEPTS: Final[Mapping[str, frozenset[RecordKind]]] = {
    "UPLOAD_CLICKS": frozenset({"conversion", "adjustment"}),
    "UPLOAD_CALLS": frozenset({"call"}),
    "WEBPAGE": frozenset({"adjustment"}),
    "SALESFORCE": frozenset({"adjustment"}),
}
"""Type of conversion action → the kinds of record that may be uploaded for it."""


class GoogleAdsLookup:
    """`lib.destinations.base.AccountLookup`. It remembers what it has read. Thread-safe."""

    def __init__(
        self, read_credentials: ReadCredentials, endpoint: str, clock: Callable[[], float]
    ) -> None:
        self._read_credentials = read_credentials
        self._endpoint = endpoint
        self._session = KeptConnection(self._connect, CONNECTION_SECONDS, clock)
        self._clock = clock
        self._lock = threading.Lock()
        self._found: dict[str, tuple[float, Account | PermanentError]] = {}

    def account(self, customer_id: str, manager_id: str | None, *, fresh: bool = False) -> Account:
        with self._lock:
            known = self._found.get(customer_id)
        most = FRESH_SECONDS if fresh else KEPT_SECONDS
        if known is not None and self._clock() - known[0] < most:
            found = known[1]
        else:
            found = self._read(customer_id, manager_id)
            with self._lock:
                self._found[customer_id] = self._clock(), found
        if isinstance(found, PermanentError):
            raise PermanentError(found.code, found.detail)
        return found

    def _read(self, customer_id: str, manager_id: str | None) -> Account | PermanentError:
        try:
            session, of_secret = self._session.get()
            manager = manager_id or of_secret
            return read_account(
                customer_id,
                lambda owner, query: (
                    row[_RESOURCES[query]] for row in self._search(session, owner, query, manager)
                ),
            )
        except PermanentError as error:
            return error

    def _connect(self) -> tuple[Any, str]:
        """Return a session, and the manager account that the secret names."""
        configuration, credentials = connect_with(self._read_credentials(), ADWORDS_SCOPE)
        session: Any = AuthorizedSession(credentials)  # type: ignore[no-untyped-call]
        if configuration.developer_token:
            session.headers["developer-token"] = configuration.developer_token
        return session, configuration.login_customer_id

    def _search(
        self, session: Any, customer_id: str, query: str, manager_id: str
    ) -> Iterator[Mapping[str, Any]]:
        """Yield the rows of a query as JSON, page by page."""
        url = f"https://{self._endpoint or HOST}/{API_VERSION}/customers/{customer_id}"
        headers = {"login-customer-id": manager_id} if manager_id else {}
        body = {"query": query}
        while True:
            try:
                answer = session.post(
                    f"{url}/googleAds:search",
                    json=body,
                    headers=headers,
                    timeout=REQUEST_SECONDS,
                    verify=trusted_roots(self._endpoint),
                )
                if not answer.ok:
                    raise _refused(answer)
                page = answer.json()
            except (requests.RequestException, GoogleAuthError) as error:
                raise RetryableError("API_UNAVAILABLE", type(error).__name__) from None
            yield from page.get("results", ())
            if not page.get("nextPageToken"):
                return
            body["pageToken"] = page["nextPageToken"]


def _refused(answer: requests.Response) -> UploadError:
    """Return the error of an answer. Its code is Google's most specific one."""
    status, error = answer.status_code, rest_error(answer)
    code = error.get("status") or f"HTTP_{status}"
    for detail in error.get("details", ()):
        code = detail.get("reason", code)
        for each in detail.get("errors", ())[:1]:
            code = next(iter(each.get("errorCode", {}).values()), code)
    transient = status == _TOO_MANY_REQUESTS or status >= _SERVER_ERROR
    return RetryableError("API_UNAVAILABLE", code) if transient else PermanentError(code)


# ── JSON → account ────────────────────────────────────────────────────────────────────────────────

SearchJson = Callable[[str, str], Iterable[Mapping[str, Any]]]
"""(customer ID, query) → the resource that the query selects FROM, as JSON: it leaves out what is
false, and writes numbers of 64 bits as texts."""


def read_account(customer_id: str, search: SearchJson) -> Account:
    """Read an account, and the conversion actions of the customer that owns its conversions.

    The preflight of the Google Ads API reads it too, over gRPC.

    Raises what `search` raises, and `PermanentError` (CUSTOMER_NOT_FOUND).
    """
    customer = _customer(customer_id, search)
    setting = customer.get("conversionTrackingSetting", {})
    owner = setting.get("googleAdsConversionCustomer", "").rpartition("/")[2] or customer_id
    if owner != customer_id:
        # The terms and settings that matter are those of the account that gets the conversions.
        customer = _customer(owner, search)
        setting = customer.get("conversionTrackingSetting", {})
    actions = [_action(each, owner) for each in search(owner, ACTION_QUERY)]
    return Account(
        customer_id=customer_id,
        conversion_customer_id=owner,
        time_zone=customer.get("timeZone", ""),
        currency_code=customer.get("currencyCode", ""),
        verified=True,
        accepted_customer_data_terms=setting.get("acceptedCustomerDataTerms", False),
        enhanced_conversions_on=setting.get("effectiveEnablementSetting") != "OFF",
        actions={action.id: action for action in actions},
    )


def _customer(customer_id: str, search: SearchJson) -> Mapping[str, Any]:
    for customer in search(customer_id, CUSTOMER_QUERY):
        return customer
    raise PermanentError("CUSTOMER_NOT_FOUND", f"customer {customer_id}")


def _action(given: Mapping[str, Any], customer_id: str) -> Action:
    owner = given.get("ownerCustomer", "").rpartition("/")[2]
    kind = given.get("type", "")
    return Action(
        id=str(given["id"]),
        name=given.get("name", ""),
        enabled=given.get("status") == "ENABLED",
        accepts=ACCEPTS.get(kind, frozenset()),
        one_per_click=given.get("countingType") == "ONE_PER_CLICK",
        lookback_days=int(given.get("clickThroughLookbackWindowDays", 0)) or 30,
        owned=owner in ("", customer_id),
        needs_order_id=kind == "WEBPAGE",
        always_uses_default_value=given.get("valueSettings", {}).get(
            "alwaysUseDefaultValue", False
        ),
    )
