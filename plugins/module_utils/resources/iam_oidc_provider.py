# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""IAM OIDC identity providers, which let tokens of a cluster or of a pipeline assume roles."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from ..engine.aws import Aws, tag_dict, tag_list
from ..engine.model import Observed, ResourceType, Scope, Traits, Update, Wanted
from ..engine.values import is_pending

SCHEME = "https://"


class IamOidcProvider(ResourceType):
    """An OIDC provider.

    Attributes:
        url: the issuer with ``https://``; unique in an account.
        client_ids: the audiences that its tokens may have, e.g. ``sts.amazonaws.com``.
        thumbprints: SHA-1 fingerprints of the issuer's CA. Without them IAM trusts its own list of CAs.

    Read only: ``arn``, ``issuer`` (the URL without ``https://``, as conditions of trust policies name it).
    """

    kind = "iam_oidc_provider"
    label = "IAM OIDC provider"
    service = "iam"
    deletion = Traits(seconds=1, interrupts="whatever signs in with tokens of the issuer", reversible=True)
    updates = (Update("client_ids", ("client_ids",)), Update("thumbprints", ("thumbprints",)))
    unordered = frozenset({"client_ids", "thumbprints"})
    # A cluster that is made anew has another issuer, and nothing is lost with the provider of the old one.
    replaceable = True

    def observe(self, aws: Aws, scope: Scope) -> list[Observed]:
        """Find each by its URL, and where that is not known yet or new, by its owner tags."""
        if not scope.wanted:
            return []
        items = aws.client("iam").list_open_id_connect_providers()["OpenIDConnectProviderList"]
        arns = [str(item["Arn"]) for item in items]
        urls = {name: wanted.attributes["url"] for name, wanted in scope.wanted.items()}
        by_url = {name: arn for name, url in urls.items() for arn in arns if _issuer(arn) == _bare(url)}
        look_at = list(by_url.values()) if len(by_url) == len(urls) else arns
        with ThreadPoolExecutor(8) as pool:
            described = dict(zip(look_at, pool.map(lambda arn: self._describe(aws, arn), look_at), strict=True))
        by_tag = {
            name: arn for arn, found in described.items() if found and (name := scope.owns(tag_dict(found.get("Tags"))))
        }
        chosen = {**by_tag, **by_url}
        return [
            self._observed(name, arn, found)
            for name, arn in chosen.items()
            if name in scope.wanted and (found := described[arn])
        ]

    @staticmethod
    def _describe(aws: Aws, arn: str) -> Mapping[str, Any] | None:
        client = aws.client("iam")
        try:
            found: Mapping[str, Any] = client.get_open_id_connect_provider(OpenIDConnectProviderArn=arn)
        except client.exceptions.NoSuchEntityException:
            return None
        return found

    @staticmethod
    def _observed(name: str, arn: str, found: Mapping[str, Any]) -> Observed:
        attributes = {
            "url": f"{SCHEME}{_bare(found['Url'])}",
            "client_ids": found.get("ClientIDList", []),
            "thumbprints": found.get("ThumbprintList", []),
            "arn": arn,
            "issuer": _issuer(arn),
        }
        return Observed("iam_oidc_provider", name, arn, attributes, tag_dict(found.get("Tags")))

    def create(self, aws: Aws, wanted: Wanted) -> Observed:
        client, attributes = aws.client("iam"), wanted.attributes
        issuer = _bare(attributes["url"])
        thumbprints = attributes.get("thumbprints")
        # It exists if the answer to an earlier try was lost: the URL is unique and none had it.
        with suppress(client.exceptions.EntityAlreadyExistsException):
            client.create_open_id_connect_provider(
                Url=attributes["url"],
                ClientIDList=list(attributes["client_ids"]),
                Tags=tag_list(wanted.tags or {}),
                **({"ThumbprintList": list(thumbprints)} if thumbprints else {}),
            )
        arn = f"arn:{aws.partition}:iam::{aws.account_id}:oidc-provider/{issuer}"
        read_only = {"arn": arn, "issuer": issuer}
        return Observed("iam_oidc_provider", wanted.name, arn, {**attributes, **read_only}, wanted.tags or {})

    def update(self, aws: Aws, update: Update, wanted: Wanted, observed: Observed) -> None:
        client, arn = aws.client("iam"), observed.id
        if update.name == "thumbprints":
            client.update_open_id_connect_provider_thumbprint(
                OpenIDConnectProviderArn=arn, ThumbprintList=list(wanted.attributes["thumbprints"])
            )
            return
        new, old = set(wanted.attributes["client_ids"]), set(observed.get("client_ids"))
        for client_id in sorted(new - old):
            client.add_client_id_to_open_id_connect_provider(OpenIDConnectProviderArn=arn, ClientID=client_id)
        for client_id in sorted(old - new):
            client.remove_client_id_from_open_id_connect_provider(OpenIDConnectProviderArn=arn, ClientID=client_id)

    def set_tags(self, aws: Aws, observed: Observed, tags: Mapping[str, str]) -> None:
        aws.client("iam").tag_open_id_connect_provider(OpenIDConnectProviderArn=observed.id, Tags=tag_list(tags))

    def delete(self, aws: Aws, observed: Observed) -> None:
        client = aws.client("iam")
        with suppress(client.exceptions.NoSuchEntityException):
            client.delete_open_id_connect_provider(OpenIDConnectProviderArn=observed.id)


def _issuer(arn: str) -> str:
    return arn.partition(":oidc-provider/")[2]


def _bare(url: object) -> str:
    """Return a URL as IAM keeps it; empty for one that is not known yet."""
    return url.removeprefix(SCHEME).rstrip("/") if isinstance(url, str) and not is_pending(url) else ""
