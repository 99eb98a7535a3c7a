"""The pages in a real browser: what works in them, for whom, and that they ask for nothing."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.base import AXE_FILE_PATH
from lib.state.concerns import KnownConcern
from playwright.sync_api import Browser, Page
from rich.console import Console

from lib.model.money import Sum
from lib.results.overview import FileResults, Overview, render_overview
from lib.results.report import PRINTED_ROWS, Links, render_report, report_of
from sandbox.demo import run_demo
from tests.results.test_report import HOSTILE, ROOT, example, findings_of_a_million
from tests.schedule import EVERY_CALL

PAGES = (
    *("demo", "demo_index", "hostile", "hostile_index", "million"),
    *("empty", "empty_index"),
)
RIGHT_TO_LEFT = "טופס לידים.csv"
CURRENCIES = ("BRL", "EUR", "GBP", "JPY", "USD")
EMPTY = {"rows": [], "counts": dict.fromkeys(example()["counts"], 0), "money": {}, "codes": {}}
EMPTY |= {"notes": [], "request_ids": []}


def hostile() -> dict[str, Any]:
    """Return a document in which everything that a stranger can choose is hostile."""
    document = example()
    document["source"]["name"] = f"{RIGHT_TO_LEFT}/{HOSTILE * 5}"
    document["profile"] = document["columns"]["phone"] = HOSTILE
    document["notes"][0]["detail"] = HOSTILE
    for number, row in enumerate(document["rows"]):
        row["order_id"] = ["=1+1", "+cmd|' /C calc'!A0", "@SUM(A1)", HOSTILE][number]
        for each in (*row["errors"], *row["warnings"]):
            each["detail"] = HOSTILE
    return document


@pytest.fixture(scope="module")
def pages(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a file for each of PAGES."""
    folder = tmp_path_factory.mktemp("pages")
    console = Console(file=io.StringIO())
    assert run_demo(console, "data_manager", ROOT, folder, 800) == 0
    (folder / "results.html").rename(folder / "demo.html")
    (folder / "index.html").rename(folder / "demo_index.html")
    counts = {"rows": 12, "uploaded": 9, "rejected": 2, "skipped": 1}
    money = {name: {c: Sum(9, 9 * 10**8) for c in CURRENCIES} for name in ("uploaded", "rejected")}
    concern = KnownConcern(datetime(2026, 11, 20, tzinfo=UTC), None, f"No row of {HOSTILE} counts")
    files = [
        FileResults(
            f"{n} {name}.{n}.results.json",
            *(f"2026-11-{n:02}T12:00:00Z", f"2026-11-{n:02}T11:59:00Z", status),
            *(counts, money, n % 2, RIGHT_TO_LEFT if n % 3 else "default", "", "", False),
        )
        for n, (name, status) in enumerate(
            [(HOSTILE, "completed"), (RIGHT_TO_LEFT, "stopped"), ("a" * 300, "same_as")] * 9, 1
        )
    ]
    empty, overview = Overview(), Overview(concerns={"rows_lost:default": concern})
    for each in files:
        overview.add(each)
    head = {name: part for name, part in example().items() if name != "rows"}
    links = Links("https://storage.cloud.google.com/a/b", "https://storage.cloud.google.com/a/c")
    for name, page in {
        "hostile": report_of(hostile(), links),
        "hostile_index": render_overview(HOSTILE, overview),
        "empty_index": render_overview("results", empty),
        "empty": report_of(example() | EMPTY),
        "million": render_report(head, findings_of_a_million()),
    }.items():
        (folder / f"{name}.html").write_text(page, "utf-8")
    return folder


def opened(browser: Browser, file: Path, **options: Any) -> tuple[Page, list[str]]:
    """Open a page. Also return what must not happen: requests, dialogs, errors, refused code."""
    context = browser.new_context(accept_downloads=True, **options)
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


@pytest.mark.parametrize("name", PAGES if EVERY_CALL else PAGES[::3])
def test_everybody_can_read_the_page(browser: Browser, pages: Path, name: str) -> None:
    """axe finds nothing in both color schemes, a phone is wide enough, and nothing is asked for."""
    page, wrong = opened(browser, pages / f"{name}.html", color_scheme="light")
    # All rows of a long table are alike, and axe takes a minute for them.
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


