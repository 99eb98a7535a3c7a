"""The arrows of the house: who may import whom, and who may know an API's name."""

from __future__ import annotations

import ast
import builtins
import re
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import pytest

from lib.destinations import registry

ROOT = Path(__file__).parent.parent
LIB = sorted((ROOT / "lib").rglob("*.py"))

# Folder of lib → what of lib it may import, beside itself. A module name admits that module only.
# `errors` imports nothing, so that everything that raises something can share the one tree.
ARROWS = {
    "model": set(),
    "catalogue": {"model"},
    "source": {"model", "errors"},
    "rules": {"model", "catalogue", "errors"},
    "state": {"model", "errors"},
    "destinations": {"model", "catalogue", "errors"},
    "results": {"model", "catalogue", "errors", "source.names", "state", "destinations.base"},
    "config": {"model", "errors", "rules", "source", "destinations.registry"},
    "run": {
        *("model", "catalogue", "errors", "config", "rules", "source", "state", "results"),
        *("destinations.base", "destinations.registry"),
    },
    "sweep": {
        *("model", "catalogue", "errors", "config", "rules", "source", "state", "results", "run"),
        *("destinations.base", "destinations.registry"),
    },
    "cli": {
        *("model", "catalogue", "errors", "config", "rules", "source", "state", "results", "run"),
        *("destinations.base", "destinations.registry", "adapters.workbook"),
    },
    "adapters": {"model", "errors", "config", "source", "state.store"},
    "errors": set(),
    "__main__": {"cli"},
    "__init__": set(),
}
NO_IO = ("rules", "source", "model", "catalogue")
IO_MODULES = {"os", "socket", "subprocess", "requests", "urllib", "http", "pathlib", "tempfile"}
SDK = ("google", "grpc", "functions_framework", "cloudevents")

MAX_MODULES_ON_THE_TOP_FLOOR = 3
MAX_LINES_OF_A_FUNCTION = 60
MAX_MODULES_OF_A_RUN = 20

DISTRIBUTIONS = {
    # What is imported, and what it is installed as.
    "google.ads.datamanager_v1": "google-ads-datamanager",
    "google.ads.googleads": "google-ads",
    "google.api_core": "google-api-core",
    "google.auth": "google-auth",
    "google.cloud.secretmanager": "google-cloud-secret-manager",
    "google.cloud.storage": "google-cloud-storage",
    "google.oauth2": "google-auth",
    "google.protobuf": "protobuf",
    "google.rpc": "googleapis-common-protos",
    "flask": "Flask",
    "functions_framework": "functions-framework",
    "grpc": "grpcio",
    "yaml": "PyYAML",
}
NOT_IMPORTED = {
    "google-ads": "its messages are imported by the name of their version",
    "protobuf": "all messages are its objects",
    "tzdata": "zoneinfo reads it",
}


@cache
def nodes_of(path: Path) -> list[ast.AST]:
    """All of a file's syntax tree, from the top."""
    return list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))


@cache
def imports_of(path: Path) -> set[str]:
    """Every module that a file imports, anywhere in it; `from a import b` is `a` and `a.b`."""
    found: set[str] = set()
    for node in nodes_of(path):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            found.add(node.module)
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
    return found


def module_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def floor_of(path: Path) -> str:
    """The folder of lib that a file is in, or its own name on the top floor."""
    return path.relative_to(ROOT / "lib").with_suffix("").parts[0]


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


MODULES = {module_of(path): path for path in LIB}


def arrows_from(module: str) -> set[str]:
    """The modules of lib that a module imports."""
    return imports_of(MODULES[module]) & MODULES.keys()


def imported(paths: Iterable[Path], *packages: str) -> set[str]:
    """What of these packages the files import."""
    return {
        f"{name_of(path)}: {name}"
        for path in paths
        for name in imports_of(path)
        if name.split(".")[0] in packages
    }


def test_lib_never_imports_the_sandbox() -> None:
    """The function knows nothing of the local Google that it is tested with."""
    assert imported(LIB, "sandbox", "tests") == set()


def test_the_sandbox_never_imports_lib() -> None:
    """A local Google that shares code with the function proves nothing."""
    assert imported((ROOT / "sandbox").rglob("*.py"), "lib", "main") == set()


