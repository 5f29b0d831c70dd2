"""A case: input files, and commands that run on them. Stored as a folder with the files and a text file `case`:

    # A description
    status: 0 65
    same: yes
    $ lm-logits -m model < in
    $ lm-logits -m model --threads 1 < in

`status`: the allowed exit statuses of each command, with the shell's pipefail (default: any documented status). `same`: if
the first command exits with 0, all other commands exit with 0 and print the same bytes.
"""
import os
from dataclasses import dataclass, field

import shell


@dataclass
class Case:
    files: dict  # path in the case's folder -> bytes
    commands: list  # each a list of pipelines (stages, source), whose outputs are concatenated
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
        write_files(folder, self.files | {"case": self.text().encode()})


def write_files(folder, files):
    """Writes files (path in the folder -> bytes), and the folders that they need."""
    for name, content in files.items():
        path = os.path.join(folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(content)


def load(folder):
    """Returns the case that is stored in a folder."""
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
    """Returns a command of one pipeline."""
    return [(list(map(list, stages)), source)]
