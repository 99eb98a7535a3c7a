"""The pages in a real browser: what works in them, for whom, and that they ask for nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.base import AXE_FILE_PATH
from playwright.sync_api import Browser, Page

from lib.catalogue.codes import CATALOGUE
from lib.catalogue.open_problems import PROBLEM_KINDS, Found, OpenProblem
from lib.results.overview import render_overview
from lib.results.report import ROWS_AT_A_TIME
from tests.results.files import NOW, entry_on, file_of, report_on, row, summary_of
from tests.results.test_report import HOSTILE, example, report

PHONE = {"width": 390, "height": 844}
TEN_SCREENS = 10 * PHONE["height"]
RIGHT_TO_LEFT = "טופס לידים.csv"


def hostile() -> dict[str, Any]:
    """Return a document in which everything that a stranger can choose is hostile."""
    document = example()
    document["source"]["name"] = f"{RIGHT_TO_LEFT}/{HOSTILE * 5}"
    document["profile"] = document["columns"]["phone"] = HOSTILE
    document["notes"][0]["detail"] = HOSTILE
    for each in document["rows"]:
        each["order_id"] = HOSTILE
        for problem in (*each["errors"], *each["warnings"]):
            problem["detail"] = HOSTILE
    return document


def hostile_overview() -> str:
    """Return an overview with every kind of problem, and files that have lost rows."""
    found = Found(HOSTILE, "", HOSTILE, {"USD": 1_204_500_000})
    problems = [OpenProblem(kind, HOSTILE, "", kind.action, [found]) for kind in PROBLEM_KINDS]
    summary = file_of(5_000)
    unreadable = {HOSTILE: "NEWER_VERSION"}
    return render_overview(HOSTILE, [entry_on(summary)] * 50, problems, NOW, unreadable)


def every_cause() -> str:
    """Return the report on a file in which every rule rejects a row."""
    codes = [code for code, entry in CATALOGUE.items() if entry.outcome == "rejected"]
    return report_on(summary_of(row(line, "rejected", code) for line, code in enumerate(codes, 2)))


PAGES = {
    "empty": lambda: report_on(summary_of()),
    "one": lambda: report_on(file_of(1)),
    "many": lambda: report_on(file_of(5_000)),
    "most": lambda: report_on(file_of(100_000)),
    "hostile": lambda: report(hostile()),
    "every_cause": every_cause,
    "overview": hostile_overview,
    "empty_overview": lambda: render_overview("results", [], [], NOW),
}


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a file for each of PAGES."""
    folder = tmp_path_factory.mktemp("pages")
    for name, page in PAGES.items():
        (folder / f"{name}.html").write_text(page(), "utf-8")
    return folder


def opened(browser: Browser, file: Path, **options: Any) -> tuple[Page, list[str]]:
    """Open a page. Also return what must not happen: requests, dialogs, errors, refused code."""
    context = browser.new_context(**options)
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = context.new_page()
    wrong: list[str] = []
    address = file.as_uri()
    page.on("request", lambda one: wrong.append(one.url) if one.url != address else None)
    page.on("dialog", lambda one: (wrong.append(f"dialog {one.message}"), one.dismiss()))
    page.on("console", lambda one: wrong.append(one.text) if one.type == "error" else None)
    page.on("pageerror", lambda one: wrong.append(str(one)))
    page.goto(address)
    return page, wrong


@pytest.mark.parametrize("name", sorted(PAGES.keys() - {"most"}))  # it has the elements of `many`
def test_everybody_can_read_the_page(browser: Browser, pages: Path, name: str) -> None:
    """axe finds nothing in both color schemes, a phone is wide enough, and nothing is asked for."""
    page, wrong = opened(browser, pages / f"{name}.html", color_scheme="light")
    page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true })")
    # All rows of a long table are alike, and axe takes long for them.
    page.evaluate(
        "document.querySelectorAll('#rows tbody tr:nth-child(n + 20)').forEach(one => one.remove())"
    )
    page.evaluate(Path(AXE_FILE_PATH).read_text("utf-8"))
    assert violations(page) == []
    page.emulate_media(color_scheme="dark")
    # The scheme changes colors alone.
    assert violations(page, runOnly=["color-contrast"]) == []
    page.set_viewport_size({"width": 360, "height": 740})
    assert page.evaluate("document.scrollingElement.scrollWidth") <= 360
    assert wrong == []
    page.context.close()


