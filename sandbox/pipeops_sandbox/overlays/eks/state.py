"""What the sandbox keeps of EKS in one account and region: plain classes, so that it pickles."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ...clock import Timeline
from ...runtime import runtime
from .call import Answer, Call, not_found


@dataclass(frozen=True)
class TokenRecord:
    """What a ``clientRequestToken`` stood for in which cluster, what was answered, and until when that holds."""

    cluster: str
    fingerprint: str
    answer: Answer
    until: float


@dataclass
class Update:
    """A change on its way, of a cluster, an add-on or a node group.

    ``changes`` replace members of the target's document when the update succeeds.
    """

    id: str
    type: str
    params: dict[str, str]
    created_at: float
    timeline: Timeline
    visible_at: float
    changes: dict[str, Any]
    addon: str | None = None
    nodegroup: str | None = None
    applied: bool = False
    cancelled: bool = False

    def status(self, now: float) -> str:
        """Return the status as DescribeUpdate gives it."""
        return "Cancelled" if self.cancelled else self.timeline.state(now)

    def running(self, now: float) -> bool:
        """Tell whether it still holds up other updates of its target."""
        return self.status(now) == "InProgress"

    @property
    def target(self) -> tuple[str | None, str | None]:
        """What it changes: an add-on, a node group, or neither (the cluster itself)."""
        return self.addon, self.nodegroup


@dataclass
class AccessEntry:
    """An IAM principal that may enter the cluster, and the access policies it has there."""

    document: dict[str, Any]
    policies: dict[str, dict[str, Any]] = field(default_factory=dict)


@dataclass
class Part:
    """An add-on or a node group: its document, its life and, once asked for, its end.

    ``issues``: why it never came up, where its life ends in ``CREATE_FAILED``.
    """

    document: dict[str, Any]
    timeline: Timeline
    deletion: Timeline | None = None
    issues: list[dict[str, Any]] = field(default_factory=list)

    def status(self, now: float) -> str:
        """Return the life cycle's own state, running updates left aside."""
        return (self.deletion or self.timeline).state(now)

    def gone(self, now: float) -> bool:
        """Tell whether it is deleted."""
        return self.deletion is not None and self.deletion.settled(now)


@dataclass
class Network:
    """What EKS made in the VPC: the cluster security group and the control plane's interfaces."""

    security_group_id: str
    interface_ids: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class ControlPlane:
    """Where the Kubernetes API listens, and the CA that vouches for it (base64 of PEM)."""

    endpoint: str
    certificate_authority: str
    oidc_issuer: str


@dataclass
class Cluster:
    """One cluster. ``document`` holds what DescribeCluster answers beside the members that life decides.

    ``up``: it was ACTIVE once. ``self_managed``: it came with networking add-ons that EKS does not manage.
    ``preserved``: the configuration of add-ons whose software stayed when they were removed. ``insights``: status and
    reason that a test has EKS say of the next upgrade, by the beginning of an insight's name.
    """

    name: str
    id: str
    account: str
    region: str
    partition: str
    creator: str
    service_role: str
    document: dict[str, Any]
    timeline: Timeline
    network: Network
    control_plane: ControlPlane
    deletion: Timeline | None = None
    up: bool = False
    updates: dict[str, Update] = field(default_factory=dict)
    entries: dict[str, AccessEntry] = field(default_factory=dict)
    addons: dict[str, Part] = field(default_factory=dict)
    nodegroups: dict[str, Part] = field(default_factory=dict)
    associations: dict[str, dict[str, Any]] = field(default_factory=dict)
    upgraded_from: tuple[str, float] | None = None
    self_managed: bool = False
    preserved: dict[str, str] = field(default_factory=dict)
    insights: dict[str, tuple[str, str]] = field(default_factory=dict)

    @property
    def arn(self) -> str:
        """The cluster's ARN."""
        return str(self.document["arn"])

    @property
    def tags(self) -> dict[str, str]:
        """The cluster's tags, live."""
        tags: dict[str, str] = self.document["tags"]
        return tags

    @property
    def authentication_mode(self) -> str:
        """CONFIG_MAP, API_AND_CONFIG_MAP or API."""
        return str(self.document["accessConfig"]["authenticationMode"])

    @property
    def auto_mode(self) -> bool:
        """Whether EKS Auto Mode is on."""
        return bool(self.document["computeConfig"]["enabled"])

    def running_update(self, now: float, addon: str | None = None, nodegroup: str | None = None) -> Update | None:
        """Return the update of the cluster, or of one of its parts, that is not finished."""
        wanted = (addon, nodegroup)
        return next((each for each in self.updates.values() if each.target == wanted and each.running(now)), None)

    def status(self, now: float) -> str:
        """Return the status as DescribeCluster gives it, which learns of an update a little late."""
        if self.deletion is not None:
            return self.deletion.state(now)
        if not self.timeline.settled(now):
            return self.timeline.state(now)
        update = self.running_update(now)
        return "UPDATING" if update and update.visible_at <= now else self.timeline.state(now)


@dataclass
class EksState:
    """All clusters of an account in a region, and the tokens that requests came with."""

    clusters: dict[str, Cluster] = field(default_factory=dict)
    tokens: dict[tuple[str, str], TokenRecord] = field(default_factory=dict)


def eks_state(account: str, region: str) -> EksState:
    """Return the EKS state of one account and region."""
    return runtime.store("eks", account, region, EksState)


def state_of(call: Call) -> EksState:
    """Return the state that a request is about."""
    return eks_state(call.account, call.region)


def find_cluster(call: Call, name: str) -> Cluster:
    """Return a cluster by its name.

    Raises:
        AwsError: ResourceNotFoundException when this account has none of that name in this region.
    """
    cluster = state_of(call).clusters.get(name)
    if cluster is None:
        raise not_found(f"No cluster found for name: {name}.", clusterName=name)
    return cluster
