"""Records what the base did, or shows what the code of today does.

python -m tests.yardstick --record     only at the base commit: a recording is never replaced
python -m tests.yardstick NAME         compare the cases that have NAME in their names
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from sandbox.credentials import create_certificates
from tests.yardstick.cases import Case, every_case
from tests.yardstick.play import Played, running_apis
from tests.yardstick.recording import PATH, Recording, renamed_today, write


def _play(cases: list[Case], directory: Path) -> Iterator[tuple[str, Played]]:
    with running_apis(directory) as apis:
        for number, case in enumerate(cases, start=1):
            with contextlib.redirect_stdout(io.StringIO()):  # the log
                played = case.play(apis, renamed_today().words)
            if number % 100 == 0:
                print(f"{number} of {len(cases)} cases", file=sys.stderr)
            yield case.name, played


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.yardstick", description=__doc__)
    parser.add_argument("name", nargs="?", default="")
    parser.add_argument("--record", action="store_true")
    given = parser.parse_args()
    if given.record and PATH.exists():
        parser.error(f"{PATH} exists. What the base did is recorded once.")
    cases = [case for case in every_case() if given.name in case.name]
    with tempfile.TemporaryDirectory() as directory:
        authority = create_certificates(Path(directory)).ca_path
        os.environ["GRPC_DEFAULT_SSL_ROOTS_FILE_PATH"] = str(authority)
        played = _play(cases, Path(directory))
        if given.record:
            write(played)
            return 0
        recording = Recording(renamed_today())
        differing = 0
        for name, each in played:
            if difference := recording.difference(name, each):
                differing += 1
                print(f"== {name}\n{difference}\n")
        print(f"{differing} of {len(cases)} cases differ from the base.")
        return int(differing > 0)


if __name__ == "__main__":
    sys.exit(main())
