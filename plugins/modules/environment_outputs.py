#!/usr/bin/python
# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: environment_outputs
short_description: Publish what other environments may know of an environment
version_added: 1.0.0
description:
  - Writes a JSON document with O(outputs) into the environment's bucket, where
    P(pipeops.platform.environment_outputs#lookup) reads it.
  - The document is written only if it says anything else than the one that stands, the time of writing left aside.
  - Outputs that are named like a secret (C(password), C(secret_value), C(token), C(private_key) anywhere in the name)
    are refused unless they are ARNs. So are private keys, access keys of AWS, and addresses with a password in them,
    whatever they are called.
options:
  bucket:
    description: The bucket, as RV(pipeops.platform.state_backend#module:outputs.bucket_name) tells it.
    type: str
    required: true
  key:
    description:
      - The key of the document.
      - C(outputs/ENVIRONMENT.json) if not set.
    type: str
  outputs:
    description:
      - What is published, by part of the platform. Nothing secret.
      - Parts that are not named stay as they are published.
    type: dict
    default: {}
  kms_key_arn:
    description:
      - The ARN of the KMS key that encrypts the document.
      - The key of the bucket if not set.
    type: str
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - pipeops.platform.layer
seealso:
  - plugin: pipeops.platform.environment_outputs
    plugin_type: lookup
author:
  - PipeOps Platform contributors (@pipeops)
"""

EXAMPLES = r"""
- name: Publish the outputs of prod
  pipeops.platform.environment_outputs:
    region: us-west-2
    environment: prod
    bucket: pipeops-prod-state-123456789012
    outputs:
      database:
        arn: arn:aws:rds:us-west-2:123456789012:db:pipeops-prod-primary
        port: 5432
"""

RETURN = r"""
outputs:
  description: What other roles need.
  returned: when O(state=present)
  type: dict
  contains:
    bucket:
      description: The bucket.
      type: str
      sample: pipeops-prod-state-123456789012
    key:
      description: The key of the document.
      type: str
      sample: outputs/prod.json
    published_at:
      description:
        - When the document that stands was written.
        - A placeholder in check mode if there is none yet.
      type: str
      sample: "2026-11-23T21:14:05+00:00"
    version:
      description:
        - How often the document was written.
        - A placeholder in check mode if there is none yet.
      type: int
      sample: 3
    document:
      description: All of it, with the parts under C(outputs).
      type: dict
      sample: {"environment": "prod", "schema": 1, "outputs": {"network": {"vpc_cidr": "10.0.0.0/16"}}}
"""

from ansible_collections.pipeops.platform.plugins.module_utils.engine.layer import run_module
from ansible_collections.pipeops.platform.plugins.module_utils.layers.environment_outputs import LAYER

ARGUMENT_SPEC = {
    "bucket": {"type": "str", "required": True},
    "key": {"type": "str", "no_log": False},
    "outputs": {"type": "dict", "default": {}},
    "kms_key_arn": {"type": "str", "no_log": False},
}


def main() -> None:
    run_module(LAYER, ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
