"""The schemas of the providers, extracted from the wheels of their CDK bindings.

A wheel contains an assembly (100 MB of JSON for Google's provider) that describes each resource's
arguments as a class. The documentation link contains the Terraform name; the words "<name> block."
identify a nested block. `schemas/<provider>-<release>.json` are snapshots of the types that are
used here, so a test needs neither the wheels nor a minute. Where the wheels are installed, another
test extracts the schemas again and compares them with the snapshots.
"""

from __future__ import annotations

import json
import re
import tarfile
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import reduce
from pathlib import Path
from typing import Any

SNAPSHOTS = Path(__file__).with_name("schemas")
_TYPE = re.compile(r'"(@cdkt[fn]/provider-\w+\.\w+\.\w+)": ?\{')
_UNRESOLVED = ("cdktf.IResolvable", "cdktn.IResolvable")
_LINK = re.compile(r"#(\w+) \w+#\1\}")
_RELEASE = re.compile(r"hashicorp/(\w+)/([\d.]+)/docs")


@dataclass(frozen=True, slots=True)
class Block:
    """The allowed content of a block. Types: string, number, bool, list(x), map(x), any."""

    arguments: dict[str, str] = field(default_factory=dict)
    blocks: dict[str, Block] = field(default_factory=dict)
    single: frozenset[str] = frozenset()  # blocks that may appear only once
    required: frozenset[str] = frozenset()  # arguments and blocks that must be present
    attributes: frozenset[str] = frozenset()  # what references may name; for resources only


Schemas = dict[str, Block]  # "resource.google_storage_bucket", "data.archive_file" → its block


def releases(provider: str) -> list[str]:
    """The releases of a provider that have a snapshot, oldest first."""
    found = [p.stem.partition("-")[2] for p in SNAPSHOTS.glob(f"{provider}-*.json")]
    return sorted(found, key=lambda release: [int(part) for part in release.split(".")])


def load() -> list[Schemas]:
    """The schemas of the types that `terraform/` uses, one for each release of Google's provider.

    Of any other provider, the types and arguments count that all its releases have.
    """
    others = dict(_BUILT_IN)
    for provider in sorted({p.stem.partition("-")[0] for p in SNAPSHOTS.glob("*.json")} - {_MAIN}):
        first, *later = [_snapshot(provider, release) for release in releases(provider)]
        for name, block in first.items():
            others[name] = reduce(_common, (schemas[name] for schemas in later), block)
    return [_snapshot(_MAIN, release) | others for release in releases(_MAIN)]


def _snapshot(provider: str, release: str) -> Schemas:
    path = SNAPSHOTS / f"{provider}-{release}.json"
    document = json.loads(path.read_text(encoding="utf-8"))
    return {name: _block(body) for name, body in document.items()}


def _common(one: Block, other: Block) -> Block:
    """What both releases have, and what either requires."""
    return Block(
        {k: v for k, v in one.arguments.items() if other.arguments.get(k) == v},
        {k: _common(v, other.blocks[k]) for k, v in one.blocks.items() if k in other.blocks},
        one.single | other.single,
        one.required | other.required,
        one.attributes & other.attributes,
    )


def _block(body: dict[str, Any]) -> Block:
    return Block(
        body["arguments"],
        {name: _block(inner) for name, inner in body.get("blocks", {}).items()},
        frozenset(body.get("single", ())),
        frozenset(body.get("required", ())),
        frozenset(body.get("attributes", ())),
    )


_MAIN = "google"

# https://developer.hashicorp.com/terraform/language/resources/terraform-data
_BUILT_IN: Schemas = {
    "resource.terraform_data": Block(
        arguments={"input": "any", "triggers_replace": "any"},
        attributes=frozenset({"id", "input", "output", "triggers_replace"}),
    )
}


# ── extraction ────────────────────────────────────────────────────────────────────────────────


def write(wheel: Path, types: Iterable[str]) -> None:
    """Write the snapshot of a wheel: of those `types` that its provider has."""
    name, text = snapshot(wheel, types)
    SNAPSHOTS.joinpath(name).write_text(text, encoding="utf-8")


