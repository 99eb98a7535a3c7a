"""Several stages of a lead that count: each can be a conversion of an action of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from lib.cli.init.proposal import Entry, Given, Proposal, Question, WrongAnswer
from lib.cli.init.sample import Sample
from lib.rules.fields.languages import STAGE_WORDS, words_of
from lib.rules.row_filter import comparable
from lib.rules.stages import stage_of
from lib.rules.values.cells import without_accents

_FORM: Final = "VALUE = ACTION, or VALUE = ACTION, WORTH, COLUMN OF ITS DATE"


def stages_of(sample: Sample, given: Given, columns: Mapping[str, int]) -> Proposal:
    """Return the key `actions`, or a question if a person has chosen several stages."""
    actions = given.values.get("actions")
    if actions:
        return Proposal((Entry("actions", actions, given.reason("actions")),))
    if actions is not None or "order_id" not in columns:
        return Proposal()
    for name, values in given.values.get("include", {}).items():
        won = [each for each in values if stage_of(each) == "won"]
        if len(values) > 1 and len(won) < len(values) and STAGE_WORDS.match(words_of(name)):
            last = won[-1] if won else ""  # nobody drops the won deals by pressing Enter
            return Proposal(questions=(_question(sample, name, values, last),))
    return Proposal()


def _question(sample: Sample, column: str, values: Sequence[str], last: str) -> Question:
    listed = ", ".join(f'"{each}"' for each in values)

    def read(answer: str) -> dict[str, Any]:
        if answer.casefold() == "all":
            return {"actions": {}}
        if only := _meant(answer, values):
            return {"actions": {}, "include": {column: [only]}}
        return {"actions": {column: read_stages(answer, values, sample.names)}}

    return Question(
        key="actions",
        where=column,
        text=f'Are {listed} one conversion action? Write "all" if so, the name of one if only that '
        f"counts, or the action of each (and its worth, and the column of its date): "
        f"{_example(values)}",
        option=f'--stage all; or one --include alone ("{column}={values[0]}"); or, without '
        f'--include, for each --stage "{column}={values[0]}=ACTION[,WORTH[,COLUMN]]"',
        default=last,
        allowed=f'"all", the name of one, or {_example(values)}',
        read=read,
    )


def _example(values: Sequence[str]) -> str:
    return "; ".join(f"{each} = {1001 + at}" for at, each in enumerate(values))


def _meant(name: str, values: Sequence[str]) -> str | None:
    """Return the value of this name, or else the only one that is spelled alike. To a row filter,
    accents make a difference, and case makes none."""
    for spelling in (str.strip, comparable, _plain):
        found = [each for each in values if spelling(each) == spelling(name)]
        if len(found) == 1:
            return found[0]
    return None


def _plain(stage: str) -> str:
    return without_accents(stage).strip().casefold()


def read_stages(
    text: str, values: Sequence[str], names: Sequence[str]
) -> dict[str, dict[str, Any]]:
    """Read `Qualified = 1001, 50, Qualified on; Won = 1002`. Raises `WrongAnswer`."""
    columns = {each.casefold(): each for each in names}  # none of them is known to an option
    wrong = WrongAnswer(
        f"Write {_FORM}, such as: {_example(values)}. The values are {', '.join(values)}."
    )
    found: dict[str, dict[str, Any]] = {}
    for name, rest in _parts(text, values):
        action, worth, column, *more = [*map(str.strip, rest.split(",")), "", ""]
        value = _meant(name, values)
        if value is None or value in found or not action or ";" in rest or any(more):
            raise wrong
        found[value] = {"action": action}
        if worth:
            found[value]["value"] = _number(worth)
        if column:
            if columns and column.casefold() not in columns:
                raise WrongAnswer(f'"{column}" is no column of the file.')
            found[value]["time"] = columns.get(column.casefold(), column)
    if not found:
        raise wrong
    return found


def _parts(text: str, values: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield each name with what follows its =. A name, too, can contain semicolons: a part ends
    only where another value and a = follow."""
    while text := text.strip("; "):
        name, _, rest = text.partition("=")
        signs = [at for at, sign in enumerate(rest) if sign == ";"]
        ends = [at for at in signs if _meant(rest[at + 1 :].partition("=")[0], values)]
        end = ends[0] if ends else len(rest)
        yield name, rest[:end].rstrip("; ")
        text = rest[end:]


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise WrongAnswer(f'"{text}" is not a number. Write it as 50 or 49.90.') from None
