"""The decisions of a profile: one table. The page, its checks and the options are made of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from typing import Any, Final, Literal, NamedTuple

from lib.cli.init.draft import KEYS, Draft, why_no_name
from lib.cli.init.look import Column, Look, WrongAnswer, has_look
from lib.config.expect import FORMS
from lib.config.profile import ACTION_DEFAULT, Profile
from lib.destinations import registry
from lib.errors import RuleError
from lib.model.fields import base_name
from lib.model.money import ACCOUNT_CURRENCY
from lib.rules.fields import is_field
from lib.rules.values.dates import Moment, read_moment
from lib.rules.values.money import parse_value, written_currencies
from lib.rules.values.order_ids import without_zero
from lib.rules.values.phones import normalize_phone

_OPTIONS: Final = {"currency_code": "currency"}
"""Key of the profile → its option, if it has another name."""

LOOK_BY_FIELD: Final[Mapping[str, Look]] = {
    **dict.fromkeys(("conversion_date_time", "adjustment_date_time"), "date or time"),
    "time_of_day": "time of day",
    **dict.fromkeys(("conversion_value", "adjusted_value"), "amount"),
    "currency_code": "currency",
    "email": "email address",
    "phone": "phone number",
    "country_code": "country or calling code",
    **dict.fromkeys(("gclid", "gbraid", "wbraid"), "click ID"),
    "ad_user_data": "yes or no",
}
"""Field → what its cells look like. A column without any such cell is refused."""


def checked_column(field: str, column: Column) -> Column:
    """Return the column. Raises `WrongAnswer` if no cell of it can be what the field needs."""
    look = LOOK_BY_FIELD.get(base_name(field))
    if not column.may_be(look):
        otherwise = ""
        if field == "ad_user_data":
            otherwise = (
                " If it tells who refused, choose “decides which rows count”, and leave out these "
                "people."
            )
        raise WrongAnswer(f'No cell of "{column.name}" can be read as: {look}.{otherwise}')
    return column


class Offer(NamedTuple):
    """One of the answers to a question. `note` says more about it."""

    value: Any
    label: str
    note: str = ""
    group: str = ""
    """Offers of one group stand together, below its name."""


@dataclass(frozen=True, slots=True)
class Question:
    """A decision. `name` is a field, a key of the profile, or both: its answer is the name of a
    column, or a value. `typed` is what may be typed.
    """

    name: str
    title: str
    text: str
    choices: Sequence[Offer] = ()
    typed: str = ""
    example: Callable[[Draft], str] | None = None
    """Returns a cell that makes the question necessary. None: every file needs it."""
    means: Callable[[str, Any], str] | None = None
    """Returns what the example is with an answer."""
    of: Literal["conversion", "correction", "sale", "cells", "file"] = "file"
    """Where it is asked: for each entry of conversions or of corrections, or once, with the sales,
    with how cells are written, or with what all rows share."""
    entry: int | None = None

    @property
    def id(self) -> tuple[str, int | None]:
        """What `Draft.answered` has of it."""
        return self.name, self.entry

    @property
    def control(self) -> str:
        """The name of its control: `q.expect`, or `q.1.order_id` of an entry."""
        return f"q.{self.name}" if self.entry is None else f"q.{self.entry}.{self.name}"

    @property
    def key(self) -> str:
        """The key of the profile for an answer that is no column."""
        return KEYS.get(self.name, self.name)

    @property
    def option(self) -> str:
        """The option for a value, with what it takes (`--date-order DMY|MDY`); "" if the answer is
        always a column."""
        if self.key not in Profile.model_fields:
            return ""
        values = "|".join(str(choice.value or "none") for choice in self.choices)
        name = _OPTIONS.get(self.key, self.key).replace("_", "-")
        return f"--{name} {'VALUE' if self.typed else values}"

    @property
    def script_options(self) -> str:
        """What a script gives instead: `--column currency_code=NAME or --currency VALUE`."""
        column = f"--column {self.name}=NAME" if is_field(self.name) else ""
        return " or ".join(filter(None, (column, self.option)))

    def is_needed(self, draft: Draft) -> bool:
        """Return whether this file, with the answers so far, needs it."""
        is_answered = self.key in draft.profile or draft.column(self.name) is not None
        return is_answered or self.example is None or bool(self.example(draft))

    def is_open(self, draft: Draft) -> bool:
        """Return whether it must be answered: nobody has, the API does not take the name of the
        action, or the file lacks the column that its entry names."""
        if self.key == "action":
            action = draft.constant("action", self.entry)
            if action is not None and why_no_name(draft.profile.get("destination"), action):
                return True
        level = draft.keys_of(self.entry)
        if self.entry is not None and level.get("columns", {}).get(self.name):
            return draft.column(self.name, self.entry) is None
        return (
            self.id not in draft.answered
            and self.name not in level.get("columns", {})
            and self.key not in level
        )

    def reading(self, draft: Draft, choice: Offer) -> str:
        """Return `03/04/2026 → 3 April 2026`: a cell of this file, and what it is then."""
        example = self.example(draft) if self.example else ""
        return f"{example} → {self.means(example, choice.value)}" if example and self.means else ""

    def write(self, draft: Draft, answer: Any) -> None:
        """Write a column, a value, or None into the profile, or into the entry."""
        column = answer if isinstance(answer, Column) else None
        draft.set_constant(self.key, None if column else answer, self.entry)
        of_empty_cells = column is None and self.entry is None and draft.column(self.name)
        if is_field(self.name) and not of_empty_cells:
            draft.set_column(self.name, column, self.entry)
        draft.answered.add(self.id)


def answer_as_saved(draft: Draft) -> None:
    """Take all questions as answered by the saved profile: what it leaves out was decided too.
    Which rows are sent is no `Question`."""
    draft.answered |= {("rows", None), *(question.id for question in needed_questions(draft))}


def needed_questions(draft: Draft) -> Iterator[Question]:
    """Yield the questions that this file needs, after the answers so far."""
    for question in QUESTIONS:
        entries: Sequence[int | None] = [None]
        if question.of == "conversion":
            entries = draft.conversions
            if question.name == "conversion_action":
                entries = [*(entries or [None]), *_of_other_actions(draft)]
        elif question.of == "correction":
            entries = draft.corrections
            if question.name == "adjusted_value":
                entries = [n for n in entries if draft.entries[n]["send"] == "restatement"]
        elif question.name == "currency_code":
            entries = [None, *draft.of_own_currency]
        elif question.of == "sale" and not draft.conversions:
            entries = []  # its order ID is asked for each kind of refund
        for entry in entries if question.is_needed(draft) else ():
            name = "" if entry is None else draft.name_of(entry)
            title = f"{question.title} ({name})" if name else question.title
            text = question.text.format(which=f'"{name}"' if name else "a sale")
            choices = question.choices
            # With a currency of the profile, none of its own would mean that one.
            is_of_entry = entry is not None and question.name == "currency_code"
            if is_of_entry and "currency_code" not in draft.profile:
                choices = [Offer(None, ACCOUNT_CURRENCY)]
            yield replace(question, title=title, text=text, entry=entry, choices=choices)


def _of_other_actions(draft: Draft) -> list[int]:
    """Return the corrections whose sales may be of several actions, or have an action already."""
    actions = {draft.constant("action", n) for n in draft.conversions}
    own = [n for n in draft.corrections if "action" in draft.entries[n]]
    return draft.corrections if len(actions) > 1 else own


# ── cells that can be read in several ways ───────────────────────────────────────────────────


def _first_cell_that(
    fields: Sequence[str], is_unclear: Callable[[str], object]
) -> Callable[[Draft], str]:
    """Return what finds the first unclear cell in the columns of these fields, or ""."""

    def example(draft: Draft) -> str:
        return next(filter(is_unclear, draft.cells(*fields)), "")

    return example


def _first_cell_refused(
    fields: Sequence[str], code: str, read: Callable[[str], object]
) -> Callable[[Draft], str]:
    """Return what finds the first cell that `read` refuses with this code, or ""."""

    @cache
    def is_unclear(text: str) -> bool:
        try:
            read(text)
        except RuleError as error:
            return error.code == code
        return False

    return _first_cell_that(fields, is_unclear)


def _read_in_any_order(text: str) -> Moment:
    """Read a time, whatever the order of its day and month is. One that needs the zone of the file
    raises DATE_WITHOUT_ZONE."""
    try:
        return read_moment(text, None)
    except RuleError as error:
        if error.code != "DATE_ORDER_UNDECLARED":
            raise
    return read_moment(text, None, "MDY")


def _lacks_currency(text: str) -> bool:
    try:
        return len(written_currencies(text)) != 1
    except RuleError:
        return False


def _amount_maybe_in_cents(draft: Draft) -> str:
    """Return an amount if all positive ones are plain digits: they may be cents. Otherwise ""."""
    amounts = [text for text in draft.cells(*_VALUES) if has_look(text, "amount")]
    positive = [text for text in amounts if not text.startswith("-")]
    return positive[0] if positive and all(map(str.isdecimal, positive)) else ""


def long_time(text: str) -> str:
    """`2026-04-03 14:05:07+02:00` → `3 April 2026, 14:05:07 (+02:00)`."""
    time = datetime.fromisoformat(text)
    return f"{time.day} {time:%B %Y, %H:%M:%S} ({text[19:]})"


# ── the table ────────────────────────────────────────────────────────────────────────────────

_TIMES: Final = ("conversion_date_time", "adjustment_date_time")
_VALUES: Final = ("conversion_value", "adjusted_value")


def _apis() -> Iterator[Offer]:
    for name in registry.names():
        can = registry.capabilities_of(name)
        note = f"only if yes: {can.open_if}" if can.open_if else "if not, or if you do not know"
        yield Offer(name, can.title, note)


QUESTIONS: Final = (
    Question(
        "conversion_date_time",
        "When it happened",
        "Which column says when {which} happened?",
        of="conversion",
    ),
    Question(
        "conversion_value",
        "Value",
        "What is the value of {which}?",
        choices=[Offer(ACTION_DEFAULT, "the value that the action has in Google Ads")],
        typed="one value for all, such as 50",
        of="conversion",
    ),
    Question(
        "adjusted_value",
        "New total",
        "{which}: which column has the new total of the sale, after the change?",
        of="correction",
    ),
    Question(
        "adjustment_date_time",
        "When it was refunded",
        "{which}: which column says when the sale was refunded or changed?",
        of="correction",
    ),
    Question(
        "order_id",
        "Which sale",
        "{which}: which column names the sale that is refunded or changed?",
        choices=[Offer(None, "none: the row repeats the click ID and time of the sale")],
        of="correction",
    ),
    Question(
        "currency_code",
        "Currency",
        "In which currency is the value of {which}?",
        typed="the code of one for all, such as EUR",
        of="sale",
        example=_first_cell_that([*_VALUES, "value"], _lacks_currency),
    ),
    Question(
        "order_id",
        "Order ID",
        "Which column has the order ID, the number that no two sales share?",
        choices=[
            Offer(None, "there is none", "one is derived from person or click, time and value")
        ],
        of="sale",
    ),
    Question(
        "date_order",
        "Date order",
        "How are dates written?",
        of="cells",
        choices=[Offer("DMY", "day first"), Offer("MDY", "month first")],
        example=_first_cell_refused(
            _TIMES, "DATE_ORDER_UNDECLARED", lambda text: read_moment(text, UTC)
        ),
        means=lambda text, order: long_time(read_moment(text, UTC, order).text).partition(",")[0],
    ),
    Question(
        "decimal_sign",
        "Decimal sign",
        "What is the decimal sign?",
        of="cells",
        choices=[Offer(".", "a point"), Offer(",", "a comma")],
        example=_first_cell_refused(
            _VALUES, "DECIMAL_SIGN_UNDECLARED", lambda text: parse_value(text, None)
        ),
        means=lambda text, sign: f"{parse_value(text, sign):,.2f}",
    ),
    Question(
        "value_scale",
        "Scale of values",
        "Are the values whole units, or cents?",
        of="cells",
        choices=[Offer(1, "whole units"), Offer(0.01, "cents")],
        example=_amount_maybe_in_cents,
        means=lambda text, scale: f"{float(text) * scale:,.2f}",
    ),
    Question(
        "order_ids",
        "Order IDs",
        "Order IDs end in .0. Keep it, or drop it?",
        of="cells",
        choices=[Offer("integer", "no"), Offer("keep", "yes")],
        example=_first_cell_that(["order_id"], lambda text: without_zero(text) != text),
        means=lambda text, order_ids: without_zero(text) if order_ids == "integer" else text,
    ),
    Question(
        "time_zone",
        "Time zone",
        "In which time zone are the times of the file?",
        typed="a zone such as Europe/Berlin, or UTC",
        of="cells",
        example=_first_cell_refused(_TIMES, "DATE_WITHOUT_ZONE", _read_in_any_order),
    ),
    Question(
        "country_code",
        "Country of phones",
        "From which country are phone numbers without +?",
        typed="its two letters, such as DE",
        of="cells",
        example=_first_cell_refused(
            ["phone", "phone_2"], "PHONE_REGION_MISSING", lambda text: normalize_phone(text, None)
        ),
    ),
    Question(
        "ad_user_data",
        "Consent",
        "What did people answer when they were asked for consent to ads with their data?",
        choices=[
            Offer("GRANTED", "all people in this file agreed"),
            Offer("DENIED", "all people in this file refused"),
            Offer(None, "nobody was asked, so nothing is stated"),
        ],
    ),
    Question(
        "destination",
        "Google's API",
        "Which of Google's APIs receives the conversions?",
        choices=[*_apis()],
    ),
    Question(
        "customer_id",
        "Account",
        "Which Google Ads account receives the conversions?",
        typed="its ten digits, such as 123-456-7890",
    ),
    Question(
        "conversion_action",
        "Action",
        "Which conversion action in Google Ads counts {which}? Open it in Google Ads: its ID is in "
        "the address of the page, after ctId=.",
        typed="its ID (for the Google Ads API, also its name)",
        of="conversion",
    ),
    Question("expect", "When files come", "When do files come?", typed=FORMS),
)
