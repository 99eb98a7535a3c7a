"""Which objects are processed and which are ignored."""

from __future__ import annotations

import pytest

from lib.config.settings import Settings
from lib.source.names import IgnoreRules, ignored

_DEFAULTS = {name: field.default for name, field in Settings.model_fields.items()}
RULES = IgnoreRules(
    accepted_suffixes=_DEFAULTS["accepted_suffixes"],
    temporary_suffixes=_DEFAULTS["ignored_suffixes"],
    prefixes=_DEFAULTS["ignored_prefixes"],
)
"""The rules with the default settings."""


@pytest.mark.parametrize(
    "name",
    [
        "leads.csv",
        "crm/2026/leads.CSV",
        "leads.tsv",
        "leads.txt",
        "leads.csv.gz",
        "leads.TXT.gz",
        "parts.of/leads.tmp.csv",
        "gcloud/tmp/leads.csv",
    ],
)
def test_accepted(name):
    """Files with an accepted suffix are processed, even if they are empty."""
    assert ignored(name, 10, RULES) is None
    assert ignored(name, 0, RULES) is None


@pytest.mark.parametrize(
    "name, size, reason",
    [
        ("crm/", 0, "folder placeholder"),
        ("crm/", 11, "folder placeholder"),
        ("crm_$folder$", 0, "folder placeholder"),
        ("leads.csv.tmp", 9, "still being written"),
        ("leads.csv.part", 9, "still being written"),
        ("leads.csv.FILEPART", 9, "still being written"),
        (".leads.csv", 9, "hidden or lock file"),
        ("crm/.uploading/leads.csv", 9, "hidden or lock file"),
        ("crm/~$leads.csv", 9, "hidden or lock file"),
        ("gcloud/tmp/parallel_composite_uploads/x/leads.csv", 9, "part of an upload"),
        ("leads.xlsx", 9, "suffix not accepted"),
        ("leads.csv.1.results.json", 9, "suffix not accepted"),
        ("leads.gz", 9, "suffix not accepted"),
        ("leads", 9, "suffix not accepted"),
    ],
)
def test_ignored(name, size, reason):
    """All other objects are ignored, with a reason for the log."""
    assert ignored(name, size, RULES) == reason


def test_rules_are_settings():
    """Suffixes and folders can be configured."""
    rules = IgnoreRules(
        accepted_suffixes=(".DAT",), temporary_suffixes=(".lock.dat",), prefixes=("old/",)
    )
    assert ignored("a.dat", 1, rules) is None
    assert ignored("a.csv", 1, rules) == "suffix not accepted"
    assert ignored("a.lock.dat", 1, rules) == "still being written"
    assert ignored("old/a.dat", 1, rules) == "part of an upload"
