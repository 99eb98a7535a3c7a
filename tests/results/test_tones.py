"""The tones of boxes are those of the style sheet that all pages share."""

from __future__ import annotations

import re
from pathlib import Path

LIB = Path(__file__).parents[2] / "lib"
STYLES = (LIB / "results" / "templates" / "page.css").read_text("utf-8")


def test_each_template_names_a_tone_that_has_a_color() -> None:
    """A box without one looks like text, so nobody sees what is missing."""
    tones = set(re.findall(r"\.(\w+) { --tone: ", STYLES))
    templates = [path.read_text("utf-8") for path in LIB.glob("*/**/templates/*.html")]
    named = {tone for text in templates for tone in re.findall(r'class="headline (\w+)"', text)}
    assert named
    assert named <= tones
