"""`make pictures`: the pictures in docs/pictures, of the pages of the last `make demo`."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import sync_playwright

ROOT = Path(__file__).parent.parent
MOST_BYTES = 150_000
PICTURES: dict[str, tuple[str, dict[str, Any]]] = {
    "report.png": ("results.html", {"viewport": {"width": 1000, "height": 1080}}),
    "report-dark-phone.png": (
        "results.html",
        {"viewport": {"width": 390, "height": 844}, "color_scheme": "dark"},
    ),
    "overview.png": ("index.html", {"viewport": {"width": 1000, "height": 640}}),
}


def main() -> int:
    """Write the pictures. Return 1 if the browser or a page is missing."""
    program, demo = shutil.which("chromium"), ROOT / ".demo"
    if program is None or not (demo / "results.html").exists():
        print("Install chromium, and run `make demo` first.", file=sys.stderr)
        return 1
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
