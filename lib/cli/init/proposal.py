"""A proposed profile: its keys with their reasons, the open questions, and its text.

The text is JSON, as `check` and the function read it, or an assignment for terraform.tfvars. Each
key has its reason as a comment.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from textwrap import wrap
from typing import Any, Final

from lib.config.profile import read_profiles

OPTIONS: Final[Mapping[str, str]] = {
    "destination": "--destination",
    "customer_id": "--customer-id",
    "conversion_action": "--action",
    "time_zone": "--time-zone",
    "currency_code": "--currency",
    "phone_region": "--phone-region",
    "day_first": "--day-first",
    "ad_user_data": "--ad-user-data",
    "headers": "--column conversion_date_time=NAME",
}
"""Key of a profile → the option that answers its question."""

_YES: Final = ("yes", "y", "true")
_WIDTH: Final = 100
_INDENT: Final = "    "
"""A key of a profile is this far from the margin, in both forms."""
_PLAIN_KEY: Final = re.compile(r"[A-Za-z_][\w-]*", re.ASCII)
_LAST_BRACE: Final = re.compile(r"\s*\}\s*\Z")


@dataclass(frozen=True, slots=True)
class Entry:
    """A key of the profile, its value, and the reason in words. The reason quotes no cell, except
    the values of a row filter."""

    key: str
    value: Any
    reason: str


@dataclass(frozen=True, slots=True)
class Question:
    """A key whose value the file does not show. The default "" leaves the key out.

    `is_needed`: without the key, rows are rejected or mean something else.
    """

    key: str
    text: str
    default: str
    is_needed: bool

    @property
    def option(self) -> str:
        """The option that answers the question."""
        return OPTIONS[self.key]

    def value_of(self, answer: str) -> Any:
        """Return the value of the key that an answer means."""
        if self.key == "day_first":
            return answer.casefold() in _YES
        if self.key == "headers":
            return {"conversion_date_time": [answer]}
        return answer


@dataclass(frozen=True, slots=True)
class Given:
    """What a person has said: values by profile key, and keys that are left out on purpose.

    `by_default`: keys whose value is the default of a question that nobody answered."""

    values: Mapping[str, Any] = field(default_factory=dict)
    left_out: frozenset[str] = frozenset()
    by_default: frozenset[str] = frozenset()

    def decides(self, key: str) -> bool:
        """Return whether the person has decided on a key."""
        return key in self.values or key in self.left_out

    def with_answer(self, key: str, value: Any, *, by_default: bool = False) -> Given:
        """Return this with one more answer. The value "" leaves the key out."""
        if value == "":
            return replace(self, left_out=self.left_out | {key})
        if key == "headers":
            value = {**self.values.get("headers", {}), **value}
        given = replace(self, values={**self.values, key: value})
        return replace(given, by_default=self.by_default | {key}) if by_default else given


@dataclass(frozen=True, slots=True)
class Proposal:
    """A profile, or a part of one: its keys with their reasons, and what is still to be asked."""

    entries: tuple[Entry, ...] = ()
    questions: tuple[Question, ...] = ()

    def values(self) -> dict[str, Any]:
        """Return the profile as a document."""
        return {entry.key: entry.value for entry in self.entries}

    @property
    def needed(self) -> tuple[Question, ...]:
        """The questions without whose answers rows are rejected or mean something else."""
        return tuple(each for each in self.questions if each.is_needed)


class ProfileExists(ValueError):
    """The document already has a profile of this name."""


def as_json(name: str, proposal: Proposal) -> str:
    """Return a profiles document with comments."""
    return f"{{\n{_json_of(name, proposal)}\n}}\n"


def added_to(document: str, name: str, proposal: Proposal) -> str:
    """Return a profiles document with one more profile. Its text so far stays as it is.

    Raises `ProfileExists`, and `PermanentError` if the document is not valid.
    """
    if not document.strip():
        return as_json(name, proposal)
    profiles = read_profiles(document)
    if name in profiles:
        raise ProfileExists(name)
    rest = _LAST_BRACE.sub("", document)
    # After a comment, the comma needs a line of its own.
    in_comment = rest.rpartition("\n")[2].lstrip().startswith("//")
    comma = ("\n," if in_comment else ",") if profiles else ""
    changed = f"{rest}{comma}\n{_json_of(name, proposal)}\n}}\n"
    read_profiles(changed)
    return changed


def _json_of(name: str, proposal: Proposal) -> str:
    lines = [f"  {_text(name)}: {{"]
    *earlier, last = [*_json_keys(proposal)] or [[]]
    for key in earlier:
        lines += [*key[:-1], f"{key[-1]},"]
    return "\n".join([*lines, *last, "  }"])


def _json_keys(proposal: Proposal) -> Iterator[list[str]]:
    for entry in proposal.entries:
        value = json.dumps(entry.value, ensure_ascii=False)
        if isinstance(entry.value, dict) and len(value) > _WIDTH // 2:
            inner = [f"{_INDENT}  {_text(key)}: {_text(v)}" for key, v in entry.value.items()]
            value = "{\n" + ",\n".join(inner) + f"\n{_INDENT}}}"
        yield [*_comment(entry, "//"), f"{_INDENT}{_text(entry.key)}: {value}"]


def as_terraform(name: str, proposal: Proposal) -> str:
    """Return the same profile for terraform.tfvars."""
    lines = ["profiles = {", f"  {_terraform_key(name)} = {{"]
    for entry in proposal.entries:
        lines += _comment(entry, "#")
        lines += _attribute(entry.key, entry.value)
    return "\n".join([*lines, "  }", "}", ""])


def _attribute(key: str, value: Any) -> list[str]:
    if isinstance(value, dict):
        width = max(len(_terraform_key(each)) for each in value)
        inner = [
            f"{_INDENT}  {_terraform_key(each).ljust(width)} = {_terraform_value(v)}"
            for each, v in value.items()
        ]
        return [f"{_INDENT}{key} = {{", *inner, f"{_INDENT}}}"]
    return [f"{_INDENT}{key} = {_terraform_value(value)}"]


def _terraform_key(name: str) -> str:
    return name if _PLAIN_KEY.fullmatch(name) else _terraform_value(name)


def _terraform_value(value: Any) -> str:
    # Terraform evaluates ${...} and %{...} in a text.
    return _text(value).replace("${", "$${").replace("%{", "%%{")


def _comment(entry: Entry, sign: str) -> list[str]:
    width = _WIDTH - len(_INDENT) - len(sign) - 1
    lines = [part for line in entry.reason.splitlines() for part in wrap(line, width)]
    return [f"{_INDENT}{sign} {line}" for line in lines]


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
