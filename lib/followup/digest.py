"""News where people are: what a sweep tells them, in one digest for each address.

    lines about concerns             ─┐
    finished files, rows to correct  ─┴─▶ news, numbered ─▶ a letter to each address, of all that
                                                            is newer than what it was told

News is saved together with the concerns, so of two sweeps at once only one has it. What an
address does not accept stays, and the next sweep tries again.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from lib.catalogue.codes import lookup
from lib.catalogue.texts import number_of, number_of_rows
from lib.config.settings import Settings
from lib.errors import UploadError
from lib.followup.concerns import Line
from lib.followup.rhythm import calendar_of
from lib.followup.watch import to_correct
from lib.model.notices import Letter, Post, Recipient
from lib.model.outcomes import LOST, OUTCOMES, Outcome
from lib.results.overview import FileResults
from lib.results.page import bucket_address, money
from lib.state.concerns import KnownAddress, News, NewsState
from lib.state.output import OVERVIEW, report_name

MOST_NEWS: Final = 100
KEPT_FOR: Final = timedelta(days=3)
"""News that cannot be told are kept for so long, and so many; of others, only the number is told.
"""
MOST_CHARS: Final = 6000
"""Nobody reads more, and some services accept far less."""
SENDING_FOR: Final = timedelta(minutes=5)
_LISTED_LATE: Final = timedelta(hours=1)
"""A results document can be listed so long after the time in its label."""
_LONGEST_NAME: Final = 100
_LONGEST_LINK: Final = 400
_MARGIN: Final = 100
"""Characters for the last line, and for what a service writes in another way, such as &amp;."""

_TO_DO: Final = (
    "Each report says which rows are wrong, and why. Correct them, and upload them again in a file."
)

# Full-width forms look the same, and no service takes them for markup, a mention or a link.
_SIGNS: Final = str.maketrans({each: chr(ord(each) + 0xFEE0) for each in "*<>&@[]`|~\\!#"})
_MARKUP: Final = re.compile(r"(?<![^\W_])_|_(?![^\W_])|:(?=//)")


def plain(text: str, most: int = 500) -> str:
    """Return a text on one line that means itself in Markdown, HTML and every chat.

    Names of files and profiles may contain anything.
    """
    line = "".join(each if each.isprintable() else " " for each in text).translate(_SIGNS)
    line = _MARKUP.sub(lambda found: chr(ord(found[0]) + 0xFEE0), line)
    return line if len(line) <= most else f"{line[: most - 1]}…"


def _link(label: str, address: str) -> str:
    safe = address.replace("(", "%28").replace(")", "%29")
    return f" [{label}]({safe})" if len(safe) <= _LONGEST_LINK else ""


# ── what is new ──────────────────────────────────────────────────────────────────────────────


def add_news(
    state: NewsState,
    lines: Iterable[Line],
    files: Sequence[FileResults],
    settings: Settings,
    now: datetime,
) -> NewsState:
    """Return the state with what there is to tell now."""
    since = state.since or now
    oldest = _text(since - _LISTED_LATE)
    changed = [each for each in files if each.finished_at >= oldest]
    told = {each.results: to_correct(each) for each in changed if _is_news(each, state.files)}
    texts = [
        (False, line.severity != "WARNING" and line.told != "over", _of_concern(line))
        for line in lines
    ]
    texts += [
        (True, False, _of_file(each, settings.output_bucket))
        for each in changed
        if each.results in told
    ]
    news = [News(number, now, *each) for number, each in enumerate(texts, state.number + 1)]
    if now - since >= _LISTED_LATE:
        since = now
    oldest = _text(since - _LISTED_LATE)
    known = {**state.files, **told}
    kept = {
        each.results: known[each.results]
        for each in files
        if each.results in known and (each.finished_at >= oldest or each.is_open)
    }
    pending = [each for each in state.pending if now - each.at < KEPT_FOR]
    return replace(
        state,
        since=since,
        files=kept,
        number=state.number + len(news),
        pending=(*pending, *news)[:MOST_NEWS],
        last_digest=state.last_digest or now,
    )


def _text(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")


def _is_news(file: FileResults, told: Mapping[str, int]) -> bool:
    """Return whether a person must act, and for more rows than was told. A test is no news."""
    if file.status in ("superseded", "same_as") or file.validate_only:
        return False
    rows = to_correct(file)
    return (rows > 0 or file.status == "stopped") and rows > told.get(file.results, -1)


def _of_file(file: FileResults, bucket: str) -> str:
    name = plain(file.name, _LONGEST_NAME)
    if file.status == "stopped":
        code = lookup(file.code)
        what = f"{name} was stopped: {plain(code.meaning)} {plain(code.action_if_stopped)}"
    else:
        counts = ", ".join(
            f"{file.counts[each]:,} {each.replace('_', ' ')}{_worth(file, each)}"
            for each in OUTCOMES
            if file.counts.get(each)
        )
        rows = number_of_rows(file.counts.get("rows", 0))
        what = f"{name}: {to_correct(file):,} of {rows} need correction ({counts})."
    return what + _link("Open the report", bucket_address(bucket, report_name(file.results)))


def _worth(file: FileResults, outcome: Outcome) -> str:
    """Return what is at stake: the sums of rows that do not count."""
    sums = file.money.get(outcome, {}) if outcome in LOST else {}
    text = money(sums)
    return f" worth {plain(text)}" if text else ""


def _of_concern(line: Line) -> str:
    fields = line.fields
    again = " (still)" if line.told == "still" else ""
    what = f"{fields['title']}{again}: {fields['detail'].rstrip('.')}. {fields['action']}"
    return plain(what, 900) + _link("Open", fields["link"])


# ── telling ──────────────────────────────────────────────────────────────────────────────────


def claim(state: NewsState, settings: Settings, now: datetime) -> NewsState:
    """Return the state of a sweep that tells the news, or the same one if it is not its turn.

    It is, if a digest is due, or if the last one did not reach everybody.
    """
    is_due = _is_due(state, settings, now)
    is_other = state.sending_until is not None and state.sending_until > now
    failed = any(each.failed for each in state.addresses.values())
    if not state.pending or is_other or not (is_due or failed):
        return state
    last = now if is_due else state.last_digest
    return replace(state, sending_until=now + SENDING_FOR, last_digest=last)


def _is_due(state: NewsState, settings: Settings, now: datetime) -> bool:
    if settings.notices_hour is None:
        return True
    local = now.astimezone(calendar_of(settings)[0].zone)
    due = local.replace(hour=settings.notices_hour, minute=0, second=0, microsecond=0)
    if due > local:
        due -= timedelta(days=1)
    return state.last_digest is not None and state.last_digest < due


def deliver(
    state: NewsState, post: Post, settings: Settings, now: datetime
) -> dict[str, KnownAddress]:
    """Send what is new to each address, and return what it knows then. `now` is that of `claim`."""
    known = dict(state.addresses)
    try:
        addresses = post.addresses() or [Recipient("NOTICES", "NOTICES", problem="has no address")]
        known = {each.key: known.get(each.key, _newcomer(state)) for each in addresses}
    except UploadError as error:
        addresses = [Recipient("NOTICES", "NOTICES", problem=error.code)]
        known.setdefault("NOTICES", _newcomer(state))
    problems = {each.key: each.problem for each in addresses if each.problem}
    is_digest = state.last_digest == now
    turns = [each for each in addresses if is_digest or known[each.key].failed]
    letters = {
        each.key: letter
        for each in turns
        if not each.problem and (letter := letter_to(each, known[each.key].told, state, settings))
    }
    problems |= post.send(letters)
    for key, name, *_ in turns:
        before = known[key]
        if key in problems:
            since = before.since or now
            known[key] = KnownAddress(before.told, before.failed + 1, since, name, problems[key])
        elif key in letters or not before.failed:
            known[key] = KnownAddress(state.number)
    return known


def _newcomer(state: NewsState) -> KnownAddress:
    return KnownAddress(state.pending[0].number - 1 if state.pending else state.number)


def record(state: NewsState, addresses: Mapping[str, KnownAddress]) -> NewsState:
    """Return the state, as it is saved now, after a delivery: what all know is no news."""
    all_know = min((each.told for each in addresses.values()), default=0)
    pending = tuple(each for each in state.pending if each.number > all_know)
    return replace(state, pending=pending, addresses=addresses, sending_until=None)


def letter_to(address: Recipient, told: int, state: NewsState, settings: Settings) -> Letter | None:
    """Return the news after those that an address was told; None: there are none for it."""
    found = [each for each in state.pending if each.number > told]
    more = state.number - told - len(found)
    if address.only_urgent:
        found, more = [each for each in found if each.urgent], 0
    if not found:
        return None
    title = _title(found, more)
    overview = _link("Open the overview", bucket_address(settings.output_bucket, OVERVIEW))
    left = min(address.most_chars, MOST_CHARS) - len(title) - len(overview) - len(_TO_DO) - _MARGIN
    texts = []
    for each in sorted(found, key=lambda each: not each.urgent):
        if len(each.text) + 2 > left:
            break
        left -= len(each.text) + 2
        texts.append(each.text)
    more += len(found) - len(texts)
    last = (f"And {more:,} more." if more else "All files:") + overview
    if any(each.is_file for each in found):
        last = f"{_TO_DO}\n\n{last}"
    return Letter(title, "\n\n".join([*texts, last]), any(each.urgent for each in found))


def _title(news: Sequence[News], more: int) -> str:
    files = sum(each.is_file for each in news)
    concerns = len(news) - files
    parts = [f"{number_of(files, 'file')} to correct"] if files else []
    parts += [number_of(concerns, "concern")] if concerns else []
    parts += [f"{more:,} more"] if more else []
    return f"Google Ads conversions: {', '.join(parts)}"
