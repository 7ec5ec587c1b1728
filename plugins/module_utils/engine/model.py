# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The words that everything else is said in: what is wanted, what is observed, and what a type can do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any, ClassVar

from .values import canonical, references

if TYPE_CHECKING:
    from .aws import Aws

TAG_PLATFORM = "pipeops:platform"
TAG_ENVIRONMENT = "pipeops:environment"
TAG_COMPONENT = "pipeops:component"
TAG_MANAGED_BY = "pipeops:managed-by"
#: On what was made by others and taken over: it keeps what cannot be changed of it, see ``ResourceType.inherited``.
TAG_ADOPTED = "pipeops:adopted"
MANAGED_BY = "pipeops.platform"

Key = tuple[str, str]


@dataclass(frozen=True)
class Identity:
    """Whose resources these are. All names and owner tags derive from it, so nothing has to be remembered."""

    platform: str
    environment: str

    @property
    def prefix(self) -> str:
        """The start of every name, e.g. ``pipeops-prod``."""
        return f"{self.platform}-{self.environment}"

    def name(self, *parts: str) -> str:
        """Return the name of a resource, e.g. ``pipeops-prod-database``."""
        return "-".join((self.prefix, *parts))

    def tags(self, component: str) -> dict[str, str]:
        """Return the tags by which a resource is found again."""
        return {
            TAG_PLATFORM: self.platform,
            TAG_ENVIRONMENT: self.environment,
            TAG_COMPONENT: component,
            TAG_MANAGED_BY: MANAGED_BY,
        }


@dataclass(frozen=True)
class Wanted:
    """One resource as it should be.

    Attributes:
        kind: the resource type, e.g. ``ec2_subnet``.
        name: the logical name, unique among its kind in a layer; for people and for the component tag.
        attributes: what it should be like. ``None`` means untouched. Values may be references.
        tags: the tags it must carry; others on it are left alone.
        after: resources that must stand first, beside those that are referenced.
    """

    kind: str
    name: str
    attributes: Mapping[str, Any] = field(default_factory=dict)
    tags: Mapping[str, str] | None = None
    after: tuple[Key, ...] = ()

    @property
    def key(self) -> Key:
        return (self.kind, self.name)

    @property
    def needs(self) -> set[Key]:
        """The resources that this one depends on."""
        found = {(ref.kind, ref.name) for ref in references(self.attributes)}
        return (found | set(self.after)) - {self.key}


@dataclass(frozen=True)
class Observed:
    """One resource as AWS describes it, in the words of its type's attributes.

    Attributes:
        id: the identifier that AWS knows it by.
        attributes: as in :class:`Wanted`, and what only AWS can tell (``arn``, ``endpoint``).
        status: its life-cycle state in AWS's word, empty where it has none.
    """

    kind: str
    name: str
    id: str
    attributes: Mapping[str, Any] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    status: str = ""

    @property
    def key(self) -> Key:
        return (self.kind, self.name)

    def get(self, attribute: str) -> Any:
        """Return an attribute, ``id`` included; None if AWS has not told it yet."""
        return self.id if attribute == "id" else self.attributes.get(attribute)


@dataclass(frozen=True)
class Traits:
    """What a person wants to know of an action before saying yes.

    Attributes:
        seconds: how long it usually takes until the resource is ready.
        interrupts: what stops working meanwhile; empty if nothing does.
        reversible: whether the opposite change brings the former state back, data included.
    """

    seconds: float = 1
    interrupts: str = ""
    reversible: bool = True


@dataclass(frozen=True)
class Update:
    """A change in place: the attributes that one call (or one series of calls) sets together."""

    name: str
    attributes: tuple[str, ...]
    traits: Traits = Traits()


TAGS = Update("tags", ("tags",))


class Readiness(Enum):
    """Whether a resource can be used by others."""

    READY = "ready"
    WAIT = "wait"
    FAILED = "failed"


@dataclass(frozen=True)
class Scope:
    """Where a type has to look: the environment, the layer, and what is wanted there.

    Attributes:
        wanted: what is wanted of this type.
        layer_wanted: what is wanted of all types, for those that are found through another, e.g. by its name.
        adopted: for each kind, the identifiers of what this run takes over, with their logical names.
    """

    identity: Identity
    layer: str
    region: str
    wanted: Mapping[str, Wanted]
    layer_wanted: Mapping[Key, Wanted] = field(default_factory=dict)
    adopted: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def component(self, name: str) -> str:
        """Return the value of the component tag of a resource of this layer."""
        return f"{self.layer}/{name}"

    def owns(self, tags: Mapping[str, str]) -> str | None:
        """Return the logical name if the tags say that the resource belongs to this layer, else None."""
        component = tags.get(TAG_COMPONENT, "")
        owner = (tags.get(TAG_PLATFORM), tags.get(TAG_ENVIRONMENT))
        ours = owner == (self.identity.platform, self.identity.environment)
        return component.removeprefix(f"{self.layer}/") if ours and component.startswith(f"{self.layer}/") else None


