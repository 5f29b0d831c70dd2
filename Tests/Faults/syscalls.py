#!/usr/bin/env python3
"""Makes system calls fail, one at a time, and looks at what the tools do then: syscalls.py [--tools DIR] (Linux, strace)

Each command below is run once to count its system calls; then once for each call and each error that the kernel may give
there. What must hold: the right output and status 0; or a documented status, a message, and of the output nothing but
lines that are right.
"""
import argparse
import collections
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
CHECKOUT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(HERE, "../Fuzz/whole"))
import models

# The errors that the manual page of each call names and that can come up here: of a file that is there, so no ENOENT at open.
ERRORS = {
    "read": ["EINTR", "EIO", "EAGAIN"], "pread64": ["EINTR", "EIO"], "write": ["EINTR", "EIO", "ENOSPC", "EAGAIN", "EPIPE"],
    "pwrite64": ["EINTR", "EIO", "ENOSPC"], "writev": ["EINTR", "EIO", "ENOSPC"],
    "open": ["EINTR", "EIO", "EMFILE", "ENFILE", "ENOMEM", "EACCES"],
    "openat": ["EINTR", "EIO", "EMFILE", "ENFILE", "ENOMEM", "EACCES"], "close": ["EINTR", "EIO"],
    "stat": ["EIO", "ENOMEM", "EACCES"], "fstat": ["EIO", "ENOMEM"], "lstat": ["EIO", "ENOMEM", "EACCES"],
    "newfstatat": ["EIO", "ENOMEM", "EACCES"], "statx": ["EIO", "ENOMEM", "EACCES"], "readlink": ["EIO", "EACCES", "ENOENT", "ENOMEM"],
    "readlinkat": ["EIO", "EACCES", "ENOENT"], "mmap": ["ENOMEM", "EAGAIN"], "munmap": ["ENOMEM"], "mremap": ["ENOMEM"],
    "mprotect": ["ENOMEM"], "madvise": ["EAGAIN", "ENOMEM", "EINVAL"], "mincore": ["EAGAIN", "ENOMEM"],
    "poll": ["EINTR", "ENOMEM"], "ppoll": ["EINTR", "ENOMEM"], "ioctl": ["EIO", "ENOTTY"], "fcntl": ["EINTR", "EMFILE"],
    "lseek": ["ESPIPE"], "flock": ["EINTR", "ENOLCK", "EAGAIN"], "fallocate": ["EINTR", "EIO", "ENOSPC", "EOPNOTSUPP"],
    "ftruncate": ["EINTR", "EIO", "ENOSPC"], "msync": ["EIO"], "fsync": ["EIO", "ENOSPC"], "fadvise64": ["EINVAL"],
    "getrandom": ["EINTR", "EAGAIN", "ENOSYS"], "sched_getaffinity": ["EINVAL", "ENOSYS"], "prlimit64": ["EPERM"],
    "clone": ["EAGAIN", "ENOMEM"], "clone3": ["EAGAIN", "ENOMEM", "ENOSYS"], "getdents64": ["EIO", "ENOMEM"],
    "pipe2": ["EMFILE", "ENFILE"], "eventfd2": ["EMFILE", "ENOMEM"], "fchmod": ["EIO", "EPERM"],
    "getcwd": ["ENOENT", "ENOMEM"],
}
# Calls that are left as they are, and why.
LEFT_OUT = {
    "futex": "an injected error also takes away a wake-up, which the kernel never does",
    "brk": "answers a refusal with the end as it was, which cannot be injected; FaultTests refuses memory by limits",
    "execve": "starts the program", "arch_prctl": "the C library before main", "set_tid_address": "the C library before main",
    "set_robust_list": "the C library before main", "rseq": "the C library before main",
    "exit": "does not return", "exit_group": "does not return", "gettid": "cannot fail", "getpid": "cannot fail",
    "sched_yield": "cannot fail", "rt_sigaction": "fails for invalid arguments only", "rt_sigprocmask": "fails for invalid arguments only",
    "rt_sigreturn": "does not return", "tgkill": "sends a signal to the thread itself", "sigaltstack": "fails for invalid arguments only",
    "clock_nanosleep": "an interrupted sleep is short, not an error", "nanosleep": "an interrupted sleep is short, not an error",
    "getuid": "cannot fail", "geteuid": "cannot fail", "umask": "cannot fail", "uname": "fails for invalid arguments only",
    "restart_syscall": "belongs to the call before it",
}
# Of these the ones before main are left out too: the C library ends the process by itself, or goes on without.
BEFORE_MAIN = ["mprotect", "prlimit64"]
MAIN = re.compile(r"rt_sigaction\(SIGBUS")  # the first thing that every tool does
STATUSES = {64, 65, 66, 69, 71, 74}
CALL = re.compile(r"^\d+ +(\w+)\(")


