"""Reads a workbook in a process of its own: a hostile one can only end this process.

The options and the workbook go to the standard input of the child. From its standard output come an
empty line (it has started), a line about the sheet, and the text of the sheet. Its standard error
is dropped: a traceback could quote cells. Whatever the child dies of is one error of the file.

The child limits itself, where the system can: Windows limits neither memory nor CPU time, macOS no
memory. How long we wait for it is limited everywhere.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from itertools import chain
from pathlib import Path
from threading import Timer
from typing import Any, Final

from lib.errors import SourceError
from lib.source.text import BLOCK_BYTES, ByteStream
from lib.source.workbook import ERRORS_OF_ROWS, Sheet, SheetOptions, read_workbook, sheet_of

PIECE_SECONDS: Final = 18.0
"""How long we wait for the next piece. Only where the system does not limit CPU time, or on a very
busy machine, a workbook comes to this."""
CPU_SECONDS: Final = 15
CPU_SECONDS_PER_MEBIBYTE: Final = 3
"""Of the packed workbook. This is twice what the largest ones need."""
MEMORY_BYTES: Final = 256 << 20
"""Of addresses."""

_MAX_HEAD_BYTES: Final = 1 << 20
_EXIT_CODES: Final = {code: number for number, code in enumerate(ERRORS_OF_ROWS, 3)}
"""How a child that has written some rows says why it has written no more."""


def read_in_child(stream: ByteStream, options: SheetOptions) -> Sheet:
    """Return the sheet of a workbook as `lib.source.workbook.read_sheet` does.

    Raises `SourceError` with FILE_TOO_LARGE also if the workbook needs too much time or memory.
    """
    pieces = _conversation(stream, options)
    head = json.loads(next(pieces))
    if "code" in head:
        raise SourceError(head["code"], head["detail"])
    return Sheet(head["title"], tuple(head["unread"]), pieces)


def _conversation(stream: ByteStream, options: SheetOptions) -> Generator[bytes]:
    """Yield the line about the sheet, and the pieces of its text. The child ends with this."""
    with _started() as child:
        try:
            _send_workbook(child, stream, options)
            with _time_limit(child):
                is_started = child.stdout.readline(1) == b"\n"
                head = child.stdout.readline(_MAX_HEAD_BYTES)
            if not is_started:
                raise RuntimeError("the process that reads workbooks does not start")
            piece = head if head.endswith(b"\n") else b""
            while piece:
                yield piece
                with _time_limit(child):
                    piece = child.stdout.read1(BLOCK_BYTES)
            with _time_limit(child):
                exit_code = child.wait()
        finally:
            child.kill()
    for code, detail in ERRORS_OF_ROWS.items():
        if exit_code == _EXIT_CODES[code]:
            raise SourceError(code, detail)
    if exit_code:
        raise SourceError("FILE_TOO_LARGE", "it takes too much time or memory to read it")


def _started() -> Any:
    """Start a child (`subprocess.Popen`)."""
    root = Path(__file__).parents[2]
    environment = {"PYTHONPATH": os.pathsep.join(map(os.path.abspath, [str(root), *sys.path]))}
    if "SYSTEMROOT" in os.environ:  # Python does not start without it on Windows
        environment["SYSTEMROOT"] = os.environ["SYSTEMROOT"]
    limits = MEMORY_BYTES, CPU_SECONDS, CPU_SECONDS_PER_MEBIBYTE
    program = f"from {__name__} import child_main; child_main{limits}"
    return subprocess.Popen(
        [sys.executable, "-P", "-S", "-c", program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment,
    )


def _send_workbook(child: Any, stream: ByteStream, options: SheetOptions) -> None:
    """Write the options and the workbook, unless the child ends before it has read them."""
    line = json.dumps(options._asdict()).encode() + b"\n"
    for piece in chain([line], iter(partial(stream.read, BLOCK_BYTES), b"")):
        try:
            with _time_limit(child):
                child.stdin.write(piece)
                child.stdin.flush()
        except OSError:  # it has died, or needs nothing more to refuse the workbook
            break
    with suppress(OSError):
        child.stdin.close()


@contextmanager
def _time_limit(child: Any) -> Iterator[None]:
    """Kill the child if the block takes longer than `PIECE_SECONDS`."""
    timer = Timer(PIECE_SECONDS, child.kill)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


# ── in the child ─────────────────────────────────────────────────────────────────────────────────


def child_main(memory_bytes: int, cpu_seconds: int, cpu_seconds_per_mebibyte: int) -> None:
    """Read the workbook in the standard input. Does not return."""
    _limit("RLIMIT_AS", memory_bytes)
    _limit("RLIMIT_CORE", 0)  # it would have the cells
    _die_with_the_parent()
    given, answer = sys.stdin.buffer, sys.stdout.buffer
    answer.write(b"\n")
    answer.flush()
    options = SheetOptions(**json.loads(given.readline()))
    exit_code = 0
    text: Iterable[bytes] = ()
    try:
        content = read_workbook(given)
        _limit("RLIMIT_CPU", cpu_seconds + cpu_seconds_per_mebibyte * (len(content) >> 20))
        sheet = sheet_of(content, options)
        head: dict[str, object] = {"title": sheet.title, "unread": sheet.unread}
        text = sheet.text
    except SourceError as error:
        head = {"code": error.code, "detail": error.detail}
    answer.write(json.dumps(head).encode() + b"\n")
    try:
        for piece in text:
            answer.write(piece)
            answer.flush()
    except SourceError as error:
        exit_code = _EXIT_CODES[error.code]
    answer.flush()
    os._exit(exit_code)  # without cleaning up, which takes time and could be interrupted


def _limit(kind: str, most: int) -> None:
    with suppress(ImportError, ValueError, OSError):  # Windows, macOS, or a lower limit
        import resource

        resource.setrlimit(getattr(resource, kind), (most, most))


def _die_with_the_parent() -> None:
    """Exit if the parent has died. What the child writes after that would end it too."""
    if sys.platform != "win32":
        parent = os.getppid()
        signal.signal(signal.SIGALRM, lambda *_: os.getppid() == parent or os._exit(1))
        signal.setitimer(signal.ITIMER_REAL, 1, 1)
