"""The files that a command reads: paths and folders, `-` for standard input, gs:// addresses.

Also the file that it writes, and the comparison of a file with the one that results are about."""

from __future__ import annotations

import base64
import gzip
import hashlib
import os
import shutil
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from io import BufferedReader
from pathlib import Path
from secrets import token_hex
from typing import IO, Final, cast

import click

from lib.cli.escaping import in_shell
from lib.cli.terminal import writing
from lib.config.settings import Settings
from lib.errors import UploadError
from lib.results.document import ResultsSource
from lib.source.names import IgnoreRules, ignored, name_problem
from lib.state.store import ContentDigest, StoredObject

STANDARD_STREAM: Final = "-"
"""Instead of a path: standard input, or standard output."""
_CLOUD_STORAGE: Final = "gs://"
_BLOCK_BYTES: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class InputFile:
    """A file to check. `in_folder`: the command names a folder that contains it."""

    path: Path
    in_folder: bool = False

    @property
    def is_standard_input(self) -> bool:
        return str(self.path) == STANDARD_STREAM

    @property
    def name(self) -> str:
        """The path with forward slashes, as it is shown on every system."""
        return "standard input" if self.is_standard_input else self.path.as_posix()

    @property
    def size(self) -> int:
        """The size in bytes; 0 if it is not known yet."""
        return 0 if self.is_standard_input else self.path.stat().st_size

    @contextmanager
    def open(self) -> Iterator[IO[bytes]]:
        """Open the file. The stream can be read twice: a pipe is copied to a temporary file."""
        opened = nullcontext(sys.stdin.buffer) if self.is_standard_input else self.path.open("rb")
        with opened as stream:
            if stream.seekable():
                yield stream
                return
            with tempfile.TemporaryFile() as copy:
                shutil.copyfileobj(stream, copy)
                copy.seek(0)
                yield copy

    def name_problem(self) -> str | None:
        """Return why the function would not open the file, unless its settings say otherwise."""
        if self.is_standard_input:
            return None
        defaults = {field: info.default for field, info in Settings.model_fields.items()}
        rules = IgnoreRules(defaults["ignored_suffixes"], defaults["ignored_prefixes"])
        if reason := ignored(self.path.name, 1, rules):
            return f"the function would ignore this file: {reason}"
        if reason := name_problem(self.path.name, defaults["accepted_suffixes"]):
            return f"the function would not accept the name of this file: {reason}"
        return None


def input_files(paths: Iterable[Path]) -> Iterator[InputFile]:
    """Yield the files that the paths name, and those in the folders that they name."""
    for path in paths:
        if str(path) != STANDARD_STREAM and path.is_dir():
            for each in sorted(path.rglob("*")):
                if each.is_file():
                    yield InputFile(each, in_folder=True)
        else:
            yield InputFile(path)


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
            with ExitStack() as files:
                file = self._opened(value, files)
                kept = files.pop_all()
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
            ctx.call_on_close(kept.close)
        return file

    def _opened(self, value: str, files: ExitStack) -> IO[bytes]:
        if value != STANDARD_STREAM and not value.startswith(_CLOUD_STORAGE):
            return files.enter_context(Path(value).open("rb"))
        copy: IO[bytes] = files.enter_context(tempfile.TemporaryFile())  # noqa: SIM115 (closed)
        if value == STANDARD_STREAM:
            shutil.copyfileobj(sys.stdin.buffer, copy)
        else:
            _download(value, copy)
        copy.seek(0)
        return copy


def _download(address: str, copy: IO[bytes]) -> None:
    from lib.adapters.download import download  # imports Google's client, which takes a second

    bucket, _, name = address.removeprefix(_CLOUD_STORAGE).partition("/")
    download(bucket, name, copy)


# The file of a results document


def _content_of(file: IO[bytes]) -> ContentDigest:
    """Read the whole file."""
    from fastcrc import crc32  # only this needs its time to import

    size = crc = 0
    md5 = hashlib.md5(usedforsecurity=False)
    file.seek(0)
    while block := file.read(_BLOCK_BYTES):
        size += len(block)
        md5.update(block)
        crc = crc32.iscsi(block, crc)
    digests = (md5.digest(), crc.to_bytes(4, "big"))
    return ContentDigest(size, *(base64.b64encode(digest).decode() for digest in digests))


def described(name: str, file: IO[bytes]) -> StoredObject:
    """Return what Cloud Storage would state about a file of this name. The whole file is read."""
    file.seek(0)
    new = partial(hashlib.md5, usedforsecurity=False)
    md5 = hashlib.file_digest(cast("BufferedReader", file), new)
    size = file.tell()
    return StoredObject("", name, 0, size, md5=base64.b64encode(md5.digest()).decode())


def difference(file: IO[bytes], source: ResultsSource) -> str:
    """Return how the content of the file differs from that of `source`; "" if it does not.

    The whole file is read. Without a checksum in the results, only the size is compared.
    """
    size, md5, crc32c = _content_of(file)
    if source.size is not None and size != source.size:
        return f"it has {size:,} bytes, and the results are about a file of {source.size:,} bytes"
    checksum = source.md5 or source.crc32c
    if checksum and checksum != (md5 if source.md5 else crc32c):
        return "its content is not that of the file in the results"
    return ""


@contextmanager
def replacing(path: Path) -> Iterator[IO[bytes]]:
    """Write a file beside `path`, which it replaces when everything is written.

    It has the permissions that this user gives to new files (`tempfile` would give its own).
    """
    unfinished = path.with_name(f".{token_hex(8)}")
    with writing(path), unfinished.open("xb") as copy:
        try:
            if path.name.lower().endswith(".gz"):
                with gzip.GzipFile("", "wb", fileobj=copy, mtime=0) as packed:
                    yield cast("IO[bytes]", packed)
            else:
                yield copy
        except BaseException:
            copy.close()
            unfinished.unlink()
            raise
    unfinished.replace(path)


def other_file(file: Path, source: ResultsSource, different: str) -> str:
    """Return what to say of a file that is not the one of the results, and how to get that one."""
    text = f"{file} is not the file of these results: {different}."
    if not source.bucket:
        return f"{text} Use the file that was checked, unchanged."
    address = f"gs://{source.bucket}/{source.name}#{source.generation}"
    return (
        f"{text} Use the file that was uploaded. To get it: gcloud storage cp {in_shell(address)} ."
    )


def refuse_input(output: Path, *inputs: Path | IO[bytes] | None) -> None:
    """Refuse an output file that the command also reads, under whatever name or link.

    An input is a path, or an open file; None is an input that was not given.
    """
    if not output.exists():
        return
    written = output.stat()
    for read in inputs:
        if read is None:
            continue
        try:
            found = read.stat() if isinstance(read, Path) else os.fstat(read.fileno())
        except OSError:  # a stream without a file, in a test
            continue
        if os.path.samestat(written, found):
            raise click.BadParameter(
                f"{output} is a file that the command reads. Name another file for the output."
            )


def refuse_existing(output: Path, force: bool) -> None:
    """Replace no file that somebody may have worked on."""
    if output.exists() and not force:
        raise click.BadParameter(
            f"{output} exists already, perhaps with your corrections. Name another file, or add "
            "--force.",
            param_hint="-o",
        )
