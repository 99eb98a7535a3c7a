"""Is each .txt the lock of its .in, and is requirements.txt what is installed here?

It needs no network: what a package needs is read from its installed metadata.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

WANTED, LOCK = "requirements.in", "requirements.txt"
ADVICE = "Run `make lock`, then `make setup`."

InstalledVersion = Callable[[str], str | None]
Needs = Callable[[str], list[str]]


def problems(
    wanted: str, lock: str, installed_version: InstalledVersion, needs: Needs
) -> Iterator[str]:
    """Compare the lock of what is deployed with its list and with the environment; one sentence a
    difference."""
    yield from unlocked(wanted, lock, WANTED, LOCK)
    locked = {canonicalize_name(each.name): each for each, _ in _locked(lock)}
    needed = _closure([Requirement(entry) for entry in _entries(wanted)], needs)
    here = {name for name, each in locked.items() if each.marker is None or each.marker.evaluate()}
    for name in sorted(needed - here):
        yield f"{name} is needed, and is not in {LOCK}."
    for name in sorted(here - needed):
        yield f"{name} is in {LOCK}, and nothing needs it."
    for name in sorted(here):
        installed = installed_version(name)
        if installed is None or not locked[name].specifier.contains(installed, prereleases=True):
            yield f"{name} is installed as {installed}, and {LOCK} has {locked[name].specifier}."


def unlocked(wanted: str, lock: str, wanted_name: str, lock_name: str) -> Iterator[str]:
    """Compare a list with its lock; one sentence a difference."""
    locked: dict[str, SpecifierSet] = {}
    for requirement, hashes in _locked(lock):
        locked[canonicalize_name(requirement.name)] = requirement.specifier
        if not hashes or not all(re.fullmatch(r"sha256:[0-9a-f]{64}\s*", each) for each in hashes):
            yield f"{requirement.name} in {lock_name} has no sha256 hash."
    for entry in _entries(wanted):
        if not entry.startswith("-r "):
            root = Requirement(entry)
            if locked.get(canonicalize_name(root.name)) != root.specifier:
                yield f"{root} of {wanted_name} is not in {lock_name}."


def _locked(lock: str) -> Iterator[tuple[Requirement, list[str]]]:
    for entry in _entries(lock):
        pin, *hashes = entry.split("--hash=")
        yield Requirement(pin), hashes


def _entries(text: str) -> list[str]:
    """Return the entries of a requirements file, each on one line, without comments."""
    lines = re.sub(r"(?m)(^|\s)#.*$", "", text).replace("\\\n", " ").splitlines()
    return [line.strip() for line in lines if line.strip()]


def _closure(roots: list[Requirement], needs: Needs) -> set[str]:
    """Return the names of these packages and of all that they need, extras included."""
    seen: set[tuple[str, str]] = set()
    waiting = [(canonicalize_name(each.name), e) for each in roots for e in ("", *each.extras)]
    while waiting:
        name, extra = waiting.pop()
        if (name, extra) in seen:
            continue
        seen.add((name, extra))
        for line in needs(name):
            requirement = Requirement(line)
            if requirement.marker is None or requirement.marker.evaluate({"extra": extra}):
                needed = canonicalize_name(requirement.name)
                waiting += [(needed, each) for each in ("", *requirement.extras)]
    return {name for name, _ in seen}


def _installed_version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _needs(name: str) -> list[str]:
    try:
        return requires(name) or []
    except PackageNotFoundError:
        return []


def main() -> int:
    """Print the differences. The exit status is 1 if there are any."""
    wanted, lock = (Path(name).read_text(encoding="utf-8") for name in (WANTED, LOCK))
    found = list(problems(wanted, lock, _installed_version, _needs))
    for path in sorted(Path("requirements").glob("*.in")):
        texts = path.read_text(encoding="utf-8"), path.with_suffix(".txt").read_text("utf-8")
        found += unlocked(*texts, str(path), str(path.with_suffix(".txt")))
    for problem in found:
        print(problem)
    if found:
        print(ADVICE)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
