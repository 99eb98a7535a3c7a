"""Which objects are processed, which are ignored, and which names are refused."""

from __future__ import annotations

import pytest

from lib.config.settings import Settings
from lib.source.names import IgnoreRules, name_problem, reason_to_ignore, without_suffix

_DEFAULTS = {name: field.default for name, field in Settings.model_fields.items()}
RULES = IgnoreRules(
    temporary_suffixes=_DEFAULTS["ignored_suffixes"],
    prefixes=_DEFAULTS["ignored_prefixes"],
)
"""The rules with the default settings."""
ACCEPTED = _DEFAULTS["accepted_suffixes"]


@pytest.mark.parametrize(
    "name",
    [
        "leads.csv",
        "crm/2026/leads.CSV",
        "leads.tsv",
        "leads.txt",
        "leads.csv.gz",
        "leads.TXT.gz",
        "Leads.XLSX",
        "VA05.XLS",
        "parts.of/leads.tmp.csv",
        "gcloud/tmp/leads.csv",
    ],
)
def test_accepted(name):
    """Files with an accepted suffix are processed, even if they are empty."""
    assert reason_to_ignore(name, 10, RULES) is None
    assert reason_to_ignore(name, 0, RULES) is None
    assert name_problem(name, ACCEPTED) is None


@pytest.mark.parametrize(
    "name, size, reason",
    [
        ("crm/", 0, "folder placeholder or marker"),
        ("crm/", 11, "folder placeholder or marker"),
        ("crm_$folder$", 0, "folder placeholder or marker"),
        ("crm/2026.11/_SUCCESS", 0, "folder placeholder or marker"),
        ("leads.csv.tmp", 9, "still being written"),
        ("leads.csv.part", 9, "still being written"),
        ("leads.csv.FILEPART", 9, "still being written"),
        (".leads.csv", 9, "hidden or lock file"),
        ("crm/.uploading/leads.csv", 9, "hidden or lock file"),
        ("crm/~$leads.csv", 9, "hidden or lock file"),
        (
            "gcloud/tmp/parallel_composite_uploads/x/leads.csv",
            9,
            "in a folder that is not processed",
        ),
        ("leads.csv.ok", 0, "companion of another file"),
        ("leads.done", 0, "companion of another file"),
        ("leads.CTL", 9, "companion of another file"),
        ("leads.csv.md5", 32, "companion of another file"),
        ("leads.csv.sha256", 64, "companion of another file"),
    ],
)
def test_ignored(name, size, reason):
    """Placeholders, temporary files and companions are ignored, with a reason for the log."""
    assert reason_to_ignore(name, size, RULES) == reason


@pytest.mark.parametrize(
    "name, problem",
    [
        ("leads.ods", "a workbook of another format; open it and save it as .xlsx or CSV"),
        ("leads.xlsm", "a workbook of another format"),
        ("leads.csv.zip", "an archive; unpack it"),
        ("leads.tar.gz", "an archive; unpack it"),
        ("leads.gz", "a compressed file; unpack it, or compress the CSV file with gzip"),
        ("leads.csv.bz2", "a compressed file"),
        ("leads.csv.pgp", "an encrypted file; decrypt it"),
        ("leads.json", "a file of another format"),
        ("notes.pdf", "a file of another format; export the data as CSV"),
        ("deals.csv.1", "an unknown format; if it is a text file, rename it so that its name ends"),
        ("deals.csv (2)", "an unknown format"),
        ("v1.csv/deals", "an unknown format"),
    ],
)
def test_refused(name, problem):
    """Any other name is refused: the problem says what it is and what to do instead."""
    assert reason_to_ignore(name, 9, RULES) is None
    assert name_problem(name, ACCEPTED).startswith(problem)


@pytest.mark.parametrize("suffix", [*ACCEPTED, ".CSV.gz", ".csv.xlsx"])
def test_a_file_that_is_saved_in_another_format_keeps_its_name(suffix):
    """So it replaces the older file, or is the one that `fix` has written."""
    assert without_suffix(f"crm/deals.2026{suffix}") == "crm/deals.2026"


def test_an_empty_file_with_a_suffix_is_refused_too():
    """Only an empty object without a suffix is a marker."""
    assert reason_to_ignore("deals.zip", 0, RULES) is None


def test_rules_are_settings():
    """Suffixes and folders can be configured."""
    rules = IgnoreRules(temporary_suffixes=(".lock.dat",), prefixes=("old/",))
    assert reason_to_ignore("a.dat", 1, rules) is None
    assert reason_to_ignore("a.lock.dat", 1, rules) == "still being written"
    assert reason_to_ignore("old/a.dat", 1, rules) == "in a folder that is not processed"
    assert name_problem("a.dat", (".DAT",)) is None
    assert name_problem("a.xlsx", (".DAT",)) == "a workbook; open it and save it as CSV"
    assert name_problem("a.csv", (".DAT",)) == (
        "an unknown format; if it is a text file, rename it so that its name ends in .DAT"
    )
