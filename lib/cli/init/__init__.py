"""`init FILE`: asks one question for each decision of a profile, shows what it means, and saves.

look        the columns of the file, and what their cells look like
answers     the profile so far, and which answers it refuses
asking      questions and answers in a terminal
questions   the decisions, in the order in which they are asked
trial       what a run would do with the file and the answers so far
review      the screen that shows everything before it is written
command     the options, the loop, and the file that is written
"""
