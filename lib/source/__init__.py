"""Reads delivered files: bytes → text → rows, and a header → columns.

`table` is the entry (`open_table`). `text` decodes the bytes of a file, `header` finds the line and
the columns with the wanted names, `delimited` reads the rows below it, and `end` decides what the
last ones are. Before that, `workbook` turns a workbook into text. `names` determines which objects
are files to process, and `formats` what other files are.

No SDK and no files: a stream is any object with `.read(n) -> bytes`. Everything except a packed
workbook is streamed. The constants of these modules and `SourceOptions` limit memory use,
independent of the file size.
"""
