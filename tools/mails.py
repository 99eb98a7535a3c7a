"""Log lines → the mails that Cloud Monitoring would send with the policies of `terraform/`.

    python -m tools.mails        the mails of the sandbox that runs in this directory, so far

The policies are read from Terraform itself, with the values of its example. What Google does with
them is imitated only as far as these policies need it:

- A policy on a log-based metric opens an incident for each combination of labels, and closes it
  when no line has come for an hour. It tells both.
- A policy on log lines tells each line, at most one in a period.
- The sweep is silent if no line says for so long that one has finished. (Google counts calls.)

The real mails have more around the text, such as a link to the incident.
"""

from __future__ import annotations

import json
import re
import sys
import urllib.request
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import tfparse  # type: ignore[import-untyped,unused-ignore]  # it has no type information

TERRAFORM = Path(__file__).parents[1] / "terraform"
EXAMPLE = "examples/complete/terraform.tfvars.example"
FUNCTION = "conversions-ingest"

_VARIABLE = re.compile(r"\$\{(?:metric\.label|log\.extracted_label)\.(\w+)\}")
_LINK = re.compile(r"\[([^\]]*)\]\(([^)]*)\)")
_COMPARISON = re.compile(r'([\w.]+)=(?:\((.+?)\)|"([^"]*)"|([\w]+))(?: AND |$)')

Line = Mapping[str, Any]
"""A line of the log. `time` is when it was written (ISO 8601)."""


