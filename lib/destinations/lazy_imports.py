"""Imports only the modules that are used, out of the 1,500 modules of Google's client libraries.

The packages of a library import all their modules, even if only one is needed: for google-ads, 0.4
s and 50 MB in every new process. For Python 3.15, they declare these imports as lazy
(`__lazy_modules__`, PEP 810). For older versions, `import_lazily` registers a package without
running its code. A module of it is imported when it is named; the names of the package itself, such
as `datamanager_v1.Event`, do not exist.
"""

from __future__ import annotations

import gc
import importlib
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from importlib.machinery import PathFinder
from importlib.util import module_from_spec


def import_lazily(packages: Iterable[str]) -> None:
    """Make these packages lazy, unless they are imported. A package follows its parent."""
    for name in packages:
        parent_name, _, child = name.rpartition(".")
        parent = importlib.import_module(parent_name)
        spec = PathFinder.find_spec(name, parent.__path__)
        if spec is not None and name not in sys.modules:
            sys.modules[name] = package = module_from_spec(spec)
            setattr(parent, child, package)


@contextmanager
def exempt_from_garbage_collection() -> Iterator[None]:
    """Exclude the objects that are created in this context from garbage collection.

    Imports create some hundred thousand objects that are kept while the instance runs. Scanning
    them, now and each time that rows have created garbage, would be a tenth of all work.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.freeze()
