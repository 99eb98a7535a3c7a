"""The capabilities that a destination declares."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Final

from lib.model.adjustment_types import AdjustmentType
from lib.model.fields import RecordKind


@dataclass(frozen=True, slots=True)
class Exclusion:
    """Values that the API refuses in one record: one of `attribute` together with one of `beside`.

    Both are attributes of the record. `user_identifiers` means hashed email addresses and phone
    numbers. A row with both is rejected with `code`, and the error names the column of `attribute`.
    """

    attribute: str
    beside: str
    code: str


_FIRST_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class CheckSchedule:
    """When to ask an API what it reports later about an upload.

    The first time is `first_wait` after the upload, then every `wait` for a day, and then every
    `later_wait`. From `stop_after` on, nobody asks any more.
    """

    first_wait: timedelta
    wait: timedelta
    later_wait: timedelta
    stop_after: timedelta

    def next_check(self, sent_at: datetime, asked_at: datetime | None) -> datetime | None:
        """Return when to ask about an upload, or None if that is not before the end.

        `asked_at` is when the API was asked last, perhaps about another upload.
        """
        first = sent_at + self.first_wait
        if asked_at is None or asked_at < first:
            check = first
        else:
            is_first_day = asked_at < sent_at + _FIRST_DAY
            check = asked_at + (self.wait if is_first_day else self.later_wait)
        return check if check < sent_at + self.stop_after else None


@dataclass(frozen=True, slots=True, kw_only=True)
class KindCapabilities:
    """What an API can send of one kind of record."""

    fields: Mapping[str, str]
    """The declared fields that it can send → path in the API's own message for this kind. A known
    column that is not listed gets a note in the results."""
    identifying: frozenset[str]
    """Record attributes by which it finds what the record is about: the click or the person of a
    conversion. A record needs one."""
    adjustment_types: frozenset[AdjustmentType] = frozenset()
    """Which adjustments it can send."""
    adjustable_for: timedelta | None = None
    """How long after a conversion it accepts adjustments. None: not known."""
    restates_with_original: bool = False
    """A restatement is the original conversion with another value, so the row must have its data.
    The API then cannot tell a restatement from a new conversion."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What an advertising API supports. Code outside its folder checks this, never its name."""

    name: str
    """The name that profiles use."""
    title: str
    """The name that messages show."""
    kinds: Mapping[RecordKind, KindCapabilities]
    """What it can send of each kind of record. Every API sends conversions; another kind that is
    missing cannot be sent."""
    max_user_identifiers: int
    """Maximum number of user identifiers in one record, including a postal address."""
    max_request_rows: int
    resolves_custom_variables: bool
    """Whether custom variables are sent with an ID that must be looked up."""
    has_queries: bool = False
    """Whether it answers queries about its accounts. Otherwise another API is asked, which the
    credentials may not be allowed to use: so the name of a conversion action may not do."""
    sunset: date | None = None
    """The day on which this version of the API is switched off; None: not announced."""
    open_if: str = ""
    """A question whose answer must be yes, if the API is not open to everybody."""
    reports_later: CheckSchedule | None = None
    """Set if accepted rows get their final outcome later. The destination then implements
    `PolledDestination`."""
    diagnostics: CheckSchedule | None = None
    """Set if the API reports on uploads by job later. The destination then implements
    `DiagnosingDestination`."""
    unknown_words: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Field → words that only other APIs have. Such a cell is left out with a warning."""
    exclusions: tuple[Exclusion, ...] = ()
    """Values of a conversion that exclude each other."""
    supplements_tags: bool = False
    """Whether it takes events for conversions that a website's tag counts. One that the tag does
    not know is a new conversion."""
    sent_order_id: Callable[[str], str] = str
    """How it writes an order ID."""

    def adjusts(self, types: Set[AdjustmentType]) -> bool:
        """Return whether it can send adjustments of all of these types."""
        adjustments = self.kinds.get("adjustment")
        return adjustments is not None and types <= adjustments.adjustment_types

    def for_tags(self) -> Capabilities:
        """Return what it can do for conversions of a website's tag: the order ID is the tag's."""
        sales = self.kinds["conversion"]
        fields = {name: path for name, path in sales.fields.items() if name != "event_source"}
        kinds = {**self.kinds, "conversion": replace(sales, fields=fields)}
        return replace(self, kinds=kinds, sent_order_id=str)

    @property
    def last_value_counts(self) -> bool:
        """Whether the API compares no times: it adjusts a sale by getting it again."""
        adjusts = self.kinds.get("adjustment")
        return adjusts is not None and adjusts.restates_with_original

    def column_of(self, path_element: str, kind: RecordKind) -> str:
        """Return the first field whose path in the API's message ends with `path_element`, or "".

        The field of all custom variables is a beginning of names, and ends with a dot.
        """
        for name, path in self.kinds[kind].fields.items():
            if path.rpartition(".")[2] == path_element:
                return name.rstrip(".")
        return ""
