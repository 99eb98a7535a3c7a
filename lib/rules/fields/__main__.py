"""Prints the rows of the column table in docs/input.md."""

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


if __name__ == "__main__":
    print("\n".join(table_rows()))
