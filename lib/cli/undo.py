"""`undo FILE RESULTS`: writes the file of adjustments that takes back what was uploaded.

FILE is read again as the run read it: at its time, with its profile. So every conversion gets
the order ID that was sent, also a derived one. Rows that the results list with another outcome were
not uploaded. Before the output appears, it is read as the function will read it: each of its rows
must retract the conversion that is meant.
"""

from __future__ import annotations

import csv
import io
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from pathlib import Path
from typing import IO, Any, Final, NamedTuple, get_args

import click

from lib.adapters.workbook import read_in_child
from lib.catalogue.codes import lookup
from lib.catalogue.texts import number_of_rows
from lib.cli.check import MAX_FILE_BYTES, MAX_FILE_LINES, OfflineDestination
from lib.cli.escaping import on_terminal
from lib.cli.files import difference, other_file, refuse_existing, replacing
from lib.cli.options import file_and_results, named_profile, now_option, profile_of
from lib.cli.terminal import TaughtCommand, mention
from lib.config.profile import Profile
from lib.destinations import registry
from lib.destinations.registry import capabilities_of
from lib.errors import PermanentError
from lib.model.account import Account, Action
from lib.model.fields import RecordKind
from lib.model.log import Log, SilentLog
from lib.model.records import Adjustment, Call, Conversion, Record, is_derived_order_id
from lib.model.sent_requests import ranges_of
from lib.results.reading import NotResults, WrittenHead, WrittenRow, read_results
from lib.results.spreadsheet import in_spreadsheet
from lib.rules.row_rules import RULES_VERSION
from lib.run.chunks import chunk_limits_of, chunks_of, validate
from lib.run.plan import plan_file
from lib.run.reading import read_header, read_table, sender_of
from lib.source.errors import SourceError
from lib.source.header import columns_named
from lib.state.run import Terms, first_claim
from lib.state.store import Readable, StoredObject

_EXAMPLES = """
\b
Examples:
  Take back what the upload of a file has counted:
    {program} undo deals.csv deals.results.json

\b
  Take the results from the bucket (install the command with
  pipx install --force "offline-conversions[gcs]"), and name the output:
    {program} undo leads.csv \\
      gs://BUCKET/leads.csv.1795521600000001.results.json -o take-back.csv

\b
  Compare the output with the profile that the folder has today:
    {program} undo leads.csv leads.csv.1795521600000001.results.json \\
      --profiles profiles.json --profile crm -o take-back-crm.csv

Exit code: 0 if everything that was uploaded is in the output, or nothing was uploaded. 1 if
something cannot be taken back, or FILE is not the file of RESULTS. 2 if the command is wrong.
"""

_TEMPLATE: Final = {
    "customer_id": "customer_id",
    "order_id": "Order ID",
    "gclid": "Google Click ID",
    "conversion_action": "Conversion Name",
    "conversion_date_time": "Conversion Time",
    "adjustment_date_time": "Adjustment Time",
    "adjustment_type": "Adjustment Type",
    "adjusted_value": "Adjusted Value",
    "adjusted_value_currency": "Adjusted Value Currency",
}
"""Field → the name of its column in Google's template, which Google Ads accepts by hand too."""
_ALWAYS: Final = ("adjusted_value", "adjusted_value_currency")
"""Columns of the template that are empty in a retraction."""
_A_DAY: Final = timedelta(hours=24)
_LINES_SHOWN: Final = 20
_EVERY_KIND: Final = frozenset(get_args(RecordKind))
_FINAL: Final = (
    "A retraction is final. Google never counts the conversion again: a corrected one needs "
    "another order ID or, if it has none, another conversion time. If only values were wrong, send "
    "their new values instead, in rows with the adjustment type RESTATE."
)


