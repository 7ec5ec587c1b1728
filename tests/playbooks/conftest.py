# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A sandbox on which prod stands; each test begins with it as the main playbook left it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.platform_runs import Platform, platform

#: What a run with nothing to do asks of AWS at most. Each of the add-ons' five roles takes four calls of IAM, which
#: tells of one role at a time. The budget takes six: itself, its tags, its notifications, and who is told of each of
#: the three.
CONVERGED_CALLS = 151


@pytest.fixture(scope="session")
def _server() -> Iterator[Platform]:
    with platform() as stand:
        yield stand


@pytest.fixture
def empty(_server: Platform) -> Platform:
    """An empty account."""
    _server.begin()
    return _server


@pytest.fixture(scope="session")
def _prod_once(_server: Platform) -> str:
    """Stand prod up, once, and return the name of the snapshot that keeps it."""
    _server.begin()
    first = _server.playbook("prod")
    assert first.status == 0, first.output[-4000:]
    _server.control("POST", "snapshot", name="prod")
    return "prod"


@pytest.fixture
def prod(_server: Platform, _prod_once: str) -> Platform:
    """The platform with prod as it was first stood up."""
    _server.begin()
    _server.control("POST", "restore", name=_prod_once)
    return _server


@pytest.fixture(scope="session")
def _pair_once(_server: Platform, _prod_once: str) -> str:
    """Stand dr up beside prod, once, and return the name of the snapshot that keeps both."""
    _server.begin()
    _server.control("POST", "restore", name=_prod_once)
    first = _server.playbook("dr")
    assert first.status == 0, first.output[-4000:]
    _server.control("POST", "snapshot", name="pair")
    return "pair"


@pytest.fixture
def pair(_server: Platform, _pair_once: str) -> Platform:
    """The platform with prod, and dr with its replica."""
    _server.begin()
    _server.control("POST", "restore", name=_pair_once)
    return _server
