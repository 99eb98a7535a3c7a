"""The files that a command reads and writes: whether the function would open one, its checksum."""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex
from typing import IO, Final

from lib.config.settings import Settings
from lib.source.names import IgnoreRules, name_problem, reason_to_ignore
from lib.state.store import StoredObject

_BLOCK_BYTES: Final = 1 << 20


def why_not_opened(file: Path) -> str | None:
    """Return why the function would not open a file of this name; None if it would.

    `export.csv.part` → "the function would ignore this file: still being written". Settings of a
    deployment may say otherwise.
    """
    defaults = {field: info.default for field, info in Settings.model_fields.items()}
    rules = IgnoreRules(defaults["ignored_suffixes"], defaults["ignored_prefixes"])
    # Its size does not matter here: the check itself says that a file is empty.
    if reason := reason_to_ignore(file.name, 1, rules):
        return f"the function would ignore this file: {reason}"
    if reason := name_problem(file.name, defaults["accepted_suffixes"]):
        return f"the function would not accept the name of this file: {reason}"
    return None


def described(file: Path, content: IO[bytes]) -> StoredObject:
    """Return what Cloud Storage would state about a file. The whole content is read."""
    crc32c = checksum(content)
    return StoredObject("", file.as_posix(), 0, content.tell(), crc32c=crc32c)


def checksum(content: IO[bytes]) -> str:
    """Return the CRC32C of a whole file in base64, as Cloud Storage states it of every object."""
    from fastcrc import crc32  # only this needs its time to import

    crc = 0
    while block := content.read(_BLOCK_BYTES):
        crc = crc32.iscsi(block, crc)
    return base64.b64encode(crc.to_bytes(4, "big")).decode()


@contextmanager
def replacing(path: Path) -> Iterator[IO[bytes]]:
    """Write a file beside `path`, which it replaces when everything is written.

    It has the permissions that this user gives to new files (`tempfile` would give its own).
    """
    unfinished = path.with_name(f".{token_hex(8)}")
    try:
        with unfinished.open("xb") as copy:
            yield copy
        os.replace(unfinished, path)
    except OSError as error:
        if error.filename == str(unfinished):  # a name that the user has not given
            error.filename = str(path)
        raise
    finally:
        unfinished.unlink(missing_ok=True)
