# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The master secret of another environment's database, as this one's region has it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..engine.errors import PlanRefused
from ..engine.layer import Context, Layer, View
from ..engine.model import Wanted
from ..engine.values import is_pending
from ..resources.secret_replica import KIND, REPLICA, SOURCE, STANDALONE, SecretReplica, SecretSource
from ._rds_common import LAYER_NAME, SECRET, secret_description, secret_name


def build(params: Mapping[str, Any], context: Context) -> Sequence[Wanted]:
    """Return the wanted secret.

    Raises:
        PlanRefused: for options that cannot be.
    """
    state, name, source = params["state"], secret_name(params, context), params["source_region"]
    if state == "replicated" and not source:
        raise PlanRefused([f"source_region is not set, so nobody knows where the secret {name} comes from. Set it."])
    if source == context.region:
        raise PlanRefused([f"source_region is {source} itself. Name the region of the primary secret {name}."])
    attributes: dict[str, Any]
    if state == "standalone":
        attributes = {
            "name": name,
            "region": context.region,
            "role": STANDALONE,
            "description": secret_description(params, context),
        }
        # As rds_instance_set tags the secret that it then manages.
        return [Wanted(KIND, SECRET, attributes, context.tags(SECRET))]
    attributes = {
        "name": name,
        "region": context.region,
        "role": REPLICA,
        "source_region": source,
        "kms_key_arn": params["kms_key_arn"],
        "healthy": True,
        "overwrite": params["overwrite"],
        "removal": state == "absent",
    }
    if state == "absent":
        return [Wanted(KIND, SECRET, attributes)]
    return [Wanted(SOURCE, SECRET, {"name": name, "source_region": source}), Wanted(KIND, SECRET, attributes)]


def outputs(view: View, params: Mapping[str, Any]) -> dict[str, Any]:
    """Return where the secret is and what it follows; never what is in it."""
    arn = {name: view.get(KIND, SECRET, name) for name in ("name", "arn")}
    original = view.told(SOURCE, SECRET, "arn")
    if is_pending(arn["arn"]) and original:
        # A copy has the ARN of its primary in another region, so a dry run knows it beforehand.
        here = view.get(KIND, SECRET, "region")
        arn["arn"] = original.replace(f":{params['source_region']}:", f":{here}:", 1)
    told = {name: view.told(KIND, SECRET, name) for name in ("role", "status", "primary_region", "kms_key_arn")}
    return {**arn, **told}


LAYER = Layer(LAYER_NAME, (SecretSource(), SecretReplica()), build, outputs)
