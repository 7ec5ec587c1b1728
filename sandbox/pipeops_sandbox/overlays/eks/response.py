"""The EKS end of moto's dispatcher: parse, validate, answer once per token, serialise."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from moto.core.responses import ActionResult, BaseResponse
from moto.core.utils import camelcase_to_underscores, get_service_model
from moto.eks import urls
from moto.iam.models import SERVICE_NAME_CONVERSION

from ...runtime import runtime
from . import (
    access,
    addon_catalogue,
    addons,
    clusters,
    config_updates,
    insights,
    nodegroups,
    pod_identity,
    tags,
    updates,
    versions,
)
from .call import Call, handlers
from .lifecycle import settle
from .state import state_of
from .tokens import answer_once
from .validation import check

_OPERATION_MODULES = (
    access,
    addon_catalogue,
    addons,
    clusters,
    config_updates,
    insights,
    nodegroups,
    pod_identity,
    tags,
    updates,
    versions,
)
"""Importing these registers their operations."""

_PATHS = (
    "{0}/clusters$",
    "{0}/clusters/(?P<path>.+)$",
    "{0}/cluster-versions$",
    "{0}/access-policies$",
    "{0}/addons/(?P<path>.+)$",
    "{0}/tags/(?P<resourceArn>.+)$",
)


class EksResponse(BaseResponse):
    """Answers every registered operation; moto finds the method by the operation's name."""

    def __init__(self) -> None:
        super().__init__(service_name="eks")
        self.automated_parameter_parsing = True

    def get_region_from_url(self, request: Any, full_url: str) -> str:
        """Take the region from the credential scope alone.

        moto looks for a host name first, and finds one in the path when an ARN of a service-linked
        role (``.../eks.amazonaws.com/...``) stands there.
        """
        return super().get_region_from_url(request, "")

    def answer(self, name: str) -> ActionResult:
        """Validate a request against the model and hand it to the function registered for it."""
        model = get_service_model("eks").operation_model(name)
        params: dict[str, Any] = dict(self.params)
        check(model, params)
        call = Call(self.current_account, self.region, self.partition, self.access_key, params, runtime.clock.now())
        state = state_of(call)
        settle(state, call.now)
        answer = answer_once(state, name, call, handlers()[name])
        settle(state, call.now)
        return ActionResult(copy.deepcopy(answer))


def _method(name: str) -> Callable[[EksResponse], ActionResult]:
    def method(self: EksResponse) -> ActionResult:
        return self.answer(name)

    return method


def register() -> None:
    """Put our answers in place of moto's; to be called before the first request."""
    for name in handlers():
        setattr(EksResponse, camelcase_to_underscores(name), _method(name))
    SERVICE_NAME_CONVERSION["eks"] = "AmazonEKS"  # moto would name the service-linked role AWSServiceRoleForeks
    urls.url_paths.clear()
    urls.url_paths.update(dict.fromkeys(_PATHS, EksResponse.dispatch))


__all__ = ["EksResponse", "register"]
