"""Reads delivered files: bytes → text → rows, and header → fields.

`table` is the entry (`open_table`). `text` decodes the bytes of a file, `head` reads the first
lines, and `delimited` the rows, with `footer` for the end of a report. Before that, `workbook`
turns a workbook into text. `header` determines which field each column holds, by the names in
`vocabulary`, and recognizes files of other records. `names` determines which objects are files to
process, and `formats` what other files are. `errors` defines the errors of a file.

No SDK and no files: a stream is any object with `.read(n) -> bytes`. Everything except a packed
workbook is streamed. The constants of these modules and `SourceOptions` limit memory use,
independent of the file size.
"""
