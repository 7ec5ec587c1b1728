"""CloudWatch alarms: what a definition must be like, pages, and tags that only count when an alarm is made."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any

from moto.cloudwatch.models import Alarm, CloudWatchBackend
from moto.cloudwatch.responses import CloudWatchResponse
from moto.core.responses import ActionResult

from ..errors import AwsError
from ..overlay import Prepared, install

# https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
_MISSING_DATA = ("breaching", "notBreaching", "ignore", "missing")
_STATISTICS = ("SampleCount", "Average", "Sum", "Minimum", "Maximum")
_SHORT_PERIODS = (10, 20, 30)
DAY = 86400
ACTIONS_MAX = 5
PAGE_DEFAULT, PAGE_MAX = 50, 100
_STATE = ("state_reason", "state_reason_data", "state_value", "state_updated_timestamp", "history")


class CloudWatch(Prepared, CloudWatchResponse):
    """moto's CloudWatch with AWS's rules for alarms."""

    @property
    def _alarms(self) -> dict[str, Alarm]:
        backend: CloudWatchBackend = self.cloudwatch_backend
        return backend.alarms

    def put_metric_alarm(self) -> ActionResult:
        """Make an alarm, or overwrite one: that keeps its state and its tags, whatever tags the call brings."""
        composite = bool(self._get_param("AlarmRule"))
        if not composite:
            _check(self.params)
        name = self._get_param("AlarmName")
        former = self._alarms.get(name)
        if former is not None:
            self.params = {**self.params, "Tags": []}
        answer = super().put_metric_alarm()
        alarm = self._alarms[name]
        if former is not None:
            for attribute in _STATE:
                setattr(alarm, attribute, getattr(former, attribute))
        elif not composite:
            alarm.state_value = "INSUFFICIENT_DATA"
        return answer

    def delete_alarms(self) -> ActionResult:
        """Delete alarms with their tags; if one of them is not there, none is deleted."""
        names = self._get_param("AlarmNames", [])
        unknown = [name for name in names if name not in self._alarms]
        if unknown:
            raise AwsError("ResourceNotFound", f"Alarms do not exist: {', '.join(unknown)}")
        for name in names:
            self.cloudwatch_backend.tagger.delete_all_tags_for_resource(self._alarms[name].alarm_arn)
        return super().delete_alarms()

    def describe_alarms(self) -> ActionResult:
        """Describe alarms by name, page by page; composite ones only if they are asked for."""
        found: Any = super().describe_alarms().result
        kinds = self._get_param("AlarmTypes") or ["MetricAlarm"]
        rows = [("MetricAlarms", one) for one in found["MetricAlarms"] if "MetricAlarm" in kinds]
        rows += [("CompositeAlarms", one) for one in found["CompositeAlarms"] if "CompositeAlarm" in kinds]
        rows.sort(key=lambda row: row[1].name)
        size = int(self._get_param("MaxRecords") or PAGE_DEFAULT)
        if not 1 <= size <= PAGE_MAX:
            raise _invalid(f"MaxRecords is {size}, must be between 1 and {PAGE_MAX}")
        start = _position(self._get_param("NextToken"))
        result: dict[str, Any] = {"MetricAlarms": [], "CompositeAlarms": []}
        for member, one in rows[start : start + size]:
            result[member].append(one)
        if start + size < len(rows):
            result["NextToken"] = base64.b64encode(str(start + size).encode()).decode()
        return ActionResult(result)


def _position(token: str | None) -> int:
    try:
        return int(base64.b64decode(token, validate=True)) if token else 0
    except (binascii.Error, ValueError):
        raise AwsError("InvalidNextToken", "The next token is invalid") from None


def _invalid(message: str) -> AwsError:
    return AwsError("ValidationError", message)


def _check(params: Mapping[str, Any]) -> None:
    """Refuse what PutMetricAlarm refuses of an alarm on one metric.

    Raises:
        AwsError: ``ValidationError``, or ``InvalidParameterCombination`` for two statistics.
    """
    name = str(params.get("AlarmName", ""))
    if not 1 <= len(name) <= 255:
        raise _invalid(f"AlarmName has {len(name)} characters, must have 1 to 255")
    missing_data = params.get("TreatMissingData", "missing")
    if missing_data not in _MISSING_DATA:
        raise _invalid(f"Option {missing_data} is not supported. Supported options: {', '.join(_MISSING_DATA)}")
    for member in ("AlarmActions", "OKActions", "InsufficientDataActions"):
        _check_actions(params.get(member) or [])
    if params.get("MetricName"):
        _check_statistic(params)
        _check_periods(params)


def _check_actions(actions: list[str]) -> None:
    if len(actions) > ACTIONS_MAX:
        raise _invalid(f"{len(actions)} actions given, at most {ACTIONS_MAX} are allowed")
    for arn in actions:
        if not arn.startswith("arn:") or len(arn.split(":")) < 6:
            raise _invalid(f"Invalid arn syntax: {arn}")


def _check_statistic(params: Mapping[str, Any]) -> None:
    statistic, extended = params.get("Statistic"), params.get("ExtendedStatistic")
    if bool(statistic) == bool(extended):
        raise AwsError("InvalidParameterCombination", "Exactly one of Statistic and ExtendedStatistic is required")
    if statistic and statistic not in _STATISTICS:
        raise _invalid(f"Statistic is {statistic}, must be one of {', '.join(_STATISTICS)}")


def _check_periods(params: Mapping[str, Any]) -> None:
    period, count = int(params.get("Period") or 0), int(params.get("EvaluationPeriods") or 0)
    if period not in _SHORT_PERIODS and (period < 60 or period % 60):
        raise _invalid("Period must be 10, 20, 30 or a multiple of 60")
    if count < 1 or period * count > (7 * DAY if period >= 3600 else DAY):
        raise _invalid(
            f"Metrics cannot be checked across more than a day (EvaluationPeriods * Period = {period * count})"
        )
    if int(params.get("DatapointsToAlarm") or 1) > count:
        raise _invalid("DatapointsToAlarm must be less than or equal to EvaluationPeriods")
    if params.get("Threshold") is None:
        raise _invalid("Threshold is required for an alarm on a metric")


def register() -> None:
    """Put this overlay in front of moto's CloudWatch."""
    install("cloudwatch", CloudWatch)
