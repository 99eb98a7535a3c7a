"""The document of profiles: one profile in it is replaced, and everything else stays as it is."""

from __future__ import annotations

import json
from codecs import BOM_UTF8
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NamedTuple

from lib.cli.files import replacing
from lib.cli.init.controls import meaning_of
from lib.config.profile import COMMENT, Profile, choose_profile, read_profiles
from lib.errors import PermanentError
from lib.rules.selection import ANY_OTHER

_SPACE: Final = " \t\r\n"


class NotSaved(Exception):
    """The document cannot be changed. The text says why, and what to do."""


@dataclass(slots=True)
class Document:
    """A document of profiles, as it was read. Raises `NotSaved` if it is none."""

    path: Path
    name: str
    content: bytes = field(init=False)
    profiles: dict[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        self.content = self._on_disk()
        try:
            self.profiles = read_profiles(self.content, str(self.path))
        except PermanentError as error:
            raise NotSaved(error.detail) from None

    def _on_disk(self) -> bytes:
        return self.path.read_bytes() if self.path.exists() else b""

    def profile(self) -> Profile | None:
        """Return the profile of this name, if it is there. Raises `NotSaved` if it is wrong."""
        try:
            return choose_profile(self.profiles, f"{self.name}/") if self.has_it else None
        except PermanentError as error:
            raise NotSaved(error.detail) from None

    @property
    def has_it(self) -> bool:
        """Whether it has a profile of this name."""
        return self.name in self.profiles

    def save(self, profile: Mapping[str, Any]) -> None:
        """Write the profile into the document, as a whole or not at all. Raises `NotSaved`."""
        if self._on_disk() != self.content:
            raise NotSaved(
                f"{self.path} was changed after this page was opened. Nothing was saved. End the "
                "command with Ctrl-C, and start it again."
            )
        if self.as_read == profile:
            return
        content = self._with(profile)
        with replacing(self.path) as stream:
            stream.write(content)
        self.content, self.profiles = content, {**self.profiles, self.name: dict(profile)}

    @property
    def as_read(self) -> dict[str, Any] | None:
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
        places = _places(plain)
        if self.has_it:
            start, end = places[self.name]
            if COMMENT.search(text[start:end]):
                raise NotSaved(
                    f'The profile "{self.name}" in {self.path} has comments, which would be lost. '
                    "Move them above it, and start again."
                )
        else:
            start = end = max((end for _, end in places.values()), default=plain.index("{") + 1)
            name = json.dumps(self.name, ensure_ascii=False)
            written = f"{',' if places else ''}{newline}  {name}: {written}"
        mark = "\ufeff" if self.content.startswith(BOM_UTF8) else ""
        return f"{mark}{text[:start]}{written}{text[end:]}".encode()


def _places(text: str) -> dict[str, tuple[int, int]]:
    """Return where the value of each key of an object begins and ends. `text` is valid JSON."""
    decoder, places = json.JSONDecoder(), dict[str, tuple[int, int]]()
    position = text.index("{") + 1
    while True:
        position = _after(text, position, _SPACE + ",")
        if text[position] == "}":
            return places
        name, position = decoder.raw_decode(text, position)
        start = _after(text, position, _SPACE + ":")
        _, position = decoder.raw_decode(text, start)
        places[name] = start, position


def _after(text: str, position: int, passed: str) -> int:
    while text[position] in passed:
        position += 1
    return position


# ── what changes ─────────────────────────────────────────────────────────────────────────────


class Change(NamedTuple):
    """What is no longer said about something, and what is said now."""

    what: str
    removed: tuple[str, ...]
    added: tuple[str, ...]


def changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Change]:
    """Return what differs between two profiles, in words."""
    before, after = _said(old), _said(new)
    found = []
    for what in dict.fromkeys((*before, *after)):
        was, now = before.get(what, []), after.get(what, [])
        removed = tuple(text for text in was if text not in now)
        added = tuple(text for text in now if text not in was)
        if removed or added:
            found.append(Change(what, removed, added))
    return found


def _said(profile: Mapping[str, Any], prefix: str = "") -> dict[str, list[str]]:
    """Return what a profile says: `Left out, Deal Stage` → `Lost`, `Open`."""
    said: dict[str, list[str]] = {}
    for key, value in profile.items():
        if key == "columns":
            said |= {
                f"{prefix}{_capital(meaning_of(n))}": _texts(names) for n, names in value.items()
            }
        elif key in ("skip", "rows"):
            title = "Left out" if key == "skip" else f"{prefix}Rows"
            said |= {f"{title}, {column}": _texts(values) for column, values in value.items()}
        elif key == "conversions":
            for number, entry in enumerate(value, 1):
                title = f"{_capital(entry.get('send', 'conversion'))} {number}: "
                said |= _said({k: v for k, v in entry.items() if k != "send"}, title)
        else:
            said[f"{prefix}{key}"] = _texts(value)
    return said


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _texts(value: Any) -> list[str]:
    values = value if isinstance(value, list | tuple) else [value]
    special = {ANY_OTHER: "any other value", "": "(empty)", None: "none"}
    return [
        special.get(each, str(each)) if not isinstance(each, dict) else str(each) for each in values
    ]
