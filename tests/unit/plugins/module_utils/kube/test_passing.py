# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which failures of Helm clear by themselves."""

from __future__ import annotations

import pytest
from ansible_collections.pipeops.platform.plugins.module_utils.kube.passing import is_passing

ENDPOINT = "https://ABC.gr7.us-west-2.eks.amazonaws.com:443"
HOST = "ABC.gr7.us-west-2.eks.amazonaws.com:443"


@pytest.mark.parametrize(
    "said",
    [
        f'Error: UPGRADE FAILED: Get "https://{HOST}/api/v1/pods": dial tcp 10.0.0.1:443: connect: connection refused',
        f'Error: Kubernetes cluster unreachable: Get "https://{HOST}/version": EOF',
        f'Patch "https://{HOST}/apis/apps/v1/x": read tcp 10.0.0.2:5->10.0.0.1:443: read: connection reset by peer',
        "Error: UPGRADE FAILED: etcdserver: leader changed",
        "Error: query: failed to query with labels: the server has asked for the client to provide credentials",
        "Error: UPGRADE FAILED: Unauthorized",
        'failed calling webhook "validate.externalsecret.external-secrets.io": failed to call webhook: Post '
        '"https://external-secrets-webhook.kube-system.svc:443/validate": dial tcp 10.1.2.3:443: connection refused',
    ],
)
def test_a_server_that_was_away_is_worth_another_try(said: str) -> None:
    assert is_passing(said, ENDPOINT)


@pytest.mark.parametrize(
    "said",
    [
        "Error: UPGRADE FAILED: timed out waiting for the condition",
        "Error: INSTALLATION FAILED: cannot re-use a name that is still in use",
        'Error: looks like "https://charts.example.com" is not a valid chart repository: dial tcp: connection refused',
        'admission webhook "validate.nginx.ingress.kubernetes.io" denied the request: host is taken',
        "Error: values don't meet the specifications of the schema(s)",
    ],
)
def test_what_another_try_would_not_mend_is_not(said: str) -> None:
    assert not is_passing(said, ENDPOINT)
