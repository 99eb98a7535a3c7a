"""What the page of `init` shows: the decisions as controls, and what Google would get."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from operator import attrgetter
from pathlib import Path
from typing import Any, Final, NamedTuple
from zoneinfo import available_timezones

from jinja2 import ChoiceLoader, FileSystemLoader
from markupsafe import Markup

from lib.cli.header_words import DECIDES, rules_out, suggests, time_of_sale
from lib.cli.init import forecast
from lib.cli.init.controls import (
    Control,
    Gone,
    ValueRow,
    all_rows_control,
    gone_columns,
    meaning_controls,
    meaning_of,
    meanings_of,
    question_controls,
    value_rows,
)
from lib.cli.init.document import changes
from lib.cli.init.draft import Draft
from lib.cli.init.look import MAX_ROWS, Column
from lib.cli.init.questions import LOOK_BY_FIELD, Question, needed_questions
from lib.cli.init.trial import Trial
from lib.config.profile import identifies
from lib.destinations.registry import capabilities_of, names
from lib.results.page import TEMPLATES
from lib.rules.values.countries import country_names
from lib.rules.values.currencies import CURRENCY_NAMES

_FOLDER: Final = Path(__file__).parent / "templates"
_SUGGESTED: Final = (
    *("gclid", "gbraid", "wbraid", "email", "phone", "order_id", "currency_code"),
    *(DECIDES, "ad_user_data", "conversion_date_time", "conversion_value", "country_code"),
)
"""What is suggested, the surest first."""
_BY_CELLS: Final = {"gclid", "email", "currency_code", "conversion_date_time", "conversion_value"}
"""What cells suggest without the help of a name."""
_TITLES: Final = {"cells": "How cells are written", "file": "Consent, account and schedule"}


class ColumnRow(NamedTuple):
    """A column with its menus. `suggestion` is a value of the last menu, and `uses` is what only
    some rows use it for. One that the file lacks has no cells, and one whose name the file has
    several times has no menu."""

    name: str
    menus: Sequence[Control]
    suggestion: str = ""
    samples: Sequence[str] = ()
    different: int = 0
    uses: Sequence[str] = ()
    is_repeated: bool = False


@dataclass(slots=True)
class Page:
    """The page for a draft. `saved`: the profile in the document, if it is there already."""

    draft: Draft
    trial: Trial | None
    saved: Mapping[str, Any] | None
    errors: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """Control → what was typed, and why it was refused."""
    controls: dict[str, Control] = field(default_factory=dict, init=False)
    gone: list[Gone] = field(init=False)
    columns: list[ColumnRow] = field(init=False)
    deciders: dict[str, list[ValueRow]] = field(init=False)
    """Column that decides → its values."""
    all_rows: Control | None = field(init=False)
    sections: dict[str, list[Control]] = field(init=False)
    """Title → the questions below it."""
    open: list[tuple[str, str]] = field(init=False)
    """What must be decided before the profile can be saved, and the ID of the place where it is."""

    def __post_init__(self) -> None:
        draft = self.draft
        draft.select_rows()
        self.gone = gone_columns(draft)
        self.columns = [
            ColumnRow(gone.name, [gone.control], is_repeated=gone.is_repeated) for gone in self.gone
        ]
        in_file = sorted((*draft.sample.columns, *draft.sample.repeated), key=attrgetter("index"))
        self.columns += map(self._row, in_file)
        self.deciders = {
            decider.name: value_rows(draft, decider, is_edit=self.is_edit)
            for decider in draft.deciders
            if draft.column_named(decider.name) is not None and not draft.by_hand
        }
        self.all_rows = None if draft.deciders or draft.by_hand else all_rows_control(draft)
        asked = [*needed_questions(draft)]
        self.sections = self._sections(asked)
        controls = [  # Those of entries come first: a value can change the numbers of entries.
            *(control for section in self.sections.values() for control in section),
            *(menu for column in self.columns for menu in column.menus),
            *(row.control for rows in self.deciders.values() for row in rows),
            *filter(None, [self.all_rows]),
        ]
        self.controls = {control.name: control for control in controls}
        self.open = [*self._open_items(asked)]

    @property
    def is_edit(self) -> bool:
        """Whether the document has the profile already."""
        return self.saved is not None

    # ── columns ──

    def _row(self, column: Column) -> ColumnRow:
        draft = self.draft
        samples, different = draft.samples(column), len({*column.filled})
        if draft.sample.repeats(column.name):
            return ColumnRow(column.name, [], "", samples, different, is_repeated=True)
        uses = [
            f"{meaning_of(name)} ({draft.name_of(number)})"
            for number, entry in enumerate(draft.entries)
            for name in entry.get("columns", ())
            if draft.column(name, number) is column
        ]
        if draft.column("ad_user_data") is column:
            uses.append(forecast.answers_in(draft, column))
        suggestion = "" if meanings_of(draft, column) or uses else self._suggested(column)
        menus = [*meaning_controls(draft, column)]
        return ColumnRow(column.name, menus, suggestion, samples, different, uses)

    def _suggested(self, column: Column) -> str:
        """Return the field that a column probably is. "": none.

        What replaces a lost column comes first. Of the fields that neither a column nor a constant
        of the profile gives yet, it is the one that its name and its cells suggest, or its cells
        alone, if no other column of the file has such cells.
        """
        draft = self.draft
        for gone in self.gone:
            if gone.successor == column.name:
                return gone.meaning
        of_gone = {gone.meaning for gone in self.gone}
        for name in _SUGGESTED:
            is_taken = name in of_gone or draft.column_names(name) or name in draft.profile
            if is_taken or not _fits(column, name):
                continue
            if name == DECIDES and draft.by_hand:
                continue
            alike = [each for each in draft.sample.columns if _fits(each, name)]
            is_named = suggests(column.name, name)
            if name == "conversion_date_time":
                is_named = column.name == time_of_sale([each.name for each in alike])
            if is_named or (alike == [column] and _says_it(column, name)):
                return name
        return ""

    # ── what is sent ──

    def _sections(self, asked: Sequence[Question]) -> dict[str, list[Control]]:
        """Return the questions about each kind of row that is sent, and then all others.

        Those about rows are not shown before something says which rows are sent. One that is about
        rows, but about no entry, stands with the first sales.
        """
        draft, sections = self.draft, dict[str, list[Control]]()
        for question in asked:
            title = _TITLES.get(question.of, "") if question.entry is None else ""
            if not title:
                number = question.entry
                number = min(draft.sales, default=0) if number is None else number
                kind = forecast.noun_of_entry(draft, number).capitalize()
                title = f"{kind}: {draft.name_of(number)}" if draft.says_what_is_sent else ""
            sections.setdefault(title, []).extend(question_controls(draft, question))
        sections.pop("", None)
        last = {title: sections.pop(title, []) for title in _TITLES.values()}
        return {title: controls for title, controls in (sections | last).items() if controls}

    # ── what is open, and what would happen ──

    def _open_items(self, asked: Sequence[Question]) -> Iterator[tuple[str, str]]:
        """Yield what is open, and the name of the control that decides it."""
        draft = self.draft
        for gone in self.gone:
            problem = "repeated" if gone.is_repeated else "gone"
            yield f"“{gone.name}” is {problem}", gone.control.name
        if self.all_rows and self.all_rows.is_open:
            yield "Which rows count", "rows"
        for name, rows in self.deciders.items():
            if undecided := [row.control.name for row in rows if row.control.is_open]:
                yield f"“{name}”: {len(undecided)} to decide", undecided[0]
        for question in asked:
            if question.is_open(draft):
                # Its menu, or its field if it is only typed, or the table if a column answers it.
                names = (question.control, f"{question.control}.text", "columns")
                anchor = next(each for each in names if each in self.controls or each == "columns")
                yield question.title, anchor
        if draft.sales and not _identifies_sales(draft):
            yield "A click ID, an email address or a phone number", "columns"

    @property
    def can_save(self) -> bool:
        """Whether the profile can be saved."""
        return not self.open and self.trial is not None and not self.trial.stop

    def render(self, **content: Any) -> str:
        """Return the page as HTML. Everything that comes from the file is escaped. `content` is
        what the server adds: its token, the revision of the draft and what went wrong."""
        draft, trial = self.draft, self.trial
        if trial is not None and not trial.stop:
            content |= {
                "sent": [*forecast.sent_lines(draft, trial)],
                "others": [*forecast.other_lines(draft, trial)],
                "remarks": [*forecast.remarks(draft, trial)],
                "samples": [(row.line, forecast.cells_of(row, draft)) for row in trial.samples()],
            }
        rendered = _template("init.html").render(
            page=self,
            draft=draft,
            changes=changes(self.saved or {}, draft.document()),
            meaning_of=meaning_of,
            most_rows=MAX_ROWS,
            lists=_lists(draft),
            **content,
        )
        return str(rendered)


def render_message(title: str, text: str, tone: str = "red") -> str:
    """Return a page that says one thing."""
    return str(_template("message.html").render(title=title, text=text, tone=tone))


def _identifies_sales(draft: Draft) -> bool:
    """Return whether Google can find the clicks or people of sales by some column, or the callers
    of calls. Without a destination, one that can is enough."""
    destination = draft.profile.get("destination")
    apis = map(capabilities_of, [destination] if destination else names())
    kinds = (can for api in apis for kind, can in api.kinds.items() if kind != "adjustment")
    return any(identifies(draft.fields, can) for can in kinds)


def _fits(column: Column, field: str) -> bool:
    """Return whether most filled cells of a column look like those of a field, or like IDs if the
    field has no look. For DECIDES: whether they could be stages."""
    if field == DECIDES:
        return column.could_be_stages
    look = LOOK_BY_FIELD.get(field)
    return bool(column.filled) and (look in column.looks if look else column.could_be_ids)


def _says_it(column: Column, field: str) -> bool:
    """Return whether cells alone say that a column is this: they look like nothing else."""
    is_plain = field in _BY_CELLS and column.looks == {LOOK_BY_FIELD[field]}
    is_id = column.could_be_ids and field != "gclid"
    return is_plain and not is_id and not rules_out(column.name, field)


@cache
def _template(name: str) -> Any:
    """Return a template. Beside the style of the reports, it has one of its own."""
    own = FileSystemLoader(_FOLDER)
    pages = TEMPLATES.overlay(loader=ChoiceLoader([own, TEMPLATES.loader or own]))
    style = Markup(TEMPLATES.globals["style"]) + Markup((_FOLDER / "init.css").read_text("utf-8"))
    script = Markup((_FOLDER / "init.js").read_text("utf-8"))
    return pages.get_template(name, globals={"style": style, "script": script})


def _lists(draft: Draft) -> dict[str, list[tuple[str, str]]]:
    """Return what may be typed for some keys of the profile: (value, what it is)."""
    zone = draft.profile.get("time_zone") or "America/New_York"
    days = (f"every {day} by 06:30 {zone}" for day in ("day", "weekday", "monday"))
    times = ("any time", *days, "every 3 hours")
    return {
        "time_zone": [(name, "") for name in _zones()],
        "phone_region": [*country_names().items()],
        "currency_code": [(code, name) for code, name in sorted(CURRENCY_NAMES.items())],
        "expect": [(text, "") for text in times],
    }


@cache
def _zones() -> list[str]:
    return [
        "UTC",
        *sorted(name for name in available_timezones() if "/" in name and name[:3] != "Etc"),
    ]
