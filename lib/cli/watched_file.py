"""A file that is checked: how much of it is read, and its size and checksum for the results."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from dataclasses import replace
from typing import IO, Final

from lib.cli.check import CheckResult

_BLOCK_BYTES: Final = 1 << 20


class WatchedFile:
    """A file that reports the number of bytes of each `read`."""

    def __init__(self, file: IO[bytes], report_read: Callable[[int], None]) -> None:
        self._file = file
        self._report_read = report_read
        self._size = 0
        self._md5 = hashlib.md5(usedforsecurity=False)

    def read(self, size: int = -1, /) -> bytes:
        """Read from the file."""
        data = self._file.read(size)
        self._size += len(data)
        self._md5.update(data)
        self._report_read(len(data))
        return data

    def described(self, checked: CheckResult) -> CheckResult:
        """Read the rest, and state size and checksum in the results, as Cloud Storage would."""
        while self.read(_BLOCK_BYTES):
            pass
        run = checked.summary.run
        md5 = base64.b64encode(self._md5.digest()).decode()
        source = replace(run.source, size=self._size, md5=md5)
        return replace(checked, summary=replace(checked.summary, run=replace(run, source=source)))
