"""The context of the figures: commit, processor, date."""
import datetime
import os
import platform
import re
import subprocess


def commit(checkout):
    def git(*words):
        return subprocess.run(["git", "-C", checkout, *words], capture_output=True, text=True).stdout.strip()
    name = git("rev-parse", "--short=10", "HEAD") or "no commit"
    changes = git("status", "--porcelain", "--", ".", ":!Benchmarks/README.md")  # the table is written there
    return name + ("-dirty" if changes else "")


def processor():
    """Returns the processor's name; on x86 with family and model, because virtual machines hide the rest."""
    try:
        with open("/proc/cpuinfo") as file:
            facts = dict(re.findall(r"^(.*?)\s*: (.*)$", file.read(), re.M))
    except OSError:
        facts = {}
    name = facts.get("model name", platform.processor() or platform.machine())
    return name + (f" (family {facts['cpu family']}, model {facts['model']})" if "cpu family" in facts else "")


def processors():
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


def today():
    return datetime.date.today().isoformat()
