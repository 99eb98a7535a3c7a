"""Reads `terraform/` twice: as written (python-hcl2) and as evaluated (tfparse).

The written form distinguishes blocks from arguments and shows every name. The evaluated form shows
the types, and the values that result from variables, loops and functions.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import hcl2
import tfparse  # type: ignore[import-untyped]  # it has no type information

Body = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Declared:
    """A top-level block: `address` is resource.TYPE.NAME, variable.NAME and so on."""

    file: str
    address: str
    body: Body

    @property
    def type(self) -> str:
        """The key of its schema, such as `resource.google_storage_bucket`."""
        return self.address.rpartition(".")[0]


def declared(folder: Path) -> list[Declared]:
    """Every top-level block of every file. Raises hcl2's error if a file cannot be parsed."""
    found = []
    for path in sorted(folder.glob("*.tf")):
        tree = _parsed(path.read_text(encoding="utf-8"))
        for kind, entries in tree.items():
            if kind.startswith("__"):
                continue
            for entry in entries:
                found += [Declared(path.name, a, b) for a, b in _labelled(kind, entry)]
    return found


@cache
def _parsed(text: str) -> Body:
    """A parsed file, which nobody changes: parsing `terraform/` takes a second."""
    tree: Body = hcl2.loads(text)
    return tree


_LABELS = {
    "resource": 2,
    "data": 2,
    "variable": 1,
    "output": 1,
    "provider": 1,
    "module": 1,
    "check": 1,
}


def _labelled(kind: str, entry: Body, depth: int = 0) -> Iterator[tuple[str, Body]]:
    if depth == _LABELS.get(kind.partition(".")[0], 0):
        yield kind, entry
        return
    for label, inner in entry.items():
        if not label.startswith("__"):
            yield from _labelled(f"{kind}.{label.strip(chr(34))}", inner, depth + 1)


def is_block(value: object) -> bool:
    """Whether hcl2 read `name { ... }`, not `name = ...`."""
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(item, dict) and "__is_block__" in item for item in value)
    )


def dynamic_blocks(value: list[Body]) -> Iterator[tuple[str, Body]]:
    """`dynamic "x" { content { ... } }` → x and its content."""
    for item in value:
        for label, inner in item.items():
            if not label.startswith("__"):
                yield label.strip('"'), inner["content"][0]


def evaluated(folder: Path, *variables: Path) -> dict[str, list[Body]]:
    """Type → its instances as values, with `__tfmeta.path` as the address.

    `variables` are files with values, relative to the folder. Raises `tfparse.ParseError`.
    """
    result: dict[str, list[Body]] = tfparse.load_from_path(
        str(folder), stop_on_hcl_error=True, vars_paths=[str(path) for path in variables]
    )
    return result


def local_values(values: dict[str, list[Body]]) -> Body:
    """Every local, by name."""
    return {name: value for block in values["locals"] for name, value in block.items()}


def broken_validations(values: dict[str, list[Body]]) -> list[str]:
    """`variable.x: error message` for every validation that the values do not pass, and so for the
    preconditions of `terraform_data`."""
    checked = [(each, each.get("validation", [])) for each in values.get("variable", [])]
    for each in values.get("terraform_data", []):
        checked.append((each, each.get("lifecycle", {}).get("precondition", [])))
    return [
        f"{each['__tfmeta']['path']}: {rule['error_message']}"
        for each, rules in checked
        for rule in (rules if isinstance(rules, list) else [rules])
        # A condition that cannot be evaluated counts as not passed.
        if rule["condition"] is not True
    ]
