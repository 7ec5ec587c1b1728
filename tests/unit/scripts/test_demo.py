# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json

import demo


def test_a_machine_whose_helm_is_still_being_built_is_not_refused() -> None:
    command = demo.site_command("prod", helm_comes=True)
    assert json.loads(command[-1]) == {"preflight_helm": ""}
    assert command[:-2] == demo.site_command("prod", helm_comes=False)


def test_helm_is_looked_for_once_it_has_to_be_there() -> None:
    assert "-e" not in demo.site_command("prod", helm_comes=False)
