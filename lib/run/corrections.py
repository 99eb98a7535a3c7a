"""The newest value of an order travels with each of its rows.

The Data Manager API compares no times: of two rows of an order, the one that it processes last
counts. It processes in any order, and files come in any order. So each row of a corrected order is
sent with the newest value that is known, whichever row or file said so:

    before a chunk is sent      its own corrections are saved (`lib.state.corrections`)
    when a chunk is prepared    its rows get the newest value of their order (`with_newest_values`)
    when Google's last word     rows of an order that was corrected meanwhile are sent once more
    comes                       (`OutdatedRows`)

So nothing waits for a correction, and nothing is taken back. Only the rows of an order that was
retracted are not sent any more.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Final

from lib.model.money import MICROS, Amounts, micros_of
from lib.model.outcomes import Problem, RowOutcome
from lib.model.records import Adjustment, Conversion, Record
from lib.model.sent_requests import OpenRequest, split_order_text, unpacked_texts
from lib.rules.assembly import ValidatedChunk
from lib.run.attempt import Attempt
from lib.run.chunks import Validated, amounts_of, outcome_of_unsent, without
from lib.run.plan import Part, Plan
from lib.run.reading import sender_capabilities
from lib.state.corrections import Correction, Corrections, order_key

CORRECTED_VALUE: Final = Problem("CORRECTED_VALUE", "conversion_value")
_RETRACTED: Final = Problem("OLDER_THAN_CORRECTION")


class CorrectionsOfPass:
    """The corrections of an account, during one pass over a file."""

    def __init__(self, attempt: Attempt, plan: Plan) -> None:
        self._attempt = attempt
        self._plan = plan
        self._known = attempt.context.corrections.of(plan.account.conversion_customer_id)
        if plan.carries_corrections:
            self._known.refresh(attempt.context.documents)

    def made_by(self, validated: Validated, sent_before: Container[int]) -> list[Correction]:
        """Return the corrections that the rows of a chunk make.

        Those of the lines in `sent_before` are saved already. Saved again, they would count as
        newer than those that other files have saved since with the same time.
        """
        if self._plan.validate_only:
            return []  # Google does not count them, so no other row may be sent with their values
        return [
            Correction(self._key(record), record.rank, *_value_of(record))
            for part, rows in validated
            if part.kind == "adjustment"
            for line, record in zip(rows.lines, rows.records, strict=True)
            if isinstance(record, Adjustment) and record.order_id and line not in sent_before
        ]

    def save(self, chunk: int, made: Sequence[Correction]) -> None:
        """Save the corrections that a chunk makes, before one of its rows is sent."""
        context = self._attempt.context
        self._known.save(context.documents, self._attempt.run, chunk, made, context.utc_now())

    def with_newest_values(self, validated: Validated, made: Sequence[Correction]) -> Validated:
        """Return the rows of a chunk with the newest values of their orders. `made` are the
        corrections that the chunk makes itself."""
        if not self._plan.carries_corrections or not (self._known.records or made):
            return validated
        # Of the adjustments of one order, a chunk sends one (`lib.rules.adjustments`).
        own = {each.order: each for each in made}
        return [
            (part, self._with_newest_values_of_part(part, rows, own))
            if part.destination.capabilities.last_value_counts
            else (part, rows)
            for part, rows in validated
        ]

    def _with_newest_values_of_part(
        self, part: Part, rows: ValidatedChunk, own: dict[bytes, Correction]
    ) -> ValidatedChunk:
        """Return the rows of a part with the newest values, and without those of retracted orders.

        `own` are the corrections of this chunk by order.
        """
        records, is_changed = [*rows.records], False
        retracted: dict[int, RowOutcome] = {}
        for position, record in enumerate(records):
            correction = self._newest(record, own)
            if correction is None:
                continue
            if correction.micros is None:
                # Its order was retracted: sent now, the sale would count again.
                row = outcome_of_unsent(rows, position, "skipped", (_RETRACTED,))
                retracted[row.line] = row
            elif differs(correction, *_value_of(record)):
                records[position], is_changed = _with_value(record, correction), True
        if is_changed:
            # Only sales have amounts here: the money of a restatement is that of its sale.
            values = amounts_of(records) if part.kind == "conversion" else rows.values
            rows = rows._replace(records=records, values=values)
        return without(rows, retracted) if retracted else rows

    def _newest(self, record: Record, own: dict[bytes, Correction]) -> Correction | None:
        """Return the newest correction of a record's order: a saved one, or one of this chunk."""
        if not record.order_id:
            return None
        order = self._key(record)
        # Of equal ranks, the one that is saved last counts, which is this chunk's own.
        found = filter(None, (own.get(order), self._known.newest(order)))
        return max(found, key=attrgetter("rank"), default=None)

    def _key(self, record: Record) -> bytes:
        """Return the key of a record's order, whose ID is written as the sale's API has it."""
        sent = self._plan.sales.sent_order_id(record.order_id or "")
        return order_key(record.action_id, sent)


@dataclass(frozen=True, slots=True)
class OutdatedRows:
    """The rows of accepted requests whose orders have another value by now than was sent.

    `known` has the corrections of the accounts that got the requests, by their IDs.
    """

    attempt: Attempt
    known: dict[str, Corrections] = field(default_factory=dict)

    def positions(self, request: OpenRequest) -> Iterator[int]:
        """Yield their positions in a request.

        A retraction is not sent by this API, and it does not see a sale that is on its way
        (docs/adjustments.md says so).
        """
        if self.attempt.profile is None:
            return  # this version cannot read it, so it cannot send a row again
        known = self._of(request.customer_id)
        sent_order_id = sender_capabilities(self.attempt.profile, "conversion").sent_order_id
        values = Amounts.unpacked(request.values)
        for position, text in enumerate(unpacked_texts(request.orders)):
            if text is None:
                continue  # the row has no order ID, so no correction can name it
            action_id, order_id = split_order_text(text)
            newest = known.newest(order_key(action_id, sent_order_id(order_id)))
            if newest is None or newest.micros is None:
                continue
            if differs(newest, *values.at(position)):
                yield position

    def _of(self, customer_id: str) -> Corrections:
        """Return the corrections of an account. They are read once for all requests."""
        if customer_id not in self.known:
            self.known[customer_id] = self.attempt.context.corrections.of(customer_id)
            self.known[customer_id].refresh(self.attempt.context.documents)
        return self.known[customer_id]


def differs(correction: Correction, micros: int | None, currency: str) -> bool:
    """Return whether a correction has another value than this one. A currency that is not stated is
    the same."""
    if correction.micros != micros:
        return True
    return bool(correction.currency and currency) and correction.currency != currency


def _value_of(record: Record) -> tuple[int | None, str]:
    """Return the value of a record in micros, or None, and its currency, or ""."""
    value = record.value
    return None if value is None else micros_of(value), record.currency_code or ""


def _with_value(record: Record, correction: Correction) -> Record:
    """Return a record with the value of a correction, and the warning that says so."""
    assert correction.micros is not None
    value = correction.micros / MICROS
    currency = correction.currency or record.currency_code
    warnings = (*record.warnings, CORRECTED_VALUE)
    if isinstance(record, Conversion | Adjustment):
        return record._replace(value=value, currency_code=currency, warnings=warnings)
    return record  # a call has no order
