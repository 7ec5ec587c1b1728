"""Getting the programs: in which order, checked, once, and a plain word where they cannot be had."""

from __future__ import annotations

import hashlib
import io
import subprocess
import sys
import tarfile
import threading
from argparse import Namespace
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from pipeops_sandbox import cli
from pipeops_sandbox.kubernetes import build, programs

SCRIPT = b"#!/bin/sh\necho Kubernetes v1.36.3\n"


class Quiet(SimpleHTTPRequestHandler):
    """Serves files and says nothing."""

    def log_message(self, *_words: Any) -> None:
        """Keep the test's output clean."""


def archive(member: str) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as made:
        row = tarfile.TarInfo(member)
        row.size = len(SCRIPT)
        made.addfile(row, io.BytesIO(SCRIPT))
    return buffer.getvalue()


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A machine with an empty cache, no Go, and nothing of Kubernetes installed."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.delenv("KUBEBUILDER_ASSETS", raising=False)
    (tmp_path / "bin").mkdir()
    programs.place.cache_clear()
    yield tmp_path
    programs.place.cache_clear()


@pytest.fixture
def mirror(bare: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A server on loopback with prebuilt programs, and pins that lead to it."""
    files = bare / "files"
    files.mkdir()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(files)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    rows = {}
    for name in (*programs.NEEDED, programs.HELM):
        data = archive(f"x/{name}") if name in ("etcd", "helm") else SCRIPT
        (files / name).write_bytes(data)
        rows[name] = {
            "url": f"http://127.0.0.1:{server.server_port}/{name}",
            "sha256": hashlib.sha256(data).hexdigest(),
            "member": f"x/{name}" if name in ("etcd", "helm") else "",
        }
    monkeypatch.setitem(programs.pins(), "prebuilt", {programs.machine(): rows})
    yield files
    server.shutdown()
    server.server_close()


def test_prebuilt_programs_are_taken_once(mirror: Path) -> None:
    said: list[str] = []
    have = build.obtain(said.append)
    assert (have.version, have.origin) == ("1.36.3", "prebuilt, downloaded")
    answer = subprocess.run([have.program("kube-apiserver")], capture_output=True, check=True)
    assert answer.stdout == b"Kubernetes v1.36.3\n"
    for path in mirror.iterdir():
        path.unlink()
    assert build.obtain(said.append) == have, "the second time they are there"
    assert len([line for line in said if "checksum right" in line]) == 5


def test_a_wrong_checksum_is_not_taken(mirror: Path) -> None:
    (mirror / "kube-scheduler").write_bytes(b"something else")
    said: list[str] = []
    with pytest.raises(build.Unobtainable, match="no Go to build them with"):
        build.obtain(said.append)
    assert any("is not what it was when its checksum was taken" in line for line in said)
    assert programs.found() is None
    assert [path.name for path in programs.cache_root().iterdir()] == [f"{programs.place().name}.lock"]


def test_what_cannot_be_had_is_said(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(programs.pins(), "prebuilt", {})
    with pytest.raises(build.Unobtainable, match="no Kubernetes API server"):
        build.obtain(lambda _text: None)
    assert build.describe()["origin"] == "none"


def test_a_build_that_fails_shows_why(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(programs.pins(), "prebuilt", {})
    go = bare / "bin" / "go"
    go.write_text("#!/bin/sh\necho k8s.io/api/core/v1 >&2\necho 'main.go:7: undefined: x' >&2\nexit 1\n")
    go.chmod(0o755)
    with pytest.raises(build.BuildFailed, match="undefined: x"):
        build.obtain(lambda _text: None)
    assert programs.found() is None


def test_sources_that_cannot_be_had_are_no_failure(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(programs.pins(), "prebuilt", {})
    go = bare / "bin" / "go"
    go.write_text("#!/bin/sh\necho 'go: downloading k8s.io/api' >&2\necho 'dial tcp: i/o timeout' >&2\nexit 1\n")
    go.chmod(0o755)
    with pytest.raises(build.Unobtainable, match=r"did not get as far as compiling:\n.*\ndial tcp: i/o timeout"):
        build.obtain(lambda _text: None)
    assert programs.found() is None


def test_two_builders_make_one_build(mirror: Path) -> None:
    said: list[str] = []
    threads = [threading.Thread(target=build.obtain, args=(said.append,)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len([line for line in said if "checksum right" in line]) == 5


def test_a_build_under_way_can_be_seen_and_ends_with_its_process(bare: Path) -> None:
    assert not build.under_way()
    lock = programs.cache_root() / f"{programs.place().name}.lock"
    lock.parent.mkdir(parents=True)
    code = "import fcntl, sys; f = open(sys.argv[1], 'w'); fcntl.flock(f, fcntl.LOCK_EX); print(flush=True); input()"
    builder = subprocess.Popen([sys.executable, "-c", code, str(lock)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert builder.stdout
    builder.stdout.readline()
    assert build.under_way()
    assert build.describe()["origin"] == "being built"
    builder.kill()
    builder.wait()
    assert not build.under_way()


def test_a_build_that_ends_while_somebody_looks_has_left_its_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    made = programs.Programs({}, "1.36.3", "built")
    questions: list[str] = []

    def found() -> programs.Programs | None:
        questions.append("found")
        return made if len(questions) > 1 else None

    def under_way() -> bool:
        questions.append("under way")
        return len(questions) == 1

    monkeypatch.setattr(programs, "found", found)
    monkeypatch.setattr(build, "under_way", under_way)
    assert build.look() == (made, False)


def test_installed_programs_come_first(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = bare / "assets"
    own.mkdir()
    for name in programs.NEEDED:
        (own / name).write_bytes(SCRIPT.replace(b"1.36.3", b"1.35.0"))
        (own / name).chmod(0o755)
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(own))
    have = programs.found()
    assert have is not None
    assert (have.version, have.minor, have.program("etcd")) == ("1.35.0", (1, 35), str(own / "etcd"))
    (own / "etcd").unlink()
    assert programs.found() is None, "a part of them does not do"


def test_the_pins_are_those_of_the_sources() -> None:
    modules = (programs.SOURCES / "go.mod").read_text("utf-8")
    assert f"k8s.io/kubernetes v{programs.pins()['kubernetes']}\n" in modules
    assert f"helm.sh/helm/v3 v{programs.pins()['helm']}\n" in modules
    for rows in programs.pins()["prebuilt"].values():
        versions = {name: row["url"] for name, row in rows.items()}
        assert all(f"v{programs.pins()['kubernetes']}/" in versions[name] for name in programs.NEEDED[1:])
        etcd = versions["etcd"].split("/")[-2]
        assert f"go.etcd.io/etcd/server/v3 {etcd}\n" in modules


def test_helm_is_linked_into_the_environment(mirror: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    venv = tmp_path / "venv"
    (venv / "bin").mkdir(parents=True)
    monkeypatch.setattr(sys, "prefix", str(venv))
    have = build.obtain(lambda _text: None)
    link = build.link_helm(have)
    assert link == venv / "bin" / "helm"
    assert link.readlink() == Path(have.paths["helm"])
    link.unlink()
    link.write_text("somebody's own")
    assert build.link_helm(have) == link
    assert link.read_text() == "somebody's own"


def test_a_sandbox_that_finds_the_programs_links_helm(
    mirror: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    venv = tmp_path / "venv"
    (venv / "bin").mkdir(parents=True)
    monkeypatch.setattr(sys, "prefix", str(venv))
    have = build.obtain(lambda _text: None)
    assert cli._clusters_wanted(Namespace(data_plane="all"))
    assert (venv / "bin" / "helm").readlink() == Path(have.paths["helm"])
