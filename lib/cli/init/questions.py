"""The decisions of a profile: one table, in the order in which they are asked and shown.

The rows come before the columns, because an order ID is judged by the rows that are sales.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final, Literal

from lib.cli.escaping import on_terminal
from lib.cli.init.asking import Offer, cell, choose, samples_of
from lib.cli.init.draft import KEYS, Draft, read_constant, why_no_name
from lib.cli.init.look import Column, Look, WrongAnswer, has_look
from lib.cli.init.rows import ask_left_out, ask_rows, entries_as_text, skipped_values
from lib.config.expect import FORMS
from lib.config.profile import ACTION_DEFAULT, Profile
from lib.destinations import registry
from lib.rules.fields import is_field
from lib.rules.values.cells import RuleError
from lib.rules.values.dates import Moment, at_end_of_day, read_moment
from lib.rules.values.money import parse_value, written_currencies
from lib.rules.values.order_ids import without_zero
from lib.rules.values.phones import normalize_phone

_OPTIONS: Final = {"currency_code": "currency"}
"""Key of the profile → its option, if it has another name."""


@dataclass(frozen=True, slots=True)
class Question:
    """A decision. `name` is a field, a key of the profile, or both: its answer is the name of a
    column, or a value. `typed` is what may be typed besides a number and a column's name.
    """

    name: str
    title: str
    text: str = ""
    look: Look | None = None
    """Columns with such cells are offered, and columns without any are refused."""
    choices: Sequence[Offer] = ()
    typed: str = ""
    example: Callable[[Draft], str] | None = None
    """Returns a cell that makes the question necessary. None: every file needs it."""
    means: Callable[[str, Any], str] | None = None
    """Returns what the example is with an answer."""
    is_optional: bool = False
    """A script need not answer it, and a person is only asked if a column looks like an answer."""
    of: Literal["file", "conversion", "correction"] = "file"
    """It is asked once, or for each entry of this kind."""
    entry: int | None = None
    asked_by: Callable[[Draft], None] | None = None
    """What asks it if the answer is neither a column nor a value."""
    shown_by: Callable[[Draft], list[str]] | None = None
    """What returns such an answer for the screen."""

    @property
    def id(self) -> tuple[str, int | None]:
        """What `Draft.answered` has of it."""
        return self.name, self.entry

    @property
    def key(self) -> str:
        """The key of the profile for an answer that is no column."""
        return KEYS.get(self.name, self.name)

    @property
    def option(self) -> str:
        """The option for a value, with what it takes; "" if the answer is always a column."""
        if self.key not in Profile.model_fields or self.asked_by:
            return ""
        values = "|".join(str(choice.value or "none") for choice in self.choices)
        name = _OPTIONS.get(self.key, self.key).replace("_", "-")
        return f"--{name} {'VALUE' if self.typed else values}"

    @property
    def options(self) -> str:
        """What a script gives instead of an answer."""
        if self.asked_by:
            return "--rows COLUMN=VALUE or --rows all"
        column = f"--column {self.name}=NAME" if is_field(self.name) else ""
        return " or ".join(filter(None, (column, self.option)))

    def is_needed(self, draft: Draft) -> bool:
        """Return whether this file, with the answers so far, needs it."""
        is_answered = self.key in draft.profile or draft.column(self.name) is not None
        return is_answered or self.example is None or bool(self.example(draft))

    def is_open(self, draft: Draft) -> bool:
        """Return whether it must be asked: also if another API does not take its answer."""
        if self.id in draft.answered:
            action = draft.constant("action", self.entry) if self.key == "action" else None
            return bool(action and why_no_name(draft.profile.get("destination"), action))
        # An optional question waits until another answer frees a column.
        return not self.is_optional or self.asked_by is not None or bool(self.columns(draft))

    def columns(self, draft: Draft) -> list[Column]:
        """Return the columns that look like an answer, in the file's order.

        Entries may have a column that the profile has for another field, such as one time.
        """
        others = [name for name in draft.profile.get("columns", {}) if name != self.name]
        used = [draft.column(name) for name in others if self.entry is None]
        columns = [column for column in draft.sample.columns if column not in used]
        if self.name == "order_id":
            sales = draft.sales
            return [column for column in columns if draft.as_sent(column, sales).could_be_ids]
        return [column for column in columns if self.look in column.looks]

    def ask(self, draft: Draft) -> None:
        """Ask, and write the answer."""
        if self.asked_by is not None:
            self.asked_by(draft)
        else:
            names = ["the name of a column"] if is_field(self.name) else []
            possible = ", or ".join([self.typed, *names] if self.typed else names)
            offers = [*self._of_columns(draft), *self._of_values(draft)]
            self.write(draft, choose(self.text, offers, possible, partial(self._read, draft)))
        draft.answered.add(self.id)

    def _of_columns(self, draft: Draft) -> Iterator[Offer]:
        for column in self.columns(draft):
            shown = column if self.entry is None else draft.as_sent(column, {self.entry})
            differing = f"  {draft.differing(column)}" if self.name == "order_id" else ""
            yield Offer(column, on_terminal(column.name), f"{samples_of(shown)}{differing}")

    def _of_values(self, draft: Draft) -> Iterator[Offer]:
        example = self.example(draft) if self.example else ""
        for choice in self.choices:
            note = choice.note
            if example and self.means:
                note = f"{cell(example)} → {cell(self.means(example, choice.value))}"
            yield choice._replace(note=note)

    def _read(self, draft: Draft, text: str) -> Any:
        """Return the column of this name, or the value that is typed. Raises `WrongAnswer`."""
        no_column = ""
        if is_field(self.name) and not text.startswith("="):
            try:
                return self.checked(draft.sample.column(text))
            except WrongAnswer as error:
                if not self.typed:
                    raise
                no_column = f"{error} " if self.look else ""
        value = text.removeprefix("=").strip()
        try:
            return read_constant(self.key, value, draft.profile.get("destination"))
        except WrongAnswer as error:
            raise WrongAnswer(f"{no_column}{error}") from None

    def checked(self, column: Column) -> Column:
        """Return the column. Raises `WrongAnswer` if no cell of it can be what the field needs."""
        if self.look is not None and not column.may_be(self.look):
            raise WrongAnswer(f'No cell of "{column.name}" can be read as: {self.look}.')
        return column

    def write(self, draft: Draft, answer: Any) -> None:
        """Write a column, a value, or None into the profile, or into the entry."""
        level = draft.level(self.entry)
        column = answer if isinstance(answer, Column) else None
        if self.name == "adjusted_value":
            level["send"] = "restatement" if column else "retraction"
        has_column = bool(draft.column_names(self.name, self.entry))
        if column is not None and self.name in level.get("columns", {}):
            is_same = column == draft.column(self.name, self.entry)
        else:
            is_same = not has_column and answer == draft.constant(self.key, self.entry)
        if is_same:
            return  # The other names of the column stay, and no other question comes again.
        if column is None or not has_column:  # Beside a column, a value is that of empty cells.
            draft.set_constant(self.key, None if column else answer, self.entry)
        if is_field(self.name):
            draft.set_column(self.name, column, self.entry)


def questions(draft: Draft) -> Iterator[Question]:
    """Yield the questions that this file needs, after the answers so far."""
    for question in QUESTIONS:
        entries: Sequence[int | None] = [None]
        if question.of == "conversion":
            entries = draft.conversions or [None] * (question.name == "conversion_action")
        elif question.of == "correction":
            entries = draft.corrections
        elif question.name == "currency_code":
            entries = [None, *draft.of_own_currency]
        for entry in entries if question.is_needed(draft) else ():
            name = "" if entry is None else draft.name_of(entry)
            title = f"{question.title} ({name})" if name else question.title
            text = question.text.format(which=f'"{name}"' if name else "a sale")
            yield replace(question, title=title, text=text, entry=entry)


# ── cells that can be read in several ways ───────────────────────────────────────────────────


def _first(fields: Sequence[str], is_unclear: Callable[[str], object]) -> Callable[[Draft], str]:
    """Return what finds the first unclear cell in the columns of these fields, or ""."""

    def example(draft: Draft) -> str:
        return next(filter(is_unclear, draft.cells(*fields)), "")

    return example


def _refused(
    fields: Sequence[str], code: str, read: Callable[[str], object]
) -> Callable[[Draft], str]:
    """Return what finds the first cell that `read` refuses with this code, or ""."""

    def is_unclear(text: str) -> bool:
        try:
            read(text)
        except RuleError as error:
            return error.code == code
        return False

    return _first(fields, is_unclear)


def _read_in_any_order(text: str) -> Moment:
    """Read a time without a zone, whatever the order of day and month is."""
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


def _whole_amount(draft: Draft) -> str:
    """Return an amount if none has a decimal sign: they may be cents. Otherwise ""."""
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
_BY_PERSON: Final[Sequence[tuple[str, str, Look]]] = (
    ("gclid", "click ID (gclid)", "click ID"),
    ("gbraid", "click ID (gbraid)", "click ID"),
    ("wbraid", "click ID (wbraid)", "click ID"),
    ("email", "email address", "email address"),
    ("phone", "phone number", "phone number"),
)
"""What Google finds a click or a person by."""


def _apis() -> Iterator[Offer]:
    for name in registry.names():
        can = registry.capabilities_of(name)
        note = f"only if yes: {can.open_if}" if can.open_if else "if not, or if you do not know"
        yield Offer(name, can.title, note)


QUESTIONS: Final = (
    Question("rows", "Rows", asked_by=ask_rows, shown_by=entries_as_text),
    Question("skip", "Left out", is_optional=True, asked_by=ask_left_out, shown_by=skipped_values),
    Question(
        "conversion_date_time",
        "Time",
        "Which column says when {which} happened?",
        look="date or time",
        of="conversion",
    ),
    Question(
        "conversion_value",
        "Value",
        "Which column has the value of {which}?",
        look="amount",
        choices=[Offer(ACTION_DEFAULT, "none: the value that the action has in Google Ads")],
        typed="one value for all, such as =50",
        of="conversion",
    ),
    Question(
        "time_of_day",
        "Time of day",
        "Some dates have no time of day. Does another column have it?",
        look="time of day",
        choices=[Offer(None, "no")],
        example=_first(["conversion_date_time"], at_end_of_day),
        is_optional=True,
    ),
    Question(
        "adjusted_value",
        "New value",
        "{which}: is the sale refunded completely, or is there a column with its new value?",
        look="amount",
        choices=[Offer(None, "refunded completely: the sale no longer counts")],
        of="correction",
    ),
    Question(
        "adjustment_date_time",
        "Time of change",
        "{which}: which column says when the sale was refunded or changed?",
        look="date or time",
        of="correction",
    ),
    Question(
        "currency_code",
        "Currency",
        "In which currency is the value of {which}?",
        look="currency",
        typed="the code of one for all, such as EUR",
        example=_first([*_VALUES, "value"], _lacks_currency),
    ),
    Question(
        "order_id",
        "Order ID",
        "Which column has the order ID, the number that no two sales share?",
        choices=[Offer(None, "none", "an ID is derived from person or click, time and value")],
    ),
    *(
        Question(
            name,
            f"{title[0].upper()}{title[1:]}",
            f"Which column has the {title}?",
            look,
            choices=[Offer(None, "none")],
            is_optional=True,
        )
        for name, title, look in _BY_PERSON
    ),
    Question(
        "date_order",
        "Date order",
        "How are dates written?",
        choices=[Offer("DMY", "day first"), Offer("MDY", "month first")],
        example=_refused(_TIMES, "DATE_ORDER_UNDECLARED", lambda text: read_moment(text, UTC)),
        means=lambda text, order: long_time(read_moment(text, UTC, order).text).partition(",")[0],
    ),
    Question(
        "decimal_sign",
        "Decimal sign",
        "What is the decimal sign?",
        choices=[Offer(".", "a point"), Offer(",", "a comma")],
        example=_refused(_VALUES, "DECIMAL_SIGN_UNDECLARED", lambda text: parse_value(text, None)),
        means=lambda text, sign: f"{parse_value(text, sign):,.2f}",
    ),
    Question(
        "value_scale",
        "Scale of values",
        "Are the values whole units, or cents?",
        choices=[Offer(1, "whole units"), Offer(0.01, "cents")],
        example=_whole_amount,
        means=lambda text, scale: f"{float(text) * scale:,.2f}",
    ),
    Question(
        "order_ids",
        "Order IDs",
        "Order IDs end in .0. Is it a part of them?",
        choices=[Offer("integer", "no"), Offer("keep", "yes")],
        example=_first(["order_id"], lambda text: without_zero(text) != text),
        means=lambda text, order_ids: without_zero(text) if order_ids == "integer" else text,
    ),
    Question(
        "time_zone",
        "Time zone",
        "In which time zone are the times?",
        typed="a zone such as Europe/Berlin, or UTC",
        example=_refused(_TIMES, "DATE_WITHOUT_ZONE", _read_in_any_order),
    ),
    Question(
        "country_code",
        "Country of phones",
        "From which country are phone numbers without +?",
        look="country or calling code",
        typed="its two letters, such as DE",
        example=_refused(
            ["phone"], "PHONE_REGION_MISSING", lambda text: normalize_phone(text, None)
        ),
    ),
    Question(
        "ad_user_data",
        "Consent",
        "What did people answer when they were asked for consent to ads with their data?",
        look="yes or no",
        choices=[
            Offer("GRANTED", "no column: all people agreed"),
            Offer("DENIED", "no column: all people refused"),
            Offer(None, "no column: nobody was asked, so nothing is stated"),
        ],
    ),
    Question(
        "destination",
        "Sent by",
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
        "Which conversion action in Google Ads counts {which}?\n"
        "Open it in Google Ads: its ID is in the address of the page, after ctId=.",
        typed="its ID (for the Google Ads API, also its name)",
        of="conversion",
    ),
    Question("expect", "Files come", "When do files come?", typed=FORMS),
)