def commands():
    """Name, words, whether a cache file is made beforehand."""
    record = "in"
    model = ["-m", "model"]
    yield "encode", ["bpe-encode", *model, "text"], None
    yield "encode, standard input", ["bpe-encode", *model, "--tokens", "--offsets"], "text"
    yield "encode, vocab.json", ["bpe-encode", "-m", "files", "text"], None
    yield "encode, GGUF", ["bpe-encode", "-m", "m.gguf", "-t", "text"], None
    yield "decode", ["bpe-decode", *model, record], None
    yield "decode, records", ["bpe-decode", "-m", "m.gguf", "-j"], record
    yield "logits", ["lm-logits", *model, "--threads", "2", record], None
    yield "logits, all", ["lm-logits", "-m", "m.gguf", "--all", "--base64"], record
    yield "logits, shards, new cache", ["lm-logits", "-m", "shards", "--cache", "new"], "one"
    yield "topk", ["lm-topk", *model, "-k", "3", "logits"], None
    yield "topk, table", ["lm-topk", *model, "-t"], "logits"
    yield "step", ["lm-step", *model, "-n", "5", record], None
    yield "step, sampling", ["lm-step", "-m", "m.gguf", "--temperature", "1", "--seed", "3", "-n", "3", "--each"], record
    yield "step, new cache", ["lm-step", *model, "-n", "3", "--cache", "new"], "one"
    yield "step, old cache", ["lm-step", *model, "-n", "3", "--cache", "old"], "one"
    yield "info", ["lm-info", *model], None
    yield "info, GGUF", ["lm-info", "-m", "m.gguf", "-j"], None
    yield "info, names", ["lm-info", "--list"], None
    yield "help", ["lm-step", "--help"], None


class Faults:
    def __init__(self, tools, folder):
        self.tools, self.folder = tools, folder
        self.environment = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "HOME": folder, "HF_HUB_CACHE": os.path.join(folder, "hub")}
        files = dict(models.LLAMA)
        files["m.gguf"] = models.llama_gguf(8, 32).encode()
        import formats
        import tree
        tensors = models.llama_tensors()
        parts = {"a.safetensors": tensors[:5], "b.safetensors": tensors[5:]}
        index = {"weight_map": {tensor[0]: name for name, part in parts.items() for tensor in part}}
        for name, part in parts.items():
            files["shards/" + name] = formats.whole_safetensors(part)
        files["shards/model.safetensors.index.json"] = tree.encode(tree.build(index))
        files["shards/config.json"] = files["model/config.json"]
        files["shards/tokenizer.json"] = files["model/tokenizer.json"]
        files["files/vocab.json"] = tree.encode(tree.build(models.VOCABULARY))
        files["files/merges.txt"] = ("#version: 0.2\n" + "\n".join(models.MERGES) + "\n").encode()
        files["text"] = b"the one and 00\non the road\n\nx\n"
        files["in"] = b'{"ids":[85,259,222]}\n{"ids":[263,70]}\n[5]\n'
        files["one"] = b'{"ids":[85,259,222,3,4,5]}\n'
        files["hub/models--a--b/refs/main"] = b"0123456789012345678901234567890123456789"
        files["hub/models--a--b/snapshots/0123456789012345678901234567890123456789/config.json"] = files["model/config.json"]
        for name, content in files.items():
            path = os.path.join(folder, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "wb") as file:
                file.write(content)
        self.run(["lm-logits", "-m", "model"], "in", output="logits")
        self.run(["lm-step", "-m", "model", "-n", "2", "--cache", "kept"], "one")

    def run(self, words, source, before=(), output=None):
        """(status, output, errors); the status is negative for a signal, None if there is no end."""
        for name in ("new", "old"):
            path = os.path.join(self.folder, name)
            if os.path.exists(path):
                os.unlink(path)
        if "old" in words:
            # a hard link would be written through; times count in a cache's key only for the model
            shutil.copyfile(os.path.join(self.folder, "kept"), os.path.join(self.folder, "old"))
        with open(os.path.join(self.folder, source) if source else os.devnull, "rb") as given:
            process = subprocess.Popen([*before, os.path.join(self.tools, words[0]), *words[1:]], stdin=given, stdout=subprocess.PIPE,
                                       stderr=subprocess.PIPE, cwd=self.folder, env=self.environment, start_new_session=True)
            try:
                out, errors = process.communicate(timeout=30)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                out, errors = process.communicate()
                return None, out, errors
        if output:
            with open(os.path.join(self.folder, output), "wb") as file:
                file.write(out)
        return process.returncode, out, errors

    def traced(self, words, source, *options):
        log = os.path.join(self.folder, "trace")
        result = self.run(words, source, ["strace", "-f", "-qq", "--seccomp-bpf", "-o", log, *options])
        with open(log, encoding="utf-8", errors="replace") as file:
            return result, file.read()

    def calls(self, words, source):
        """For each call the numbers of its occurrences, of the thread that makes most of them."""
        result, log = self.traced(words, source)
        counts = collections.Counter()  # by (thread, call)
        skipped = collections.Counter()
        in_main = False
        for line in log.splitlines():
            in_main = in_main or bool(MAIN.search(line))
            found = CALL.match(line)
            if found:
                name = found.group(1)
                counts[line.split(" ", 1)[0], name] += 1
                if not in_main and name in BEFORE_MAIN:
                    skipped[name] += 1
        most = {}
        for (_, name), count in counts.items():
            most[name] = max(most.get(name, 0), count)
        return result, {name: range(skipped[name] + 1, count + 1) for name, count in most.items()}


