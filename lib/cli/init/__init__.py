"""`init FILE`: a page on which a person says what a file means, or options that say it.

look        the columns of the file, and what their cells look like
rows        which rows are what: the values of columns that decide
draft       the profile so far: the answers are its keys
questions   the table of all decisions
controls    the decisions as controls of a form
trial       what a run would do with the file and the answers so far
account     the same in words, for the page and the terminal
document    the document of profiles: what is replaced, and what changes
page        all of it on one page
server      who gets the page, and what a change needs
command     the options, and how the page is opened
"""
