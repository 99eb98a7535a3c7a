"""`docs/codes.md`, made from the catalogue."""

from lib.catalogue.codes import CATALOGUE, Code, Origin

_HEAD = """\
# Codes

<!-- Made by `python -m lib.catalogue.codes > docs/codes.md`. Edit the tables in lib/rules instead. -->

Every code that a results document can hold: what it means and what to do. Codes never come with
the value of a cell.

| What becomes of the row | meaning |
|---|---|
| rejected | our rules refused it before it was sent |
| failed | Google refused it for good |
| duplicate | it's counted already, or repeats an earlier line |
| deferred | it's too early; it will be sent again |
| not attempted | the file was stopped |
| sent (warning) | something was left out or decided for you |
| failed (warning) | Google refused it for good; this tells more of why |
| retried | a passing trouble; it is sent again by itself |
| (note) | about the file, no row is concerned |
"""
_TITLES: dict[Origin, str] = {
    "ours": "Ours",
    "google_ads": "Google Ads API",
    "data_manager": "Data Manager API",
}
# Warnings that only rows have which Google has refused.
_OF_FAILED = ("CLICK_IN_ACCOUNT", "CLICK_NOT_IN_ACCOUNT")


def page() -> str:
    """The whole page, with its last line break."""
    sections = [_HEAD]
    for origin, title in _TITLES.items():
        entries = [code for code in CATALOGUE.values() if code.origin == origin]
        rows = "\n".join(_row(code) for code in entries)
        sections.append(
            f"## {title}\n\n| code | the row | meaning | what to do |\n|---|---|---|---|\n{rows}\n"
        )
    return "\n".join(sections)


def _row(code: Code) -> str:
    cells = (f"`{code.code}`", _fate(code), code.meaning, code.action)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _fate(code: Code) -> str:
    if code.outcome is not None:
        return code.outcome.replace("_", " ")
    if code.scope == "transient":
        return "retried"
    if code.code in _OF_FAILED:
        return "failed (warning)"
    return "sent (warning)" if code.severity == "warning" else "(note)"
