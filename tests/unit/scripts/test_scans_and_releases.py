# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import actionlint
import pytest
import release
import scan_secrets
import yaml

from tests.security.__main__ import Finding as Rule
from tests.security.__main__ import judge as judge_rules

#: In two parts, so that this file has none itself.
ACCESS_KEY = "AKIA" + "Q7T4ZJ2MX5RWLB3N"


def test_a_key_is_found_anywhere_and_a_password_where_people_configure(tmp_path: Path) -> None:
    named = 'database_password: "wintermute-42"\n'
    for path, text in (
        ("tests/x.py", f'KEY = "{ACCESS_KEY}"\n'),
        ("inventories/dev.yml", named),
        ("tests/dev.yml", named),
    ):
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(text, "utf-8")
    found = list(scan_secrets.findings(["tests/x.py", "inventories/dev.yml", "tests/dev.yml"], tmp_path))
    assert {(one.path, one.line, one.kind) for one in found} == {
        ("tests/x.py", 1, "AWS Access Key"), ("inventories/dev.yml", 1, "Secret Keyword"),
    }  # fmt: skip
    assert ACCESS_KEY not in str(found)


def test_exceptions_are_of_one_value_and_have_to_be_needed() -> None:
    found = scan_secrets.Finding("a.py", 3, "AWS Access Key", scan_secrets.digest(ACCESS_KEY))
    known = scan_secrets.known([{"reason": "of a test", "files": {"a.py": [found.digest]}}])
    assert list(scan_secrets.judge([found], known)) == []
    (said,) = scan_secrets.judge([found], set())
    assert said.startswith("a.py:3: AWS Access Key.")
    assert ACCESS_KEY not in said
    (stale,) = scan_secrets.judge([], known)
    assert "take the exception out" in stale


def test_every_exception_has_a_reason() -> None:
    for name in (scan_secrets.KNOWN, Path(judge_rules.__code__.co_filename).with_name("exceptions.yml")):
        for entry in yaml.safe_load(name.read_text("utf-8")):
            assert len(entry["reason"].split()) > 3, entry


def test_rules_are_excepted_one_by_one_and_have_to_be_needed() -> None:
    found = Rule("CKV_K8S_1", "a rule", "manifests/plain.yaml", "Deployment.x.y")
    exception: dict[str, Any] = {"rule": "CKV_K8S_1", "of": ["manifests/plain.yaml Deployment.*"]}
    assert list(judge_rules([found], [exception])) == []
    assert list(judge_rules([found], [])) == ["CKV_K8S_1 manifests/plain.yaml Deployment.x.y: a rule"]
    (stale,) = judge_rules([], [exception])
    assert "nothing needs CKV_K8S_1" in stale


def test_a_release_is_of_the_version_that_is_tagged() -> None:
    assert release.check("v1.2.3", {"version": "1.2.3"}) == "1.2.3"
    for tag, version in (("v1.2.4", "1.2.3"), ("1.2.3", "1.2.3"), ("", "1.2.3"), ("v1.2", "1.2")):
        with pytest.raises(release.Refused):
            release.check(tag, {"version": version})


def test_the_token_of_galaxy_is_on_no_command_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    calls: list[tuple[list[str], dict[str, str]]] = []

    def run(command: list[str], **options: Any) -> subprocess.CompletedProcess[str]:
        calls.append((command, options.get("env", {})))
        if "build" in command:
            tmp_path.mkdir(exist_ok=True)
            (tmp_path / "pipeops-platform-1.0.0.tar.gz").write_text("", "utf-8")
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(release, "FOLDER", tmp_path / "release")
    monkeypatch.setattr(release.subprocess, "run", run)
    tmp_path = tmp_path / "release"
    assert release.publish({"GALAXY_API_KEY": "the token"}) == 0
    assert [command[2] for command, _variables in calls] == ["build", "publish"]
    assert all("the token" not in " ".join(command) for command, _variables in calls)
    assert calls[1][1]["ANSIBLE_GALAXY_SERVER_RELEASE_TOKEN"] == "the token"
    with pytest.raises(release.Refused, match="GALAXY_API_KEY"):
        release.publish({})


def test_actionlint_is_told_to_be_missing_where_there_is_no_go(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert actionlint.main([]) == actionlint.UNOBTAINABLE
    assert "there is no Go to build it with" in capsys.readouterr().err
