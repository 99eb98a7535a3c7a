"""PromQL, as far as `terraform/` uses it in alerts, evaluated on simulated counters.

The counters are exact: `increase` does not extrapolate, as Cloud Monitoring's does.
"""

from __future__ import annotations

import operator
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import promql_parser as promql

Labels = frozenset[tuple[str, str]]
Vector = Mapping[Labels, float]
"""The value of each series."""

_NO_LABELS: Labels = frozenset()
_COMPARE: Mapping[str, Callable[[float, float], bool]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}
_COMPUTE: Mapping[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": lambda left, right: left / right if right else float("nan"),
}


@dataclass(slots=True)
class Counters:
    """What log-based metrics have counted: metric → labels → times (seconds) and running sums."""

    series: dict[str, dict[Labels, tuple[list[float], list[float]]]] = field(default_factory=dict)

    def add(self, metric: str, labels: Labels, at: float, amount: float = 1.0) -> None:
        """Count something. The times of a series never go back."""
        times, sums = self.series.setdefault(metric, {}).setdefault(labels, ([], []))
        times.append(at)
        sums.append(amount + (sums[-1] if sums else 0.0))

    def increase(self, metric: str, seconds: float, at: float) -> Vector:
        """Return the increase of each series in (at - seconds, at], if it has a point in there."""
        found = {}
        for labels, (times, sums) in self.series.get(metric, {}).items():
            last, before = bisect_right(times, at), bisect_right(times, at - seconds)
            if last > before:
                found[labels] = sums[last - 1] - (sums[before - 1] if before else 0.0)
        return found


class Query:
    """A PromQL query."""

    def __init__(self, text: str) -> None:
        """Raises `ValueError` if Prometheus' grammar does not know it."""
        self._tree = promql.parse(text)
        self.ranges = dict(_ranges(self._tree))
        """Metric → its ranges, in seconds."""

    def at(self, seconds: float, counters: Counters) -> Vector:
        """Return the value of every series for which the query has one."""
        found = _value(self._tree, seconds, counters)
        assert not isinstance(found, float)
        return found


def _ranges(node: promql.Expr) -> Iterator[tuple[str, list[float]]]:
    found: dict[str, list[float]] = {}

    def visit(each: object) -> None:
        if isinstance(each, promql.MatrixSelector):
            seconds = each.range.total_seconds()
            found.setdefault(str(each.vector_selector.name), []).append(seconds)
        for part in ("lhs", "rhs", "expr"):
            if hasattr(each, part):
                visit(getattr(each, part))
        for argument in getattr(each, "args", ()):
            visit(argument)

    visit(node)
    yield from found.items()


def _value(node: object, at: float, counters: Counters) -> Vector | float:
    match node:
        case promql.NumberLiteral():
            return float(node.val)
        case promql.ParenExpr():
            return _value(node.expr, at, counters)
        case promql.AggregateExpr():
            return _sum(node, at, counters)
        case promql.BinaryExpr():
            return _binary(node, at, counters)
        case promql.Call() if node.func.name == "vector":
            return {_NO_LABELS: _number(node.args[0], at, counters)}
        case promql.Call() if node.func.name == "increase":
            selector = node.args[0]
            assert isinstance(selector, promql.MatrixSelector)
            seconds = selector.range.total_seconds()
            return counters.increase(str(selector.vector_selector.name), seconds, at)
    raise ValueError(f"not supported: {node}")


def _number(node: object, at: float, counters: Counters) -> float:
    value = _value(node, at, counters)
    assert isinstance(value, float)
    return value


def _sum(node: promql.AggregateExpr, at: float, counters: Counters) -> Vector:
    if str(node.op) != "sum":
        raise ValueError(f"not supported: {node.op}")
    vector = _value(node.expr, at, counters)
    assert not isinstance(vector, float)
    kept = set(node.modifier.labels) if node.modifier is not None else set()
    sums: dict[Labels, float] = {}
    for labels, value in vector.items():
        group = frozenset((name, text) for name, text in labels if name in kept)
        sums[group] = sums.get(group, 0.0) + value
    return sums


def _binary(node: promql.BinaryExpr, at: float, counters: Counters) -> Vector | float:
    name = str(node.op)
    left, right = _value(node.lhs, at, counters), _value(node.rhs, at, counters)
    if isinstance(left, float):
        if isinstance(right, float):
            return _COMPUTE[name](left, right)
        if name in _COMPARE:
            return {key: v for key, v in right.items() if _COMPARE[name](left, v)}
        return {key: _COMPUTE[name](left, value) for key, value in right.items()}
    if isinstance(right, float):
        right = dict.fromkeys(left, right)
    if name == "or":
        return {**right, **left}
    if name == "unless":
        return {key: value for key, value in left.items() if key not in right}
    both = {key: (value, right[key]) for key, value in left.items() if key in right}
    if name == "and":
        return {key: value for key, (value, _) in both.items()}
    if name in _COMPARE:
        return {key: pair[0] for key, pair in both.items() if _COMPARE[name](*pair)}
    return {key: _COMPUTE[name](*pair) for key, pair in both.items()}
