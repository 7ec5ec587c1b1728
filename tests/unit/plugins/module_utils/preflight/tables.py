# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the tables of rules have in common."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ansible_collections.pipeops.platform.plugins.module_utils.preflight.inventory import Inventory
from ansible_collections.pipeops.platform.plugins.module_utils.preflight.problems import Problem

from tests.inventories import SITE_RULES, shipped


def inventory(name: str = "prod", **changes: Any) -> Inventory:
    """Return a shipped inventory with some variables changed."""
    made = Inventory(name, shipped(name, changes).values, SITE_RULES.specs)
    assert not made.type_problems, made.type_problems
    return made


def said(problems: Iterable[Problem]) -> list[tuple[str, str]]:
    """Return variable and reason of each problem."""
    return [(problem.variable, problem.reason) for problem in problems]


def assert_said(problems: Iterable[Problem], *expected: tuple[str, str]) -> None:
    """Insist that these are the problems, by variable and a part of the reason, and no others."""
    found = said(problems)
    assert len(found) == len(expected), found
    for (variable, reason), (named, fragment) in zip(found, expected, strict=True):
        assert variable == named
        assert fragment in reason
