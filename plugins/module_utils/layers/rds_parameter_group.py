# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The parameter group of an environment's database for one major version, on its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..engine.aws import Aws
from ..engine.layer import Context, Layer, View
from ..engine.model import Observed, Scope, Wanted
from ..resources.rds_parameter_group import RdsParameterGroup
from ._rds_common import LAYER_NAME, family_of, parameter_group, parameters_of


class OneParameterGroup(RdsParameterGroup):
    """The group that is wanted, or to be removed; those of other families, which may be in use, are not looked at."""

    def observe(self, aws: Aws, scope: Scope) -> list[Observed]:
        return [one for one in super().observe(aws, scope) if one.name in scope.wanted]


def build(params: Mapping[str, Any], context: Context) -> Sequence[Wanted]:
    """Return the group, as the layer of the database has it."""
    return [parameter_group(params, context)]


def outputs(view: View, params: Mapping[str, Any]) -> dict[str, Any]:
    """Return what an upgrade needs to know."""
    family = family_of(params)
    name = view.get("rds_parameter_group", family, "name")
    return {"name": name, "family": family, "parameters": sorted(parameters_of(params))}


LAYER = Layer(LAYER_NAME, (OneParameterGroup(),), build, outputs)
