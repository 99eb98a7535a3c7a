"""The capabilities that a destination declares."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from lib.model.adjustment_types import AdjustmentType
from lib.model.fields import RecordKind


@dataclass(frozen=True, slots=True)
class Exclusion:
    """Values that the API refuses in one record: one of `values` together with one of `beside`.

    Both contain attribute names of the record. `user_identifiers` means hashed email addresses and
    phone numbers. A row with both is rejected with `code`, and the error names `column`.
    """

    values: frozenset[str]
    beside: frozenset[str]
    code: str
    column: str


@dataclass(frozen=True, slots=True)
class CheckSchedule:
    """When to query what an API reports later about an upload.

    The first check takes place after `first_wait`. Each further wait is `backoff` times as long as
    the previous one, up to `longest_wait`. No check takes place later than `stop_after` after the
    upload.
    """

    first_wait: timedelta
    backoff: float
    longest_wait: timedelta
    stop_after: timedelta

    def next_check(self, sent_at: datetime, checks: int) -> datetime | None:
        """Return the time of the next check after `checks` checks, or None if there is no other."""
        waited = wait = self.first_wait
        for _ in range(checks):
            wait = min(wait * self.backoff, self.longest_wait)
            waited += wait
            if waited > self.stop_after:
                return None
        return sent_at + waited


@dataclass(frozen=True, slots=True, kw_only=True)
class KindCapabilities:
    """What an API can send of one kind of record."""

    fields: Mapping[str, str]
    """The declared fields that it can send → path in the API's own message for this kind."""
    identifying: frozenset[str]
    """Record attributes by which it finds what the record is about. A record needs one."""
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
    fields: Mapping[str, str]
    """The declared fields of conversions that it can send → path in the API's own message. A known
    column that is not listed gets a note in the results."""
    identifying: frozenset[str]
    """Record attributes by which it identifies a click or a person. A record needs one."""
    max_user_identifiers: int
    """Maximum number of user identifiers in one record, including a postal address."""
    max_request_rows: int
    resolves_custom_variables: bool
    """Whether custom variables are sent with an ID that must be looked up."""
    has_queries: bool = False
    """Whether it answers queries about its accounts. Otherwise another API is asked, which the
    credentials may not be allowed to use: so the name of a conversion action may not do."""
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
    """How it writes an order ID. An adjustment must name it like this, whoever sends it."""
    other_kinds: Mapping[RecordKind, KindCapabilities] = field(default_factory=dict)
    """What it can send of other records than conversions. A kind that is missing cannot be sent."""

    @property
    def record_kinds(self) -> frozenset[RecordKind]:
        """The kinds of record that it can send."""
        return frozenset({"conversion", *self.other_kinds})

    def adjusts(self, types: Set[AdjustmentType]) -> bool:
        """Return whether it can send adjustments of all of these types."""
        adjustments = self.other_kinds.get("adjustment")
        return adjustments is not None and types <= adjustments.adjustment_types

    def for_tags(self) -> Capabilities:
        """Return what it can do for conversions of a website's tag: the order ID is the tag's."""
        fields = {name: path for name, path in self.fields.items() if name != "event_source"}
        return replace(self, fields=fields, sent_order_id=str)

    def of_kind(self, kind: RecordKind) -> KindCapabilities | None:
        """Return what it can send of a kind of record, or None if it cannot send this kind."""
        of_conversions = KindCapabilities(fields=self.fields, identifying=self.identifying)
        return {"conversion": of_conversions, **self.other_kinds}.get(kind)

    @property
    def last_value_counts(self) -> bool:
        """Whether the API compares no times: it adjusts a sale by getting it again."""
        adjusts = self.of_kind("adjustment")
        return adjusts is not None and adjusts.restates_with_original

    def column_of(self, path_element: str, kind: RecordKind = "conversion") -> str:
        """Return the field whose path in the API's message ends with `path_element`, or ""."""
        known = self.of_kind(kind)
        for name, path in known.fields.items() if known else ():
            if path.rpartition(".")[2] == path_element:
                return name.rstrip(".")
        return ""
