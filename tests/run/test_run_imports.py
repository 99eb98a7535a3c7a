"""What `lib.run.deliver` needs: a small set of modules, none of which imports a caller."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROOMS = ("lib.run.", "lib.state.")


@cache
def imported_by(module: str) -> set[str]:
    """Return the modules of `run` and `state` that a module imports, wherever in it."""
    tree = ast.parse((ROOT / f"{module.replace('.', '/')}.py").read_text("utf-8"))
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{each.name}" for each in node.names)}
        elif isinstance(node, ast.Import):
            found |= {each.name for each in node.names}
    known = {each for each in found if each.startswith(ROOMS)}
    return {each for each in known if (ROOT / f"{each.replace('.', '/')}.py").is_file()}


def reached_from(start: str) -> dict[str, set[str]]:
    """Return the modules that a module reaches, each with those that it imports."""
    graph: dict[str, set[str]] = {}
    waiting = [start]
    while waiting:
        module = waiting.pop()
        if module not in graph:
            graph[module] = imported_by(module)
            waiting += graph[module]
    return graph


def test_a_run_is_told_by_few_modules() -> None:
    """A stranger can read all of them."""
    assert len(reached_from("lib.run.deliver")) <= 20


def test_no_module_imports_a_caller() -> None:
    """The arrows go one way, also inside of the two rooms."""
    graph = reached_from("lib.run.deliver")
    for module in graph:
        assert module not in set().union(*(reached_from(each) for each in graph[module]))
