"""The tagging API: it shows RDS, EKS and Scheduler too, which are ours, and its pages can be kept with the state."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, ClassVar

from moto.core.resource_tagging import TaggableResourcesMixin, TaggedResource, iter_taggable_backends
from moto.resourcegroupstaggingapi import models
from moto.resourcegroupstaggingapi.models import ResourceGroupsTaggingAPIBackend
from moto.scheduler.models import scheduler_backends

from ..runtime import runtime
from .eks import lifecycle as eks_lifecycle
from .eks import tags as eks_tags
from .eks.state import eks_state
from .rds import lifecycle as rds_lifecycle
from .rds import tags as rds_tags


class _Service(TaggableResourcesMixin):
    """The resources of one account and Region in a service that the sandbox has in moto's place."""

    SERVICE_NAMESPACE: ClassVar[str] = "none"

    def __init__(self, account: str, region: str, partition: str) -> None:
        self.account, self.region, self.partition = account, region, partition

    def tagged(self) -> Iterable[tuple[str, dict[str, str]]]:
        """Return ARN and tags of each resource there is now."""
        raise NotImplementedError

    def iter_tagged_resources(self) -> Iterator[TaggedResource]:
        """Yield the resources under the type that ``ResourceTypeFilters`` know, e.g. ``rds:db``."""
        for arn, tags in self.tagged():
            resource = arn.split(":", 5)[5]
            kind = resource.replace("/", ":").split(":", 1)[0]
            yield TaggedResource(arn, tags, f"{self.SERVICE_NAMESPACE}:{kind}")


class _Rds(_Service):
    SERVICE_NAMESPACE = "rds"

    def tagged(self) -> Iterable[tuple[str, dict[str, str]]]:
        """Return what RDS has."""
        rds_lifecycle.settle(self.account, runtime.clock.now())
        for arn, tags in rds_tags.tagged_resources(self.account, self.region):
            yield arn, {tag["Key"]: tag["Value"] for tag in tags}


class _Eks(_Service):
    SERVICE_NAMESPACE = "eks"

    def tagged(self) -> Iterable[tuple[str, dict[str, str]]]:
        """Return what EKS has."""
        eks_lifecycle.settle(eks_state(self.account, self.region), runtime.clock.now())
        return eks_tags.tagged_resources(self.account, self.region)


class _Scheduler(_Service):
    SERVICE_NAMESPACE = "scheduler"

    def tagged(self) -> Iterable[tuple[str, dict[str, str]]]:
        """Return the schedule groups; schedules have no tags."""
        backend = scheduler_backends[self.account][self.region]
        for group in backend.schedule_groups.values():
            tags = backend.tagger.get_tag_dict_for_resource(group.arn)
            if tags:
                yield group.arn, tags


_SERVICES: tuple[type[_Service], ...] = (_Rds, _Eks, _Scheduler)
_OURS = {service.SERVICE_NAMESPACE for service in _SERVICES}


def _backends(account: str, region: str) -> Iterator[TaggableResourcesMixin]:
    """Yield moto's services in use, with ours in the place of its RDS and EKS."""
    yield from (found for found in iter_taggable_backends(account, region) if found.SERVICE_NAMESPACE not in _OURS)
    for service in _SERVICES:
        yield service(account, region, models.resourcegroupstaggingapi_backends[account][region].partition)


_Generator = Callable[..., Iterator[Any]]


def _keepable(generator: _Generator) -> _Generator:
    """Make an iterator that can be pickled of a generator: moto keeps what the next page will show."""
    return lambda *arguments, **options: iter(list(generator(*arguments, **options)))


def _once(generator: _Generator) -> _Generator:
    """Name each key or value once, as AWS does; moto repeats it for each resource."""
    return lambda *arguments, **options: iter(sorted(set(generator(*arguments, **options))))


def register() -> None:
    """Put this overlay in front of moto's tagging API."""
    models.iter_taggable_backends = _backends  # type: ignore[assignment,attr-defined]
    for name, change in (
        ("_get_resources_generator", _keepable),
        ("_get_tag_keys_generator", _once),
        ("_get_tag_values_generator", _once),
    ):
        setattr(ResourceGroupsTaggingAPIBackend, name, change(getattr(ResourceGroupsTaggingAPIBackend, name)))
