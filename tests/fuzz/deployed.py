"""Drops every hostile workbook on the deployed function: `python -m tests.fuzz.deployed`.

The function runs in the sandbox, in the cgroup MEMORY_GROUP if there is one. For each workbook,
or those that are named, it says how long its attempts took, and how long the file behind it waited
after that.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from sandbox.up import Sandbox
from tests.fuzz.workbooks import HOSTILE
from tests.rows import core_row, csv_bytes
from tests.soak import memory_group

ROOT = Path(__file__).parents[2]
SECONDS = 20.0
SECONDS_BEHIND = 1.0
ENVIRONMENT = {"MALLOC_ARENA_MAX": "1", "TIME_LIMIT_SECONDS": "540"}


def main() -> int:
    """Drop the workbooks one by one. The exit code is 1 if one was too slow or did not end."""
    group = memory_group()
    wrong = 0
    with Sandbox(source=ROOT, memory_group=group, env=ENVIRONMENT) as google:
        google.results(*google.drop(csv_bytes([core_row(1)]), "warm.csv"))
        for number, name in enumerate(sys.argv[1:] or HOSTILE):
            content = HOSTILE[name]()
            hostile = google.drop(content, f"{number}.xlsx")
            behind = google.drop(csv_bytes([core_row(number)]), f"{number}.csv")
            document = google.results(*hostile)
            ended = time.monotonic()
            del content
            google.results(*behind)
            waited = time.monotonic() - ended
            attempts = [each for each in google.delivery.records() if each.name == hostile[0]]
            took = [attempt.milliseconds / 1000 for each in attempts for attempt in each.attempts]
            code = (document["file_error"] or {"code": "none"})["code"]
            is_wrong = len(took) > 1 or max(took, default=0) > SECONDS or waited > SECONDS_BEHIND
            wrong += is_wrong
            print(
                f"{'WRONG' if is_wrong else 'ok   '} {name:48} {code:18} {sum(took):5.1f} s, "
                f"attempts {len(took)}, behind {waited:.1f} s, load {os.getloadavg()[0]:.0f}",
                flush=True,
            )
    if group is not None:
        for figure in ("memory.max_usage_in_bytes", "memory.failcnt", "memory.peak"):
            if (group / figure).is_file():
                print(figure, (group / figure).read_text().strip())
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
