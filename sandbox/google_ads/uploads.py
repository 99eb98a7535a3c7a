"""What the three upload methods of the Google Ads API have in common.

A request is checked in this order: the caller and the account, the request as a whole, each row
alone, repeats within the request, and what Google has already. An error outside of the rows ends
the RPC; errors in rows are returned as a partial failure.
"""

from __future__ import annotations

import re
import secrets
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

from google.protobuf.json_format import MessageToDict
from google.protobuf.message_factory import GetMessageClass

from sandbox.accounts import Account
from sandbox.conversions import Accepted
from sandbox.google_ads.errors import Path, Problem, partial_failure, refuse
from sandbox.google_ads.rows import Row
from sandbox.rpc import Rpc
from sandbox.state import State

MAX_ROWS = 2_000

Authorize = Callable[[Rpc, str], Account]
"""Returns the account of a request, if the caller may use it. Raises `Refusal`."""
Key = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Checked:
    """A row without problems. `keys` are those of `Uploads.unique`, in the same order."""

    action_id: int
    keys: tuple[Key | None, ...]


_UNCHECKED = Checked(0, ())


class Unique(NamedTuple):
    """A key that no two rows may share; and Google's code and text if they do."""

    in_request: tuple[str, str]
    earlier: tuple[str, str] = ("", "")
    known: set[Any] | None = None
    """The keys of everything accepted; None: only the rows of a request are compared."""
    field: str = ""
    """The field that the second row names; empty: the row as a whole."""


class Uploads:
    """Answers the requests of one upload method. A subclass has what is particular to its rows."""

    request_type: ClassVar[Any]
    response_type: ClassVar[Any]
    rows: ClassVar[str] = "conversions"
    family: ClassVar[str] = "conversion_upload_error"
    too_many: ClassVar[str] = "TOO_MANY_CONVERSIONS_IN_REQUEST"
    has_job_id: ClassVar[bool] = True
    counts_actions: ClassVar[bool] = False
    """Whether the diagnostics count the rows of each conversion action, too."""

    def __init__(self, state: State, authorize: Authorize, *unique: Unique) -> None:
        self.state = state
        self.unique = unique
        self._authorize = authorize
        row = self.request_type.DESCRIPTOR.fields_by_name[self.rows].message_type
        self._decode = _decoder(GetMessageClass(row))

    # What subclasses define

    def check(self, row: Row) -> Checked | None:
        """Check a row alone; None if it has problems."""
        raise NotImplementedError

    def is_open_to(self, account: Account) -> bool:
        return True

    def compare(
        self, checked: Sequence[Checked | None], bad: Iterable[int], request: Any, rpc: Rpc
    ) -> list[Problem]:
        """Compare the rows with what Google has already. `bad` rows have problems."""
        problems = []
        for index, one in enumerate(checked):
            for unique, key in zip(self.unique, one.keys if one else (), strict=False):
                if key is None or unique.known is None or key not in unique.known:
                    continue
                value = key[0] if unique.field else None
                problems.append(
                    self.problem(index, *unique.earlier, field=unique.field, value=value)
                )
        return problems

    @property
    def accepted(self) -> list[Accepted]:
        return self.state.accepted

    # The same for all

    def problem(
        self, index: int, code: str, text: str, *, field: str = "", value: str | None = None
    ) -> Problem:
        path: Path = ((self.rows, index), *(((field, None),) if field else ()))
        return Problem(f"{self.family}.{code}", text, path, value)

    def answer(self, rpc: Rpc) -> bytes:
        request = self.request_type.FromString(rpc.body)
        rows = getattr(request, self.rows)
        rpc.request.conversions = len(rows)
        account = self._authorize(rpc, request.customer_id)
        job_id = rpc.request.job_id = self._check_request(request, account, rpc)
        unnamed = _unnamed_error(rpc, "error_without_index")
        problems = unnamed or self._upload(request, account, rpc)
        response = self.response_type(**({"job_id": job_id} if self.has_job_id else {}))
        if problems:
            response.partial_failure_error.CopyFrom(partial_failure(problems, rpc.request_id))
        bad = bad_rows(problems)
        for index, row in enumerate(() if request.validate_only else rows):
            result = response.results.add()
            if not unnamed and index not in bad:
                _copy(row, result)
        serialized: bytes = response.SerializeToString()
        return serialized

    def _check_request(self, request: Any, account: Account, rpc: Rpc) -> int:
        """Check everything outside the rows; returns the response's job ID. Raises `Refusal`."""
        if not self.is_open_to(account):
            code = "not_allowlisted_error.CUSTOMER_NOT_ALLOWLISTED_FOR_THIS_FEATURE"
            raise refuse(code, "The customer is not allowlisted for accessing this feature.", rpc)
        if not request.partial_failure:
            code = "partial_failure_error.PARTIAL_FAILURE_MODE_REQUIRED"
            raise refuse(code, "The partial failure field must be true.", rpc)
        rows, place = getattr(request, self.rows), ((self.rows, None),)
        if not rows:
            raise refuse("field_error.REQUIRED", "The required field was not set.", rpc, place)
        if len(rows) > MAX_ROWS:
            text = f"Upload fewer than {MAX_ROWS + 1} events in a single request."
            raise refuse(f"{self.family}.{self.too_many}", text, rpc, place)
        if not self.has_job_id:
            return 0
        if not request.HasField("job_id"):
            return secrets.randbelow(2**63 - 2**31) + 2**31
        if request.job_id < 1:
            # The proto comment says "non-negative", the error text [1, 2^31), which is stricter.
            text = "A job ID must be a positive integer in the range [1, 2^31)."
            raise refuse(f"{self.family}.INVALID_JOB_ID", text, rpc, (("job_id", None),))
        return int(request.job_id)

    def _upload(self, request: Any, account: Account, rpc: Rpc) -> list[Problem]:
        """Check all rows, and accept those without problems."""
        state = self.state
        now = state.now()
        checked: list[Checked | None] = []
        problems: list[Problem] = []
        for index, message in enumerate(getattr(request, self.rows)):
            row = Row(message, (self.rows, index), self.family, account, now)
            checked.append(self.check(row) if state.check_rows else _UNCHECKED)
            problems += row.problems
        problems += _chosen_errors(rpc, self.rows)
        for number, unique in enumerate(self.unique):
            keys = [one.keys[number] if one and one.keys else None for one in checked]
            problems += self._repeats(keys, unique)
        with state.lock:
            problems += self.compare(checked, bad_rows(problems), request, rpc)
            if not request.validate_only:
                self._accept(request, checked, bad_rows(problems), account, rpc)
        return problems + _unnamed_error(rpc, "stray_error")

    def _repeats(self, keys: Sequence[Key | None], unique: Unique) -> Iterator[Problem]:
        """Rows that share a key within the request.

        Google says about DUPLICATE_ORDER_ID that conversions with the same order ID "were not
        processed", so all of them are refused.
        """
        counts = Counter(key for key in keys if key is not None)
        for index, key in enumerate(keys):
            if key is not None and counts[key] > 1:
                yield self.problem(index, *unique.in_request)

    def _accept(
        self,
        request: Any,
        checked: Sequence[Checked | None],
        bad: Mapping[int, str],
        account: Account,
        rpc: Rpc,
    ) -> None:
        state, now = self.state, self.state.now()
        good: Counter[str] = Counter()
        refused: defaultdict[str, Counter[str]] = defaultdict(Counter)
        for index, (row, one) in enumerate(zip(getattr(request, self.rows), checked, strict=True)):
            # Only the last part of the resource name matters, as in `Row.action`.
            action = row.conversion_action.rpartition("/")[2]
            if one is None or index in bad:
                refused[action][bad[index]] += 1
                continue
            good[action] += 1
            for unique, key in zip(self.unique, one.keys, strict=False):
                if key is not None and unique.known is not None:
                    unique.known.add(key)
            self.accepted.append(
                Accepted(
                    account.customer_id,
                    one.action_id,
                    rpc.request.job_id,
                    rpc.request_id,
                    now,
                    "google_ads",
                    row.SerializeToString(),
                    self._decode,
                )
            )
        if not self.has_job_id:
            return
        customer, job = account.customer_id, rpc.request.job_id
        state.count_job(customer, "", job, good.total(), sum(refused.values(), Counter[str]()))
        for action in {*good, *refused} if self.counts_actions else ():
            state.count_job(customer, action, job, good[action], refused[action])


