"""Goals of rows: a description, a function that measures the result, and a bound."""
from dataclasses import dataclass


@dataclass
class Goal:
    asks: str
    measure: object           # result -> a number, or None if something was not measured
    bound: float
    at_most: bool = False

    def value(self, result):
        return self.measure(result)

    def is_reached(self, result):
        value = self.value(result)
        return value <= self.bound if self.at_most else value >= self.bound


def times(factor, name, asks=None):
    """At least `factor` times better than the named subject."""
    return Goal(asks or f"{factor:g} × {name}", lambda result: result.ratio(name), factor)


def times_best(factor):
    """At least `factor` times better than the best of the other subjects."""
    def ratio(result):
        ratios = [result.ratio(subject.name) for subject in result.row.subjects[1:]]
        return min((ratio for ratio in ratios if ratio), default=None)
    return Goal(f"{factor:g} × the best", ratio, factor)


def share_of_limit(share):
    return Goal(f"{share:g} of the limit", lambda result: result.share(), share)


def at_least(figure):
    return Goal(f"at least {figure:g}", lambda result: result.ours, figure)


def at_most(figure, stretch=False):
    return Goal(f"{'stretch: ' if stretch else ''}at most {figure:g}", lambda result: result.ours, figure, at_most=True)
