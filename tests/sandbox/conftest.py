# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Layers against the sandbox: each test gets an empty account."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.request import Request, urlopen

import boto3
import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.amazon.aws.plugins.module_utils.modules import aws_argument_spec
from ansible_collections.pipeops.platform.plugins.module_utils.engine.layer import argument_spec, run_layer
from pipeops_sandbox.runtime import runtime
from pipeops_sandbox.server import Sandbox, serve

MODULES = "ansible_collections.pipeops.platform.plugins.modules"


@dataclass
class Account:
    """An empty AWS account behind an endpoint of its own."""

    url: str
    sandbox: Sandbox
    region: str = "us-west-2"

    def client(self, service: str, region: str | None = None) -> Any:
        """Return a plain boto3 client, to look at what stands or to do what an operator might do by hand."""
        return boto3.client(service, region_name=region or self.region, endpoint_url=self.url)

    def run(self, module: str, *, check: bool = False, region: str | None = None, **options: Any) -> dict[str, Any]:
        """Run one of our modules, in process, with its options validated as Ansible would."""
        loaded = importlib.import_module(f"{MODULES}.{module}")
        given = {"environment": "prod", "region": region or self.region, "endpoint_url": self.url, "wait_delay": 0.2}
        spec = {**aws_argument_spec(), **argument_spec(loaded.ARGUMENT_SPEC)}
        checked = ArgumentSpecValidator(spec).validate({**given, **options})
        assert not checked.error_messages, checked.error_messages
        result = run_layer(loaded.LAYER, checked.validated_parameters, check_mode=check)
        # Ansible hands it on as JSON, in which nothing but plain values can be.
        json.dumps(result)
        return result

    def mutations(self, action: Callable[[], Any]) -> list[str]:
        """Return the mutating calls that an action makes, as ``service:Operation``."""
        before = self.journal_length()
        action()
        return [f"{e.service}:{e.operation}" for e in self.sandbox.journal.entries() if e.n > before and e.mutating]

    def run_watched(self, module: str, **options: Any) -> tuple[dict[str, Any], list[str]]:
        """Run one of our modules; return its result, and the mutating calls that it made."""
        result: dict[str, Any] = {}
        calls = self.mutations(lambda: result.update(self.run(module, **options)))
        return result, calls

    def journal_length(self) -> int:
        """Return the number of the latest call."""
        return max((entry.n for entry in self.sandbox.journal.entries()), default=0)


@pytest.fixture(scope="session")
def _server() -> Iterator[tuple[str, Sandbox]]:
    sandbox = Sandbox()
    server = serve(sandbox)
    yield server.url, sandbox
    server.shutdown()


@pytest.fixture
def account(_server: tuple[str, Sandbox], monkeypatch: pytest.MonkeyPatch) -> Account:
    """An empty account on the sandbox, where every step takes no time."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    url, sandbox = _server
    urlopen(Request(f"{url}/_sandbox/reset", method="POST"), timeout=10).close()
    runtime.clock.set("instant", 1)
    return Account(url, sandbox)


def prove_converges(account: Account, module: str, **options: Any) -> dict[str, Any]:
    """Check, create, check again, create again: the plan is what is done, and done once."""
    predicted = account.run(module, check=True, **options)
    applied = account.run(module, **options)
    assert [a["action"] for a in predicted["actions"]] == [a["action"] for a in applied["actions"]]
    assert applied["changed"]
    for check in (True, False):
        again, calls = account.run_watched(module, check=check, **options)
        assert again["actions"] == [], [a["action"] for a in again["actions"]]
        assert calls == []
        assert again["settled"]
    return applied


def prove_removes(account: Account, module: str, **options: Any) -> None:
    """Check, remove, remove again."""
    predicted = account.run(module, check=True, state="absent", **options)
    removed = account.run(module, state="absent", **options)
    assert [a["action"] for a in predicted["actions"]] == [a["action"] for a in removed["actions"]]
    assert removed["changed"]
    again = account.run(module, state="absent", **options)
    assert not again["changed"]
