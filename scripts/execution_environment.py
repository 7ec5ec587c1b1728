# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Writes what the image of the execution environment is built from, and checks it. No container engine is needed.

The definition is ``execution-environment.yml``; the tarball of the collection has to be built before, which ``make ee``
does.

Exit status: 0 the context is written and complete; 1 something is missing, which is said.
"""

from __future__ import annotations

import argparse
import filecmp
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parent.parent
BUILDER = Path(sys.executable).with_name("ansible-builder")
DEFINITION = ROOT / "execution-environment.yml"
#: How ansible-builder names what it writes.
CONTAINERFILE, GALAXY = "Containerfile", "_build/requirements.yml"
#: What an image has anyway: collections one by one, instead of the package of all.
PROVIDED = frozenset({"ansible", "ansible-core"})


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the context and say where it is, or what is wrong with it."""
    parser = argparse.ArgumentParser(description="Write the build context of the execution environment and check it.")
    parser.add_argument("--to", type=Path, default=ROOT / "build" / "ee", help="its folder, build/ee if not given")
    folder = parser.parse_args(arguments).to
    shutil.rmtree(folder, ignore_errors=True)
    command: list[str | Path] = [BUILDER, "create", "--file", DEFINITION, "--context", folder]
    subprocess.run([*command, "--output-filename", CONTAINERFILE], check=True, stdout=subprocess.DEVNULL)
    wrong = list(objections(folder))
    for line in wrong:
        print(f"{folder}: {line}", file=sys.stderr)  # noqa: T201 - this is a command
    if not wrong:
        print(f"{folder}: complete. To build the image: podman build --tag pipeops-platform-ee {folder}")  # noqa: T201
    return int(bool(wrong))


def definition() -> dict[str, Any]:
    """Return the definition of the image."""
    document: dict[str, Any] = yaml.safe_load(DEFINITION.read_text("utf-8"))
    return document


def objections(folder: Path) -> Iterator[str]:
    """Yield what is missing in a context."""
    wanted = definition()
    text = (folder / CONTAINERFILE).read_text("utf-8")
    named = (wanted["images"]["base_image"]["name"], *(step.strip() for step in _steps(wanted)))
    yield from (f"{CONTAINERFILE} lacks {line!r}." for line in named if line not in text)
    if not re.search(r'^ARG EE_BASE_IMAGE="\S+@sha256:[0-9a-f]{64}"$', text, re.MULTILINE):
        yield "The base image has no digest: another day gives another image."
    collections = yaml.safe_load((folder / GALAXY).read_text("utf-8"))["collections"]
    if collections != wanted["dependencies"]["galaxy"]["collections"]:
        yield f"{GALAXY} has other collections than {DEFINITION.name}."
    for one in wanted["additional_build_files"]:
        tarball = folder / "_build" / one["dest"] / Path(one["src"]).name
        if not tarball.exists() or not filecmp.cmp(ROOT / one["src"], tarball, shallow=False):
            yield f"{one['src']} is not in it. Run make build first; galaxy.yml has the version of the file's name."
            return
        yield from _of_collection(tarball)


def _steps(wanted: dict[str, Any]) -> list[str]:
    return [step for steps in wanted["additional_build_steps"].values() for step in steps]


def _of_collection(tarball: Path) -> Iterator[str]:
    """Yield what ansible-builder would not install, of what the collection needs."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "ansible_collections" / "pipeops" / "platform"
        with tarfile.open(tarball) as archive:
            archive.extractall(place, filter="data")
        command: list[str | Path] = [BUILDER, "introspect", folder]
        told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    found = {kind: [line.partition("  #")[0] for line in lines] for kind, lines in yaml.safe_load(told).items()}
    for kind, name in (("python", "requirements.txt"), ("system", "bindep.txt")):
        wanted = (line for line in (ROOT / name).read_text("utf-8").splitlines() if line and not line.startswith("#"))
        lacking = [line for line in wanted if line not in found[kind] and line.partition("==")[0] not in PROVIDED]
        yield from (f"{name} has {line}, which the image would not." for line in lacking)


if __name__ == "__main__":
    sys.exit(main())
