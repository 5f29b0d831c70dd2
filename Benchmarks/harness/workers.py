"""Processes that load their data once and then answer requests, so that rounds can alternate between them."""
import json
import subprocess
import tempfile


class Worker:
    """A program that prints a line of JSON when it is ready, and one for each line of standard input.

    The first request starts it. A missing dependency is then reported as a RuntimeError.
    """

    def __init__(self, command, environment):
        self.command, self.environment = command, environment
        self.process = None
        self.failure = None
        self.about = {}  # its first line: the version of the peer

    def ask(self, request):
        if self.process is None:
            self.start()
        try:
            self.process.stdin.write(request + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass  # the program ended; `answer` reports its last message
        return self.answer()

    def start(self):
        if self.failure:
            raise RuntimeError(self.failure)
        self.messages = tempfile.TemporaryFile()
        self.process = subprocess.Popen(
            self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.messages, text=True,
            env=self.environment)
        self.about = self.answer()

    def answer(self):
        line = self.process.stdout.readline()
        if line:
            return json.loads(line)
        self.stop()
        self.messages.seek(0)
        text = self.messages.read().decode(errors="replace").strip().split("\n")[-1]
        self.failure = text or f"{self.command[0]} ended without a message"
        raise RuntimeError(self.failure)

    def stop(self):
        """Ends the process. The next request starts it again."""
        if self.process:
            self.process.communicate()
            self.process = None
