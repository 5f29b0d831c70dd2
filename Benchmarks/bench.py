"""Measures the release build and the installed peers: bench.py [OPTION]… (see README.md here)"""
import argparse
import fnmatch
import json
import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import document, machine, table
from harness.rounds import measure
from harness.workplace import CHECKOUT, Workplace
from rows import ALL


def arguments():
    parser = argparse.ArgumentParser(description="Measures the release build and its peers.")
    parser.add_argument("--reference", metavar="DIR", help="folder with venv and models; see Benchmarks/README.md")
    parser.add_argument("--rounds", type=int, default=5, metavar="N", help="measured rounds (default: 5)")
    parser.add_argument("--rows", default="*", metavar="NAMES",
                        help="only the rows that match, for example 'start,step-*'")
    parser.add_argument("--work", metavar="DIR",
                        help="folder for corpora and converted models (default: ~/.cache/lmpipe-bench)")
    return parser.parse_args()


def make_rows(place, patterns):
    """Returns the rows that can be measured, and a line for each reason why others cannot."""
    rows, missing = [], {}
    for name, make in ALL.items():
        if any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns.split(",")):
            try:
                place.take_named()
                row = make(place, name)
                row.models = place.take_named()
                rows.append(row)
            except RuntimeError as error:
                missing.setdefault(str(error), []).append(name)
    return rows, [f"- Not measured: {', '.join(names)}: {why}" for why, names in missing.items()]


def sources(rows):
    return [subject.source for row in rows
            for subject in row.subjects + ([row.limit.subject] if row.limit else [])]


def measure_all(place, rows, rounds):
    results = []
    try:
        for index, row in enumerate(rows):
            print(f"{row.name} ", end="", file=sys.stderr, flush=True)
            start = time.monotonic()
            place.drop(row.models)
            results.append(measure(row, rounds))
            print(f" {time.monotonic() - start:.0f} s", file=sys.stderr)
            place.stop_workers(but=sources(rows[index + 1:]))
    finally:
        place.stop_workers()
    return results


def report(commit, place, results, rounds, missing):
    versions = ", ".join(f"{name} {version}" for name, version in sorted(place.about.items())) or "none"
    head = (f"Commit {commit}; {machine.processor()}, {machine.processors()} processors; {machine.today()}. "
            f"Peers: {versions}. Medians of {rounds} rounds; each round measures all subjects of a row. In brackets: the "
            f"ratio by which lmpipe is better.")
    notes = "\n".join(filter(None, [*missing, table.notes(results)]))
    return "\n\n".join(filter(None, [head, table.markdown(results), notes]))


def main():
    options = arguments()
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    place = Workplace(options.reference, os.path.abspath(options.work or f"{cache}/lmpipe-bench"))
    commit = machine.commit(CHECKOUT)
    rows, missing = make_rows(place, options.rows)
    start = time.monotonic()
    results = measure_all(place, rows, options.rounds)
    print(f"{(time.monotonic() - start) / 60:.1f} minutes", file=sys.stderr)
    text = report(commit, place, results, options.rounds, missing)
    print(text)
    with open(f"{place.work}/samples.json", "w") as file:
        json.dump({result.row.name: {**result.samples, "limit": result.limits} for result in results}, file, indent=1)
    if options.rows != "*" or options.rounds < 5 or missing or any(result.missing for result in results):
        print("Benchmarks/README.md is not changed: that requires all rows, all peers and at least 5 rounds",
              file=sys.stderr)
    else:
        document.write("make bench", text)


if __name__ == "__main__":
    main()
