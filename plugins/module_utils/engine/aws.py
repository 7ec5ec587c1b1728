# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The way to AWS: clients that are made once a process, paging, and what an error means."""

from __future__ import annotations

import functools
import threading
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ansible.module_utils.basic import missing_required_lib
from ansible_collections.amazon.aws.plugins.module_utils.botocore import HAS_BOTO3, get_aws_connection_info

from .errors import EngineError
from .lease import guard
from .waiting import Patience, Progress

try:
    import boto3.session
    import botocore.config
    import botocore.exceptions
    import botocore.session
except ImportError:
    # Aws refuses to begin, in Ansible's usual words.
    pass

#: The options of waiting, described in the doc fragment pipeops.platform.patience.
PATIENCE_ARGUMENT_SPEC: dict[str, Any] = {
    "wait_timeout": {"type": "int", "default": 3600},
    "wait_delay": {"type": "float", "default": 15.0},
}

#: Tries of a call in all, and of one that asks whether a region answers.
TRIES, PROBES = 8, 3

#: Codes by which a service says "slower", after botocore's own list (botocore/retries/standard.py).
THROTTLED = frozenset(
    {
        "BandwidthLimitExceeded",
        "EC2ThrottledException",
        "LimitExceededException",
        "PriorRequestNotComplete",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "SlowDown",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
        "TransactionInProgressException",
    }
)

#: What to do about an error that the caller can mend, by code.
MENDS = {
    "AccessDenied": "Grant this action to the identity that runs the play.",
    "AccessDeniedException": "Grant this action to the identity that runs the play.",
    "UnauthorizedOperation": "Grant this action to the identity that runs the play.",
    "ExpiredToken": "Sign in again: the credentials have run out.",
    "ExpiredTokenException": "Sign in again: the credentials have run out.",
    "RequestExpired": "Sign in again, or set this machine's clock: the request was too old for AWS.",
    "InvalidClientTokenId": "Check the access key: AWS does not know it.",
    "AuthFailure": "Check the access key: AWS does not know it.",
    "OptInRequired": "Enable the region in this account.",
    "VpcLimitExceeded": "Raise the quota of VPCs in this region, or remove a VPC.",
    "AddressLimitExceeded": "Raise the quota of Elastic IPs in this region, or release one.",
    "InstanceQuotaExceeded": "Raise the quota of DB instances in this region.",
    "SNSNoAuthorization": "Let events.rds.amazonaws.com publish to the topic, and use the KMS key of the topic.",
    "SourceNotFound": "Name DB instances that exist in this region.",
    "ResourceLimitExceededException": "Raise the quota that the message names.",
}


@functools.cache
def _botocore_session(profile: str | None) -> Any:
    # One session a process: its loader keeps the parsed service models, which are most of a client's cost.
    return botocore.session.Session(profile=profile)


@functools.cache
def _boto3_session(profile: str | None) -> Any:
    # One for each botocore session too: every boto3 session adds its handlers to it, and S3's refuse to be added twice.
    return boto3.session.Session(botocore_session=_botocore_session(profile))


def preload(services: Iterable[str]) -> None:
    """Parse the models of these services now, so that processes forked later need not."""
    if not HAS_BOTO3:
        return
    loader = _botocore_session(None).get_component("data_loader")
    for service in services:
        for model in ("service-2", "endpoint-rule-set-1"):
            loader.load_service_model(service, model)


@functools.cache
def regions() -> dict[str, str]:
    """Return every region that the SDK knows, with its partition."""
    if not HAS_BOTO3:
        return {}
    session = _botocore_session(None)
    partitions = session.get_available_partitions()
    return {name: partition for partition in partitions for name in session.get_available_regions("ec2", partition)}


class _Options:
    """What amazon.aws asks for when it reads the connection options: a thing with ``params``."""

    _name = "pipeops.platform"

    def __init__(self, params: Mapping[str, Any]) -> None:
        self.params = params

    def fail_json(self, msg: str, **_more: Any) -> None:
        raise EngineError(msg)


