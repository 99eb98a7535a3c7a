"""`docs/codes.md`, made from the catalogue: `python -m lib.catalogue.page > docs/codes.md`."""

from lib.catalogue import texts
from lib.catalogue.codes import CATALOGUE, TABLES, Code, Origin, not_applicable
from lib.model.outcomes import OUTCOMES, Outcome

_HEAD = """\
# Codes

<!-- Made by `python -m lib.catalogue.page > docs/codes.md`. Edit the tables in lib/catalogue. -->

Every code that a results document can contain, by its origin and by what happens to the row. The
*detail* is what the results document adds to a code for one file or row. It never repeats the value
of a cell, except stages in common words (`STAGES_NOT_FILTERED`). *Most rows* is what to do if more
than half of the rows (and at least five) have the code, because one setting can be the cause.

| the row | meaning |
|---|---|
{outcomes}

Often, what to do is one of these:

{often}
"""
_OF_WARNINGS = {
    "sent (warning)": "The row is sent, but a value is left out or may be wrong.",
    "failed (warning)": "Google refuses the row permanently. The warning adds detail.",
    "retried": "A temporary error. The row is sent again automatically.",
    "(note)": "A note on the file, not on a single row.",
}
_OFTEN = {
    texts.SOFTWARE_ERROR: "*Report it.*",
    texts.REPLACE_CREDENTIALS: "*New credentials.*",
    texts.COMPLETE_CLICK_ID: "*Complete click ID.*",
    texts.IF_IT_LASTS: "*Wait.*",
}
"""Action that many codes share → what the page writes instead."""
# Warnings that only failed rows have.
_OF_FAILED = ("CLICK_IN_ACCOUNT", "CLICK_NOT_IN_ACCOUNT")


def page() -> str:
    """The whole page, with its last line break."""
    outcomes = "\n".join(f"| {name} | {meaning} |" for name, meaning in _meanings().items())
    often = "\n".join(f"- {name} {action}" for action, name in _OFTEN.items())
    head = _HEAD.format(outcomes=outcomes, often=often)
    return "\n".join([head, *map(_section, TABLES)])


def _meanings() -> dict[str, str]:
    """What happens to a row → what that means, in the order of the page."""
    of_codes = {code.outcome for code in CATALOGUE.values()}
    outcomes = {_words(name): each.meaning for name, each in OUTCOMES.items() if name in of_codes}
    return outcomes | _OF_WARNINGS


def _section(origin: Origin) -> str:
    others = not_applicable(origin)
    codes = [code for code in CATALOGUE.values() if code.origin == origin]
    lines = [f"## {TABLES[origin].TITLE}", ""]
    for outcome in _meanings():
        rows = [_row(c) for c in codes if c.code not in others and _outcome(c) == outcome]
        if rows:
            table = ["| code | meaning | what to do |", "|---|---|---|", *rows]
            lines += [f"### {outcome}", "", *table, ""]
    names = ", ".join(f"`{code.code}`" for code in codes if code.code in others)
    if names:
        lines += [
            "The codes below concern uses of this API other than conversion uploads. If one "
            "appears, its row has failed. *Report it.*",
            "",
            f"{names}.",
            "",
        ]
    return "\n".join(lines)


def _row(code: Code) -> str:
    action = _OFTEN.get(code.action, code.action)
    if code.if_most:
        action += f" *Most rows:* {code.if_most}"
    cells = (f"`{code.code}`", code.meaning, action)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _outcome(code: Code) -> str:
    if code.outcome is not None:
        return _words(code.outcome)
    if code.scope == "transient":
        return "retried"
    if code.code in _OF_FAILED:
        return "failed (warning)"
    return "sent (warning)" if code.severity == "warning" else "(note)"


def _words(outcome: Outcome) -> str:
    return outcome.replace("_", " ")


if __name__ == "__main__":
    print(page(), end="")
