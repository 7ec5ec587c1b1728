"""One EKS request on its way to the function that answers it."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from ...errors import AwsError

Answer = dict[str, Any]
Item = TypeVar("Item")

DEFAULT_PAGE = 100
"""Items of a page when the caller gives no ``maxResults`` (the maximum, in every List call of EKS)."""


@dataclass(frozen=True)
class Call:
    """Who asks for what, where, and at which model time (seconds since 1970)."""

    account: str
    region: str
    partition: str
    access_key: str
    params: Mapping[str, Any]
    now: float

    def __getitem__(self, name: str) -> Any:
        """Return a required parameter."""
        return self.params[name]

    def get(self, name: str, default: Any = None) -> Any:
        """Return an optional parameter; an absent query list arrives as an empty list."""
        value = self.params.get(name)
        return default if value is None else value

    def arn(self, resource: str) -> str:
        """Return the ARN of an EKS resource, e.g. ``cluster/prod``."""
        return f"arn:{self.partition}:eks:{self.region}:{self.account}:{resource}"


Handler = Callable[[Call], Answer]
_HANDLERS: dict[str, Handler] = {}


def operation(name: str) -> Callable[[Handler], Handler]:
    """Register the function that answers an operation of the EKS API."""

    def register(handler: Handler) -> Handler:
        _HANDLERS[name] = handler
        return handler

    return register


def handlers() -> Mapping[str, Handler]:
    """Return every operation that is emulated, by its name in the API."""
    return _HANDLERS


def invalid_parameter(message: str, **fields: object) -> AwsError:
    """Return the refusal of a value that can never be right in this request."""
    return AwsError("InvalidParameterException", message, **fields)


def invalid_request(message: str, **fields: object) -> AwsError:
    """Return the refusal of a request that the state of the cluster forbids."""
    return AwsError("InvalidRequestException", message, **fields)


def in_use(message: str, **fields: object) -> AwsError:
    """Return the refusal for a name that is taken, or a resource that is busy."""
    return AwsError("ResourceInUseException", message, **fields)


def not_found(message: str, **fields: object) -> AwsError:
    """Return the refusal for something that does not exist."""
    return AwsError("ResourceNotFoundException", message, **fields)


def page(call: Call, items: Sequence[Item], member: str) -> Answer:
    """Return one page of a list, with ``nextToken`` when there is more.

    Raises:
        AwsError: InvalidParameterException for a ``nextToken`` that was never handed out.
    """
    start = _offset(call.get("nextToken"))
    end = start + int(call.get("maxResults", DEFAULT_PAGE))
    answer: Answer = {member: list(items[start:end])}
    if end < len(items):
        answer["nextToken"] = base64.urlsafe_b64encode(json.dumps({"offset": end}).encode()).decode()
    return answer


def _offset(token: str | None) -> int:
    if not token:
        return 0
    try:
        return int(json.loads(base64.urlsafe_b64decode(token))["offset"])
    except (ValueError, KeyError, TypeError) as error:
        raise invalid_parameter("Invalid token: nextToken is not one that a List call has returned") from error
