"""A proposed profile: its keys with their reasons, the open questions, and its text.

The text is JSON, as `check` and the function read it, or an assignment for terraform.tfvars. Each
key has its reason as a comment.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from string import ascii_lowercase
from textwrap import wrap
from typing import Any, Final, NamedTuple

from pydantic import ValidationError

from lib.config import messages
from lib.config.profile import Profile, read_profiles
from lib.destinations import registry
from lib.rules.values.cells import without_accents

OPTIONS: Final[Mapping[str, str]] = {
    "destination": "--destination",
    "customer_id": "--customer-id",
    "login_customer_id": "--login-customer-id",
    "conversion_action": "--action",
    "time_zone": "--time-zone",
    "currency_code": "--currency",
    "phone_region": "--phone-region",
    "day_first": "--day-first",
    "decimal_comma": "--decimal-comma",
    "ad_user_data": "--ad-user-data",
    "encoding": "--encoding",
    "delimiter": "--delimiter",
    "sheet": "--sheet",
    "header_row": "--header-row",
    "headers": "--column",
    "include": "--include",
    "exclude": "--exclude",
    "refunds": "--refunds",
    "actions": "--stage",
}
"""Key of a profile → the option that sets it."""

_CAPITALS: Final = ("currency_code", "phone_region")
"""People may write these codes in small letters."""

_WIDTH: Final = 100
_INDENT: Final = "    "
"""A key of a profile is this far from the margin, in both forms."""
_PLAIN_KEY: Final = re.compile(r"[A-Za-z_][\w-]*", re.ASCII)
_LAST_BRACE: Final = re.compile(r"\s*\}\s*\Z")


@dataclass(frozen=True, slots=True)
class Entry:
    """A key of the profile, its value, and the reason in words. The reason quotes no cell, except
    the values of a row filter. `is_assumed`: neither a person nor the file says it."""

    key: str
    value: Any
    reason: str
    is_assumed: bool = False


class Choice(NamedTuple):
    """One of the answers that a question offers: its `name` as a person writes it, what it means in
    the profile, and what is shown next to it: the first cells of a column, or a number of rows.
    `column`: the column of a value, or the field that a column would hold."""

    name: str
    value: Any
    shown: str = ""
    column: str = ""


TITLES: Final[Mapping[str, str]] = {
    "conversion_date_time": "When a sale happened",
    "conversion_value": "What it is worth",
    "order_id": "Which order it is",
    "phone": "Which phone is the customer's",
}
"""The fields whose columns a question can be about."""


class WrongAnswer(ValueError):
    """An answer that the question does not allow. The text says what is allowed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What the file does not show. Its answer is the value of a key of the profile.

    `where`: the field that gets a column, if it is only one (key `headers`), or the column whose
    values count (keys `include`, `exclude` and `refunds`). `option` answers it on the command line.
    `default`: the answer that Enter means. Without it, a question that is needed must be answered,
    and any other leaves its key out. `is_needed`: without the key, rows are rejected or mean
    something else. `allowed` says what to write if there are no `choices`, and `is_allowed` whether
    an answer is that. Unless it `changes_what_is_sent`, nobody needs to be asked.
    `read` says what an answer means that is no value of the key: the name of a choice, or a text of
    another form; it raises `WrongAnswer`.
    `unlikely` are the columns of choices that few people need: all of a column share a line.
    `problem` is what was wrong with the last answer.
    """

    key: str
    text: str
    option: str
    where: str = ""
    default: str = ""
    is_needed: bool = True
    changes_what_is_sent: bool = True
    choices: tuple[Choice, ...] = ()
    takes_several: bool = False
    allowed: str = ""
    is_allowed: Callable[[str], bool] | None = None
    read: Callable[[str], dict[str, Any]] | None = None
    unlikely: Collection[str] = ()
    problem: str = ""

    @property
    def labels(self) -> list[str]:
        """The short names of the choices: numbers; if the names are numbers, letters, or #1."""
        has_numbers = any(each.name.strip().isdecimal() for each in self.choices)
        if has_numbers and len(self.choices) <= len(ascii_lowercase):
            return list(ascii_lowercase[: len(self.choices)])
        sign = "#" if has_numbers else ""
        return [f"{sign}{number}" for number, _ in enumerate(self.choices, 1)]

    def meaning_of(self, answer: str) -> dict[str, Any]:
        """Return what an answer means: keys of the profile with their values; none leaves out the
        key.

        Raises `WrongAnswer`.
        """
        answer = answer.strip() or self.default
        if not answer:
            if self.is_needed:
                raise WrongAnswer(f"An answer is needed. Write {self._allowed}.")
            return {}
        if self.key in _CAPITALS:
            answer = answer.upper()
        if self.is_allowed is not None and not self.is_allowed(answer):
            raise WrongAnswer(f"That is not allowed. Write {self.allowed}.")
        meaning = self._meaning(answer)
        try:
            Profile.model_validate({"destination": registry.OPEN_TO_ALL, **meaning})
        except ValidationError as error:
            (problem, *_) = messages.lines(error, Profile, lambda _: f'"{answer}"')
            raise WrongAnswer(problem) from None
        return meaning

    def _meaning(self, answer: str) -> dict[str, Any]:
        chosen = self._chosen(answer) if self.choices else []
        if self.read is not None:
            return self.read(chosen[0].name if chosen else answer)
        if not chosen:
            return {self.key: answer}
        if self.key == "headers":
            fields = [each.column for each in chosen]
            if sorted(fields) != sorted({each.column for each in self.choices}):
                firsts = {each.column: each.name for each in reversed(self.choices)}
                example = ", ".join(reversed(firsts.values()))
                raise WrongAnswer(f"Choose one of each list, such as: {example}.")
            held = {each.column: [each.value] if each.value else [] for each in chosen}
            return {self.key: held}
        if self.takes_several:
            # A column in which nothing is chosen does not decide.
            by_column: dict[str, list[Any]] = {c.column: [] for c in self.choices if c.column}
            for each in chosen:
                if each.column:
                    by_column[each.column].append(each.value)
            return {
                self.key: {column: values for column, values in by_column.items() if values},
                "exclude": {column: [] for column, values in by_column.items() if not values},
            }
        value = chosen[0].value
        if self.where:
            values = value if isinstance(value, list) else [value]
            value = {self.where: [each for each in values if each is not None]}
        return {self.key: value}

    @property
    def _allowed(self) -> str:
        if not self.choices:
            return self.allowed
        if not any(each.shown for each in self.choices):
            return " or ".join(each.name for each in self.choices)
        return f"{self.labels[0]} to {self.labels[-1]}, or a name from the list"

    def title_of(self, choice: Choice) -> str:
        """Return what is shown above the choices of one column or field."""
        if self.key == "headers":
            return TITLES[choice.column]
        return f'"{choice.column}"' if choice.column else "Or"

    def _chosen(self, answer: str) -> list[Choice]:
        whole = self._choice(answer)
        parts = [answer] if whole or not self.takes_several else answer.split(",")
        found = [self._choice(part.strip()) for part in parts if part.strip()]
        if None in found or not found:
            raise WrongAnswer(f"That is not one of the answers. Write {self._allowed}.")
        return [each for each in found if each is not None]

    def _choice(self, answer: str) -> Choice | None:
        """Return the choice of a name that only one has, also without its accents; of a label; or
        of the beginning of a short answer."""
        wanted = answer.casefold()
        names = [each.name.casefold() for each in self.choices]
        if names.count(wanted) == 1:
            return self.choices[names.index(wanted)]
        if wanted in self.labels:
            return self.choices[self.labels.index(wanted)]
        plain = list(map(without_accents, names))
        if plain.count(without_accents(wanted)) == 1:
            return self.choices[plain.index(without_accents(wanted))]
        if any(each.shown for each in self.choices):
            return None
        near = [each for each in self.choices if each.name.casefold().startswith(wanted)]
        return near[0] if len(near) == 1 else None


