"""Measures speed, memory and cost: `python -m benchmarks [--quick]`, or `make bench [QUICK=1]`.

Every figure is a size, a count, or a ratio to something else that is measured in the same run. So
the targets hold on any machine. `docs/performance.md` explains what limits each figure.

Tried without success: `CopyFrom`, `MergeFrom` and keyword arguments for messages; `_sha2`;
other sizes of blocks and ranges; turning the garbage collector off; `MALLOC_MMAP_THRESHOLD_`;
importing the message types in a thread (the server forks in the middle of an import, whose lock is
then held forever).

`rows`       the input files
`loop`       the bare loop: how fast a file can be prepared without any checks
`sample`     the pattern of Google's own sample code
`ours`       the function's work, from the bytes of a file to serialized requests
`row_path`   compares these three, and phone normalization with libphonenumber
`whole_path` the deployed function with the sandbox: overlap, memory, CPU, calls, cost
`cold_start` a new process until its first upload, compared with bare imports
"""
