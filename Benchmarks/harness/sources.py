"""Sources of figures: programs that are run, and workers that answer requests. `take` returns a `Taken`."""
import json
import os
import tempfile
import time
from dataclasses import dataclass, field


@dataclass
class Taken:
    seconds: list            # duration of each repetition
    amount: float = None     # work per repetition, if the source reports it
    peak: int = None         # peak resident memory in bytes
    answer: object = None    # the result, for comparison with other subjects


@dataclass
class Program:
    """A whole process, from start to exit: wall time and peak memory.

    `answer` parses the output; without it the output goes to /dev/null. Peak memory is that of the process itself, not
    of its children, and at least that of this driver, because the system counts from before the exec.
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
    """A new process that measures itself and prints the answer of a worker."""
    command: list

    def take(self, check=False):
        with tempfile.TemporaryFile() as output:
            run(self.command, os.devnull, output, {})
            output.seek(0)
            return Taken(**json.load(output))


@dataclass
class Asked:
    """A request to a worker that stays in memory."""
    worker: object
    request: str
    settling: float  # seconds that its threads spin before they sleep, which would disturb the next subject

    def take(self, check=False):
        taken = Taken(**self.worker.ask(self.request))
        time.sleep(self.settling)
        return taken


@dataclass
class Missing:
    """A source that is not available."""
    why: str

    def take(self, check=False):
        raise RuntimeError(self.why)


def run(command, input, output, environment):
    """Runs a process and returns its seconds and peak bytes. Raises RuntimeError if it fails."""
    with open(input, "rb") as source, tempfile.TemporaryFile() as messages:
        actions = [(os.POSIX_SPAWN_DUP2, file.fileno(), number)
                   for number, file in enumerate((source, output, messages))]
        start = time.perf_counter()
        process = os.posix_spawnp(command[0], command, os.environ | environment, file_actions=actions)
        _, status, usage = os.wait4(process, 0)
        seconds = time.perf_counter() - start
        if status:
            messages.seek(0)
            text = messages.read().decode(errors="replace").strip().split("\n")[-1]
            raise RuntimeError(f"{' '.join(command)} ended with status {os.waitstatus_to_exitcode(status)}: {text}")
    return seconds, usage.ru_maxrss * 1024
