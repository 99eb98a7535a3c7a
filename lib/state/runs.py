"""Runs: what is saved of the processing of one generation of one object.

    runs/<run>.json     one document for each generation; a lifecycle rule deletes it

    none → working ⇄ waiting
              ↓
             done

When the lease of a working run ends, its attempt has died: another one begins after a wait
(`next_attempt`). A waiting run is due when there is something to do again. A run that is done only
writes results again that somebody has deleted: a file that is dropped again is a new generation,
and so another run.

Only the owner of a lease changes a run, by compare-and-swap. The object's metadata repeat what a
sweep needs to know (`RunEntry`), so that a listing shows it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Annotated, Any, Final, Literal, NamedTuple

import msgspec

from lib.errors import LeaseLost
from lib.model import retries
from lib.model.money import Count
from lib.model.outcomes import Problem, SavedTime
from lib.model.totals import Totals
from lib.state.documents import FORMAT, Documents
from lib.state.store import ObjectMetadata, StoredObject

RunState = Literal["working", "waiting", "done"]

_FOLDER: Final = "runs/"
_ENTRY_KEY: Final = "run"
"""The key of the object's metadata that has the `RunEntry`."""
_FORMAT_KEY: Final = "format"
"""The key of the object's metadata that has the format of the document."""
MAX_ENTRY_BYTES: Final = 4 << 10
"""A sweep keeps the entries of weeks in memory. Cloud Storage allows 8 KiB of metadata for an
object (https://cloud.google.com/storage/quotas#objects)."""
_LONGEST_TEXTS: Final[Mapping[str, int]] = {"stop_detail": 600, "name": 400, "profile": 200}
"""Bytes to which a text is cut if an entry would be too long."""


class ChunkSize(NamedTuple):
    """The number of data rows or characters at which a chunk ends, whichever comes first: at least
    one, or a file would have chunks without a row, and no end.

    Each cell counts as `cell_chars` characters more: in memory, short cells need more than their
    text.
    """

    rows: Annotated[int, msgspec.Meta(ge=1)]
    chars: Annotated[int, msgspec.Meta(ge=1)]
    cell_chars: Count


@dataclass(frozen=True, slots=True)
class FileFacts:
    """What the first complete pass has found out about the file.

    `chunks` is the number of chunks of the file, or of its markers if it ended before a pass was
    complete. `columns` maps fields to the file's own column names. `empty_columns` are columns that
    the profile names and that have no cell.
    """

    chunks: Count
    customer_id: str = ""
    columns: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[Problem, ...] = ()
    empty_columns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Run:
    """What is saved of a run.

    `now`, the profile and the `cut` are those of the first attempt, so that each attempt makes the
    same decisions. `arrived` is when the object came. `owner` is the random token of the attempt
    that works on it, or worked last. `due` is when the lease ends, or when there is something to
    do; None: never again. `late_since` is when work was due that no attempt has ended regularly
    since; None: nothing is late.

    `tries` are the attempts in a row that died, or ran out of time before they saved a marker; they
    are those of one `revision` of the function. `marked` is a fingerprint of the markers when the
    last attempt began. `maybe_sent`: an earlier attempt has begun a request, so any row without a
    marker may have been sent. `cause` is why the last attempt ended early, and `blocked` the code
    of what a person must correct before Google's later word can be read. An API was asked for final
    statuses at `polled_at`, and at `diagnosed_at` for the `diagnostics` of the run's job, which are
    that part of the results.

    `stop` is why the rest of the file is not sent, since `stopped_at`. `superseded_by` is the
    generation of a newer file with the same bytes, which is sent instead; 0: there is none.

    The results were written last at `published_at`; None: there are none, also if the run is done.
    `totals` are a digest of what they say, and `looks` the codes for which somebody must look at
    the file although they lose no row. What is lost or unknown, or `looks`, has changed last at
    `changed_at`; None: never.
    """

    source: StoredObject
    arrived: SavedTime
    now: SavedTime
    profile_name: str
    profile: Any  # a mapping or None, but another version may have written it
    cut: ChunkSize
    state: RunState
    owner: str
    due: SavedTime | None
    late_since: SavedTime | None = None
    revision: str = ""
    attempts: Count = 1
    tries: Count = 0
    marked: str = ""
    maybe_sent: bool = False
    stop: Problem | None = None
    stopped_at: SavedTime | None = None
    superseded_by: int = 0
    blocked: str = ""
    cause: str = ""
    facts: FileFacts | None = None
    polled_at: SavedTime | None = None
    diagnosed_at: SavedTime | None = None
    diagnostics: Mapping[str, Any] | None = None
    totals: Totals = field(default_factory=Totals)
    looks: tuple[str, ...] = ()
    published_at: SavedTime | None = None
    changed_at: SavedTime | None = None

    @property
    def key(self) -> str:
        """The name of the run in the state."""
        return run_key(self.source)

    @property
    def job_id(self) -> int:
        """One job ID for all requests of the file, in [1, 2^31) (otherwise INVALID_JOB_ID)."""
        return max(1, int(self.key[:8], 16) & 0x7FFF_FFFF)

    @property
    def is_sound(self) -> bool:
        """Whether it can be what the function has saved: only a run that is done is never due."""
        return (self.due is None) == (self.state == "done")

    @property
    def next_attempt(self) -> datetime | None:
        """When another attempt may begin. None: never.

        One that died may have been killed by the file: the next ones wait longer and longer.
        """
        if self.due is None or self.state != "working":
            return self.due
        return self.due + retries.wait_after_try(self.tries + 1)

    def is_due(self, now: datetime) -> bool:
        """Return whether another attempt may begin now."""
        return self.next_attempt is not None and self.next_attempt <= now