@click.command(
    "undo", cls=TaughtCommand, epilog=_EXAMPLES, short_help="Write what takes an upload back."
)
@file_and_results(
    output="undo.csv",
    output_help="Write the adjustments to this file.",
    profiles_help="File with the profiles of today, if they have changed since the upload. Needed "
    "if the results do not have their profile.",
)
@click.option(
    "--action-id",
    "ids",
    metavar="NAME=ID",
    multiple=True,
    help="ID of a conversion action that the profile or the file names. Needed for rows whose "
    "order ID was derived.",
)
@now_option
def undo_command(
    file: Path,
    results: IO[bytes],
    output: Path,
    force: bool,
    profiles: IO[bytes] | None,
    name: str | None,
    ids: tuple[str, ...],
    now: datetime,
) -> None:
    """Write a file of adjustments that takes back the conversions of FILE that were uploaded.

    RESULTS is the results document of FILE. Each conversion is retracted by its order ID, or else
    by its click and time. Upload the output to the same folder, and Google counts none of them any
    more. That is final. Nothing is sent by this command.

    RESULTS and --profiles can be gs:// addresses, or - for standard input.
    """
    if not output.name.lower().endswith(".csv"):
        raise click.BadParameter("its name must end in .csv.", param_hint="-o")
    refuse_existing(output, force)
    try:
        head, rows = read_results(results)
        if nothing := _nothing_to_undo(head):
            mention(nothing)
            return
        given = named_profile(profiles, name, head.profile or "default")
        if (then := profile_of(head) or given) is None:
            raise click.UsageError("The results do not have their profile. Add --profiles FILE.")
        undoing = _Undoing(file, head, then, given, _action_ids(ids), now)
        is_complete = undoing.write(rows, output)
    except NotResults as error:
        raise click.ClickException(f"RESULTS cannot be used: {error}.") from None
    except (SourceError, PermanentError) as error:
        raise click.ClickException(f"{file}: {lookup(error.code).meaning} {error.detail}") from None
    raise SystemExit(0 if is_complete else 1)


def _nothing_to_undo(head: WrittenHead) -> str:
    """Return why there is nothing to take back, or ""."""
    if head.other_generation:
        raise click.ClickException(
            f"The rows are in the results of generation {head.other_generation}: use those."
        )
    if head.validate_only:
        return "Nothing was uploaded: these are the results of a check."
    if not head.counts.get("uploaded"):
        return f"Nothing was uploaded, so there is nothing to take back.{_not_theirs(head)}"
    return ""


def _action_ids(given: Sequence[str]) -> dict[str, str]:
    """`Closed deal=1001` → name → ID."""
    ids = {}
    for each in given:
        action, _, number = each.rpartition("=")
        if not action or not number.isdecimal():
            raise click.BadParameter(
                f"{each}: write the name of the action and its ID, such as Sale=1001.",
                param_hint="--action-id",
            )
        ids[action] = number
    return ids


# ── reading a file as the function does ──────────────────────────────────────────────────────────


@dataclass(slots=True)
class _KnownIds(OfflineDestination):
    """An offline destination that knows the IDs of some conversion actions."""

    ids: Mapping[str, str] = field(default_factory=dict)

    def account(self, customer_id: str, *, fresh: bool = False) -> Account:
        """Return the account with these actions. Others are accepted by the name that they have."""
        actions = {
            number: Action(number, name, True, _EVERY_KIND, False, 90)
            for name, number in self.ids.items()
        }
        return Account(customer_id, customer_id, names_on_trust=True, actions=actions)


class _ReadRow(NamedTuple):
    """A row that would be sent, with its cells."""

    line: int
    record: Record
    cells: Sequence[str]


class _ReadFile:
    """A file, read as a run at `now` reads it. `refused` counts the codes of its other rows.

    The profile `uploading` skips rows by the columns `filtered_by`.
    """

    def __init__(
        self,
        content: Readable,
        profile: Profile,
        now: datetime,
        ids: Mapping[str, str],
        uploading: Profile | None = None,
    ) -> None:
        def connect(profile: Profile, log: Log) -> _KnownIds:
            return _KnownIds(capabilities_of(profile.destination), ids=ids)

        terms = Terms("", None, chunk_limits_of(profile), RULES_VERSION, "")
        self._run = first_claim(StoredObject("", "", 0, 0), "", now, 0, terms)
        self.table = read_table(
            content, profile, MAX_FILE_BYTES, MAX_FILE_LINES, read_sheet=read_in_child
        )
        self.header = read_header(self.table, profile)
        self.filtered_by = _filtered_by(uploading or profile, self.table.header)
        self.plan = plan_file(
            self.table,
            self.header,
            profile,
            self._run,
            connect,
            SilentLog(),
            also_read=self.filtered_by,
        )
        self.number_of_rows = 0
        self.refused: Counter[str] = Counter()

    def rows(self) -> Iterator[_ReadRow]:
        """Yield the rows that would be sent, in the order of the file."""
        for chunk in chunks_of(self.table.records(), self._run.chunk_limits, self.table.width):
            if chunk.number == 0:
                self.plan.decides_integer_order_ids(chunk.rows)
            self.number_of_rows += len(chunk.rows)
            cells = {row[0]: row[1] for row in chunk.rows}
            found: dict[int, Record] = {}
            for _, each in validate(self.plan, chunk)[1]:
                found.update(zip(each.lines, each.records, strict=True))
                self.refused.update(error.code for row in each.refused for error in row.errors)
            yield from (_ReadRow(line, found[line], cells[line]) for line in sorted(found))


