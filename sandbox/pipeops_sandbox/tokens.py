"""Client tokens: the same request twice makes one resource.

AWS answers a repeated token with the resource that the first call made. moto ignores tokens.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from .http_server import Response
from .protocol import error_response
from .routing import Call
from .runtime import runtime


@dataclass(frozen=True)
class TokenRule:
    """Where an operation carries its token, and how it refuses one that comes with other parameters."""

    parameter: str
    mismatch: str


_EC2 = TokenRule("ClientToken", "IdempotentParameterMismatch")
# From the `idempotencyToken` traits of the service models; EKS keeps its own.
RULES: dict[tuple[str, str], TokenRule] = {
    ("ec2", "CreateNatGateway"): _EC2,
    ("ec2", "CreateVpcEndpoint"): _EC2,
    ("ec2", "CreateFlowLogs"): _EC2,
    ("ec2", "CreateRouteTable"): _EC2,
    ("ec2", "CreateNetworkAcl"): _EC2,
    ("ec2", "CreateEgressOnlyInternetGateway"): _EC2,
    ("ec2", "RunInstances"): _EC2,
    ("secretsmanager", "CreateSecret"): TokenRule("ClientRequestToken", "ResourceExistsException"),
    ("scheduler", "CreateSchedule"): TokenRule("ClientToken", "ConflictException"),
    ("scheduler", "CreateScheduleGroup"): TokenRule("ClientToken", "ConflictException"),
}


@dataclass
class Remembered:
    """What a token was first used with, and what was answered."""

    parameters: str
    status: int
    body: bytes
    headers: list[tuple[str, str]]


@dataclass
class TokenStore:
    """The tokens of one Region, by operation and token."""

    seen: dict[tuple[str, str], Remembered] = field(default_factory=dict)


@dataclass(frozen=True)
class Token:
    """The token of one call."""

    call: Call
    value: str
    parameters: str

    def answer(self, account: str) -> Response | None:
        """Return the first answer again, or a refusal; None if this token is new."""
        known = _store(account, self.call).seen.get((self.call.operation, self.value))
        if known is None:
            return None
        if known.parameters != self.parameters:
            rule = RULES[self.call.service, self.call.operation]
            text = f"The request uses the same client token as a previous, but non-identical request: {self.value}"
            return error_response(self.call.protocol, rule.mismatch, text)
        return Response(known.status, known.body, list(known.headers))

    def remember(self, account: str, response: Response) -> None:
        """Keep a success; a refused call leaves its token free."""
        if response.status < 300:
            kept = Remembered(self.parameters, response.status, response.body, response.headers)
            _store(account, self.call).seen[self.call.operation, self.value] = kept


def token_of(call: Call, path: str, body: bytes) -> Token | None:
    """Return the token that a request carries, if its operation knows tokens."""
    rule = RULES.get((call.service, call.operation))
    if rule is None:
        return None
    parameters = _parameters(call, body)
    value = parameters.pop(rule.parameter, "")
    if not value:
        return None
    text = json.dumps([path, sorted(parameters.items(), key=str)], default=str)
    return Token(call, str(value), hashlib.sha256(text.encode()).hexdigest())


def _parameters(call: Call, body: bytes) -> dict[str, object]:
    if call.protocol in ("ec2", "query"):
        return dict(parse_qsl(body.decode(), keep_blank_values=True))
    return dict(json.loads(body or b"{}"))


def _store(account: str, call: Call) -> TokenStore:
    return runtime.store(f"tokens:{call.service}", account, call.region, TokenStore)
