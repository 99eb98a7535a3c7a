"""`python -m tools.terraform_check`: see the package's docstring."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from tools.terraform_check import check, configuration, layout, schema

TERRAFORM = Path(__file__).parents[2] / "terraform"
EXAMPLE = Path("terraform.tfvars.example")


def main() -> int:
    """Print problems; 1 when there are any."""
    parser = argparse.ArgumentParser(prog="python -m tools.terraform_check")
    parser.add_argument("--write", action="store_true", help="lay the files out anew")
    parser.add_argument("--schema", type=Path, help="wheel or folder to cut the schema out of")
    arguments = parser.parse_args()
    if arguments.write:
        for path in [*TERRAFORM.glob("*.tf"), *TERRAFORM.glob("*.tfvars*")]:
            path.write_text(layout.canonical(path.read_text(encoding="utf-8")), encoding="utf-8")
    if arguments.schema:
        document = schema.cut_out(arguments.schema, used_types())
        text = json.dumps(document, indent=1, sort_keys=True)
        schema.SNAPSHOT.write_text(text + "\n", encoding="utf-8")
    found = check.problems(TERRAFORM, schema.load(), EXAMPLE)
    print("\n".join(found) or "terraform/ is sound")
    return 1 if found else 0


def used_types() -> set[str]:
    """Types of the Google provider that `terraform/` uses."""
    items = configuration.declared(TERRAFORM)
    return {item.type for item in items if item.type.partition(".")[2].startswith("google_")}


if __name__ == "__main__":
    sys.exit(main())