def bad_rows(problems: Sequence[Problem]) -> dict[int, str]:
    """The code of the first problem of every row that has one."""
    return {
        index: problem.code
        for problem in reversed(problems)
        if problem.path and (index := problem.path[0][1]) is not None
    }


def _decoder(kind: Any) -> Callable[[bytes], dict[str, Any]]:
    """A function that reads a serialized message as proto JSON with the proto's field names."""

    def decode(message: bytes) -> dict[str, Any]:
        decoded: dict[str, Any] = MessageToDict(
            kind.FromString(message), preserving_proto_field_name=True
        )
        return decoded

    return decode


def _copy(row: Any, result: Any) -> None:
    """Copy the fields that Google's result of a row has, too."""
    known = result.DESCRIPTOR.fields_by_name
    for field, value in row.ListFields():
        if field.name not in known:
            continue
        if isinstance(value, str | int):
            setattr(result, field.name, value)
        else:
            getattr(result, field.name).MergeFrom(value)


# Faults


def _unnamed_error(rpc: Rpc, kind: str) -> list[Problem]:
    """The error of a fault of this kind, which names no row.

    With `error_without_index`, nothing is accepted; with `stray_error`, rows are.
    """
    if rpc.fault is None or rpc.fault.kind != kind:
        return []
    code = str(rpc.fault.parameters.get("error", "internal_error.TRANSIENT_ERROR"))
    return [Problem(code, "An error that names no row (by a fault rule).")]


def _chosen_errors(rpc: Rpc, rows: str) -> list[Problem]:
    """The errors of a `row_error` fault. A path looks like `user_identifiers[1].hashed_email`."""
    if rpc.fault is None or rpc.fault.kind != "row_error":
        return []
    parameters = rpc.fault.parameters
    given = parameters.get("error", "conversion_upload_error.EVENT_NOT_FOUND")
    inner: Path = tuple(
        (name, int(index) if index else None)
        for name, index in re.findall(r"(\w+)(?:\[(\d+)\])?", str(parameters.get("path", "")))
    )
    text = str(parameters.get("message", "An error on a chosen row (by a fault rule)."))
    return [
        Problem(str(code), text, ((rows, int(row)), *inner))
        for row in parameters.get("rows", [0])
        for code in (given if isinstance(given, list) else [given])
    ]
