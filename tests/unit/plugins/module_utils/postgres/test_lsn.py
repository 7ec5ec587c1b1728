# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.pipeops.platform.plugins.module_utils.postgres import lsn


@pytest.mark.parametrize(
    ("position", "number"),
    [
        ("0/0", 0),
        ("0/3000148", 0x3000148),
        ("0/FFFFFFFF", 0xFFFFFFFF),
        ("1/0", 0x100000000),
        ("1a/ab", 0x1A000000AB),
        ("FFFFFFFF/FFFFFFFF", 2**64 - 1),
    ],
)
def test_a_position_is_a_number_of_bytes(position: str, number: int) -> None:
    assert lsn.bytes_of(position) == number


@pytest.mark.parametrize("text", ["", "0", "0/", "/1", "0/g", "0/123456789", " 0/1", "0/1\n", "0x1/0", "-1/0", "0/1/2"])
def test_what_is_no_position_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no position"):
        lsn.bytes_of(text)


@pytest.mark.parametrize(
    ("position", "replayed", "missing"),
    [
        ("0/3000148", "0/3000148", 0),
        ("0/3000148", "0/3000000", 0x148),
        ("0/3000148", "0/4000000", 0),
        ("1/0", "0/FFFFFFFF", 1),
        # As text, 9 comes after 10.
        ("0/9000000", "0/10000000", 0),
        ("0/3000148", None, None),
    ],
)
def test_what_is_missing(position: str, replayed: str | None, missing: int | None) -> None:
    assert lsn.missing(position, replayed) == missing
