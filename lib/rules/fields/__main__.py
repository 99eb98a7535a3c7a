"""Prints the rows of the tables of columns in docs/input.md."""

from __future__ import annotations

from collections.abc import Iterator

from lib.model.fields import HIGHEST_NUMBER
from lib.rules.fields import FIELDS


def table_rows() -> Iterator[str]:
    """Yield one row for each field: its name, description, aliases and fallbacks."""
    for field in FIELDS:
        name = f"`{field.name}`"
        if field.numbered:
            name += f", `{field.name}_2` ... `{field.name}_{HIGHEST_NUMBER}`"
        aliases, fallbacks = (
            ", ".join(f"`{each}`" for each in names) for names in (field.aliases, field.fallbacks)
        )
        yield f"| {name} | {field.description} | {aliases} | {fallbacks} |"


def crm_rows() -> Iterator[str]:
    """Yield one row for each field that has special names in exports of CRMs."""
    for field in FIELDS:
        if field.crm_names:
            names, last_resorts = (
                ", ".join(f"`{each}`" for each in names)
                for names in (field.crm_names, field.last_resorts)
            )
            yield f"| `{field.name}` | {names} | {last_resorts} |"


if __name__ == "__main__":
    print("\n".join([*table_rows(), *crm_rows()]))