def violations(page: Page, **options: Any) -> list[tuple[str, list[str]]]:
    """Return what axe finds: the rule, and the elements that break it."""
    options = {"resultTypes": ["violations", "incomplete"], **options}
    found = page.evaluate("options => axe.run(document, options)", options)
    return [
        (each["id"], [node["html"][:200] for node in each["nodes"]]) for each in found["violations"]
    ]


@pytest.mark.parametrize("name", ["many", "most", "hostile", "every_cause"])
def test_a_phone_shows_at_most_ten_screens(browser: Browser, pages: Path, name: str) -> None:
    """However many rows a file has. No cell is to the right of the screen."""
    page, _ = opened(browser, pages / f"{name}.html", viewport=PHONE)
    assert page.evaluate("document.scrollingElement.scrollHeight") <= TEN_SCREENS
    cells = page.locator("#rows td:visible")
    assert (
        max(cells.evaluate_all("all => all.map(each => each.getBoundingClientRect().right)")) < 390
    )
    page.context.close()


def test_the_legend_and_the_causes_filter_the_rows(browser: Browser, pages: Path) -> None:
    """Fifty rows at a time, of an outcome, of a cause, or with the words of a search."""
    page, wrong = opened(browser, pages / "many.html")
    shown, said = page.locator("#rows tbody tr:visible"), page.locator("#said")
    assert (shown.count(), said.inner_text()) == (50, "1 to 50 of 1,000 listed")
    page.click("#later")
    assert (shown.count(), said.inner_text()) == (50, "51 to 100 of 1,000 listed")
    page.click(".legend a[data-outcome=failed]")
    assert (shown.count(), said.inner_text()) == (50, "1 to 50 of 143 listed, failed only")
    assert {*page.locator("#rows .outcome:visible").all_inner_texts()} == {" failed"}
    page.click("a[data-code=FUTURE_DATE]")
    assert said.inner_text() == "1 to 50 of 72 listed, FUTURE_DATE only"
    page.click("#later")
    assert (shown.count(), page.is_disabled("#later")) == (22, True)
    page.fill("#search", "hs-4902 future")
    assert (shown.count(), said.inner_text()) == (1, "1 found, FUTURE_DATE only")
    page.fill("#search", "no such row")
    assert (shown.count(), page.is_visible("#later")) == (0, False)
    page.click("#all")
    assert (shown.count(), page.input_value("#search")) == (50, "")
    page.click("[data-copies]")
    assert page.evaluate("navigator.clipboard.readText()") == page.inner_text(".command code")
    assert wrong == []
    page.context.close()


def test_without_scripts_the_causes_and_the_first_rows_can_be_read(
    browser: Browser, pages: Path
) -> None:
    """No control is shown that would not work."""
    page, wrong = opened(browser, pages / "many.html", java_script_enabled=False)
    assert page.locator("#rows tbody tr:visible").count() == ROWS_AT_A_TIME
    assert page.locator("details.card[open]").count() == 3
    assert page.locator("noscript p").is_visible()
    assert not page.locator("button:visible, input:visible").count()
    assert wrong == []
    page.context.close()


def test_the_page_works_with_a_keyboard(browser: Browser, pages: Path) -> None:
    """Tab reaches every control and shows where it is."""
    page, wrong = opened(browser, pages / "many.html")
    reached: set[str] = set()
    for _ in range(60):
        page.keyboard.press("Tab")
        found = page.evaluate(
            """() => { const at = document.activeElement; return at === document.body ? null : [
            at.id || at.tagName, getComputedStyle(at).outlineStyle !== 'none'] }"""
        )
        if found is None:
            break
        reached.add(found[0])
        assert found[1], found
    assert {"search", "later", "A", "BUTTON", "SUMMARY"} <= reached
    assert wrong == []
    page.context.close()
