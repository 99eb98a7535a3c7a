"""Writes the inputs and outputs into `terraform/README.md`, in the format of terraform-docs.

terraform-docs itself is not in the package registries. Its format is described at
https://terraform-docs.io/reference/markdown-table/; where it is installed,
`terraform-docs markdown table --anchor=false --hide modules,providers,resources --output-file
README.md terraform` writes the same.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path

from tools.terraform_check import configuration
from tools.terraform_check.configuration import Declared

BEGIN, END = "<!-- BEGIN_TF_DOCS -->", "<!-- END_TF_DOCS -->"
_BRACKETS = {"(": 1, "[": 1, "{": 1, ")": -1, "]": -1, "}": -1}


def with_tables(text: str, module: Path) -> str:
    """The README with its part between the two comments written again."""
    before, _, rest = text.partition(BEGIN)
    after = rest.partition(END)[2]
    return f"{before}{BEGIN}\n{tables(module)}{END}{after}"


def tables(module: Path) -> str:
    """Requirements, inputs and outputs of the module."""
    declared = sorted(configuration.declared(module), key=lambda item: item.address)
    bounds: dict[str, str] = {}
    for item in declared:
        if item.address == "terraform":
            needed = item.body["required_providers"][0]
            bounds = {
                name: source["version"].strip('"')
                for name, source in needed.items()
                if not name.startswith("__")
            }
            minimum = item.body["required_version"].strip('"')
    sources = "\n".join(path.read_text(encoding="utf-8") for path in sorted(module.glob("*.tf")))
    return "\n".join(
        [
            *_table("Requirements", ("Name", "Version"), _requirements(minimum, bounds)),
            *_table(
                "Inputs",
                ("Name", "Description", "Type", "Default", "Required"),
                (_input(i, sources) for i in declared if i.address.startswith("variable.")),
            ),
            *_table(
                "Outputs",
                ("Name", "Description"),
                (_output(i) for i in declared if i.address.startswith("output.")),
            ),
        ]
    )


def _table(title: str, columns: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> list[str]:
    rule = [":" + "-" * (len(c) - 2) + ":" if c == "Required" else "-" * len(c) for c in columns]
    lines = (f"| {' | '.join(cells)} |" for cells in (columns, rule, *rows))
    return [f"## {title}\n", *lines, ""]


def _escaped(name: str) -> str:
    return name.replace("_", r"\_")


def _requirements(minimum: str, bounds: dict[str, str]) -> Iterable[tuple[str, str]]:
    yield "terraform", minimum
    for name in sorted(bounds):
        yield _escaped(name), bounds[name]


def _input(item: Declared, sources: str) -> tuple[str, ...]:
    name = item.address.removeprefix("variable.")
    default = "n/a"
    if "default" in item.body:
        value = item.body["default"]
        default = f"`{value if isinstance(value, str) else json.dumps(value)}`"
    return (
        _escaped(name),
        _described(item),
        _code(_type_text(name, sources)),
        default,
        "no" if "default" in item.body else "yes",
    )


def _output(item: Declared) -> tuple[str, str]:
    return _escaped(item.address.removeprefix("output.")), _described(item)


def _described(item: Declared) -> str:
    """The description, with the signs escaped that mean something in a table."""
    text = json.loads(item.body["description"])
    parts = text.split("`")
    parts[::2] = [_escaped(part.replace("|", r"\|")) for part in parts[::2]]
    return "`".join(parts)


def _code(text: str) -> str:
    lines = text.splitlines()
    return f"<pre>{'<br/>'.join(lines)}</pre>" if len(lines) > 1 else f"`{text}`"


def _type_text(name: str, sources: str) -> str:
    """The type as it is written, until its brackets are closed."""
    found = re.search(
        rf'^variable "{name}" {{\n(?:.*\n)*?  type += (.*\n(?:.*\n)*?)(?=}}\n)', sources, re.M
    )
    if found is None:
        raise LookupError(f"variable {name} has no type")
    lines, open_ = [], 0
    for line in found[1].splitlines():
        lines.append(line)
        open_ += sum(_BRACKETS.get(char, 0) for char in line)
        if open_ == 0:
            break
    return "\n".join(lines)
