"""Reads delivered files: bytes → text → lines → records, and header → fields.

Start with `table` (entry point: `open_table`), then read the modules that it uses, from the bytes
up: `text`, `delimited`. `header` determines which field each column holds, by the names in
`vocabulary`, and recognizes files of other records. `names` determines which objects are files to
process. `workbook` turns a workbook into text, before all of this. `errors` defines the errors of a
file.

No SDK and no files: a stream is any object with `.read(n) -> bytes`. Everything except a packed
workbook is streamed. The constants of these modules and `SourceOptions` limit memory use,
independent of the file size.
"""
