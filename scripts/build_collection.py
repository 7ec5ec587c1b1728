# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Builds the tarball of the collection, and holds its content against what git has.

``build_ignore`` of ``galaxy.yml`` says what is left out, ``SHIPPED`` here what is in: a new file at the top of the
repository has to be in one of them.

Exit status: 0 the tarball is built; 1 it has what it must not, or lacks something, which is said.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tarfile
from collections.abc import Iterator, Sequence, Set
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parent.parent
#: What ships, by its first part.
SHIPPED = frozenset(
    {
        "CHANGELOG.md",
        "CONTRIBUTING.md",
        "LICENSE",
        "README.md",
        "TESTING.md",
        "bindep.txt",
        "changelogs",
        "docs",
        "examples",
        "meta",
        "playbooks",
        "plugins",
        "requirements.txt",
        "roles",
    }
)
#: What Galaxy writes itself.
WRITTEN = frozenset({"FILES.json", "MANIFEST.json"})


def main(arguments: Sequence[str] | None = None) -> int:
    """Build the tarball and say where it is, or what is wrong with it."""
    parser = argparse.ArgumentParser(description="Build the tarball of the collection and check what is in it.")
    parser.add_argument("--to", type=Path, default=ROOT / "build", help="the folder for it, build/ if not given")
    tarball = built(parser.parse_args(arguments).to)
    content = content_of(tarball)
    wrong = list(objections(content, versioned()))
    for line in wrong:
        print(f"{tarball.name}: {line}", file=sys.stderr)  # noqa: T201 - this is a command
    if not wrong:
        print(f"{tarball}: {len(content)} files, {tarball.stat().st_size // 1024} KiB")  # noqa: T201
    return int(bool(wrong))


def metadata() -> dict[str, Any]:
    """Return what ``galaxy.yml`` says of the collection."""
    document: dict[str, Any] = yaml.safe_load((ROOT / "galaxy.yml").read_text("utf-8"))
    return document


def built(folder: Path) -> Path:
    """Build the tarball into a folder and return its path."""
    program = Path(sys.executable).with_name("ansible-galaxy")
    command: list[str | Path] = [program, "collection", "build", "--force", "--output-path", folder, ROOT]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    own = metadata()
    return folder / f"{own['namespace']}-{own['name']}-{own['version']}.tar.gz"


def content_of(tarball: Path) -> set[str]:
    """Return the paths of all files of a tarball."""
    with tarfile.open(tarball) as archive:
        return {member.name for member in archive if not member.isdir()}


def versioned() -> set[str]:
    """Return the files that git has or would take, as far as they stand."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, check=True, cwd=ROOT, capture_output=True, text=True).stdout
    return {name for name in listed.split("\0") if name and (ROOT / name).exists()}


def objections(content: Set[str], known: Set[str]) -> Iterator[str]:
    """Yield what is wrong with a tarball's content, given the files that git knows."""
    shipped = {name for name in known if name.partition("/")[0] in SHIPPED}
    for name in sorted(content - shipped - WRITTEN):
        reason = "does not ship: add it to build_ignore of galaxy.yml, or to SHIPPED of scripts/build_collection.py"
        yield f"{name} {reason if name in known else 'is in no commit: remove it, or add it to .gitignore'}."
    for name in sorted((shipped | WRITTEN) - content):
        yield f"{name} is missing: build_ignore of galaxy.yml leaves it out."


if __name__ == "__main__":
    sys.exit(main())
