"""The decisions as controls of a form: what each may be, what it is, and what a change writes.

A form is sent as a whole. Only a control whose value differs from what the page shows is written,
so what nobody touches stays as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from itertools import groupby
from operator import attrgetter
from typing import Any, Final, Literal, NamedTuple

from lib.cli.header_words import DECIDES, likely_successor
from lib.cli.init.draft import KEYS, Draft, Value, read_constant, written
from lib.cli.init.look import OWN_LOOKS, Column
from lib.cli.init.questions import LOOK_BY_FIELD, Offer, Question, checked_column
from lib.cli.init.rows import ANY_ENTRY, OUT, UNDECIDED, Decider
from lib.config.profile import ACTION_DEFAULT
from lib.destinations.registry import capabilities_of, names
from lib.model.fields import CUSTOM_VARIABLE, base_name
from lib.model.money import ACCOUNT_CURRENCY
from lib.rules.fields import BY_NAME
from lib.rules.selection import ANY_OTHER

_FEW_VALUES: Final = 12
"""Of more values than these, a person decides about most at once."""
_MAX_VALUES: Final = 100
"""So many values of a column are shown, the most frequent ones; the others are decided together."""

_OF_REFUNDS: Final = "of refunds"
_MEANINGS: Final = (
    ("When", "conversion_date_time", "when the sale happened"),
    ("When", "time_of_day", "its time of day"),
    ("When", "time_zone", "the time zone of the row"),
    ("How much", "conversion_value", "value of the sale"),
    ("How much", "currency_code", "currency of the value"),
    ("Who", "email", "email address of the customer"),
    ("Who", "phone", "phone number of the customer"),
    ("Who", "first_name", "first name"),
    ("Who", "last_name", "last name"),
    ("Who", "postal_code", "postal code"),
    ("Who", "country_code", "country of phone or address"),
    ("Which click", "gclid", "Google click ID (gclid)"),
    ("Which click", "gbraid", "Google click ID of iOS (gbraid)"),
    ("Which click", "wbraid", "Google click ID of iOS (wbraid)"),
    ("Which order", "order_id", "order ID"),
    ("Which rows", DECIDES, "decides which rows count"),
    ("Consent", "ad_user_data", "consent to ads with their data"),
    ("Consent", "ad_personalization", "consent to personalized ads"),
    ("More", "conversion_action", "which conversion action"),
    (_OF_REFUNDS, "adjustment_date_time", "when the sale was refunded"),
    (_OF_REFUNDS, "adjusted_value", "new total of the sale"),
)
"""Group of meanings, field, and what its column is called. Those of refunds are asked for each kind
of refund."""
_NAMES: Final = {field: name for _, field, name in _MEANINGS}


@dataclass(frozen=True, slots=True)
class Control:
    """A menu, some choices, or a field to type into. `name` is its name in the form."""

    name: str
    label: str
    value: str
    write: Callable[[str], None]
    options: Sequence[Offer] = ()
    is_open: bool = False
    kind: Literal["menu", "choices", "text"] = "menu"
    key: str = ""
    """The key of the profile that is typed. The page has a list for some."""

    @property
    def groups(self) -> list[tuple[str, list[Offer]]]:
        """The options by group."""
        return [(name, [*each]) for name, each in groupby(self.options, attrgetter("group"))]


# ── the meanings of a column ─────────────────────────────────────────────────────────────────


def meaning_of(field: str) -> str:
    """Return what the column of a field is called: `feed_country_code` → `feed country code`."""
    base = base_name(field)
    if base == CUSTOM_VARIABLE:
        return f"custom variable {field.removeprefix(CUSTOM_VARIABLE)}"
    return _NAMES.get(base) or base.replace("_", " ")


def meanings_of(draft: Draft, column: Column) -> list[str]:
    """Return the fields that a column has for all entries, and `DECIDES`."""
    fields = [name for name in draft.profile.get("columns", {}) if draft.column(name) is column]
    return [*fields, *([DECIDES] if draft.decider(column.name) else [])]


def meaning_controls(draft: Draft, column: Column) -> Iterator[Control]:
    """Yield a menu for each meaning of a column, and one for another meaning."""
    meanings = meanings_of(draft, column)
    for number, meaning in enumerate([*meanings, ""]):
        label = f"{'It is also' if number else 'It is'}: {column.name}"
        write = partial(set_meaning, draft, column, meaning)
        offers = _meaning_offers(draft, meaning, is_first=not number)
        yield Control(f"column.{column.index}.{number}", label, meaning, write, offers)


def _meaning_offers(draft: Draft, current: str, *, is_first: bool) -> list[Offer]:
    """Return what the menu of a meaning offers. `current` is "" in the menu for one more, and
    `is_first` if the column has no other meaning."""
    none = "nothing else" if not (is_first or current) else "not used"
    base = base_name(current)
    offers = [offer for offer in _all_meanings() if offer.value != DECIDES or not draft.by_hand]
    if current and base not in {offer.value for offer in offers}:
        offers.append(Offer(current, meaning_of(current), group="More"))
    # The second email address of a file is an email address, too.
    return [Offer("", none), *(o._replace(value=current) if o.value == base else o for o in offers)]


@cache
def _all_meanings() -> list[Offer]:
    """Return what every column is offered to be, the frequent meanings first."""
    sent = {name for api in names() for name in capabilities_of(api).kinds["conversion"].fields}
    others = [
        name
        for name, field in BY_NAME.items()
        if "conversion" in field.record_kinds
        and (name in sent or field.only_helps)
        and name not in _NAMES
        # `email` and `phone` take digests too, and a custom variable needs its name.
        and not name.startswith(("hashed_", CUSTOM_VARIABLE))
    ]
    offers = [Offer(n, name, group=title) for title, n, name in _MEANINGS if title != _OF_REFUNDS]
    return [*offers, *(Offer(name, meaning_of(name), group="More") for name in others)]


def set_meaning(draft: Draft, column: Column, old: str, new: str) -> None:
    """Let a column mean something else, or nothing. Raises `WrongAnswer`."""
    if new and new != DECIDES:
        checked_column(new, column)
    decider = draft.decider(column.name)
    if old == DECIDES and decider is not None:
        draft.remove_decider(decider)
    elif old:
        draft.set_column(old, None)
    if new == DECIDES:
        gone = [each for each in draft.deciders if draft.column_named(each.name) is None]
        if gone:
            draft.rename_decider(gone[0], column.name)
        elif decider is None:
            draft.deciders.append(Decider(column.name))
    elif new:
        field = BY_NAME.get(new)
        draft.set_column(draft.free_name(new) if field and field.numbered else new, column)
        key = KEYS.get(new, new)
        if key in ("value", "ad_user_data", "action") and draft.profile.get(key) != ACTION_DEFAULT:
            draft.set_constant(key, None)


# ── the values of a column that decides ──────────────────────────────────────────────────────


class ValueRow(NamedTuple):
    """A value of a column that decides, the number of its rows, and the sum of their values."""

    text: str
    rows: int
    amount: float | None
    control: Control


def value_rows(draft: Draft, decider: Decider, *, is_edit: bool) -> list[ValueRow]:
    """Return the values of a column, and then all that are not in the table, which stand first if
    there are many. In an edit, the values that the profile does not know stand first."""
    values, place = draft.values_of(decider), draft.deciders.index(decider)

    def is_undecided(value: Value) -> bool:
        is_needed = value.rows > 0 and not value.is_left_out
        return is_needed and decider.fate_of(value.text) == UNDECIDED

    rows = []
    for number, value in enumerate(values[:_MAX_VALUES]):
        fate, is_open = decider.fates.get(value.text, UNDECIDED), is_undecided(value)
        none = "choose …"
        if value.is_left_out and not is_open:
            none = "not decided: another column leaves these rows out"
        if fate != decider.fate_of(value.text):
            none = "as any other value"
        offers = [Offer(UNDECIDED, none), *_fates(draft, decider)]
        write = partial(_set_fate, draft, decider, value.text)
        label = f"Rows with {written(value.text)} under {decider.name} are"
        name = f"value.{place}.{number}"
        control = Control(name, label, str(fate), write, offers, is_open)
        rows.append(ValueRow(written(value.text), value.rows, value.amount, control))
    at_once = _is_decided_at_once(draft, decider, values)
    is_open = any(map(is_undecided, values[_MAX_VALUES:]))
    control = _others_control(draft, decider, is_open=is_open, at_once=at_once)
    if is_edit:
        rows.sort(key=lambda row: not row.control.is_open)
    if not at_once and len(rows) <= _FEW_VALUES:
        return [*rows, ValueRow(written(ANY_OTHER), 0, None, control)]
    decided = {value for value, fate in decider.fates.items() if fate != UNDECIDED}
    others = sum(value.rows for value in values if value.text and value.text not in decided)
    return [ValueRow(written(ANY_OTHER), others, None, control), *rows]


def _is_decided_at_once(draft: Draft, decider: Decider, values: Sequence[Value]) -> bool:
    """Return whether nobody decides about each value of a column, such as a date of cancellation:
    its cells are nearly all of one row each, or it has more values than are shown."""
    rows = [value.rows for value in values if value.text and value.rows]
    column = draft.column_named(decider.name)
    is_own = 2 * len(rows) > sum(rows) or (column is not None and bool(column.looks & OWN_LOOKS))
    return len(rows) > _MAX_VALUES or (len(rows) > 2 and is_own)


def _others_control(draft: Draft, decider: Decider, *, is_open: bool, at_once: bool) -> Control:
    """Return what happens to a value that is not listed: it is left out, what the other columns
    say, or, if the profile says so already, sent. A filled cell may say what the row is if all
    values are decided `at_once`, or if it does so already; and it makes a sale of it only if no
    other column decides."""
    is_alone = len(draft.deciders) == 1
    fate: str | int = decider.fates.get(ANY_OTHER, UNDECIDED)
    if fate == UNDECIDED and decider.passes:
        fate = "sent"
    if not is_alone and len(draft.entries) == 1 and fate == 0:
        fate = ANY_ENTRY  # the only entry is what the other columns say
    none = "choose for all at once …" if at_once else "refused until you decide"
    offers = [Offer(UNDECIDED, none)]
    if fate == "sent":
        offers.append(Offer("sent", "sent, as so far"))  # can be kept, and not be chosen again
    if at_once or isinstance(fate, int):
        of_sales = {"new:conversion", *map(str, draft.sales)}
        offers += [
            offer
            for offer in _fates(draft, decider)
            if offer.value not in (ANY_ENTRY, OUT)
            and (is_alone or offer.value not in of_sales or offer.value == str(fate))
        ]
    if not is_alone:
        offers.append(Offer(ANY_ENTRY, "what the other columns say"))
    offers.append(Offer(OUT, "left out, and nobody is told"))

    def write(text: str) -> None:
        if text != "sent":
            decider.passes = False
            _set_fate(draft, decider, ANY_OTHER, text)

    name = f"others.{draft.deciders.index(decider)}"
    label = f"Rows with {written(ANY_OTHER)} under {decider.name} are"
    return Control(name, label, str(fate), write, offers, is_open)


_KINDS: Final = {
    "conversion": "a sale",
    "retraction": "a refund of the whole sale",
    "restatement": "a change: a column has the new total",
}
"""`send` of an entry → what its rows are."""


def _fates(draft: Draft, decider: Decider) -> list[Offer]:
    """Return what the rows with a value may be."""
    sends = [entry.get("send", "conversion") for entry in draft.entries]
    used = {fate for each in draft.deciders for fate in each.fates.values()}
    own = {fate for fate in decider.fates.values() if isinstance(fate, int)}
    offers = []
    for number, send in enumerate(sends):
        if number in own | draft.sales:  # Refunds of another column are that column's.
            known_as = draft.completed[number].action or draft.name_of(number)
            which = f" ({known_as})" if sends.count(send) > 1 else ""
            offers.append(Offer(str(number), f"{_KINDS.get(send, send)}{which}"))
    if not draft.sales or used & draft.sales:
        another = " of another action" if draft.sales else ""
        offers.append(Offer("new:conversion", f"a sale{another}"))
    for send, label in _KINDS.items():
        if send != "conversion" and send not in {sends[number] for number in own}:
            offers.append(Offer(f"new:{send}", label))
    if len(draft.deciders) > 1 and len(sends) > 1:
        offers.append(Offer(ANY_ENTRY, "what the other columns say"))
    return [*offers, Offer(OUT, "left out")]


def _set_fate(draft: Draft, decider: Decider, value: str, text: str) -> None:
    kind, _, send = text.partition(":")
    fate: Any = int(text) if text.isdecimal() else text
    if kind == "new":
        fate = len(draft.entries)
        draft.set_entries([*draft.entries, {} if send == "conversion" else {"send": send}])
    draft.set_fate(decider, value, fate)


def all_rows_control(draft: Draft) -> Control:
    """Return what the rows are if no column decides."""
    entry = draft.entries[0]
    value = entry.get("send", "conversion") if draft.says_what_is_sent else ""

    def write(text: str) -> None:
        """Let all rows be this. What their entry had before belongs to another kind: its columns,
        and the answers about it, are forgotten."""
        kept = {key: each for key, each in entry.items() if key not in ("send", "columns")}
        draft.set_entries([kept if text == "conversion" else {**kept, "send": text}])
        draft.answered = {(name, n) for name, n in draft.answered if n is None}
        draft.answered.add(("rows", None))

    offers = [Offer(send, f"Every row is {label}") for send, label in _KINDS.items()]
    label = "No column decides?"
    return Control("rows", label, value, write, offers, is_open=not value, kind="choices")


# ── columns that the profile names, and the file lacks ───────────────────────────────────────


class Gone(NamedTuple):
    """A column that the file lacks: its name so far, its menu, and its meaning. `successor` is the
    column that probably replaces it, or "". `is_repeated`: several columns have the name now."""

    name: str
    control: Control
    meaning: str
    successor: str
    is_repeated: bool


def gone_columns(draft: Draft) -> list[Gone]:
    """Return the columns that the file must have, and lacks. Another column replaces one by getting
    its meaning; the question of an entry asks for its own column again."""
    optional = draft.profile.get("optional", ())
    lacking = [
        (name, draft.column_names(name))
        for name in draft.profile.get("columns", {})
        if draft.column(name) is None and name not in optional
    ]
    for decider in draft.deciders:
        if draft.column_named(decider.name) is None and not draft.by_hand:
            lacking.append((DECIDES, [decider.name]))
    return [_gone_column(draft, n, field, names) for n, (field, names) in enumerate(lacking)]


def _gone_column(draft: Draft, number: int, field: str, names: Sequence[str]) -> Gone:
    meaning, name = base_name(field), " or ".join(names)
    look = LOOK_BY_FIELD.get(meaning)
    free = [
        each.name
        for each in draft.sample.columns
        if each.filled and not meanings_of(draft, each) and (not look or look in each.looks)
    ]
    offers = [Offer(field, meaning_of(field)), Offer("", "not used any more")]

    def write(text: str) -> None:
        decider = draft.decider(name)
        if field == DECIDES and decider is not None:
            draft.remove_decider(decider)
        else:
            draft.forget_names(field)

    control = Control(f"gone.{number}", f"It is: {name}", field, write, offers, is_open=True)
    is_repeated = any(map(draft.sample.repeats, names))
    return Gone(name, control, meaning, likely_successor(names, meaning, free), is_repeated)


# ── questions ────────────────────────────────────────────────────────────────────────────────


_OF_EMPTY_CELLS: Final = {
    "value": "refused",
    "currency_code": ACCOUNT_CURRENCY,
    "phone_region": "not known, so that a phone number without + is left out",
}
"""Keys that are also the value of empty cells → what these are without it."""


def question_controls(draft: Draft, question: Question) -> Iterator[Control]:
    """Yield the controls of a question: a menu of columns or choices, and a field to type into.

    The column that a field has for all entries is chosen in the table of columns. Beside it, the
    question is about its empty cells. An answer is replaced by another one, and never taken back.
    """
    column = draft.column(question.name, question.entry)
    constant = draft.constant(question.key, question.entry)
    is_open = question.is_open(draft)
    if question.entry is None:
        about_cells = _question_about_empty_cells(draft, question, column)
        if about_cells is None:
            return
        question = about_cells
    name, text = question.control, question.text
    offers = [
        Offer(f"v{n}", choice.label, question.reading(draft, choice) or choice.note, "No column")
        for n, choice in enumerate(question.choices)
    ]
    chosen = next(
        (f"v{n}" for n, each in enumerate(question.choices) if each.value == constant), ""
    )
    has_menu = question.entry is not None and question.key != "action"
    is_typed = constant is not None and not chosen and not is_open and not (has_menu and column)

    def write(text: str) -> None:
        if text.startswith("c"):
            index = int(text.removeprefix("c"))
            (answer,) = (each for each in draft.sample.columns if each.index == index)
            question.write(draft, answer)
        elif text:
            question.write(draft, question.choices[int(text.removeprefix("v"))].value)

    def write_typed(text: str) -> None:
        if text.strip():
            destination = draft.profile.get("destination")
            question.write(draft, read_constant(question.key, text.strip(), destination))

    value = "" if is_open else chosen
    if has_menu:
        none = Offer("", "as typed below" if is_typed else "choose …")
        value = f"c{column.index}" if column and not is_open else value
        options = [none, *_columns(draft, question), *offers]
        yield Control(name, text, value, write, options, is_open)
    elif offers:
        yield Control(name, text, value, write, offers, is_open, kind="choices")
    if question.typed:
        is_alone = not has_menu and not offers
        yield Control(
            f"{name}.text",
            f"{text} Write {question.typed}."
            if is_alone
            else f"{question.title}: or {question.typed}",
            str(constant) if is_typed else "",
            write_typed,
            is_open=is_open and is_alone,
            kind="text",
            key=question.key,
        )


def _question_about_empty_cells(
    draft: Draft, question: Question, column: Column | None
) -> Question | None:
    """Return the question about the empty cells of a field's column, or the question itself if no
    column has the field. None: there is nothing to ask."""
    if column is None:
        # A column that has another name now is asked about in the table.
        return None if draft.column_names(question.name) else question
    using = {n for n in range(len(draft.entries)) if draft.column(question.name, n) is column}
    has_empty = any(n in using and not cell for n, cell in draft.numbered_cells(column))
    is_answered = draft.constant(question.key, question.entry) is not None
    if question.key not in _OF_EMPTY_CELLS or not (has_empty or is_answered):
        return None
    return replace(
        question,
        text=f"{question.title}: an empty cell of “{column.name}” is",
        choices=[Offer(None, _OF_EMPTY_CELLS[question.key]), *question.choices],
        # Only `value` has choices, and a profile refuses a number of it beside a column of values.
        typed="" if question.choices else question.typed,
    )


def _columns(draft: Draft, question: Question) -> list[Offer]:
    """Return the columns that can be the answer, each with a cell, or with the number of the sales
    of this file that it names."""
    columns = [
        each for each in draft.sample.columns if each.may_be(LOOK_BY_FIELD.get(question.name))
    ]
    notes = ["".join(draft.samples(each)[:1]) for each in columns]
    if question.name == "order_id":
        named = draft.column("order_id")
        cells = draft.numbered_cells(named) if named else []
        sales = {cell for number, cell in cells if cell and number in draft.sales}
        notes = []
        for each in columns:
            own = [cell for n, cell in draft.numbered_cells(each) if n == question.entry]
            found = sum(cell in sales for cell in own)
            notes.append(f"{found} of {len(own)} name a sale of this file" if found else "")
    return [
        Offer(f"c{each.index}", each.name, note, "Columns")
        for each, note in zip(columns, notes, strict=True)
    ]
