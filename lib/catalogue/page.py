"""`docs/codes.md`, made from the catalogue: `python -m lib.catalogue.page > docs/codes.md`."""

from lib.catalogue.codes import CATALOGUE, TABLES, Code, Origin, not_applicable
from lib.catalogue.texts import REPORT_A_BUG
from lib.model.outcomes import OUTCOMES, Outcome

_HEAD = """\
# Codes

<!-- Made by `python -m lib.catalogue.page > docs/codes.md`. Edit the tables in lib/catalogue. -->

Every code that a results document can contain, with its meaning and what to do. The *detail* is
what the results document adds to a code for one file or row; a report shows it in parentheses.
It never repeats the value of a cell, except stages in common words (`STAGES_NOT_FILTERED`). Where
one setting can be the cause, what to do depends on the share of the rows: the setting is advised if
more than half of them (and at least five) have the code.

| The row | meaning |
|---|---|
{outcomes}
| sent (warning) | The row is sent, but a value is left out or may be wrong. |
| failed (warning) | Google refuses the row permanently. The warning adds detail. |
| retried | A temporary error. The row is sent again automatically. |
| (note) | A note on the file, not on a single row. |
"""
# Warnings that only failed rows have.
_OF_FAILED = ("CLICK_IN_ACCOUNT", "CLICK_NOT_IN_ACCOUNT")


def page() -> str:
    """The whole page, with its last line break."""
    of_codes = {code.outcome for code in CATALOGUE.values()}
    outcomes = (
        f"| {_words(outcome)} | {meaning.meaning} |"
        for outcome, meaning in OUTCOMES.items()
        if outcome in of_codes
    )
    return "\n".join([_HEAD.format(outcomes="\n".join(outcomes)), *map(_section, TABLES)])


def _section(origin: Origin) -> str:
    others = not_applicable(origin)
    codes = [code for code in CATALOGUE.values() if code.origin == origin]
    lines = [
        f"## {TABLES[origin].TITLE}",
        "",
        "| code | the row | meaning | what to do |",
        "|---|---|---|---|",
        *(_row(code) for code in codes if code.code not in others),
        "",
    ]
    names = ", ".join(f"`{code.code}`" for code in codes if code.code in others)
    if names:
        lines += [
            "The codes below concern uses of this API other than conversion uploads. No file of "
            "conversions should cause one of them. If one appears, its row has failed. "
            f"{REPORT_A_BUG}",
            "",
            f"{names}.",
            "",
        ]
    return "\n".join(lines)


def _row(code: Code) -> str:
    action = f"{code.action} If most rows have it: {code.if_most}" if code.if_most else code.action
    cells = (f"`{code.code}`", _outcome(code), code.meaning, action)
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
