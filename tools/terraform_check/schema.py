"""The Google provider's schema, extracted from the wheel `cdktf-cdktf-provider-google`.

The wheel contains an assembly (100 MB of JSON) that describes each resource's arguments as a class.
The documentation link contains the Terraform name; the words "<name> block." identify a nested
block. `google_provider.json` is a snapshot of the types that are used here, so a test needs neither
the wheel nor a minute. Where the wheel is installed, another test extracts the schema again and
compares it with the snapshot.
"""

from __future__ import annotations

import json
import re
import tarfile
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

SNAPSHOT = Path(__file__).with_name("google_provider.json")
_PACKAGE = "@cdktf/provider-google"
_TYPE = re.compile(r'"(@cdktf/provider-google\.\w+\.\w+)": ?\{')
_LINK = re.compile(r"#(\w+) \w+#\1\}")
_VERSION = re.compile(r"hashicorp/google/([\d.]+)/docs")


@dataclass(frozen=True, slots=True)
class Block:
    """The allowed content of a block. Types: string, number, bool, list(x), map(x), any."""

    arguments: dict[str, str] = field(default_factory=dict)
    blocks: dict[str, Block] = field(default_factory=dict)
    single: frozenset[str] = frozenset()  # blocks that may appear only once
    required: frozenset[str] = frozenset()  # arguments and blocks that must be present
    attributes: frozenset[str] = frozenset()  # what references may name; for resources only


Schemas = dict[str, Block]  # "resource.google_storage_bucket", "data.archive_file" → its block


def load(snapshot: Path = SNAPSHOT) -> Schemas:
    """The schemas of the types that `terraform/` uses."""
    document = json.loads(snapshot.read_text(encoding="utf-8"))
    return {name: _block(body) for name, body in document["types"].items()} | _ARCHIVE


def _block(body: dict[str, Any]) -> Block:
    return Block(
        body["arguments"],
        {name: _block(inner) for name, inner in body.get("blocks", {}).items()},
        frozenset(body.get("single", ())),
        frozenset(body.get("required", ())),
        frozenset(body.get("attributes", ())),
    )


# There is no such wheel for the archive provider.
# https://github.com/hashicorp/terraform-provider-archive/blob/main/docs/data-sources/file.md
_ARCHIVE: Schemas = {
    "data.archive_file": Block(
        arguments={
            "type": "string",
            "output_path": "string",
            "output_file_mode": "string",
            "source_content": "string",
            "source_content_filename": "string",
            "source_dir": "string",
            "source_file": "string",
            "excludes": "list(string)",
            "exclude_symlink_directories": "bool",
        },
        blocks={
            "source": Block(
                {"content": "string", "filename": "string"},
                required=frozenset({"content", "filename"}),
            )
        },
        required=frozenset({"type", "output_path"}),
        attributes=frozenset({"output_path", "output_sha256", "output_base64sha256", "output_md5"}),
    )
}


# ── extraction ────────────────────────────────────────────────────────────────────────────────


def cut_out(package: Path, types: Iterable[str]) -> dict[str, Any]:
    """The snapshot of `types` ("resource.google_x", "data.google_x") from the wheel or its folder.

    Raises `LookupError` for a type that the provider does not have.
    """
    assembly = Assembly(_assembly(package))
    found = _VERSION.search(assembly.text)
    return {
        "provider": found.group(1) if found else "",
        "types": {name: _cut(assembly, name) for name in sorted(types)},
    }


class Assembly:
    """The text of the assembly. It finds single types without parsing the whole text."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._starts = {match[1]: match.end() - 1 for match in _TYPE.finditer(text)}

    def type(self, fqn: str) -> dict[str, Any]:
        """A class or interface by its full name. Raises `LookupError`."""
        if fqn not in self._starts:
            raise LookupError(f"the provider has no {fqn}")
        found: dict[str, Any] = json.JSONDecoder().raw_decode(self.text, self._starts[fqn])[0]
        return found


def _assembly(package: Path) -> str:
    if package.is_dir():
        with next(package.rglob("provider-google@*.jsii.tgz")).open("rb") as archive:
            return _unpack(archive)
    with zipfile.ZipFile(package) as wheel:
        name = next(n for n in wheel.namelist() if n.endswith(".jsii.tgz"))
        with wheel.open(name) as archive:
            return _unpack(archive)


def _unpack(archive: IO[bytes]) -> str:
    with tarfile.open(fileobj=archive, mode="r|gz") as package:
        for member in package:
            if member.name == "package/.jsii":
                content = package.extractfile(member)
                assert content is not None
                return content.read().decode()
    raise LookupError("no assembly in the package")


def _cut(assembly: Assembly, name: str) -> dict[str, Any]:
    kind, _, type_ = name.partition(".")
    words = type_.removeprefix("google_").split("_")
    if kind == "data":
        words = ["data", "google", *words]
    pascal = "".join(word[:1].upper() + word[1:] for word in words)
    namespace = f"{_PACKAGE}.{pascal[:1].lower()}{pascal[1:]}"
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
        known = [t for t in type_["union"]["types"] if t.get("fqn") != "cdktf.IResolvable"]
        type_ = known[0]
    if "collection" in type_:
        kind = {"array": "list", "map": "map"}[type_["collection"]["kind"]]
        return f"{kind}({_type_name(type_['collection']['elementtype'])})"
    return {"string": "string", "number": "number", "boolean": "bool"}.get(
        type_.get("primitive", ""), "any"
    )


def _snake(camel: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", camel).lower()
