"""Imports only the modules that are used, out of the 1,500 modules of google-ads.

The packages of an API version import all their modules, even if only one is needed: 0.4 s and 50 MB
in every new process. For Python 3.15, they declare these imports as lazy (`__lazy_modules__`, PEP
810). `import_lazily` does the same for older versions: a package is registered without running its
code, and a submodule is imported when it is named. For any other name, the package's code runs.
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
    """Make the packages of `google.ads.googleads.<version>` lazy, unless they are imported."""
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
