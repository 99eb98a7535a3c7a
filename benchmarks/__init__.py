"""How fast, how small, how cheap: `python -m benchmarks [--quick]`, or `make bench [QUICK=1]`.

Every figure is a ratio to something measured beside it in the same run, a size, or a count: so the
targets hold on any machine. `docs/performance.md` says what limits each.

`rows`       the files
`loop`       the bare loop: how fast a file can be prepared when nothing is checked
`sample`     the pattern of Google's own sample code
`ours`       what the function does between bytes and serialized requests
`row_path`   these three side by side, and phone numbers against libphonenumber
`whole_path` the deployed function against the sandbox: overlap, memory, CPU, calls, cost
`cold_start` a new process until its first upload, against bare imports
"""
