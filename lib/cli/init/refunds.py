"""Rows of refunded orders: they adjust a conversion, so a filter must not just drop them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from lib.cli.init.dated import begins_with, is_nothing, kind_of_cells
from lib.cli.init.sample import Sample, SampleRow, filled
from lib.rules.stages import is_partial

REFUNDED: Final = ("refund", "erstatt", "rembours", "reembols", "rimbors", "terugbetaal", "estorn")
"""How words for refunds begin, in the languages of `lib.rules.stages`."""


@dataclass(frozen=True, slots=True)
class ProposedRefunds:
    """The refunds in a sample: stages by column, and the column with the time of the refund.

    `are_sent`: the profile can say so. Otherwise, `why_not` says what is missing.
    """

    stages: Mapping[str, Sequence[str]] = field(default_factory=dict)
    time: int | None = None
    why_not: str = ""

    @property
    def are_sent(self) -> bool:
        """Whether the profile gets the key `refunds`."""
        return bool(self.stages) and not self.why_not

    @property
    def reason(self) -> str:
        """Why the profile has the key, or lacks it. The stages are no personal data."""
        stages = ", ".join(f'"{each}"' for values in self.stages.values() for each in values)
        if not self.why_not:
            return f"Rows with {stages} are refunds: they retract or restate their conversions."
        return f"Rows with {stages} are refunds, and are not sent: {self.why_not}."


def find_refunds(
    sample: Sample,
    stages: Iterable[tuple[int, Sequence[str]]],
    sales: Sequence[SampleRow],
    filtered_by: Iterable[int],
    *,
    can_retract: bool,
) -> ProposedRefunds:
    """Return the refunds. `stages` are the columns of stages with their values, `filtered_by` the
    columns by which the `sales` count. `can_retract`: the destination can take refunds."""
    found = {at: [each for each in values if begins_with(each, REFUNDED)] for at, values in stages}
    found = {at: values for at, values in found.items() if values}
    if not found:
        return ProposedRefunds()
    named = {sample.names[at]: values for at, values in found.items()}
    kinds = {
        at: kind_of_cells(sample.rows, at)
        for at in sample.free_columns()
        if begins_with(sample.names[at], REFUNDED) and filled(sample.rows, at)
    }
    times = [at for at, kind in kinds.items() if kind == "date"]
    # An order that was refunded in part may keep the stage of a sale: only these columns tell.
    has_partial_stage = any(is_partial(each) for values in named.values() for each in values)
    tells_more = "amount" in kinds.values() and not has_partial_stage
    tells_more |= any(not is_nothing(row.cells[at]) for row in sales for at in kinds)
    if not can_retract:
        return ProposedRefunds(named, why_not="the destination needs adjustments_via for them")
    if not times:
        return ProposedRefunds(named, why_not="the file needs a column with the time of the refund")
    if tells_more:
        return ProposedRefunds(
            named, why_not="orders that were refunded in part have no stage of their own"
        )
    if others := set(filtered_by) - found.keys():
        names = ", ".join(f'"{sample.names[at]}"' for at in sorted(others))
        return ProposedRefunds(named, why_not=f"the filter on {names} would skip them")
    return ProposedRefunds(named, times[0])
