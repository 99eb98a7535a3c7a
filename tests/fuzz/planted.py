"""Takes protections away, one at a time, and lets the fuzzers find the defects that are back.

`python -m tests.fuzz.planted [--seed 0] [NAME ...]`. Each defect has a process of its own. The exit
code is 1 if one is not found within two minutes.
"""

from __future__ import annotations

import argparse
import importlib
import json
import pkgutil
import re
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

SECONDS: Final = 120
BOOKS: Final = "tests.fuzz.workbook_fuzzer"
STATE: Final = "tests.fuzz.state_documents"
FILES: Final = "tests.fuzz.deliveries"


class Planted(NamedTuple):
    """A defect, the fuzzer that finds it, and what stands in the place of what.

    A change gets what is in the code. A name can occur more than once.
    """

    name: str
    found_by: str
    target: str
    change: Callable[[Any], Any]


def _instead(value: Any) -> Callable[[Any], Any]:
    return lambda old: value


def _without(kind: str) -> Callable[[Any], Any]:
    return lambda old: lambda limit, most: None if limit == kind else old(limit, most)


def _before(unprotected: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Only what is nested too deeply raises in the unprotected function."""

    def change(old: Any) -> Any:
        def planted(document: Any) -> Any:
            with suppress(ValueError):
                unprotected(document)
            return old(document)

        return planted

    return change


def _as_yaml(text: str) -> None:
    import yaml

    with suppress(yaml.YAMLError):
        yaml.load(text, yaml.BaseLoader)


def _any_profiles(old: Any) -> Any:
    def planted(text: bytes) -> Any:
        with suppress(ValueError, RecursionError, AttributeError):
            found = json.loads(text)
            if all(isinstance(each, dict) for each in found.values()):
                return found
        return old(text)

    return planted


def _raise(*given: Any) -> None:
    raise next(each for each in given if isinstance(each, Exception))


def _up_to_the_end(value: datetime) -> datetime:
    return (value + timedelta(microseconds=500_000)).replace(microsecond=0)


_none = _instead(1 << 60)
_as_it_is = _instead(lambda text: text)
_text = _instead(lambda value: value if isinstance(value, str) else "")
_any_number = _instead(lambda value: int(re.sub("[^0-9]", "", f"0{value}")))
_quoted = _instead(lambda text: f"'{text}'")
_in_hex = _instead(lambda message, digest: digest in message)
_zone = _instead(datetime)
_as_json = _before(json.loads)
_as_stream = _before(lambda stream: (json.load(stream), stream.seek(0)))

PLANTED: Final = (
    Planted("any memory", BOOKS, "adapters.workbook._limit", _without("RLIMIT_AS")),
    Planted("any time", BOOKS, "adapters.workbook._limit", _without("RLIMIT_CPU")),
    Planted("the last day", BOOKS, "source.workbook._to_the_second", _instead(_up_to_the_end)),
    Planted("a head without end", FILES, "source.text.HEAD_CHARS", _none),
    Planted("long lines of the log", FILES, "adapters.logging.LONGEST_LINE", _none),
    Planted("unreadable state", STATE, "state.documents.UnreadableState", _instead(ValueError)),
    Planted("half an emoji in profiles", STATE, "config.profile.read_profiles", _any_profiles),
    Planted("deep profiles", STATE, "config.profile.read_profiles", _as_json),
    Planted("a deep secret", STATE, "destinations.credentials.read_secret", _before(_as_yaml)),
    Planted("deep results", STATE, "results.reading.read_results", _as_stream),
    Planted("a large generation", STATE, "adapters.events._number", _any_number),
    Planted("half an emoji in a name", STATE, "adapters.events._text", _text),
    Planted("escape sequences", FILES, "cli.escaping.on_terminal", _as_it_is),
    Planted("a quote in a command", FILES, "cli.escaping.in_shell", _quoted),
    Planted("formulas", FILES, "cli.escaping.in_spreadsheet", _as_it_is),
    Planted("an address as a title", FILES, "source.header.shown_title", _as_it_is),
    Planted("a digest in base64", FILES, "destinations.redaction._quotes_digest", _in_hex),
    Planted("%40", FILES, "model.personal_data._WHOLE_EMAIL", _instead(re.compile(r"\S+@\S+"))),
    Planted("%2D", FILES, "destinations.redaction.unquote", _as_it_is),
)


def plant(name: str) -> None:
    """Take the protection away, for the rest of the process."""
    for each in PLANTED:
        if each.name == name:
            place, _, attribute = f"lib.{each.target}".rpartition(".")
            owner = pkgutil.resolve_name(place)
            setattr(owner, attribute, each.change(getattr(owner, attribute)))


def find(name: str, seed: int) -> None:
    """Plant a defect in this process, and raise or exit when it is found."""
    plant(name)
    found_by = next(each.found_by for each in PLANTED if each.name == name)
    if found_by == BOOKS:
        from lib.adapters import workbook

        planting = f"tests.fuzz.planted import plant; plant({name!r})"
        workbook.__name__ = f"{planting}; from {workbook.__name__}"  # in the program of the child
    importlib.import_module(found_by).fuzz(SECONDS, seed)


def main() -> int:
    """Plant one after the other, and say how long it took to find them."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.planted", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    missed = 0
    for name in given.names or dict.fromkeys(each.name for each in PLANTED):
        program = f"from tests.fuzz.planted import find; find({name!r}, {given.seed})"
        began = time.monotonic()
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
        took = time.monotonic() - began
        is_found = done.returncode != 0 and took <= SECONDS
        missed += not is_found
        said = (done.stderr or done.stdout).strip().rpartition("\n")[2]
        print(f"{'found' if is_found else 'MISSED'} {took:6.1f} s  {name}: {said[:80]}", flush=True)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
