"""What overlays use to put themselves in front of moto."""

from __future__ import annotations

import importlib
import json
from typing import Any

from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult, BaseResponse


def install(package: str, response_class: type[BaseResponse]) -> None:
    """Serve every URL of a moto service through a subclass of its response class.

    Args:
        package: the name of moto's package, e.g. ``ec2``.
        response_class: a subclass of the response class that is in charge now.
    """
    paths = importlib.import_module(f"moto.{package}.urls").url_paths
    for path, handler in list(paths.items()):
        owner = getattr(handler, "__self__", None)
        if isinstance(owner, type) and issubclass(response_class, owner):
            paths[path] = getattr(response_class, handler.__name__)


def json_parameters(response: BaseResponse) -> dict[str, Any]:
    """Return the parameters of a JSON protocol request."""
    return dict(json.loads(response.body or "{}"))


def as_list(value: Any) -> list[Any]:
    """Return a value of a policy as a list: IAM lets one element stand without its brackets."""
    if value is None:
        return []
    return list(value) if isinstance(value, (list, tuple)) else [value]


def policy_statements(document: str) -> list[dict[str, Any]]:
    """Return the statements of an IAM policy document.

    Raises:
        ValueError: if the document is not JSON, or not a policy.
    """
    policy = json.loads(document)
    if not isinstance(policy, dict) or "Statement" not in policy:
        raise ValueError("a policy is an object with a Statement")
    found = as_list(policy["Statement"])
    if not found or not all(isinstance(statement, dict) for statement in found):
        raise ValueError("Statement is one object or a list of objects")
    return found


class Prepared(BaseResponse):
    """A response class with a step before each action: time that has passed, and refusals that moto lacks."""

    def prepare(self, action: str) -> None:
        """Look at a call before moto does; raise a ServiceException to refuse it."""

    def call_action(self) -> Any:
        """Prepare, then answer; a refusal is serialised like one of moto's own."""
        action = self._get_action()
        try:
            if action:
                self.prepare(action)
        except ServiceException as refusal:
            status, headers, body = self.serialized(ActionResult(refusal))
            return status, headers, body
        return super().call_action()
