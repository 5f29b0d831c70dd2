"""The rows of the table, by name. Each value is a function of the workplace and the name that makes the row. It raises
RuntimeError if a model is missing."""
from rows import loops, model, processes, records, tokenizer

ALL = processes.ROWS | model.ROWS | loops.ROWS | tokenizer.ROWS | records.ROWS
