#!/usr/bin/python
# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: rds_instance_tags
short_description: Set and remove single tags of a DB instance
version_added: 1.0.0
description:
  - Tags are how a move between regions is remembered where it happens, so that somebody else can carry it on.
  - C(amazon.aws.rds_instance) compares the whole instance to change a tag, and waits for it. This is one call.
options:
  identifier:
    description: The identifier of the instance.
    type: str
    required: true
  set:
    description: Tags to set. Others are left alone.
    type: dict
    default: {}
  remove:
    description: Names of tags to remove.
    type: list
    elements: str
    default: []
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - pipeops.platform.patience
attributes:
  check_mode:
    support: full
    description: Says whether tags would change.
  diff_mode:
    support: full
    description: Returns the tags that are concerned, before and after.
  idempotent:
    support: full
    description: A second run makes no mutating call.
author:
  - PipeOps Platform contributors (@pipeops)
"""

EXAMPLES = r"""
- name: Remember that this one takes over
  pipeops.platform.rds_instance_tags:
    region: us-east-1
    identifier: pipeops-dr
    set:
      pipeops:takes-over-from: arn:aws:rds:us-west-2:123456789012:db:pipeops-prod

- name: Forget what is done
  pipeops.platform.rds_instance_tags:
    region: us-east-1
    identifier: pipeops-dr
    remove: [pipeops:fence-owed]
"""

RETURN = r"""
tags:
  description: All tags of the instance, as they are afterwards.
  returned: always
  type: dict
  sample: {"pipeops:takes-over-from": "arn:aws:rds:us-west-2:123456789012:db:pipeops-prod"}
"""

from collections.abc import Mapping
from typing import Any

from ansible_collections.pipeops.platform.plugins.module_utils.engine.aws import (
    PATIENCE_ARGUMENT_SPEC,
    Aws,
    tag_dict,
    tag_list,
)
from ansible_collections.pipeops.platform.plugins.module_utils.engine.errors import EngineError
from ansible_collections.pipeops.platform.plugins.module_utils.engine.function import refusals_as, run_function
from ansible_collections.pipeops.platform.plugins.module_utils.engine.waiting import Progress
from ansible_collections.pipeops.platform.plugins.module_utils.resources.rds_describe import describe

ARGUMENT_SPEC: dict[str, Any] = {
    **PATIENCE_ARGUMENT_SPEC,
    "identifier": {"type": "str", "required": True},
    "set": {"type": "dict", "default": {}},
    "remove": {"type": "list", "elements": "str", "default": []},
}


def run(params: Mapping[str, Any], *, check_mode: bool, progress: Progress) -> dict[str, Any]:
    """Bring the tags to the wanted state.

    Raises:
        EngineError: if there is no such instance, or AWS refuses.
    """
    aws, identifier = Aws(params, progress), params["identifier"].lower()
    with refusals_as(f"Could not change the tags of DB instance {identifier} in {aws.region}"):
        return _bring(aws, identifier, params, check_mode)


def _bring(aws: Aws, identifier: str, params: Mapping[str, Any], check_mode: bool) -> dict[str, Any]:
    instance = describe(aws, identifier)
    if instance is None:
        raise EngineError(f"There is no DB instance {identifier} in {aws.region}. Correct the option identifier.")
    tags = tag_dict(instance.get("TagList"))
    new = {name: str(value) for name, value in params["set"].items() if tags.get(name) != str(value)}
    old = [name for name in params["remove"] if name in tags]
    client, arn = aws.client("rds"), instance["DBInstanceArn"]
    if new and not check_mode:
        client.add_tags_to_resource(ResourceName=arn, Tags=tag_list(new))
    if old and not check_mode:
        client.remove_tags_from_resource(ResourceName=arn, TagKeys=old)
    after = {name: value for name, value in {**tags, **new}.items() if name not in old}
    concerned = {*new, *old}
    diff = {"before": {n: tags[n] for n in concerned if n in tags}, "after": {n: after[n] for n in new}}
    return {"changed": bool(new or old), "tags": after, "diff": diff}


def main() -> None:
    run_function(run, ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
