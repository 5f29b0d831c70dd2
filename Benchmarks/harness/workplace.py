"""Locations: the release build, the reference folder, and the work folder with the files that the rows read."""
import glob
import os
import subprocess
import sys

from harness.sources import Asked, Program, SelfTimed
from harness.workers import Worker

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
CHECKOUT = os.path.dirname(HERE)


class Workplace:
    def __init__(self, reference, work):
        self.work = work
        self.release = f"{CHECKOUT}/.build/release"
        self.python = f"{reference}/venv/bin/python" if reference else None
        self.models = f"{reference}/models" if reference else None
        self.workers = {}
        self.named = []  # the models that the current row reads
        self.about = {}  # the versions of the peers that were used
        os.makedirs(work, exist_ok=True)
        os.environ["LMPIPE_CACHE"] = f"{work}/cache"  # images of tokenizers

    # Models

    @property
    def wren(self):
        return f"{CHECKOUT}/Models/wren"

    @property
    def gpt2(self):
        """A folder with GPT-2's shapes and vocabulary."""
        folder = f"{self.models}/gpt2-rand"
        if not self.models or not os.path.exists(f"{folder}/model.safetensors"):
            raise RuntimeError("models/gpt2-rand is missing; set REFERENCE=DIR")
        return self.noted(folder)

    def half(self, kind):
        return self.noted(self.made(f"gpt2-rand-{kind.lower()}", "half.py", self.gpt2, kind))

    def gguf(self, kind):
        file = f"{self.models}/gpt2-rand-{kind.lower()}.gguf"
        if kind == "F32" or os.path.exists(file):
            return self.noted(file)
        return self.noted(self.made(os.path.basename(file), "half_gguf.py", self.gguf("F32"), kind))

    @property
    def smollm2(self):
        """A trained model with quantized weights, and a tokenizer."""
        files = glob.glob(f"{self.models}/smollm2/*.gguf")
        if not files:
            raise RuntimeError("models/smollm2/*.gguf is missing; set REFERENCE=DIR")
        return self.noted(files[0])

    @property
    def gemma3(self):
        """A model with a vocabulary of 262,144 tokens."""
        files = glob.glob(f"{self.models}/gemma3-270m/*.gguf")
        if not files:
            raise RuntimeError("models/gemma3-270m/*.gguf is missing; set REFERENCE=DIR")
        return self.noted(files[0])

    def noted(self, path):
        """Returns the path, and records it for `take_named`."""
        self.named.append(path)
        return path

    def take_named(self):
        """Returns the models that were used since the last call."""
        named, self.named = self.named, []
        return named

    @staticmethod
    def drop(models):
        """Drops the models from the page cache, so that the first reader of the row determines how they are cached, not
        the program that wrote them or an earlier row."""
        for path in models:
            for file in glob.glob(f"{path}/*") if os.path.isdir(path) else [path]:
                with open(file) as opened:
                    os.fsync(opened)
                    os.posix_fadvise(opened.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)

    # Files that rows read

    def file(self, name, lines):
        """Writes a small input file and returns its path."""
        path = f"{self.work}/{name}"
        with open(path, "wb") as file:
            file.writelines(lines)
        return path

    def made(self, name, program, *arguments):
        """Returns a file or folder that a program in peers/ makes on first use."""
        path = f"{self.work}/{name}"
        if not os.path.exists(path):
            self.must([self.peer_python(), f"{HERE}/peers/{program}", *arguments, path])
        return path

    def corpus(self, name):
        path = f"{self.work}/{name}.txt"
        if not os.path.exists(path):
            self.must([sys.executable, f"{HERE}/harness/corpora.py", self.work])
        return path

    def records(self, name, count, *options):
        """Returns a file with `count` records that have different logits."""
        path = f"{self.work}/{name}"
        prompts = self.file("prompts.jsonl", (b"[%d]\n" % (97 * n) for n in range(count)))
        with open(prompts) as source, open(path, "wb") as target:
            command = [f"{self.release}/lm-logits", "-m", self.gpt2, *options]
            subprocess.run(command, stdin=source, stdout=target, check=True)
        return path

    @staticmethod
    def must(command):
        done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        if done.returncode:
            raise RuntimeError(f"{' '.join(command)}: {(done.stderr.strip() or 'failed').split(chr(10))[-1]}")

    # Sources

    def tool(self, name, *options, input=os.devnull, answer=None, environment=()):
        return Program([f"{self.release}/{name}", *options], input, answer=answer, environment=dict(environment))

    def shell(self, script, model, answer=None, shell="sh"):
        environment = {"PATH": f"{self.release}:{os.environ['PATH']}", "LM_MODEL": model}
        return Program([shell, "-c", script], environment=environment, answer=answer)

    def peer_python(self):
        if not self.python or not os.access(self.python, os.X_OK):
            raise RuntimeError("venv/bin/python is missing; set REFERENCE=DIR")
        return self.python

    def peer_process(self, program, *arguments, answer=None):
        return Program([self.peer_python(), f"{HERE}/peers/{program}", *arguments], answer=answer)

    def peer_self_timed(self, program, *arguments):
        return SelfTimed([self.peer_python(), f"{HERE}/peers/{program}", *arguments])

    def ask(self, request, *command, threads):
        """Returns a request to a worker. Equal commands share a worker. A Python program is the worker of a peer."""
        is_peer = command[0].endswith(".py")
        program = [self.peer_python(), f"{HERE}/peers/{command[0]}"] if is_peer else [f"{self.release}/{command[0]}"]
        command = (*program, *command[1:], str(threads))
        if command not in self.workers:
            environment = os.environ | {"OMP_NUM_THREADS": str(threads), "RAYON_NUM_THREADS": str(threads)}
            self.workers[command] = Worker(list(command), environment)
        return Asked(self.workers[command], request, settling=0.25 if is_peer else 0)

    def stop_workers(self, but=()):
        """Ends the workers that no source in `but` uses, and keeps the versions of the peers."""
        needed = {id(source.worker) for source in but if isinstance(source, Asked)}
        for worker in self.workers.values():
            self.about |= {name: value for name, value in worker.about.items() if name != "ready"}
            if id(worker) not in needed:
                worker.stop()
