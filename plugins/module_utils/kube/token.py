# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The token by which an IAM identity is known to the API server of an EKS cluster."""

from __future__ import annotations

import base64
from typing import Any

from ..engine.aws import Aws, describe_error, is_aws_error
from ..engine.errors import EngineError

#: The header that binds a token to one cluster, so that it is of no use to another one.
CLUSTER_HEADER = "x-k8s-aws-id"
PREFIX = "k8s-aws-v1."
#: Seconds within which the API server has to present the address to STS for the first time. The token itself is taken
#: for 15 minutes after it was made, whatever stands here.
ADDRESS_SECONDS = 60
EVENT = "before-sign.sts.GetCallerIdentity"


def eks_token(aws: Aws, cluster_name: str) -> str:
    """Return a token: the address of a signed question to STS, which answers whoever has it with our identity.

    Nothing is sent. STS is that of the region, or where ``AWS_ENDPOINT_URL_STS`` or ``AWS_ENDPOINT_URL`` lead.

    Raises:
        EngineError: if there are no credentials to sign with.
    """
    client = aws.client("sts")

    def name_the_cluster(request: Any, **_more: Any) -> None:
        request.headers[CLUSTER_HEADER] = cluster_name

    client.meta.events.register(EVENT, name_the_cluster, unique_id=CLUSTER_HEADER)
    try:
        address = client.generate_presigned_url("get_caller_identity", ExpiresIn=ADDRESS_SECONDS, HttpMethod="GET")
    except Exception as error:
        if not is_aws_error(error):
            raise
        raise EngineError(
            f"No token for the cluster {cluster_name} in {aws.region} could be made: {describe_error(error)}. "
            "Sign in, or set AWS_PROFILE."
        ) from error
    finally:
        client.meta.events.unregister(EVENT, name_the_cluster, unique_id=CLUSTER_HEADER)
    return PREFIX + base64.urlsafe_b64encode(address.encode()).decode().rstrip("=")
