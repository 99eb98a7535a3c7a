"""`init FILE`: asks one question for each decision of a profile, shows what it means, and saves.

look        the columns of the file, and what their cells look like
draft       the profile so far: the answers are its keys
asking      questions and answers in a terminal
questions   the table of all decisions, in the order in which they are asked
rows        the two questions about rows
trial       what a run would do with the file and the answers so far
review      the screen that shows everything before it is written
command     the options, the loop, and the file that is written
"""
