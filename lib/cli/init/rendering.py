"""A proposed profile as a document, each key with its reason as a comment: JSON, and Terraform."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from textwrap import wrap
from typing import Any, Final

from lib.cli.init.findings import Entry, Proposal
from lib.config.profile import read_profiles

_WIDTH: Final = 100
_INDENT: Final = "    "
"""A key of a profile is this far from the margin, in both forms."""
_PLAIN_KEY: Final = re.compile(r"[A-Za-z_][\w-]*", re.ASCII)
_LAST_BRACE: Final = re.compile(r"\s*\}\s*\Z")


class ProfileExists(ValueError):
    """The document already has a profile of this name."""


def as_json(name: str, proposal: Proposal) -> str:
    """Return a profiles document with comments, as `read_profiles` and `check` read it."""
    return f"{{\n{_profile(name, proposal)}\n}}\n"


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
    changed = f"{rest}{comma}\n{_profile(name, proposal)}\n}}\n"
    read_profiles(changed)
    return changed


def as_terraform(name: str, proposal: Proposal) -> str:
    """Return the same profile for terraform.tfvars."""
    lines = ["profiles = {", f"  {_key(name)} = {{"]
    for entry in proposal.entries:
        lines += _comment(entry, "#")
        lines += _attribute(entry.key, entry.value)
    return "\n".join([*lines, "  }", "}", ""])


def _profile(name: str, proposal: Proposal) -> str:
    lines = [f"  {_text(name)}: {{"]
    *earlier, last = [*_keys(proposal)] or [[]]
    for key in earlier:
        lines += [*key[:-1], f"{key[-1]},"]
    return "\n".join([*lines, *last, "  }"])


def _keys(proposal: Proposal) -> Iterator[list[str]]:
    for entry in proposal.entries:
        value = json.dumps(entry.value, ensure_ascii=False)
        if isinstance(entry.value, dict) and len(value) > _WIDTH // 2:
            inner = [f"{_INDENT}  {_text(key)}: {_text(v)}" for key, v in entry.value.items()]
            value = "{\n" + ",\n".join(inner) + f"\n{_INDENT}}}"
        yield [*_comment(entry, "//"), f"{_INDENT}{_text(entry.key)}: {value}"]


def _comment(entry: Entry, sign: str) -> list[str]:
    width = _WIDTH - len(_INDENT) - len(sign) - 1
    lines = [part for line in entry.reason.splitlines() for part in wrap(line, width)]
    return [f"{_INDENT}{sign} {line}" for line in lines]


def _attribute(key: str, value: Any) -> list[str]:
    if isinstance(value, dict):
        width = max(len(_key(each)) for each in value)
        inner = [f"{_INDENT}  {_key(k).ljust(width)} = {_hcl(v)}" for k, v in value.items()]
        return [f"{_INDENT}{key} = {{", *inner, f"{_INDENT}}}"]
    return [f"{_INDENT}{key} = {_hcl(value)}"]


def _key(name: str) -> str:
    return name if _PLAIN_KEY.fullmatch(name) else _hcl(name)


def _hcl(value: Any) -> str:
    # Terraform evaluates ${...} and %{...} in a text.
    return _text(value).replace("${", "$${").replace("%{", "%%{")


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
