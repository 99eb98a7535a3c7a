"""Twenty exports that examples/ does not have, each with its profile and its truth.

A folder has the export, `profile.json`, and `truth.json`, which was written by somebody who had
read the file and not this program: the conversions and retractions that must reach Google, and why
no other row may. Rows are counted from the first one below the header.
"""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Final

import pytest

from tests.exports.playing import APIS, differences, play, true_sale

FOLDER: Final = Path(__file__).parent
SYSTEMS: Final = sorted(path.parent.name for path in FOLDER.glob("*/truth.json"))


@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize("system", SYSTEMS)
def test_google_gets_the_sales_of_an_export_and_nothing_else(system: str, api: str) -> None:
    """Each sale arrives once, with its time, value, currency, action, order, click and person; no
    other row does, and the profile has an entry for each row."""
    truth = json.loads((FOLDER / system / "truth.json").read_text("utf-8"))
    profile = json.loads((FOLDER / system / "profile.json").read_text("utf-8"))
    today = datetime.fromisoformat(truth["today"])
    played = play(FOLDER / system / truth["file"], profile, api, today)
    assert played.results["file_error"] is None
    assert "NO_ENTRY_FITS" not in played.results["codes"]
    assert differences(played.sales, map(true_sale, truth["conversions"])) == {}
    adjusted = [("retraction", each["order_id"]) for each in truth["adjustments"]]
    # The Data Manager API reports later what became of the sales, and retractions wait for that.
    assert played.adjusted == (adjusted if api == "google_ads" else [])