@dataclass(frozen=True, slots=True)
class Mail:
    """What people get. A link in `text` is shown as `words <address>`."""

    sent: datetime
    subject: str
    text: str

    def __str__(self) -> str:
        return f"{self.sent:%Y-%m-%d %H:%M} UTC\nSubject: {self.subject}\n\n{self.text}\n"


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy on log lines: which lines, which of their fields are labels, and its texts.

    `closes_after`: without a line for so long, an incident is over. None: every line is told.
    """

    severity: str
    subject: str
    content: str
    filter: str
    labels: Mapping[str, str]
    closes_after: timedelta | None
    rate_limit: timedelta

    def matches(self, line: Line) -> bool:
        """Whether the filter selects a line."""
        entry = {
            "resource.type": "cloud_run_revision",
            "resource.labels.service_name": FUNCTION,
            "severity": line.get("severity"),
            **{f"jsonPayload.{name}": value for name, value in line.items()},
        }
        comparisons = list(_COMPARISON.finditer(self.filter))
        if "".join(each[0] for each in comparisons) != self.filter:
            raise ValueError(f"this filter is not understood: {self.filter}")
        return all(str(entry.get(each[1])) in _values(each) for each in comparisons)

    def labels_of(self, line: Line) -> tuple[tuple[str, str], ...]:
        """The labels of a line, by name. A field that is missing is an empty text."""
        return tuple((name, str(line.get(field, ""))) for name, field in self.labels.items())

    def mail(self, sent: datetime, state: str, labels: Mapping[str, str]) -> Mail:
        """The mail about an incident with these labels."""

        def filled(text: str) -> str:
            return _VARIABLE.sub(lambda found: labels.get(found[1], ""), text)

        subject = f"[{state} - {self.severity.capitalize()}] {filled(self.subject)}"
        return Mail(sent, subject, _LINK.sub(r"\1 <\2>", filled(self.content)))


def _values(comparison: re.Match[str]) -> set[str]:
    several, *single = comparison.groups()[1:]
    return set(re.findall(r'"([^"]*)"', several)) if several else {each for each in single if each}


def policies(values: Mapping[str, Any]) -> tuple[list[Policy], tuple[Policy, timedelta]]:
    """The policies on log lines, and the one on the silent sweep with its time.

    `values` are the evaluated resources (`evaluated`).
    """
    metrics = {
        f"logging.googleapis.com/user/{metric['name']}": metric
        for metric in values["google_logging_metric"]
    }
    found, silent = [], []
    for policy in values["google_monitoring_alert_policy"]:
        condition, strategy = policy["conditions"], policy["alert_strategy"]
        documentation = policy["documentation"]
        texts = policy["severity"], documentation.get("subject", ""), documentation["content"]
        if threshold := condition.get("condition_threshold"):
            (name,) = re.findall(r'metric\.type="([^"]+)"', threshold["filter"])
            extracted = metrics[name]["label_extractors"]
            grouped = [
                each.rpartition(".")[2] for each in threshold["aggregations"]["group_by_fields"]
            ]
            labels = {label: _field(extracted[label]) for label in grouped}
            window = _duration(threshold["aggregations"]["alignment_period"])
            found.append(Policy(*texts, metrics[name]["filter"], labels, window, timedelta(0)))
        elif matched := condition.get("condition_matched_log"):
            labels = {name: _field(field) for name, field in matched["label_extractors"].items()}
            limit = _duration(strategy["notification_rate_limit"]["period"])
            found.append(Policy(*texts, matched["filter"], labels, None, limit))
        elif condition.get("display_name") == "sweep_silent":
            duration = condition["condition_prometheus_query_language"]["duration"]
            policy = Policy(*texts, 'jsonPayload.event="sweep_finished"', {}, None, timedelta(0))
            silent.append((policy, _duration(duration)))
    (sweep_silent,) = silent
    return found, sweep_silent


def _field(extractor: str) -> str:
    return extractor.removeprefix("EXTRACT(jsonPayload.").removesuffix(")")


def _duration(text: str) -> timedelta:
    return timedelta(seconds=int(text.removesuffix("s")))


def evaluated() -> Mapping[str, Any]:
    """The resources of `terraform/` with the values of its example."""
    found: Mapping[str, Any] = tfparse.load_from_path(
        str(TERRAFORM), stop_on_hcl_error=True, vars_paths=[EXAMPLE]
    )
    return found


def mails(
    lines: Iterable[Line], now: datetime, values: Mapping[str, Any] | None = None
) -> list[Mail]:
    """The mails about these lines until `now`, oldest first."""
    dated = sorted(((datetime.fromisoformat(line["time"]), line) for line in lines), key=_time_of)
    on_lines, (silent, longest) = policies(evaluated() if values is None else values)
    sent: list[Mail] = []
    for policy in on_lines:
        matching = [(time, policy.labels_of(line)) for time, line in dated if policy.matches(line)]
        sent += (
            _of_incidents(policy, matching, now)
            if policy.closes_after
            else _of_lines(policy, matching)
        )
    sweeps = [time for time, line in dated if silent.matches(line)]
    for earlier, later in zip(sweeps, [*sweeps, None][1:], strict=True):
        if (later or now) - earlier > longest:
            sent.append(silent.mail(earlier + longest, "ALERT", {}))
            if later is not None:
                sent.append(silent.mail(later, "RESOLVED", {}))
    return sorted(sent, key=lambda mail: mail.sent)


def _time_of(dated: tuple[datetime, Line]) -> datetime:
    return dated[0]


Matching = Sequence[tuple[datetime, tuple[tuple[str, str], ...]]]
"""The lines that a filter selects: when, and their labels."""


def _of_lines(policy: Policy, matching: Matching) -> Iterator[Mail]:
    last = None
    for time, labels in matching:
        if last is None or time - last >= policy.rate_limit:
            last = time
            yield policy.mail(time, "ALERT", dict(labels))


def _of_incidents(policy: Policy, matching: Matching, now: datetime) -> Iterator[Mail]:
    assert policy.closes_after is not None
    times: dict[tuple[tuple[str, str], ...], list[datetime]] = {}
    for time, labels in matching:
        times.setdefault(labels, []).append(time)
    for labels, seen in times.items():
        begins = True
        for time, following in zip(seen, [*seen[1:], None], strict=True):
            if begins:
                yield policy.mail(time, "ALERT", dict(labels))
            closes = time + policy.closes_after
            begins = closes < (following or now)
            if begins:
                yield policy.mail(closes, "RESOLVED", dict(labels))


def main() -> None:
    """Print the mails of the running sandbox."""
    running = Path(".sandbox/current.json")
    if not running.is_file():
        sys.exit("No sandbox runs in this directory. Start one: python -m sandbox up")
    sandbox = json.loads(running.read_text("utf-8"))
    with urllib.request.urlopen(f"{sandbox['control_url']}/clock", timeout=60) as answer:
        now = datetime.fromisoformat(json.load(answer)["now"])
    log = Path(sandbox["function_log"]).read_text("utf-8")
    lines = [json.loads(line) for line in log.splitlines() if line.startswith('{"severity"')]
    for mail in mails(lines, now.astimezone(UTC)):
        print(mail, end=f"\n{72 * '-'}\n")


if __name__ == "__main__":
    main()
