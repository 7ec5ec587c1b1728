"""A sandbox for the tests: one server a session, its state reset for each test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config
from moto.core.base_backend import BackendDict

from pipeops_sandbox.runtime import runtime
from pipeops_sandbox.server import Sandbox, serve

ClientFactory = Callable[..., Any]


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
    with sandbox.lock:
        BackendDict.reset()
        runtime.reset()
        runtime.clock.set("instant", 1.0)
    return server_url


@pytest.fixture
def client(endpoint: str) -> ClientFactory:
    """A factory of boto3 clients: ``client("ec2", "us-west-2")``."""

    def make(service: str, region: str = "us-west-2", **options: Any) -> Any:
        config = options.pop("config", Config(retries={"total_max_attempts": 1}))
        return boto3.client(
            service, region, endpoint_url=endpoint, config=config,
            aws_access_key_id="AKIASANDBOX000000001", aws_secret_access_key="sandbox", **options,
        )  # fmt: skip

    return make
