# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is delivered has the versions that are tested, and nothing that is not meant for others."""

from __future__ import annotations

import importlib.util
import re
import sys
from importlib.metadata import version
from pathlib import Path
from types import ModuleType
from typing import Any

import ansible
import pytest
import yaml
from ansible.galaxy.dependency_resolution.versioning import meets_requirements

ROOT = Path(__file__).parents[2]


def load(path: str) -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load((ROOT / path).read_text("utf-8"))
    return document


IMAGE, GALAXY = load("execution-environment.yml"), load("galaxy.yml")
COLLECTIONS = {one["name"]: one for one in IMAGE["dependencies"]["galaxy"]["collections"] if "version" in one}


@pytest.fixture(scope="module")
def builder() -> ModuleType:
    """The script that builds the tarball."""
    spec = importlib.util.spec_from_file_location("build_collection", ROOT / "scripts" / "build_collection.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_the_image_has_the_collections_that_are_tested() -> None:
    bundled = Path(ansible.__file__).parents[1] / "ansible_collections"
    for name, wanted in COLLECTIONS.items():
        manifest = yaml.safe_load((bundled / name.replace(".", "/") / "MANIFEST.json").read_text("utf-8"))
        assert wanted["version"] == manifest["collection_info"]["version"], name


def test_the_image_has_what_the_collection_depends_on() -> None:
    assert COLLECTIONS.keys() == GALAXY["dependencies"].keys()
    for name, wanted in GALAXY["dependencies"].items():
        assert meets_requirements(COLLECTIONS[name]["version"], wanted), name


def test_those_who_install_ansible_core_alone_get_the_same_ranges() -> None:
    listed = {one["name"]: one["version"] for one in load("collections/requirements.yml")["collections"]}
    # Only configure_awx.yml needs it, which works from a checkout alone.
    assert listed.pop("awx.awx")
    assert listed == GALAXY["dependencies"]


@pytest.mark.parametrize(("part", "package"), [("ansible_core", "ansible-core"), ("ansible_runner", "ansible-runner")])
def test_the_image_has_the_programs_that_are_tested(part: str, package: str) -> None:
    assert IMAGE["dependencies"][part]["package_pip"] == f"{package}=={version(package)}"


def test_the_image_has_the_helm_that_is_tested() -> None:
    programs = load("sandbox/pipeops_sandbox/data/kubernetes_programs.yml")
    helm = programs["prebuilt"]["linux-amd64"]["helm"]
    (step,) = IMAGE["additional_build_steps"]["append_final"]
    assert helm["url"] in step
    assert helm["sha256"] in step


def test_the_image_has_the_tarball_of_this_version() -> None:
    name = f"{GALAXY['namespace']}-{GALAXY['name']}-{GALAXY['version']}.tar.gz"
    assert [one["src"] for one in IMAGE["additional_build_files"]] == [f"build/{name}"]
    (tarball,) = (one for one in IMAGE["dependencies"]["galaxy"]["collections"] if "version" not in one)
    assert tarball == {"name": f"/build/collections/{name}", "type": "file"}


def test_the_version_is_semantic() -> None:
    assert re.fullmatch(r"[1-9]\d*\.\d+\.\d+", GALAXY["version"])


COMPLETE = {"FILES.json", "MANIFEST.json", "README.md", "plugins/modules/vpc_network.py"}


@pytest.mark.parametrize(
    ("content", "known", "said"),
    [
        (COMPLETE, COMPLETE | {"tests/unit/test_docs.py", "Makefile"}, []),
        (COMPLETE | {"sandbox/README.md"}, COMPLETE | {"sandbox/README.md"}, ["sandbox/README.md does not ship"]),
        (COMPLETE | {"plugins/notes.txt"}, COMPLETE, ["plugins/notes.txt is in no commit"]),
        (COMPLETE, COMPLETE | {"docs/index.md"}, ["docs/index.md is missing"]),
        (COMPLETE - {"MANIFEST.json"}, COMPLETE, ["MANIFEST.json is missing"]),
    ],
    ids=["complete", "too much", "unknown", "too little", "no manifest"],
)
def test_the_content_of_the_tarball(builder: ModuleType, content: set[str], known: set[str], said: list[str]) -> None:
    found = list(builder.objections(content, known))
    assert len(found) == len(said)
    assert all(line.startswith(start) for line, start in zip(found, said, strict=True))
