"""Which service, operation, region and principal a request is for, and whether it changes anything."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

from botocore.exceptions import UnknownServiceError
from moto.core.request import Request
from moto.core.routing import get_service_router
from moto.core.utils import get_service_model
from werkzeug.exceptions import NotFound

from .http_server import Environ

# Signing names that differ from the name of the SDK's client.
SIGNING_TO_CLIENT = {
    "monitoring": "cloudwatch",
    "tagging": "resourcegroupstaggingapi",
    "email": "ses",
    "states": "stepfunctions",
    "elasticloadbalancing": "elbv2",
    "servicequotas": "service-quotas",
    "access-analyzer": "accessanalyzer",
    "elasticfilesystem": "efs",
}
_CREDENTIAL = re.compile(r"(?P<key>[^/=\s]+)/\d{8}/(?P<region>[^/]+)/(?P<service>[^/]+)/aws4_request")
_READ_PREFIX = re.compile(
    r"^(Describe|List|Get|Head|Simulate|Lookup|BatchGet|Search|Select|Validate|Check|Query|Scan|Test|Filter|Preview|Download)"
)
# Operations whose name does not say that they change nothing.
_READS = {
    "dynamodb": {"TransactGetItems", "ExecuteStatement"},
    "kms": {"Decrypt", "Encrypt", "ReEncrypt", "Sign", "Verify", "GenerateMac", "VerifyMac", "DeriveSharedSecret"},
    "logs": {"StartQuery", "StopQuery"},
    "route53": {"TestDNSAnswer"},
}
_READ_ANY_OF = {"kms": ("GenerateDataKey", "GenerateRandom"), "sts": ("",), "eks": ("AssumeRoleForPodIdentity",)}
# Calls of STS by those who have no keys yet.
_UNSIGNED = {"AssumeRoleWithWebIdentity", "AssumeRoleWithSAML"}
# Names that begin like a read and are none.
_WRITES = {"iam": {"GenerateCredentialReport"}, "sts": set[str]()}


@dataclass(frozen=True)
class Call:
    """One AWS request, identified."""

    service: str
    operation: str
    region: str
    principal: str
    protocol: str
    mutating: bool

    @property
    def name(self) -> str:
        """``service:Operation``, as IAM writes it."""
        return f"{self.service}:{self.operation}"


def identify(environ: Environ, body: bytes) -> Call:
    """Return what a request is; an operation that no model knows is called ``Unknown``."""
    credential = _CREDENTIAL.search(_authorization(environ))
    form = _form(environ, body)
    unsigned = "sts" if form.get("Action", [""])[0] in _UNSIGNED else "s3"
    signing = credential["service"] if credential else unsigned
    region = credential["region"] if credential else "us-east-1"
    service = _client_name(signing, form)
    operation = _operation(service, environ, form)
    protocol = "s3" if service == "s3" else _protocol(service, environ)
    return Call(
        service, operation, region, credential["key"] if credential else "anonymous", protocol,
        is_mutating(service, operation),
    )  # fmt: skip


def is_mutating(service: str, operation: str) -> bool:
    """Tell whether an operation can change something, so that a converged run must not call it."""
    if operation in _WRITES.get(service, ()):
        return True
    if operation in _READS.get(service, ()) or operation.startswith(_READ_ANY_OF.get(service, ("\0",))):
        return False
    return not _READ_PREFIX.match(operation)


def move_signature(environ: Environ) -> None:
    """Give a presigned request, e.g. the STS call in an EKS token, the header by which moto finds its service.

    S3 is left alone: moto reads its presigned URLs itself.
    """
    credential = parse_qs(environ.get("QUERY_STRING", "")).get("X-Amz-Credential", [""])[0]
    if credential and "/s3/" not in credential and "HTTP_AUTHORIZATION" not in environ:
        environ["HTTP_AUTHORIZATION"] = f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=host, Signature=query"


def _authorization(environ: Environ) -> str:
    """The credential scope, from the header or from a presigned URL."""
    header = str(environ.get("HTTP_AUTHORIZATION", ""))
    return header or "".join(parse_qs(environ.get("QUERY_STRING", "")).get("X-Amz-Credential", []))


def _form(environ: Environ, body: bytes) -> dict[str, list[str]]:
    """The parameters of a query protocol request: in the body, or in the URL of a presigned one."""
    text = environ.get("QUERY_STRING", "")
    if str(environ.get("CONTENT_TYPE", "")).startswith("application/x-www-form-urlencoded"):
        text = body.decode("utf-8", "replace")
    return parse_qs(text) if "Action=" in text else {}


def _client_name(signing: str, form: dict[str, list[str]]) -> str:
    name = signing.lower()
    if name == "elasticloadbalancing" and form.get("Version", [""])[0] == "2012-06-01":
        return "elb"
    return SIGNING_TO_CLIENT.get(name, name)


def _operation(service: str, environ: Environ, form: dict[str, list[str]]) -> str:
    if "Action" in form:
        return form["Action"][0]
    target = str(environ.get("HTTP_X_AMZ_TARGET", ""))
    if target:
        return target.rsplit(".", 1)[-1]
    try:
        request: Any = Request(dict(environ))
        operation, _params = get_service_router(service).match(request)
    except (NotFound, UnknownServiceError):
        return "Unknown"
    return str(operation.name)


def _protocol(service: str, environ: Environ) -> str:
    """The wire protocol of this request; a service without a model answers as its request looks."""
    if environ.get("HTTP_X_AMZ_TARGET"):
        return "json"
    try:
        protocol = str(get_service_model(service).metadata["protocol"])
    except UnknownServiceError:
        return "rest-json"
    return protocol if protocol in ("ec2", "query", "json", "rest-json", "rest-xml") else "json"
