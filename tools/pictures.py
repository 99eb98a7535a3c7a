"""`make pictures`: the pictures in docs/pictures, of the pages of the last `make demo`, and of the
report in docs/get-started.md."""

from __future__ import annotations

import shutil
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import sync_playwright

from sandbox.examples import EXAMPLES, moved_to
from sandbox.up import OUTPUT_BUCKET, Sandbox

ROOT = Path(__file__).parent.parent
MOST_BYTES = 150_000
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
    "decimal_sign": ".",
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
            # 256 colors keep these pages as they are, with less than half of the size.
            Image.open(folder / name).convert("RGB").quantize(
                256, method=Image.Quantize.FASTOCTREE
            ).save(folder / name, optimize=True)
            assert (folder / name).stat().st_size <= MOST_BYTES, name
    return 0


if __name__ == "__main__":
    sys.exit(main())
