"""Cells that contain JSON."""

import json
from typing import Any


def parse_json(text: str) -> Any:
    """Return the decoded value.

    Raises ValueError or RecursionError, also for a text that no message can contain: half a
    character (`"\\ud83d"`, the rest of a cut-off emoji).
    """
    decoded = json.loads(text)
    json.dumps(decoded, ensure_ascii=False).encode()
    return decoded
