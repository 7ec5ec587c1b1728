# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.pipeops.platform.plugins.module_utils.preflight.specs import Specs

SPECS = Specs.from_documents(
    {
        "rds": {
            "argument_specs": {"main": {"options": {"rds_port": {"type": "int"}, "rds_replicas": {"type": "list"}}}}
        },
        "rds_replica": {"argument_specs": {"main": {"options": {"rds_replica_class": {}}}}},
        "preflight": {"argument_specs": {"inventory": {"options": {"platform_region": {"required": True}}}}},
    }
)


@pytest.mark.parametrize(
    ("name", "owner"),
    [
        ("rds_port", "rds"),
        ("rds_replicas", "rds"),
        ("rds_replica_class", "rds_replica"),
        ("rds_replica_x", "rds_replica"),
        ("platform_x", "platform"),
        ("rdsx", None),
    ],
)
def test_the_longest_prefix_owns_a_variable(name: str, owner: str | None) -> None:
    assert SPECS.owner(name) == owner


@pytest.mark.parametrize(
    "name", ["rds_result", "__rds_x", "ansible_rds", "team", "inventory_hostname", "rd", "_rds_port"]
)
def test_other_variables_are_nobodys_business(name: str) -> None:
    assert not SPECS.concerns(name)
    assert not list(SPECS.misspelt({name: 1}))


@pytest.mark.parametrize(
    ("name", "mend"),
    [
        ("rds_prot", "Did you mean rds_port?"),
        ("rds_replica_clas", "Did you mean rds_replica_class?"),
        ("platfrom_region", "Did you mean platform_region?"),
        ("rds_zzzzzzzz", "Remove it, or give it a name without the prefix rds_."),
    ],
)
def test_a_misspelt_variable_is_found(name: str, mend: str) -> None:
    (problem,) = SPECS.misspelt({"rds_port": 1, name: "x"})
    assert (problem.variable, problem.mend) == (name, mend)


def test_what_may_be_a_secret_is_not_shown() -> None:
    (problem,) = SPECS.misspelt({"rds_master_password": "hunter2"})
    assert "hunter2" not in str(problem)


@pytest.mark.parametrize(
    ("name", "home"), [("rds_port", "host_vars/dev/rds.yml"), ("platform_region", "host_vars/dev/platform.yml")]
)
def test_the_home_of_a_variable_is_the_file_of_its_role(name: str, home: str) -> None:
    assert SPECS.home("dev", name) == home


def test_roles_without_options_are_fine() -> None:
    document: dict[str, Any] = {"argument_specs": {"main": {"short_description": "x"}}}
    assert Specs.from_documents({"empty": document}).options == {}
