"""RDS's metrics in CloudWatch: of the servers behind the DB instances, when there are any."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from moto.cloudwatch.models import MetricDatum
from moto.core.common_models import CloudWatchMetricProvider

from .dataplane import plane
from .store import store_of

NAMESPACE, DIMENSION = "AWS/RDS", "DBInstanceIdentifier"
UNITS = {"ReplicaLag": "Seconds", "DatabaseConnections": "Count"}
"""All others are in bytes."""


class RdsMetrics(CloudWatchMetricProvider):
    """Found by moto as a subclass, and asked for its metrics with each call that reads some."""

    @staticmethod
    def get_cloudwatch_metrics(account_id: str, region: str) -> list[MetricDatum]:
        """Return the data points of all DB instances of a region. They are not part of the sandbox's state."""
        return [
            _point(identifier, name, value, at)
            for identifier, instance in store_of(account_id, region).instances.items()
            for at, values in plane.active.measurements(instance)
            for name, value in values.items()
        ]


def _point(identifier: str, name: str, value: float, at: float) -> MetricDatum:
    dimensions: list[dict[str, Any]] = [{"Name": DIMENSION, "Value": identifier}]
    # moto compares times without a zone.
    moment = datetime.fromtimestamp(at, tz=UTC).replace(tzinfo=None)
    return MetricDatum(NAMESPACE, name, value, dimensions, moment, UNITS.get(name, "Bytes"))
