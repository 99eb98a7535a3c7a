"""Checks the configuration for unknown, missing, misplaced and mistyped arguments and blocks."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from tools.terraform_check import configuration
from tools.terraform_check.configuration import Body, Declared
from tools.terraform_check.schema import Block, Schemas

# https://developer.hashicorp.com/terraform/language/meta-arguments
_META_ARGUMENTS = frozenset({"count", "for_each", "depends_on", "provider"})
_META_BLOCKS = frozenset({"lifecycle", "provisioner", "connection"})

_REFERENCE = re.compile(
    r"(?<![\w.\"/-])(?P<data>data\.)?(?P<type>(?:google|archive|time|terraform)_\w+)\.(?P<name>\w+)"
    r"(?:\[[^\]]*\])?(?:\.(?P<attribute>\w+))?"
)
_NAMED = re.compile(r"(?<![\w.\"/-])(?P<kind>var|local)\.(?P<name>\w+)")


def problems(folder: Path, releases: Iterable[Schemas], *variables: Path) -> list[str]:
    """All problems of the module in `folder`, one line each; empty if there are none.

    The module must fit the schemas of every release. `variables` are files with values for the
    evaluation, relative to the folder.
    """
    declared = configuration.declared(folder)
    values = configuration.evaluated(folder, *variables)
    found = configuration.broken_validations(values)
    for schemas in releases:
        found += _syntax(declared, schemas)
        found += _references(declared, schemas)
        found += _values(values, schemas)
    return list(dict.fromkeys(found))


# ── as written ────────────────────────────────────────────────────────────────────────────────


def _syntax(declared: list[Declared], schemas: Schemas) -> Iterator[str]:
    for item in declared:
        if not item.address.startswith(("resource.", "data.")):
            continue
        where = f"{item.file}: {item.address}"
        schema = schemas.get(item.type)
        if schema is None:
            yield (
                f"{where}: the provider has no {item.type}, or schemas/ lacks it: "
                "extract it with --schema"
            )
            continue
        body = {k: v for k, v in item.body.items() if k not in _META_ARGUMENTS | _META_BLOCKS}
        yield from (f"{where}: {text}" for text in _body(body, schema, ""))


def _body(body: Body, schema: Block, path: str) -> Iterator[str]:
    present: set[str] = set()
    for name, value in body.items():
        if name.startswith("__"):
            continue
        if name == "dynamic":
            for label, content in configuration.dynamic_blocks(value):
                present.add(label)
                if label not in schema.blocks:
                    yield f"{path}{label}: no such block"
                else:
                    yield from _body(content, schema.blocks[label], f"{path}{label}.")
            continue
        present.add(name)
        if name in schema.blocks:
            if not configuration.is_block(value):
                yield f"{path}{name}: a block, not an argument: write it without ="
                continue
            if len(value) > 1 and name in schema.single:
                yield f"{path}{name}: is allowed only once"
            for block in value:
                yield from _body(block, schema.blocks[name], f"{path}{name}.")
        elif name in schema.arguments:
            if configuration.is_block(value):
                yield f"{path}{name}: an argument, not a block: write it with ="
        else:
            yield f"{path}{name}: no such argument or block"
    yield from (f"{path}{name}: is required" for name in sorted(schema.required - present))


# ── as evaluated ──────────────────────────────────────────────────────────────────────────────


def _values(values: dict[str, list[Body]], schemas: Schemas) -> Iterator[str]:
    for instances in values.values():
        for instance in instances if isinstance(instances, list) else ():
            meta = instance.get("__tfmeta", {})
            if meta.get("type") in ("resource", "data"):
                schema = schemas.get(f"{meta['type']}.{meta['label']}")
                if schema is not None:
                    where = f"{meta['filename']}: {meta['path']}"
                    yield from (f"{where}: {text}" for text in _types(instance, schema, ""))


def _types(values: Body, schema: Block, path: str) -> Iterator[str]:
    for name, type_ in schema.arguments.items():
        if name in values and not _fits(values[name], type_):
            yield f"{path}{name}: not a {type_}"
    for name, block in schema.blocks.items():
        inner = values.get(name, [])
        for item in inner if isinstance(inner, list) else [inner]:
            if isinstance(item, dict):
                yield from _types(item, block, f"{path}{name}.")


def _fits(value: Any, type_: str) -> bool:
    """Whether Terraform can convert the value. None and values from the cloud always fit."""
    if value is None or type_ == "any" or (isinstance(value, dict) and "__attribute__" in value):
        return True
    kind, _, inner = type_.rstrip(")").partition("(")
    if kind == "list":
        return isinstance(value, list) and all(_fits(item, inner) for item in value)
    if kind == "map":
        return isinstance(value, dict) and all(_fits(item, inner) for item in value.values())
    if kind == "bool":
        return isinstance(value, bool) or value in ("true", "false")
    if isinstance(value, (list, dict)):
        return False
    if kind == "number":
        return (
            not isinstance(value, bool) and re.fullmatch(r"-?\d+(\.\d+)?", str(value)) is not None
        )
    return True


# ── references ────────────────────────────────────────────────────────────────────────────────


def _references(declared: list[Declared], schemas: Schemas) -> Iterator[str]:
    known = {item.address for item in declared}
    variables = {a.removeprefix("variable.") for a in known if a.startswith("variable.")}
    locals_ = {name for item in declared if item.address == "locals" for name in item.body}
    used: set[str] = set()
    for item in declared:
        where = f"{item.file}: {item.address}"
        for text in _texts(item.body):
            for named in _NAMED.finditer(text):
                used.add(named.group())
                if named["name"] not in (variables if named["kind"] == "var" else locals_):
                    yield f"{where}: {named.group()} is not declared"
            for reference in _REFERENCE.finditer(text):
                kind = "data" if reference["data"] else "resource"
                type_ = f"{kind}.{reference['type']}"
                attribute = reference["attribute"]
                if f"{type_}.{reference['name']}" not in known:
                    yield f"{where}: {reference.group()} is not declared"
                elif type_ in schemas and attribute and not _has(schemas[type_], attribute):
                    yield f"{where}: {type_} has no attribute {attribute}"
    for name in sorted(variables):
        if f"var.{name}" not in used:
            yield f"variables.tf: variable.{name} is never used"
    for name in sorted(locals_):
        if f"local.{name}" not in used and not name.startswith("__"):
            yield f"local.{name} is never used"


def _has(schema: Block, attribute: str) -> bool:
    # The assembly has attributes only as someName; digits make the conversion back ambiguous.
    plain = attribute.replace("_", "")
    return any(plain == known.replace("_", "") for known in schema.attributes)


def _texts(value: Any) -> Iterator[str]:
    """Every expression of a tree, as text."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, inner in value.items():
            if not name.startswith("__"):
                yield name
                yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)
