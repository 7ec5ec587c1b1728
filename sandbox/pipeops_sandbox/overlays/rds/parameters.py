"""Parameter groups and the parameters in them."""

from __future__ import annotations

from typing import Any

from pipeops_sandbox.errors import AwsError

from . import catalog
from .call import Call, filtered, page
from .phases import begin, duration
from .rules import combination, group_name, invalid
from .store import DbInstance, ParameterGroup, Phase, RdsStore, arn, store_of

AT_ONCE = 20
"""Parameters that one Modify or Reset may name."""


def find(store: RdsStore, name: str) -> ParameterGroup:
    """Return a parameter group, RDS's own default ones included.

    Raises:
        AwsError: ``DBParameterGroupNotFound``.
    """
    key = name.lower()
    if key in store.parameter_groups:
        return store.parameter_groups[key]
    family = key.removeprefix("default.")
    if key.startswith("default.") and family in catalog.families():
        return ParameterGroup(key, family, f"Default parameter group for {family}", tags=store.defaults.get(key, []))
    raise AwsError("DBParameterGroupNotFound", f"DBParameterGroup not found: {name}")


def group_for(store: RdsStore, name: str, family: str) -> ParameterGroup:
    """Return the group for an instance of a family; an empty name means the default one.

    Raises:
        AwsError: ``DBParameterGroupNotFound``, or ``InvalidParameterCombination`` for another family.
    """
    group = find(store, name or f"default.{family}")
    if group.family != family:
        raise combination(
            f"The parameter group {group.name} with DBParameterGroupFamily {group.family} can't be used for this "
            f"instance. Please use a parameter group with DBParameterGroupFamily {family}."
        )
    return group


def in_force(instance: DbInstance, keep_static: bool) -> dict[str, str]:
    """Return the parameters that an instance runs with, apart from its family's defaults.

    Args:
        keep_static: static ones stay as they are, because the server has not been restarted.
    """
    group = find(store_of(instance.account, instance.region), instance.parameter_group)
    if not keep_static:
        return {name: value for name, (value, _method) in group.values.items()}
    known = catalog.parameters(group.family)
    now = {name: value for name, (value, method) in group.values.items() if method == "immediate"}
    waiting = {name for name, (_value, method) in group.values.items() if method != "immediate"}
    kept = {name for name in instance.in_force if known[name].static or name in waiting}
    return now | {name: instance.in_force[name] for name in kept}


def rendered(store: RdsStore, group: ParameterGroup) -> dict[str, Any]:
    """Return the API's ``DBParameterGroup``."""
    return {
        "DBParameterGroupName": group.name,
        "DBParameterGroupFamily": group.family,
        "Description": group.description,
        "DBParameterGroupArn": arn(store.region, store.account, "pg", group.name),
    }


def create_db_parameter_group(call: Call) -> dict[str, Any]:
    """CreateDBParameterGroup."""
    name = group_name(call.text("DBParameterGroupName"), "DBParameterGroupName")
    family = call.text("DBParameterGroupFamily")
    if family not in catalog.families():
        raise invalid(f"ParameterGroupFamily {family} is not a valid parameter group family")
    if name in call.store.parameter_groups:
        raise AwsError("DBParameterGroupAlreadyExists", f"Parameter group {name} already exists")
    if not call.text("Description"):
        raise invalid("The parameter Description must be provided and must not be blank.")
    group = ParameterGroup(name, family, call.text("Description"), tags=call.tags())
    call.store.parameter_groups[name] = group
    return {"DBParameterGroup": rendered(call.store, group)}


def describe_db_parameter_groups(call: Call) -> dict[str, Any]:
    """DescribeDBParameterGroups: own groups, and the default group of each family."""
    store = call.store
    if call.has("DBParameterGroupName"):
        groups = [find(store, call.text("DBParameterGroupName"))]
    else:
        defaults = [find(store, f"default.{family}") for family in catalog.families()]
        groups = sorted([*store.parameter_groups.values(), *defaults], key=lambda group: group.name)
    return page(call, "DBParameterGroups", groups, lambda group: rendered(store, group))


def delete_db_parameter_group(call: Call) -> dict[str, Any]:
    """DeleteDBParameterGroup."""
    group = find(call.store, call.text("DBParameterGroupName"))
    if group.name.startswith("default."):
        raise AwsError("InvalidDBParameterGroupState", f"Default DBParameterGroup cannot be deleted: {group.name}")
    users = [one.identifier for one in call.store.instances.values() if one.parameter_group == group.name]
    if users:
        raise AwsError(
            "InvalidDBParameterGroupState",
            f"One or more database instances are still members of this parameter group {group.name}, "
            f"so the group cannot be deleted: {', '.join(users)}",
        )
    del call.store.parameter_groups[group.name]
    return {}


def modify_db_parameter_group(call: Call) -> dict[str, Any]:
    """ModifyDBParameterGroup: all parameters of the call, or none."""
    group = _own_group(call)
    entries = call.items("Parameters")
    _check_count(entries)
    known = catalog.parameters(group.family)
    wanted: dict[str, tuple[str, str]] = {}
    for entry in entries:
        name, value = str(entry.get("ParameterName")), str(entry.get("ParameterValue", ""))
        _check_parameter(known, name, value, str(entry.get("ApplyMethod")))
        if name in wanted:
            raise invalid(f"Parameter {name} is given more than once.")
        wanted[name] = (value, entry["ApplyMethod"])
    differing = {name for name, (value, _) in wanted.items() if group.values.get(name, ("", ""))[0] != value}
    group.values.update(wanted)
    _tell_members(call, group, differing)
    return {"DBParameterGroupName": group.name}


