# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: eks_token
short_description: Make a token for the API server of an EKS cluster
version_added: 1.0.0
description:
  - Returns a token by which the identity that runs the play is known to an EKS cluster, with neither kubeconfig nor AWS
    CLI. It is a signed question to STS, bound to one cluster. Nothing is sent to AWS to make it.
  - STS is that of the region, or where E(AWS_ENDPOINT_URL_STS) or E(AWS_ENDPOINT_URL) lead.
  - A token is taken for 15 minutes. Ask for one in each task, as below, instead of keeping one in a fact.
options:
  _terms:
    description: The names of clusters.
    type: list
    elements: str
    required: true
extends_documentation_fragment:
  - amazon.aws.common.plugins
  - amazon.aws.region.plugins
  - amazon.aws.boto3
notes:
  - Whoever has the token can do in the cluster what you can. Options that take it, such as C(api_key) of
    M(kubernetes.core.k8s), are not logged; set C(no_log) on other tasks.
seealso:
  - module: pipeops.platform.kube_objects
  - module: pipeops.platform.helm_release
author:
  - PipeOps Platform contributors (@pipeops)
"""

EXAMPLES = r"""
- name: Look at the nodes
  kubernetes.core.k8s_info:
    host: https://0123456789ABCDEF0123456789ABCDEF.gr7.us-west-2.eks.amazonaws.com
    ca_cert: /etc/ssl/certs/pipeops-prod.pem
    api_key: "{{ lookup('pipeops.platform.eks_token', 'pipeops-prod', region='us-west-2') }}"
    kind: Node
"""

RETURN = r"""
_raw:
  description: A token for each cluster.
  type: list
  elements: str
"""

from collections.abc import Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleLookupError
from ansible_collections.amazon.aws.plugins.plugin_utils.lookup import AWSLookupBase

from ..module_utils.engine.aws import Aws
from ..module_utils.engine.errors import EngineError
from ..module_utils.kube.token import eks_token


class LookupModule(AWSLookupBase):
    """Makes a token for each cluster."""

    def run(self, terms: Sequence[str], variables: Mapping[str, Any] | None = None, **kwargs: Any) -> list[str]:
        super().run(terms, variables, **kwargs)
        try:
            aws = Aws(self.get_options())
            return [eks_token(aws, str(term)) for term in terms]
        except EngineError as error:
            raise AnsibleLookupError(str(error)) from error
