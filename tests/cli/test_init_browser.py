"""The page of `init` in a real browser: from an export to a profile, and who can use it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from axe_playwright_python.base import AXE_FILE_PATH
from playwright.sync_api import Browser, Page

from lib.cli.init.server import Server
from tests.cli.person import Person, person_with
from tests.cli.test_init import DEALS, saved
from tests.cli.test_init_existing import SALES, reopen
from tests.cli.test_init_page import ANSWERS, REFUNDS, answer
from tests.results.test_browser import violations

AT_REST = "form:not([aria-busy]), main > .headline"


class Screen:
    """The page on a screen. `wrong` is what must not happen: other requests, errors, dialogs."""

    def __init__(self, page: Page, address: str) -> None:
        self.page = page
        self.wrong: list[str] = []
        home = address.partition("?")[0]
        page.on(
            "request", lambda one: None if one.url.startswith(home) else self.wrong.append(one.url)
        )
        page.on("dialog", lambda one: (self.wrong.append(f"dialog {one.message}"), one.dismiss()))
        page.on("console", lambda one: self.wrong.append(one.text) if one.type == "error" else None)
        page.on("pageerror", lambda one: self.wrong.append(str(one)))
        page.goto(address)

    def choose(self, label: str, value: str) -> None:
        """Choose an option of a menu, by its value or its words."""
        self.page.get_by_label(label, exact=True).select_option(value)
        self.page.wait_for_selector(AT_REST)

    def press(self, text: str) -> None:
        """Press a button, or one of some choices."""
        button = self.page.get_by_role("button", name=text).or_(
            self.page.get_by_role("radio", name=text)
        )
        button.first.click()
        self.page.wait_for_selector(AT_REST)

    def type(self, control: str, text: str) -> None:
        """Type an answer, and leave the field."""
        self.page.fill(f"[id='{control}']", text)
        self.page.press(f"[id='{control}']", "Tab")
        self.page.wait_for_selector(AT_REST)

    @property
    def panel(self) -> str:
        """What Google would get."""
        return " ".join(self.page.inner_text("#account").split())


Open = Callable[..., Any]


@pytest.fixture
def shown(browser: Browser) -> Open:
    """Show the page of a person."""

    @contextmanager
    def show(person: Person, **options: Any) -> Iterator[Screen]:
        server = Server(person.session)
        thread = Thread(target=server.run)
        thread.start()
        context = browser.new_context(**options)
        try:
            yield Screen(context.new_page(), server.address)
        finally:
            context.close()
            if thread.is_alive():
                server.stop()
            thread.join()

    return show


def test_an_export_becomes_a_profile(shown: Open, tmp_path: Path) -> None:
    """From an empty page to what is saved; the panel follows each answer."""
    columns = {
        "Type": "decides",
        "Time": "conversion_date_time",
        "Amount": "conversion_value",
        "Order": "order_id",
        "Click": "gclid",
    }
    fates = {"Payment": "a sale", "Refund": "a refund of the whole sale", "Part": "left out"}
    with shown(person_with(tmp_path, REFUNDS)) as screen:
        for column, meaning in columns.items():
            screen.choose(f"It is: {column}", meaning)
        for value, fate in fates.items():
            screen.choose(f"Rows with {value} under Type are", fate)
        screen.type("q.time_zone.text", "UTC")
        screen.type("q.currency_code.text", "USD")
        page = screen.page
        page.select_option("[id='q.1.adjustment_date_time']", "c1")
        page.wait_for_selector(AT_REST)
        page.select_option("[id='q.1.order_id']", "c4")
        page.wait_for_selector(AT_REST)
        assert "1 of them are about a sale of this file" in screen.panel
        assert "2 sales, 300.50 USD" in screen.panel
        screen.press("all people in this file agreed")
        screen.press("Google Ads API")
        for question in ("customer_id", "conversion_action", "expect"):
            screen.type(f"q.{question}.text", ANSWERS[question])
        assert "missing" not in screen.panel
        screen.press("Save and end")
        assert "is saved" in page.inner_text("main")
        assert screen.wrong == []
    assert saved(tmp_path)["action"] == "Closed deal"


def test_an_edit_asks_only_what_is_new(shown: Open, tmp_path: Path) -> None:
    """A new stage and a renamed column: two presses, and the difference before it is saved."""
    content = SALES.replace("Lead", "Won (self-serve)").replace("Amount", "Deal value")
    content = content.replace("-5050.50", "87000")
    with shown(reopen(tmp_path, content)) as screen:
        assert "2 answers missing: “Amount” is gone “Stage”: 1 to decide" in screen.panel
        screen.press("Deal value is value of the sale")
        assert "87,000.00" in screen.page.inner_text("#rows-part")
        screen.choose("Rows with Won (self-serve) under Stage are", "a sale")
        changes = screen.page.inner_text("#save-part")
        assert "columns, value of the sale: Deal value" in changes
        assert "rows, Stage: Won (self-serve)" in changes
        screen.page.reload()
        assert changes == screen.page.inner_text("#save-part")
        screen.press("Save and end")
        assert screen.wrong == []
    profile = saved(tmp_path)
    assert profile["columns"]["conversion_value"] == ["Amount", "Deal value"]
    assert profile["skip"] == {"Stage": ["Lead", "Renewal"]}


EVIL = "<img src=x onerror=alert(1)>'"


def test_everybody_can_use_the_page(shown: Open, tmp_path: Path) -> None:
    """axe finds nothing in both color schemes, also if all names and cells are hostile, and a phone
    is wide enough."""
    content = DEALS.replace("Acme", EVIL).replace("Deal,", f"{EVIL},")
    person = answer(person_with(tmp_path, content))
    person.mean("Account", "decides")
    person.press("q.expect.text", "each night")
    with shown(person, viewport={"width": 1280, "height": 900}, color_scheme="light") as screen:
        page = screen.page
        page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true })")
        page.evaluate(Path(AXE_FILE_PATH).read_text("utf-8"))
        assert violations(page) == []
        page.emulate_media(color_scheme="dark")
        assert violations(page, runOnly=["color-contrast"]) == []
        for width in (1280, 390):
            page.set_viewport_size({"width": width, "height": 844})
            assert page.evaluate("document.scrollingElement.scrollWidth") <= width
        assert screen.wrong == []


def test_the_page_works_with_a_keyboard(shown: Open, tmp_path: Path) -> None:
    """Tab reaches what is open, letters choose, and the focus stays where it was."""
    with shown(person_with(tmp_path, "Email,Time\nann@example.com,2026-11-20 10:00\n")) as screen:
        page = screen.page
        for _ in range(40):
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement.name") == "column.0.0":
                break
        page.keyboard.press("e")
        page.keyboard.press("Tab")
        page.wait_for_selector(AT_REST)
        assert page.locator("[id='column.0.0']").input_value() == "email"
        focused = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert focused != "none"
        for _ in range(40):
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement.id") == "rows-1":
                break
        page.keyboard.press("Space")
        page.wait_for_selector(AT_REST)
        assert page.evaluate("document.activeElement.id") == "rows-1"
        assert page.is_checked("[id='rows-1']")
        assert screen.wrong == []


def test_without_scripts_a_button_shows_the_result(shown: Open, tmp_path: Path) -> None:
    """Several answers are sent at once."""
    with shown(person_with(tmp_path, DEALS), java_script_enabled=False) as screen:
        page = screen.page
        page.get_by_label("It is: Amount").select_option("conversion_value")
        page.get_by_label("It is: Closed").select_option("conversion_date_time")
        page.get_by_label("It is: Click").select_option("gclid")
        page.get_by_label("Every row is a sale").check()
        page.get_by_role("button", name="Show what Google would get").click()
        assert page.get_by_label("It is: Amount").input_value() == "conversion_value"
        assert page.get_by_label("Every row is a sale").is_checked()
        assert "DATE_WITHOUT_ZONE" in screen.panel
        assert screen.wrong == []
