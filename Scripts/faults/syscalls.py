#!/usr/bin/env python3
"""Tests the tools with failing system calls, one at a time: syscalls.py [--tools DIR] (requires Linux and strace)

Each command below runs once to count its system calls, then once for each call and each error that the kernel may return
there. The tool must print the expected output and exit with 0; or exit with a documented status and a message, and print only
lines of the expected output.
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
sys.path.insert(0, os.path.join(HERE, "../fuzz/whole"))
import models
from case import write_files

# Errors from the manual page of each call that can occur here. Files exist, so open does not return ENOENT.
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
# Calls that are not tested, and the reason.
LEFT_OUT = {
    "futex": "an injected error also takes away a wake-up, which the kernel never does",
    "brk": "reports failure by returning the old end, which cannot be injected; FaultTests limits memory instead",
    "execve": "starts the program", "arch_prctl": "the C library before main", "set_tid_address": "the C library before main",
    "set_robust_list": "the C library before main", "rseq": "the C library before main",
    "exit": "does not return", "exit_group": "does not return", "gettid": "cannot fail", "getpid": "cannot fail",
    "sched_yield": "cannot fail", "rt_sigaction": "fails for invalid arguments only", "rt_sigprocmask": "fails for invalid arguments only",
    "rt_sigreturn": "does not return", "tgkill": "sends a signal to the thread itself", "sigaltstack": "fails for invalid arguments only",
    "clock_nanosleep": "an interrupted sleep is short, not an error", "nanosleep": "an interrupted sleep is short, not an error",
    "getuid": "cannot fail", "geteuid": "cannot fail", "umask": "cannot fail", "uname": "fails for invalid arguments only",
    "restart_syscall": "continues the previous call",
}
# Occurrences of these calls before main are not tested: the C library aborts by itself, or ignores the error.
BEFORE_MAIN = ["mprotect", "prlimit64"]
MAIN = re.compile(r"rt_sigaction\(SIGBUS")  # the first call of every tool
STATUSES = {64, 65, 66, 69, 71, 74}
CALL = re.compile(r"^\d+ +(\w+)\(")


def commands():
    """Yields (name, words, standard input) of each command."""
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
        write_files(folder, files)
        self.run(["lm-logits", "-m", "model"], "in", output="logits")
        self.run(["lm-step", "-m", "model", "-n", "2", "--cache", "kept"], "one")

    def run(self, words, source, before=(), output=None):
        """Returns (status, output, errors). The status is negative for a signal, and None after a timeout."""
        for name in ("new", "old"):
            path = os.path.join(self.folder, name)
            if os.path.exists(path):
                os.unlink(path)
        if "old" in words:
            # Copied, because a hard link would change the original. The key of a cache contains times of the model only.
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
        """Returns the result, and for each call the numbers of its occurrences in the thread that makes it most often."""
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


def problem(result, expected, may_be_less):
    """Returns a description of what is wrong with a run, or None."""
    status, output, errors = result
    _, expected_output, _ = expected
    if status is None:
        return "timeout after 30 seconds"
    if status == 0:
        is_right = output == expected_output or may_be_less and set(output.splitlines()) <= set(expected_output.splitlines())
        return None if is_right else "status 0 with different output"
    if status in (-signal.SIGPIPE, 128 + signal.SIGPIPE):
        return None  # as expected for EPIPE
    if status < 0 or status > 128:
        return f"signal {abs(status) % 128}"
    if status not in STATUSES:
        return f"status {status}: {errors.decode(errors='replace').strip()[:100]}"
    if not errors:
        return f"status {status} without a message"
    if any(byte < 0x20 and byte != 0x0A for byte in errors):
        return "control bytes in the message"
    lines = set(expected_output.split(b"\n"))
    for line in output.split(b"\n"):
        if line not in lines and b'"fatal":true' not in line and not expected_output.startswith(output):
            return f"status {status} with an unexpected line"
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tools", default=os.path.join(CHECKOUT, ".build/release"))
    parser.add_argument("--most", type=int, default=30, help="tested occurrences of one call (default: 30)")
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
            expected, calls = faults.calls(words, source)
            if expected[0] != 0:
                sys.exit(f"{name}: status {expected[0]} without a fault: {expected[2].decode()}")
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
                        found = problem(result, expected, may_be_less="--list" in words)  # lists only models that can be read
                        if arguments.verbose:
                            print(f"{name}: {inject}: {result[0]} {result[2][:100]}")
                        if found:
                            line = next(line for line in log.splitlines() if "(INJECTED)" in line)
                            line = re.sub(r"^\d+ +", "", line).replace(" (INJECTED)", "")
                            problems[found] += 1
                            print(f"{name}: when={occurrence}: {line[:110]}: {found}", flush=True)
            print(f"{name}: {injected - here} errors injected", flush=True)
    for call in sorted(unknown):
        print(f"{call} is not in the table of errors", file=sys.stderr)
    print(f"{injected} errors injected ({missed} calls did not occur again), {sum(problems.values())} problems")
    for found, count in problems.most_common():
        print(f"{count:>6}  {found}")
    return 1 if problems or unknown else 0


if __name__ == "__main__":
    sys.exit(main())
