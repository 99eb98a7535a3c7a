"""The dummy API: it keeps what it is sent, and tells later what it thinks of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from lib.destinations.base import AcceptedRequest, UploadResult
from lib.destinations.connections import (
    ConnectionSettings,
    Connector,
    ReadCredentials,
    UploadProfile,
)
from lib.model.account import Account
from lib.model.deadline import Deadline
from lib.model.log import Log
from lib.model.records import Record
from lib.model.sent_requests import RequestStatus
from tests.destinations.dummy.capabilities import CAPABILITIES

REQUESTS: list[list[Record]] = []
"""The records of every request that was sent."""


@dataclass(slots=True)
class DummyBatch:
    """Records, as they are."""

    records: list[Record] = field(default_factory=list)

    def add(self, record: Record, /) -> None:
        self.records.append(record)

    add_adjustment = add_call = add

    def __len__(self) -> int:
        return len(self.records)

    def close(self) -> int:
        return 0


class DummyDestination:
    """`lib.destinations.base.PolledDestination`."""

    capabilities = CAPABILITIES
    sunset: date | None = None

    def account(self, customer_id: str, *, fresh: bool = False) -> Account:
        return Account(customer_id, customer_id)

    def with_custom_variables(self, account: Account) -> Account:
        return account

    def batch(
        self, job_id: int, *, maybe_sent: bool, after: DummyBatch | None = None
    ) -> DummyBatch:
        return DummyBatch()

    def send(self, batch: DummyBatch, deadline: Deadline) -> UploadResult:
        assert len(batch) <= CAPABILITIES.max_request_rows
        REQUESTS.append(batch.records)
        request = AcceptedRequest(f"dummy-{len(REQUESTS)}", range(len(batch)))
        return UploadResult({}, (request.request_id,), accepted=(request,))

    def request_statuses(
        self, request_ids: Sequence[str], deadline: Deadline
    ) -> Sequence[RequestStatus]:
        return [RequestStatus(each, "SUCCESS", "77", 7) for each in request_ids]


class DummyConnector:
    """`lib.destinations.connections.Connector`."""

    def __init__(
        self,
        settings: ConnectionSettings,
        read_credentials: ReadCredentials,
        clock: Callable[[], float],
    ) -> None:
        assert read_credentials() == "dummy credentials"

    def destination(self, profile: UploadProfile, log: Log) -> DummyDestination:
        assert profile.destination == "dummy"
        return DummyDestination()


CONNECTOR: Final[type[Connector]] = DummyConnector
