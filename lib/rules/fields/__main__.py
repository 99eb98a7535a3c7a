"""`docs/columns.md`, made from the fields: `python -m lib.rules.fields > docs/columns.md`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from lib.model.fields import HIGHEST_NUMBER
from lib.rules.fields import FIELDS

_HEAD = """\
# Columns

<!-- Made by `make reference`. Edit the fields in lib/rules/fields. -->

Each field, and the column names by which it is found ([how](input.md#column-names)). Names in the
last column are less clear: they are used only if no other column is for the field. An additional
column for an email address or phone number becomes the next numbered field: next to `Phone`, the
column `Mobile` is `phone_2`. Email addresses, phone numbers and names are hashed before they are
sent.

| column | what it holds | also called | only if no other column fits |
|---|---|---|---|
"""
_CRM_HEAD = """\

## Names in exports of CRMs

In German, French, Spanish, Italian, Dutch and Portuguese exports of HubSpot, Salesforce, Pipedrive,
Zoho and Dynamics. They are used only if no name above fits, those in the last column only if
nothing else does. Of several names for one field, none is used (`COLUMN_NOT_CHOSEN`); for names,
addresses and times, the first one is.

| column | names in exports of CRMs | only if nothing else fits |
|---|---|---|
"""


def page() -> str:
    """Return the page: one row for each field."""
    return _HEAD + "\n".join(table_rows()) + "\n" + _CRM_HEAD + "\n".join(crm_rows()) + "\n"


def table_rows() -> Iterator[str]:
    """Yield one row for each field: its name, description, aliases and fallbacks."""
    for field in FIELDS:
        name = f"`{field.name}`"
        if field.numbered:
            name += f", `{field.name}_2` ... `{field.name}_{HIGHEST_NUMBER}`"
        names = f"{_listed(field.aliases)} | {_listed(field.fallbacks)}"
        yield f"| {name} | {field.description} | {names} |"


def crm_rows() -> Iterator[str]:
    """Yield one row for each field that has special names in exports of CRMs."""
    for field in FIELDS:
        if field.crm_names:
            names = f"{_listed(field.crm_names)} | {_listed(field.last_resorts)}"
            yield f"| `{field.name}` | {names} |"


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


if __name__ == "__main__":
    print(page(), end="")
