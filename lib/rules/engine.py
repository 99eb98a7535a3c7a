"""The engine, which turns the rows of a chunk into conversions. Each file has its own engine.

    columns ──▶ one rule after another: a column in, a column and the rows' problems out
            ──▶ match:       reject rows that identify neither a click nor a person
            ──▶ derive:      create order IDs for rows that Google could not recognize in a resend
            ──▶ deduplicate: send the same conversion only once per chunk
            ──▶ assemble:    create a `Conversion`, or the row's outcome    (`lib.rules.assembly`)

An invalid cell rejects the row only if the row can't be sent without it. Otherwise the cell is left
out with a warning (Google: send all conversion data, regardless of completeness).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from lib.model.fields import ADDRESS_FIELDS, CUSTOM_VARIABLE
from lib.model.records import OptionalFields, Row
from lib.rules import amounts, click_ids, optional_fields, order_ids, times, user_identifiers
from lib.rules.assembly import Assembly, Originals, ValidatedChunk
from lib.rules.chunk_cells import ChunkCells
from lib.rules.consents import read_consents
from lib.rules.conversion_actions import ActionRule, read_actions
from lib.rules.fields import BY_NAME
from lib.rules.known_cells import KnownCells
from lib.rules.order_id_form import OrderIdForm
from lib.rules.plain_text import count_placeholders
from lib.rules.record_columns import RecordColumns
from lib.rules.row_problems import RowProblems, separate_damaged
from lib.rules.row_rules import RowRules
from lib.rules.used_columns import used_columns
from lib.rules.values.conversion_clock import ConversionClock

ENGINE_FIELDS: Final = frozenset(
    {
        *("customer_id", "conversion_action", "time_zone", "currency_code", "ad_user_data"),
        *("email", "phone", "hashed_email", "hashed_phone_number", "country_code"),
        *("gclid", "gbraid", "wbraid", "conversion_date_time", "time_of_day"),
        *("conversion_value", "order_id"),
        *("first_name", "last_name", "postal_code", CUSTOM_VARIABLE),
    }
)
"""The fields with a rule in this module. Others declare `parse`, or no destination uses them."""


class Engine:
    """Checks the chunks of one file. `columns` maps each field to the index of its column: those
    that are sent, or that help to read others."""

    def __init__(self, columns: Mapping[str, int], rules: RowRules) -> None:
        self._rules = rules
        self.columns = used_columns(columns, rules)
        self.order_id_form = OrderIdForm(self.columns.get("order_id"), rules)
        self._assembly = Assembly(self.columns, rules)
        self._clock = ConversionClock(rules.now, rules.zone, rules.day_first)
        self._with_placeholders = placeholders = set[str]()
        self._known = KnownCells(rules, placeholders)

    def validate(self, rows: Sequence[Row]) -> ValidatedChunk:
        """Check the rows of a chunk.

        Raises the error of `RowRules.account` if the rows name too many accounts.
        """
        lines, readable, damaged = separate_damaged(rows)
        chunk = ChunkCells(self.columns, readable)
        problems = RowProblems(self._with_placeholders)
        table, when = self._read(chunk, problems)
        validated = self._assembly.assemble(lines, table, when, problems, damaged)
        counts = count_placeholders(chunk.all_columns(), self._with_placeholders)
        return validated._replace(placeholders=counts)

    def replay(self, rows: Sequence[Row]) -> None:
        """Do nothing: the conversions of a chunk do not depend on earlier chunks."""

    def originals(self, lines: list[int], rows: Sequence[Sequence[str]]) -> Originals:
        """Read rows whose conversions were sent before: they may repeat each other.

        Raises the error of `RowRules.account` if the rows name too many accounts.
        """
        problems = RowProblems(self._with_placeholders)
        table, when = self._read(ChunkCells(self.columns, rows), problems)
        return self._assembly.originals(lines, table, when, problems)

    # ── the rules, column by column ──────────────────────────────────────────────────────────

    def _read(self, chunk: ChunkCells, problems: RowProblems) -> tuple[RecordColumns, times.Times]:
        """Read all columns of a chunk."""
        actions = self._read_actions(chunk, problems)
        consents = read_consents(chunk.looked_up("ad_user_data", self._known.consents), problems)
        emails, phones = self._read_user_identifiers(chunk, problems)
        gclids, gbraids, wbraids = click_ids.read_and_choose(chunk, actions, problems)
        when = times.read_times(
            times.with_times_of_day(chunk, problems),
            chunk.looked_up("time_zone", self._known.zones),
            actions,
            self._clock,
            problems,
        )
        values, currencies = amounts.read_amounts(
            chunk.column("conversion_value"),
            chunk.looked_up("currency_code", self._known.currencies),
            self._rules.decimal_comma,
            problems,
        )
        amounts.refuse_other_currencies(currencies, self._rules.column_currency, problems)
        orders = order_ids.read_order_ids(
            chunk.column("order_id"),
            [cells for name, cells in chunk.all_columns() if name.startswith("phone")],
            self.order_id_form,
            problems,
        )
        optional = self._read_optional_fields(chunk, actions, problems)
        table = RecordColumns(
            [action.customer_id for action in actions],
            [action.action_id for action in actions],
            when.texts,
            gclids,
            gbraids,
            wbraids,
            emails,
            phones,
            values,
            currencies,
            orders,
            consents,
            optional,
        )
        return table, when

    def _read_actions(self, chunk: ChunkCells, problems: RowProblems) -> list[ActionRule]:
        cells = zip(chunk.column("customer_id"), chunk.column("conversion_action"), strict=True)
        return read_actions(list(cells), self._known.actions, problems)

    def _read_user_identifiers(
        self, chunk: ChunkCells, problems: RowProblems
    ) -> tuple[list[user_identifiers.Digests], list[user_identifiers.Digests]]:
        rules = self._rules
        emails = [
            user_identifiers.hash_emails(cells, name, problems)
            for name, cells in chunk.numbered("email")
        ]
        phone_columns = chunk.numbered("phone")
        phones = []
        if phone_columns:
            regions = user_identifiers.read_regions(
                chunk.column("country_code"), rules.phone_region, self._known.regions, problems
            )
            phones = [
                user_identifiers.hash_phones(cells, name, regions, problems)
                for name, cells in phone_columns
            ]
        for base, digests in (("hashed_email", emails), ("hashed_phone_number", phones)):
            digests += [
                user_identifiers.read_digests(cells, name, problems)
                for name, cells in chunk.numbered(base)
            ]
        of_emails = user_identifiers.combine(emails, chunk.size)
        of_phones = user_identifiers.combine(phones, chunk.size)
        # A postal address is a user identifier too.
        most = rules.capabilities.max_user_identifiers - chunk.has_address()
        if len(emails) + len(phones) > min(most, 2):
            user_identifiers.limit(most, of_emails, of_phones, problems)
        return of_emails, of_phones

    def _read_optional_fields(
        self, chunk: ChunkCells, actions: Sequence[ActionRule], problems: RowProblems
    ) -> list[OptionalFields | None]:
        declared = [
            optional_fields.read_declared(
                cells, name, BY_NAME[name], self._rules.decimal_comma, problems
            )
            for name, cells in chunk.all_columns()
            if name in BY_NAME and BY_NAME[name].parse is not None
        ]
        variables = {n: c for n, c in chunk.all_columns() if n.startswith(CUSTOM_VARIABLE)}
        if variables:
            declared.append(
                optional_fields.read_custom_variables(
                    variables, actions, self._known.variable_ids, problems
                )
            )
        if chunk.has_address():
            parts = {name: chunk.column(name) for name in ADDRESS_FIELDS}
            declared.append(optional_fields.read_addresses(parts, problems))
        if not declared:
            return [None] * chunk.size
        found = optional_fields.assemble(declared)
        return [found.get(row) for row in range(chunk.size)]
