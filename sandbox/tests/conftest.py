"""A sandbox for the tests: one server a session, its state reset for each test."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config
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
    sandbox.reset()
    runtime.clock.set("instant", 1.0)
    return server_url


@functools.cache
def _session(access_key: str) -> boto3.Session:
    """One session for all tests: each loads its service models anew, which takes a second."""
    return boto3.Session(aws_access_key_id=access_key, aws_secret_access_key="sandbox")


@pytest.fixture
def client(endpoint: str) -> ClientFactory:
    """A factory of boto3 clients that do not retry: ``client("ec2", "us-west-2")``."""

    def make(service: str, region: str = "us-west-2", access_key: str = "AKIASANDBOX000000001", **options: Any) -> Any:
        config = options.pop("config", Config(retries={"total_max_attempts": 1}))
        return _session(access_key).client(service, region, endpoint_url=endpoint, config=config, **options)

    return make
