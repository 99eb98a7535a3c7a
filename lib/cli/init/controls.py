"""The decisions as controls of a form: what each may be, what it is, and what a change writes.

A form is sent as a whole. Only a control whose value differs from what the page shows is written,
so what nobody touches stays as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, partial
from itertools import groupby
from operator import attrgetter
from typing import Any, Final, Literal, NamedTuple

from lib.catalogue.texts import first_sentence
from lib.cli.header_words import DECIDES, likely_successor
from lib.cli.init.draft import Draft, written
from lib.cli.init.look import OWN_LOOKS, Column
from lib.cli.init.questions import LOOKS, Offer, Question, checked_column
from lib.cli.init.rows import ANY_ENTRY, OUT, UNDECIDED, Decider, Fate, is_correction
from lib.config.profile import ACTION_DEFAULT, NEVER_OPTIONAL
from lib.destinations.registry import capabilities_of, names
from lib.model.fields import CUSTOM_VARIABLE, base_name, comparable
from lib.rules.fields import BY_NAME
from lib.rules.selection import ANY_OTHER

_MOST_VALUES: Final = 40
_FEWEST_MANY: Final = 12
_MOST_LISTED: Final = 500
"""So many values of a column with many are offered to search in."""
DATALISTS: Final = {
    "time_zone": "zones",
    "country_code": "countries",
    "currency_code": "currencies",
    "expect": "times",
}
"""Question → the list that helps to type its answer."""

MEANINGS: Final = {
    "conversion_date_time": "when the sale happened",
    "time_of_day": "its time of day",
    "time_zone": "the time zone of the row",
    "conversion_value": "value of the sale",
    "currency_code": "currency of the value",
    "email": "email address of the customer",
    "phone": "phone number of the customer",
    "first_name": "first name",
    "last_name": "last name",
    "postal_code": "postal code",
    "country_code": "country of phone or address",
    "gclid": "Google click ID (gclid)",
    "gbraid": "Google click ID of iOS (gbraid)",
    "wbraid": "Google click ID of iOS (wbraid)",
    "order_id": "order ID",
    DECIDES: "decides which rows count",
    "ad_user_data": "consent to ads with their data",
    "ad_personalization": "consent to personalized ads",
    "conversion_action": "which conversion action",
    "adjustment_date_time": "when the sale was refunded",
    "adjusted_value": "new total of the sale",
}
"""Field → what its column is called on the page."""
_GROUPS: Final = {
    "When": ("conversion_date_time", "time_of_day", "time_zone"),
    "How much": ("conversion_value", "currency_code"),
    "Who": ("email", "phone", "first_name", "last_name", "postal_code", "country_code"),
    "Which click": ("gclid", "gbraid", "wbraid"),
    "Which order": ("order_id",),
    "Which rows": (DECIDES,),
    "Consent": ("ad_user_data", "ad_personalization"),
}


@dataclass(frozen=True, slots=True)
class Control:
    """A menu, some choices, or a field to type into. `name` is its name in the form."""

    name: str
    label: str
    kind: Literal["menu", "choices", "text"]
    value: str
    write: Callable[[str], None]
    options: Sequence[Offer] = ()
    hint: str = ""
    datalist: str = ""
    is_open: bool = False

    @property
    def groups(self) -> list[tuple[str, list[Offer]]]:
        """The options by group."""
        return [(name, [*each]) for name, each in groupby(self.options, attrgetter("group"))]


# ── the meanings of a column ─────────────────────────────────────────────────────────────────


def meaning_of(field: str) -> str:
    """Return what the column of a field is called."""
    base = base_name(field)
    if base in MEANINGS:
        return MEANINGS[base]
    if base == CUSTOM_VARIABLE:
        return f"custom variable {field.removeprefix(CUSTOM_VARIABLE)}"
    return first_sentence(BY_NAME[base].description)


def meanings_of(draft: Draft, column: Column) -> list[str]:
    """Return the fields that a column has for all entries, and `DECIDES`."""
    fields = [name for name in draft.profile.get("columns", {}) if draft.column(name) is column]
    return [*fields, *([DECIDES] if draft.decider(column.name) else [])]


def meaning_controls(draft: Draft, column: Column) -> Iterator[Control]:
    """Yield a menu for each meaning of a column, and one for another meaning."""
    meanings = meanings_of(draft, column)
    for number, meaning in enumerate([*meanings, ""]):
        yield Control(
            f"column.{column.index}.{number}",
            f"{'It is also' if number else 'It is'}: {column.name}",
            "menu",
            meaning,
            partial(set_meaning, draft, column, meaning),
            _meanings(draft, meaning, is_first=not number),
        )


def _meanings(draft: Draft, current: str, *, is_first: bool) -> list[Offer]:
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
    grouped = {name: title for title, fields in _GROUPS.items() for name in fields}
    sent = {name for api in names() for name in capabilities_of(api).fields}
    others = [
        name
        for name, field in BY_NAME.items()
        if "conversion" in field.record_kinds
        and (name in sent or field.only_helps)
        and not name.startswith(("hashed_", CUSTOM_VARIABLE))
    ]
    possible = dict.fromkeys((*grouped, *others))
    return [Offer(name, meaning_of(name), group=grouped.get(name, "More")) for name in possible]


def set_meaning(draft: Draft, column: Column, old: str, new: str) -> None:
    """Let a column mean something else, or nothing. Raises `WrongAnswer`."""
    if new and new != DECIDES:
        checked_column(new, column)
    if old == DECIDES:
        draft.remove_decider(column.name)
    elif old:
        draft.set_column(old, None)
    if new == DECIDES:
        draft.add_decider(column.name)
    elif new:
        field = BY_NAME.get(new)
        draft.set_column(draft.free_name(new) if field and field.numbered else new, column)
        for name, key in (("conversion_value", "value"), ("ad_user_data",) * 2):
            if new == name and draft.profile.get(key) != ACTION_DEFAULT:
                draft.set_constant(key, None)
        if new == "conversion_action":
            draft.set_constant("action", None)


# ── the values of a column that decides ──────────────────────────────────────────────────────


class ValueRow(NamedTuple):
    """A value of a column that decides. `control` is None if its fate was written by hand."""

    text: str
    rows: int
    amount: float | None
    control: Control | None
    fate: str
    is_new: bool
    """The profile does not know it, and the file has it."""


def value_rows(draft: Draft, decider: Decider, *, is_edit: bool) -> list[ValueRow]:
    """Return the values of a column with what they are, those to decide first."""
    values = draft.values_of(decider)
    if has_many(draft, decider):
        listed = [(v, n) for v, n in values if decider.listed(v) is not None or not v]
        rest = sum(n for v, n in values if v and decider.listed(v) is None)
        values = [*listed, (ANY_OTHER, rest)]
    sums, needless = draft.sums_of(decider), draft.left_out_elsewhere(decider)
    rows = []
    for number, (value, count) in enumerate(values):
        fate = decider.fate_of(value)
        listed_as = decider.listed(value)
        is_known = listed_as is not None and decider.fates[listed_as] != UNDECIDED
        is_needed = comparable(value) not in needless
        is_open = fate == UNDECIDED and count > 0 and is_needed and not draft.by_hand
        name = f"value.{draft.deciders.index(decider)}.{number}"
        control = Control(
            name,
            f"Rows with {_shown(value)} are",
            "menu",
            str(fate) if is_known else UNDECIDED,
            partial(_set_fate, draft, decider, value),
            _fates(draft, decider, value, is_known=is_known, is_needed=is_needed),
            is_open=is_open,
        )
        text = next((o.label for o in control.options if o.value == str(fate)), "as in the profile")
        amount = sums.get(comparable(value)) if value != ANY_OTHER else None
        rows.append(
            ValueRow(
                _shown(value), count, amount, None if draft.by_hand else control, text, is_open
            )
        )
    return sorted(rows, key=lambda row: not row.is_new) if is_edit else rows


def has_many(draft: Draft, decider: Decider) -> bool:
    """Return whether a column has so many values that only some are listed, such as a date of
    cancellation: it decides by whether a cell is filled, and by values that a person names."""
    values = [rows for value, rows in draft.values_of(decider) if value and rows]
    column = draft.column_named(decider.name)
    is_own = column is not None and (bool(column.looks & OWN_LOOKS) or column.could_be_ids)
    is_own = is_own or (len(values) > _FEWEST_MANY and 2 * len(values) > sum(values))
    return len(values) > _MOST_VALUES or (is_own and len(values) > 2)


def name_value_control(draft: Draft, decider: Decider) -> Control | None:
    """Return the field for one more value of a column with many."""
    if draft.by_hand or not has_many(draft, decider):
        return None
    place = draft.deciders.index(decider)

    def name_it(text: str) -> None:
        if text.strip() and decider.listed(text) is None:
            decider.fates = {text.strip(): UNDECIDED, **decider.fates}

    return Control(
        f"named.{place}",
        "Decide about one more value",
        "text",
        "",
        name_it,
        hint="as it is in the file",
        datalist=f"values.{place}",
    )


def searchable_values(draft: Draft) -> dict[str, list[tuple[str, str]]]:
    """Return the values of the columns with many."""
    return {
        f"values.{place}": [(value, "") for value, _ in draft.values_of(decider) if value][
            :_MOST_LISTED
        ]
        for place, decider in enumerate(draft.deciders)
        if has_many(draft, decider)
    }


def _shown(value: str) -> str:
    return "any other value" if value == ANY_OTHER else written(value)


def _fates(
    draft: Draft, decider: Decider, value: str, *, is_known: bool, is_needed: bool
) -> list[Offer]:
    """Return what the rows with a value may be."""
    implied: Fate = UNDECIDED if is_known else decider.fate_of(value)
    unlisted: dict[Fate, str] = {OUT: "left out, as any new value", UNDECIDED: "choose …"}
    if not is_needed:
        unlisted[UNDECIDED] = "left out by another column"
    offers = [Offer(UNDECIDED, unlisted.get(implied, "sent, as any value not listed"))]
    entries = draft.entries
    used = {fate for each in draft.deciders for fate in each.fates.values()}
    sales = [n for n, entry in enumerate(entries) if not is_correction(entry)]
    for number in sales:
        which = f" ({_sale(draft, number)})" if len(sales) > 1 else ""
        offers.append(Offer(str(number), f"a sale{which}"))
    own = {fate for fate in decider.fates.values() if isinstance(fate, int)}
    for number, entry in enumerate(entries):
        if number in own and is_correction(entry):
            offers.append(Offer(str(number), _correction(draft, number)))
    if not sales or used & {*sales}:
        another = " of another action" if sales else ""
        offers.append(Offer("new:conversion", f"a sale{another}"))
    sends = {entries[number].get("send") for number in own}
    offers += [Offer(f"new:{s}", label) for s, label in _CORRECTIONS.items() if s not in sends]
    if len(draft.deciders) > 1 and len(entries) > 1:
        offers.append(Offer(ANY_ENTRY, "what the other columns say"))
    offers.append(Offer(OUT, "left out"))
    return offers


_CORRECTIONS: Final = {
    "retraction": "a refund of the whole sale",
    "restatement": "a change: a column has the new total",
}


def _sale(draft: Draft, number: int) -> str:
    return str(draft.completed[number].action or draft.name_of(number))


def _correction(draft: Draft, number: int) -> str:
    send = draft.entries[number]["send"]
    same = [n for n in draft.corrections if draft.entries[n]["send"] == send]
    which = f" ({_sale(draft, number)})" if len(same) > 1 else ""
    return f"{_CORRECTIONS.get(send, 'an adjustment')}{which}"


def _set_fate(draft: Draft, decider: Decider, value: str, text: str) -> None:
    if text.startswith("new:"):
        send = text.removeprefix("new:")
        draft.set_fate(
            decider, value, draft.add_entry({} if send == "conversion" else {"send": send})
        )
    else:
        draft.set_fate(decider, value, int(text) if text.isdecimal() else text)  # type: ignore[arg-type]


def new_values_control(draft: Draft, decider: Decider) -> Control | None:
    """Return what happens to a value that no file had so far."""
    if draft.by_hand or has_many(draft, decider):
        return None
    value = "sent" if decider.passes and ANY_OTHER not in decider.fates else ""
    value = str(decider.fates.get(ANY_OTHER, value)) or value
    offers = [
        Offer("", "refused until you decide", "a report says so"),
        Offer(OUT, "left out", "and nobody is told"),
    ]
    if value not in ("", OUT):
        offers.append(Offer(value, "sent" if value == "sent" else "sent, as so far"))

    def write(text: str) -> None:
        if decider.passes:
            draft.stop_passing(decider)
        if text != "sent":
            draft.set_fate(decider, ANY_OTHER, text)  # type: ignore[arg-type]

    name = f"others.{draft.deciders.index(decider)}"
    return Control(
        name,
        "If a later file has a new value, its rows are",
        "choices",
        value,
        write,
        offers,
    )


def all_rows_control(draft: Draft) -> Control:
    """Return what the rows are if no column decides."""
    entry = draft.entries[0]
    value = entry.get("send", "conversion") if draft.is_about_rows else ""

    def write(text: str) -> None:
        kept = {key: each for key, each in entry.items() if key not in ("send", "columns")}
        draft.set_entries([kept if text == "conversion" else {**kept, "send": text}])
        draft.answered = {(name, n) for name, n in draft.answered if n is None}
        draft.answered.add(("rows", None))

    offers = [
        Offer("conversion", "Every row is a sale"),
        Offer("retraction", "Every row is a refund of a whole sale"),
        Offer("restatement", "Every row is a change: a column has the new total of the sale"),
    ]
    return Control(
        "rows",
        "No column decides?",
        "choices",
        value,
        write,
        offers,
        is_open=not value,
    )


# ── columns that the profile names, and the file lacks ───────────────────────────────────────


class Gone(NamedTuple):
    """A column that the file lacks. `likely`: what it is called now, probably."""

    names: str
    what: str
    control: Control
    likely: Offer | None
    """The option of the control."""
    decides: bool


def gone_columns(draft: Draft) -> Iterator[Gone]:
    """Yield each column that the file must have, and lacks."""
    for number, decider in enumerate(draft.deciders):
        if draft.column_named(decider.name) is None and not draft.by_hand:
            write = partial(_replace_decider, draft, decider)
            yield _gone(draft, f"gone.{number}", [decider.name], DECIDES, write)
    for entry in (None, *range(len(draft.entries))):
        optional = draft.profile.get("optional", ()) if entry is None else ()
        for name, listed in [*draft.level(entry).get("columns", {}).items()]:
            if listed and draft.column(name, entry) is None and name not in optional:
                write = partial(_replace_column, draft, name, entry)
                place = f"gone.{'' if entry is None else entry}.{name}"
                yield _gone(draft, place, draft.column_names(name, entry), name, write)


def _gone(
    draft: Draft, name: str, old: Sequence[str], meaning: str, write: Callable[[str], None]
) -> Gone:
    columns = [Offer(f"c{c.index}", c.name, group="It is now") for c in draft.sample.columns]
    look = LOOKS.get(base_name(meaning))
    fitting = (c for c in draft.sample.columns if c.filled and (look is None or c.may_be(look)))
    unused = [c.name for c in fitting if not meanings_of(draft, c)]
    near = likely_successor(old, base_name(meaning), unused)
    likely = next((offer for offer in columns if near and offer.label == near), None)
    offers = [Offer("remove", "No file has it any more", group="It is gone")]
    if meaning not in {DECIDES, *NEVER_OPTIONAL}:
        offers.append(Offer("optional", "Some files lack it", group="It is gone"))
    texts = " or ".join(old)
    options = [Offer("", "choose …"), *columns, *offers]
    control = Control(name, f"{texts} is", "menu", "", write, options, is_open=True)
    return Gone(texts, meaning_of(meaning), control, likely, meaning == DECIDES)


def _replace_decider(draft: Draft, decider: Decider, text: str) -> None:
    if text == "remove":
        draft.remove_decider(decider.name)
    else:
        draft.rename_decider(decider, _column_of(draft, text).name)


def _replace_column(draft: Draft, field: str, entry: int | None, text: str) -> None:
    if text == "optional":
        draft.set_optional(field, True)
    elif text == "remove":
        draft.forget_names(field, entry)
    else:
        draft.set_column(field, checked_column(field, _column_of(draft, text)), entry)


def _column_of(draft: Draft, text: str) -> Column:
    return next(column for column in draft.sample.columns if f"c{column.index}" == text)


# ── questions ────────────────────────────────────────────────────────────────────────────────


def question_controls(draft: Draft, question: Question) -> Iterator[Control]:
    """Yield the controls of a question: a menu of columns, its choices, and a field to type into.

    The column that a field has for all entries is chosen in the table of columns. Beside it, the
    choices and the field are about its empty cells.
    """
    place = "" if question.entry is None else f"{question.entry}."
    name, text = f"q.{place}{question.name}", question.text
    column = draft.column(question.name, question.entry)
    constant = draft.constant(question.key, question.entry)
    is_open = question.is_open(draft)
    choices = [
        Offer(f"v{n}", choice.label, question.meant(draft, choice) or choice.note, "No column")
        for n, choice in enumerate(question.choices)
    ]
    chosen = next((f"v{n}" for n, c in enumerate(question.choices) if c.value == constant), "")
    if is_open or (constant is None and question.id not in draft.answered):
        chosen = ""
    is_typed = constant is not None and not chosen and not is_open
    has_menu = question.entry is not None and question.key != "action"
    write = partial(_write_answer, draft, question)
    if has_menu:
        value = f"c{column.index}" if column and not is_open else chosen
        none = Offer("", f"{constant} for all" if is_typed and not column else "choose …")
        options = [none, *_columns(draft, question), *choices]
        yield Control(name, text, "menu", value, write, options, is_open=is_open)
    elif column is not None:
        if question.key not in _OF_EMPTY_CELLS or not _has_empty(draft, question, column):
            return
        text = f"{question.title}: an empty cell of “{column.name}” is"
        if choices:
            refused = Offer("", "refused", group="No column")
            yield Control(name, text, "choices", chosen, write, [refused, *choices])
            return
    elif choices:
        yield Control(name, text, "choices", chosen, write, choices, is_open=is_open)
    if question.typed:
        is_alone = not has_menu and not choices
        is_shown = is_typed and not (has_menu and column)
        yield Control(
            f"{name}.text",
            text if is_alone else f"or {question.typed}",
            "text",
            str(constant) if is_shown else "",
            partial(_write_text, draft, question),
            hint=question.typed if is_alone else "",
            datalist=DATALISTS.get(question.name, ""),
            is_open=is_open and is_alone,
        )


_OF_EMPTY_CELLS: Final = ("value", "currency_code", "phone_region")
"""Keys that are also the value of empty cells."""


def _has_empty(draft: Draft, question: Question, column: Column) -> bool:
    is_set = draft.constant(question.key, question.entry) is not None
    return is_set or not all(cell for _, cell in draft.numbered_cells(column))


def _columns(draft: Draft, question: Question) -> list[Offer]:
    """Return the columns with what they would mean, those that look right first."""
    sales = {cell for number, cell in _order_cells(draft) if number in draft.sales}
    names_sale = question.of == "correction" and question.name == "order_id"
    titles = ("Columns that look right", "Other columns")
    return [
        Offer(
            f"c{each.index}",
            each.name,
            _found_sales(draft, question.entry, sales, each)
            if names_sale
            else " · ".join(each.samples()[:1]),
            title,
        )
        for title, columns in zip(titles, question.offered(draft), strict=True)
        for each in columns
    ]


def _order_cells(draft: Draft) -> list[tuple[int, str]]:
    column = draft.column("order_id")
    return draft.numbered_cells(column) if column is not None else []


def _found_sales(draft: Draft, entry: int | None, sales: set[str], column: Column) -> str:
    """Return `3 of 4 are among the sales of this file`."""
    cells = [cell for number, cell in draft.numbered_cells(column) if number == entry]
    return f"{sum(cell in sales for cell in cells if cell)} of {len(cells)} are sales of this file"


def _write_answer(draft: Draft, question: Question, text: str) -> None:
    if not text:
        draft.unanswer(question.name, question.key, question.entry)
        return
    if text.startswith("c"):
        answer: Any = checked_column(question.name, _column_of(draft, text))
    else:
        answer = question.choices[int(text[1:])].value
    if question.entry is None and draft.column(question.name):  # of its empty cells
        draft.set_constant(question.key, answer)
    else:
        question.write(draft, answer)
    draft.answered.add(question.id)


def _write_text(draft: Draft, question: Question, text: str) -> None:
    if text.strip():
        answer = question.read(draft, text)
        if question.entry is None and draft.column(question.name):  # of its empty cells
            draft.set_constant(question.key, answer)
        else:
            question.write(draft, answer)
        draft.answered.add(question.id)
    else:
        draft.unanswer(question.name, question.key, question.entry)
