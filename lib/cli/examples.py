"""The examples in the help of the whole program and of `check`."""

from typing import Final

FIRST_STEPS: Final = """
\b
Examples, from an export to the rows to correct:
    {program} init deals.csv -o profiles.json
    {program} check --profiles profiles.json deals.csv
    {program} fix deals.csv deals.results.json

The results are those of an upload, from the output bucket. `{program} COMMAND --help`
has more examples.
"""

CHECK_EXAMPLES: Final = """
\b
Examples:
  Check an export before you upload it to the bucket:
    {program} check leads.csv

\b
  Say what the file cannot tell, for a first try without a profile:
    {program} check --time-zone America/Chicago \\
      --action "Closed deal" leads.csv

\b
  Use the settings of your uploads (time zone, currency, column names):
    {program} check --profiles profiles.json --profile crm leads.csv

\b
  Check the profiles themselves, after somebody has edited them:
    {program} check --profiles profiles.json

\b
  Check several files at once, including compressed ones:
    {program} check exports/*.csv.gz

\b
  Print the results document as JSON, here to list the rejected rows:
    {program} check --json leads.csv \\
      | jq '.rows[] | select(.outcome == "rejected")'

\b
  Show every line with a problem, and annotate a pull request with them:
    {program} check --max-lines 1000 leads.csv
    {program} check --format github exports/

\b
  Write a page for the colleague who has to correct the export:
    {program} check --html leads.html leads.csv

\b
  Check an old export as if you uploaded it on the evening of its day:
    {program} check --now 2026-11-24T18:00:00Z leads.csv

Exit code: 0 if every row would be sent (repeated rows once). 1 if a row would not be sent, the
conversion action or a needed time zone is missing, a file cannot be read, or its name is not
accepted. 2 if the command is wrong. Without FILE: 0 if every profile is valid, otherwise 1.
"""
