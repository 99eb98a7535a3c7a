"""`python -m tools.terraform_check`; see the docstring of the package."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from tools.terraform_check import check, configuration, layout, schema

TERRAFORM = Path(__file__).parents[2] / "terraform"
EXAMPLE = Path("terraform.tfvars.example")


def main() -> int:
    """Print the problems; returns 1 if there are any, otherwise 0."""
    parser = argparse.ArgumentParser(prog="python -m tools.terraform_check")
    parser.add_argument("--write", action="store_true", help="format the files of terraform/")
    parser.add_argument(
        "--schema", type=Path, help="extract the provider's schema from this wheel or folder"
    )
    arguments = parser.parse_args()
    if arguments.write:
        for path in [*TERRAFORM.glob("*.tf"), *TERRAFORM.glob("*.tfvars*")]:
            path.write_text(layout.canonical(path.read_text(encoding="utf-8")), encoding="utf-8")
    if arguments.schema:
        document = schema.cut_out(arguments.schema, used_types())
        text = json.dumps(document, indent=1, sort_keys=True)
        schema.SNAPSHOT.write_text(text + "\n", encoding="utf-8")
    found = check.problems(TERRAFORM, schema.load(), EXAMPLE)
    print("\n".join(found) or "terraform/ has no problems")
    return 1 if found else 0


def used_types() -> set[str]:
    """The types of the Google provider that `terraform/` uses."""
    items = configuration.declared(TERRAFORM)
    return {item.type for item in items if item.type.partition(".")[2].startswith("google_")}


if __name__ == "__main__":
    sys.exit(main())
