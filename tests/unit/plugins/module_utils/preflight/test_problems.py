# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.pipeops.platform.plugins.module_utils.preflight.problems import (
    Problem,
    is_secret_name,
    nearest,
    report,
    shown,
)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "null"),
        (True, "true"),
        (1.3, "1.3"),
        ("10.0.0.0/16", "10.0.0.0/16"),
        ("1.30", '"1.30"'),
        ("no", '"no"'),
        ("", '""'),
        ("two\nlines", '"two\\nlines"'),
        (["a", 1, {"b": None}], "[a, 1, {b: null}]"),
        ([], "[]"),
        ("x" * 81, "x" * 77 + "..."),
        ("x" * 80, "x" * 80),
    ],
)
def test_a_value_is_shown_as_yaml_in_one_short_line(value: Any, text: str) -> None:
    assert shown(value) == text


def test_a_secret_is_not_shown() -> None:
    assert shown("hunter2", secret=True) == "(hidden)"


@pytest.mark.parametrize(("name", "secret"), [("rds_master_password", True), ("vpc_token", True), ("vpc_cidr", False)])
def test_secrets_are_known_by_name(name: str, secret: bool) -> None:
    assert is_secret_name(name) is secret


@pytest.mark.parametrize(
    ("value", "answer"),
    [("zonal", "Did you mean zonal_single?"), ("regionl", "Did you mean regional?"), ("qqq", "No."), ("", "No.")],
)
def test_the_nearest_is_offered(value: str, answer: str) -> None:
    assert nearest(value, ["zonal_single", "regional"], "No.") == answer


def test_a_report_counts_and_lists() -> None:
    one = Problem("vpc_cidr", "x", "it is no range", "Write one.")
    assert report("dev", [one]) == (
        "The inventory of dev cannot work (1 problem). Nothing was changed.\nvpc_cidr is x: it is no range. Write one."
    )
    unset = Problem("vpc_cidr", "", "there is no default", "Set it.")
    assert report("dev", [one, unset]).splitlines()[::2] == [
        "The inventory of dev cannot work (2 problems). Nothing was changed.",
        "vpc_cidr is not set: there is no default. Set it.",
    ]
