# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Policy documents are compared by what they mean."""

from __future__ import annotations

from typing import Any

from ansible_collections.pipeops.platform.plugins.module_utils.resources.policies import same_document


class Tagged(str):
    """A text as Ansible hands it on: one that knows where it came from."""


def policy(text: Any, actions: Any) -> dict[str, Any]:
    statement = {"Effect": text("Allow"), "Action": actions, "Resource": [text("arn:aws:s3:::one"), text("*")]}
    return {"Version": text("2012-10-17"), "Statement": [statement]}


def test_texts_of_inventories_are_texts() -> None:
    wanted = policy(Tagged, [Tagged("s3:GetObject"), Tagged("s3:ListBucket")])
    assert same_document(wanted, policy(str, ["s3:ListBucket", "s3:GetObject"]))
    assert not same_document(wanted, policy(str, "s3:GetObject"))


def test_one_action_is_a_list_of_one() -> None:
    assert same_document(policy(Tagged, Tagged("s3:GetObject")), policy(str, ["s3:GetObject"]))