def test_rows_can_be_found_copied_and_saved(browser: Browser, pages: Path) -> None:
    """Search and filters narrow the rows. They are saved as a CSV in which no cell is a formula."""
    page, wrong = opened(browser, pages / "hostile.html")
    shown = page.locator("#rows tbody tr:visible")
    said = page.locator("#said")
    assert (shown.count(), said.inner_text()) == (4, "4 rows listed")
    page.fill("#search", "future_date 12")
    assert (shown.count(), said.inner_text()) == (1, "1 of 4 listed rows")
    page.fill("#search", "no such row")
    assert page.locator("#nothing").is_visible()
    page.fill("#search", "")
    page.select_option("#outcome", "failed")
    page.select_option("#code", "FUTURE_DATE")
    assert shown.count() == 0
    page.click("a[data-show=INVALID_PHONE]")
    assert (shown.count(), page.input_value("#code")) == (1, "INVALID_PHONE")
    page.select_option("#code", "")
    page.select_option("#column", HOSTILE)
    assert shown.count() == 1
    page.select_option("#column", "")
    page.click("#copy-lines")
    assert page.evaluate("navigator.clipboard.readText()") == "7, 12, 30, 41"
    page.click("button[data-copy]:visible >> nth=0")
    assert page.evaluate("navigator.clipboard.readText()") in ("7", "12", "30", "41")
    with page.expect_download() as download:
        page.click("#save")
    content = Path(download.value.path()).read_bytes()
    header, *rows = csv.reader(io.StringIO(content.decode("utf-8-sig")))
    assert header == [
        *("record", "line", "outcome", "code", "column", "order_id", "value", "currency"),
        "what to do",
    ]
    assert [(row[0], row[1], row[2]) for row in rows] == [
        *(("6", "7", "uploaded"), ("11", "12", "rejected")),
        *(("28", "30", "duplicate"), ("39", "41", "failed")),
    ]
    assert [row[5][0] for row in rows[:3]] == ["'", "'", "'"]
    assert not [cell for row in rows for cell in row if cell[:1] in ("=", "+", "-", "@")]
    assert [row[6:8] for row in rows] == [
        *(["960", "USD"], ["12400", "USD"], ["", ""], ["3700.5", "USD"])
    ]
    assert rows[1][8].startswith("Check the date and the time zone")
    assert [each for each in wrong if not each.startswith("blob:")] == []
    page.context.close()


def test_the_page_works_with_a_keyboard_and_on_paper(browser: Browser, pages: Path) -> None:
    """Tab reaches every control and shows where it is. Paper has none, and few pages."""
    page, wrong = opened(browser, pages / "demo.html")
    reached: set[str] = set()
    for _ in range(200):
        page.keyboard.press("Tab")
        found = page.evaluate(
            """() => { const at = document.activeElement; return at === document.body ? null : [
            at.id || at.tagName, getComputedStyle(at).outlineStyle !== 'none'] }"""
        )
        if found is None:
            break
        reached.add(found[0])
        assert found[1], found
    assert {"search", "outcome", "code", "column", "copy-lines", "save", "A", "BUTTON"} <= reached
    assert {"SUMMARY", "DIV"} <= reached
    page.emulate_media(media="print")
    assert not page.locator("button:visible, select:visible, input:visible").count()
    assert wrong == []
    page.goto((pages / "million.html").as_uri())
    assert page.locator("#rows tbody tr:visible").count() == PRINTED_ROWS
    assert page.locator(".paper").is_visible()
    assert page.pdf(format="A4").count(b"/Type /Page\n") <= 6
    page.context.close()


def test_paper_has_the_rows_that_a_filter_leaves_and_says_so(browser: Browser, pages: Path) -> None:
    """Also rows that come after those which are printed without a filter."""
    page, wrong = opened(browser, pages / "million.html")
    shown, filtered = page.locator("#rows tbody tr:visible"), page.locator("#filtered")
    page.emulate_media(media="print")
    assert (shown.count(), filtered.inner_text()) == (PRINTED_ROWS, "")
    for code, rows in (("CLICK_NOT_FOUND", 1), ("FUTURE_DATE", PRINTED_ROWS)):
        page.emulate_media(media="screen")
        page.select_option("#code", code)
        assert not filtered.is_visible()
        listed = shown.count()
        page.emulate_media(media="print")
        assert (shown.count(), filtered.inner_text()) == (
            rows,
            f"Filtered: {listed} of 1,501 listed rows.",
        )
    assert wrong == []
    page.context.close()


def test_a_control_is_named_as_it_is_shown(browser: Browser, pages: Path) -> None:
    """Who speaks to the page says what is written on a button: its name begins with that."""
    page, _ = opened(browser, pages / "demo.html")
    named = page.locator("[aria-label]:is(button, a)").all()
    assert named
    for each in named:
        assert (each.get_attribute("aria-label") or "").startswith(each.inner_text())
    page.context.close()


def test_without_scripts_everything_can_be_read(browser: Browser, pages: Path) -> None:
    """Where scripts are forbidden, no control is shown that would not work, and every row is."""
    page, wrong = opened(browser, pages / "hostile.html", java_script_enabled=False)
    assert page.locator("#rows tbody tr:visible").count() == 4
    assert not page.locator("button:visible, select:visible, input:visible").count()
    assert wrong == []
    page.context.close()


def test_a_phone_shows_the_outcomes_of_each_file(browser: Browser, pages: Path) -> None:
    """Nobody has to scroll to the right, or to run a script, to see how a file ended."""
    file = pages / "hostile_index.html"
    page, _ = opened(
        browser, file, viewport={"width": 390, "height": 844}, java_script_enabled=False
    )
    for chip in page.locator("#rows .chip").all():
        box = chip.bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 390
    assert page.locator(".chart").count() == 4
    page.context.close()


@pytest.mark.parametrize("name", ["demo", "hostile"])
def test_a_phone_shows_each_row_and_how_the_file_was_read(
    browser: Browser, pages: Path, name: str
) -> None:
    """No cell is to the right of the screen, and each says what it is."""
    page, _ = opened(browser, pages / f"{name}.html", viewport={"width": 390, "height": 844})
    cells = page.locator("tbody td:visible")
    ends = cells.evaluate_all("all => all.map(each => each.getBoundingClientRect().right)")
    assert 0 < max(ends) <= 390
    labels = page.locator("#rows tbody [data-label]")
    named = labels.evaluate_all("all => all.map(each => each.dataset.label)")
    assert {*named} == {"Record: ", "Line: ", "Order ID: ", "Value: "}
    page.context.close()
