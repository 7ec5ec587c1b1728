# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A sandbox for what is delivered, and the tarball of the collection."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.platform_runs import ROOT, Platform, platform


@pytest.fixture(scope="session")
def _server() -> Iterator[Platform]:
    with platform() as stand:
        yield stand


@pytest.fixture
def empty(_server: Platform) -> Platform:
    """An empty account."""
    _server.begin()
    return _server


@pytest.fixture(scope="session")
def tarball(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tarball, as ``make build`` makes it."""
    folder = tmp_path_factory.mktemp("build")
    command = [sys.executable, "scripts/build_collection.py", "--to", str(folder)]
    done = subprocess.run(command, check=False, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    (found,) = folder.iterdir()
    return found
