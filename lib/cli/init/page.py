"""What the page of `init` shows: the decisions as controls, and what Google would get."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple
from zoneinfo import available_timezones

from jinja2 import ChoiceLoader, FileSystemLoader
from markupsafe import Markup

from lib.cli.header_words import DECIDES, suggests
from lib.cli.init import account
from lib.cli.init.controls import (
    Control,
    Gone,
    ValueRow,
    all_rows_control,
    gone_columns,
    meaning_controls,
    meaning_of,
    meanings_of,
    name_value_control,
    new_values_control,
    question_controls,
    searchable_values,
    value_rows,
)
from lib.cli.init.document import Change, changes
from lib.cli.init.draft import Draft
from lib.cli.init.look import MOST_ROWS, Column
from lib.cli.init.questions import LOOKS, Question, questions
from lib.cli.init.trial import Trial
from lib.model.fields import comparable
from lib.results.page import PAGES
from lib.rules.values.countries import country_names
from lib.rules.values.currencies import CURRENCY_NAMES

_FOLDER: Final = Path(__file__).parent / "templates"
_SUGGESTED: Final = (
    *("gclid", "gbraid", "wbraid", "email", "phone", "order_id", "currency_code"),
    *(DECIDES, "ad_user_data", "conversion_date_time", "conversion_value", "country_code"),
)
"""What is suggested, the surest first."""
_BY_CELLS: Final = frozenset({"gclid", "email", "currency_code"})
"""What cells suggest without the help of a name."""
_FOUND_BY: Final = ("gclid", "gbraid", "wbraid", "email", "phone", "hashed_email")
_OF_CELLS: Final = (
    *("date_order", "decimal_sign", "value_scale", "order_ids", "time_zone", "country_code"),
)


class ColumnRow(NamedTuple):
    """A column of the file with its menus. `suggestion` is a value of the last menu."""

    name: str
    samples: Sequence[str]
    different: int
    filled: int
    menus: Sequence[Control]
    suggestion: str
    uses: Sequence[str]
    """What only some rows use it for."""


class Section(NamedTuple):
    """Some controls that belong together."""

    title: str
    controls: Sequence[Control]
    said: Sequence[str] = ()
    """What is decided elsewhere on the page."""


class DeciderTable(NamedTuple):
    """A column that decides, and its values."""

    name: str
    place: int
    rows: Sequence[ValueRow]
    new_values: Control | None
    name_value: Control | None


class Open(NamedTuple):
    """What nobody has decided yet. `anchor` is the ID of the place where it is decided."""

    text: str
    anchor: str


@dataclass(slots=True)
class Page:
    """The page for a draft. `saved`: the profile in the document, if it is there already."""

    draft: Draft
    trial: Trial | None
    saved: Mapping[str, Any] | None
    errors: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """Control → what was typed, and why it was refused."""
    controls: dict[str, Control] = field(default_factory=dict, init=False)
    columns: list[ColumnRow] = field(init=False)
    deciders: list[DeciderTable] = field(init=False)
    all_rows: Control | None = field(init=False)
    gone: list[Gone] = field(init=False)
    sent: list[Section] = field(init=False)
    cells: list[Control] = field(init=False)
    others: list[Control] = field(init=False)
    open: list[Open] = field(init=False)
    """What must be decided before the profile can be saved."""

    def __post_init__(self) -> None:
        draft = self.draft
        names = {comparable(column.name) for column in draft.sample.columns}
        self.gone = [*gone_columns(draft)]
        self.columns = [self._row(column) for column in draft.sample.columns]
        self.deciders = [
            DeciderTable(
                decider.name,
                place,
                value_rows(draft, decider, is_edit=self.is_edit),
                new_values_control(draft, decider),
                name_value_control(draft, decider),
            )
            for place, decider in enumerate(draft.deciders)
            if comparable(decider.name) in names
        ]
        self.all_rows = None if draft.deciders or draft.by_hand else all_rows_control(draft)
        asked = [q for q in questions(draft) if self._is_asked(q)]
        self.sent = self._sections(asked) if draft.is_about_rows else []
        flat = [q for q in asked if q.of == "file" and q.entry is None]
        self.cells = [c for q in flat if q.name in _OF_CELLS for c in question_controls(draft, q)]
        others = ("order_id", "currency_code", *_OF_CELLS)
        self.others = [c for q in flat if q.name not in others for c in question_controls(draft, q)]
        for control in self._all_controls():
            self.controls[control.name] = control
        self.open = [*self._open_items(asked)]

    def _all_controls(self) -> Iterator[Control]:
        for gone in self.gone:
            yield gone.control
        for column in self.columns:
            yield from column.menus
        for table in self.deciders:
            yield from (row.control for row in table.rows if row.control is not None)
            yield from filter(None, [table.new_values, table.name_value])
        yield from filter(None, [self.all_rows])
        for section in self.sent:
            yield from section.controls
        yield from self.cells
        yield from self.others

    @property
    def is_edit(self) -> bool:
        """Whether the document has the profile already."""
        return self.saved is not None

    # ── columns ──

    def _row(self, column: Column) -> ColumnRow:
        draft = self.draft
        shown = column
        if draft.is_about_rows and draft.sales:
            of_sales = draft.as_sent(column, draft.sales)
            shown = of_sales if of_sales.filled else column
        uses = [
            f"{meaning_of(name)} ({draft.name_of(number)})"
            for number, entry in enumerate(draft.entries)
            for name in entry.get("columns", ())
            if draft.column(name, number) is column
        ]
        suggestion = "" if meanings_of(draft, column) or uses else self._suggested(column)
        menus = [*meaning_controls(draft, column)]
        different, filled = len({*column.filled}), len(column.filled)
        return ColumnRow(column.name, shown.samples(), different, filled, menus, suggestion, uses)

    def _suggested(self, column: Column) -> str:
        """Return the field that the name and the cells of a column suggest, if no column has it."""
        draft = self.draft
        if any(gone.likely and gone.likely.label == column.name for gone in self.gone):
            return ""  # it is suggested there
        for name in _SUGGESTED:
            if name == DECIDES:
                if draft.by_hand or not column.has_few_values or not suggests(column.name, name):
                    continue
            elif draft.column_names(name) or name in draft.profile or not _fits(column, name):
                continue
            elif not suggests(column.name, name):
                others = (c for c in draft.sample.columns if _fits(c, name))
                if name not in _BY_CELLS or any(suggests(c.name, name) for c in others):
                    continue
            return name
        return ""

    # ── what is sent ──

    def _sections(self, asked: Sequence[Question]) -> list[Section]:
        """Return the questions about each kind of row that is sent."""
        draft, sections = self.draft, []
        entries = [*dict.fromkeys(q.entry for q in asked if q.of != "file" or q.entry is not None)]
        for entry in entries:
            number = entry if entry is not None else min(draft.sales, default=0)
            title = f"{account.kind_of(draft, number).capitalize()}: {draft.name_of(number)}"
            own = [q for q in asked if q.entry == entry and (q.of != "file" or entry is not None)]
            if entry is None:
                own += [
                    q for q in asked if q.entry is None and q.name in ("order_id", "currency_code")
                ]
            own.sort(key=lambda q: q.name == "conversion_action")
            said = [
                f"{q.title}: “{column.name}”"
                + (f", {draft.differing(column)}" if q.name == "order_id" else "")
                for q in own
                if entry is None and (column := draft.column(q.name)) is not None
            ]
            controls = [c for q in own for c in question_controls(draft, q)]
            sections.append(Section(title, controls, said))
        return sections

    def _is_asked(self, question: Question) -> bool:
        if question.name == "adjusted_value" and question.entry is not None:
            return self.draft.entries[question.entry].get("send") == "restatement"
        return True

    # ── what is open, and what would happen ──

    def _open_items(self, asked: Sequence[Question]) -> Iterator[Open]:
        draft = self.draft
        for gone in self.gone:
            yield Open(f"“{gone.names}” is gone", gone.control.name)
        if not draft.is_about_rows and not draft.deciders:
            yield Open("Which rows count", "rows")
        for table in self.deciders:
            undecided = [row.control for row in table.rows if row.is_new and row.control]
            if undecided:
                text = f"“{table.name}”: {len(undecided)} to decide"
                yield Open(text, undecided[0].name)
        for question in asked:
            if question.is_open(draft):
                place = "" if question.entry is None else f"{question.entry}."
                name = f"q.{place}{question.name}"
                anchors = (each for each in (name, f"{name}.text") if each in self.controls)
                yield Open(question.title, next(anchors, "columns"))
        levels = (draft.profile, *draft.entries)
        named = {name for level in levels for name in level.get("columns", ())}
        if draft.sales and not named & {*_FOUND_BY}:
            yield Open("A click ID, an email address or a phone number", "columns")

    @property
    def stop(self) -> str:
        """Why nothing can be saved although everything is decided, or ""."""
        return self.trial.stop if self.trial is not None and not self.open else ""

    @property
    def can_save(self) -> bool:
        """Whether the profile can be saved."""
        return not self.open and self.trial is not None and not self.trial.stop

    @property
    def changes(self) -> list[Change]:
        """What differs from the profile in the document."""
        return changes(self.saved or {}, self.draft.profile)

    def render(self, **content: Any) -> str:
        """Return the page as HTML. Everything that comes from the file is escaped."""
        draft, trial = self.draft, self.trial
        shown = trial is not None and not trial.stop
        rendered = _template("init.html").render(
            page=self,
            draft=draft,
            json=json.dumps(draft.document(), ensure_ascii=False, indent=2)
            if self.can_save
            else "",
            sent=[*account.sent_lines(draft, trial)] if trial and shown else [],
            others=[*account.other_lines(draft, trial)] if trial and shown else [],
            remarks=[*account.remarks(draft, trial)] if trial and shown else [],
            rows=[(row.line, account.cells_of(row, draft)) for row in trial.differing()]
            if trial and shown
            else [],
            meaning_of=meaning_of,
            most_rows=MOST_ROWS,
            lists={**_lists(draft), **searchable_values(draft)},
            **content,
        )
        return str(rendered)


def render_message(
    title: str, text: str, *, command: str = "", link: str = "", tone: str = "alarm"
) -> str:
    """Return a page that says one thing."""
    return str(
        _template("message.html").render(
            title=title, text=text, command=command, link=link, tone=tone
        )
    )


def _fits(column: Column, field: str) -> bool:
    """Return whether most cells of a column look like those of a field."""
    look = LOOKS.get(field)
    return bool(column.filled) and (look in column.looks if look else column.could_be_ids)


@cache
def _template(name: str) -> Any:
    """Return a template. Beside the style of the reports, it has one of its own."""
    pages = PAGES.overlay(
        loader=ChoiceLoader([FileSystemLoader(_FOLDER), PAGES.loader or FileSystemLoader(_FOLDER)])
    )
    style = Markup(PAGES.globals["style"]) + Markup((_FOLDER / "init.css").read_text("utf-8"))
    script = Markup((_FOLDER / "init.js").read_text("utf-8"))
    return pages.get_template(name, globals={"style": style, "script": script})


def _lists(draft: Draft) -> dict[str, list[tuple[str, str]]]:
    """Return what may be typed into some fields: (value, what it is)."""
    zone = draft.profile.get("time_zone") or "America/New_York"
    days = (f"every {day} by 06:30 {zone}" for day in ("day", "weekday", "monday"))
    times = ("any time", *days, "every 3 hours")
    return {
        "zones": [(name, "") for name in _zones()],
        "countries": [*country_names().items()],
        "currencies": [(code, name) for code, name in sorted(CURRENCY_NAMES.items())],
        "times": [(text, "") for text in times],
    }


@cache
def _zones() -> list[str]:
    return [
        "UTC",
        *sorted(name for name in available_timezones() if "/" in name and name[:3] != "Etc"),
    ]
