"""Offline conversions: a file in a bucket → conversions at Google → a results document.

Begin with `run.deliver`, the story of a run, and `run.advance`, which does what is due for it.
docs/architecture.md has the picture:

main ──▶ sweep ──▶ run ──▶ source, rules, destinations, state, results, config ──▶ catalogue, model

`cli` is the command on a person's computer: the steps of a run without a network. `adapters` are
Google's storage, secrets, events and logs; only `main` connects them. `errors` has the exceptions,
by what happens next.
"""

__version__ = "1.0.0rc2"
