"""What the operator of secrets would do: texts filled in, and Secrets with an owner."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from pipeops_sandbox.kubernetes.operators import filled, secret_of


def external(**target: Any) -> dict[str, Any]:
    return {"metadata": {"name": "database", "namespace": "shop", "uid": "1"}, "spec": {"target": target}}


def test_a_template_is_filled_in() -> None:
    assert filled("postgres://{{ .username }}@{{.host}}", {"username": "app", "host": "db"}) == "postgres://app@db"


def test_a_member_that_is_not_there_is_named() -> None:
    with pytest.raises(LookupError, match="no member password"):
        filled("{{ .password }}", {})


def test_without_a_template_all_members_are_taken() -> None:
    data = secret_of(external(), {"a": "1"})["data"]
    assert {name: base64.b64decode(value) for name, value in data.items()} == {"a": b"1"}


def test_a_secret_belongs_to_what_asked_for_it_and_has_its_labels() -> None:
    template = {"metadata": {"labels": {"kind": "repository"}}, "data": {"url": "u"}}
    secret = secret_of(external(name="repository", template=template), {})
    assert secret["metadata"]["name"] == "repository"
    assert secret["metadata"]["labels"]["kind"] == "repository"
    assert secret["metadata"]["ownerReferences"][0]["kind"] == "ExternalSecret"
