"""A row of the table: the same work done by lmpipe and by peers in turn, round after round."""
import itertools
import os
import statistics
import sys
from dataclasses import dataclass, field

from harness.sources import Missing


@dataclass
class Subject:
    """A program that does the work of a row. `figures` converts a `Taken` of the source to figures in the row's unit."""
    name: str
    source: object
    figures: object

    @classmethod
    def peer(cls, name, make_source, figures):
        """Returns a subject that may be unavailable: `make_source` finds or makes the files of the source, or raises."""
        try:
            return cls(name, make_source(), figures)
        except RuntimeError as error:
            return cls(name, Missing(str(error)), figures)


@dataclass
class Limit:
    """A limit of the machine, measured in the same rounds. `cost`: share of it that one unit of the row's figure needs."""
    subject: Subject
    unit: str
    cost: float


@dataclass
class Row:
    name: str                # for ROWS=
    work: str                # for the table
    unit: str
    subjects: list           # lmpipe first
    goals: list = field(default_factory=list)
    limit: Limit = None
    lower_is_better: bool = False
    rounds: int = None       # if it needs fewer than the other rows
    same_answer: bool = True  # whether all subjects must give the same answer
    is_contest: bool = True   # whether all subjects do the same work, so that ratios have a meaning
    models: list = field(default_factory=list)  # models that the row reads


class Result:
    """The figures of a row, by round."""

    def __init__(self, row):
        self.row = row
        self.samples = {}    # name -> figures
        self.limits = []
        self.missing = {}    # name -> reason
        self.different = {}  # name -> how its answer differs from that of lmpipe

    def median(self, name):
        return statistics.median(self.samples[name]) if self.samples.get(name) else None

    @property
    def ours(self):
        return self.median(self.row.subjects[0].name)

    @property
    def limit(self):
        return statistics.median(self.limits) if self.limits else None

    def ratio(self, name):
        """Returns the factor by which lmpipe is better; None if one of the two was not measured."""
        ours, theirs = self.ours, self.median(name)
        if ours is None or theirs is None:
            return None
        return theirs / ours if self.row.lower_is_better else ours / theirs

    def share(self):
        """Returns the share of the machine's limit that lmpipe reaches."""
        return self.ours * self.row.limit.cost / self.limit if self.limits and self.ours else None


def measure(row, rounds):
    """Measures a row: an unmeasured round that warms up and compares answers, then `rounds` rounds of all subjects."""
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
            result.different[name] = f"the first {same} of {len(ours)} tokens agree"
    for _ in range(row.rounds or rounds):
        for subject in subjects:
            figures = subject.figures(subject.source.take())
            samples = (result.limits if row.limit and subject is row.limit.subject
                       else result.samples.setdefault(subject.name, []))
            samples.extend(figures)
        print(".", end="", file=sys.stderr, flush=True)
    return result


# Functions that convert a `Taken` to figures.

def rate(amount):
    """Units of work per second."""
    return lambda taken: [amount / seconds for seconds in taken.seconds]


def own_rate(unit):
    """The amount that the source reports, in this unit per second."""
    return lambda taken: [taken.amount / unit / seconds for seconds in taken.seconds]


def milliseconds(taken):
    return [1000 * seconds for seconds in taken.seconds]


def megabytes(beyond):
    """Peak memory minus the size of the mapped file."""
    return lambda taken: [(taken.peak - os.path.getsize(beyond)) / 1e6]
