"""Minimizes a stored finding, and replays stored cases."""
import copy
import os
import shutil
import stat
import sys

import checks
import formats
import models
import tree
from case import load
from process import Runner, scratch_folder

ROUNDS = 4


def write_script(case, folder):
    """Writes repro.sh, which runs the commands with the tools on the PATH and prints their statuses."""
    path = os.path.join(folder, "repro.sh")
    lines = ["#!/bin/bash", "# Runs the commands with the tools on the PATH, in the folder of this script.", 'cd "$(dirname "$0")"',
             "export HF_HUB_CACHE=/nonexistent"]
    for line in case.text().splitlines():
        if line.startswith("$ "):
            lines.append(line[2:] + "\necho \"status ${PIPESTATUS[*]}\" >&2")
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")
    os.chmod(path, os.stat(path).st_mode | stat.S_IXUSR)


class Minimizer:
    def __init__(self, runner, case, finding):
        self.runner, self.case, self.signature = runner, case, finding.signature
        self.case.same = finding.check == "differs"
        self.tries = 0

    def holds(self, case):
        """Returns whether the case still has the finding."""
        self.tries += 1
        try:
            found, _ = checks.run_case(self.runner, case)
        except FileNotFoundError:  # the input was removed
            return False
        finally:
            self.runner.renew(case.files)
        return any(finding.signature == self.signature for finding in found)

    def attempt(self, case):
        if not self.holds(case):
            return False
        self.case = case
        return True

    def with_file(self, name, content):
        case = copy.copy(self.case)
        case.files = self.case.files | {name: content}
        return case

    def shorten_commands(self):
        """Removes commands, stages and options."""
        least = 2 if self.case.same else 1
        index = 0
        while index < len(self.case.commands):
            case = copy.deepcopy(self.case)
            del case.commands[index]
            if len(case.commands) < least or not self.attempt(case):
                index += 1
        for number, command in enumerate(self.case.commands):
            for place in range(len(command)):
                self._shorten_pipeline(number, place)

    def _shorten_pipeline(self, number, place):
        stage = 0
        while stage < len(self.case.commands[number][place][0]):
            case = copy.deepcopy(self.case)
            if len(case.commands[number][place][0]) > 1:
                del case.commands[number][place][0][stage]
                if self.attempt(case):
                    continue
            word = 1
            while word < len(self.case.commands[number][place][0][stage]):
                for count in (2, 1):
                    case = copy.deepcopy(self.case)
                    words = case.commands[number][place][0][stage]
                    if "-m" in words[word - 1:word + count]:
                        continue
                    del words[word:word + count]
                    if self.attempt(case):
                        break
                else:
                    word += 1
            stage += 1

    def shorten_files(self):
        for name in sorted(self.case.files):
            case = copy.copy(self.case)
            case.files = {other: content for other, content in self.case.files.items() if other != name}
            if self.attempt(case):
                continue
            for start in models.FOLDERS:
                if name in start and self.case.files[name] != start[name] and self.attempt(self.with_file(name, start[name])):
                    break
            content = self.case.files[name]
            if any(content == start.get(name) for start in models.FOLDERS):
                continue
            if name.endswith(".gguf"):
                self.shorten_gguf(name)
            elif name.endswith(".safetensors"):
                self.shorten_safetensors(name)
            elif name.endswith(".json"):
                self.shorten_json(name)
            else:
                self.shorten_chunks(name, b"\n")
                self.shorten_json_lines(name)
                self.shorten_chunks(name, None)

    def shorten_chunks(self, name, separator):
        """Removes lines or bytes: halves, quarters, and so on."""
        def parts():
            content = self.case.files[name]
            return content.splitlines(True) if separator else [content[index:index + 1] for index in range(len(content))]

        size = max(1, len(parts()) // 2)
        while size:
            start = 0
            while start < len(parts()):
                rest = parts()
                del rest[start:start + size]
                if not self.attempt(self.with_file(name, b"".join(rest))):
                    start += size
                if self.tries > 4000:
                    return
            size //= 2

    def shorten_json(self, name, encode=None, root=None, base=None):
        """Removes members and elements, and replaces values by simpler ones."""
        encode = encode or tree.encode
        if root is None:
            try:
                root = tree.parse(self.case.files[name])
            except (ValueError, RecursionError):
                return self.shorten_chunks(name, None)
        if not isinstance(root, list):
            return None
        for _ in range(ROUNDS):
            before = self.case.files[name]
            for container, index in reversed(tree.places(root)):
                if index >= len(container):
                    continue
                old = container.pop(index)
                if not self.attempt(self.with_file(name, encode(root))):
                    container.insert(index, old)
            for place in tree.places(root):
                old = tree.value_at(place)
                for simpler in (0, "", []):
                    if old == simpler or isinstance(old, (int, type(None))):
                        break
                    tree.set_value(place, simpler)
                    if self.attempt(self.with_file(name, encode(root))):
                        break
                    tree.set_value(place, old)
            if self.case.files[name] == before:
                break
        return None

    def shorten_json_lines(self, name):
        lines = self.case.files[name].split(b"\n")
        for index, line in enumerate(lines):
            try:
                root = tree.parse(line)
            except (ValueError, RecursionError):
                continue

            def encode(root):
                return b"\n".join(lines[:index] + [tree.encode(root)] + lines[index + 1:])
            self.shorten_json(name, encode, root)
            lines = self.case.files[name].split(b"\n")

    def shorten_safetensors(self, name):
        content = self.case.files[name]
        length = int.from_bytes(content[:8], "little")
        try:
            header = tree.parse(content[8:8 + length])
        except (ValueError, RecursionError):
            return self.shorten_chunks(name, None) if len(content) < 2000 else None
        data = content[8 + length:]
        # set the numbers of one tensor at a time to zero
        for member in header:
            offsets = isinstance(member[1], tree.Members) and member[1].get("data_offsets")
            if offsets and len(offsets) == 2 and all(str(offset).isdigit() for offset in offsets):
                first, last = map(int, offsets)
                zeros = data[:first] + b"\0" * len(data[first:last]) + data[last:]
                if self.attempt(self.with_file(name, content[:8 + length] + zeros)):
                    data, content = zeros, content[:8 + length] + zeros
        return self.shorten_json(name, lambda root: formats.safetensors(tree.encode(root), data), header)

    def shorten_gguf(self, name):
        try:
            file = formats.read_gguf(self.case.files[name])
        except Exception:  # not a valid file: only bytes can be removed
            return self.shorten_chunks(name, None) if len(self.case.files[name]) < 4000 else None
        if not self.attempt(self.with_file(name, file.encode())):
            return None
        for entries in (file.values, file.tensors):
            index = 0
            while index < len(entries):
                old = entries.pop(index)
                if not self.attempt(self.with_file(name, file.encode())):
                    entries.insert(index, old)
                    index += 1
        for tensor in file.tensors:
            old = tensor.data
            tensor.data = b"\0" * len(old)
            if not self.attempt(self.with_file(name, file.encode())):
                tensor.data = old
        return None


def main(tools, folder):
    folder = os.path.abspath(folder)
    case = load(folder)
    with open(os.path.join(folder, "finding"), encoding="utf-8") as file:
        finding = checks.Finding(*file.read().rstrip("\n").split("\n", 2))
    scratch = scratch_folder()
    try:
        minimizer = Minimizer(Runner(tools, scratch), case, finding)
        if not minimizer.holds(case):
            print(f"not reproduced: {finding.signature}", file=sys.stderr)
            return 1
        before = sum(map(len, case.files.values()))
        for _ in range(2):
            minimizer.shorten_commands()
            minimizer.shorten_files()
        case = minimizer.case
        for name in os.listdir(folder):
            path = os.path.join(folder, name)
            shutil.rmtree(path) if os.path.isdir(path) else os.unlink(path)
        case.store(folder)
        with open(os.path.join(folder, "finding"), "w", encoding="utf-8") as file:
            file.write(finding.text())
        write_script(case, folder)
        print(f"{before} -> {sum(map(len, case.files.values()))} bytes, {minimizer.tries} tries\n{case.text()}", end="")
    finally:
        os.chdir("/")
        shutil.rmtree(scratch, ignore_errors=True)
    return 0


def replay(tools, folders):
    """Replays stored cases. Returns 1 if one has a finding, else 0."""
    scratch = scratch_folder()
    failed = 0
    try:
        folders = [os.path.abspath(folder) for folder in folders]
        runner = Runner(tools, scratch)
        for folder in folders:
            case = load(folder)
            found, _ = checks.run_case(runner, case)
            runner.renew(case.files)
            for finding in found:
                print(f"{folder}: {finding.check}: {finding.program}: {finding.detail}")
            failed += bool(found)
        print(f"{len(folders)} cases, {failed} with findings")
    finally:
        os.chdir("/")
        shutil.rmtree(scratch, ignore_errors=True)
    return 1 if failed else 0
