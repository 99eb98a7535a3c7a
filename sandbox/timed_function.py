"""Runs the function of another folder at the time of the sandbox (`sandbox.clock`).

functions-framework loads this file; it loads `main.py` of the folder in SANDBOX_SOURCE, unchanged.
Where that module has the name `datetime` for the class, the class tells the time of the sandbox.
Each line of the log gets its `time`, as Cloud Logging adds it.
"""

from __future__ import annotations

import datetime
import importlib.util
import os
import sys
from pathlib import Path
from typing import Any

_SOURCE = Path(os.environ["SANDBOX_SOURCE"])


class _Moved(datetime.datetime):
    """A clock that tests can move."""

    @classmethod
    def now(cls, tz: datetime.tzinfo | None = None) -> datetime.datetime:  # type: ignore[override]
        offset = float(Path(os.environ["SANDBOX_CLOCK"]).read_text("utf-8"))
        return datetime.datetime.now(tz) + datetime.timedelta(seconds=offset)


class _Stamped:
    """A stream that writes the time into each line of JSON. The function writes a line at once."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        if text.startswith('{"') and text.endswith("}\n"):
            text = f'{text[:-2]}, "time": "{_Moved.now(datetime.UTC).isoformat()}"}}\n'
        written: int = self._stream.write(text)
        return written

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


sys.path.insert(0, str(_SOURCE))
_spec = importlib.util.spec_from_file_location("deployed_main", _SOURCE / "main.py")
if _spec is None or _spec.loader is None:
    raise ImportError(f"no main.py in {_SOURCE}")
_main = importlib.util.module_from_spec(_spec)
sys.modules["deployed_main"] = _main
_spec.loader.exec_module(_main)
if getattr(_main, "datetime", None) is datetime.datetime:
    _main.datetime = _Moved  # type: ignore[attr-defined]

sys.stdout = _Stamped(sys.stdout)
ingest = _main.ingest
sweep = _main.sweep
