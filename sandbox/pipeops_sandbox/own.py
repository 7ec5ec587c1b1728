"""Services that moto does not have at all, and the sandbox answers by itself."""

from __future__ import annotations

from collections.abc import Callable

from .http_server import Response
from .routing import Call

#: By the SDK's name of the service: answers a call, or says by None that it does not know the operation.
SERVICES: dict[str, Callable[[Call, bytes], Response | None]] = {}
