"""The conversation of `init`: asks what a file does not show, until its profile is complete.

A wrong answer is refused at once, with what is allowed. Questions that are not needed are asked
only while there are few.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from lib.cli.init.proposal import Given, Proposal, Question, WrongAnswer

Ask = Callable[[Question], str]
"""Shows a question, with its `problem`, and returns the answer. "" is Enter."""

Propose = Callable[[Given], Proposal]
"""What a person has said → the profile for the file, with the questions that are still open."""

MOST_QUESTIONS: Final = 4
"""After as many, only what has no default is asked."""
ENOUGH_QUESTIONS: Final = 2
"""After as many, questions that are not needed are left out: nobody reads the last of many."""
_OF_EVERY_FILE: Final = ("customer_id", "conversion_action")
"""Each profile needs them, and no export has them."""


class AnswersMissing(Exception):
    """Nobody can be asked, and these questions need an answer."""

    def __init__(self, questions: tuple[Question, ...]) -> None:
        super().__init__()
        self.questions = questions


def converse(propose: Propose, given: Given, ask: Ask) -> Proposal:
    """Ask what the file does not show, one question after another: an answer can make another
    question unnecessary."""
    asked = 0
    while questions := (proposal := propose(given)).questions:
        question = questions[0]
        is_useless = not question.changes_what_is_sent
        if question.default and (is_useless or asked >= MOST_QUESTIONS):
            given = given.with_answer(question, question.meaning_of(""), by_default=True)
            continue
        if not question.is_needed and asked >= ENOUGH_QUESTIONS:
            given = given.with_answer(question, {}, by_default=True)
            continue
        asked += question.key not in _OF_EVERY_FILE
        answer, meaning = _answered(question, ask)
        given = given.with_answer(question, meaning, by_default=not answer.strip())
    return proposal


def _answered(question: Question, ask: Ask) -> tuple[str, dict[str, Any]]:
    """Ask until the answer is allowed. Return it, and what it means."""
    while True:
        answer = ask(question)
        try:
            return answer, question.meaning_of(answer)
        except WrongAnswer as wrong:
            question = replace(question, problem=str(wrong))


def without_asking(propose: Propose, given: Given) -> Proposal:
    """Return the profile without the answers that are not needed.

    Raises `AnswersMissing` with the questions that are.
    """
    while questions := (proposal := propose(given)).questions:
        if proposal.needed:
            raise AnswersMissing(proposal.needed)
        for each in questions:
            given = given.with_answer(each, {}, by_default=True)
    return proposal
