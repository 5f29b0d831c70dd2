#!/usr/bin/env python3
"""Tests completions in bash, zsh and fish: types commands into each shell in a terminal (tmux) and reads the screen.

    check.py [PREFIX [SHELL...]]

PREFIX is where `make install` put the tools; without it they are installed into a temporary folder. A shell that is not
installed is reported and skipped. Nothing is timed: each case waits for the expected screen, and fails after PATIENCE
seconds.
"""

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import time

PATIENCE = float(os.environ.get("PATIENCE", 20))
PROMPT = "ready>"

# The text before Tab, and the resulting command line: a string, or a dictionary from shells to strings ("" for the other
# shells). zsh appends "=" to an option that requires a value.
BECOMES = [
    ("lm-step --temp", {"zsh": "lm-step --temperature=", "": "lm-step --temperature"}),
    ("lm-step --rep", {"zsh": "lm-step --repetition-penalty=", "": "lm-step --repetition-penalty"}),
    ("lm-logits --ba", "lm-logits --base64"),
    ("bpe-encode --col", "bpe-encode --colour"),
    ("bpe-decode --fol", "bpe-decode --follow"),
    ("lm-info --js", "lm-info --json"),
    ("bpe-encode story.txt | lm-topk --tab", "bpe-encode story.txt | lm-topk --table"),
    # Values
    ("lm-step -k 4", "lm-step -k 40"),
    ("lm-step -k4", "lm-step -k40"),
    ("lm-step --repetition-penalty=1.2", "lm-step --repetition-penalty=1.2"),
    ("lm-step --cache sta", "lm-step --cache state.jsonl"),
    ("lm-step --cache=sta", "lm-step --cache=state.jsonl"),
    # Models
    ("lm-logits -m open", "lm-logits -m openai-community/gpt2"),
    ("lm-logits --model=open", "lm-logits --model=openai-community/gpt2"),
    ("lm-logits -mopen", "lm-logits -mopenai-community/gpt2"),
    ("lm-logits -m openai-community/g", "lm-logits -m openai-community/gpt2"),
    ("lm-logits -m wr", "lm-logits -m wren"),
    ("lm-logits -m sma", "lm-logits -m small.gguf"),
    ("lm-logits --model=sma", "lm-logits --model=small.gguf"),
    ("lm-logits -m tex", "lm-logits -m texts/"),
    ("lm-logits -m texts/in", "lm-logits -m texts/inner/"),
    ("lm-logits -m ~/mo", "lm-logits -m ~/models/"),
    ("lm-logits -m my", "lm-logits -m my\\ model/"),
    ("lm-info wr", "lm-info wren"),
    # Operands
    ("bpe-encode te", "bpe-encode texts/"),
    ("bpe-encode story\\ ", "bpe-encode story\\ two.txt"),
    ("bpe-encode -- --o", "bpe-encode -- --odd.txt"),
    ("lm-step < sta", "lm-step < state.jsonl"),
    ("lm-step -n 10 > sta", "lm-step -n 10 > state.jsonl"),
]

# The text before Tab, words that must be offered, and words that must not be offered.
OFFERS = [
    ("bpe-encode --", ["--add-prefix-space", "--table", "--max-length"], ["--temperature", "--top-k"]),
    ("lm-topk --k", ["--keep-logits", "--keep-going"], ["--table"]),
    ("lm-step --temperature ", ["0.6", "0.8"], ["story.txt"]),
    ("lm-step --temperature=", ["0.6", "0.8"], ["story.txt"]),
    ("lm-logits --model ", ["wren", "gpt2", "HuggingFaceTB/SmolLM2-135M", "small.gguf", "texts/"], ["story.txt"]),
    ("lm-logits --model=", ["wren", "gpt2", "small.gguf", "texts/"], ["--model=--model=small.gguf", "story.txt"]),
    ("bpe-encode sto", ["story.txt", "two.txt"], ["texts", "state.jsonl"]),
]

# Text that Tab must not change.
NOTHING = ["lm-step --stop sto", "lm-topk --zz", "lm-pull sto", "lm-step --seed 4", "bpe-encode --tokens=s"]

START = {
    "bash": """
PS1='{prompt} '
bind 'set enable-bracketed-paste off'
bind 'set show-all-if-ambiguous on'
bind 'set bell-style none'
bind 'set page-completions off'
if [ -r /usr/share/bash-completion/bash_completion ]; then
  . /usr/share/bash-completion/bash_completion
else
  for file in {prefix}/share/bash-completion/completions/*; do . "$file"; done
fi
""",
    "zsh": """
PS1='{prompt} '
unsetopt beep list_ambiguous
fpath=({prefix}/share/zsh/site-functions $fpath)
autoload -Uz compinit
compinit -u -D
LISTMAX=1000
""",
    "fish": """
function fish_prompt; printf '{prompt} '; end
function fish_greeting; end
set -g fish_autosuggestion_enabled 0
""",
}
COMMAND = {
    "bash": ["bash", "--noprofile", "--rcfile", "{start}", "-i"],
    "zsh": ["zsh", "-d", "-i"],  # reads $ZDOTDIR/.zshrc
    "fish": ["fish", "--init-command", "source {start}"],
}


