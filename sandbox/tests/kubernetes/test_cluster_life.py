"""The life of API servers with their clusters and with the sandbox: created, stopped, killed, kept, brought back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import psutil
import pytest
import urllib3

MAPS = "/api/v1/namespaces/default/configmaps"


@pytest.fixture(scope="module")
def own(standing: AbstractContextManager[Any]) -> Iterator[Any]:
    """A sandbox that these tests may stop and kill, with ``prod``."""
    with standing as made:
        made.create("prod")
        made.active("prod")
        yield made


def keep(stand: Any, name: str) -> None:
    stand.cluster().create(MAPS, {"metadata": {"name": name}, "data": {"kept": "yes"}})


def kept(stand: Any) -> set[str]:
    found = stand.cluster().items(MAPS)
    return {one["metadata"]["name"] for one in found} - {"kube-root-ca.crt"}


def processes(directory: Path) -> list[psutil.Process]:
    """Return the processes that work in a directory."""
    found = []
    for process in psutil.process_iter():
        try:
            if Path(process.cwd()).is_relative_to(directory):
                found.append(process)
        except (psutil.Error, OSError):
            continue
    return [
        one for one in found if one.name() in ("etcd", "kube-apiserver", "kube-controller", "kube-scheduler", "kube")
    ]


def test_data_outlive_the_sandbox(own: Any) -> None:
    keep(own, "before-down")
    endpoint = own.active("prod")["endpoint"]
    assert own.run("down").returncode == 0
    assert processes(own.directory) == []
    up(own)
    assert own.active("prod")["endpoint"] == endpoint
    own.until(lambda: reached(own))
    assert "before-down" in kept(own)


def up(stand: Any) -> None:
    started = stand.run("up", "--data-plane", "kubernetes")
    assert started.returncode == 0, started.stderr


def reached(stand: Any) -> bool:
    """Tell whether the API answers: while its server comes up, connections wait."""
    try:
        return bool(stand.cluster().ask("GET", "/readyz")[0] == 200)
    except urllib3.exceptions.HTTPError:
        return False


def test_a_sandbox_that_is_killed_leaves_no_servers_and_loses_no_data(own: Any) -> None:
    keep(own, "before-kill")
    number = own.control("GET", "kubernetes")["clusters"][0]["id"]
    psutil.Process(own.control("GET", "health")["pid"]).kill()
    own.until(lambda: processes(own.directory) == [])
    up(own)
    own.until(lambda: reached(own))
    assert "before-kill" in kept(own)
    assert own.control("GET", "kubernetes")["clusters"][0]["id"] == number


def test_a_snapshot_has_the_clusters_data(own: Any) -> None:
    keep(own, "in-snapshot")
    own.control("POST", "snapshot", name="kept")
    keep(own, "after-snapshot")
    own.create("later", "us-east-1")
    own.active("later", "us-east-1")
    own.control("POST", "restore", name="kept")
    own.until(lambda: reached(own))
    assert {"in-snapshot"} <= kept(own)
    assert "after-snapshot" not in kept(own)
    assert own.client("eks", "us-east-1").list_clusters()["clusters"] == []
    assert [one["name"] for one in own.control("GET", "kubernetes")["clusters"]] == ["prod"]


def test_a_server_that_is_restarted_comes_back_with_its_data(own: Any) -> None:
    keep(own, "before-restart")
    own.control("POST", "kubernetes/us-west-2/prod", restart=True)
    own.until(lambda: own.control("GET", "kubernetes")["clusters"][0]["state"] == "starting")
    own.until(lambda: reached(own))
    assert "before-restart" in kept(own)


def test_tokens_last_as_long_as_they_are_told_to(own: Any) -> None:
    cluster = own.cluster()
    assert cluster.ask("GET", "/api/v1/nodes")[0] == 200
    own.control("POST", "kubernetes/us-west-2/prod", token_seconds=0)
    try:
        own.until(lambda: cluster.ask("GET", "/api/v1/nodes")[0] == 401)
    finally:
        own.control("POST", "kubernetes/us-west-2/prod", token_seconds=900)
    own.until(lambda: cluster.ask("GET", "/api/v1/nodes")[0] == 200)


def test_a_region_that_is_down_takes_its_servers_off_the_network(own: Any) -> None:
    cluster = own.cluster()
    assert cluster.ask("GET", "/readyz")[0] == 200
    own.control("POST", "regions/us-west-2", state="down")
    try:
        with pytest.raises(urllib3.exceptions.HTTPError):
            cluster.ask("GET", "/readyz", seconds=2)
    finally:
        own.control("POST", "regions/us-west-2", state="up")
    assert cluster.ask("GET", "/readyz")[0] == 200


def test_a_deleted_cluster_is_gone_with_its_data(own: Any) -> None:
    directory = Path(own.control("GET", "kubernetes")["clusters"][0]["directory"])
    endpoint = own.active("prod")["endpoint"]
    own.client("eks").delete_cluster(name="prod")
    own.until(lambda: own.client("eks").list_clusters()["clusters"] == [])
    own.until(lambda: not directory.exists() and processes(own.directory) == [])
    with pytest.raises(urllib3.exceptions.HTTPError):
        urllib3.PoolManager(retries=False, timeout=2, cert_reqs="CERT_NONE").request("GET", endpoint)


def test_a_cluster_of_an_older_version_serves_what_that_had_and_is_upgraded(own: Any) -> None:
    own.create("prod", version="1.35")
    own.active("prod")
    version = own.cluster().get("/version")
    assert (version["emulationMajor"], version["emulationMinor"]) == ("1", "35")
    keep(own, "before-upgrade")
    own.client("eks").update_cluster_version(name="prod", version="1.36")
    own.until(lambda: own.active("prod")["version"] == "1.36")
    own.until(lambda: reached(own) and own.cluster().get("/version").get("emulationMinor") != "35")
    assert kept(own) == {"before-upgrade"}
