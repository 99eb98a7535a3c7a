"""Only those of google-ads' 1,500 modules that are used.

The packages of an API version import everything they hold, although one module of theirs is all
that is asked for: 0.4 s and 50 MB in every new process. They name these imports as lazy for Python
3.15 (`__lazy_modules__`, PEP 810). `import_lazily` gives older Pythons the same: a package stands
without having run, a submodule is imported when it is named, and for any other name the package
runs after all.
"""

from __future__ import annotations

import importlib
import os
import sys
from importlib.machinery import PathFinder
from importlib.util import module_from_spec
from types import ModuleType
from typing import Any

_PARTS = ("actions", "common", "enums", "errors", "resources", "services")


def import_lazily(version: str) -> None:
    """Do so for `google.ads.googleads.<version>`, unless that has been imported."""
    root = f"google.ads.googleads.{version}"
    names = [root]
    for part in _PARTS:
        names += [f"{root}.{part}", f"{root}.{part}.types"]
    for name in (*names, f"{root}.services.services"):
        if name not in sys.modules:
            _stand_in(name)


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