class Terminal:
    """A shell in a new tmux server."""

    def __init__(self, work, command, environment):
        self.socket = os.path.join(work, "tmux")
        words = ["env", "-i", *(f"{name}={value}" for name, value in environment.items()), *command]
        self.tmux("-f", "/dev/null", "new-session", "-d", "-x", "170", "-y", "50", "-c", environment["PWD"],
                  shlex.join(words))
        self.tmux("set-option", "-g", "remain-on-exit", "on")

    def tmux(self, *words):
        return subprocess.run(["tmux", "-S", self.socket, *words], check=True, capture_output=True, text=True).stdout

    def type(self, text):
        self.tmux("send-keys", "-l", "--", text)

    def press(self, *keys):
        self.tmux("send-keys", *keys)

    def screen(self):
        return [line.rstrip() for line in self.tmux("capture-pane", "-p").rstrip().split("\n")]

    def wait(self, is_expected, patience=PATIENCE):
        """Returns the screen and True when `is_expected` accepts two in a row, or the screen and False after `patience`."""
        end = time.monotonic() + patience
        before = None
        while True:
            screen = self.screen()
            if is_expected(screen) and screen == before:
                return screen, True
            if time.monotonic() > end:
                return screen, False
            before = screen if is_expected(screen) else None
            time.sleep(0.05)

    def clear(self):
        """Clears the command line and the screen."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            self.press("C-c")
            self.wait(lambda screen: screen[-1] == PROMPT, 1)
            self.press("C-l")
            if self.wait(lambda screen: screen == [PROMPT], 1)[1]:
                return
        raise SystemExit("the shell does not return to its prompt:\n" + "\n".join(self.screen()))

    def close(self):
        self.tmux("kill-server")


def words_of(screen):
    """Returns the words below the command line. fish prints values after their option, truncated on the left."""
    words = [word for line in screen[1:] for word in line.replace("\\ ", " ").split()]
    return {*words, *(word.split("=")[-1] for word in words)}


def check(shell, terminal):
    """Tests all cases and returns the number of failures."""
    failures = 0
    terminal.wait(lambda screen: screen[-1] == PROMPT)  # before the prompt, Ctrl-C would interrupt the shell's start files

    def case(typed, expected, is_expected, suffix=""):
        nonlocal failures
        terminal.clear()
        terminal.type(typed)
        terminal.wait(lambda screen: screen[0] == f"{PROMPT} {typed}".rstrip())
        terminal.press("Tab")
        if suffix:
            terminal.type(suffix)
        screen, found = terminal.wait(is_expected)
        if not found:
            failures += 1
            print(f"{shell}: {typed!r} and Tab: expected {expected}, but the screen is\n  " + "\n  ".join(screen))

    def line(text):
        return lambda screen: screen[0] == f"{PROMPT} {text}"

    for typed, becomes in BECOMES:
        expected = becomes if isinstance(becomes, str) else becomes.get(shell, becomes[""])
        case(typed, expected, line(expected))
    for typed, present, absent in OFFERS:
        def offers(screen):
            words = words_of(screen)
            return all(word in words for word in present) and not any(word in words for word in absent)
        case(typed, f"{present} without {absent}", offers)
    for typed in NOTHING:
        case(typed, "nothing", line(typed + "!"), suffix="!")
    return failures


def make_folders(work, prefix):
    """Creates a home folder, a hub cache and a working folder, and returns an environment that refers to them."""
    here = os.path.join(work, "here")
    for folder in ["texts/inner", "my model"]:
        os.makedirs(os.path.join(here, folder))
    for name in ["story.txt", "story two.txt", "--odd.txt", "state.jsonl", "small.gguf"]:
        open(os.path.join(here, name), "w").close()
    os.makedirs(os.path.join(work, "home", "models"))
    for model in ["openai-community--gpt2", "HuggingFaceTB--SmolLM2-135M"]:
        folder = os.path.join(work, "hub", "models--" + model)
        os.makedirs(os.path.join(folder, "refs"))
        os.makedirs(os.path.join(folder, "snapshots", "c0ffee"))
        with open(os.path.join(folder, "refs", "main"), "w") as file:
            file.write("c0ffee")
        with open(os.path.join(folder, "snapshots", "c0ffee", "config.json"), "w") as file:
            file.write("{}")
        open(os.path.join(folder, "snapshots", "c0ffee", "model.safetensors"), "w").close()
    return {
        "HOME": os.path.join(work, "home"), "PWD": here, "TERM": "screen-256color", "LC_ALL": "C.UTF-8",
        "PATH": f"{prefix}/bin:/usr/local/bin:/usr/bin:/bin", "HF_HUB_CACHE": os.path.join(work, "hub"),
        "XDG_DATA_DIRS": f"{prefix}/share:/usr/local/share:/usr/share", "ZDOTDIR": os.path.join(work, "home"),
    }


def main():
    if not shutil.which("tmux"):
        print("SKIPPED: tmux is not installed")
        return 0
    if len(sys.argv) > 1:
        return check_all(os.path.abspath(sys.argv[1]), sys.argv[2:] or list(START))
    with tempfile.TemporaryDirectory() as prefix:
        checkout = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../..")
        subprocess.run(["make", "-s", "-C", checkout, "install", f"PREFIX={prefix}"], check=True, stdout=subprocess.DEVNULL)
        return check_all(prefix, list(START))


def check_all(prefix, shells):
    failures = 0
    for shell in shells:
        if not shutil.which(shell):
            print(f"{shell}: SKIPPED: it is not installed")
            continue
        # fish may still write completions that it generates in the background.
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as work:
            environment = make_folders(work, prefix)
            start = os.path.join(environment["HOME"], ".zshrc" if shell == "zsh" else "start")
            with open(start, "w") as file:
                file.write(START[shell].replace("{prompt}", PROMPT).replace("{prefix}", shlex.quote(prefix)))
            terminal = Terminal(work, [word.replace("{start}", start) for word in COMMAND[shell]], environment)
            try:
                failed = check(shell, terminal)
            finally:
                terminal.close()
        print(f"{shell}: {len(BECOMES) + len(OFFERS) + len(NOTHING)} cases, {failed} failed")
        failures += failed
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
