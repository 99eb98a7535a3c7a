"""Several stages of a lead that count: each can be a conversion of an action of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from lib.cli.init.proposal import Entry, Given, Proposal, Question, WrongAnswer
from lib.cli.init.sample import Sample
from lib.rules.fields.languages import STAGE_WORDS, words_of
from lib.rules.stages import stage_of

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
            return Proposal(questions=(_question(sample, name, values, (won or values)[-1]),))
    return Proposal()


def _question(sample: Sample, column: str, values: Sequence[str], last: str) -> Question:
    listed = ", ".join(f'"{each}"' for each in values)

    def read(answer: str) -> dict[str, Any]:
        if answer.casefold() == "all":
            return {"actions": {}}
        if answer == last:
            return {"actions": {}, "include": {column: [last]}}
        return {"actions": {column: read_stages(answer, values, sample.names)}}

    return Question(
        key="actions",
        where=column,
        text=f"Is each of {listed} a conversion action of its own? Write {_FORM}, with semicolons "
        f'between them; "all" if they are one action; Enter if only "{last}" counts',
        option=f'--stage "{column}={values[0]}=ACTION[,WORTH[,COLUMN]]"',
        default=last,
        read=read,
    )


def read_stages(
    text: str, values: Sequence[str], names: Sequence[str]
) -> dict[str, dict[str, Any]]:
    """Read `Qualified = 1001, 50, Qualified on; Won = 1002`. Raises `WrongAnswer`."""
    known = {each.casefold(): each for each in values}
    columns = {each.casefold(): each for each in names}  # none of them is known to an option
    wrong = WrongAnswer(f"Write {_FORM}. The values are {', '.join(values)}.")
    found: dict[str, dict[str, Any]] = {}
    for part in filter(None, map(str.strip, text.split(";"))):
        name, equals, rest = part.partition("=")
        action, worth, column, *more = [*map(str.strip, rest.split(",")), "", ""]
        value = known.get(name.strip().casefold())
        if not equals or value is None or value in found or not action or any(more):
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


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise WrongAnswer(f'"{text}" is not a number. Write it as 50 or 49.90.') from None
