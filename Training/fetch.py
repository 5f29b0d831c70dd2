#!/usr/bin/env python3
"""Fetches the Debian packages that carry the texts, and unpacks them.

usage: fetch.py WORK_DIR     leaves WORK_DIR/packages/NAME/files/... and the versions in WORK_DIR/fetched.tsv
"""
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote

LIST = Path(__file__).with_name("packages.txt")


def download(name: str, version: str, into: Path) -> None:
    for wanted in (f"{name}={version}", name):
        if subprocess.run(["apt-get", "-q", "download", wanted], cwd=into, capture_output=True).returncode == 0:
            return
    sys.exit(f"fetch.py: {name}: apt-get cannot download it: run 'apt-get update' and try again")


def main() -> None:
    work = Path(sys.argv[1])
    versions = []
    for line in LIST.read_text().splitlines():
        if line.startswith("#"):
            continue
        name, version = line.split()
        home = work / "packages" / name
        if not (home / "files").exists():
            shutil.rmtree(home, ignore_errors=True)
            home.mkdir(parents=True)
            download(name, version, home)
            archive = next(home.glob("*.deb"))
            subprocess.run(["dpkg-deb", "-x", archive, home / "unpacking"], check=True)
            # The last name comes last, so that an interrupted run fetches again.
            (home / "unpacking").rename(home / "files")
        archive = next(home.glob("*.deb"))
        got = unquote(archive.name).split("_")[1]
        if got != version:
            print(f"fetch.py: {name}: version {got} in place of {version}", file=sys.stderr)
        versions.append(f"{name}\t{got}\n")
    (work / "fetched.tsv").write_text("".join(versions))
    print("".join(versions), end="")


if __name__ == "__main__":
    main()
