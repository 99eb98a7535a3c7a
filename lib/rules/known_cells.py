"""What the cells of a file mean, for columns with few different cells: read once a file."""

from __future__ import annotations

from lib.model.outcomes import Problem
from lib.rules import amounts, optional_fields, times, user_identifiers
from lib.rules.consents import consent_of
from lib.rules.conversion_actions import ActionRule, resolve_action
from lib.rules.row_rules import RowRules
from lib.rules.values.cells import Memo


class KnownCells:
    """The cells that the engines of conversions and of calls have read, kept for all chunks.

    `placeholders` gets the cells that are placeholders: a cell that a Memo knows is not read again.
    """

    def __init__(self, rules: RowRules, placeholders: set[str]) -> None:
        currency = rules.column_currency or rules.currency_code
        self.actions: Memo[ActionRule | Problem] = Memo(
            lambda customer, action: resolve_action(customer, action, rules, placeholders)
        )
        self.consents = Memo(lambda cell: consent_of(cell, rules.ad_user_data, placeholders))
        self.currencies = Memo(lambda cell: amounts.currency_of(cell, currency, placeholders))
        self.zones = Memo(lambda cell: times.zone_of(cell, placeholders))
        self.regions = Memo(lambda cell: user_identifiers.region_of(cell, placeholders))
        self.variable_ids: Memo[str | Problem] = Memo(
            lambda customer, name: optional_fields.custom_variable_id(customer, name, rules)
        )
