"""How DB instances move through their states by the clock, and what is due in their windows."""

from __future__ import annotations

from . import effects
from .dataplane import plane
from .journal import tell
from .phases import begin
from .store import DbInstance, Phase, all_instances
from .windows import last_backup_window, next_maintenance

LONGEST_STOP = 7 * 24 * 3600
"""Seconds after which RDS starts a stopped instance by itself."""


def settle(account: str, now: float) -> None:
    """Bring every instance of an account to a model time, in the order in which things happen."""
    while due := [(end, one.arn, one) for one in all_instances(account) if (end := _end(one, now)) is not None]:
        end, _arn, instance = min(due)
        phase = instance.phases.pop(0)
        instance.since, instance.held = end, False
        if phase.effect:
            effects.EFFECTS[phase.effect](instance, phase.payload, end)
            if not instance.phases and not plane.active.ready(instance):
                begin(instance, end, Phase(phase.status, 0))  # lasts until the server has taken it over
    for instance in all_instances(account):
        _settle_parameters(instance, now)
        _open_windows(instance, now)


def _end(instance: DbInstance, now: float) -> float | None:
    """Return when the current phase ended, or None if it has not: its time is not up, or the data plane is not done."""
    if not instance.phases or instance.since + instance.phases[0].seconds > now:
        return None
    if not plane.active.ready(instance):
        instance.held = True
        return None
    return now if instance.held else instance.since + instance.phases[0].seconds


def _open_windows(instance: DbInstance, now: float) -> None:
    """Start the nightly backup or the deferred changes of an idle instance whose window has opened."""
    if instance.phases:
        return
    if instance.stopped_at is not None and now >= instance.stopped_at + LONGEST_STOP:
        tell(instance, "RDS-EVENT-0154", now)
        effects.start_again(instance, instance.stopped_at + LONGEST_STOP)
        settle(instance.account, now)
    if instance.resting != "available" or instance.phases:
        return
    opened = last_backup_window(instance, now)
    if instance.settings["BackupRetentionPeriod"] and opened > (instance.last_backup_at or instance.created_at):
        effects.start_backup(instance, opened)
        settle(instance.account, now)
    elif instance.pending and now >= next_maintenance(instance, instance.pending_since):
        effects.start_applying(instance, now)


def _settle_parameters(instance: DbInstance, now: float) -> None:
    """Let changes within the parameter group reach the server once their time has come."""
    if instance.parameters_settle_at is not None and instance.parameters_settle_at <= now:
        instance.parameters_settle_at = None
        instance.parameter_status = instance.parameters_settle_as
        effects.refresh_dynamic(instance)
