"""Makes the parts of docs/ that repeat the code: `make reference`.

A part is between `<!-- BEGIN codes (make reference) -->` and `<!-- END codes -->`. A table can be
in several parts: `<!-- BEGIN settings DEFER_HOURS (make reference) -->` has the rows from this one
on, up to the first one of another part. In the examples of results, the texts of codes are made
again.
"""

from __future__ import annotations

import ast
import inspect
import json
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import fields
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import click
from pydantic import BaseModel

import sandbox.__main__
from benchmarks.figures import MEASURED, TARGETS
from lib.adapters.logging import EVENTS
from lib.catalogue.codes import CATALOGUE, TABLES, Code, Origin, lookup
from lib.catalogue.open_problems import PROBLEM_KINDS
from lib.cli import commands
from lib.config.profile import REQUIRED_KEYS, Profile
from lib.config.settings import Settings
from lib.destinations.google_ads.api import API_VERSION, SUNSET
from lib.destinations.registry import capabilities_of, names
from lib.model.adjustment_types import ADJUSTMENT_TYPES, AdjustmentRules
from lib.model.fields import HIGHEST_NUMBER
from lib.model.outcomes import OUTCOMES
from lib.rules.fields.table import FIELDS
from lib.sweep.problems import RUNTIME_END
from sandbox.accounts import Account, ConversionAction, default_accounts
from sandbox.control import ROUTES
from sandbox.delivery import DeliverySettings
from tools import cells as cell_examples
from tools.limits import LIMITS

PAGES: Final = Path(__file__).parents[1] / "docs"
_PART: Final = re.compile(
    r"(<!-- BEGIN (\w+)(?: (\w+))? \(make reference\) -->\n).*?(?=<!-- END \2 -->)", re.S
)


_CODE_OF_RESULTS: Final = re.compile(
    r'( *"(\w+)": {\n *"count": .*\n)( *)"severity": .*\n *"meaning": .*\n *"action": .*\n'
    r' *"needs_action": .*\n'
)


def with_parts(page: str) -> str:
    """Return the text of a page with its parts made again."""
    firsts = {first for _, _, first in _PART.findall(page)}

    def made(found: re.Match[str]) -> str:
        begin, part, first = found.groups()
        lines = list(PARTS[part]())
        if first:
            tables: dict[str, list[str]] = {}
            for row in lines[2:]:
                if (name := row.split("`")[1]) in firsts:
                    rows = tables[name] = lines[:2]
                rows.append(row)
            lines = tables[first]
        return begin + "".join(f"{line}\n" for line in lines)

    return _CODE_OF_RESULTS.sub(_with_texts, _PART.sub(made, page))


def _with_texts(found: re.Match[str]) -> str:
    begin, code, indent = found.groups()
    entry = lookup(code)
    names = ("severity", "meaning", "action", "needs_action")
    texts = (f'{indent}"{name}": {json.dumps(getattr(entry, name))}' for name in names)
    return begin + ",\n".join(texts) + "\n"


def _table(head: str, rows: Iterable[Iterable[str]]) -> Iterator[str]:
    yield f"| {head} |"
    yield "|---" * (head.count("|") + 1) + "|"
    for cells in rows:
        escaped = [cell.replace("|", r"\|") for cell in cells]
        yield f"| {' | '.join(escaped)} |"


def _code(*words: str) -> str:
    return ", ".join(f"`{word}`" for word in words)


def _settings() -> Iterator[str]:
    cells = _described(Settings)
    rows = ((_code(variable), *cells[name]) for variable, name in Settings.variables().items())
    return _table("variable | default | what it does", rows)


def _limits() -> Iterator[str]:
    return _table("what | limit | code | effect", LIMITS)


def _keys() -> Iterator[str]:
    cells = _described(Profile)
    required = [(_code(name), "**required**", cells.pop(name)[1]) for name in REQUIRED_KEYS]
    others = [(_code(name), *each) for name, each in cells.items()]
    return _table("key | default | what it does", [*required, *others])


_RUN: Final = (
    *("deliver", "take", "advance", "attempt", "reading", "plan", "sending", "chunks", "window"),
    *("resend", "corrections", "statuses", "diagnostics", "finish", "context"),
)
"""The modules of lib/run, in the order of the story."""
_RESULTS: Final = (
    *("sentences", "findings", "document", "report", "overview", "page", "names", "fix_files"),
    "reading",
)
"""The modules of lib/results, those first that say what others show."""


def _modules_of_run() -> Iterator[str]:
    return _modules("run", _RUN)


def _modules_of_results() -> Iterator[str]:
    return _modules("results", _RESULTS)


