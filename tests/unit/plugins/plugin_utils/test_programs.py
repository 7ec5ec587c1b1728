# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from ansible_collections.pipeops.platform.plugins.plugin_utils.programs import find


def program(folder: Path, name: str = "tool") -> str:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text("#!/bin/sh\n", "utf-8")
    path.chmod(0o755)
    return str(path)


def test_the_path_comes_first_and_then_what_stands_beside_the_interpreter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "venv" / "python"))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    assert find("tool") is None
    beside = program(tmp_path / "venv")
    assert find("tool") == beside
    first = program(tmp_path / "bin")
    assert find("tool") == first


def test_a_path_is_taken_as_it_is(tmp_path: Path) -> None:
    own = program(tmp_path / "own", "helm-3")
    assert find(own) == own
    assert find(str(tmp_path / "nothing")) is None
