"""A sandbox for the tests: one server a session, its state reset for each test."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterator
from typing import Any
from urllib.request import Request, urlopen

import boto3
import pytest
from botocore.config import Config
from botocore.model import OperationModel
from botocore.validate import ParamValidator
from pipeops_sandbox.runtime import runtime
from pipeops_sandbox.server import Sandbox, serve

ClientFactory = Callable[..., Any]
# Required by the model, left out by AWS: a private zone has no delegation set, a first page no marker.
NOT_ALWAYS_THERE = {
    ("CreateHostedZone", 'Missing required parameter in input: "DelegationSet"'),
    ("ListHostedZones", 'Missing required parameter in input: "Marker"'),
}


@pytest.fixture(scope="session")
def sandbox() -> Sandbox:
    """The sandbox itself, for tests that look inside."""
    return Sandbox()


@pytest.fixture(scope="session")
def server_url(sandbox: Sandbox) -> Iterator[str]:
    """The URL of a server that lives as long as the session."""
    server = serve(sandbox)
    yield server.url
    server.shutdown()
    server.server_close()


@pytest.fixture
def endpoint(sandbox: Sandbox, server_url: str) -> str:
    """The URL of an empty sandbox, on the instant profile."""
    sandbox.reset()
    runtime.clock.set("instant", 1.0)
    return server_url


@pytest.fixture
def control(endpoint: str) -> Callable[..., Any]:
    """Call the control interface: ``control("POST", "faults", effect="reset")``; returns the parsed answer."""

    def call(method: str, path: str, **body: Any) -> Any:
        data = json.dumps(body).encode() if body else None
        with urlopen(Request(f"{endpoint}/_sandbox/{path}", data, method=method), timeout=10) as answer:
            return json.load(answer)

    return call


def check_contract(http_response: Any, parsed: dict[str, Any], model: OperationModel, **_: Any) -> None:
    """Compare each answer of a test with the service's model: types, required members, and no member of its own."""
    shape = model.output_shape
    if http_response.status_code >= 300 or shape is None or model.has_streaming_output:
        return
    answer = {name: value for name, value in parsed.items() if name != "ResponseMetadata"}
    report = str(ParamValidator().validate(answer, shape).generate_report())
    wrong = [line for line in report.splitlines() if _breaks_contract(model.name, line)]
    assert not wrong, f"{model.name}: {wrong}"
    if "json" in model.service_model.protocol and http_response.content:
        unknown = list(_unknown_members(json.loads(http_response.content), shape, model.name))
        assert not unknown, f"members that the model does not have: {unknown}"


def _breaks_contract(operation: str, line: str) -> bool:
    """Tell a real difference from what the SDK itself does to an answer: it turns policy documents into objects."""
    if any(line.startswith(known) and operation == name for name, known in NOT_ALWAYS_THERE):
        return False
    decoded_policy = "type: <class 'dict'>, valid types: <class 'str'>" in line
    return line.startswith(("Missing", "Unknown", "Invalid type")) and not decoded_policy


def _unknown_members(value: Any, shape: Any, path: str) -> Iterator[str]:
    """Yield the path of each member of a JSON answer that the shape does not declare."""
    if shape.type_name == "structure" and isinstance(value, dict):
        declared = {member.serialization.get("name", name): member for name, member in shape.members.items()}
        for name, item in value.items():
            if name not in declared:
                yield f"{path}.{name}"
            else:
                yield from _unknown_members(item, declared[name], f"{path}.{name}")
    elif shape.type_name == "list" and isinstance(value, list):
        for item in value:
            yield from _unknown_members(item, shape.member, f"{path}[]")
    elif shape.type_name == "map" and isinstance(value, dict):
        for item in value.values():
            yield from _unknown_members(item, shape.value, f"{path}{{}}")


@functools.cache
def _session(access_key: str) -> boto3.Session:
    """One session for all tests: each loads its service models anew, which takes a second."""
    return boto3.Session(aws_access_key_id=access_key, aws_secret_access_key="sandbox")


@pytest.fixture
def client(endpoint: str) -> ClientFactory:
    """A factory of boto3 clients that do not retry: ``client("ec2", "us-west-2")``."""

    def make(service: str, region: str = "us-west-2", access_key: str = "AKIASANDBOX000000001", **options: Any) -> Any:
        config = options.pop("config", Config(retries={"total_max_attempts": 1}))
        made = _session(access_key).client(service, region, endpoint_url=endpoint, config=config, **options)
        made.meta.events.register("after-call", check_contract)
        return made

    return make
