"""A row of the table: the same work done by us and by others in turn, round after round."""
import itertools
import os
import statistics
import sys
from dataclasses import dataclass, field

from harness.sources import Missing


@dataclass
class Subject:
    """Someone who does the work: `figures` turns what its source took into figures of the row's unit."""
    name: str
    source: object
    figures: object

    @classmethod
    def peer(cls, name, make_source, figures):
        """One that may be missing: what its source needs is looked for, or made, here."""
        try:
            return cls(name, make_source(), figures)
        except RuntimeError as error:
            return cls(name, Missing(str(error)), figures)


@dataclass
class Limit:
    """What the machine can do, measured in the same rounds, and how much of it a unit of the row's figure takes."""
    subject: Subject
    unit: str
    cost: float


@dataclass
class Row:
    name: str                # for ROWS=
    work: str                # for the table
    unit: str
    subjects: list           # ours first
    goals: list = field(default_factory=list)
    limit: Limit = None
    lower_is_better: bool = False
    rounds: int = None       # where it needs fewer than the others
    same_answer: bool = True  # whether all subjects must say the same
    is_contest: bool = True   # whether all subjects do the same, so that ratios mean something
    models: list = field(default_factory=list)  # whose files it, or what made them, reads


class Result:
    """The figures of a row, round by round."""

    def __init__(self, row):
        self.row = row
        self.samples = {}    # name -> figures
        self.limits = []
        self.missing = {}    # name -> why
        self.different = {}  # name -> from where on its answer is not ours

    def median(self, name):
        return statistics.median(self.samples[name]) if self.samples.get(name) else None

    @property
    def ours(self):
        return self.median(self.row.subjects[0].name)

    @property
    def limit(self):
        return statistics.median(self.limits) if self.limits else None

    def ratio(self, name):
        """How many times better we are; None where one of the two was not measured."""
        ours, theirs = self.ours, self.median(name)
        if ours is None or theirs is None:
            return None
        return theirs / ours if self.row.lower_is_better else ours / theirs

    def share(self):
        """How much of the machine's limit we reach."""
        return self.ours * self.row.limit.cost / self.limit if self.limits and self.ours else None


def measure(row, rounds):
    """Warms everything up with a first round that does not count, then alternates."""
    result = Result(row)
    subjects, answers = [], {}
    everyone = row.subjects + ([row.limit.subject] if row.limit else [])
    for subject in everyone:
        try:
            answers[subject.name] = subject.source.take(check=True).answer
            subjects.append(subject)
        except (RuntimeError, OSError) as error:
            result.missing[subject.name] = str(error)
    ours = answers.get(row.subjects[0].name)
    for name, answer in answers.items():
        if row.same_answer and None not in (answer, ours) and answer != ours:
            same = sum(1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], zip(answer, ours)))
            result.different[name] = f"the first {same} of {len(ours)} are the same"
    for _ in range(row.rounds or rounds):
        for subject in subjects:
            figures = subject.figures(subject.source.take())
            samples = (result.limits if row.limit and subject is row.limit.subject
                       else result.samples.setdefault(subject.name, []))
            samples.extend(figures)
        print(".", end="", file=sys.stderr, flush=True)
    return result


# How figures come out of what was taken.

def rate(amount):
    """Units of work a second."""
    return lambda taken: [amount / seconds for seconds in taken.seconds]


def own_rate(unit):
    """What the source says it did, in this unit a second."""
    return lambda taken: [taken.amount / unit / seconds for seconds in taken.seconds]


def milliseconds(taken):
    return [1000 * seconds for seconds in taken.seconds]


def megabytes(beyond):
    """Peak memory without the file that is mapped."""
    return lambda taken: [(taken.peak - os.path.getsize(beyond)) / 1e6]