# ── what was uploaded, and what takes it back ────────────────────────────────────────────────────


class _Target(NamedTuple):
    """The conversion that is retracted, as Google knows it."""

    customer_id: str
    action_id: str
    order_id: str
    gclid: str
    time: str

    @property
    def key(self) -> bytes:
        """A digest of it."""
        return blake2b("\x1f".join(self).encode(), digest_size=16).digest()


def _target(record: Conversion, order_id: str | None) -> _Target | None:
    """Return how Google knows a conversion; None if it cannot be named."""
    if order_id:
        return _Target(record.customer_id, record.action_id, order_id, "", "")
    if record.gclid:
        return _Target(record.customer_id, record.action_id, "", record.gclid, record.time)
    return None


def _adjusted(record: Adjustment) -> _Target:
    """Return which conversion an adjustment is about."""
    return _Target(
        record.customer_id,
        record.action_id,
        record.order_id or "",
        "" if record.order_id else record.gclid,
        "" if record.order_id else record.conversion_time,
    )


@dataclass(slots=True)
class _Counts:
    """What happens to the uploaded rows. The lists have lines of the file."""

    uploaded: int = 0
    written: int = 0
    recent: int = 0
    too_old: list[int] = field(default_factory=list)
    unnamed: list[int] = field(default_factory=list)
    calls: list[int] = field(default_factory=list)
    adjustments: dict[int, bytes] = field(default_factory=dict)
    targets: set[bytes] = field(default_factory=set)

    def not_taken_back(self) -> dict[str, list[int]]:
        """Return why rows are not in the output → their lines."""
        only_adjusted = [line for line, key in self.adjustments.items() if key not in self.targets]
        return {
            "too old: Google no longer adjusts them, and they stay counted": self.too_old,
            "without order ID and gclid: Google cannot find them": self.unnamed,
            "from phone calls, which Google does not adjust": self.calls,
            "adjustments of earlier conversions, which cannot be taken back: to correct a value, "
            "upload a later adjustment": only_adjusted,
        }


