"""Invariants of every run, for any input."""
import json
import re
import signal
from dataclasses import dataclass

STATUSES = {0, 64, 65, 66, 69, 71, 74}  # and 1 with --exit-status; 70 is an error in the program
TOOLS = {"bpe-encode", "bpe-decode", "lm-logits", "lm-topk", "lm-step", "lm-score", "lm-info"}
MESSAGE_LIMIT = 4096
SLOW_SECONDS = 5
MEMORY_CONSTANT = 50 << 20
MEMORY_FACTOR = 20  # of the size of all input files: records are stored as lines and as numbers
# C0 and C1 controls, DEL
CONTROLS = re.compile(rb"[\x00-\x09\x0b-\x1f\x7f]|\xc2[\x80-\x9f]")
# characters that change the direction of text in a terminal, and Unicode's line and paragraph separators
UNSEEN = re.compile("[\u202a-\u202e\u2066-\u2069\u2028\u2029]")


@dataclass
class Finding:
    check: str  # the violated invariant
    program: str
    detail: str

    @property
    def signature(self):
        """Equal for findings that probably have the same cause."""
        return f"{self.check}: {self.program}: {re.sub(r'[0-9]+', 'N', self.detail)[:60]}"

    def text(self):
        return f"{self.check}\n{self.program}\n{self.detail}\n"


def _long_or_short(words, *names):
    """Returns whether the words may contain an option, abbreviated or among other short ones. (It may also be a value.)"""
    for word in words[1:]:
        for name in names:
            if name.startswith("--"):
                if len(word) > 2 and name.startswith(word.partition("=")[0]):
                    return True
            elif word.startswith("-") and not word.startswith("--") and name[1] in word:
                return True
    return False


def writes_records(words):
    """Returns whether the tool prints lines of JSON only."""
    tool = words[0]
    if _long_or_short(words, "-h", "--help", "-V", "--version"):
        return False
    if tool in ("lm-logits", "lm-step"):
        return True
    if tool == "lm-topk":
        return not _long_or_short(words, "-t", "--table", "--tsv", "--grid")
    if tool == "lm-score":
        return not _long_or_short(words, "-t", "--table", "--tsv", "--csv", "--colour", "--color", "--html")
    if tool == "bpe-encode":
        return not _long_or_short(words, "-t", "--table", "--colour", "--color")
    return _long_or_short(words, "-j", "--json") and not _long_or_short(words, "-l", "--list") and tool in ("lm-info", "bpe-decode")


def _refuse(word):
    raise ValueError(f"{word} is not JSON")


_decoder = json.JSONDecoder(parse_int=len, parse_float=len, parse_constant=_refuse)


def json_problem(line):
    """Returns what is wrong with a line of JSON, or None."""
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError as error:
        return f"not UTF-8: {error.reason}"
    if text.endswith("\r"):
        text = text[:-1]  # a record may end with CR LF, which is passed on
    try:
        if not isinstance(_decoder.decode(text), (dict, list)):
            return "not an object"
    except RecursionError:
        return None  # nested too deeply for Python
    except ValueError as error:
        return f"not JSON: {error}".split(":")[1].strip()
    return None


def is_fatal(line):
    """Returns whether a line of output is a fatal record."""
    if b'"fatal"' not in line and b"\\u" not in line:  # the name may be written with escapes
        return False
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):  # nested too deeply for Python; invalid JSON is found elsewhere
        return b'"fatal":true' in line
    return isinstance(record, dict) and record.get("fatal") is True