def reset_db_parameter_group(call: Call) -> dict[str, Any]:
    """ResetDBParameterGroup: the named parameters, or all of them."""
    group = _own_group(call)
    if call.flag("ResetAllParameters", default=not call.items("Parameters")):
        if call.items("Parameters"):
            raise combination("Parameters and ResetAllParameters cannot be given together.")
        names = set(group.values)
    else:
        _check_count(call.items("Parameters"))
        names = {str(entry.get("ParameterName")) for entry in call.items("Parameters")}
    known = catalog.parameters(group.family)
    for name in sorted(names):
        _check_known(known, name)
    differing = names & set(group.values)
    for name in differing:
        del group.values[name]
    _tell_members(call, group, differing)
    return {"DBParameterGroupName": group.name}


def _own_group(call: Call) -> ParameterGroup:
    group = find(call.store, call.text("DBParameterGroupName"))
    if group.name.startswith("default."):
        raise AwsError("InvalidDBParameterGroupState", f"Default DBParameterGroup cannot be modified: {group.name}")
    return group


def _check_count(entries: list[Any]) -> None:
    if not 1 <= len(entries) <= AT_ONCE:
        raise invalid(f"{len(entries)} parameters given; one call takes 1 to {AT_ONCE}.")


def _check_known(known: dict[str, catalog.Parameter], name: str) -> catalog.Parameter:
    if name not in known:
        raise invalid(f"Could not find parameter with name: {name}")
    return known[name]


def _check_parameter(known: dict[str, catalog.Parameter], name: str, value: str, method: str) -> None:
    parameter = _check_known(known, name)
    if not parameter.modifiable:
        raise invalid(f"The parameter {name} cannot be modified.")
    if not parameter.accepts(value):
        raise invalid(f"Invalid parameter value: {value} for: {name} allowed values are: {parameter.allowed}")
    if method not in ("immediate", "pending-reboot"):
        raise invalid(f"Invalid apply method {method} for {name}: must be immediate or pending-reboot.")
    if parameter.static and method == "immediate":
        raise combination(f"cannot use immediate apply method for static parameter: {name}")


def _tell_members(call: Call, group: ParameterGroup, names: set[str]) -> None:
    """Let the instances of a group take over what changed: dynamic at once, the rest with their next reboot."""
    known = catalog.parameters(group.family)
    later = any(known[name].static or group.values.get(name, ("", ""))[1] == "pending-reboot" for name in names)
    for instance in call.store.instances.values():
        if instance.parameter_group != group.name or not names:
            continue
        waiting = later or instance.parameter_status == "pending-reboot"
        instance.parameter_status = "applying"
        instance.parameters_settle_at = call.now + duration("apply_parameters")
        instance.parameters_settle_as = "pending-reboot" if waiting else "in-sync"


def describe_db_parameters(call: Call) -> dict[str, Any]:
    """DescribeDBParameters, by source: ``user``, ``system`` or ``engine-default``."""
    group = find(call.store, call.text("DBParameterGroupName"))
    source = call.text("Source")
    if source not in ("", "user", "system", "engine-default"):
        raise invalid(f"Invalid source {source}: must be user, system or engine-default.")
    rows = [_row(group, parameter) for _name, parameter in sorted(catalog.parameters(group.family).items())]
    rows = filtered(call, rows, {"parameter-name": lambda row: [row["ParameterName"]]})
    return page(call, "Parameters", [row for row in rows if source in ("", row["Source"])])


def _row(group: ParameterGroup, parameter: catalog.Parameter) -> dict[str, Any]:
    """Return the API's ``Parameter``. RDS's own settings (``system``) are those it locks or computes."""
    value, method = group.values.get(parameter.name, (parameter.default, "pending-reboot"))
    ours = not parameter.modifiable or "{" in parameter.default or parameter.name.startswith("rds.")
    source = "user" if parameter.name in group.values else "system" if ours else "engine-default"
    row: dict[str, Any] = {
        "ParameterName": parameter.name,
        "Description": parameter.section,
        "Source": source,
        "ApplyType": "static" if parameter.static else "dynamic",
        "DataType": parameter.data_type,
        "IsModifiable": parameter.modifiable,
        "ApplyMethod": method,
    }
    if parameter.allowed:
        row["AllowedValues"] = parameter.allowed
    if source != "engine-default" and value:
        row["ParameterValue"] = value
    return row


def describe_engine_default_parameters(call: Call) -> dict[str, Any]:
    """DescribeEngineDefaultParameters: a family's parameters as its default group has them."""
    family = call.text("DBParameterGroupFamily")
    group = find(call.store, f"default.{family}")
    rows = [_row(group, parameter) for _name, parameter in sorted(catalog.parameters(family).items())]
    found = page(call, "Parameters", rows)
    return {"EngineDefaults": {"DBParameterGroupFamily": family, **found}}


def attach(instance: DbInstance, group: ParameterGroup, now: float) -> None:
    """Exchange an instance's parameter group; it wants a reboot afterwards, whatever is in the group."""
    instance.parameter_group = group.name
    instance.parameter_status = "applying"
    begin(instance, now, Phase("modifying", duration("apply_parameters"), "group_attached"))