def run_id(source: StoredObject) -> str:
    """Return the identity of a run, readable for people: bucket, name and generation."""
    return f"{source.bucket}/{source.name}#{source.generation}"


def run_key(source: StoredObject) -> str:
    """Return the identity of a run as a name of fixed length: an object's can have 1,024 bytes."""
    return hashlib.sha256(run_id(source).encode()).hexdigest()[:32]


def content_key(source: StoredObject) -> str:
    """Return a text that is the same for objects with the same bytes: size and checksum."""
    return f"{source.size}-{source.md5 or source.crc32c}"


class RunEntry(msgspec.Struct, frozen=True):
    """What a listing shows of a run: most of it as in `Run`.

    `due` is when another attempt may begin. `content` is the same for two files with equal bytes
    (`content_key`). `destination` is that of the profile; "": the run has no profile. `stop` is the
    code of the reason; "": it was not stopped. `empty_columns` is their number. `is_published`: the
    results say of each row what became of it, or why there are no rows. `name`, `profile` and
    `stop_detail` may be cut (`metadata_of`).
    """

    key: str
    due: SavedTime | None
    tries: Count
    attempts: Count
    name: str
    generation: int
    content: str
    arrived: SavedTime
    profile: str
    destination: str
    validate_only: bool
    stop: str
    stop_detail: str
    stopped_at: SavedTime | None
    superseded: bool
    blocked: str
    cause: str
    empty_columns: Count
    totals: Totals
    is_published: bool
    changed_at: SavedTime | None
    late_since: SavedTime | None = None
    looks: tuple[str, ...] = ()
    customer_id: str = ""

    def run_id(self, bucket: str) -> str:
        """Return the `run_id` of an object in this bucket. A very long name is cut in it."""
        return f"{bucket}/{self.name}#{self.generation}"

    @property
    def is_settled(self) -> bool:
        """Whether nothing is scheduled any more."""
        return self.due is None

    @property
    def is_sent(self) -> bool:
        """Whether the file was read to its end, and its rows were sent: a check sends none."""
        is_unsent = self.stop or self.superseded or self.validate_only
        return self.is_published and not is_unsent


def newest_sent(entries: Iterable[RunEntry]) -> Mapping[str, int]:
    """Return the newest generation of each name that was sent: an older one that was stopped needs
    nobody any more."""
    newest: dict[str, int] = {}
    for entry in entries:
        if entry.is_sent:
            newest[entry.name] = max(entry.generation, newest.get(entry.name, 0))
    return newest


class UnreadableRun(NamedTuple):
    """A run of which a listing shows nothing. `code`: a newer version has saved it, or somebody has
    changed it. `document` is its whole name, with the bucket. It was saved last at `saved_at`."""

    key: str
    code: Literal["NEWER_VERSION", "STATE_UNREADABLE"]
    document: str
    saved_at: datetime


def customer_id_of(run: Run) -> str:
    """Return the account of a run: that of the file, or else that of the profile."""
    profile = run.profile if isinstance(run.profile, dict) else {}
    return (run.facts and run.facts.customer_id) or str(profile.get("customer_id") or "")