def check(outcome, input_bytes, source):
    """Returns the findings of one pipeline. source: the bytes of standard input and of all other files that can be records."""
    found = []
    was_told = b"fatal" in source or b"\\u" in source  # a stage that passes a failure on may omit the message
    last = outcome.stages[-1]
    for stage in outcome.stages:
        program = stage.arguments[0]
        if program not in TOOLS:
            continue

        def find(check, detail):
            found.append(Finding(check, program, detail))

        errors = stage.errors
        if outcome.is_late:
            if stage.signal == signal.SIGKILL:
                find("hang", "timeout")
            continue
        if stage.signal and not (stage.signal == signal.SIGPIPE and stage is not last):
            find("signal", signal.Signals(stage.signal).name)
            continue
        if stage.status not in STATUSES and not (stage.status == 1 and _long_or_short(stage.arguments, "-e", "--exit-status")):
            find("status", f"{stage.status}: {_beginning(errors)}")
        if stage.status == 71:
            find("memory", f"71: {_beginning(errors)}")
        if stage.status not in (0, 1) and not errors and not (was_told and stage.status == 65):
            find("no message", f"status {stage.status}")
        was_told = was_told or stage.status != 0
        if stage.peak > MEMORY_CONSTANT + MEMORY_FACTOR * input_bytes:
            find("memory", f"{stage.peak >> 20} MB")
        if stage.seconds > SLOW_SECONDS:
            find("slow", "processor time")
        if CONTROLS.search(errors):
            find("control bytes", f"standard error: {_beginning(errors)}")
        text = errors.decode("utf-8", "replace")
        if "\ufffd" in text and not _is_utf8(errors):
            find("control bytes", "standard error is not UTF-8")
        if UNSEEN.search(text):
            find("unseen characters", "standard error")
        if len(errors) > MESSAGE_LIMIT and max(map(len, errors.split(b"\n"))) > MESSAGE_LIMIT:
            find("long message", _beginning(errors))
        if errors and not errors.endswith(b"\n"):
            find("message", "does not end with a newline")
    program = last.arguments[0]
    if program in TOOLS and not last.signal:
        output = outcome.output
        if writes_records(last.arguments) and output:
            lines = output.split(b"\n")
            if lines.pop():
                found.append(Finding("output", program, "does not end with a newline"))
            for line in lines:
                problem = json_problem(line)
                if problem:
                    found.append(Finding("output", program, problem))
                    break
            if len(outcome.stages) == 1 and b"fatal" not in source and b"\\u" not in source and any(map(is_fatal, lines[:-1])):
                found.append(Finding("output", program, "a fatal record that is not the last"))
            if lines and last.status == 0 and is_fatal(lines[-1]):
                found.append(Finding("output", program, "status 0 after a fatal record"))
        if (last.status not in (0, 1, 64) and program in ("bpe-encode", "lm-logits", "lm-topk", "lm-step", "lm-score")
                and writes_records(last.arguments) and not _long_or_short(last.arguments, "--keep-going") and not any(map(is_fatal, output.split(b"\n")))):
            found.append(Finding("no fatal record", program, f"status {last.status}"))
        if not writes_records(last.arguments) and (program == "lm-info" or "--table" in last.arguments) and CONTROLS.search(output):
            found.append(Finding("control bytes", program, "output"))
    return found


def _is_utf8(data):
    try:
        data.decode("utf-8")
        return True
    except UnicodeDecodeError:
        return False


def _beginning(errors):
    """Returns the beginning of a message without quotes from the input."""
    text = errors.split(b"\n")[0].decode("utf-8", "replace")
    text = re.sub(r'"[^"]*"|“[^”]*”', "…", text.partition(": ")[2])
    return text[:70]


def run_case(runner, case):
    """Runs all commands of a case. Returns findings and outcomes."""
    runner.put(case.files)
    size = sum(map(len, case.files.values()))
    records = b"\n".join(content for name, content in case.files.items() if "/" not in name and not name.endswith(".gguf"))
    found, outcomes = [], []
    first = None
    for command in case.commands:
        results = [runner.run(stages, source) for stages, source in command]
        outcomes.append(results)
        for result in results:
            found += check(result, size, records)
        statuses = {result.status for result in results}
        if case.statuses and not statuses <= set(case.statuses):
            found.append(Finding("status", results[-1].stages[-1].arguments[0], f"{sorted(statuses)} instead of {case.statuses}"))
        if not case.same or found:
            continue
        answer = (max(statuses), b"".join(result.output for result in results))
        if first is None:
            first = answer
            if first[0] != 0:
                break
        elif answer != first and not _is_about_another_position(results):
            program = next((s.arguments[0] for s in results[-1].stages if s.arguments[0] in TOOLS), "?")
            kind = f"status {answer[0]}" if answer[0] != first[0] else "output"
            found.append(Finding("differs", program, f"{kind}: {_route(command)}"))
    return found, outcomes


def _is_about_another_position(results):
    """Returns whether `--all` found non-finite logits, which the last position alone may not have."""
    return any("--all" in stage.arguments and b"weights are damaged" in stage.errors for result in results for stage in result.stages)


def _route(command):
    """Returns the options of a route, as its name."""
    words = [word for stages, _ in command for stage in stages for word in stage[1:] if word.startswith("--")]
    return " ".join(sorted(set(words)))[:50] or "-"