@dataclass(frozen=True, slots=True)
class Given:
    """What a person has said: values by profile key, and what is left out on purpose.

    `left_out` and `by_default` contain the names of questions: a key, or `headers.order_id`.
    `by_default`: somebody has pressed Enter, or nobody was asked. `unchosen` are columns that were
    shown, and in which nothing was chosen: nobody has spoken about their tests.
    """

    values: Mapping[str, Any] = field(default_factory=dict)
    left_out: frozenset[str] = frozenset()
    by_default: frozenset[str] = frozenset()
    unchosen: frozenset[str] = frozenset()

    def decides(self, key: str, where: str = "") -> bool:
        """Return whether the person has decided on a key, or on a part of it."""
        values = self.values.get(key, ()) if where else self.values
        return (where or key) in values or _name(key, where) in self.left_out

    def with_answer(
        self, question: Question, meaning: Mapping[str, Any], *, by_default: bool
    ) -> Given:
        """Return this with one more answer."""
        name = _name(question.key, question.where)
        if not meaning:
            return replace(self, left_out=self.left_out | {name})
        values = dict(self.values)
        for key, value in meaning.items():
            is_more = isinstance(value, dict)
            values[key] = {**values.get(key, {}), **value} if is_more else value
        unchosen = self.unchosen - {question.where}
        if question.takes_several and question.key == "include":
            unchosen |= meaning.get("exclude", {}).keys()
        given = replace(self, values=values, unchosen=unchosen)
        return replace(given, by_default=self.by_default | {name}) if by_default else given

    def reason(self, key: str, where: str = "") -> str:
        """Return why the profile has this value."""
        option = OPTIONS.get(key, "")
        if _name(key, where) not in self.by_default:
            return "you gave it." if where else "You gave it."
        return f"The default; {option} changes it."


def _name(key: str, where: str) -> str:
    return f"{key}.{where}" if where else key


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


def question(key: str, text: str, **details: Any) -> Proposal:
    return Proposal(questions=(Question(key=key, text=text, option=OPTIONS[key], **details),))


def merge(entries: Iterable[Entry]) -> list[Entry]:
    """Return one entry for each key: the values of columns or fields together."""
    merged: dict[str, Entry] = {}
    for each in entries:
        before = merged.get(each.key)
        both = {**before.value, **each.value} if before else each.value
        reason = f"{before.reason}\n{each.reason}" if before else each.reason
        merged[each.key] = Entry(each.key, both, reason, each.is_assumed)
    return list(merged.values())


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
