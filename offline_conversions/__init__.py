"""The command `offline-conversions`, as `pip install` installs it.

The repository's `lib` is in this folder of an installed package: a package named `lib` in
site-packages could be anybody's. Its modules import each other as `lib....`, so this folder comes
first where Python searches. In a clone, `lib` is next to this folder, and nothing is changed.
"""

from __future__ import annotations

import sys
from pathlib import Path

_HERE = Path(__file__).parent


def main() -> None:
    """Run the command line."""
    if (_HERE / "lib").is_dir():
        sys.path.insert(0, str(_HERE))
    from lib.cli.commands import main as commands

    commands(prog_name="offline-conversions")
