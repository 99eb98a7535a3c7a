"""The script that keeps click IDs works in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

SCRIPT = (Path(__file__).parents[2] / "examples" / "keep_click_ids.js").read_text("utf-8")
PAGE = """<form><input type="hidden" name="gclid"><input type="hidden" name="gbraid">
<input type="hidden" name="wbraid"><input type="hidden" name="input_7"></form>"""
CLICK = "Cj0KCQiA-example_0001"


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A website with a form on every page."""
    context = browser.new_context()
    context.route("**/*", lambda route: route.fulfill(body=PAGE, content_type="text/html"))
    yield context.new_page()
    context.close()


def visited(
    page: Page, path: str, call: str = "keepClickIds()", host: str = "www.example.com"
) -> dict[str, str]:
    """Open a page on which the visitor agrees to cookies. Return what the form would send."""
    page.goto(f"https://{host}/{path}")
    page.evaluate(f"() => {{ {SCRIPT}\n{call}; }}")
    inputs = page.locator("input").all()
    return {str(each.get_attribute("name")): each.input_value() for each in inputs}


def test_a_click_id_is_in_the_form_of_a_later_page(page: Page) -> None:
    """It is kept as it was in the address, for 90 days, and sent to no other website."""
    assert visited(page, f"offer?utm_source=google&gclid={CLICK}")["gclid"] == CLICK
    assert visited(page, "contact")["gclid"] == CLICK
    (cookie,) = page.context.cookies()
    now = page.evaluate("Date.now() / 1000")
    assert 89.9 < (cookie["expires"] - now) / 86400 <= 90
    assert (cookie["secure"], cookie["sameSite"]) == (True, "Lax")


def test_a_new_click_replaces_the_last_one(page: Page) -> None:
    """Also if it has another of the three IDs: only one of them is in the form."""
    visited(page, f"offer?gclid={CLICK}")
    visited(page, "offer?gbraid=0AAAAAexample1")
    form = visited(page, "contact")
    assert (form["gclid"], form["gbraid"]) == ("", "0AAAAAexample1")


def test_nothing_is_kept_without_a_click(page: Page) -> None:
    """A visitor who clicked no ad gets no cookie, and the form stays as it was."""
    assert set(visited(page, "offer?utm_source=newsletter").values()) == {""}
    assert page.context.cookies() == []


def test_a_form_may_have_its_own_names(page: Page) -> None:
    """A field of WordPress or Salesforce is named in the call."""
    visited(page, f"offer?gclid={CLICK}")
    form = visited(page, "contact", 'keepClickIds({gclid: "input_7"})')
    assert (form["gclid"], form["input_7"]) == ("", CLICK)


def test_a_form_that_comes_later_is_filled(page: Page) -> None:
    """Whether the page was still loading, or a script inserts the form, such as a pop-up."""
    body = f"<script>{SCRIPT} keepClickIds();</script>{PAGE}"
    page.route("**/*", lambda route: route.fulfill(body=body, content_type="text/html"))
    page.goto(f"https://www.example.com/offer?gclid={CLICK}")
    page.evaluate("form => document.body.insertAdjacentHTML('beforeend', form)", PAGE)
    fields = page.locator("[name=gclid]")
    assert [fields.nth(each).input_value() for each in range(fields.count())] == [CLICK, CLICK]


def test_a_click_is_known_on_the_other_hosts_of_a_domain(page: Page) -> None:
    """If the call names the domain; otherwise, only the host of the landing page knows it."""
    for call, known in (("keepClickIds()", ""), ('keepClickIds({}, "example.com")', CLICK)):
        visited(page, f"offer?gclid={CLICK}", call)
        assert visited(page, "contact", call, host="shop.example.com")["gclid"] == known
