"""A person on the page of `init`, without a browser: what they choose, by the words of the page."""

from __future__ import annotations

import json
from copy import deepcopy
from datetime import UTC, datetime
from pathlib import Path
from socketserver import BaseServer
from typing import Any

from lib.cli.init.controls import Control
from lib.cli.init.document import Document
from lib.cli.init.draft import Draft
from lib.cli.init.page import Page
from lib.cli.init.questions import answer_as_saved
from lib.cli.init.server import Session
from lib.config.profile import Profile

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def interrupt(self: BaseServer, poll_interval: float) -> None:
    """Stand for `BaseServer.serve_forever`: nobody comes, and then Ctrl-C is pressed."""
    raise KeyboardInterrupt


class Person:
    """Answers on the page. Each answer is a change of the form, as the browser sends it."""

    def __init__(self, file: Path, profiles: Path, name: str = "default", **keys: Any) -> None:
        document = Document(profiles, name)
        existing = document.profile()
        draft = Draft(name, file, {**deepcopy(document.written_profile or {}), **keys})
        if existing:
            answer_as_saved(draft)
        self.session = Session(draft, document, NOW)
        self._profiles = profiles

    @property
    def page(self) -> Page:
        """The page as it is now."""
        return self.session.page()

    @property
    def html(self) -> str:
        """The page as the browser gets it."""
        return self.page.render(token="", revision=1, problem="")

    def press(self, name: str, value: str) -> None:
        """Change a control of the form."""
        self.session.change({name: value})

    def mean(self, column: str, meaning: str) -> None:
        """Choose what a column means."""
        row = next(row for row in self.page.columns if row.name == column)
        self.press(row.menus[-1].name, meaning)

    def decide(self, column: str, **fates: str) -> None:
        """Choose what the rows with these values are, by the beginning of the words."""
        for value, fate in fates.items():
            self.choose(self.value(column, value), fate)

    def value(self, column: str, value: str) -> Control:
        """The control of a value of a column that decides."""
        rows = self.page.deciders[column]
        return next(row.control for row in rows if row.text == value)

    def choose(self, control: Control, label: str) -> None:
        """Choose an option by its words."""
        options = [o for o in control.options if o.label == label]
        options = options or [o for o in control.options if o.label.startswith(label)]
        assert options, (control.label, label, control.options)
        self.press(control.name, options[0].value)

    def answer(self, name: str, text: str, entry: int | None = None) -> None:
        """Answer a question: by the words of an option, or by what is typed."""
        place = f"q.{name}" if entry is None else f"q.{entry}.{name}"
        controls = self.page.controls
        if place in controls:
            control = controls[place]
            if any(text in (o.label, o.value) for o in control.options):
                self.choose(control, text)
                return
        self.press(f"{place}.text", text)

    def refused(self) -> str:
        """Why the last answer was refused, or ""."""
        return " ".join(text for _, text in self.session.errors.values())

    def open(self) -> list[str]:
        """What is not answered yet."""
        return [text for text, _ in self.page.open]

    def save(self) -> dict[str, Any]:
        """Save, and return the profile. It is valid."""
        self.session.save()
        document = json.loads(self._profiles.read_text("utf-8"))
        profile: dict[str, Any] = document[self.session.draft.name]
        Profile.model_validate(profile)
        return profile


def person_with(folder: Path, content: str, **keys: Any) -> Person:
    """Return a person with this file, and no profile yet."""
    (folder / "deals.csv").write_text(content, "utf-8")
    return Person(folder / "deals.csv", folder / "profiles.json", **keys)
