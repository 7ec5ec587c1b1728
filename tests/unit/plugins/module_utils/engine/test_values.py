# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.pipeops.platform.plugins.module_utils.engine.values import (
    Derived,
    Ref,
    canonical,
    is_pending,
    pending,
    references,
    resolve,
)
from hypothesis import given
from hypothesis import strategies as st

plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(plain)
def test_a_value_without_references_resolves_to_itself(value: object) -> None:
    assert not references(value)
    assert resolve(value, lambda _ref: pytest.fail("there is nothing to look up")) == value


@given(st.lists(plain), st.randoms())
def test_the_order_of_a_set_does_not_count(items: list[object], random: object) -> None:
    shuffled = list(items)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert canonical(items, unordered=True) == canonical(shuffled, unordered=True)


@given(plain)
def test_a_value_equals_itself(value: object) -> None:
    assert canonical(value) == canonical(value)


def test_references_are_found_and_replaced_at_any_depth() -> None:
    ref = Ref("ec2_vpc", "main")
    value = {"a": [{"b": ref}], "c": (ref,)}
    assert references(value) == {ref}
    assert resolve(value, lambda found: f"id of {found.name}") == {"a": [{"b": "id of main"}], "c": ["id of main"]}


def test_a_derived_value_is_made_once_its_source_is_known() -> None:
    derived = Derived(Ref("eks_cluster", "main", "issuer"), str.upper)
    assert references([derived]) == {derived.ref}
    assert resolve(derived, lambda _ref: "known") == "KNOWN"
    assert is_pending(resolve(derived, lambda ref: pending(ref.kind, ref.name, ref.attribute)))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (pending("ec2_vpc", "main"), True),
        (f"arn:aws:ec2:::{pending('ec2_vpc', 'main')}", True),
        ({"a": [pending("ec2_vpc", "main")]}, True),
        ("vpc-1", False),
        ({"a": ["b"]}, False),
        (7, False),
        (None, False),
    ],
)
def test_placeholders_are_known_wherever_they_are(value: object, expected: bool) -> None:
    assert is_pending(value) is expected
