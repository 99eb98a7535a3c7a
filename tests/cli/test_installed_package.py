"""The package: `pip install .` gives the command, with few packages and none of Google's."""

from __future__ import annotations

import hashlib
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pytest

from lib import __version__
from tests.every_call import IN_BUILD, only_in_builds
from tests.test_architecture import DISTRIBUTIONS, MODULES, SDK, imports_of

ROOT = Path(__file__).parents[2]
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
DEPENDENCIES: list[str] = PROJECT["project"]["dependencies"]
NEEDS_A_CLIENT_LIBRARY = re.compile(r"lib\.(adapters|destinations\.\w+\.(?!capabilities))")


def pip(*arguments: Path | str) -> str:
    """Run pip and return what it prints. No network skips the test, and fails a build."""
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        if IN_BUILD:
            pytest.fail(done.stderr[-2000:])
        pytest.skip("packages cannot be installed here (no network?)")
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from this tree."""
    folder = tmp_path_factory.mktemp("wheel")
    pip("wheel", "--no-deps", "-w", folder, ROOT)
    (found,) = folder.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def command(wheel: Path) -> Path:
    """The installed command. Its environment is built again when the dependencies change."""
    key = hashlib.sha256(repr((DEPENDENCIES, sys.version)).encode()).hexdigest()[:12]
    home = ROOT / f".venv-installed-{key}"
    # An environment without pip, and code that is compiled when it is imported: much less to do.
    install = ("--python", home, "install", "--no-compile")
    if not (home / "complete").exists():
        shutil.rmtree(home, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", home], check=True)
        pip(*install, wheel)
        (home / "complete").touch()
    pip(*install, "--no-deps", "--force-reinstall", wheel)
    return home / "bin" / "offline-conversions"


def test_the_wheel_contains_the_command_alone(wheel: Path) -> None:
    """There is no package named `lib`, no test and no sandbox, and no file of `lib` is missing.

    What PyPI shows has no link into the repository.
    """
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        (metadata,) = (archive.read(name) for name in names if name.endswith("/METADATA"))
    assert {name.split("/")[0] for name in names} == {
        "offline_conversions",
        f"offline_conversions-{__version__}.dist-info",
    }
    listed = subprocess.run(
        ["git", "ls-files", "lib"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert {f"offline_conversions/{name}" for name in listed.stdout.splitlines()} <= names
    assert not [name for name in names if "__pycache__" in name]
    assert not re.findall(rb"\]\((?!https:)", metadata)


@only_in_builds
def test_the_command_runs_from_a_fresh_environment(command: Path, tmp_path: Path) -> None:
    """Version, a check, a profile for a file, and completion, without a Google package."""
    (tmp_path / "deals.csv").write_text(
        "Record ID,Close Date,Email\n1,2026-11-18 09:30,ada@example.com\n"
    )
    # A module that is named `lib` in the folder of the person does not matter.
    (tmp_path / "lib.py").write_text("raise SystemExit(9)\n")

    def run(*words: str, **env: str) -> str:
        done = subprocess.run(
            [command, *words],
            cwd=tmp_path,
            env={"PATH": str(command.parent), "PYTHONUTF8": "1", **env},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert run("--version").strip() == f"offline-conversions, version {__version__}"
    now = ["--now", "2026-11-24T12:00:00Z"]
    answers = """--rows all --column order_id=Record\\ ID --column email=Email --value 50
        --column conversion_date_time=Close\\ Date --time-zone UTC --currency USD
        --expect any\\ time --ad-user-data none --destination google_ads
        --customer-id 1234567890 --action Deal"""
    run("init", "deals.csv", "--yes", *now, *shlex.split(answers))
    assert "1 would be sent" in run("check", *now, "--profiles", "profiles.json", "deals.csv")
    script = run(_OFFLINE_CONVERSIONS_COMPLETE="bash_source")
    assert "_offline_conversions_completion" in script
    listed = pip("--python", command.parents[1], "list", "--format=freeze")
    assert "openpyxl==" in listed
    assert not re.findall(r"^(?:google|grpc|proto|functions).*", listed, re.M | re.I)


def test_the_dependencies_are_what_the_command_imports() -> None:
    """Each package that the command can import is listed with its pinned version, and no other."""
    pins = dict(
        re.findall(r"^([\w-]+)==([\d.]+)$", (ROOT / "requirements.in").read_text("utf-8"), re.M)
    )
    assert [f"{name}=={pins[name]}" for name in names_of(DEPENDENCIES)] == DEPENDENCIES
    seen: set[str] = set()
    waiting = ["lib.cli.commands", *(name for name in MODULES if name.endswith(".capabilities"))]
    needed = {"tzdata"}
    while waiting:
        name = waiting.pop()
        if name in seen or NEEDS_A_CLIENT_LIBRARY.match(name):
            continue
        seen.add(name)
        for each in imports_of(MODULES[name]):
            if each in MODULES:
                waiting.append(each)
            elif each.split(".")[0] not in {"lib", *sys.stdlib_module_names, *SDK}:
                needed.add(each.split(".")[0])
    assert {DISTRIBUTIONS.get(name, name) for name in needed} == set(names_of(DEPENDENCIES))


def names_of(requirements: list[str]) -> list[str]:
    """The names of pinned packages."""
    return [each.partition("==")[0] for each in requirements]
