"""The results document for people: one HTML file, `.results.html` beside the `.results.json`.

It is made of the document's head and of `Findings`, so its size is bounded however many rows have
problems. `report_of` makes the same report of a results document that lies on a disk.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from jinja2 import UndefinedError

from lib.catalogue.codes import lookup
from lib.catalogue.texts import number_of, number_of_rows
from lib.model.money import Sum, plain_amount
from lib.model.outcomes import OUTCOMES
from lib.results.document import SCHEMA_VERSION
from lib.results.findings import (
    MOST_DETAILS,
    Cause,
    Findings,
    ListedRow,
    Numbers,
    findings_of,
    root_first,
)
from lib.results.page import money, render, share_of

MOST_CAUSES_SHOWN = 50
MOST_CURRENCIES = 12
PRINTED_CAUSES = 12
PRINTED_ROWS = 40
"""A report that nobody can hold in a hand is not read: together some five pages."""
_FIRST_RANGES = 8
_MOST_REQUESTS = 50
_BAR = 1_000
_SMALLEST_PART = 8
_NUMBER = re.compile(r"\d+")
_MALFORMED = (
    *(ArithmeticError, AttributeError, LookupError, TypeError, ValueError, RecursionError),
    UndefinedError,
)
"""What a document raises in which a part is missing, is of another type or is out of range."""


@dataclass(frozen=True, slots=True)
class Links:
    """Where the other parts of the results are. Empty: not known, so there is no link."""

    document: str = ""
    overview: str = ""


class NotADocument(ValueError):
    """The content is no results document of this version."""


def report_of(document: Mapping[str, Any], links: Links = Links()) -> str:
    """Return the report on a results document. Raises `NotADocument`."""
    if document.get("schema_version") != SCHEMA_VERSION:
        raise NotADocument(f"not a results document of version {SCHEMA_VERSION}")
    try:
        head = {name: part for name, part in document.items() if name != "rows"}
        if any(count < 0 for count in head["counts"].values()):
            raise ValueError("a negative count")
        return render_report(head, findings_of(document["rows"]), links)
    except _MALFORMED as error:
        raise NotADocument(f"not a results document: {type(error).__name__}") from None


def render_report(head: Mapping[str, Any], findings: Findings, links: Links = Links()) -> str:
    """Return the report on a file; `head` is its results document without the rows."""
    columns: Mapping[str, str] = head["columns"]
    causes = findings.by_importance()
    shown = [_cause(each, head, columns) for each in causes[:MOST_CAUSES_SHOWN]]
    rows = [_row(each, columns) for each in findings.listed()]
    requests = head["request_ids"]
    return render(
        "report.html",
        head=head,
        name=head["source"]["name"],
        account=re.sub(r"^(\d{3})(\d{3})(\d{4})$", r"\1-\2-\3", head["customer_id"]),
        headline=_headline(head, findings),
        parts=list(_parts(head["counts"], head["money"])),
        causes=shown,
        causes_left_out=len(causes) - len(shown),
        rows=rows,
        noteworthy=findings.noteworthy,
        filters={
            "outcome": [each for each in OUTCOMES if any(r["outcome"] == each for r in rows)],
            "code": [each.code for each in causes],
            "column": sorted({name for r in rows for name in r["columns"]}),
        },
        advice={code: entry["action"] for code, entry in head["codes"].items()},
        notes=[_note(each, head["codes"]) for each in head["notes"]],
        file_error=head["file_error"] and _note(head["file_error"], head["codes"]),
        requests=requests[:_MOST_REQUESTS],
        requests_left_out=max(0, len(requests) - _MOST_REQUESTS),
        links=links,
        printed_causes=PRINTED_CAUSES,
        printed_rows=PRINTED_ROWS,
    )


def _parts(counts: Mapping[str, int], worth: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the parts of the bar. A part that has rows can be seen, however few they are."""
    present = [(each, counts[each]) for each in OUTCOMES if counts.get(each)]
    total = sum(count for _, count in present)
    widths = [max(_SMALLEST_PART, count * _BAR / total) for _, count in present]
    scale = _BAR / sum(widths) if widths else 1
    at = 0.0
    for (outcome, count), width in zip(present, widths, strict=True):
        yield {
            "outcome": outcome,
            "count": count,
            "share": share_of(count, total),
            "words": OUTCOMES[outcome].legend,
            "worth": _worth(worth.get(outcome)),
            "x": round(at, 2),
            "width": round(width * scale, 2),
        }
        at += width * scale


