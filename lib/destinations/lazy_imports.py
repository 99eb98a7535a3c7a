"""Imports only the modules that are used, out of the 1,500 modules of Google's client libraries.

The packages of a library import all their modules, even if only one is needed: for google-ads, 0.4
s and 50 MB in every new process. For Python 3.15, they declare these imports as lazy
(`__lazy_modules__`, PEP 810). `import_lazily` does the same for older versions: a package is
registered without running its code, and a submodule is imported when it is named. For any other
name, the package's code runs.
"""

from __future__ import annotations

import gc
import importlib
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from importlib.machinery import PathFinder
from importlib.util import module_from_spec
from types import ModuleType
from typing import Any


def import_lazily(packages: Iterable[str]) -> None:
    """Make these packages lazy, unless they are imported. A package follows its parent."""
    for name in packages:
        if name not in sys.modules:
            _stand_in(name)


@contextmanager
def without_garbage_collection() -> Iterator[None]:
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


def _stand_in(name: str) -> None:
    parent_name, _, child = name.rpartition(".")
    parent = importlib.import_module(parent_name)
    spec = PathFinder.find_spec(name, parent.__path__)
    if spec is None or spec.loader is None:
        return
    loader = spec.loader
    package = module_from_spec(spec)
    submodules = {
        file.removesuffix(".py") for path in package.__path__ for file in os.listdir(path)
    }

    def find(attribute: str) -> Any:
        if attribute.startswith("__"):
            raise AttributeError(attribute)
        if attribute in submodules:
            return importlib.import_module(f"{name}.{attribute}")
        _run(package, loader)
        return getattr(package, attribute)

    package.__getattr__ = find  # type: ignore[method-assign]  # PEP 562, set from outside
    sys.modules[name] = package
    setattr(parent, child, package)


def _run(package: ModuleType, loader: Any) -> None:
    del package.__getattr__
    loader.exec_module(package)
