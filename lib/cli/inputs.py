"""The files that a command line names: files, folders, and `-` for standard input."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from lib.config.settings import Settings
from lib.source.names import IgnoreRules, ignored, name_problem

STANDARD_INPUT: Final = Path("-")


@dataclass(frozen=True, slots=True)
class InputFile:
    """A file to read. `in_folder`: the command names a folder that contains it."""

    path: Path
    in_folder: bool = False

    @property
    def is_standard_input(self) -> bool:
        return self.path == STANDARD_INPUT

    @property
    def name(self) -> str:
        """The path with forward slashes, as it is shown on every system."""
        return "standard input" if self.is_standard_input else self.path.as_posix()

    @property
    def size(self) -> int:
        """The size in bytes; 0 if it is not known yet."""
        return 0 if self.is_standard_input else self.path.stat().st_size

    def open(self) -> AbstractContextManager[IO[bytes]]:
        """Open the file for one pass over its bytes."""
        return nullcontext(sys.stdin.buffer) if self.is_standard_input else self.path.open("rb")

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
    """Return the files that the paths name, and those in the folders that they name."""
    for path in paths:
        if path != STANDARD_INPUT and path.is_dir():
            for each in sorted(path.rglob("*")):
                if each.is_file():
                    yield InputFile(each, in_folder=True)
        else:
            yield InputFile(path)