def entry_of(run: Run) -> RunEntry:
    """Return what a listing shows of a run."""
    profile = run.profile if isinstance(run.profile, dict) else {}
    return RunEntry(
        key=run.key,
        due=run.next_attempt,
        tries=run.tries,
        attempts=run.attempts,
        name=run.source.name,
        generation=run.source.generation,
        content=content_key(run.source),
        arrived=run.arrived,
        profile=run.profile_name,
        destination=str(profile.get("destination") or ""),
        validate_only=bool(profile.get("validate_only")),
        stop=run.stop.code if run.stop is not None else "",
        stop_detail=run.stop.detail if run.stop is not None else "",
        stopped_at=run.stopped_at,
        superseded=bool(run.superseded_by),
        blocked=run.blocked,
        cause=run.cause,
        empty_columns=len(run.facts.empty_columns) if run.facts is not None else 0,
        totals=run.totals,
        is_published=run.published_at is not None,
        changed_at=run.changed_at,
        late_since=run.late_since,
        looks=run.looks,
        customer_id=customer_id_of(run),
    )


def metadata_of(run: Run) -> ObjectMetadata:
    """Return how the object of a run describes itself in listings.

    Its longest texts are cut, one after the other, until the entry is short enough.
    """
    entry = entry_of(run)
    content = msgspec.json.encode(entry)
    for text, most_bytes in _LONGEST_TEXTS.items():
        if len(content) > MAX_ENTRY_BYTES:
            cut = getattr(entry, text).encode()[:most_bytes].decode(errors="ignore")
            entry = msgspec.structs.replace(entry, **{text: cut})
            content = msgspec.json.encode(entry)
    return ObjectMetadata(custom={_ENTRY_KEY: content.decode(), _FORMAT_KEY: str(FORMAT)})


@dataclass(frozen=True, slots=True)
class SavedRun:
    """A run, and the generation of its document."""

    run: Run
    generation: int


class Runs:
    """The saved runs of all files. Every method raises `RetryableError` if storage is not there."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents

    def create(self, run: Run) -> SavedRun | None:
        """Save a first attempt. Return None if another attempt was faster.

        If only the answer to this write got lost, the document is ours.
        """
        name = _name(run.key)
        generation = self._documents.write(
            name, run, if_generation_match=0, metadata=metadata_of(run)
        )
        if generation is not None:
            return SavedRun(run, generation)
        saved = self.read(run.key)
        return saved if saved is not None and saved.run.owner == run.owner else None

    def read(self, key: str) -> SavedRun | None:
        """Return a saved run, or None if there is none."""
        saved = self._documents.read(_name(key), Run, lambda run: run.is_sound and run.key == key)
        return SavedRun(*saved) if saved is not None else None

    def save(self, saved: SavedRun, **changes: Any) -> SavedRun:
        """Change a run that this attempt has read, or owns.

        Raises `LeaseLost` if another attempt has changed it meanwhile. If only the answer to this
        write got lost, the document has our changes.
        """
        run = replace(saved.run, **changes)
        name = _name(run.key)
        generation = self._documents.write(
            name, run, if_generation_match=saved.generation, metadata=metadata_of(run)
        )
        if generation is not None:
            return SavedRun(run, generation)
        current = self.read(run.key)
        if current is None or current.run != run:
            raise LeaseLost("another attempt has saved the run")
        return current

    def entries(self) -> Iterator[RunEntry | UnreadableRun]:
        """Yield what a listing shows of each run. None of the documents is read."""
        for listed in self._documents.list_with_metadata(_FOLDER):
            key = listed.name.removeprefix(_FOLDER).removesuffix(".json")
            where = self._documents.where(listed.name)
            saved_format = listed.custom.get(_FORMAT_KEY, "")
            if saved_format.isdecimal() and int(saved_format) > FORMAT:
                yield UnreadableRun(key, "NEWER_VERSION", where, listed.created)
                continue
            try:
                yield msgspec.json.decode(listed.custom[_ENTRY_KEY], type=RunEntry)
            except (KeyError, msgspec.DecodeError):
                yield UnreadableRun(key, "STATE_UNREADABLE", where, listed.created)


def _name(key: str) -> str:
    return f"{_FOLDER}{key}.json"