class Aws:
    """Clients of one account and region.

    Args:
        params: the validated options of a module, with amazon.aws's connection options among them.
        progress: is told, in a sentence, what is being waited for.
    """

    def __init__(self, params: Mapping[str, Any], progress: Progress = lambda _text: None) -> None:
        if not HAS_BOTO3:
            raise EngineError(missing_required_lib("boto3 and botocore"))
        region, self._endpoint, self._connection = get_aws_connection_info(_Options(params))
        if not region:
            raise EngineError("No region is set. Set the option region, or AWS_REGION.")
        self.region: str = region
        self.progress = progress
        self.patience = Patience(params.get("wait_timeout", 3600), params.get("wait_delay", 15))
        self._account_id: str | None = params.get("account_id")
        self._clients: dict[tuple[str, str, int], Any] = {}
        self._lock = threading.Lock()

    def client(self, service: str, *, region: str | None = None, once: bool = False, probe: bool = False) -> Any:
        """Return a client.

        Args:
            service: botocore's name of the service.
            region: another region than that of the module.
            once: True for calls that must not be sent twice unseen, since a second one would make a second
                resource: the executor retries those itself, after a look at what stands.
            probe: True for reads in a region that may be down: the answer then comes within seconds.
        """
        key = (service, region or self.region, 1 if once else PROBES if probe else TRIES)
        with self._lock:
            if key not in self._clients:
                self._clients[key] = self._new_client(*key)
            return self._clients[key]

    def _new_client(self, service: str, region: str, tries: int) -> Any:
        options = dict(self._connection)
        session = _boto3_session(options.pop("profile_name", None))
        config = botocore.config.Config(
            retries={"mode": "standard", "total_max_attempts": tries},
            connect_timeout=5,
            read_timeout=10 if tries == PROBES else 60,
            max_pool_connections=16,
            user_agent_extra="pipeops.platform",
        )
        own = options.pop("aws_config", None)
        config = config.merge(own) if own else config
        client = session.client(service, region_name=region, endpoint_url=self._endpoint, config=config, **options)
        # botocore makes the classes of client.exceptions at their first use. Threads that come to it at once would get
        # a set each, and an except clause would let errors of the other set pass; so they are made here, one by one.
        _made = client.exceptions
        guard(client)
        return client

    @property
    def account_id(self) -> str:
        """The account, from the option ``account_id`` or else from STS."""
        if not self._account_id:
            self._account_id = str(self.client("sts").get_caller_identity()["Account"])
        return self._account_id

    @property
    def partition(self) -> str:
        """The partition of the region, e.g. ``aws`` or ``aws-cn``."""
        return str(_botocore_session(None).get_partition_for_region(self.region))

    def pages(self, service: str, operation: str, result: str, **params: Any) -> list[Any]:
        """Return all items of a listing, over all its pages.

        Args:
            service: botocore's name of the service.
            operation: the client's method, e.g. ``describe_subnets``.
            result: the member of the answer that holds the items, e.g. ``Subnets``.
        """
        client = self.client(service)
        if client.can_paginate(operation):
            return [item for page in client.get_paginator(operation).paginate(**params) for item in page[result]]
        return list(getattr(client, operation)(**params)[result])


def error_code(error: BaseException) -> str:
    """Return AWS's code of an error, or an empty string if it does not come from AWS."""
    response = getattr(error, "response", None)
    return str(response.get("Error", {}).get("Code", "")) if isinstance(response, Mapping) else ""


def error_message(error: BaseException) -> str:
    """Return AWS's sentence of an error."""
    response = getattr(error, "response", None)
    return str(response.get("Error", {}).get("Message", "")) if isinstance(response, Mapping) else str(error)


def is_aws_error(error: BaseException) -> bool:
    """Tell whether an error comes from AWS or from the way to it."""
    return isinstance(error, (botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError))


def is_throttled(error: BaseException) -> bool:
    """Tell whether AWS refused a call, unread, because there were too many."""
    return error_code(error) in THROTTLED


def is_ambiguous(error: BaseException) -> bool:
    """Tell whether a call that ended in this error may have been carried out all the same."""
    if isinstance(error, botocore.exceptions.ClientError):
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        return status >= 500 and not is_throttled(error)
    refused = (botocore.exceptions.EndpointConnectionError, botocore.exceptions.ConnectTimeoutError)
    return isinstance(error, botocore.exceptions.HTTPClientError) and not isinstance(error, refused)


def is_refusal(error: BaseException) -> bool:
    """Tell whether AWS has certainly not carried a call out: its first answer was no.

    After a repetition nobody knows what an earlier try did whose answer was lost.
    """
    if not isinstance(error, botocore.exceptions.ClientError) or is_ambiguous(error):
        return False
    return int(error.response.get("ResponseMetadata", {}).get("RetryAttempts", 0)) == 0


def describe_error(error: BaseException) -> str:
    """Return an AWS error as a sentence, with what to do about it where that is known."""
    code = error_code(error)
    if not code:
        return str(error)
    return " ".join(filter(None, (f"{code}: {error_message(error)}", MENDS.get(code, ""))))


def tag_list(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """Return tags as most services take them."""
    return [{"Key": key, "Value": value} for key, value in sorted(tags.items())]


def tag_dict(tags: Sequence[Mapping[str, str]] | None) -> dict[str, str]:
    """Return tags that AWS lists, as a dictionary; whichever way the service spells them."""
    return {tag.get("Key", tag.get("TagKey", "")): tag.get("Value", tag.get("TagValue", "")) for tag in tags or ()}
