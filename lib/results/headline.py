"""One sentence on a results document: must anybody act?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from lib.catalogue.texts import number_of_rows
from lib.results.findings import Findings

Tone = Literal["act", "wait", "done"]


class Headline(NamedTuple):
    """Whether anybody must act (`act`), later hears more (`wait`), or is `done`; and why."""

    tone: Tone
    title: str
    text: str


def headline_of(head: Mapping[str, Any], findings: Findings) -> Headline:
    """Return the headline of a document; `head` is the document without its rows."""
    if "other_generation" in head:
        return Headline(
            "done",
            "Nobody needs to act.",
            "The same upload wrote this file twice, and the results of the other version have the "
            "rows.",
        )
    return _to_act(head, findings) or _to_wait(head) or _done(head)


def _to_act(head: Mapping[str, Any], findings: Findings) -> Headline | None:
    error, counts = head["file_error"], head["counts"]
    if error is not None:
        code = head["codes"][error["code"]]
        return Headline(
            "act" if code["needs_action"] else "done",
            "Somebody needs to act: the file was stopped."
            if code["needs_action"]
            else "The file was stopped. Nobody needs to act.",
            f"{code['meaning']} {code['action']}",
        )
    if findings.to_correct:
        rest = counts["rows"] - findings.to_correct
        verb = "were not" if findings.to_correct > 1 else "was not"
        if head["validate_only"]:
            verb = "would not be"
        others = f" The other {number_of_rows(rest)} need no action." if rest > 1 else ""
        return Headline(
            "act",
            f"Somebody needs to act: {number_of_rows(findings.to_correct)} {verb} counted.",
            f"Correct what the problems below name, and upload the corrected rows again.{others}",
        )
    if "NOT_COUNTED" in head["codes"]:
        code = head["codes"]["NOT_COUNTED"]
        return Headline(
            "act", "Somebody needs to act: Google did not count all rows.", code["action"]
        )
    return None


def _to_wait(head: Mapping[str, Any]) -> Headline | None:
    counts = head["counts"]
    if deferred := counts["deferred"]:
        return Headline(
            "wait",
            "Nobody needs to act now.",
            f"{number_of_rows(deferred)} cannot be counted yet. The function sends "
            f"{'it' if deferred == 1 else 'them'} again automatically, and then replaces this "
            "report.",
        )
    if awaiting := counts.get("awaiting", 0):
        return Headline(
            "wait",
            "Nobody needs to act now.",
            f"Google has accepted the rows and is still processing {awaiting:,} of them. This "
            "report is replaced when Google has processed them.",
        )
    return None


def _done(head: Mapping[str, Any]) -> Headline:
    counts = head["counts"]
    sent, warned = counts["uploaded"] + counts.get("ok", 0), counts["warnings"]
    verb = "was" if sent == 1 else "were"
    if head["validate_only"]:
        verb = "would be"
    if not counts["rows"]:
        text = "The file has no rows."
    elif not sent:
        text = "None of its rows needed to be uploaded, see below."
    elif sent < counts["rows"]:
        text = f"{number_of_rows(sent)} {verb} uploaded. The others did not need to be, see below."
    else:
        which = "Its only row" if sent == 1 else f"All {number_of_rows(sent)}"
        text = f"{which} {verb} uploaded."
    if warned:
        has = "has" if warned == 1 else "have"
        text += f" {number_of_rows(warned)} {has} a warning, for future files."
    return Headline("done", "Nobody needs to act.", text)
