"""Offline conversions: a file in a bucket → conversions at Google → a results document.

Reading order (docs/architecture.md has the picture):

1.  `run.deliver`     the story of a run, from its event to its results document
2.  `run`             its steps: `claim`; `reading` for the file and its header;
                      `plan` decides what the rows are, and who gets them; `chunks` prepares them,
                      `upload` sends them; `finish` plans what comes later and writes the
                      results; `notes` and `alerts` say what people should know. All of them share
                      one `attempt` and one `context`
3.  `model`           the values that all folders share: fields, records, outcomes, capabilities,
                      and the waits before a retry
4.  `source`          the file as it is delivered: bytes → text → cells; `table` is the entry
5.  `rules`           what a row must be: `fields` declares the columns, `values` reads single
                      cells, `engine` applies a list of rules column by column: that of
                      `conversions`, `adjustments` or `calls`
6.  `destinations`    the advertising APIs: `base` is the port, `registry` lists them, `connections`
                      keeps what is connected, `pacing` controls the request rate; then one folder
                      for each API: `messages` (record → bytes), `client`, `answers` (→ outcomes)
7.  `catalogue`       every code, with its meaning and what to do
8.  `state`           what survives a crash: `claims` and `generations`, `ledger`, `pending_runs`,
                      `newer_values`; `output` has the names of results,
                      `documents` reads and writes, `store` is the port
9.  `results`         outcomes → results document (`document`) → the report for people (`findings`,
                      `report`) and the overview of all files; `reading` reads a document
10. `followup`        `sweep` finds what events missed; `revisit` sends deferred rows again
                      (`resend`) and polls final statuses; `missing` alerts of what does not come
11. `config`          settings and profiles; `run.context` passes them to a run, with the ports
12. `errors`          the exceptions, by what to do next
13. `cli`             the offline check: the same rules without a network; `init` writes a profile,
                      `fix` the rows to correct, `report` the report of a document, `explain` a
                      code
14. `adapters`        Cloud Storage, Secret Manager and Cloud Logging; `main.py` connects
                      them
"""

__version__ = "1.0.0"
