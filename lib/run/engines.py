"""The engine for the rows of a file: by the kind of its records, with the rules of its profile."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import tzinfo
from typing import Any

from lib.config.profile import Profile
from lib.destinations.base import Destination
from lib.destinations.registry import capabilities_of
from lib.errors import PermanentError
from lib.model.log import Log
from lib.rules.engine import Engine
from lib.rules.row_rules import Refunds, RowRules
from lib.rules.values.cells import RuleError
from lib.rules.values.time_zones import UnknownZone, load_zone
from lib.run.accounts import Accounts
from lib.run.context import Connect
from lib.run.header import Header
from lib.run.kinds import sender_name, sending_profile
from lib.run.two_destinations import TwoDestinations
from lib.state.run import Run

_OTHER_TIMES = ("adjustment_date_time", "call_start_date_time")


@dataclass(frozen=True, slots=True)
class ColumnZones:
    """Where the time zone of a time comes from, if the time states none: the header of its column,
    the Parameters line of the file, or the profile."""

    units: Mapping[str, str]
    of_file: str | None
    of_profile: str | None

    def name_of(self, column: str) -> str | None:
        """Return the name of the time zone of a column, or None."""
        return self.units.get(column) or self.of_file or self.of_profile

    def zone_of(self, column: str) -> tzinfo | None:
        """Return the time zone of a column.

        If the file's time zone cannot be read, the profile's does not replace it: the rows that
        need it are rejected, and a note reports it.
        """
        name = self.name_of(column)
        if not name:
            return None
        try:
            return load_zone(name)
        except RuleError:
            return UnknownZone()


def row_rules(
    profile: Profile,
    header: Header,
    run: Run,
    zones: ColumnZones,
    accounts: Accounts,
    destination: Destination[Any],
) -> RowRules:
    """Return the rules of a file."""
    value = "conversion_value" if header.kind != "adjustment" else "adjusted_value"
    return RowRules(
        now=run.now,
        account=accounts.of_row,
        customer_id=profile.customer_id or None,
        capabilities=destination.capabilities,
        action=profile.conversion_action,
        zone=zones.zone_of("conversion_date_time"),
        currency_code=profile.currency_code,
        column_currency=header.units.get(value),
        phone_region=profile.phone_region,
        ad_user_data=profile.ad_user_data,
        day_first=profile.day_first,
        decimal_comma=profile.decimal_comma,
        derive_order_id=profile.derive_order_id,
        omit_session_and_ip=profile.omit_session_and_ip,
        order_ids=profile.order_ids,
        integer_order_ids=run.integer_order_ids,
        column_zones={each: zones.zone_of(each) for each in _OTHER_TIMES},
        kind=header.kind,
    )


def engine_of(header: Header, profile: Profile, rules: RowRules) -> Engine:
    """Return the engine for the records of this file."""
    if header.kind != "adjustment":
        return Engine(header.fields, rules)
    main = capabilities_of(profile.destination)
    # Conversions are read as they were sent: with the capabilities of their own destination.
    sales = Engine(header.fields, replace(rules, capabilities=main, kind="conversion"))
    if rules.capabilities is not main:
        rules = replace(rules, sent_order_id=main.sent_order_id)
    return Engine(header.fields, rules, sales)


def with_refunds(
    sales: Engine,
    profile: Profile,
    destination: Destination[Any],
    rules: RowRules,
    fields: Mapping[str, int],
    refund_columns: Sequence[int],
    connect: Connect,
    log: Log,
) -> tuple[Destination[Any], Engine]:
    """Return the destination of a file of sales and refunds, and the engine for the refunds, which
    the profile recognizes by `refund_columns`.

    Raises what `connect` raises, and `PermanentError` if the destination cannot send adjustments.
    """
    names_value = bool(profile.headers.get("adjusted_value"))
    rules = replace(rules, kind="adjustment", refunds=Refunds(refund_columns, names_value))
    if sender_name(profile, "adjustment") != profile.destination:
        other = connect(sending_profile(profile, "adjustment"), log)
        accounts = Accounts(other, wants_variables=False)
        rules = replace(
            rules,
            capabilities=other.capabilities,
            account=accounts.of_row,
            sent_order_id=destination.capabilities.sent_order_id,
        )
        destination = TwoDestinations(destination, other)
    if "adjustment" not in rules.capabilities.record_kinds:
        raise PermanentError("ADJUSTMENT_FILE", "refunds in the profile")
    return destination, Engine(fields, rules, sales)
