"""`make pictures`: the pictures in docs/pictures, of the pages of the last `make demo`, and of the
page of `init` and the report in docs/get-started.md."""

from __future__ import annotations

import shutil
import sys
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread
from typing import Any

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from lib.cli.init.document import Document
from lib.cli.init.draft import Draft
from lib.cli.init.server import Server, Session
from sandbox.examples import EXAMPLES, moved_to
from sandbox.up import OUTPUT_BUCKET, Sandbox

ROOT = Path(__file__).parent.parent
MAX_BYTES = 150_000
PICTURES: dict[str, tuple[str, dict[str, Any]]] = {
    "report.png": ("results.html", {"viewport": {"width": 1000, "height": 1080}}),
    "report-dark-phone.png": (
        "results.html",
        {"viewport": {"width": 390, "height": 844}, "color_scheme": "dark"},
    ),
    "overview.png": ("index.html", {"viewport": {"width": 1000, "height": 640}}),
    "deals-report.png": ("deals.html", {"viewport": {"width": 1000, "height": 1000}}),
}
DEALS = {
    "destination": "google_ads",
    "customer_id": "1234567890",
    "expect": "any time",
    "columns": {
        "conversion_date_time": "Close Date",
        "conversion_value": "Amount",
        "currency_code": "Currency",
        "order_id": "Record ID",
        "gclid": "Google ad click id",
        "email": "Contact Email",
        "phone": "Contact Phone",
    },
    "conversions": [{"action": "Closed deal", "rows": {"Deal Stage": ["Closed Won"]}}],
    "skip": {"Deal Stage": ["Closed Lost"]},
    "time_zone": "America/Chicago",
    "phone_region": "US",
    "ad_user_data": "GRANTED",
}
"""A profile for the sample file of docs/get-started.md."""


def report_on_deals() -> bytes:
    """Return the report on the sample file of docs/get-started.md, after its first upload."""
    with Sandbox(source=ROOT) as google:
        google.set_profiles({"default": DEALS})
        content = moved_to(EXAMPLES / "deals_to_correct.csv", datetime.now(UTC).date())
        name, generation = google.drop(content, "deals.csv")
        google.results(name, generation)
        results = google.storage_client().bucket(OUTPUT_BUCKET)
        page: bytes = results.blob(f"{name}.{generation}.results.html").download_as_bytes()
    return page


WINDOW: Any = {"width": 1180, "height": 940}
AT_REST = "form:not([aria-busy])"


def show_init(browser: Browser, folder: Path) -> None:
    """Take the pictures of the page of `init` with the sample file, on its way to a profile."""
    with TemporaryDirectory() as place:
        file = Path(place, "deals.csv")
        file.write_bytes(moved_to(EXAMPLES / "deals_to_correct.csv", datetime.now(UTC).date()))
        draft = Draft("default", file, {})
        document = Document(Path(place, "profiles.json"), "default")
        server = Server(Session(draft, document, datetime.now(UTC)))
        thread = Thread(target=server.run)
        thread.start()
        page = browser.new_page(viewport=WINDOW)
        page.goto(server.address)
        columns: dict[str, str] = DEALS["columns"]  # type: ignore[assignment]
        for field, column in [*columns.items()][:4]:
            _choose(page, f"It is: {column}", field)
        page.screenshot(path=folder / "init-columns.png")
        for field, column in [*columns.items()][4:]:
            _choose(page, f"It is: {column}", field)
        _choose(page, "It is: Deal Stage", "decides")
        _choose(page, "Rows with Closed Won under Deal Stage are", "a sale")
        _choose(page, "Rows with Closed Lost under Deal Stage are", "left out")
        for key, text in (("time_zone", "America/Chicago"), ("country_code", "US")):
            page.fill(f"[id='q.{key}.text']", text)
            page.press(f"[id='q.{key}.text']", "Tab")
            page.wait_for_selector(AT_REST)
        page.locator("#rows-title").evaluate("each => each.scrollIntoView()")
        page.screenshot(path=folder / "init-rows.png")
        page.close()
        server.stop()
        thread.join()
    for name in ("init-columns.png", "init-rows.png"):
        _make_small(folder / name)


def _choose(page: Page, label: str, value: str) -> None:
    page.get_by_label(label, exact=True).select_option(value)
    page.wait_for_selector(AT_REST)


def _make_small(path: Path) -> None:
    """Use 256 colors: they keep these pages as they are, with less than half of the size."""
    small = Image.open(path).convert("RGB").quantize(256, method=Image.Quantize.FASTOCTREE)
    small.save(path, optimize=True)
    assert path.stat().st_size <= MAX_BYTES, path.name


def main() -> int:
    """Write the pictures. Return 1 if the browser or a page is missing."""
    program, demo = shutil.which("chromium"), ROOT / ".demo"
    if program is None or not (demo / "results.html").exists():
        print("Install chromium, and run `make demo` first.", file=sys.stderr)
        return 1
    (demo / "deals.html").write_bytes(report_on_deals())
    folder = ROOT / "docs" / "pictures"
    folder.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        for name, (page, options) in PICTURES.items():
            opened = browser.new_page(**options)
            opened.goto((demo / page).as_uri())
            opened.screenshot(path=folder / name)
            _make_small(folder / name)
        show_init(browser, folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