class ResourceType:
    """One kind of AWS resource: how it is found, made, changed and removed.

    Everything that is decided (what differs, in which order, what may not change) is decided by the planner
    from the class attributes; the methods only talk to AWS.
    """

    kind: ClassVar[str]
    label: ClassVar[str]
    service: ClassVar[str]
    creation: ClassVar[Traits] = Traits()
    deletion: ClassVar[Traits] = Traits(reversible=False)
    #: Changes in place, in the order in which they are applied.
    updates: ClassVar[tuple[Update, ...]] = ()
    #: Attributes that AWS cannot change, each with what to do instead.
    fixed: ClassVar[Mapping[str, str]] = {}
    #: Attributes that one which was taken over keeps as others set them, where they are set.
    inherited: ClassVar[frozenset[str]] = frozenset()
    #: Attributes that only count when the resource is made.
    create_only: ClassVar[frozenset[str]] = frozenset()
    #: Lists whose order means nothing.
    unordered: ClassVar[frozenset[str]] = frozenset()
    #: True if a difference that no update covers is mended by delete and create, without loss.
    replaceable: ClassVar[bool] = False
    #: True if one that is ours but no longer wanted is deleted.
    prune: ClassVar[bool] = False
    #: True if it takes minutes until others can use it: with ``wait: false`` they are left for later.
    slow: ClassVar[bool] = False
    #: False if it is only looked at, for what others are made from: then it is never removed.
    removable: ClassVar[bool] = True
    #: Seconds that one gets to become usable, where the patience of the run is longer; 0 for no bound of its own.
    ready_within: ClassVar[float] = 0
    #: What to do if that time is over; empty for what is said of all.
    stuck: ClassVar[str] = ""
    #: What to do about one that failed, once the reason is mended.
    failed: ClassVar[str] = "Mend that, or remove it, then run again."
    #: Attributes that only the run that made a change can tell: they outlive its later looks at the resource.
    remembered: ClassVar[frozenset[str]] = frozenset()
    #: Seconds after which an error that should clear by itself, see ``transient``, is taken for one that does not.
    clears_within: ClassVar[float] = 300

    def observe(self, aws: Aws, scope: Scope) -> list[Observed]:
        """Return all that exist of this type in the scope, in as few calls as AWS allows."""
        raise NotImplementedError

    def create(self, aws: Aws, wanted: Wanted) -> Observed:
        """Make one; ``wanted`` has no references left. Return it as AWS describes it right away."""
        raise NotImplementedError

    def update(self, aws: Aws, update: Update, wanted: Wanted, observed: Observed) -> Observed | None:
        """Make one change in place. Return the resource only if it is not ready at once and has to be waited for."""
        raise NotImplementedError

    def set_tags(self, aws: Aws, observed: Observed, tags: Mapping[str, str]) -> None:
        """Add or overwrite these tags."""
        raise NotImplementedError

    def delete(self, aws: Aws, observed: Observed) -> None:
        """Remove it. One that is already gone is no error."""
        raise NotImplementedError

    def refresh(self, aws: Aws, scope: Scope, observed: Observed) -> Observed | None:
        """Describe one again; None once it is gone."""
        return next((item for item in self.observe(aws, scope) if item.name == observed.name), None)

    def readiness(self, observed: Observed) -> Readiness:
        """Tell whether others can use it by now."""
        return Readiness.READY

    def transient(self, error: Exception) -> str:
        """Return why this error will clear by itself, e.g. a role that IAM has not spread yet; else empty."""
        return ""

    def refuses(self, attribute: str, wanted: Any, observed: Any) -> str:
        """Return what to do instead if AWS cannot make this very change of an attribute, e.g. shrink a disk."""
        return ""

    def objections(self, wanted: Wanted, observed: Mapping[Key, Observed]) -> Sequence[str]:
        """Return a sentence for each reason not to bring this one about now. Pure, as all that the plan asks.

        Args:
            wanted: the resource, without references.
            observed: everything that stands of the layer.
        """
        return ()

    def same(self, attribute: str, wanted: Any, observed: Any) -> bool:
        """Tell whether an attribute is as wanted."""
        loose = attribute in self.unordered
        return bool(canonical(wanted, loose) == canonical(observed, loose))