def test_arrows_run_one_way() -> None:
    """A folder imports itself and what `ARROWS` names."""
    for path in LIB:
        floor = floor_of(path)
        allowed = {floor, *ARROWS[floor]}
        for name in imports_of(path) & MODULES.keys() - {"lib"}:
            inside = name.removeprefix("lib.")
            parents = {".".join(inside.split(".")[:n]) for n in range(1, inside.count(".") + 2)}
            is_only_a_package = MODULES[name].name == "__init__.py"
            assert parents & allowed or is_only_a_package, f"{path}: {name}"


def test_no_module_imports_itself_by_way_of_others() -> None:
    """There is no circle, not even for type checkers."""
    done: set[str] = set()

    def walk(name: str, trail: tuple[str, ...]) -> None:
        assert name not in trail, " → ".join((*trail[trail.index(name) :], name))
        if name not in done:
            for other in arrows_from(name) - {name}:
                walk(other, (*trail, name))
            done.add(name)

    for name in sorted(MODULES):
        walk(name, ())


def test_a_run_is_told_by_few_modules() -> None:
    """A stranger can read all that `lib.run.deliver` needs of `run` and `state`."""
    reached, waiting = set[str](), {"lib.run.deliver"}
    while waiting:
        reached |= waiting
        found = set().union(*map(arrows_from, waiting)) - reached
        waiting = {name for name in found if name.startswith(("lib.run.", "lib.state."))}
    assert len(reached) <= MAX_MODULES_OF_A_RUN


@pytest.mark.parametrize("folder", NO_IO)
def test_rules_and_what_they_rest_on_do_no_io(folder: str) -> None:
    """No client library, no file, no network."""
    for path in sorted((ROOT / "lib" / folder).rglob("*.py")):
        for name in imports_of(path):
            top = name.split(".")[0]
            assert top not in SDK, f"{path}: {name}"
            assert top not in IO_MODULES or name.startswith("urllib.parse"), f"{path}: {name}"


def test_only_adapters_and_destinations_import_google() -> None:
    """Google's packages stay behind the two ports."""
    for path in LIB:
        if floor_of(path) not in ("destinations", "adapters"):
            foreign = {name for name in imports_of(path) if name.split(".")[0] in SDK}
            assert not foreign, f"{path}: {foreign}"


def test_capabilities_are_known_without_a_client_library() -> None:
    """The port, the registry and every declaration import no client library."""
    folder = ROOT / "lib" / "destinations"
    light = [folder / "base.py", folder / "registry.py", *folder.glob("*/capabilities.py")]
    assert len(light) == 2 + len(registry.PACKAGES)
    for path in light:
        assert not {name for name in imports_of(path) if name.split(".")[0] in SDK}, path


def test_no_destination_imports_another() -> None:
    """A destination knows the port and what all share, nothing else."""
    for owner, package in registry.PACKAGES.items():
        folder = ROOT.joinpath(*package.split("."))
        others = tuple(each for name, each in registry.PACKAGES.items() if name != owner)
        for path in folder.rglob("*.py"):
            assert not any(name.startswith(others) for name in imports_of(path)), path


def _knows_apis(path: Path) -> bool:
    # The registry has the names, and Google's queries have them in the names of their fields.
    has_names = path.name in ("registry.py", "preflight.py")
    return floor_of(path) in ("catalogue", "adapters") or (
        floor_of(path) == "destinations" and (path.parent.name != "destinations" or has_names)
    )


def test_nobody_else_knows_an_apis_name() -> None:
    """What an API can do is asked of its capabilities; its name stands in its own folder alone."""
    for path in LIB:
        if not _knows_apis(path):
            text = path.read_text("utf-8")
            for name in registry.names():
                assert name not in text, f"{path} names {name}"


def _sides(node: ast.Compare) -> Iterator[ast.expr]:
    yield node.left
    yield from node.comparators


def test_no_destination_is_compared_with_a_name() -> None:
    """`if destination == "..."` anywhere would be a capability that nobody declared."""
    for path in (ROOT / "main.py", *LIB):
        for node in nodes_of(path):
            if isinstance(node, ast.Compare):
                for side in _sides(node):
                    is_name = isinstance(side, ast.Constant) and side.value in registry.PACKAGES
                    assert not is_name, f"{path}:{node.lineno}"


def test_few_modules_are_on_the_top_floor() -> None:
    """Folder names tell where a rule lives."""
    top = list((ROOT / "lib").glob("*.py"))
    assert len(top) <= MAX_MODULES_ON_THE_TOP_FLOOR


