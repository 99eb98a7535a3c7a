"""Reads a workbook in a process of its own: a hostile one can only end this process.

The options and the workbook go to the standard input of the child; a line about the sheet and its
text come back from the standard output. The standard error is dropped: a traceback could quote
cells. Whatever the child dies of is one error of the file.

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
from io import BufferedReader
from itertools import chain
from pathlib import Path
from threading import Timer
from typing import Final, cast

from lib.source.errors import SourceError
from lib.source.text import BLOCK_BYTES, ByteStream
from lib.source.workbook import Sheet, SheetOptions, content_of, sheet_of

SECONDS: Final = 18.0
"""How long we wait for the next piece. Only where the system does not limit CPU time, or on a very
busy machine, a workbook comes to this."""
CPU_SECONDS: Final = 15
CPU_SECONDS_PER_MEBIBYTE: Final = 2
"""Of the packed workbook. This is twice what the largest ones need."""
MEMORY_BYTES: Final = 256 << 20
"""Of addresses."""

_DAMAGED: Final = 3
"""Exit code of a child that has found damage, after the rows before it."""
_LONGEST_LINE: Final = 1 << 20


def read_in_child(stream: ByteStream, options: SheetOptions) -> Sheet:
    """Return the sheet of a workbook as `read_sheet` does, but for its cells.

    Raises `SourceError` with WORKBOOK_TOO_LARGE also if the workbook needs too much time or memory.
    """
    pieces = _conversation(stream, options)
    head = json.loads(next(pieces))
    if "code" in head:
        raise SourceError(head["code"], head["detail"])
    return Sheet(head["title"], tuple(head["unread"]), pieces)


def _conversation(stream: ByteStream, options: SheetOptions) -> Generator[bytes]:
    """Yield what the child says: a line, and pieces of the text. It ends with this iterator."""
    with _started() as process:
        try:
            yield from _Child(process).conversation(stream, options)
        finally:
            process.kill()


def _started() -> subprocess.Popen[bytes]:
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


class _Child:
    """The child as its parent sees it."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdin is not None
        self._process, self._stdin = process, process.stdin
        self._stdout = cast("BufferedReader", process.stdout)

    def conversation(self, stream: ByteStream, options: SheetOptions) -> Iterator[bytes]:
        said = json.dumps(options._asdict()).encode() + b"\n"
        try:
            all(map(self._write, chain([said], iter(partial(stream.read, BLOCK_BYTES), b""))))
        finally:
            with suppress(OSError):
                self._stdin.close()
        with self._waiting():
            is_started = self._stdout.readline(1) == b"\n"
            line = self._stdout.readline(_LONGEST_LINE)
        if not is_started:
            raise RuntimeError("the process that reads workbooks does not start")
        if line.endswith(b"\n"):
            yield line
        while True:
            with self._waiting():
                piece = self._stdout.read1(BLOCK_BYTES)
            if not piece:
                break
            yield piece
        with self._waiting():
            code = self._process.wait()
        if code == _DAMAGED:
            raise SourceError("CORRUPT_WORKBOOK", "a row cannot be read")
        if code:
            raise SourceError("WORKBOOK_TOO_LARGE", "it takes too much time or memory to read it")

    def _write(self, piece: bytes) -> bool:
        """Return False if the child has ended, or needs nothing more to refuse the workbook."""
        try:
            with self._waiting():
                self._stdin.write(piece)
                self._stdin.flush()
        except OSError:
            return False
        return True

    @contextmanager
    def _waiting(self) -> Iterator[None]:
        """Wait for the child, and kill it when its time is over."""
        timer = Timer(SECONDS, self._process.kill)
        timer.start()
        try:
            yield
        finally:
            timer.cancel()


def child_main(memory_bytes: int, cpu_seconds: int, per_mebibyte: int) -> None:
    """Read the workbook in the standard input. Does not return."""
    _limit("RLIMIT_AS", memory_bytes)
    _limit("RLIMIT_CORE", 0)  # it would have the cells
    _die_with_the_parent()
    given, answer = sys.stdin.buffer, sys.stdout.buffer
    answer.write(b"\n")
    answer.flush()
    options = SheetOptions(**json.loads(given.readline()))
    code = 0
    head: dict[str, object]
    text: Iterable[bytes] = ()
    try:
        content = content_of(given)
        _limit("RLIMIT_CPU", cpu_seconds + per_mebibyte * (len(content) >> 20))
        sheet = sheet_of(content, options)
        head, text = {"title": sheet.title, "unread": sheet.unread}, sheet.text
    except SourceError as error:
        head = {"code": error.code, "detail": error.detail}
    answer.write(json.dumps(head).encode() + b"\n")
    try:
        for piece in text:
            answer.write(piece)
            answer.flush()
    except SourceError:
        code = _DAMAGED
    answer.flush()
    os._exit(code)  # without cleaning up, which takes time and could be interrupted


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
