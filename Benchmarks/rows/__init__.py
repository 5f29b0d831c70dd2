"""The rows of the table: name -> a function of the workplace and the name, which makes the row. It fails with a
RuntimeError where a model that it needs is missing."""
from rows import loops, model, processes, records, tokenizer

ALL = processes.ROWS | model.ROWS | loops.ROWS | tokenizer.ROWS | records.ROWS