def snapshot(wheel: Path, types: Iterable[str]) -> tuple[str, str]:
    """The name and the text of the snapshot.

    `types` are "resource.google_x", "data.archive_x" and so on; those of other providers are left
    out. Raises `LookupError` for a type that the provider does not have.
    """
    assembly = Assembly(_assembly(wheel))
    found = _RELEASE.search(assembly.text)
    if found is None:
        raise LookupError("the assembly does not name its provider")
    provider, release = found.groups()
    lines = [
        f" {json.dumps(name)}: {json.dumps(_cut(assembly, name), sort_keys=True)}"
        for name in sorted(types)
        if name.partition(".")[2].startswith(f"{provider}_")
    ]
    return f"{provider}-{release}.json", "{\n" + ",\n".join(lines) + "\n}\n"


class Assembly:
    """The text of the assembly. It finds single types without parsing the whole text."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._starts = {match[1]: match.end() - 1 for match in _TYPE.finditer(text)}
        self.package = next(iter(self._starts)).rsplit(".", 2)[0]

    def type(self, fqn: str) -> dict[str, Any]:
        """A class or interface by its full name. Raises `LookupError`."""
        if fqn not in self._starts:
            raise LookupError(f"the provider has no {fqn}")
        found: dict[str, Any] = json.JSONDecoder().raw_decode(self.text, self._starts[fqn])[0]
        return found


def _assembly(wheel: Path) -> str:
    with zipfile.ZipFile(wheel) as files:
        name = next(n for n in files.namelist() if n.endswith(".jsii.tgz"))
        with files.open(name) as archive, tarfile.open(fileobj=archive, mode="r|gz") as package:
            for member in package:
                if member.name == "package/.jsii":
                    content = package.extractfile(member)
                    assert content is not None
                    return content.read().decode()
    raise LookupError("no assembly in the wheel")


def _cut(assembly: Assembly, name: str) -> dict[str, Any]:
    kind, _, type_ = name.partition(".")
    provider, *words = type_.split("_")
    if kind == "data":
        words = ["data", provider, *words]
    pascal = "".join(word[:1].upper() + word[1:] for word in words)
    namespace = f"{assembly.package}.{pascal[:1].lower()}{pascal[1:]}"
    class_ = assembly.type(f"{namespace}.{pascal}")
    body = _arguments(assembly, f"{namespace}.{pascal}Config")
    # The bindings add `nameInput` and the like.
    names = (prop["name"] for prop in class_["properties"])
    body["attributes"] = sorted(_snake(name) for name in names if not name.endswith("Input"))
    return body


def _arguments(assembly: Assembly, fqn: str) -> dict[str, Any]:
    arguments: dict[str, str] = {}
    blocks: dict[str, Any] = {}
    single: list[str] = []
    required: list[str] = []
    for prop in assembly.type(fqn).get("properties", ()):
        docs = prop["docs"]
        link = _LINK.search(docs.get("remarks", "") + docs.get("summary", ""))
        if link is None:
            continue
        name = link.group(1)
        if not prop.get("optional"):
            required.append(name)
        if docs.get("summary") == f"{name} block.":
            inner, is_list = _inner(prop["type"])
            blocks[name] = _arguments(assembly, inner)
            if not is_list:
                single.append(name)
        else:
            arguments[name] = _type_name(prop["type"])
    body: dict[str, Any] = {"arguments": arguments}
    if blocks:
        body["blocks"] = blocks
    if single:
        body["single"] = single
    if required:
        body["required"] = required
    return body


def _inner(type_: dict[str, Any]) -> tuple[str, bool]:
    """The class name of a nested block, and whether the block may appear several times."""
    if "union" in type_:
        type_ = next(t for t in type_["union"]["types"] if "collection" in t)
    if "collection" in type_:
        return type_["collection"]["elementtype"]["fqn"], True
    return type_["fqn"], False


def _type_name(type_: dict[str, Any]) -> str:
    if "union" in type_:
        known = [t for t in type_["union"]["types"] if t.get("fqn") not in _UNRESOLVED]
        type_ = known[0]
    if "collection" in type_:
        kind = {"array": "list", "map": "map"}[type_["collection"]["kind"]]
        return f"{kind}({_type_name(type_['collection']['elementtype'])})"
    return {"string": "string", "number": "number", "boolean": "bool"}.get(
        type_.get("primitive", ""), "any"
    )


def _snake(camel: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", camel).lower()
