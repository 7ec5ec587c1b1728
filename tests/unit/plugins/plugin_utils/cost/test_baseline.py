# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a run is compared with: reports, folders, commits."""

from __future__ import annotations

import json
import shutil
import subprocess
from decimal import Decimal
from pathlib import Path

import pytest
from ansible_collections.pipeops.platform.plugins.module_utils.cost.lines import NAT
from ansible_collections.pipeops.platform.plugins.module_utils.cost.money import CostError
from ansible_collections.pipeops.platform.plugins.plugin_utils.cost import baseline as module
from ansible_collections.pipeops.platform.plugins.plugin_utils.cost.baseline import Run, baseline

from tests.inventories import ROOT
from tests.unit.plugins.module_utils.cost.shipped import CARRIED, estimated

from .reports import report


def run_of(folder: Path, *names: str) -> Run:
    return Run([folder / "inventories" / name for name in names], CARRIED)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository whose only commit has dev as it is shipped; its working tree has more nodes and staging."""
    shutil.copytree(ROOT / "inventories" / "dev", tmp_path / "inventories" / "dev")
    git = ["git", "-C", str(tmp_path), "-c", "user.name=x", "-c", "user.email=x@example.com"]
    for command in (["init", "--quiet"], ["add", "--all"], ["commit", "--quiet", "-m", "First"]):
        subprocess.run([*git, *command], check=True)
    shutil.copytree(ROOT / "inventories" / "staging", tmp_path / "inventories" / "staging")
    nodes = tmp_path / "inventories" / "dev" / "host_vars" / "dev" / "eks.yml"
    nodes.write_text(nodes.read_text("utf-8").replace("maximum: 4", "maximum: 9"), "utf-8")
    return tmp_path


def test_an_earlier_report(tmp_path: Path) -> None:
    path = tmp_path / "cost.json"
    path.write_text(json.dumps(report(estimated("dev")).as_dict()), "utf-8")
    assert baseline(str(path), run_of(tmp_path, "dev")) == [estimated("dev")]


def test_a_commit_has_what_was_committed_and_nothing_else(repository: Path) -> None:
    (found,) = baseline("HEAD", run_of(repository, "dev", "staging"))
    assert found == estimated("dev")


def test_a_folder_with_inventories_of_the_same_names(repository: Path, tmp_path: Path) -> None:
    (found,) = baseline(str(repository / "inventories"), run_of(tmp_path / "elsewhere", "dev"))
    assert found.total("maximum") > Decimal("414.42")


def test_the_collections_own_commit_brings_its_own_defaults() -> None:
    found = baseline("HEAD", run_of(ROOT, "dev", "staging", "prod", "dr"))
    assert [one.environment for one in found] == ["dev", "staging", "prod", "dr"]
    assert all(one.total("desired") > 200 for one in found)


def test_a_commit_has_the_defaults_of_its_own_roles(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a checkout, the collection leads to its roles by a link."""
    shutil.copytree(ROOT / "roles", repository / "roles")
    collection = repository / "collections" / "platform"
    collection.mkdir(parents=True)
    (collection / "roles").symlink_to(repository / "roles")
    defaults = repository / "roles" / "vpc" / "defaults" / "main.yml"
    now = defaults.read_text("utf-8")
    defaults.write_text(now.replace("vpc_nat: zonal_single", "vpc_nat: none"), "utf-8")
    git = ["git", "-C", str(repository), "-c", "user.name=x", "-c", "user.email=x@example.com"]
    subprocess.run([*git, "add", "--all"], check=True)
    subprocess.run([*git, "commit", "--quiet", "-m", "Second"], check=True)
    defaults.write_text(now, "utf-8")
    monkeypatch.setattr(module, "COLLECTION", collection)
    (found,) = baseline("HEAD", run_of(repository, "dev"))
    assert found.of(NAT, "desired") == 0


@pytest.mark.parametrize(
    ("base", "reason"),
    [
        ("no-such-commit", "git rev-parse failed"),
        ("--output=x", "git rev-parse failed"),
    ],
)
def test_a_base_that_is_nothing_is_refused(repository: Path, base: str, reason: str) -> None:
    with pytest.raises(CostError, match=reason):
        baseline(base, run_of(repository, "dev"))


def test_a_file_that_is_no_report_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "cost.json"
    for content in ("[]", "{", '{"environments": [{}]}'):
        path.write_text(content, "utf-8")
        with pytest.raises(CostError, match=r"no report of cost|no estimate"):
            baseline(str(path), run_of(tmp_path, "dev"))
