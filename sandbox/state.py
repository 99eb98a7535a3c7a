"""Everything that the local APIs store: one thread-safe object, open to inspection."""

from __future__ import annotations

import threading
import uuid
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime
from typing import Any, Literal

from sandbox.accounts import ACCOUNTS, Account, default_accounts
from sandbox.conversions import Accepted, CallKey, ClickKey, ConversionBook, NotCounted, OrderKey

RecordIndices = Literal["all", "none", "some"]
_BODY_BYTES_KEPT = 256 * 1024 * 1024


@dataclass(slots=True)
class Request:
    """One request to an API, refused or not. `body` is the serialized request message."""

    method: str
    request_id: str
    started_at: datetime
    size: int
    body: bytes | None
    customer_id: str = ""
    login_customer_id: str = ""
    conversions: int = 0
    job_id: int = 0
    status: str = "OK"
    fault: str | None = None
    seconds: float = 0.0

    def as_json(self) -> dict[str, Any]:
        """Everything except the body."""
        shown = {one.name: getattr(self, one.name) for one in fields(self) if one.name != "body"}
        started_at, seconds = self.started_at.isoformat(), round(self.seconds, 6)
        return shown | {"started_at": started_at, "seconds": seconds}


@dataclass(slots=True)
class JobCounts:
    """The offline data diagnostics of one job. `errors` counts rows by `family.NAME`."""

    successful: int = 0
    failed: int = 0
    errors: Counter[str] = field(default_factory=Counter)
    last_upload: datetime | None = None


@dataclass(slots=True)
class DataManagerLimits:
    """The API's limits, and how long processing takes.

    https://developers.google.com/data-manager/api/devguides/limits
    """

    requests_per_minute: int = 300
    processing_seconds: float = 0.0
    repeats_adjust: bool = False
    """True: an event with a known transaction ID adjusts the first event, as Google's guide says.
    False: it is not counted. Google has a reason for that, too: DUPLICATE_TRANSACTION_ID."""
    record_indices: RecordIndices = "all"
    """Whether a request's status names the events that have an error or a warning. Before
    2026-11-04, it had only counts ("none"). With "some", it names every second one."""
    no_click: set[str] = field(default_factory=set)
    """Click IDs, and hashes of email addresses and phone numbers, that match no ad click. An event
    without a click ID matches none if all of its hashes are here."""
    provoked: dict[str, str] = field(default_factory=dict)
    """Transaction ID → the reason of an error or a warning that processing finds.
    For reasons that no rule of the sandbox has, such as denied consent or an internal error."""
    event_path: str = "events.events"
    """The start of field violations: `events.events[3]...`; Google has also sent `events[3]...`."""


