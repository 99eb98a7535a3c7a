"""The files that a command reads and writes: paths, `-` for standard input, gs:// addresses."""

from __future__ import annotations

import base64
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from secrets import token_hex
from typing import IO, Final

import click

from lib.config.settings import Settings
from lib.errors import UploadError
from lib.source.names import IgnoreRules, ignored, name_problem
from lib.state.store import StoredObject

_STANDARD_INPUT: Final = "-"
_CLOUD_STORAGE: Final = "gs://"
_BLOCK_BYTES: Final = 1 << 20


class ObjectAddress(click.ParamType[IO[bytes]]):
    """An option or argument whose value is an open file, positioned at its start.

    Standard input and objects are copied to a temporary file first.
    """

    name = "address"

    def convert(
        self, value: str | IO[bytes], param: click.Parameter | None, ctx: click.Context | None
    ) -> IO[bytes]:
        """Open the file. Failures are usage errors (exit code 2)."""
        if not isinstance(value, str):
            return value
        try:
            file = _opened(value)
        except OSError as error:
            self.fail(f"{value}: {error.strerror or 'cannot be read'}.", param, ctx)
        except UploadError as error:
            self.fail(f"{value}: {error.detail or error.code}.", param, ctx)
        except ImportError:
            self.fail(
                f"{value}: reading from Cloud Storage needs another package. Run "
                'pipx install --force "offline-conversions[gcs]". Or download the file.',
                param,
                ctx,
            )
        if ctx is not None:
            ctx.call_on_close(file.close)
        return file


def _opened(address: str) -> IO[bytes]:
    if address != _STANDARD_INPUT and not address.startswith(_CLOUD_STORAGE):
        return Path(address).open("rb")
    with ExitStack() as stack:
        copy: IO[bytes] = stack.enter_context(tempfile.TemporaryFile())
        if address == _STANDARD_INPUT:
            shutil.copyfileobj(sys.stdin.buffer, copy)
        else:
            _download(address, copy)
        copy.seek(0)
        stack.pop_all()  # the context of the command closes it
    return copy


def _download(address: str, copy: IO[bytes]) -> None:
    from lib.adapters.download import download  # imports Google's client, which takes a second

    bucket, _, name = address.removeprefix(_CLOUD_STORAGE).partition("/")
    download(bucket, name, copy)


def why_not_opened(file: Path) -> str | None:
    """Return why the function would not open a file of this name; None if it would.

    `export.csv.part` → "the function would ignore this file: still being written". Settings of a
    deployment may say otherwise.
    """
    defaults = {field: info.default for field, info in Settings.model_fields.items()}
    rules = IgnoreRules(defaults["ignored_suffixes"], defaults["ignored_prefixes"])
    if reason := ignored(file.name, 1, rules):
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
    finally:
        unfinished.unlink(missing_ok=True)
