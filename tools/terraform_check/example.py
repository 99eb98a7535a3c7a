"""Writes `terraform/examples/complete`: a root that passes every variable and output on.

The values of a deployment are then in `terraform.tfvars`, which Git ignores: `git pull` never
conflicts with them.
"""

from __future__ import annotations

from pathlib import Path

from tools.terraform_check import configuration

_HEAD = "# Written by `python -m tools.terraform_check --write`.\n\n"
# For these types, `-var NAME=VALUE` needs no quotes. Any other type is checked by the module alone.
_PLAIN = ("string", "number", "bool")


def files(module: Path) -> dict[str, str]:
    """Name → text of the files that follow from the module's variables and outputs."""
    declared = configuration.declared(module)
    variables = {
        item.address.removeprefix("variable."): item.body
        for item in declared
        if item.address.startswith("variable.")
    }
    outputs = [
        item.address.removeprefix("output.")
        for item in declared
        if item.address.startswith("output.")
    ]
    width = max(map(len, variables))
    call = "".join(f"  {name:<{width}} = var.{name}\n" for name in variables)
    return {
        "main.tf": f'{_HEAD}module "conversions" {{\n  source = "../.."\n\n{call}}}\n',
        "variables.tf": _HEAD
        + "# ../../README.md describes them. Unset ones have the module's defaults.\n\n"
        + "\n".join(_variable(name, body) for name, body in variables.items()),
        "outputs.tf": _HEAD + "\n".join(_output(name) for name in outputs),
    }


def _variable(name: str, body: configuration.Body) -> str:
    written = str(body["type"]).strip("${}")
    type_ = written if written in _PLAIN else "any"
    if "default" in body:
        return f'variable "{name}" {{\n  type    = {type_}\n  default = null\n}}\n'
    return f'variable "{name}" {{\n  type = {type_}\n}}\n'


def _output(name: str) -> str:
    return f'output "{name}" {{\n  value = module.conversions.{name}\n}}\n'
