# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Roles and inventories agree with what they say of themselves."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parent.parent.parent
ROLES = sorted(path.name for path in (ROOT / "roles").iterdir() if path.is_dir())
ENVIRONMENTS = ("dev", "staging", "prod", "dr")


def load(path: Path) -> dict[str, Any]:
    """Return a YAML file, empty if there is none."""
    return (yaml.safe_load(path.read_text("utf-8")) or {}) if path.exists() else {}


def options(role: str) -> dict[str, Any]:
    (entry_point,) = load(ROOT / "roles" / role / "meta" / "argument_specs.yml")["argument_specs"].values()
    found: dict[str, Any] = entry_point["options"]
    return found


def walk(specs: dict[str, Any], path: str = "") -> list[tuple[str, dict[str, Any]]]:
    found = []
    for name, spec in specs.items():
        found.append((f"{path}{name}", spec))
        found += walk(spec.get("options", {}), f"{path}{name}.")
    return found


@pytest.mark.parametrize("role", ROLES)
def test_defaults_are_those_of_the_argument_spec(role: str) -> None:
    defaults = load(ROOT / "roles" / role / "defaults" / "main.yml")
    specified = {name: spec["default"] for name, spec in options(role).items() if "default" in spec}
    if role == "preflight":
        # The platform's own variables belong to no role; playbooks give them their defaults.
        assert not defaults
        return
    assert defaults.keys() <= options(role).keys()
    for name, value in specified.items():
        assert defaults[name] == value, name


@pytest.mark.parametrize("role", ROLES)
def test_every_input_is_typed_and_described(role: str) -> None:
    for name, spec in walk(options(role)):
        assert spec.get("type"), name
        assert spec.get("description"), name
        assert spec["type"] != "list" or spec.get("elements"), name


@pytest.mark.parametrize("role", [role for role in ROLES if role != "preflight"])
def test_inputs_begin_with_the_name_of_the_role(role: str) -> None:
    assert all(name.startswith(f"{role}_") for name in options(role))


@pytest.mark.parametrize("script", ["role_docs", "cost_docs"])
def test_generated_pages_are_up_to_date(script: str) -> None:
    command = [sys.executable, f"scripts/{script}.py", "--check"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_all_inventories_have_the_same_files() -> None:
    files = {
        environment: {path.name for path in (ROOT / "inventories" / environment / "host_vars" / environment).iterdir()}
        for environment in ENVIRONMENTS
    }
    assert len({frozenset(names) for names in files.values()}) == 1, files


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_every_variable_of_an_inventory_is_an_input_of_a_role(environment: str) -> None:
    known = {name for role in ROLES for name in options(role)}
    for path in (ROOT / "inventories" / environment / "host_vars" / environment).glob("*.yml"):
        assert {name for name in load(path) if not name.startswith("ansible_")} <= known, path.name


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_an_inventory_shows_no_default_again(environment: str) -> None:
    defaults: dict[str, Any] = {}
    for role in ROLES:
        defaults |= load(ROOT / "roles" / role / "defaults" / "main.yml")
    for path in (ROOT / "inventories" / environment / "host_vars" / environment).glob("*.yml"):
        for name, value in load(path).items():
            # Bounds and retention are the environment's own even where they happen to be the default.
            own = name.startswith(("eks_node_", "rds_backup_"))
            assert own or name not in defaults or defaults[name] != value, f"{path.name}: {name}"
