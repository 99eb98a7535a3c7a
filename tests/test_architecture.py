"""The arrows of the house: who may import whom."""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LIB = sorted((ROOT / "lib").rglob("*.py"))

PURE = {
    # Standard library that rules and source may use, beside lib itself. No I/O, no SDK.
    "rules": {"phonenumbers", "zoneinfo", "lib.rules", "lib.model", "lib.catalogue"},
    "source": {"lib.source"},
}
SDK = ("google", "grpc", "functions_framework", "flask", "cloudevents")
IO_MODULES = {"os", "socket", "subprocess", "requests", "urllib", "http", "pathlib", "tempfile"}

DISTRIBUTIONS = {
    # What is imported, and what it is installed as.
    "google.ads.datamanager_v1": "google-ads-datamanager",
    "google.ads.googleads": "google-ads",
    "google.api_core": "google-api-core",
    "google.auth": "google-auth",
    "google.cloud.pubsub_v1": "google-cloud-pubsub",
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
    "protobuf": "all messages are its objects",
    "tzdata": "zoneinfo reads it",
}


def imports_of(path: Path) -> set[str]:
    """Every module that a file imports, anywhere in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            found.add(node.module)
    return found


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", LIB, ids=name_of)
def test_lib_never_imports_the_sandbox(path: Path) -> None:
    """The judged doesn't know its judge."""
    assert not {name for name in imports_of(path) if name.split(".")[0] in ("sandbox", "tests")}


@pytest.mark.parametrize("path", sorted((ROOT / "sandbox").rglob("*.py")), ids=name_of)
def test_the_sandbox_never_imports_lib(path: Path) -> None:
    """A judge that shares the code of the judged proves nothing."""
    assert not {name for name in imports_of(path) if name.split(".")[0] in ("lib", "main")}


@pytest.mark.parametrize("folder", sorted(PURE))
def test_rules_and_source_are_pure(folder: str) -> None:
    """Rules and source import no SDK, do no I/O, and know nothing of the rest of lib."""
    allowed = PURE[folder]
    for path in sorted((ROOT / "lib" / folder).rglob("*.py")):
        for name in imports_of(path):
            top = name.split(".")[0]
            assert top not in SDK, f"{path}: {name}"
            assert top not in IO_MODULES or name == "urllib.parse", f"{path}: {name}"
            if top == "lib":
                assert ".".join(name.split(".")[:2]) in allowed, f"{path}: {name}"


def test_only_adapters_and_destinations_import_google() -> None:
    """Google's packages stay behind the two ports."""
    for path in LIB:
        if path.relative_to(ROOT / "lib").parts[0] in ("destinations", "adapters"):
            continue
        foreign = {name for name in imports_of(path) if name.split(".")[0] in SDK}
        assert not foreign, f"{path}: {foreign}"


def test_nothing_but_main_wires_adapters() -> None:
    """The story of a run knows ports, not adapters."""
    adapters = {
        "lib.adapters.gcs",
        "lib.adapters.secret_manager",
        "lib.destinations.registry",
        "lib.adapters.pubsub",
    }
    for path in LIB:
        if path.name == "registry.py":
            continue
        assert not imports_of(path) & adapters, path


def test_no_destination_imports_another() -> None:
    """The port doesn't depend on who implements it, nor does one destination on another."""
    folder = ROOT / "lib" / "destinations"
    sdk = {"google_ads": "google.ads.googleads", "data_manager": "google.ads.datamanager"}
    for path in sorted(folder.rglob("*.py")):
        if path.name == "registry.py":
            continue
        for owner, package in sdk.items():
            if path.parent.name != owner:
                foreign = (package, f"lib.destinations.{owner}")
                assert not any(name.startswith(foreign) for name in imports_of(path)), path


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
    pinned = re.findall(r"^([\w-]+)==[\d.]+$", (ROOT / "requirements.txt").read_text("utf-8"), re.M)
    assert set(pinned) == needed