def _modules(name: str, modules: Collection[str]) -> Iterator[str]:
    """List the modules of a folder of lib, with the first line of each docstring."""
    folder = PAGES.parent / "lib" / name
    assert {path.stem for path in folder.glob("[!_]*.py")} == {*modules}
    texts = (
        ast.get_docstring(ast.parse((folder / f"{each}.py").read_text("utf-8"))) for each in modules
    )
    rows = (
        (_code(module), (text or "").partition("\n")[0])
        for module, text in zip(modules, texts, strict=True)
    )
    return _table("module | what it does", rows)


def _example() -> Iterator[str]:
    yield from ("<!-- results -->", "```json")
    yield from (PAGES / "results.example.json").read_text("utf-8").splitlines()
    yield "```"


def _results() -> Iterator[str]:
    schema = json.loads((PAGES / "results.schema.json").read_text("utf-8"))
    described = {
        name: part if "description" in part else schema["$defs"][part["$ref"].rpartition("/")[2]]
        for name, part in schema["properties"].items()
    }
    rows = []
    for name, part in described.items():
        rows.append((_code(name), part["description"]))
        if name == "counts":
            counts = part["properties"].items()
            rows += [
                (_code(f"counts.{each}"), count["description"])
                for each, count in counts
                if "description" in count
            ]
    return _table("part | meaning", rows)


def _commands() -> Iterator[str]:
    return _commands_of(commands.main)


def _commands_of_sandbox() -> Iterator[str]:
    return _commands_of(sandbox.__main__.main)


def _commands_of(group: click.Group) -> Iterator[str]:
    """List each command with its arguments, and its long options."""
    rows = []
    for name, command in sorted(group.commands.items()):
        usage, options = [name], list[str]()
        for each in command.params:
            if isinstance(each, click.Option):
                options += [o for o in (*each.opts, *each.secondary_opts) if o.startswith("--")]
            else:
                usage.append(each.make_metavar(click.Context(command)))
        rows.append((_code(" ".join(usage)), _code(*options) if options else "none"))
    return _table("command | options", rows)


def _accounts() -> Iterator[str]:
    rows = (
        (_code(each.customer_id), each.descriptive_name, _unusual(each))
        for each in default_accounts()
    )
    return _table("account | name | what is not usual", rows)


def _actions() -> Iterator[str]:
    first, *_ = default_accounts()
    rows = ((str(each.id), _code(each.name), _unusual(each)) for each in first.conversion_actions)
    return _table("ID | name | what is not usual", rows)


def _unusual(thing: Account | ConversionAction) -> str:
    """Return the attributes that are not the defaults: `status` REMOVED."""
    names_of_it = ("customer_id", "descriptive_name", "conversion_actions", "id", "name")
    parts = []
    for each in fields(thing):
        value = getattr(thing, each.name)
        if each.name not in names_of_it and value != each.default:
            text = ", ".join(map(_name_of, value)) if isinstance(value, tuple) else str(value)
            parts.append(f"{_code(each.name)} {text.lower() if isinstance(value, bool) else text}")
    return ", ".join(parts)


def _name_of(value: Any) -> str:
    return value if isinstance(value, str) else str(value.name)


def _routes() -> Iterator[str]:
    rows = ((_code(request), text) for request, text in ROUTES.items())
    return _table("request | what it does", rows)


def _delivery() -> Iterator[str]:
    texts = _texts_below_fields(DeliverySettings)
    rows = (
        (_code(each.name), _default(each.default), texts[each.name])
        for each in fields(DeliverySettings)
    )
    return _table("setting | default | meaning", rows)


def _described(model: type[BaseModel]) -> dict[str, tuple[str, str]]:
    """Return the default of each field, and the text below it."""
    described = {}
    for name, text in _texts_below_fields(model).items():
        field = model.model_fields[name]
        default = "required" if field.is_required() else _default(field.default)
        described[name] = (default, text.replace("{destinations}", " or ".join(names())))
    return described


def _texts_below_fields(declaring: type) -> dict[str, str]:
    (declared,) = ast.parse(inspect.getsource(declaring)).body
    assert isinstance(declared, ast.ClassDef)
    texts = {}
    for field, below in pairwise(declared.body):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
            name = field.target.id
            if not name.startswith("_"):
                assert isinstance(below, ast.Expr), f"there is no text below {name}"
                texts[name] = " ".join(ast.literal_eval(below.value).split())
    return texts


def _default(value: Any) -> str:
    if value in (None, "", {}, ()):
        return "unset"
    if isinstance(value, tuple):
        value = ", ".join(value)
    return _code(str(value).lower() if isinstance(value, bool) else str(value))