def problem(result, right, may_be_less):
    """What does not hold of a run."""
    status, output, errors = result
    _, right_output, _ = right
    if status is None:
        return "no end in 30 seconds"
    if status == 0:
        is_right = output == right_output or may_be_less and set(output.splitlines()) <= set(right_output.splitlines())
        return None if is_right else "status 0, and another output"
    if status in (-signal.SIGPIPE, 128 + signal.SIGPIPE):
        return None  # as EPIPE should end it
    if status < 0 or status > 128:
        return f"signal {abs(status) % 128}"
    if status not in STATUSES:
        return f"status {status}: {errors.decode(errors='replace').strip()[:100]}"
    if not errors:
        return f"status {status} without a message"
    if any(byte < 0x20 and byte != 0x0A for byte in errors):
        return "control bytes in the message"
    lines = set(right_output.split(b"\n"))
    for line in output.split(b"\n"):
        if line not in lines and b'"fatal":true' not in line and not right_output.startswith(output):
            return f"status {status}, and a line that is not right"
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tools", default=os.path.join(CHECKOUT, ".build/release"))
    parser.add_argument("--most", type=int, default=30, help="of the occurrences of one call, the first so many (default: 30)")
    parser.add_argument("--verbose", action="store_true", help="print each injection")
    arguments = parser.parse_args()
    if not shutil.which("strace"):
        sys.exit("strace is missing")
    injected = missed = 0
    problems = collections.Counter()
    unknown = set()
    with tempfile.TemporaryDirectory() as folder:
        faults = Faults(os.path.abspath(arguments.tools), folder)
        for name, words, source in commands():
            right, calls = faults.calls(words, source)
            if right[0] != 0:
                sys.exit(f"{name}: status {right[0]} without a fault: {right[2].decode()}")
            here = injected
            for call, occurrences in sorted(calls.items()):
                if call in LEFT_OUT:
                    continue
                if call not in ERRORS:
                    unknown.add(call)
                for error in ERRORS.get(call, []):
                    for occurrence in occurrences[:arguments.most]:
                        inject = f"inject={call}:error={error}:when={occurrence}"
                        result, log = faults.traced(words, source, "-e", f"trace={call}", "-e", inject)
                        if "(INJECTED)" not in log:
                            missed += 1
                            continue
                        injected += 1
                        found = problem(result, right, may_be_less="--list" in words)  # it lists what can be used
                        if arguments.verbose:
                            print(f"{name}: {inject}: {result[0]} {result[2][:100]}")
                        if found:
                            line = next(line for line in log.splitlines() if "(INJECTED)" in line)
                            line = re.sub(r"^\d+ +", "", line).replace(" (INJECTED)", "")
                            problems[found] += 1
                            print(f"{name}: when={occurrence}: {line[:110]}: {found}", flush=True)
            print(f"{name}: {injected - here} errors injected", flush=True)
    for call in sorted(unknown):
        print(f"the call {call} is not in the table of errors", file=sys.stderr)
    print(f"{injected} errors injected ({missed} calls did not come again), {sum(problems.values())} problems")
    for found, count in problems.most_common():
        print(f"{count:>6}  {found}")
    return 1 if problems or unknown else 0


if __name__ == "__main__":
    sys.exit(main())