def _worth(of_outcome: Mapping[str, Any] | None) -> str:
    sums = of_outcome["sums"] if of_outcome is not None else {}
    found = {currency: Sum(each["rows"], each["micros"]) for currency, each in sums.items()}
    return money(found, MOST_CURRENCIES)


def _cause(cause: Cause, head: Mapping[str, Any], columns: Mapping[str, str]) -> dict[str, Any]:
    advice = head["codes"].get(cause.code) or {}
    entry = lookup(cause.code)
    title, stop, more = advice.get("meaning", entry.meaning).partition(". ")
    stop = "" if not more else "."
    return {
        "code": cause.code,
        "severity": advice.get("severity", entry.severity),
        "needs_action": advice.get("needs_action", entry.needs_action),
        "title": title + stop,
        "more": more,
        "action": advice.get("action", entry.action),
        "rows": cause.rows,
        "worth": money(cause.sums),
        "explained": cause.explained,
        "roots": [code for code, _ in cause.roots.most_common(MOST_DETAILS)],
        "outcomes": [(each, cause.outcomes[each]) for each in OUTCOMES if cause.outcomes[each]],
        "columns": [(columns.get(name, name), n) for name, n in cause.fields.most_common()],
        "lines": _ranges(cause.lines),
        "records": _ranges(cause.records),
        "details": _details(cause),
    }


def _details(cause: Cause) -> list[str]:
    """Return the details, unless they differ much. Those that name a line are in its order."""
    if len(cause.details) > MOST_DETAILS:
        return []
    return sorted(cause.details, key=lambda each: _NUMBER.sub(lambda n: n[0].zfill(9), each))


def _ranges(numbers: Numbers) -> dict[str, Any]:
    ranges = numbers.ranges()
    return {
        "first": _written(ranges[:_FIRST_RANGES], "–"),
        "rest": _written(ranges[_FIRST_RANGES:], "–"),
        "rest_ranges": max(0, len(ranges) - _FIRST_RANGES),
        "all": _written(ranges, "-"),
        "more": numbers.more,
    }


def _written(ranges: Sequence[tuple[int, int]], dash: str) -> str:
    return ", ".join(str(a) if a == b else f"{a}{dash}{b}" for a, b in ranges)


def _row(listed: ListedRow, columns: Mapping[str, str]) -> dict[str, Any]:
    row = listed.row
    problems = [
        {
            "code": each.code,
            "is_warning": each in row.warnings,
            "column": columns.get(each.field, each.field),
            "detail": each.detail,
        }
        for each in root_first(row)
    ]
    return {
        "record": listed.record,
        "line": row.line,
        "outcome": row.outcome,
        "order_id": row.order_id,
        "value": money(row.sums),
        "amount": "" if row.micros is None else plain_amount(row.micros),
        "currency": row.currency,
        "problems": problems,
        "columns": list(dict.fromkeys(each["column"] for each in problems if each["column"])),
    }


def _note(problem: Mapping[str, str], codes: Mapping[str, Any]) -> dict[str, Any]:
    return {**codes[problem["code"]], **problem}


Tone = Literal["act", "wait", "done"]


class Headline(NamedTuple):
    """Whether anybody must act (`act`), later hears more (`wait`), or is `done`; and why."""

    tone: Tone
    title: str
    text: str


def _headline(head: Mapping[str, Any], findings: Findings) -> Headline:
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
        others = f" The other {number_of_rows(rest)} need no action." if rest > 1 else ""
        return Headline(
            "act",
            f"Somebody needs to act: {_to_correct(findings)}.",
            f"Correct what the problems below name, and upload the corrected rows again.{others}",
        )
    if "NOT_COUNTED" in head["codes"]:
        code = head["codes"]["NOT_COUNTED"]
        return Headline(
            "act", "Somebody needs to act: Google did not count all rows.", code["action"]
        )
    return None


def _to_correct(findings: Findings) -> str:
    """`4 sales (16,100 USD) need correction`, or rows, if not all of them have a value."""
    rows, valued = findings.to_correct, sum(each.rows for each in findings.sums.values())
    need = "needs" if rows == 1 else "need"
    if valued == rows:
        return f"{number_of(rows, 'sale')} ({money(findings.sums)}) {need} correction"
    known = f"; {valued:,} of them {'is' if valued == 1 else 'are'} worth {money(findings.sums)}"
    return f"{number_of_rows(rows)} {need} correction{known if valued else ''}"


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
