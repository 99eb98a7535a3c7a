"""One coverage-guided fuzzer: `python -m tests.fuzz.target rows FOLDER SECONDS SEED`.

libFuzzer ends the process itself, so each fuzzer has its own. An input that breaks a promise is
written to FOLDER as `crash-...`, one that takes too long as `timeout-...`.
"""

from __future__ import annotations

import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["lib"]):
    from tests.fuzz import oracle
    from tests.fuzz.corpora import for_the_fuzzer
    from tests.fuzz.inputs import decode

LONGEST_INPUT = 4096
INPUT_SECONDS = 60
"""A hundred times what the slowest ordinary input takes, for busy machines."""
MEMORY_MIB = 2048


def rows(data: bytes) -> None:
    """Try the whole path of the rows."""
    oracle.check_rows(decode(data))


def source(data: bytes) -> None:
    """Try the reader."""
    oracle.check_source(decode(data).content)


def main(name: str, folder: Path, seconds: int, seed: int) -> None:
    """Fuzz until the time is over. Does not return."""
    corpus = folder / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    for number, data in enumerate(for_the_fuzzer()):
        (corpus / f"start-{number}").write_bytes(data)
    options = [
        f"-max_total_time={seconds}",
        f"-seed={seed + 1}",  # 0 stands for a random seed
        f"-max_len={LONGEST_INPUT}",
        f"-timeout={INPUT_SECONDS}",
        f"-rss_limit_mb={MEMORY_MIB}",
        f"-artifact_prefix={folder}/",
        "-print_final_stats=1",
        "-verbosity=1",
    ]
    targets = {"rows": rows, "source": source}
    atheris.Setup([sys.argv[0], *options, str(corpus)], targets[name])
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
