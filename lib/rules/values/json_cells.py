"""Cells that hold JSON."""

import json
from typing import Any


def parse_json(text: str) -> Any:
    """The value. Raises ValueError or RecursionError, also for what no message could hold: half a
    character (`"\\ud83d"`, as a cut-off emoji leaves it)."""
    decoded = json.loads(text)
    json.dumps(decoded, ensure_ascii=False).encode()
    return decoded
