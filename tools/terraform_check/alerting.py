"""Simulates Cloud Monitoring: log lines go into the evaluated `terraform/`, notifications come out.

A policy with a log filter notifies at once, for each combination of its labels at most once per
period, and at most 20 times a day (https://cloud.google.com/monitoring/quotas). A policy with a
query notifies when the query has had a value for as long as its duration.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from tools.terraform_check import log_filter
from tools.terraform_check.log_filter import Entry, Test
from tools.terraform_check.promql import Counters, Labels, Query

MOST_A_DAY = 20
EVALUATION_SECONDS = 60

_VARIABLE = re.compile(r"\$\{log\.extracted_label\.(\w+)\}")
_EXTRACT = re.compile(r"EXTRACT\(([\w.]+)\)")
_BEFORE = "logging_googleapis_com:user_"


@dataclass(frozen=True, slots=True)
class Notification:
    """What a person receives."""

    at: datetime
    alert: str
    subject: str
    content: str


def entry_of(
    line: Mapping[str, Any], service: str, log: str = "run.googleapis.com/stdout"
) -> Entry:
    """Return the log entry that Cloud Run makes of a JSON line of a service."""
    payload = {key: value for key, value in line.items() if key != "severity"}
    return platform_entry(service, log, jsonPayload=payload, severity=line.get("severity"))


def platform_entry(service: str, log: str, **content: Any) -> Entry:
    """Return a log entry of Cloud Run about a service, in one of its logs."""
    return {
        "logName": f"projects/p/logs/{log.replace('/', '%2F')}",
        "resource": {"type": "cloud_run_revision", "labels": {"service_name": service}},
        **content,
    }


@dataclass(slots=True)
class _LogPolicy:
    name: str
    matches: Test
    labels: Mapping[str, str]
    seconds: float
    subject: str
    content: str
    last: dict[tuple[str, ...], float] = field(default_factory=dict)
    days: Counter[int] = field(default_factory=Counter)

    def notification(self, at: float, entry: Entry) -> Notification | None:
        labels = {name: _text(entry, path) for name, path in self.labels.items()}
        key = tuple(labels.values())
        day = int(at // 86400)
        too_soon = key in self.last and at - self.last[key] < self.seconds
        if too_soon or self.days[day] >= MOST_A_DAY:
            return None
        self.last[key] = at
        self.days[day] += 1
        subject, content = (
            _VARIABLE.sub(lambda found: labels[found[1]], text)
            for text in (self.subject, self.content)
        )
        return Notification(_time(at), self.name, subject, content)


@dataclass(frozen=True, slots=True)
class _Metric:
    name: str
    matches: Test
    value: str
    labels: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _MetricPolicy:
    name: str
    query: Query
    duration: float
    title: str
    content: str

    def notifications(
        self, start: float, end: float, counters: Counters
    ) -> Iterator[tuple[float, Labels]]:
        """Yield each moment at which the query has had a value for long enough, by labels."""
        since: dict[Labels, float] = {}
        open_: set[Labels] = set()
        moments = sorted(_moments(self.query, start, end, counters))
        for at, until in zip(moments, [*moments[1:], end], strict=True):
            true = self.query.at(at, counters).keys()
            since = {labels: since.get(labels, at) for labels in true}
            open_ &= true
            for labels, began in since.items():
                fires = max(at, began + self.duration)
                if labels not in open_ and fires < until:
                    open_.add(labels)
                    yield fires + EVALUATION_SECONDS, labels


def _moments(query: Query, start: float, end: float, counters: Counters) -> set[float]:
    """Return the times at which the value of the query can change."""
    found = {start}
    for metric, ranges in query.ranges.items():
        for times, _ in counters.series.get(metric, {}).values():
            for seconds in (0.0, *ranges):
                found |= {at + seconds for at in times}
    return {at for at in found if start <= at < end}


class Monitoring:
    """The alert policies and log-based metrics of the evaluated module, from `created` on."""

    def __init__(self, values: Mapping[str, list[Any]], created: datetime) -> None:
        self._created = created.timestamp()
        self._counters = Counters()
        self._metrics = [_metric(each) for each in values["google_logging_metric"]]
        self._logs: list[_LogPolicy] = []
        self._queries: list[_MetricPolicy] = []
        for each in values["google_monitoring_alert_policy"]:
            condition, text = each["conditions"], each["documentation"]
            if "condition_matched_log" in condition:
                found = condition["condition_matched_log"]
                extracted = found["label_extractors"].items()
                policy = _LogPolicy(
                    condition["display_name"],
                    log_filter.parse(found["filter"]),
                    {name: _EXTRACT.sub(r"\1", path) for name, path in extracted},
                    _seconds(each["alert_strategy"]["notification_rate_limit"]["period"]),
                    text["subject"],
                    text["content"],
                )
                self._logs.append(policy)
            else:
                found = condition["condition_prometheus_query_language"]
                query, wait = Query(found["query"]), _seconds(found["duration"])
                content = text["content"]
                self._queries.append(
                    _MetricPolicy(
                        condition["display_name"], query, wait, each["display_name"], content
                    )
                )

    def log(self, at: datetime, entry: Entry) -> list[Notification]:
        """Take a log entry. Return what it notifies of at once. Times never go back."""
        seconds = at.timestamp()
        for metric in self._metrics:
            if metric.matches(entry):
                self._count(metric, seconds, entry)
        found = [each.notification(seconds, entry) for each in self._logs if each.matches(entry)]
        return [each for each in found if each is not None]

    def until(self, end: datetime) -> list[Notification]:
        """Return what the queries have notified of, from the beginning to `end`."""
        return [
            Notification(_time(at), each.name, each.title, each.content)
            for each in self._queries
            for at, _ in each.notifications(self._created, end.timestamp(), self._counters)
        ]

    def _count(self, metric: _Metric, seconds: float, entry: Entry) -> None:
        labels = frozenset((name, _text(entry, path)) for name, path in metric.labels.items())
        if not metric.value:
            self._counters.add(metric.name, labels, seconds)
            return
        value = log_filter.field_of(entry, metric.value)
        if value is not None:
            self._counters.add(f"{metric.name}_sum", labels, seconds, float(value))


def _metric(values: Mapping[str, Any]) -> _Metric:
    extracted = values.get("label_extractors") or {}
    return _Metric(
        _BEFORE + re.sub(r"[/-]", "_", values["name"]),
        log_filter.parse(values["filter"]),
        _EXTRACT.sub(r"\1", values.get("value_extractor") or ""),
        {name: _EXTRACT.sub(r"\1", path) for name, path in extracted.items()},
    )


def _text(entry: Entry, path: str) -> str:
    value = log_filter.field_of(entry, path)
    # A list or a mapping has no text that a label could have.
    return "" if value is None or isinstance(value, (list, Mapping)) else str(value)


def _seconds(text: str) -> float:
    return float(text.removesuffix("s"))


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
