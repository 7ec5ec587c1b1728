# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The version of a cluster's control plane, and nothing else of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..engine.layer import Context, Layer, View
from ..engine.model import Wanted
from ..resources.eks_control_plane import EksControlPlane

KEY = ("eks_control_plane", "main")


def build(params: Mapping[str, Any], context: Context) -> Sequence[Wanted]:
    """Return the control plane as it should be."""
    attributes = {
        "name": params["cluster_name"] or context.identity.prefix,
        "version": params["version"],
        "force": params["force"],
    }
    return [Wanted(*KEY, attributes)]


def outputs(view: View, _params: Mapping[str, Any]) -> dict[str, Any]:
    """Return how it is reached, and its versions."""
    names = ("name", "version", "platform_version", "endpoint", "certificate_authority")
    return {name: view.get(*KEY, name) for name in names}


LAYER = Layer("control-plane", (EksControlPlane(),), build, outputs)