@dataclass(frozen=True, slots=True)
class _Undoing:
    """One use of the command. `then` is the profile of the upload, `given` that of today."""

    file: Path
    head: WrittenHead
    then: Profile
    given: Profile | None
    ids: Mapping[str, str]
    now: datetime

    def write(self, rows: Iterator[WrittenRow], output: Path) -> bool:
        """Write the output. Return whether it takes back everything that was uploaded."""
        uploading, has_route = _retracting(self.given or self.then)
        with self.file.open("rb") as content, tempfile.TemporaryFile("w+", newline="") as spool:
            if different := difference(content, self.head.source):
                raise click.ClickException(other_file(self.file, self.head.source, different))
            content.seek(0)
            counts, order = _Counts(), blake2b()
            columns = self._collect(content, rows, uploading, csv.writer(spool), counts, order)
            if counts.written:
                spool.seek(0)
                with replacing(output) as copy:
                    _copy_used(spool, columns, copy, uploading.delimiter or ",")
                    copy.seek(0)
                    self._compare(copy, uploading, order.digest())
                    mention(_FINAL)
        text = _summary(counts, output, self.head, uploading, has_route)
        if is_complete := not any(counts.not_taken_back().values()):
            mention(text)
        else:
            click.echo(on_terminal(text), err=True)
        return is_complete

    def _collect(
        self,
        content: IO[bytes],
        rows: Iterator[WrittenRow],
        uploading: Profile,
        spool: Any,
        counts: _Counts,
        order: Any,
    ) -> list[str]:
        """Write a row for each conversion that was uploaded. Return the names of the columns."""
        then = datetime.fromisoformat(self.head.started_at)
        read = _ReadFile(content, self.then, then, self.ids, uploading)
        names, copied = _columns(read, uploading)
        sent_order_id, limit = read.plan.sales.sent_order_id, _adjustable_for(uploading)
        listed = _Listed(rows)
        nameless: set[str] = set()
        for line, record, cells in read.rows():
            row = listed.at(line)
            if row is not None and row.outcome != "uploaded":
                continue
            counts.uploaded += 1
            if isinstance(record, Call):
                counts.calls.append(line)
                continue
            if isinstance(record, Adjustment):
                counts.adjustments[line] = _adjusted(record).key
                continue
            order_id = (row and row.order_id) or record.order_id
            if row is None and order_id and is_derived_order_id(order_id):
                nameless |= {record.action_id} if not record.action_id.isdecimal() else set()
            target = _target(record, sent_order_id(order_id) if order_id else None)
            age = self.now - datetime.fromisoformat(record.time)
            if target is None:
                counts.unnamed.append(line)
            elif limit is not None and age > limit:
                counts.too_old.append(line)
            else:
                counts.written += 1
                if target.key not in counts.targets:  # Google counts a repeat once
                    counts.targets.add(target.key)
                    counts.recent += age < _A_DAY
                    order.update(target.key)
                    ours = self._cells(target, "customer_id" in read.header.fields)
                    spool.writerow([*ours, *(cells[read.plan.places[at]] for at in copied)])
        if nameless:
            raise click.UsageError(_ask_for_ids(nameless))
        self._refuse_other_reading(read, counts)
        return [*names, *(read.table.header[at] for at in copied)]

    def _cells(self, target: _Target, names_account: bool) -> list[str]:
        """Return the cells of the template's columns."""
        offset = len("+00:00")
        time = f"{target.time[:-offset]}{target.time[-offset:].replace(':', '')}"
        values = {
            "customer_id": target.customer_id if names_account else "",
            "order_id": target.order_id,
            "gclid": target.gclid,
            "conversion_action": target.action_id,
            "conversion_date_time": time,
            "adjustment_date_time": f"{self.now.astimezone(UTC):%Y-%m-%d %H:%M:%S}+0000",
            "adjustment_type": "RETRACT",
        }
        return [in_spreadsheet(values.get(each, "")) for each in _TEMPLATE]

    def _refuse_other_reading(self, read: _ReadFile, counts: _Counts) -> None:
        """Refuse a file that was read in another way when its results were made."""
        then = self.head.counts
        if (read.number_of_rows, counts.uploaded) != (then.get("rows"), then.get("uploaded")):
            raise click.ClickException(
                f"{self.file} cannot be read as it was when it was uploaded: "
                f"{counts.uploaded:,} rows would be sent now, and "
                f"{number_of_rows(then.get('uploaded', 0))} were uploaded. Use the version of "
                "this program, and the profile, that the upload had."
            )

    def _compare(self, output: IO[bytes], uploading: Profile, order: bytes) -> None:
        """Read the output as the function will. Raises `ClickException` if it would do something
        else than what is meant."""
        found = blake2b()
        try:
            read = _ReadFile(output, uploading, self.now, self.ids)
            for _, record, _ in read.rows():
                assert isinstance(record, Adjustment)
                if record.adjustment_type == "retraction":
                    found.update(_adjusted(record).key)
            reasons = [*read.refused]
        except (SourceError, PermanentError) as error:
            reasons = [error.code]
        if found.digest() == order:
            return
        why = " ".join(f"{code}: {lookup(code).meaning}" for code in reasons) or (
            'Its order IDs would be read in another form: if they end with .0, set "order_ids": '
            '"keep" in the profile for this upload.'
        )
        raise click.ClickException(
            f"With the profile, the output would not take back what was uploaded. {why} Give a "
            "profile that reads it with --profiles FILE --profile NAME, and upload the output to "
            "the folder NAME."
        )


class _Listed:
    """The rows that the results list, which are asked for in the order of the file."""

    def __init__(self, rows: Iterator[WrittenRow]) -> None:
        self._rows = rows
        self._next = next(rows, None)

    def at(self, line: int) -> WrittenRow | None:
        """Return the row that begins in this line, if it is listed."""
        while self._next is not None and self._next.line < line:
            self._next = next(self._rows, None)
        return self._next if self._next is not None and self._next.line == line else None


def _retracting(profile: Profile) -> tuple[Profile, bool]:
    """Return the profile with an API that retracts, and whether it has one already."""
    if sender_of(profile, "adjustment").retracts:
        return profile, True
    able = next(each for each in registry.names() if capabilities_of(each).retracts)
    return profile.model_copy(update={"adjustments_via": able}), False


def _adjustable_for(profile: Profile) -> timedelta | None:
    can = sender_of(profile, "adjustment").of_kind("adjustment")
    return can.adjustable_for if can is not None else None


