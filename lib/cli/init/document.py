"""The document of profiles: one profile in it is replaced, and everything else stays as it is."""

from __future__ import annotations

import json
from codecs import BOM_UTF8
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from lib.cli.files import replacing
from lib.cli.init.controls import meaning_of
from lib.cli.init.draft import written
from lib.config.profile import COMMENT, Profile, choose_profile, read_profiles
from lib.errors import PermanentError

_SPACE: Final = " \t\r\n"
_KEYS: Final = {"skip": "left out", "conversions": "entry"}


class NotSaved(Exception):
    """The document cannot be changed. The text says why, and what to do."""


@dataclass(slots=True)
class Document:
    """A document of profiles, as it was read last. Raises `NotSaved` if it is none."""

    path: Path
    name: str
    content: bytes = field(init=False)
    profiles: dict[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        self._read()

    def _read(self) -> None:
        self.content = self.path.read_bytes() if self.path.exists() else b""
        try:
            self.profiles = read_profiles(self.content, str(self.path))
        except PermanentError as error:
            raise NotSaved(error.detail) from None

    def profile(self) -> Profile | None:
        """Return the profile of this name, if it is there. Raises `NotSaved` if it is wrong."""
        try:
            has_it = self.name in self.profiles
            return choose_profile(self.profiles, f"{self.name}/") if has_it else None
        except PermanentError as error:
            raise NotSaved(error.detail) from None

    def save(self, profile: Mapping[str, Any]) -> None:
        """Write the profile into the document, as a whole or not at all. Raises `NotSaved`.

        What others have saved meanwhile stays. If they have changed this profile, it is read again,
        so that the next call replaces it.
        """
        before = self.written_profile
        self._read()
        if self.written_profile != before:
            raise NotSaved(
                f'Somebody has changed the profile "{self.name}" in {self.path} meanwhile. Nothing '
                "was saved, and your answers are kept. The page shows how they differ from the "
                "profile as it is now. To replace it, save again."
            )
        if self.written_profile != profile:
            content = self._with(profile)
            with replacing(self.path) as stream:
                stream.write(content)
            self._read()

    @property
    def written_profile(self) -> dict[str, Any] | None:
        """The profile of this name as somebody has written it, if it is there."""
        return self.profiles.get(self.name)

    def _with(self, profile: Mapping[str, Any]) -> bytes:
        """Return the document with this profile. Raises `NotSaved` if it has comments inside."""
        text = self.content.decode("utf-8-sig")
        newline = "\r\n" if "\r\n" in text else "\n"
        written = json.dumps(profile, ensure_ascii=False, indent=2)
        written = written.replace("\n", f"{newline}  ")
        plain = COMMENT.sub(lambda line: " " * len(line[0]), text)
        if not plain.strip():
            text, plain = f"{text}{{{newline}}}{newline}", f"{plain}{{}}"
        spans = _value_spans(plain)
        if self.name in spans:
            start, end = spans[self.name]
            if COMMENT.search(text[start:end]):
                raise NotSaved(
                    f'The profile "{self.name}" in {self.path} has comments, which would be lost. '
                    "Move them above it, and save again."
                )
        else:
            start = end = max((end for _, end in spans.values()), default=plain.index("{") + 1)
            name = json.dumps(self.name, ensure_ascii=False)
            written = f"{',' if spans else ''}{newline}  {name}: {written}"
        mark = "\ufeff" if self.content.startswith(BOM_UTF8) else ""
        return f"{mark}{text[:start]}{written}{text[end:]}".encode()


def _value_spans(text: str) -> dict[str, tuple[int, int]]:
    """Return where the value of each key of an object begins and ends. `text` is valid JSON."""
    decoder, spans = json.JSONDecoder(), dict[str, tuple[int, int]]()
    position = text.index("{") + 1
    while True:
        position = _skip(text, position, _SPACE + ",")
        if text[position] == "}":
            return spans
        name, position = decoder.raw_decode(text, position)
        start = _skip(text, position, _SPACE + ":")
        _, position = decoder.raw_decode(text, start)
        spans[name] = start, position


def _skip(text: str, position: int, characters: str) -> int:
    """Return the first position from this one that has none of these characters."""
    while text[position] in characters:
        position += 1
    return position


# ── what changes ─────────────────────────────────────────────────────────────────────────────


def changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """Return what only the old profile says, and what only the new one says:
    `left out, Deal Stage: Lost`."""
    before, after = [*_lines(old)], [*_lines(new)]
    removed = [text for text in before if text not in after]
    return removed, [text for text in after if text not in before]


def _lines(value: Any, *place: Any) -> Iterator[str]:
    """Yield a line for each value in a profile, with the words of the page for its keys."""
    if isinstance(value, Mapping):
        for key, each in value.items():
            is_field = place[-1:] == ("columns",)
            yield from _lines(each, *place, meaning_of(key) if is_field else _KEYS.get(key, key))
    elif isinstance(value, list | tuple):
        for number, each in enumerate(value, 1):
            where = (*place, str(number)) if isinstance(each, Mapping) else place
            yield from _lines(each, *where)
    else:
        yield f"{', '.join(place)}: {'none' if value is None else written(str(value))}"