def test_functions_are_short() -> None:
    """A module may be as long as its idea, a function may not."""
    for path in (ROOT / "main.py", *LIB):
        for node in nodes_of(path):
            if isinstance(node, ast.FunctionDef):
                lines = (node.end_lineno or 0) - node.lineno + 1
                assert lines <= MAX_LINES_OF_A_FUNCTION, f"{path}: {node.name} has {lines} lines"


def _types_in(path: Path) -> Iterator[str]:
    """Every public class and type alias at the level of a module."""
    for node in ast.parse(path.read_text("utf-8")).body:
        if isinstance(node, ast.ClassDef):
            names = [node.name]
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names = [each.id for each in targets if isinstance(each, ast.Name)]
        else:
            continue
        yield from (name for name in names if re.fullmatch(r"[A-Z]\w*[a-z]\w*", name))


def test_a_type_has_a_name_of_its_own() -> None:
    """No two types of one name, in whichever folders."""
    places: dict[str, list[str]] = {}
    for path in LIB:
        for name in _types_in(path):
            places.setdefault(name, []).append(name_of(path))
    twice = {name: paths for name, paths in places.items() if len(paths) > 1}
    assert twice == {}


def test_every_exception_is_in_the_tree() -> None:
    """What a function may raise, and what happens then, is read in `lib/errors.py`.

    Exceptions of one module may have a class of their own there; only `init` has public ones.
    """
    tree = {
        each.name for each in nodes_of(ROOT / "lib/errors.py") if isinstance(each, ast.ClassDef)
    }
    public = {
        node.name
        for path in LIB
        if not path.is_relative_to(ROOT / "lib" / "cli" / "init")
        for node in nodes_of(path)
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
        for base in node.bases
        if isinstance(base, ast.Name)
        and (base.id in tree or hasattr(builtins, base.id))
        and issubclass(getattr(builtins, base.id, Exception), BaseException)
    }
    assert public == tree


def test_the_version_of_the_ads_api_stands_in_one_place() -> None:
    """A bump of the version touches the destination's folder and the sandbox, one line each."""
    named = [
        name_of(path)
        for folder in ("lib", "sandbox", "tests", "benchmarks")
        for path in sorted((ROOT / folder).rglob("*.py"))
        if re.search(r"\bv\d\d\b", path.read_text("utf-8"))
    ]
    assert named == ["lib/destinations/google_ads/api.py", "sandbox/google_ads/__init__.py"]


def test_requirements_are_what_is_imported() -> None:
    """Each package that the product imports has its version there, and no other is installed."""
    imported: set[str] = set()
    for path in [ROOT / "main.py", *LIB]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                imported.update(alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module is not None:
                imported.update(f"{node.module}.{alias.name}" for alias in node.names)
    ours = {"lib", *sys.stdlib_module_names}
    needed = set(NOT_IMPORTED)
    for name in imported:
        top = name.split(".")[0]
        if top not in ours:
            # A package that isn't in the table is installed under its own name.
            known = (
                d for prefix, d in DISTRIBUTIONS.items() if f"{name}.".startswith(f"{prefix}.")
            )
            needed.add(next(known, top))
    pinned = re.findall(r"^([\w-]+)==[\d.]+$", (ROOT / "requirements.in").read_text("utf-8"), re.M)
    assert set(pinned) == needed


def test_test_files_have_names_of_their_own() -> None:
    """pytest cannot collect two test files of one name together."""
    names = [path.name for path in (ROOT / "tests").rglob("test_*.py")]
    assert sorted(set(names)) == sorted(names)


def test_no_text_names_a_page() -> None:
    """Who has only the command or a report has no pages: a text says itself what to do."""
    page = re.compile(r"docs/[a-z-]+\.md")
    data = [*(ROOT / "lib").rglob("*.html"), *(ROOT / "lib").rglob("*.ini")]
    found = [each.name for each in data if page.search(each.read_text("utf-8"))]
    for path in (ROOT / "lib").rglob("*.py"):
        nodes = [*ast.walk(ast.parse(path.read_text("utf-8")))]
        comments = {id(each.value) for each in nodes if isinstance(each, ast.Expr)}
        found += [
            f"{path.name}:{each.lineno}"
            for each in nodes
            if isinstance(each, ast.Constant)
            and isinstance(each.value, str)
            and id(each) not in comments
            and page.search(each.value)
        ]
    assert found == []
