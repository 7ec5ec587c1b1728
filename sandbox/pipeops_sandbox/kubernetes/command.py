"""``python -m pipeops_sandbox kubernetes``: get the programs, say what there is, and lead kubectl to a cluster."""

from __future__ import annotations

import argparse
import base64
import json
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from pipeops_sandbox.client import ACCESS_KEY, SECRET_KEY, Failure, health, url_of

from . import build

TOKEN_MINUTES = 14
NOTHING_TO_BE_HAD = 3
"""Exit status where the programs cannot be had: no mistake, but no API servers either."""


def add_to(commands: Any, port: Callable[[str], int]) -> None:
    """Add the command to the program's."""
    command = commands.add_parser("kubernetes", help="the Kubernetes API servers behind EKS")
    verbs = command.add_subparsers(required=True, metavar="VERB")
    for name, run, text in (
        ("build", get, "get the programs: prebuilt, or built from source once; status 3 if they cannot be had here"),
        ("status", status, "say which programs there are, and which clusters run"),
        ("kubeconfig", kubeconfig, "print a kubeconfig for a cluster, as aws eks update-kubeconfig writes it"),
        ("token", token, "print a token for a cluster, as an exec credential plugin does"),
    ):
        verb = verbs.add_parser(name, help=text, description=text)
        verb.set_defaults(run=run)
        verb.add_argument("--port", type=port, default=5110, help="of the sandbox; default 5110")
        if name in ("kubeconfig", "token"):
            verb.add_argument("cluster", metavar="CLUSTER")
            verb.add_argument("--region", default="us-west-2", help="default us-west-2")


def _say(text: str) -> None:
    print(f"kubernetes: {text}", file=sys.stderr, flush=True)  # noqa: T201 - a command


def get(_options: argparse.Namespace) -> None:
    """Get the programs, and put helm beside the Python that runs."""
    try:
        have = build.obtain(_say)
    except build.Unobtainable as error:
        _say(str(error))
        raise SystemExit(NOTHING_TO_BE_HAD) from error
    except build.BuildFailed as error:
        raise Failure(str(error)) from error
    helm = build.link_helm(have)
    _say(f"Kubernetes {have.version}, {have.origin}; helm: {helm or 'none'}")


def status(options: argparse.Namespace) -> None:
    """Print what there is."""
    print(json.dumps(build.describe(), indent=2))  # noqa: T201 - the command's result
    if health(options.port):
        for cluster in _clusters(options.port):
            print(f"{cluster['region']} {cluster['name']}: {cluster['endpoint']} is {cluster['state']}")  # noqa: T201


def _clusters(port: int) -> list[dict[str, Any]]:
    from urllib.request import urlopen  # noqa: PLC0415 - most verbs ask nobody

    with urlopen(f"{url_of(port)}/_sandbox/kubernetes", timeout=10) as answer:
        clusters: list[dict[str, Any]] = json.load(answer)["clusters"]
    return clusters


def _client(options: argparse.Namespace, service: str) -> Any:
    import boto3  # noqa: PLC0415 - it takes a moment to load, which the other verbs do not need

    return boto3.client(
        service, options.region, endpoint_url=url_of(options.port), aws_access_key_id=ACCESS_KEY,
        aws_secret_access_key=SECRET_KEY,
    )  # fmt: skip


def kubeconfig(options: argparse.Namespace) -> None:
    """Print a kubeconfig whose user gets its tokens from ``token``."""
    cluster = _client(options, "eks").describe_cluster(name=options.cluster)["cluster"]
    if "endpoint" not in cluster:
        raise Failure(f"cluster {options.cluster} in {options.region} is {cluster['status']} and has no endpoint yet")
    words = ["-m", "pipeops_sandbox", "kubernetes", "token", options.cluster, "--region", options.region]
    plugin = {
        "apiVersion": "client.authentication.k8s.io/v1beta1", "command": sys.executable, "interactiveMode": "Never",
        "args": [*words, "--port", str(options.port)],
    }  # fmt: skip
    server = {"server": cluster["endpoint"], "certificate-authority-data": cluster["certificateAuthority"]["data"]}
    name = cluster["arn"]
    config = {
        "apiVersion": "v1", "kind": "Config", "current-context": name,
        "clusters": [{"name": name, "cluster": server}],
        "users": [{"name": name, "user": {"exec": plugin}}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
    }  # fmt: skip
    print(json.dumps(config, indent=2))  # noqa: T201 - the command's result


def token(options: argparse.Namespace) -> None:
    """Print an ExecCredential."""
    expires = datetime.now(tz=UTC) + timedelta(minutes=TOKEN_MINUTES)
    made = presigned(_client(options, "sts"), options.cluster)
    credential = {
        "apiVersion": "client.authentication.k8s.io/v1beta1", "kind": "ExecCredential",
        "status": {"token": made, "expirationTimestamp": expires.strftime("%Y-%m-%dT%H:%M:%SZ")},
    }  # fmt: skip
    print(json.dumps(credential))  # noqa: T201 - the command's result


def presigned(sts: Any, cluster: str) -> str:
    """Return a token for a cluster, signed with a client's credentials."""

    def name_cluster(request: Any, **_: Any) -> None:
        request.headers["x-k8s-aws-id"] = cluster

    sts.meta.events.register("before-sign.sts.GetCallerIdentity", name_cluster)
    url: str = sts.generate_presigned_url("get_caller_identity", ExpiresIn=60, HttpMethod="GET")
    return "k8s-aws-v1." + base64.urlsafe_b64encode(url.encode()).decode().rstrip("=")
