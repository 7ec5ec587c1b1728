# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Metrics of RDS in CloudWatch, read in the region of the instance."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from ..engine.aws import Aws, is_aws_error

NAMESPACE, LAG = "AWS/RDS", "ReplicaLag"
#: RDS writes one datapoint a minute, and CloudWatch shows it a few minutes later.
PERIOD_SECONDS, LOOK_BACK = 60, timedelta(minutes=15)
#: The latest datapoints that count: a replica of an idle source saws up and down within five minutes.
DATAPOINTS = 5


def latest(
    aws: Aws, identifier: str, metrics: Iterable[str], *, region: str | None = None, probe: bool = False
) -> dict[str, float | None]:
    """Return the highest of the latest datapoints of each metric; None where there is none.

    Args:
        identifier: of the DB instance.
        region: where the instance is, if not in the region of the module.
        probe: whether the region may be down.
    """
    names = list(metrics)
    queries = [
        {
            "Id": f"m{number}",
            "MetricStat": {
                "Metric": {
                    "Namespace": NAMESPACE,
                    "MetricName": name,
                    "Dimensions": [{"Name": "DBInstanceIdentifier", "Value": identifier}],
                },
                "Period": PERIOD_SECONDS,
                "Stat": "Maximum",
            },
        }
        for number, name in enumerate(names)
    ]
    now = datetime.now(UTC)
    answer = aws.client("cloudwatch", region=region, probe=probe).get_metric_data(
        MetricDataQueries=queries,
        StartTime=now - LOOK_BACK,
        EndTime=now + timedelta(seconds=PERIOD_SECONDS),
        ScanBy="TimestampDescending",
    )
    values = {row["Id"]: list(row["Values"])[:DATAPOINTS] for row in answer["MetricDataResults"]}
    return {name: max(values.get(f"m{number}") or (), default=None) for number, name in enumerate(names)}


def known_lag(value: float | None) -> float | None:
    """Return a replica lag in seconds; None for -1, by which RDS says that it cannot tell."""
    return None if value is None or value < 0 else value


def replica_lag(aws: Aws, identifier: str) -> float | None:
    """Return a replica's lag in seconds; None if nobody knows, also because CloudWatch does not answer.

    That the lag is unknown must never keep a promotion in a disaster from going on.
    """
    try:
        return known_lag(latest(aws, identifier, [LAG], probe=True)[LAG])
    except Exception as error:
        if not is_aws_error(error):
            raise
        return None
