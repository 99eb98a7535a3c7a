"""The file as people deliver it: bytes → text → lines → records, and header → fields.

Reading order: `table` (the entry: `open_table`), then what it stands on, from the bytes up:
`inflate`, `encoding`, `lines`, `dialect`, `records`. Beside them `fields` and `columns` (which
column means what) and `names` (which objects are files of ours at all).

No SDK, no files: a stream is anything with `.read(n) -> bytes`. Everything is streamed; memory
is bounded by constants of these modules and by `SourceOptions`, not by the file.
"""
