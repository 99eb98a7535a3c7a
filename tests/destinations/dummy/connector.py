"""The dummy API: it keeps what it is sent, and tells later what it thinks of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from lib.destinations.base import AcceptedRequest, MaybeSent, UploadResult
from lib.destinations.instance import Connector, Instance, UploadProfile
from lib.model.account import Account
from lib.model.deadline import Deadline
from lib.model.fields import RecordKind
from lib.model.log import Log
from lib.model.records import Record
from lib.model.sent_requests import RequestStatus
from tests.destinations.dummy.capabilities import CAPABILITIES

REQUESTS: list[list[Record]] = []
"""The records of every request that was sent."""


class DummyRequest(NamedTuple):
    """Records, as they are."""

    records: Sequence[Record]
    content: bytes = b""


class DummyDestination:
    """`lib.destinations.base.PolledDestination`."""

    capabilities = CAPABILITIES

    def account(self, customer_id: str, *, custom_variables: bool) -> Account:
        return Account(customer_id, customer_id)

    def encode(
        self, kind: RecordKind, records: Sequence[Record], customer_id: str, job_id: int
    ) -> Sequence[DummyRequest]:
        return [DummyRequest(records)] if records else []

    def send(
        self, requests: Sequence[DummyRequest], deadline: Deadline, maybe_sent: MaybeSent
    ) -> UploadResult:
        ((records, _),) = requests
        assert len(records) <= CAPABILITIES.max_request_rows
        REQUESTS.append(list(records))
        request = AcceptedRequest(f"dummy-{len(REQUESTS)}", range(len(records)))
        return UploadResult({}, (request.request_id,), accepted=(request,))

    def request_statuses(
        self, request_ids: Sequence[str], deadline: Deadline
    ) -> Sequence[RequestStatus]:
        return [RequestStatus(each, "SUCCESS", "77", 7) for each in request_ids]


class DummyConnector:
    """`lib.destinations.instance.Connector`."""

    def __init__(self, instance: Instance) -> None:
        assert instance.sign_ins.secret.get().developer_token == "dummy"

    def destination(self, profile: UploadProfile, log: Log) -> DummyDestination:
        assert profile.destination == "dummy"
        return DummyDestination()


CONNECTOR: Final[type[Connector]] = DummyConnector
