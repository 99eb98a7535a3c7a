"""Files that a command line names: a path, `-` for standard input, or gs://BUCKET/NAME."""

from __future__ import annotations

import shutil
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Final

import click

from lib.errors import UploadError

_CLOUD_STORAGE: Final = "gs://"


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
                f"{value}: reading from Cloud Storage needs another package. In the folder of "
                "this project, run pipx install --force '.[gcs]'. Or download the file.",
                param,
                ctx,
            )
        if ctx is not None:
            ctx.call_on_close(kept.close)
        return file

    def _opened(self, value: str, files: ExitStack) -> IO[bytes]:
        if value != "-" and not value.startswith(_CLOUD_STORAGE):
            return files.enter_context(Path(value).open("rb"))
        copy: IO[bytes] = files.enter_context(tempfile.TemporaryFile())  # noqa: SIM115 (closed)
        if value == "-":
            shutil.copyfileobj(sys.stdin.buffer, copy)
        else:
            _download(value, copy)
        copy.seek(0)
        return copy


def _download(address: str, copy: IO[bytes]) -> None:
    from lib.adapters.download import download  # imports Google's client, which takes a second

    bucket, _, name = address.removeprefix(_CLOUD_STORAGE).partition("/")
    download(bucket, name, copy)
