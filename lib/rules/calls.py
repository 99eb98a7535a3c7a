"""The engine for calls: the rows of a chunk → `Call` records. Each file has its own.

It uses the column rules of `lib.rules.engine`. Google finds a call by the number of the caller and
the start of the call, so a row without them is rejected.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import attrgetter
from typing import Final

from lib.model.fields import CUSTOM_VARIABLE
from lib.model.outcomes import RowOutcome
from lib.model.records import Call, Row
from lib.rules import amounts, optional_fields, times, user_identifiers
from lib.rules.assembly import ValidatedChunk, outcome_of
from lib.rules.callers import read_callers
from lib.rules.chunk_cells import ChunkCells
from lib.rules.consents import read_consents
from lib.rules.conversion_actions import NO_ACTION, ActionRule, read_actions
from lib.rules.known_cells import KnownCells
from lib.rules.order_id_form import OrderIdForm
from lib.rules.plain_text import count_placeholders
from lib.rules.repeats import repeat_problem
from lib.rules.row_problems import RowProblems, separate_damaged
from lib.rules.row_rules import RowRules
from lib.rules.times import TimeColumn, Times
from lib.rules.used_columns import is_sent
from lib.rules.values.conversion_clock import ConversionClock

CALL_FIELDS: Final = frozenset({"caller_id", "call_start_date_time"})
"""The fields with a rule in this module."""

_START: Final = TimeColumn("call_start_date_time", "CALL_TIME_MISSING")


class CallEngine:
    """Checks the calls in the chunks of one file. `columns` maps each field to its column."""

    def __init__(self, columns: Mapping[str, int], rules: RowRules) -> None:
        can = rules.capabilities.of_kind("call")
        assert can is not None  # `lib.run.kinds` refuses other files
        self._rules = rules
        self.columns = {name: at for name, at in columns.items() if is_sent(name, can.fields)}
        self.order_id_form = OrderIdForm(None, rules)  # calls have none
        self._clock = ConversionClock(rules.now, rules.zone, rules.day_first)
        zone = rules.column_zones.get(_START.field, rules.zone)
        self._call_clock = ConversionClock(rules.now, zone, rules.day_first)
        self._with_placeholders = placeholders = set[str]()
        self._known = KnownCells(rules, placeholders)

    def validate(self, rows: Sequence[Row]) -> ValidatedChunk:
        """Check the calls of a chunk.

        Raises the error of `RowRules.account` if the rows name too many accounts.
        """
        lines, readable, damaged = separate_damaged(rows)
        chunk = ChunkCells(self.columns, readable)
        problems = RowProblems(self._with_placeholders)

        cells = zip(chunk.column("customer_id"), chunk.column("conversion_action"), strict=True)
        actions = read_actions(list(cells), self._known.actions, problems)
        callers = self._read_callers(chunk, problems)
        starts, when = self._read_times(chunk, lines, problems)
        values, currencies = amounts.read_amounts(
            chunk.column("conversion_value"),
            chunk.looked_up("currency_code", self._known.currencies),
            self._rules.decimal_comma,
            problems,
        )
        amounts.refuse_other_currencies(currencies, self._rules.column_currency, problems)
        consents = read_consents(chunk.looked_up("ad_user_data", self._known.consents), problems)
        variables = self._read_variables(chunk, actions, problems)
        calls = [
            Call._make((action.customer_id, action.action_id, *rest, ()))
            for action, *rest in zip(
                actions,
                callers,
                starts.texts,
                when.texts,
                values,
                currencies,
                consents,
                variables,
                strict=True,
            )
        ]
        moments = list(zip(starts.instants, when.instants, strict=True))
        validated = _assemble(lines, calls, moments, problems, damaged)
        counts = count_placeholders(chunk.all_columns(), self._with_placeholders)
        return validated._replace(placeholders=counts)

    def replay(self, rows: Sequence[Row]) -> None:
        """Do nothing: the calls of a chunk do not depend on earlier chunks."""

    # ── the rules, column by column ──────────────────────────────────────────────────────────

    def _read_callers(self, chunk: ChunkCells, problems: RowProblems) -> list[str]:
        countries = chunk.column("country_code")
        default = self._rules.phone_region
        regions = user_identifiers.read_regions(countries, default, self._known.regions, problems)
        return read_callers(chunk.column("caller_id"), regions, problems)

    def _read_times(
        self, chunk: ChunkCells, lines: list[int], problems: RowProblems
    ) -> tuple[Times, Times]:
        """Return the start of each call and the time of its conversion."""
        zones = chunk.looked_up("time_zone", self._known.zones)
        any_action = [NO_ACTION] * chunk.size
        day_first = self._rules.day_first
        starts = times.read_times(
            chunk.column(_START.field), zones, any_action, self._call_clock, problems, _START
        )
        times.refuse_ambiguous(starts, lines, day_first, problems, _START)
        cells = times.with_times_of_day(chunk, problems)
        when = times.read_times(cells, zones, any_action, self._clock, problems)
        times.refuse_ambiguous(when, lines, day_first, problems, times.CONVERSION_TIME)
        for row, (start, end) in enumerate(zip(starts.instants, when.instants, strict=True)):
            if row not in problems.errors and end < start:
                problems.reject(row, "CONVERSION_BEFORE_CALL", "conversion_date_time")
        return starts, when

    def _read_variables(
        self, chunk: ChunkCells, actions: Sequence[ActionRule], problems: RowProblems
    ) -> list[tuple[tuple[str, str], ...]]:
        columns = {n: c for n, c in chunk.all_columns() if n.startswith(CUSTOM_VARIABLE)}
        if not columns:
            return [()] * chunk.size
        ids = self._known.variable_ids
        found = optional_fields.read_custom_variables(columns, actions, ids, problems).values
        return [found.get(row, ()) for row in range(chunk.size)]


def _assemble(
    lines: Sequence[int],
    calls: Sequence[Call],
    moments: Sequence[tuple[int, int]],
    problems: RowProblems,
    damaged: list[RowOutcome],
) -> ValidatedChunk:
    """Return the checked chunk. `moments` are the start of each call and its conversion."""
    errors, warnings = problems.errors, problems.warnings
    refused = list(damaged)
    first_of: dict[tuple[object, ...], int] = {}
    sent: list[Call] = []
    sent_lines: list[int] = []
    repeats = {}
    for row, call in enumerate(calls):
        line, of_row = lines[row], tuple(warnings.get(row, ()))
        if row in errors:
            reasons = tuple(errors[row])
            refused.append(RowOutcome(line, outcome_of(reasons), None, reasons, of_row))
            continue
        key = (call.customer_id, call.action_id, call.caller_id, *moments[row])
        first = first_of.setdefault(key, row)
        if first != row:
            repeats[line] = lines[first]
            same_value = call.value == calls[first].value
            reason = repeat_problem("call", lines[first], same_value=same_value)
            refused.append(RowOutcome(line, "duplicate", None, (reason,), of_row))
        else:
            sent.append(call._replace(warnings=of_row))
            sent_lines.append(line)
    refused.sort(key=attrgetter("line"))
    return ValidatedChunk([], sent_lines, refused, repeats, False, calls=sent)