def _filtered_by(profile: Profile, header: Sequence[str]) -> set[int]:
    """Return the columns by which a profile skips rows."""
    names = (*profile.include, *profile.exclude)
    return {at for name in names for at in columns_named(name, header)}


def _columns(read: _ReadFile, uploading: Profile) -> tuple[list[str], list[int]]:
    """Return the names of the template's columns, and the columns that are copied: those by which
    the profile would skip the rows."""
    fields, header, filtered_by = read.header.fields, read.table.header, read.filtered_by
    names, own = [], set()
    for each, name in _TEMPLATE.items():
        at = fields.get(each)
        if at in filtered_by:
            own.add(at)
            names.append(header[at])
        else:
            names.append(next(iter(uploading.headers.get(each, ())), name))
    return names, sorted(filtered_by - own)


def _copy_used(spool: IO[str], names: Sequence[str], copy: IO[bytes], delimiter: str) -> None:
    """Write the columns that have a cell. A byte order mark takes precedence over the encoding that
    the profile sets."""
    used = {at for at, each in enumerate(_TEMPLATE) if each in _ALWAYS}
    used.update(range(len(_TEMPLATE), len(names)))
    for row in csv.reader(spool):
        used.update(at for at, cell in enumerate(row) if cell)
    kept = sorted(used)
    spool.seek(0)
    text = io.TextIOWrapper(copy, "utf-8-sig", newline="", write_through=True)
    writer = csv.writer(text, delimiter=delimiter)
    writer.writerow([names[at] for at in kept])
    writer.writerows([row[at] for at in kept] for row in csv.reader(spool))
    text.detach()


# ── what the command says ────────────────────────────────────────────────────────────────────────


def _ask_for_ids(names: set[str]) -> str:
    options = " ".join(f'--action-id "{each}=ID"' for each in sorted(names))
    return (
        "Rows without an order ID and click ID were sent with an order ID that is derived from the "
        f"ID of their conversion action, and only its name is known here. Add {options}: the "
        "number after ctId= in the address of its page in Google Ads."
    )


def _summary(
    counts: _Counts, output: Path, head: WrittenHead, uploading: Profile, has_route: bool
) -> str:
    texts = []
    if counts.written:
        place = f"the folder {head.profile}" if "/" in head.source.name else "the same folder"
        texts.append(
            f"{output}: {number_of_rows(counts.written)} of {counts.uploaded:,} that were uploaded."
        )
        if has_route:
            texts.append(f"Upload this file to {place}.")
        else:
            texts.append(_without_route(uploading))
        if counts.recent:
            texts.append(
                f"{number_of_rows(counts.recent)} will wait (deferred) until the conversion is 24 "
                "hours old."
            )
    for reason, lines in counts.not_taken_back().items():
        if lines:
            texts.append(
                f"Not taken back: {number_of_rows(len(lines))} ({_lines(lines)}) {reason}."
            )
    return " ".join(texts) + _not_theirs(head)


def _without_route(uploading: Profile) -> str:
    able = uploading.adjustments_via or ""
    title = capabilities_of(able).title
    return (
        f"The API of the profile cannot retract: this file is for the {title}. "
        f'Set "adjustments_via": "{able}" in the profile, and upload the file to the same folder. '
        "If you have no access to that API, upload the file by hand in Google Ads: Goals > "
        "Conversions > Uploads."
    )


def _not_theirs(head: WrittenHead) -> str:
    """Return what is not in the output, because this upload has not counted it."""
    text = ""
    if count := head.counts.get("duplicate", 0):
        text += (
            f" Not in it: {number_of_rows(count)} that Google had counted before, or that repeat "
            "another row (duplicate)."
        )
    if count := head.counts.get("deferred", 0):
        text += (
            f" Not in it: {number_of_rows(count)} that still wait and will be uploaded "
            "automatically. When the status of the results is no longer waiting, run this command "
            "again with the new results; what is retracted already comes back as a duplicate."
        )
    return text


def _lines(lines: Sequence[int]) -> str:
    ranges = ranges_of(sorted(lines))
    shown = [f"{a}" if a == b else f"{a}-{b}" for a, b in ranges[:_LINES_SHOWN]]
    more = ", ..." if len(ranges) > _LINES_SHOWN else ""
    return f"{'line' if len(lines) == 1 else 'lines'} {', '.join(shown)}{more}"
