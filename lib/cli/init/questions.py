"""The decisions of a profile: one table, in the order in which they are asked and shown.

The rows come before the columns, because an order ID is judged by the rows that are sales.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final, Literal, NamedTuple

from lib.cli.escaping import on_terminal
from lib.cli.init.asking import Offer, cell, choose, samples_of
from lib.cli.init.draft import Draft, read_constant, refuse_name
from lib.cli.init.look import Column, Look, WrongAnswer
from lib.cli.init.rows import ask_left_out, ask_rows
from lib.config.expect import FORMS
from lib.config.profile import ACTION_DEFAULT, Profile
from lib.destinations import registry
from lib.rules.fields import is_field
from lib.rules.values.cells import RuleError
from lib.rules.values.dates import DateOrder, at_end_of_day, read_moment
from lib.rules.values.money import parse_value, written_currencies
from lib.rules.values.order_ids import without_zero
from lib.rules.values.phones import normalize_phone


class UnclearCells(NamedTuple):
    """The cells that make a question necessary: the unclear ones in the columns of these fields.

    `means` returns what such a cell is with an answer. `of`: any cell is unclear, or all are.
    """

    fields: Sequence[str]
    is_unclear: Callable[[str], object]
    means: Callable[[str, Any], str] | None = None
    of: Callable[[Iterable[object]], bool] = any

    def first(self, draft: Draft) -> str:
        """Return the first unclear cell, or ""."""
        cells = draft.cells(*self.fields)
        unclear = next(filter(self.is_unclear, cells), "")
        return unclear if self.of(map(self.is_unclear, cells)) else ""


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
    cells: UnclearCells | None = None
    is_optional: bool = False
    """A script need not answer it, and a person is only asked if a column looks like an answer."""
    of: Literal["file", "conversion", "correction"] = "file"
    """It is asked once, or for each entry of this kind."""
    entry: int | None = None
    asked_by: Callable[[Draft], None] | None = None
    """What asks it if the answer is neither a column nor a value."""

    @property
    def id(self) -> tuple[str, int | None]:
        """What `Draft.answered` has of it."""
        return self.name, self.entry

    @property
    def key(self) -> str:
        """The key of the profile for an answer that is no column."""
        return _KEYS.get(self.name, self.name)

    @property
    def option(self) -> str:
        """The option for a value, with what it takes; "" if the answer is always a column."""
        if self.key not in Profile.model_fields or self.asked_by:
            return ""
        values = (
            "VALUE" if self.typed else "|".join(str(each.value or "none") for each in self.choices)
        )
        return f"--{_OPTIONS.get(self.key, self.key).replace('_', '-')} {values}"

    @property
    def options(self) -> str:
        """What a script gives instead of an answer."""
        if self.asked_by:
            return "--rows COLUMN=VALUE or --rows all"
        column = f"--column {self.name}=NAME" if is_field(self.name) else ""
        return " or ".join(filter(None, (column, self.option)))

    def is_needed(self, draft: Draft) -> bool:
        """Return whether this file, with the answers so far, needs it."""
        if self.key in draft.profile or draft.column(self.name) is not None:
            return True
        if self.name == "encoding":
            return draft.sample.is_guessed
        if self.name == "value_currency":
            return bool(draft.of_one_value)
        return self.cells is None or bool(self.cells.first(draft))

    def is_open(self, draft: Draft) -> bool:
        """Return whether it must be asked: also if another API does not take its answer."""
        if self.key == "action" and (action := draft.constant("action", self.entry)):
            try:
                refuse_name(draft.profile.get("destination"), action)
            except WrongAnswer:
                return True
        if self.is_optional and not self.asked_by and not self.columns(draft):
            return False  # until another answer frees a column
        return self.id not in draft.answered

    def columns(self, draft: Draft) -> list[Column]:
        """Return the columns that look like an answer, in the file's order. Click IDs, and columns
        with empty cells, are the last ones for order IDs.

        Entries may have a column that the profile has for another field, such as one time.
        """
        others = [name for name in draft.profile.get("columns", {}) if name != self.name]
        used = [draft.column(name) for name in others if self.entry is None]
        columns = [each for each in draft.sample.columns if each not in used]
        if self.name != "order_id":
            return [each for each in columns if self.look in each.looks]
        cells_of = {c.name: [cell for _, cell in draft.cells_of_sales(c)] for c in columns}
        ids = [c for c in columns if c.could_be_ids([*filter(None, cells_of[c.name])])]
        return sorted(ids, key=lambda c: ("click ID" in c.looks, "" in cells_of[c.name]))

    def ask(self, draft: Draft) -> None:
        """Ask, and write the answer."""
        if self.asked_by is not None:
            self.asked_by(draft)
        else:
            offers = [*self._of_columns(draft), *self._of_values(draft)]
            if self.name == "adjusted_value":
                offers = [offers[-1], *offers[:-1]]
            names = ["the name of a column"] if is_field(self.name) else []
            possible = ", or ".join([*([self.typed] if self.typed else []), *names])
            text = self.text + (_decided_orders(draft) if self.name == "date_order" else "")
            now = None if self._has_column(draft) else draft.constant(self.key, self.entry)
            read = partial(self._read, draft)
            self.write(draft, choose(text, offers, possible, read, now))
        draft.answered.add(self.id)

    def _of_columns(self, draft: Draft) -> Iterator[Offer]:
        for column in self.columns(draft):
            shown = column if self.entry is None else draft.of_entry(column, self.entry)
            differing = f"  {draft.differing(column)}" if self.name == "order_id" else ""
            yield Offer(column, on_terminal(column.name), f"{samples_of(shown)}{differing}")

    def _of_values(self, draft: Draft) -> Iterator[Offer]:
        for choice in self.choices:
            if self.cells and self.cells.means and (sample := self.cells.first(draft)):
                meaning = cell(self.cells.means(sample, choice.value))
                yield choice._replace(note=f"{cell(sample)} → {meaning}")
            else:
                yield choice

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

    def _has_column(self, draft: Draft) -> bool:
        """Return whether the answer is a column: then a value is only that of its empty cells."""
        hidden = draft.hides_column(self.key, self.entry)
        return bool(draft.column_names(self.name, self.entry)) and not hidden

    def write(self, draft: Draft, answer: Any) -> None:
        """Write a column, a value, or None into the profile, or into the entry."""
        column, level = answer if isinstance(answer, Column) else None, draft.level(self.entry)
        if self.name == "adjusted_value" and level.get("send") != "adjustment":
            level["send"] = "restatement" if column else "retraction"
        has_column = self._has_column(draft)
        if column is not None and self.name in level.get("columns", {}):
            is_same = column == draft.column(self.name, self.entry)
        else:
            is_same = not has_column and answer == draft.constant(self.key, self.entry)
        if is_same:
            return  # The other names of the column stay, and no other question comes again.
        if column is None or not has_column:
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
        for entry in entries if question.is_needed(draft) else ():
            name = "" if entry is None else draft.name_of(entry)
            title = f"{question.title} ({name})" if name else question.title
            text = question.text.format(which=f'"{name}"' if name else "a sale")
            yield replace(question, title=title, text=text, entry=entry)


def _ask_value_currency(draft: Draft) -> None:
    """Ask in which currency the one value of an entry is."""
    values = " and ".join(
        f'{draft.level(entry)["value"]} ("{draft.name_of(entry)}")' for entry in draft.of_one_value
    )
    (column, *_) = draft.column_names("currency_code")
    code = choose(
        f"Which currency is meant by {values}?",
        [Offer(None, f"that of each row ({on_terminal(column)})")],
        "its code, such as EUR",
        lambda text: read_constant("currency_code", text, None),
    )
    draft.set_value_currency(code)


# ── cells that can be read in several ways ───────────────────────────────────────────────────


def _code(read: Callable[[str], object], text: str) -> str:
    """Return why a cell cannot be read, or ""."""
    try:
        read(text)
    except RuleError as error:
        return error.code
    return ""


def _has_unclear_order(text: str) -> bool:
    return _code(lambda each: read_moment(each, UTC), text) == "DATE_ORDER_UNDECLARED"


def _decided_orders(draft: Draft) -> str:
    """Return a line such as `11/13/2026 can only be month first.` for each order that a date of the
    file has for certain."""
    lines = ""
    orders: Sequence[tuple[DateOrder, str]] = (("DMY", "month first"), ("MDY", "day first"))
    for other, label in orders:
        for text in draft.cells(*_TIMES):
            if (
                _code(partial(read_moment, zone=UTC, date_order=other), text)
                == "DATE_ORDER_MISMATCH"
            ):
                lines += f"\n{cell(text)} can only be {label}."
                break
    return lines


def _lacks_zone(text: str) -> bool:
    order: Literal["MDY"] | None = "MDY" if _has_unclear_order(text) else None
    return _code(lambda each: read_moment(each, None, order), text) == "DATE_WITHOUT_ZONE"


def _lacks_sign(text: str) -> bool:
    return _code(lambda each: parse_value(each, None), text) == "DECIMAL_SIGN_UNDECLARED"


def _is_whole(text: str) -> bool | None:
    """Return whether an amount has only digits. None: it is no positive number."""
    try:
        return text.isdecimal() if parse_value(text, None) else None
    except RuleError as error:
        return False if error.code == "DECIMAL_SIGN_UNDECLARED" else None


def _lacks_region(text: str) -> bool:
    return _code(lambda each: normalize_phone(each, None), text) == "PHONE_REGION_MISSING"


def _lacks_currency(text: str) -> bool:
    try:
        return len(written_currencies(text)) != 1
    except RuleError:
        return False


def _has_zero(text: str) -> bool:
    return without_zero(text) != text


def _plain_id(text: str, order_ids: Any) -> str:
    return without_zero(text) if order_ids == "integer" else text


def _day(text: str, order: Any) -> str:
    return long_time(read_moment(text, UTC, order).text).partition(",")[0]


def long_time(text: str) -> str:
    """`2026-04-03 14:05:07+02:00` → `3 April 2026, 14:05:07 (+02:00)`."""
    time = datetime.fromisoformat(text)
    return f"{time.day} {time:%B %Y, %H:%M:%S} ({text[19:]})"


# ── the table ────────────────────────────────────────────────────────────────────────────────

ENCODINGS: Final = {
    "windows-1252": "Western Europe",
    "windows-1250": "Central Europe",
    "windows-1251": "Cyrillic",
    "shift_jis": "Japan",
    "gb18030": "China",
    "cp850": "old programs in Western Europe",
}
"""What spreadsheets and shops write besides Unicode, and where."""

_TIMES: Final = ("conversion_date_time", "adjustment_date_time")
_VALUES: Final = ("conversion_value", "adjusted_value")


_KEYS: Final = {
    "conversion_value": "value",
    "conversion_action": "action",
    "country_code": "phone_region",
}
"""Field → the key for one value of all rows, if it has another name."""
_OPTIONS: Final = {"currency_code": "currency"}
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
    Question(
        "encoding",
        "Encoding",
        "The file does not say how its letters are stored. Where does it come from?",
        choices=[Offer(name, name, where) for name, where in ENCODINGS.items()],
        typed="the name of its encoding",
    ),
    Question("rows", "Rows", asked_by=ask_rows),
    Question("skip", "Left out", is_optional=True, asked_by=ask_left_out),
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
        cells=UnclearCells(["conversion_date_time"], at_end_of_day),
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
        "In which currency are the values?",
        look="currency",
        typed="the code of one for all, such as EUR",
        cells=UnclearCells([*_VALUES, "value"], _lacks_currency),
    ),
    Question("value_currency", "Fixed value", is_optional=True, asked_by=_ask_value_currency),
    Question(
        "order_id",
        "Order ID",
        "Which column has the order ID, the number that no two sales share?",
        choices=[Offer(None, "none: an ID is derived from person or click, time and value")],
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
        cells=UnclearCells(_TIMES, _has_unclear_order, _day),
    ),
    Question(
        "decimal_sign",
        "Decimal sign",
        "What is the decimal sign?",
        choices=[Offer(".", "a point"), Offer(",", "a comma")],
        cells=UnclearCells(
            _VALUES, _lacks_sign, lambda text, sign: f"{parse_value(text, sign):,.2f}"
        ),
    ),
    Question(
        "value_scale",
        "Scale of values",
        "Are the values whole units, or cents?",
        choices=[Offer(1, "whole units"), Offer(0.01, "cents")],
        cells=UnclearCells(
            _VALUES,
            _is_whole,
            lambda text, by: f"{float(text) * by:,.2f}",
            lambda answers: all(each is not False for each in answers),
        ),
    ),
    Question(
        "order_ids",
        "Order IDs",
        "Order IDs end in .0. Is it a part of them?",
        choices=[Offer("integer", "no"), Offer("keep", "yes")],
        cells=UnclearCells(["order_id"], _has_zero, _plain_id),
    ),
    Question(
        "time_zone",
        "Time zone",
        "In which time zone are the times?",
        typed="a zone such as Europe/Berlin, or UTC",
        cells=UnclearCells(_TIMES, _lacks_zone),
    ),
    Question(
        "country_code",
        "Country of phones",
        "From which country are phone numbers without +?",
        look="country or calling code",
        typed="its two letters, such as DE",
        cells=UnclearCells(["phone"], _lacks_region),
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
