"""A case: input files, and commands that run on them. In a folder: the files, and a text `case` beside them.

    # A line about it
    status: 0 65
    same: yes
    $ lm-logits -m model < in
    $ lm-logits -m model --threads 1 < in

`status`: what each command may end with, as with the shell's pipefail (without the line: any documented status). `same`: if the first
command ends with 0, each of the others ends with 0 too and prints the same bytes.
"""
import os
from dataclasses import dataclass, field

import shell


@dataclass
class Case:
    files: dict  # path below the case's folder -> bytes
    commands: list  # each a list of pipelines (stages, source), whose outputs follow each other
    same: bool = False
    about: str = ""
    statuses: list = field(default_factory=list)

    def text(self):
        lines = [f"# {line}" for line in self.about.splitlines()]
        if self.statuses:
            lines.append("status: " + " ".join(map(str, self.statuses)))
        if self.same:
            lines.append("same: yes")
        return "\n".join(lines + ["$ " + shell.line(command) for command in self.commands]) + "\n"

    def store(self, folder):
        for name, content in self.files.items():
            path = os.path.join(folder, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "wb") as file:
                file.write(content)
        with open(os.path.join(folder, "case"), "w", encoding="utf-8") as file:
            file.write(self.text())


def load(folder):
    case = Case({}, [])
    with open(os.path.join(folder, "case"), encoding="utf-8") as file:
        for line in file.read().split("\n"):
            if line.startswith("# "):
                case.about += line[2:] + "\n"
            elif line.startswith("status: "):
                case.statuses = [int(status) for status in line[8:].split()]
            elif line == "same: yes":
                case.same = True
            elif line.startswith("$ "):
                case.commands.append(shell.read(line[2:]))
    for place, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(place, name)
            relative = os.path.relpath(path, folder)
            if relative not in ("case", "repro.sh", "finding"):
                with open(path, "rb") as file:
                    case.files[relative] = file.read()
    return case


def command(*stages, source="in"):
    """One pipeline as a command."""
    return [(list(map(list, stages)), source)]
