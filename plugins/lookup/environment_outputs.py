# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: environment_outputs
short_description: Read what another environment has published
version_added: 1.0.0
description:
  - Returns the outputs that M(pipeops.platform.environment_outputs) has written into the bucket of an environment.
  - The bucket may be in another region than the one that is asked.
options:
  _terms:
    description: The environments, e.g. V(prod).
    type: list
    elements: str
    required: true
  bucket:
    description:
      - The bucket that holds the document.
      - C(PLATFORM-ENVIRONMENT-state-ACCOUNT) if not set.
    type: str
  key:
    description:
      - The key of the document.
      - C(outputs/ENVIRONMENT.json) if not set.
    type: str
  platform:
    description: The first part of the bucket's name, if O(bucket) is not set.
    type: str
    default: pipeops
  account_id:
    description:
      - The AWS account that the bucket must belong to.
      - Asked of STS if not set.
    type: str
  max_age_days:
    description:
      - The longest time, in days, since the document was written.
      - The document is only written when something changes, so set this where a fixed rhythm of changes is expected.
    type: float
  whole:
    description:
      - Whether to return the whole document, with C(version), C(schema), C(published_at), C(environment), C(platform),
        C(region), C(account_id) and C(outputs), instead of the outputs alone.
    type: bool
    default: false
  default:
    description: What to return for an environment that has published nothing. Without it, that is an error.
    type: raw
extends_documentation_fragment:
  - amazon.aws.common.plugins
  - amazon.aws.region.plugins
  - amazon.aws.boto3
seealso:
  - module: pipeops.platform.environment_outputs
author:
  - PipeOps Platform contributors (@pipeops)
"""

EXAMPLES = r"""
- name: Show the database that dr is to follow
  ansible.builtin.debug:
    msg: "{{ outputs.database.arn }}"
  vars:
    outputs: "{{ lookup('pipeops.platform.environment_outputs', 'prod', region='us-west-2') }}"
"""

RETURN = r"""
_raw:
  description: The outputs of each environment, or its whole document.
  type: list
  elements: dict
"""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from ansible.errors import AnsibleLookupError
from ansible_collections.amazon.aws.plugins.plugin_utils.lookup import AWSLookupBase

from ..module_utils.engine.aws import describe_error, error_code, is_aws_error
from ..module_utils.layers.environment_outputs import SCHEMA, default_key
from ..module_utils.layers.state_backend import bucket_name

#: What S3 answers if there is no such document, or no such bucket.
MISSING = frozenset({"NoSuchKey", "NoSuchBucket", "404"})


class LookupModule(AWSLookupBase):
    """Reads the document of each environment."""

    def run(self, terms: Sequence[str], variables: Mapping[str, Any] | None = None, **kwargs: Any) -> list[Any]:
        super().run(terms, variables, **kwargs)
        return [self._outputs(str(term)) for term in terms]

    def _outputs(self, environment: str) -> Any:
        account_id = self._account_id(environment)
        prefix = f"{self.get_option('platform')}-{environment}"
        bucket = self.get_option("bucket") or bucket_name(prefix, account_id)
        key = self.get_option("key") or default_key(environment)
        where = f"s3://{bucket}/{key} (account {account_id}, asked in {self.region})"
        try:
            body = self.client("s3").get_object(Bucket=bucket, Key=key, ExpectedBucketOwner=account_id)["Body"].read()
        except Exception as error:
            if not is_aws_error(error):
                raise
            if error_code(error) in MISSING:
                return self._nothing(environment, where)
            message = f"Could not read the outputs of {environment!r} at {where}: {describe_error(error)}"
            raise AnsibleLookupError(message) from error
        return self._checked(environment, where, body)

    def _account_id(self, environment: str) -> str:
        given = self.get_option("account_id")
        if given:
            return str(given)
        try:
            return str(self.client("sts").get_caller_identity()["Account"])
        except Exception as error:
            if not is_aws_error(error):
                raise
            message = f"Could not ask STS in {self.region} for the account of {environment!r}: {describe_error(error)}"
            raise AnsibleLookupError(f"{message} Or set account_id.") from error

    def _nothing(self, environment: str, where: str) -> Any:
        default = self.get_option("default")
        if default is not None:
            return default
        raise AnsibleLookupError(
            f"Environment {environment!r} has published no outputs at {where}. Run site.yml for it first, set bucket "
            "or key if they are elsewhere, or give a default."
        )

    def _checked(self, environment: str, where: str, body: bytes) -> Any:
        try:
            document = json.loads(body)
        except ValueError as error:
            message = f"The outputs of {environment!r} at {where} are no JSON: {error}. Run site.yml for it again."
            raise AnsibleLookupError(message) from error
        found = document.get("schema") if isinstance(document, dict) else None
        if found != SCHEMA:
            raise AnsibleLookupError(
                f"The outputs of {environment!r} at {where} have schema {found!r}, and this collection reads {SCHEMA}. "
                "Use the same release of the collection for both environments."
            )
        missing = {"environment", "published_at", "outputs"} - document.keys()
        if missing:
            raise AnsibleLookupError(
                f"The outputs of {environment!r} at {where} lack {', '.join(sorted(missing))}: something else than "
                "this collection wrote them. Run site.yml for it again."
            )
        if document["environment"] != environment:
            raise AnsibleLookupError(
                f"The outputs at {where} are those of {document['environment']!r}, not of {environment!r}. Mend key."
            )
        self._check_age(environment, where, document["published_at"])
        return document if self.get_option("whole") else document["outputs"]

    def _check_age(self, environment: str, where: str, published_at: str) -> None:
        longest = self.get_option("max_age_days")
        if longest is None:
            return
        age = datetime.now(UTC) - datetime.fromisoformat(published_at)
        if age > timedelta(days=longest):
            raise AnsibleLookupError(
                f"The outputs of {environment!r} at {where} were written {age.total_seconds() / 86400:.1f} days ago, "
                f"on {published_at}, and max_age_days is {longest:g}. Look whether they still hold, and run site.yml "
                "for it, or raise max_age_days."
            )
