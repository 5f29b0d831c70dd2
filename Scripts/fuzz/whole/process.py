"""Runs pipelines of the tools without a shell and with limits, and returns the outcome of each stage."""
import os
import resource
import shutil
import signal
import sys
import time
from dataclasses import dataclass

WALL_SECONDS = 20
ADDRESS_SPACE = 3 << 30
OUTPUT_BYTES = 256 << 20
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "HOME": "/nonexistent", "HF_HUB_CACHE": "/nonexistent"}


@dataclass
class Stage:
    arguments: list
    status: int = 0  # exit status
    signal: int = 0
    seconds: float = 0  # processor time
    peak: int = 0  # resident bytes; 0 if unknown
    errors: bytes = b""


@dataclass
class Outcome:
    stages: list
    output: bytes
    is_late: bool

    @property
    def status(self):
        """The status of the last stage that failed, as in a shell with pipefail."""
        return next((128 + stage.signal if stage.signal else stage.status
                     for stage in reversed(self.stages) if stage.signal or stage.status), 0)


class Runner:
    """Runs commands in a folder whose files `put` sets."""

    def __init__(self, tools, folder):
        self.tools, self.folder = tools, folder
        self.paths = {}
        self.content = {}
        os.makedirs(folder, exist_ok=True)
        os.chdir(folder)
        self.output = os.open(".output", os.O_RDWR | os.O_CREAT | os.O_TRUNC)
        self.errors = []
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        for limit, value in ((resource.RLIMIT_AS, ADDRESS_SPACE), (resource.RLIMIT_FSIZE, OUTPUT_BYTES)):
            resource.setrlimit(limit, (value, value))
        signal.signal(signal.SIGALRM, self._late)

    def put(self, files):
        """Makes `files` the contents of the folder. Writes only files that are new or different."""
        for name in [name for name in self.content if name not in files]:
            os.unlink(name)
            del self.content[name]
        for entry in os.listdir("."):  # written by the tools: cache files
            if not entry.startswith(".") and entry not in self.content and not any(n.startswith(entry + "/") for n in files):
                shutil.rmtree(entry) if os.path.isdir(entry) else os.unlink(entry)
        for name, content in files.items():
            if self.content.get(name) != content:
                if "/" in name:
                    os.makedirs(os.path.dirname(name), exist_ok=True)
                with open(name, "wb") as file:
                    file.write(content)
            self.content[name] = content

    def renew(self, written):
        """Makes the next `put` write these files again, because a tool may have changed them."""
        for name in written:
            if name in self.content:
                self.content[name] = None

    def _path(self, program):
        if program not in self.paths:
            own = os.path.join(self.tools, program)
            self.paths[program] = own if os.path.exists(own) else shutil.which(program) or "/nonexistent/" + program
        return self.paths[program]

    def _late(self, *_):
        self.is_late = True
        for process in self.running:
            try:
                os.kill(process, signal.SIGKILL)
            except ProcessLookupError:
                pass

    def run(self, stages, source):
        while len(self.errors) < len(stages):
            self.errors.append(os.open(f".errors{len(self.errors)}", os.O_RDWR | os.O_CREAT | os.O_TRUNC))
        os.ftruncate(self.output, 0)
        os.lseek(self.output, 0, os.SEEK_SET)
        self.running, self.is_late = {}, False
        results = [Stage(stage) for stage in stages]
        signal.setitimer(signal.ITIMER_REAL, WALL_SECONDS, 1)
        given = None
        for index, stage in enumerate(stages):
            os.ftruncate(self.errors[index], 0)
            os.lseek(self.errors[index], 0, os.SEEK_SET)
            actions = [(os.POSIX_SPAWN_OPEN, 0, source or "/dev/null", os.O_RDONLY, 0) if given is None
                       else (os.POSIX_SPAWN_DUP2, given, 0)]
            reading = writing = None
            if index < len(stages) - 1:
                reading, writing = os.pipe()
            actions.append((os.POSIX_SPAWN_DUP2, self.output if writing is None else writing, 1))
            actions.append((os.POSIX_SPAWN_DUP2, self.errors[index], 2))
            words = [word.encode("utf-8", "surrogateescape") for word in stage]
            process = os.posix_spawn(self._path(stage[0]), words, ENVIRONMENT, file_actions=actions)
            self.running[process] = results[index]
            for descriptor in (given, writing):
                if descriptor is not None:
                    os.close(descriptor)
            given = reading
        while self.running:
            process, status, usage = os.wait4(-1, 0)
            result = self.running.pop(process, None)
            if result is None:
                continue
            if os.WIFSIGNALED(status):
                result.signal = os.WTERMSIG(status)
            else:
                result.status = os.WEXITSTATUS(status)
            result.seconds = usage.ru_utime + usage.ru_stime
            # Before the exec the memory of this process counts for the tool, so lower values have no meaning.
            if usage.ru_maxrss > resource.getrusage(resource.RUSAGE_SELF).ru_maxrss:
                result.peak = usage.ru_maxrss * (1024 if sys.platform == "linux" else 1)
        signal.setitimer(signal.ITIMER_REAL, 0)
        for index, result in enumerate(results):
            result.errors = _content(self.errors[index])
        return Outcome(results, _content(self.output), self.is_late)


def _content(descriptor):
    return os.pread(descriptor, os.fstat(descriptor).st_size, 0)


def scratch_folder():
    """Returns the path of a new scratch folder, in memory if possible."""
    parent = "/dev/shm" if os.access("/dev/shm", os.W_OK) else os.environ.get("TMPDIR", "/tmp")
    return os.path.join(parent, f"lmpipe-whole-{os.getpid()}-{time.monotonic_ns():x}")
