# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What all EC2 networking types share: how they are found by their owner tags, tagged, and awaited."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any, ClassVar, TypeVar

from ..engine.aws import Aws, error_code, error_message, tag_dict, tag_list
from ..engine.errors import EngineError
from ..engine.model import TAG_COMPONENT, TAG_ENVIRONMENT, Observed, ResourceType, Scope
from ..engine.waiting import Patience, wait_until

with suppress(ImportError):
    # AnsibleAWSModule reports a missing botocore in Ansible's usual words.
    from botocore.exceptions import ClientError

T = TypeVar("T")
#: Seconds that EC2 is given to know, everywhere, a resource that it has just made. "Eventual consistency in the
#: Amazon EC2 API" advises retries with backoff and names no bound; more than a minute is not lag any more.
KNOWN_AFTER = 60


class Ec2Resource(ResourceType):
    """A resource that EC2 lists together with its tags.

    A subclass says how it is listed (``listing``, ``member``, ``id_member``) and how one item reads
    (:meth:`describe`); everything that carries the layer's owner tags is then found in one call.
    """

    service = "ec2"
    #: The client's method that lists them, and the member of its answer that holds the items.
    listing: ClassVar[str]
    member: ClassVar[str]
    #: The member of an item that identifies it.
    id_member: ClassVar[str]
    #: The name of the listing's filters: two of EC2's older operations use the singular.
    filters: ClassVar[str] = "Filters"
    #: The name of the listing's parameter that takes identifiers.
    ids: ClassVar[str]
    #: What EC2 calls it in tag specifications.
    tag_type: ClassVar[str]

    def describe(self, aws: Aws, item: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return an item of the listing in the words of this type's attributes."""
        raise NotImplementedError

    def status(self, item: Mapping[str, Any]) -> str:
        """Return the life-cycle state of an item in AWS's word."""
        return str(item.get("State", ""))

    def stands(self, item: Mapping[str, Any]) -> bool:
        """Tell whether an item counts: not one that is gone, on its way out, or never came to be."""
        return True

    def observe(self, aws: Aws, scope: Scope) -> list[Observed]:
        return [self.observed(aws, name, item) for name, item in self.owned(aws, scope).items()]

    def owned(self, aws: Aws, scope: Scope) -> dict[str, Mapping[str, Any]]:
        """Return the items that carry the layer's owner tags, or are taken over, and stand, by logical name.

        Raises:
            EngineError: if two have a claim to the same component tag, so that nobody can tell which one is meant.
        """
        found: dict[str, Mapping[str, Any]] = {}
        adopted = scope.adopted.get(self.kind, {})
        for item in self._candidates(aws, scope, list(adopted)):
            identifier = str(item[self.id_member])
            name = scope.owns(tag_dict(item.get("Tags"))) or adopted.get(identifier)
            if name is None or not self.stands(item):
                continue
            if name in found and found[name][self.id_member] != identifier:
                raise EngineError(
                    f"{found[name][self.id_member]} and {item[self.id_member]} in {scope.region} both count as "
                    f"{TAG_COMPONENT}={scope.component(name)}, a tag that belongs to one {self.label}. Delete the one "
                    "that is not in use, or take the tag off it, then run again."
                )
            found[name] = item
        return found

    def _candidates(self, aws: Aws, scope: Scope, adopted: list[str]) -> list[Mapping[str, Any]]:
        environment = {"Name": f"tag:{TAG_ENVIRONMENT}", "Values": [scope.identity.environment]}
        found = aws.pages("ec2", self.listing, self.member, **{self.filters: [environment]})
        return found + (aws.pages("ec2", self.listing, self.member, **{self.ids: adopted}) if adopted else [])

    def observed(self, aws: Aws, name: str, item: Mapping[str, Any]) -> Observed:
        """Return an item of the listing under its logical name."""
        attributes = self.describe(aws, item)
        return Observed(
            self.kind, name, str(item[self.id_member]), attributes, tag_dict(item.get("Tags")), self.status(item)
        )

    def by_id(self, aws: Aws, standing: Observed) -> Observed | None:
        """Describe one by its identifier, in whatever state it is; None once AWS does not know it any more."""
        try:
            items = aws.pages("ec2", self.listing, self.member, **{self.ids: [standing.id]})
        except ClientError as error:
            if not is_unknown(error):
                raise
            return None
        return next((self.observed(aws, standing.name, item) for item in items), None)

    def specification(self, tags: Mapping[str, str] | None) -> list[dict[str, Any]]:
        """Return tags as creating calls take them."""
        return [{"ResourceType": self.tag_type, "Tags": tag_list(tags)}] if tags else []

    def set_tags(self, aws: Aws, observed: Observed, tags: Mapping[str, str]) -> None:
        aws.client("ec2").create_tags(Resources=[observed.id], Tags=tag_list(tags))

    def transient(self, error: Exception) -> str:
        if is_unknown(error):
            return "EC2 does not know everywhere yet what it has just made"
        if error_code(error) == "DependencyViolation":
            return f"something still uses it: {error_message(error)}"
        return ""


def is_unknown(error: BaseException) -> bool:
    """Tell whether EC2 says that it does not know a resource, e.g. ``InvalidVpcID.NotFound``."""
    code = error_code(error)
    return code.endswith(".NotFound") or code == "NatGatewayNotFound"


@contextmanager
def tolerating(*codes: str) -> Iterator[None]:
    """Take these refusals for what they mean after a lost answer: it is so already."""
    try:
        yield
    except ClientError as error:
        if error_code(error) not in codes:
            raise


@contextmanager
def unless_gone() -> Iterator[None]:
    """Take it that something which EC2 does not know any more needs no removal."""
    try:
        yield
    except ClientError as error:
        if not is_unknown(error):
            raise


def once_known(aws: Aws, what: str, call: Callable[[], object]) -> None:
    """Make a call about a resource that was made a moment ago, and that EC2 may not know everywhere yet.

    The calls that follow a creation go through here: would their error reach the executor, it would take it for
    one of the creation and make a second resource.
    """

    def known() -> bool:
        call()
        return True

    once_seen(aws, what, known)


def once_seen(aws: Aws, what: str, look: Callable[[], T | None]) -> T:
    """Return what a look finds, as soon as EC2 shows it.

    Raises:
        EngineError: if it does not within ``KNOWN_AFTER`` seconds.
    """

    def check() -> tuple[T | None, str]:
        try:
            return look(), "not shown yet"
        except ClientError as error:
            if not is_unknown(error):
                raise
            return None, f"not known yet ({error_code(error)})"

    patience = Patience(min(KNOWN_AFTER, aws.patience.timeout), min(5, aws.patience.delay))
    return wait_until(check, f"{what} in {aws.region}", 1, patience, aws.progress)


def raise_unsuccessful(answer: Mapping[str, Any], operation: str) -> None:
    """Raise what an operation that answers 200 says of the items that it refused.

    Raises:
        ClientError: with the code and message of the first item in ``Unsuccessful``.
    """
    for item in answer.get("Unsuccessful") or ():
        error: Any = item["Error"]
        raise ClientError({"Error": error}, operation)


def missing_from(wanted: Sequence[str] | None, standing: Sequence[str] | None) -> list[str]:
    """Return what is wanted and does not stand, in a fixed order."""
    return sorted(set(wanted or ()) - set(standing or ()))
