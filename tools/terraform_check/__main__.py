"""`python -m tools.terraform_check`; see the docstring of the package."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tools.terraform_check import (
    check,
    configuration,
    example,
    formatter,
    readme,
    rules,
    schema,
)

TERRAFORM = Path(__file__).parents[2] / "terraform"
README = TERRAFORM / "README.md"
ROOT = TERRAFORM / "examples" / "complete"
EXAMPLE = Path("examples/complete/terraform.tfvars.example")


def main() -> int:
    """Print the problems; returns 1 if there are any, otherwise 0."""
    parser = argparse.ArgumentParser(prog="python -m tools.terraform_check")
    parser.add_argument(
        "--write", action="store_true", help="format terraform/, write its example and its README"
    )
    parser.add_argument(
        "--schema", type=Path, nargs="+", help="extract the schemas from these wheels"
    )
    arguments = parser.parse_args()
    terraform = formatter.program()
    if arguments.write:
        for name, text in example.files(TERRAFORM).items():
            (ROOT / name).write_text(text, encoding="utf-8")
        text = readme.with_tables(README.read_text(encoding="utf-8"), TERRAFORM)
        README.write_text(text, encoding="utf-8")
        if terraform is not None:
            formatter.write(terraform, TERRAFORM, EXAMPLE)
    for wheel in arguments.schema or ():
        schema.write(wheel, used_types())
    releases = schema.load()
    found = [
        *check.problems(TERRAFORM, releases, EXAMPLE),
        *rules.problems(TERRAFORM.parent, releases[-1]),
    ]
    if terraform is None:
        print("there is no terraform on this machine: the layout is not checked")
    else:
        found += formatter.problems(terraform, TERRAFORM, EXAMPLE)
    print("\n".join(found) or "terraform/ has no problems")
    return 1 if found else 0


def used_types() -> set[str]:
    """The types that `terraform/` uses: "resource.google_storage_bucket" and so on."""
    items = configuration.declared(TERRAFORM)
    return {item.type for item in items if item.type.startswith(("resource.", "data."))}


if __name__ == "__main__":
    sys.exit(main())
