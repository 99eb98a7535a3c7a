"""The end of `init`: the first conversions as Google will get them, and what is not sent."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from rich.console import Console

from lib.catalogue.codes import lookup
from lib.catalogue.texts import number_of_rows
from lib.cli.check import CheckResult, check
from lib.cli.check_output import show
from lib.cli.files import InputFile
from lib.cli.init.proposal import Proposal
from lib.config.profile import Profile
from lib.state.store import StoredObject


def show_ending(file: Path, name: str, proposal: Proposal, now: datetime, console: Console) -> bool:
    """Show what would happen to a file with the profile. Return whether a row would be sent."""
    profile = Profile.model_validate(proposal.values())
    source = StoredObject("", str(file), 0, file.stat().st_size)
    with file.open("rb") as stream:
        checked = check(stream, source, name, profile, now, with_values=True)
    show(checked, console)
    if not checked.first:
        console.print(f"Nothing would be sent. {_likely_cause(checked)}", soft_wrap=True)
        return False
    if problem := InputFile(file).name_problem():
        console.print(f"But {problem}.", soft_wrap=True, markup=False)
        return False
    return True


def _likely_cause(checked: CheckResult) -> str:
    """Return why no row would be sent, and what to do."""
    summary = checked.summary
    skipped = summary.tally.outcomes.get("skipped", 0)
    problem = summary.metadata.file_error
    if problem is not None:
        code, rows = problem.code, 0
    elif skipped == summary.tally.rows or not summary.tally.codes:
        code, rows = "FILTER_KEEPS_NO_ROW", skipped
    else:
        refusing = {
            code: count
            for code, count in summary.tally.codes.items()
            if lookup(code).outcome is not None
        }
        code, rows = max(refusing.items(), key=lambda each: each[1])
    entry = lookup(code)
    where = f" ({number_of_rows(rows)})" if rows else ""
    return f"The likely cause is {code}{where}: {entry.meaning} {entry.action}"