def _columns() -> Iterator[str]:
    numbered = f", `{{0}}_2` ... `{{0}}_{HIGHEST_NUMBER}`"
    rows = (
        (
            _code(f.name) + (numbered.format(f.name) if f.numbered else ""),
            f.description,
            _code(*f.template_names),
        )
        for f in FIELDS
    )
    return _table("field | what it holds | in Google's templates", rows)


def _columns_of_one_api() -> Iterator[str]:
    apis = [capabilities_of(name) for name in names()]
    sent_by = {
        f.name: [api for api in apis if f.name in api.kinds["conversion"].fields]
        for f in FIELDS
        if not f.only_helps
    }
    rows = (
        (api.title, _code(*(name for name, each in sent_by.items() if each == [api])))
        for api in apis
    )
    return _table("sent only through | columns", rows)


def _sends() -> Iterator[str]:
    types = ADJUSTMENT_TYPES.items()
    words = " or ".join(_code(rules.word) for _, rules in types)
    rows: list[tuple[str, str, tuple[str, ...]]] = [
        ("conversion", "the row is a sale (the default)", ()),
        ("call", "the row is a sale after a phone call", ("caller_id", "call_start_date_time")),
        *((name, rules.meaning, ("adjustment_date_time", *_value(rules))) for name, rules in types),
        (
            "adjustment",
            f"a column says which: {words}",
            ("adjustment_type", "adjustment_date_time"),
        ),
    ]
    cells = ((_code(name), text, _code(*fields)) for name, text, fields in rows)
    return _table("`send` | write it if | the row needs", cells)


def _value(rules: AdjustmentRules) -> tuple[str, ...]:
    return ("adjusted_value",) if rules.has_value else ()


def _ends() -> Iterator[str]:
    ends = [
        (f"Google Ads API {API_VERSION}", SUNSET),
        ("the runtime of the function", RUNTIME_END),
    ]
    return _table("what | ends on", ((what, f"{day.day} {day:%B %Y}") for what, day in ends))


def _events() -> Iterator[str]:
    return _table("Event | Meaning", ((_code(name), text) for name, text in EVENTS.items()))


def _problems() -> Iterator[str]:
    rows = ((f"[`{kind.name}`](#{kind.name})", kind.severity, kind.title) for kind in PROBLEM_KINDS)
    return _table("Kind | Severity | What it says", rows)


def _figures() -> Iterator[str]:
    rows = []
    for name, target in TARGETS.items():
        unit = "" if target.unit == "ratio" else f" {target.unit}"
        measured = ", ".join(f"{value:g}" for value in MEASURED[name])
        rows.append((_code(name), target.what, f"{measured}{unit}", str(target)))
    return _table("figure | what it is | measured | target", rows)


_SECTIONS: Final = (
    *(outcome.replace("_", " ") for outcome in OUTCOMES),
    *("sent (warning)", "retried", "(note)"),
)


def _codes() -> Iterator[str]:
    for origin in TABLES:
        yield from ("", f"## {origin}")
        yield from _codes_of(origin)


def _codes_of(origin: Origin) -> Iterator[str]:
    for section in _SECTIONS:
        names_by_text: dict[tuple[str, str], list[str]] = {}
        for code in CATALOGUE.values():
            if code.origin == origin and _section(code) == section:
                names_by_text.setdefault((code.meaning, _action(code)), []).append(code.code)
        if names_by_text:
            rows = ((_code(*names), *text) for text, names in names_by_text.items())
            yield from ("", f"### {section}", "")
            yield from _table("code | meaning | what to do", rows)


def _action(code: Code) -> str:
    return f"{code.action} *Most rows:* {code.if_most}" if code.if_most else code.action


def _section(code: Code) -> str:
    if code.outcome is not None:
        return code.outcome.replace("_", " ")
    if code.scope == "transient":
        return "retried"
    return "sent (warning)" if code.severity == "warning" else "(note)"


PARTS: Final[Mapping[str, Callable[[], Iterator[str]]]] = {
    "settings": _settings,
    "limits": _limits,
    "keys": _keys,
    "columns": _columns,
    "columns_of_one_api": _columns_of_one_api,
    "codes": _codes,
    "sends": _sends,
    "ends": _ends,
    "events": _events,
    "problems": _problems,
    "figures": _figures,
    "accounts": _accounts,
    "actions": _actions,
    "routes": _routes,
    "delivery": _delivery,
    "example": _example,
    "results": _results,
    "modules_of_run": _modules_of_run,
    "modules_of_results": _modules_of_results,
    "commands": _commands,
    "commands_of_sandbox": _commands_of_sandbox,
    "examples": cell_examples.examples,
    "words": cell_examples.words,
}


if __name__ == "__main__":
    for path in (*PAGES.glob("*.example.json"), *PAGES.glob("*.md")):
        path.write_text(with_parts(path.read_text("utf-8")), "utf-8")
