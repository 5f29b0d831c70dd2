#!/usr/bin/env python3
"""Downloads and unpacks the packages with the texts and the teacher.

usage: fetch.py WORK_DIR     writes WORK_DIR/packages/NAME/files/..., and the versions to WORK_DIR/fetched.tsv
"""
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote

LIST = Path(__file__).with_name("packages.txt")
PIP = [sys.executable, "-m", "pip", "-q", "--disable-pip-version-check", "download", "--no-deps"]


class Archive:
    """Commands and file names of a kind of package."""

    def __init__(self, suffix: str, joint: str, exact: str, fetch: list[str], unpack: list[str], hint: str):
        self.suffix, self.joint, self.exact = suffix, joint, exact
        self.fetch, self.unpack, self.hint = fetch, unpack, hint

    def download(self, name: str, version: str, into: Path) -> None:
        for wanted in (name + self.exact + version, name):
            if subprocess.run(self.fetch + [wanted], cwd=into, capture_output=True).returncode == 0:
                return
        sys.exit(f"fetch.py: {name}: cannot be downloaded{self.hint}")

    def unpack_into(self, archive: Path, folder: Path) -> None:
        subprocess.run(self.unpack + [archive, folder], check=True)

    def file(self, home: Path) -> Path:
        return next(home.glob(f"*{self.suffix}"))

    def version(self, home: Path) -> str:
        """Files are named NAME_VERSION_ARCHITECTURE.deb and NAME-VERSION-TAGS.whl."""
        return unquote(self.file(home).name).split(self.joint)[1]


ARCHIVES = {
    "debian": Archive(".deb", "_", "=", ["apt-get", "-q", "download"], ["dpkg-deb", "-x"],
                      ": run 'apt-get update' and try again"),
    "pypi": Archive(".whl", "-", "==", PIP, [sys.executable, "-m", "zipfile", "-e"], ""),
}


def main() -> None:
    work = Path(sys.argv[1])
    versions = []
    for line in LIST.read_text().splitlines():
        if line.startswith("#"):
            continue
        kind, name, version = line.split()
        archive, home = ARCHIVES[kind], work / "packages" / name
        if not (home / "files").exists():
            shutil.rmtree(home, ignore_errors=True)
            home.mkdir(parents=True)
            archive.download(name, version, home)
            archive.unpack_into(archive.file(home), home / "unpacking")
            # Renamed last, so that an interrupted run downloads the package again.
            (home / "unpacking").rename(home / "files")
        got = archive.version(home)
        if got != version:
            print(f"fetch.py: {name}: version {got} instead of {version}", file=sys.stderr)
        versions.append(f"{name}\t{got}\n")
    (work / "fetched.tsv").write_text("".join(versions))
    print("".join(versions), end="")


if __name__ == "__main__":
    main()
