"""Compares the row path with the bare loop and the sample, and phones with libphonenumber.

The works take turns, and the least time of each counts: what else the machine does only adds to a
time (https://docs.python.org/3/library/timeit.html#timeit.Timer.repeat).
"""

from __future__ import annotations

import gc
import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from time import process_time
from typing import Any

import phonenumbers

from benchmarks import loop, ours, sample
from benchmarks.figures import Figure
from benchmarks.rows import WRONG, file_of, widened
from lib.rules.values.phones import normalize_phone

ROWS = 60_000
WRONG_EVERY = 100


def cpu_seconds(work: Callable[..., Iterable[object]], *arguments: object) -> float:
    """CPU seconds of this process until the iterator that `work` returns is exhausted."""
    start = process_time()
    for _ in work(*arguments):
        pass
    return process_time() - start


@dataclass(frozen=True, slots=True)
class Route:
    """Ours and the bare loop for one API, and how to read their requests. `suffix`: of figures."""

    suffix: str
    ours: Callable[..., Iterator[bytes]]
    loop: Callable[[bytes], Iterator[bytes]]
    request: Any
    rows: str
    order_id: str

    def by_order(self, requests: Iterable[bytes]) -> dict[str, bytes]:
        """Every conversion of serialized requests, by its order ID."""
        found: dict[str, bytes] = {}
        for body in requests:
            for row in getattr(self.request.FromString(body), self.rows):
                found[getattr(row, self.order_id)] = row.SerializeToString(deterministic=True)
        return found


GOOGLE_ADS = Route("", ours.prepare_file, loop.prepare, loop.Request, "conversions", "order_id")
DATA_MANAGER = Route(
    "_dm",
    ours.prepare_events,
    loop.prepare_events,
    loop.EventsRequest,
    "events",
    "transaction_id",
)


def measure(quick: bool) -> Iterator[Figure]:
    """Run the row paths in turns, several times."""
    content = file_of(ROWS, WRONG_EVERY)
    for_sample = file_of(ROWS // 10, WRONG_EVERY)
    # As the function does after it has imported its destination (main.py, and its connector).
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000)
    # First, as a file finds the instance that it wakes. In memory that others have used, a row
    # takes up to a tenth longer, because what it allocates is scattered.
    yield from google_ads(content, for_sample, 5 if quick else 15)
    yield data_manager(content, 5 if quick else 15)
    check_agreement(content, for_sample)
    yield resume_cost(content, 3 if quick else 11)
    yield wide(5 if quick else 15)
    yield phones(5 if quick else 25)


