# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The way to an API server: who is trusted, what is tried again, and what a refusal says."""

from __future__ import annotations

import base64
import datetime
import ipaddress
import json
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.pipeops.platform.plugins.module_utils.engine.aws import Aws
from ansible_collections.pipeops.platform.plugins.module_utils.engine.errors import EngineError
from ansible_collections.pipeops.platform.plugins.module_utils.engine.lease import Lease, LeaseLost, bind, now
from ansible_collections.pipeops.platform.plugins.module_utils.kube.api import Api, Cluster, Refused, object_path
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

Answer = tuple[int, dict[str, Any]]


class Script:
    """What the server answers, one after the other, and what it was asked."""

    def __init__(self) -> None:
        self.answers: list[Answer] = []
        self.asked: list[tuple[str, str, str]] = []


def certificate() -> tuple[bytes, bytes]:
    """Return a certificate for 127.0.0.1 and its key, both PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    plain = serialization.NoEncryption()
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    return made.public_bytes(serialization.Encoding.PEM), pem


@pytest.fixture
def script() -> Script:
    return Script()


@pytest.fixture
def cluster(script: Script, tmp_path: Path) -> Iterator[Cluster]:
    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            self.rfile.read(length)
            script.asked.append((self.command, self.path, self.headers["Authorization"]))
            status, body = script.answers.pop(0) if script.answers else (200, {})
            data = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_PATCH = do_DELETE = answer

        def log_message(self, format: str, *args: Any) -> None:
            del format, args

    public, private = certificate()
    (tmp_path / "both.pem").write_bytes(private + public)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "both.pem")
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield Cluster("pipeops-test", f"https://127.0.0.1:{server.server_port}", base64.b64encode(public).decode())
    server.shutdown()
    server.server_close()


def api(cluster: Cluster, patience: float = 20) -> Api:
    keys = {"access_key": "AKIAIOSFODNN7EXAMPLE", "secret_key": "testing", "region": "us-west-2"}
    return Api(Aws({**keys, "wait_timeout": patience, "wait_delay": 0.1}), cluster)


def test_a_caller_comes_with_a_token(cluster: Cluster, script: Script) -> None:
    script.answers = [(200, {"kind": "Namespace"})]
    assert api(cluster).get("/api/v1/namespaces/default") == {"kind": "Namespace"}
    ((method, path, authorization),) = script.asked
    assert (method, path) == ("GET", "/api/v1/namespaces/default?")
    assert authorization.startswith("Bearer k8s-aws-v1.")


def test_what_is_not_there_is_none_and_to_delete_it_is_no_error(cluster: Cluster, script: Script) -> None:
    script.answers = [(404, {"message": "not found"}), (404, {"message": "not found"})]
    assert api(cluster).get("/api/v1/namespaces/nowhere") is None
    api(cluster).delete("/api/v1/namespaces/nowhere")


def test_a_server_that_starts_and_one_that_is_busy_are_waited_out(cluster: Cluster, script: Script) -> None:
    script.answers = [(503, {}), (429, {}), (500, {"message": "failed calling webhook"}), (200, {"kind": "Secret"})]
    assert api(cluster).apply("/x", {}, dry_run=True) == {"kind": "Secret"}
    assert len(script.asked) == 4
    assert all("dryRun=All" in path and "fieldValidation=Strict" in path for _method, path, _token in script.asked)


def test_a_token_that_ran_out_is_made_anew(cluster: Cluster, script: Script, monkeypatch: pytest.MonkeyPatch) -> None:
    made = iter(["first", "second"])
    where = "ansible_collections.pipeops.platform.plugins.module_utils.kube.api.eks_token"
    monkeypatch.setattr(where, lambda _aws, _name: next(made))
    script.answers = [(401, {"message": "Unauthorized"}), (200, {})]
    api(cluster).get("/x")
    assert [authorization for _method, _path, authorization in script.asked] == ["Bearer first", "Bearer second"]


def test_somebody_unknown_is_told_of_access_entries(cluster: Cluster, script: Script) -> None:
    script.answers = [(401, {"message": "Unauthorized"})] * 9
    with pytest.raises(Refused, match=r"^The cluster pipeops-test in us-west-2 does not know who runs.*access entry"):
        api(cluster, patience=0.5).get("/x")


def test_somebody_who_may_not_is_told_of_policies(cluster: Cluster, script: Script) -> None:
    script.answers = [(403, {"message": 'namespaces is forbidden: User "x" cannot list'})] * 9
    with pytest.raises(Refused, match=r"cannot list in the cluster pipeops-test.*AmazonEKSClusterAdminPolicy"):
        api(cluster, patience=0.5).get("/x")


def test_what_is_wrong_is_refused_at_once(cluster: Cluster, script: Script) -> None:
    script.answers = [(422, {"message": "spec.replicas: Invalid value"})]
    with pytest.raises(Refused, match=r"PATCH /x in the cluster pipeops-test.*Invalid value") as caught:
        api(cluster).apply("/x", {}, dry_run=False)
    assert caught.value.status == 422
    assert len(script.asked) == 1


def test_nothing_is_changed_without_the_deployment_lock(cluster: Cluster, script: Script, tmp_path: Path) -> None:
    Lease("prod", 7, now() - 1).write(tmp_path)
    bind(tmp_path)
    try:
        with pytest.raises(LeaseLost, match=r"PATCH /x in the cluster pipeops-test in us-west-2.*lock of prod"):
            api(cluster).apply("/x", {}, dry_run=False)
        with pytest.raises(LeaseLost, match="DELETE /x"):
            api(cluster).delete("/x")
        assert script.asked == []
        api(cluster).apply("/x", {}, dry_run=True)
        api(cluster).get("/x")
    finally:
        bind(tmp_path / "none")


def test_a_server_that_is_not_there_is_told_with_what_to_do() -> None:
    public, _key = certificate()
    nobody = Cluster("pipeops-test", "https://127.0.0.1:9", base64.b64encode(public).decode())
    with pytest.raises(EngineError, match=r"127.0.0.1:9, does not answer.*platform_kubernetes_enabled=false"):
        api(nobody, patience=0.5).get("/x")


def test_a_server_with_another_certificate_is_not_trusted(cluster: Cluster) -> None:
    public, _key = certificate()
    other = Cluster(cluster.name, cluster.endpoint, base64.b64encode(public).decode())
    with pytest.raises(EngineError, match=r"does not answer.*(?i:certificate)"):
        api(other, patience=0.5).get("/x")


def test_an_authority_that_is_none_is_named() -> None:
    with pytest.raises(EngineError, match="certificate_authority of the cluster pipeops-test is no base64 of PEM"):
        Cluster("pipeops-test", "https://127.0.0.1:9", "not base64!").pem()


def test_a_placeholder_is_planned() -> None:
    planned = Cluster("pipeops-test", "pending:eks_cluster.endpoint:main", "pending:eks_cluster.ca:main")
    assert planned.is_planned
    with pytest.raises(EngineError, match=r"has no API server yet.*playbooks/cluster.yml"):
        planned.insist_that_it_stands()


def test_kinds_are_learnt_from_the_server(cluster: Cluster, script: Script) -> None:
    pods = {"name": "pods", "kind": "Pod", "namespaced": True}
    script.answers = [(200, {"resources": [pods, {"name": "pods/log", "kind": "Pod", "namespaced": True}]}), (404, {})]
    way = api(cluster)
    assert way.kind("v1", "Pod") == pods
    assert way.kind("v1", "Pod") == pods
    assert way.kind("example.com/v1", "Widget") is None
    assert [path for _method, path, _token in script.asked] == ["/api/v1?", "/apis/example.com/v1?"]
    assert object_path(pods, "v1", "default", "web") == "/api/v1/namespaces/default/pods/web"
