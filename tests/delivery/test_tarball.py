# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The collection from its tarball, away from the repository: only the inventories are those that ship here."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.platform_runs import ROOT, Platform

PLAYBOOKS = sorted(path.stem for path in (ROOT / "playbooks").glob("*.yml"))


@dataclass(frozen=True)
class Installation:
    """A folder in which nothing of the repository is found, with the collection installed in it.

    Attributes:
        folder: the working directory; collections are in ``collections``.
        programs: where Ansible's programs are.
    """

    folder: Path
    programs: Path

    def run(self, *command: str, environment: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        """Run a program of this installation, and return what came of it."""
        # Whoever runs the tests may have set where Ansible's settings are.
        kept = {name: value for name, value in (environment or os.environ).items() if not name.startswith("ANSIBLE_")}
        own = {
            "ANSIBLE_COLLECTIONS_PATH": str(self.folder / "collections"),
            "ANSIBLE_NOCOLOR": "1",
            "PATH": f"{self.programs}{os.pathsep}{kept['PATH']}",
        }
        return subprocess.run(
            [str(self.programs / command[0]), *command[1:]],
            check=False,
            cwd=self.folder,
            env={**kept, **own},
            capture_output=True,
            text=True,
        )

    def playbook(
        self, names: list[str], *arguments: str, environment: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run playbooks of the collection by their full names, with the inventory of dev."""
        full = (f"pipeops.platform.{name}" for name in names)
        inventory = f"-i{ROOT / 'inventories' / 'dev'}"
        done = self.run("ansible-playbook", *full, inventory, *arguments, environment=environment)
        assert done.returncode == 0, (done.stdout + done.stderr)[-4000:]
        return done


def installed(folder: Path, programs: Path, tarball: Path) -> Installation:
    made = Installation(folder, programs)
    wanted = ("--no-deps", "--offline", "--collections-path", str(folder / "collections"))
    done = made.run("ansible-galaxy", "collection", "install", str(tarball), *wanted)
    assert done.returncode == 0, done.stdout + done.stderr
    return made


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory, tarball: Path) -> Installation:
    return installed(tmp_path_factory.mktemp("empty"), ROOT / ".venv" / "bin", tarball)


def test_it_is_the_version_that_is_told(installation: Installation) -> None:
    place = installation.folder / "collections" / "ansible_collections" / "pipeops" / "platform"
    told = json.loads((place / "MANIFEST.json").read_text("utf-8"))["collection_info"]
    assert told["version"] == yaml.safe_load((ROOT / "galaxy.yml").read_text("utf-8"))["version"]


def test_the_main_job_reads_by_its_full_name(installation: Installation) -> None:
    installation.playbook(["site"], "--syntax-check")


@pytest.mark.thorough
def test_every_playbook_reads_by_its_full_name(installation: Installation) -> None:
    installation.playbook(PLAYBOOKS, "--syntax-check")


def test_prices_and_pages_are_in_it(installation: Installation) -> None:
    done = installation.playbook(["cost"])
    assert "dev" in done.stdout
    report = json.loads((installation.folder / "build" / "cost" / "cost.json").read_text("utf-8"))
    assert report["monthly"]["desired"] > 0
    assert (installation.folder / "build" / "cost" / "cost.html").exists()


@pytest.mark.thorough
def test_an_environment_of_its_own_is_enough(empty: Platform, tarball: Path, tmp_path: Path) -> None:
    """Nothing but requirements.txt is needed: neither the tools of the tests, nor the repository."""
    uv, python = ROOT / ".venv" / "bin" / "uv", tmp_path / "venv" / "bin" / "python"
    for command in (
        ["venv", "--quiet", str(tmp_path / "venv")],
        ["pip", "install", "--quiet", "--python", str(python), "-r", str(ROOT / "requirements.txt")],
    ):
        subprocess.run([str(uv), *command], check=True)
    made = installed(tmp_path, python.parent, tarball)
    first = counts(made.playbook(["site"], environment=empty.environment()))
    assert first["changed"] > 0
    before = empty.last_call()
    assert counts(made.playbook(["site"], environment=empty.environment()))["changed"] == 0
    assert {call["operation"] for call in empty.calls(since=before) if call["mutating"]} == {"UpdateItem"}
    made.playbook(["outputs"], environment=empty.environment())
    made.playbook(["destroy"], "-econfirm=dev", environment=empty.environment())


def counts(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    """Return the numbers of the recap of a run of dev."""
    (line,) = (line for line in done.stdout.splitlines() if line.startswith("dev ") and "failed=" in line)
    return {name: int(number) for name, _sign, number in (part.partition("=") for part in line.split(":")[1].split())}
