"""The gate in front of every call: who may do it, what was asked for, and what was refused."""

from __future__ import annotations

import logging
from collections import Counter
from typing import Any

from ..http_server import Environ, Response
from ..protocol import error_response
from ..routing import Call
from .asked import asked_of
from .callers import Caller, caller_of
from .policy import Request, Unsupported, allows, effects

log = logging.getLogger(__name__)
#: How each protocol says that a call is not allowed: the code, and the HTTP status.
REFUSALS = {
    "ec2": ("UnauthorizedOperation", 403),
    "s3": ("AccessDenied", 403),
    "query": ("AccessDenied", 403),
    "rest-xml": ("AccessDenied", 403),
    "json": ("AccessDeniedException", 400),
    "rest-json": ("AccessDeniedException", 403),
}


class Gate:
    """Authorises calls by the caller's policies and boundary, while it is told to.

    Only identities that the sandbox handed keys to are held: any other key is an administrator's.

    Attributes:
        enforced: whether calls are authorised at all.
    """

    def __init__(self) -> None:
        self.enforced = False
        self._asked: Counter[tuple[str, str]] = Counter()
        self._refused: Counter[tuple[str, str, str, str]] = Counter()

    def clear(self) -> None:
        """Let anybody do anything again, and forget what was asked for."""
        self.enforced = False
        self._asked.clear()
        self._refused.clear()

    def admit(self, account: str, call: Call, environ: Environ, body: bytes) -> Response | None:
        """Return None for a call that is allowed, else the refusal. The caller holds the sandbox's lock."""
        if not self.enforced:
            return None
        caller = caller_of(account, call.principal)
        if caller is None:
            return None
        try:
            requests = asked_of(account, call, environ, body)
            return next((refused for one in requests if (refused := self._held(caller, call, one))), None)
        except Unsupported as error:
            return error_response(call.protocol, "SandboxFailure", f"A policy of {caller.arn}: {error}")

    def _held(self, caller: Caller, call: Call, request: Request) -> Response | None:
        """Note what is asked for; return the refusal if it is not allowed."""
        self._asked[caller.arn, request.action] += 1
        reason = why_not(caller, request)
        if not reason:
            return None
        self._refused[caller.arn, call.name, request.action, request.resource] += 1
        log.warning("refused: %s %s %s %s", call.name, request.action, request.resource, dict(request.context))
        return refusal(caller, call, request, reason)

    def told(self) -> dict[str, Any]:
        """Return what was asked for, by whom, and what was refused."""
        asked = sorted({(arn, action) for arn, action in self._asked})
        refused = [
            {"principal": arn, "call": call, "action": action, "resource": resource, "times": times}
            for (arn, call, action, resource), times in sorted(self._refused.items())
        ]
        return {
            "enforced": self.enforced,
            "asked": [{"principal": arn, "action": action, "times": self._asked[arn, action]} for arn, action in asked],
            "refused": refused,
        }


def why_not(caller: Caller, request: Request) -> str:
    """Return why a caller is not allowed something, in AWS's words; empty if it is."""
    everything = [*caller.policies, *([caller.boundary] if caller.boundary is not None else [])]
    if any("Deny" in effects(policy, request) for policy in everything):
        kind = "identity-based policy" if caller.boundary is None else "permissions boundary or identity-based policy"
        return f"with an explicit deny in a {kind}"
    if not allows(caller.policies, request):
        return f"because no identity-based policy allows the {request.action} action"
    if caller.boundary is not None and not allows([caller.boundary], request):
        return f"because no permissions boundary allows the {request.action} action"
    return ""


def refusal(caller: Caller, call: Call, request: Request, reason: str) -> Response:
    """Return what AWS answers to a call that is not allowed."""
    code, status = REFUSALS[call.protocol]
    text = f"User: {caller.arn} is not authorized to perform: {request.action} on resource: {request.resource} {reason}"
    if call.protocol == "ec2":
        text = f"You are not authorized to perform this operation. {text}"
    return error_response(call.protocol, code, text, status)


#: The gate of this process, as there is one clock of it.
gate = Gate()
