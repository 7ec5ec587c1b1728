#!/usr/bin/python
# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: helm_release
short_description: Manage a Helm release in an EKS cluster
version_added: 1.0.0
description:
  - Installs, upgrades or removes a release by M(kubernetes.core.helm), with a token of its own, and takes care of what
    that module leaves open.
  - A release that a killed run left behind (C(pending-install), C(pending-upgrade), ...), or one that failed, is
    brought to an end first - the record of that revision is deleted, what it made is taken over.
  - CRDs that a chart only ever installs are brought up to date when it is upgraded, see O(crds).
  - An API server that goes away while Helm works, and a token that runs out meanwhile, are waited out, and the release
    is taken up again.
  - A first installation that fails is left as it is, to be looked at; a failed upgrade is rolled back. Either way the
    message says which pods are not ready, and why.
  - Whether something changes is told by chart, version and values, and does not depend on plugins of Helm that happen
    to be installed. A chart in a directory that is changed without a new version is not noticed.
options:
  name:
    description: The name of the release.
    type: str
    required: true
  namespace:
    description: Its namespace, which has to exist.
    type: str
    required: true
  chart:
    description: The chart - its name in O(repo_url), an address (C(oci://...)), an archive or a directory.
    type: str
  repo_url:
    description: The https repository of the chart, if it is in one.
    type: str
  version:
    description: The version of the chart. Needed unless O(chart) is a directory or an archive.
    type: str
  values:
    description: All values that differ from those of the chart, as one dictionary. Keep secrets out of them.
    type: dict
    default: {}
  crds:
    description: Whether CRDs in the chart's C(crds) folder are applied before an upgrade. Helm itself never does that.
    type: bool
    default: false
  history_max:
    description: How many revisions Helm keeps, each in a Secret.
    type: int
    default: 3
  helm:
    description:
      - The program C(helm), version 3. Looked for in E(PATH), and beside the interpreter, if not set.
      - Helm 4 is refused, because M(kubernetes.core.helm) of the supported versions cannot work with it.
    type: str
  state:
    description: V(absent) removes the release with all that it made, CRDs in a chart's C(crds) folder excepted.
    type: str
    choices: [present, absent]
    default: present
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - pipeops.platform.cluster
  - pipeops.platform.controller
attributes:
  check_mode:
    description: Returns without changing anything what the next run would change, also where nothing stands yet.
requirements:
  - helm >= 3.14
notes:
  - Two runs that work on one release at the same time are not told apart from a run that was killed. Let the lock of
    the environment keep them apart.
seealso:
  - module: kubernetes.core.helm
  - module: pipeops.platform.kube_objects
author:
  - PipeOps Platform contributors (@pipeops)
"""

EXAMPLES = r"""
- name: Install External Secrets
  pipeops.platform.helm_release:
    region: us-west-2
    cluster_name: pipeops-prod
    endpoint: "{{ eks_result.outputs.endpoint }}"
    certificate_authority: "{{ eks_result.outputs.certificate_authority }}"
    name: external-secrets
    namespace: kube-system
    chart: external-secrets
    repo_url: https://charts.external-secrets.io
    version: 2.9.0
    values:
      replicaCount: 2
"""

RETURN = r"""
actions:
  description: What was done to the release, or would be, in the words of M(pipeops.platform.eks_cluster).
  returned: always
  type: list
  elements: dict
  sample: [{"action": "create/HelmRelease/kube-system/external-secrets", "verb": "create", "kind": "HelmRelease"}]
recovered:
  description: The revisions whose record was deleted, or would be, each with the state that it was in.
  returned: always
  type: list
  elements: str
  sample: ["2 pending-upgrade"]
"""
