# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""OIDC providers that all environments of an account share, such as GitHub's."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ..engine.aws import Aws
from ..engine.model import Observed, Scope, Update, Wanted
from .iam_oidc_provider import IamOidcProvider


class IamSharedProvider(IamOidcProvider):
    """An OIDC provider of which an account has one, whoever needs it.

    It is made where it is missing, gets the audiences that it lacks, and is never removed: others sign in with it.

    Attributes: as in :class:`IamOidcProvider`.
    """

    kind = "iam_shared_provider"
    label = "shared IAM OIDC provider"
    removable = False
    replaceable = False

    def observe(self, aws: Aws, scope: Scope) -> list[Observed]:
        return [replace(found, kind=self.kind) for found in super().observe(aws, scope)]

    def create(self, aws: Aws, wanted: Wanted) -> Observed:
        return replace(super().create(aws, wanted), kind=self.kind)

    def update(self, aws: Aws, update: Update, wanted: Wanted, observed: Observed) -> None:
        # The audiences of others stay.
        client_ids = sorted({*wanted.attributes["client_ids"], *observed.get("client_ids")})
        super().update(
            aws, update, replace(wanted, attributes={**wanted.attributes, "client_ids": client_ids}), observed
        )

    def same(self, attribute: str, wanted: Any, observed: Any) -> bool:
        if attribute == "client_ids":
            return set(wanted) <= set(observed)
        return super().same(attribute, wanted, observed)