@dataclass(slots=True)
class State:
    """Everything that the APIs store. Change it with the methods; read it directly.

    `check_rows` False: every well-formed request is accepted, whatever its rows (benchmarks).
    `check_tokens` False: requests without an access token are accepted.
    """

    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    new_request_id: Callable[[str], str] = lambda method: str(uuid.uuid4())
    """Returns the ID of the next request to a method, such as `data_manager.IngestEvents`."""
    check_rows: bool = True
    check_tokens: bool = True
    keep_bodies: bool = True
    refuse_tokens: bool = False
    instance_has_account: bool = True
    accounts: dict[str, Account] = field(default_factory=dict)
    clicks: dict[str, datetime] = field(default_factory=dict)
    accepted: list[Accepted] = field(default_factory=list)
    adjustments: list[Accepted] = field(default_factory=list)
    """The adjustments that the Google Ads API accepted. `book` has what they changed."""
    requests: deque[Request] = field(default_factory=lambda: deque(maxlen=100_000))
    secrets: dict[str, list[bytes]] = field(default_factory=dict)
    tokens: dict[str, frozenset[str]] = field(default_factory=dict)
    jobs: dict[tuple[str, str], dict[int, JobCounts]] = field(default_factory=dict)
    """By customer ID and conversion action ("": all actions together), then by job ID."""
    processing_errors: list[NotCounted] = field(default_factory=list)
    data_manager: DataManagerLimits = field(default_factory=DataManagerLimits)
    click_keys: set[ClickKey] = field(default_factory=set)
    order_keys: set[OrderKey] = field(default_factory=set)
    call_keys: set[CallKey] = field(default_factory=set)
    book: ConversionBook = field(init=False, repr=False)
    lock: threading.RLock = field(default_factory=threading.RLock, repr=False)
    on_clear: list[Callable[[], None]] = field(default_factory=list, repr=False)
    _body_bytes: int = 0

    def __post_init__(self) -> None:
        self.book = ConversionBook(self.accepted)
        if not self.accounts:
            self.set_accounts(default_accounts())

    # Settings

    def load_accounts(self, given: object) -> None:
        """Replace all accounts with the JSON of `PUT /accounts`. Raises `ValidationError`."""
        self.set_accounts(ACCOUNTS.validate_python(given))

    def set_accounts(self, accounts: Sequence[Account]) -> None:
        with self.lock:
            self.accounts = {account.customer_id: account for account in accounts}

    def change_account(self, customer_id: str, **changes: Any) -> None:
        """Change some fields of one account, such as `allowlisted_for_upload=False`."""
        with self.lock:
            self.accounts[customer_id] = replace(self.accounts[customer_id], **changes)

    def register_clicks(self, clicks: Mapping[str, datetime]) -> None:
        """Set when clicks happened. A click ID that is not registered counts as old enough."""
        with self.lock:
            self.clicks.update(clicks)

    def set_secret(self, name: str, payload: bytes) -> None:
        """Add a version to `projects/P/secrets/S`; creates the secret if it is new."""
        with self.lock:
            self.secrets.setdefault(name, []).append(payload)

    def clear(self) -> None:
        """Forget conversions, requests, clicks and counters, and restore the default accounts.

        Secrets and tokens stay, because clients hold them, and so do the switches above.
        """
        with self.lock:
            self.accepted.clear()
            self.requests.clear()
            self.clicks.clear()
            self.jobs.clear()
            self.processing_errors.clear()
            self.click_keys.clear()
            self.order_keys.clear()
            self.call_keys.clear()
            self.adjustments.clear()
            self.book.clear()
            self._body_bytes = 0
            self.set_accounts(default_accounts())
            for forget in self.on_clear:
                forget()

    # Inspection

    def conversions(self) -> Iterator[dict[str, Any]]:
        """Every accepted conversion as JSON, in order of arrival (`GET /conversions`)."""
        with self.lock:
            accepted = list(self.accepted)
        return (one.as_json() for one in accepted)

    def accepted_adjustments(self) -> Iterator[dict[str, Any]]:
        """Every accepted adjustment as JSON, in order of arrival (`GET /adjustments`)."""
        with self.lock:
            accepted = list(self.adjustments)
        return (one.as_json() for one in accepted)

    def histories(self, order_id: str = "") -> list[dict[str, Any]]:
        """What conversions are worth, with their histories (`GET /values`).

        All conversions but those of calls, or only those with this order ID.
        """
        with self.lock:
            conversions = list(self.book.conversions())
            return [one.as_json() for one in conversions if order_id in ("", one.order_id)]

    def worth(self, order_id: str, action_id: int = 1001) -> float | None:
        """What an order is worth now; None: it was retracted. Raises KeyError if it's unknown."""
        with self.lock:
            found = self.book.by_order(order_id, action_id)
            if found is None:
                raise KeyError(order_id)
            return found.value

    def request_log(self) -> Iterator[dict[str, Any]]:
        """Every API request as JSON, oldest first (`GET /requests`)."""
        with self.lock:
            requests = list(self.requests)
        return (request.as_json() for request in requests)

    def request_bodies(self) -> Iterator[tuple[Request, bytes]]:
        """The serialized message of every request that is still kept, to search for personal data.

        Protobuf writes strings as plain UTF-8, so raw user data would be visible in these bytes.
        """
        with self.lock:
            requests = list(self.requests)
        return ((request, request.body) for request in requests if request.body is not None)

    # Used by the APIs

    def log(self, request: Request) -> None:
        with self.lock:
            if not self.keep_bodies or self._body_bytes + request.size > _BODY_BYTES_KEPT:
                request.body = None
            else:
                self._body_bytes += request.size
            self.requests.append(request)

    def revoke_tokens(self) -> None:
        """Refuse all access tokens that were issued so far (but not JWTs that a client signed)."""
        with self.lock:
            self.tokens.clear()

    def issue_token(self, token: str, scopes: frozenset[str]) -> None:
        with self.lock:
            self.tokens[token] = scopes

    def count_job(
        self,
        customer_id: str,
        action: str,
        job_id: int,
        successful: int,
        errors: Counter[str],
    ) -> None:
        """Count rows of a job, for one action or ("") for all actions."""
        with self.lock:
            jobs = self.jobs.setdefault((customer_id, action), {})
            counts = jobs.setdefault(job_id, JobCounts())
            counts.successful += successful
            counts.failed += errors.total()
            counts.errors.update(errors)
            counts.last_upload = self.now()
