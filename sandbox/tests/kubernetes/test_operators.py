"""What the operator of secrets would do: texts filled in, and Secrets with an owner."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from pipeops_sandbox.kubernetes.operators import filled, is_due, is_intact, seconds_of, secret_of, version_of


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


def synced(refreshed: str = "2026-11-30T08:00:00Z", **spec: Any) -> dict[str, Any]:
    item = external()
    item["spec"] |= spec
    ready = {"type": "Ready", "status": "True"}
    item["status"] = {"conditions": [ready], "refreshTime": refreshed, "syncedResourceVersion": version_of(item)}
    return item


AT = 1796025600.0
"""2026-11-30T08:00:00Z."""


def test_a_secret_is_read_again_when_the_interval_is_over() -> None:
    item = synced(refreshInterval="5m")
    assert [is_due(item, AT + seconds) for seconds in (0, 299, 300)] == [False, False, True]
    assert not is_due(synced(refreshInterval="0"), AT + 1e9)
    assert is_due(synced(), AT + 3600), "an hour, unless it is said"


@pytest.mark.parametrize("said", [{"annotations": {"force-sync": "1"}}, {"labels": {"a": "b"}}, {"generation": 2}])
def test_a_secret_is_read_at_once_when_something_else_is_said_of_it(said: dict[str, Any]) -> None:
    item = synced(refreshInterval="5m")
    item["metadata"] |= said
    assert is_due(item, AT)


def test_a_secret_is_read_until_it_could_be() -> None:
    assert is_due(external(), AT)
    item = synced(refreshInterval="5m")
    item["status"]["conditions"][0]["status"] = "False"
    assert is_due(item, AT)


def test_the_operator_knows_its_own_data_again() -> None:
    secret = secret_of(external(), {"a": "1"})
    assert is_intact(secret)
    secret["data"]["a"] = "Mg=="
    assert not is_intact(secret)


@pytest.mark.parametrize(("text", "seconds"), [("5m", 300), ("1h30m", 5400), ("15m0s", 900), ("0", 0)])
def test_intervals_are_those_of_kubernetes(text: str, seconds: float) -> None:
    assert seconds_of(text) == seconds
