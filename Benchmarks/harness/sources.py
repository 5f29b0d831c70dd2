"""Where figures come from: a program that is run, or a worker that is asked. Each take gives a `Taken`."""
import json
import os
import tempfile
import time
from dataclasses import dataclass, field


@dataclass
class Taken:
    seconds: list            # how long each time took
    amount: float = None     # how much was done in one time, where the source knows it
    peak: int = None         # the most memory that was resident, in bytes
    answer: object = None    # what came out, to compare with what others say


@dataclass
class Program:
    """A whole process, from its start to its end: wall time and peak memory.

    `answer` reads what it printed; otherwise its output goes to /dev/null. Peak memory is that of the process itself,
    not of those that it starts, and no less than the driver's own: the system counts from before the exec.
    """
    command: list
    input: str = os.devnull
    environment: dict = field(default_factory=dict)
    answer: object = None

    def take(self, check=False):
        reads = check and self.answer
        with tempfile.TemporaryFile() if reads else open(os.devnull, "wb") as output:
            seconds, peak = run(self.command, self.input, output, self.environment)
            answer = None
            if reads:
                output.seek(0)
                answer = self.answer(output)
        return Taken([seconds], peak=peak, answer=answer)


@dataclass
class SelfTimed:
    """A fresh process that measures itself, and prints what a worker would answer."""
    command: list

    def take(self, check=False):
        with tempfile.TemporaryFile() as output:
            run(self.command, os.devnull, output, {})
            output.seek(0)
            return Taken(**json.load(output))


@dataclass
class Asked:
    """A worker that stays, and is asked."""
    worker: object
    request: str
    settling: float  # seconds for which its threads spin before they sleep, and would be in the next one's way

    def take(self, check=False):
        taken = Taken(**self.worker.ask(self.request))
        time.sleep(self.settling)
        return taken


@dataclass
class Missing:
    """Nobody to take from."""
    why: str

    def take(self, check=False):
        raise RuntimeError(self.why)


def run(command, input, output, environment):
    """Seconds and peak bytes of a process. Raises where it fails."""
    with open(input, "rb") as source, tempfile.TemporaryFile() as messages:
        actions = [(os.POSIX_SPAWN_DUP2, file.fileno(), number)
                   for number, file in enumerate((source, output, messages))]
        start = time.perf_counter()
        process = os.posix_spawnp(command[0], command, os.environ | environment, file_actions=actions)
        _, status, usage = os.wait4(process, 0)
        seconds = time.perf_counter() - start
        if status:
            messages.seek(0)
            said = messages.read().decode(errors="replace").strip().split("\n")[-1]
            raise RuntimeError(f"{' '.join(command)} ended with status {os.waitstatus_to_exitcode(status)}: {said}")
    return seconds, usage.ru_maxrss * 1024