def google_ads(content: bytes, for_sample: bytes, turns: int) -> Iterator[Figure]:
    """Ours against the bare loop and the sample."""
    measured = [
        (*both(GOOGLE_ADS, content, turn), cpu_seconds(sample.prepare, for_sample) / (ROWS // 10))
        for turn in range(turns)
    ]
    mine, bare, slow = least(measured)
    notes = f"CPU per row: ours {mine:.1f} us, loop {bare:.1f} us, sample {slow:.1f} us"
    yield Figure("prepare_vs_loop", bare / mine, notes)
    yield Figure("prepare_vs_sample", slow / mine, notes)


def data_manager(content: bytes, turns: int) -> Figure:
    """Ours against the bare loop. Google has no sample for a file of conversions."""
    mine, bare = least(both(DATA_MANAGER, content, turn) for turn in range(turns))
    notes = f"CPU per row: ours {mine:.1f} us, loop {bare:.1f} us"
    return Figure("prepare_vs_loop_dm", bare / mine, notes)


def least(measured: Iterable[tuple[float, ...]]) -> list[float]:
    """Return the least of each work's seconds, in microseconds."""
    return [min(each) * 1e6 for each in zip(*measured, strict=True)]


def both(route: Route, content: bytes, turn: int) -> tuple[float, float]:
    """CPU seconds a row of ours and of the bare loop."""
    # The order alternates, because the speed of the processor changes.
    works = [route.ours, route.loop][:: -1 if turn % 2 else 1]
    seconds = {work: cpu_seconds(work, content) / ROWS for work in works}
    return seconds[route.ours], seconds[route.loop]


def resume_cost(content: bytes, turns: int) -> Figure:
    """Skip the rows that an earlier attempt has finished, against preparing them."""
    markers: list[bytes] = []
    for _ in ours.prepare_file(content, None, markers):
        pass
    measured = [
        (cpu_seconds(ours.skip_file, content, markers), cpu_seconds(ours.prepare_file, content))
        for _ in range(turns)
    ]
    skipped, prepared = (each / ROWS for each in least(measured))
    notes = f"a million rows: {skipped:.1f} s to skip them, {prepared:.1f} s to prepare them"
    return Figure("resume_cost", skipped / prepared, notes)


def wide(turns: int) -> Figure:
    """A file with 60 columns, of which 49 are not used, against the same without them."""
    narrow = file_of(ROWS // 3, WRONG_EVERY)
    files = [narrow, widened(narrow)]
    sent = [GOOGLE_ADS.by_order(ours.prepare_file(each)) for each in files]
    if sent[0] != sent[1]:
        raise AssertionError("columns that nobody uses change what is sent")
    few, many = least(
        tuple(cpu_seconds(ours.prepare_file, each) / (ROWS // 3) for each in files)
        for _ in range(turns)
    )
    notes = f"CPU per row: {many:.1f} us, {few:.1f} us without"
    return Figure("wide_vs_narrow", many / few, notes)


def check_agreement(content: bytes, for_sample: bytes) -> None:
    """Raise AssertionError unless all send the same conversions for valid rows, and only ours
    rejects the invalid rows."""
    for route in (GOOGLE_ADS, DATA_MANAGER):
        check_route(route, content)
    slow = GOOGLE_ADS.by_order(sample.prepare(for_sample))
    short = GOOGLE_ADS.by_order(ours.prepare_file(for_sample))
    if any(slow[order] != sent for order, sent in short.items()):
        raise AssertionError("ours differs from the sample on valid rows")


def check_route(route: Route, content: bytes) -> None:
    """Raise AssertionError unless ours and the bare loop agree on valid rows."""
    refused: list[int] = []
    mine = route.by_order(route.ours(content, refused))
    bare = route.by_order(route.loop(content))
    lines = content.decode().splitlines()
    if len(refused) != (len(lines) - 1) // WRONG_EVERY:
        raise AssertionError(f"{len(refused)} rows were rejected")
    wrong = {lines[line - 1].split(",")[9] for line in refused}
    if mine != {order: sent for order, sent in bare.items() if order not in wrong}:
        raise AssertionError("ours differs from the bare loop on valid rows")
    cells = {cell for _, cell in WRONG}
    if not all(cells & set(lines[line - 1].split(",")) for line in refused):
        raise AssertionError("a valid row was rejected")


def phones(turns: int) -> Figure:
    """Normalize national numbers of eight countries, as people write them: ours, the library."""
    numbers = list(islice(national_numbers(), 4_000))

    def mine() -> Iterator[str]:
        for number, region in numbers:
            yield normalize_phone(number, region)

    def theirs() -> Iterator[str]:
        for number, region in numbers:
            parsed = phonenumbers.parse(number, region)
            yield phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)

    if list(mine()) != list(theirs()):
        raise AssertionError("ours differs from phonenumbers")
    measured = [(cpu_seconds(mine), cpu_seconds(theirs)) for _ in range(turns)]
    one, other = (each / len(numbers) for each in least(measured))
    return Figure("phones_national", one / other, f"{one:.2f} us against {other:.1f} us")


def national_numbers() -> Iterator[tuple[str, str]]:
    """(number, region): the library's example numbers, in the national format of each region."""
    rng = random.Random(7)
    regions = ("US", "GB", "DE", "FR", "BR", "IN", "AU", "JP")
    kinds = (phonenumbers.PhoneNumberType.FIXED_LINE, phonenumbers.PhoneNumberType.MOBILE)
    examples = [
        (number, region)
        for region in regions
        for kind in kinds
        if (number := phonenumbers.example_number_for_type(region, kind)) is not None
    ]
    while True:
        example, region = rng.choice(examples)
        yield (
            phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.NATIONAL),
            region,
        )
