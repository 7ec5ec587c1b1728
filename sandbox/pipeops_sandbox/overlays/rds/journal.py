"""RDS's events: what DescribeEvents tells, with AWS's event ids and categories."""

from __future__ import annotations

from .store import DbInstance, Event, arn, store_of

EVENT_AGE = 14 * 24 * 3600
"""Seconds that RDS keeps events."""

MESSAGES: dict[str, tuple[str, str]] = {
    "RDS-EVENT-0001": ("backup", "Backing up DB instance"),
    "RDS-EVENT-0002": ("backup", "Finished DB Instance backup"),
    "RDS-EVENT-0003": ("deletion", "DB instance deleted"),
    "RDS-EVENT-0004": ("availability", "DB instance shutdown"),
    "RDS-EVENT-0005": ("creation", "DB instance created"),
    "RDS-EVENT-0006": ("availability", "DB instance restarted"),
    "RDS-EVENT-0011": ("configuration change", "Updated to use DBParameterGroup"),
    "RDS-EVENT-0013": ("failover", "Multi-AZ instance failover started."),
    "RDS-EVENT-0015": ("failover", "DNS records for the Multi-AZ instance point to the new primary"),
    "RDS-EVENT-0016": ("configuration change", "Reset master credentials"),
    "RDS-EVENT-0014": ("configuration change", "Finished applying modification to DB instance class"),
    "RDS-EVENT-0017": ("configuration change", "Finished applying modification to allocated storage"),
    "RDS-EVENT-0025": ("configuration change", "Finished applying modification to convert to a Multi-AZ DB instance"),
    "RDS-EVENT-0030": ("configuration change", "Finished applying modification to convert to a Single-AZ DB instance"),
    "RDS-EVENT-0043": ("restoration", "Restored from snapshot"),
    "RDS-EVENT-0045": ("read replica", "Replication has stopped"),
    "RDS-EVENT-0046": ("read replica", "Replication for the Read Replica resumed"),
    "RDS-EVENT-0049": ("failover", "Multi-AZ instance failover completed"),
    "RDS-EVENT-0057": ("read replica", "Replication streaming has been terminated"),
    "RDS-EVENT-0087": ("notification", "DB instance stopped"),
    "RDS-EVENT-0088": ("notification", "DB instance started"),
    "RDS-EVENT-0267": ("maintenance", "The engine version upgrade started."),
    "RDS-EVENT-0268": ("maintenance", "The engine version upgrade finished."),
    "RDS-EVENT-0398": (
        "maintenance",
        "Waiting for the DB engine version upgrade to finish on the primary DB instance.",
    ),
    "RDS-EVENT-0154": ("notification", "DB instance is being started: it exceeded the maximum time of being stopped"),
    "RDS-EVENT-0019": ("restoration", "Restored from a point in time"),
}
"""Event id -> category and message. An id that is not here is none that the sandbox tells."""


def tell(instance: DbInstance, event_id: str, at: float, detail: str = "") -> None:
    """Write an event of an instance; ``detail`` follows the message."""
    category, message = MESSAGES[event_id]
    store_of(instance.account, instance.region).events.append(
        Event(
            at=at,
            source_type="db-instance",
            source_id=instance.identifier,
            source_arn=arn(instance.region, instance.account, "db", instance.identifier),
            event_id=event_id,
            message=f"{message} {detail}".strip(),
            categories=[category],
        )
    )
