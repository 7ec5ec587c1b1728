# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs actionlint over the workflows, at one version: taken from PATH if it is that one, else built by Go, once.

Exit status: that of actionlint; 3 if it cannot be had here, because there is no Go.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parent.parent
VERSION = "1.7.12"
MODULE = f"github.com/rhysd/actionlint/cmd/actionlint@v{VERSION}"
UNOBTAINABLE = 3


class Unobtainable(Exception):
    """It cannot be had on this machine; the message says why, and what would help."""


def place() -> Path:
    """Return where it is kept, for all checkouts of an account."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "pipeops" / f"actionlint-{VERSION}" / "actionlint"


def program() -> Path:
    """Return the program, after building it if need be.

    Raises:
        Unobtainable: if there is no way to get it here.
    """
    installed = shutil.which("actionlint")
    if installed and _version(installed) == VERSION:
        return Path(installed)
    if not place().exists():
        _build()
    return place()


def _version(path: str) -> str:
    done = subprocess.run([path, "-version"], check=False, capture_output=True, text=True)
    return done.stdout.split("\n", 1)[0].removeprefix("v")


def _build() -> None:
    go = shutil.which("go")
    if go is None:
        raise Unobtainable(
            f"actionlint {VERSION} is not installed, and there is no Go to build it with: install either"
        )
    place().parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=place().parent) as scratch:
        variables = {**os.environ, "GOBIN": scratch, "GOFLAGS": "", "CGO_ENABLED": "0"}
        done = subprocess.run(
            [go, "install", MODULE], cwd=scratch, env=variables, check=False, capture_output=True, text=True
        )
        if done.returncode:
            raise Unobtainable(f"go install {MODULE} failed: {done.stderr.strip()[-500:]}")
        # In one step, so that others who build it now never see half of it.
        (Path(scratch) / "actionlint").replace(place())


def main(arguments: Sequence[str]) -> int:
    """Check the workflows, or the files that are named."""
    try:
        # Without shellcheck and pyflakes, it says the same on every machine.
        command = [str(program()), "-shellcheck=", "-pyflakes=", *arguments]
    except Unobtainable as error:
        sys.stderr.write(f"workflows are not checked by actionlint: {error}\n")
        return UNOBTAINABLE
    return subprocess.run(command, cwd=ROOT, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
