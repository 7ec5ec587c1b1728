"""The control interface: JSON under ``/_sandbox/`` on the same port as AWS."""

from __future__ import annotations

import json
import logging
import os
import re
from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import moto
from botocore.session import get_session

from .access.gate import gate
from .clock import PROFILES
from .faults import EFFECTS, Rule
from .http_server import Environ, Response
from .kubernetes import build
from .origins import url_from
from .overlays.eks.insights import STATUSES
from .overlays.eks.state import Cluster, eks_state
from .overlays.rds import inject
from .overlays.rds.store import DbInstance, store_of
from .runtime import runtime

if TYPE_CHECKING:
    from .postgres.plane import PostgresPlane
    from .server import Sandbox

log = logging.getLogger(__name__)
PREFIX = "/_sandbox/"
SNAPSHOT_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
REPLAY = ("running", "paused")
_Query = dict[str, str]
_Body = dict[str, Any]


class FieldError(Exception):
    """A control request has a field that cannot be."""

    def __init__(self, name: str, value: object, allowed: str) -> None:
        super().__init__(f"{name} is {value!r}, allowed: {allowed}")
        self.field, self.value, self.allowed = name, value, allowed


class NoSuchThing(Exception):
    """A control request names something that is not there."""


class Control:
    """Answers control requests for one sandbox."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._regions = known_regions()
        self._routes: list[tuple[str, str, Callable[..., Any]]] = [
            ("GET", "health", self._health),
            ("GET", "journal", self._journal),
            ("DELETE", "journal", self._clear_journal),
            ("GET", "faults", self._faults),
            ("POST", "faults", self._add_fault),
            ("DELETE", "faults", self._remove_faults),
            ("GET", "iam", self._iam),
            ("POST", "iam", self._set_iam),
            ("GET", "regions", self._list_regions),
            ("POST", "regions/([^/]+)", self._set_region),
            ("POST", "origins/([^/]+)", self._begin_in),
            ("GET", "clock", self._clock),
            ("POST", "clock", self._set_clock),
            ("POST", "reset", self._reset),
            ("GET", "snapshot", self._snapshots),
            ("POST", "snapshot", self._snapshot),
            ("POST", "restore", self._restore),
            ("POST", "rds/([^/]+)/([^/]+)", self._set_instance),
            ("POST", "eks/([^/]+)/([^/]+)", self._set_insight),
            ("GET", "network", self._network),
            ("POST", "network", self._set_network),
            ("GET", "kubernetes", self._clusters),
            ("POST", "kubernetes/([0-9a-f]{32})/(authenticate|authorize)", self._asked),
            ("POST", "kubernetes/([a-z]{2}-[^/]+)/([^/]+)", self._set_cluster),
        ]

    def __call__(self, environ: Environ, body: bytes) -> Response:
        """Answer one control request."""
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"].removeprefix(PREFIX).strip("/")
        matches = [(verb, found, run) for verb, route, run in self._routes if (found := re.fullmatch(route, path))]
        chosen = next(((found, run) for verb, found, run in matches if verb == method), None)
        try:
            if chosen is None:
                return self._no_route(path, [verb for verb, _found, _run in matches])
            query = {name: values[-1] for name, values in parse_qs(environ.get("QUERY_STRING", "")).items()}
            return _json(200, chosen[1](query, _parse(body), *chosen[0].groups()))
        except FieldError as error:
            shown = {"message": str(error), "field": error.field, "value": error.value, "allowed": error.allowed}
            return _json(400, {"error": shown})
        except NoSuchThing as error:
            return _json(404, {"error": {"message": str(error)}})
        except Exception as error:
            log.exception("%s %s failed", method, path)
            return _json(500, {"error": {"message": f"{method} {PREFIX}{path} failed: {error}; see the server's log"}})

    def _no_route(self, path: str, verbs: list[str]) -> Response:
        if verbs:
            return _json(405, {"error": {"message": f"{PREFIX}{path} takes {', '.join(verbs)}"}})
        offers = ", ".join(sorted({route.split("/")[0] for _verb, route, _run in self._routes}))
        return _json(404, {"error": {"message": f"there is no {PREFIX}{path}; there are: {offers}"}})

    def _health(self, _query: _Query, _body: _Body) -> Any:
        saved = self._sandbox.state_file
        return {
            "status": "ok",
            "pid": os.getpid(),
            "moto": moto.__version__,
            "clock": self._clock({}, {}),
            "calls": self._sandbox.journal.count,
            "faults": len(self._sandbox.faults.rules()),
            "regions_down": sorted(self._sandbox.faults.down),
            "state": str(saved.path) if saved else None,
            "state_error": saved.error if saved else "",
            "data_plane": "postgres" if self._sandbox.servers else "names",
            "dns": self._sandbox.servers.dns if self._sandbox.servers else "",
            "kubernetes": build.describe()["origin"] if self._sandbox.clusters else "none",
        }

    def _journal(self, query: _Query, _body: _Body) -> Any:
        mutating = _flag("mutating", query["mutating"]) if "mutating" in query else None
        rows = self._sandbox.journal.entries(_number("since", query.get("since", "0"), int, 0), mutating)
        return {"calls": [asdict(row) for row in rows], "last": self._sandbox.journal.count}

    def _clear_journal(self, _query: _Query, _body: _Body) -> Any:
        return {"removed": self._sandbox.journal.clear()}

    def _faults(self, _query: _Query, _body: _Body) -> Any:
        return {"faults": [rule.public() for rule in self._sandbox.faults.rules()]}

    def _add_fault(self, _query: _Query, body: _Body) -> Any:
        return self._sandbox.faults.add(fault_rule(body)).public()

    def _remove_faults(self, query: _Query, _body: _Body) -> Any:
        rule_id = _number("id", query["id"], int, 1) if "id" in query else None
        return {"removed": self._sandbox.faults.remove(rule_id)}

    def _iam(self, _query: _Query, _body: _Body) -> Any:
        return gate.told()

    def _set_iam(self, query: _Query, body: _Body) -> Any:
        _only(body, {"enforced"})
        if not isinstance(body.get("enforced"), bool):
            raise FieldError("enforced", body.get("enforced"), "true, false")
        gate.enforced = body["enforced"]
        return self._iam(query, {})

    def _list_regions(self, _query: _Query, _body: _Body) -> Any:
        down = self._sandbox.faults.down
        return {"regions": {name: "down" if name in down else "up" for name in self._regions}}

    def _set_region(self, _query: _Query, body: _Body, region: str) -> Any:
        self._check_region(region)
        _only(body, {"state"})
        state = _choice("state", body.get("state"), ("up", "down"))
        (self._sandbox.faults.down.add if state == "down" else self._sandbox.faults.down.discard)(region)
        self._sandbox.regions_changed()
        return {"region": region, "state": state}

    def _begin_in(self, _query: _Query, body: _Body, region: str) -> Any:
        self._check_region(region)
        _only(body, set())
        servers = self._sandbox.servers
        return {"path": url_from("", region), "dns": servers.dns_from(region) if servers else ""}

    def _check_region(self, region: str) -> None:
        if region not in self._regions:
            raise FieldError("region", region, ", ".join(self._regions))

    def _clock(self, _query: _Query, _body: _Body) -> Any:
        clock = runtime.clock
        return {"profile": clock.profile, "scale": clock.scale, "time": clock.now()}

    def _set_clock(self, _query: _Query, body: _Body) -> Any:
        _only(body, {"profile", "scale", "advance"})
        profile = _choice("profile", body["profile"], PROFILES) if "profile" in body else None
        scale = _number("scale", body["scale"], float, 0.001) if "scale" in body else None
        advance = _number("advance", body.get("advance", 0), float, 0)
        runtime.clock.set(profile, scale)
        if advance:
            runtime.clock.restore(runtime.clock.now() + advance)
        self._sandbox.changed()
        return self._clock({}, {})

    def _reset(self, _query: _Query, _body: _Body) -> Any:
        self._sandbox.reset()
        return {"reset": True}

    def _snapshots(self, _query: _Query, _body: _Body) -> Any:
        return {"snapshots": self._sandbox.snapshots.names()}

    def _snapshot(self, _query: _Query, body: _Body) -> Any:
        name = _snapshot_name(body)
        return {"name": name, "bytes": self._sandbox.snapshot(name)}

    def _restore(self, _query: _Query, body: _Body) -> Any:
        name = _snapshot_name(body)
        try:
            self._sandbox.restore(name)
        except KeyError as error:
            have = ", ".join(self._sandbox.snapshots.names()) or "none"
            raise NoSuchThing(f"there is no snapshot {name!r}; there are: {have}") from error
        return {"name": name, "restored": True}

    def _set_instance(self, _query: _Query, body: _Body, region: str, identifier: str) -> Any:
        self._check_region(region)
        _only(body, {"status", "replication", "message", "replay"})
        account = self._sandbox.account
        with self._sandbox.lock:
            instance = self._instance(region, identifier)
            if not body.keys() & {"status", "replication", "replay"}:
                raise FieldError("body", body, "status, replication, replay or several of them")
            if "status" in body:
                _choice("status", body["status"], tuple(sorted(inject.STATES)))
            if "replay" in body:
                _choice("replay", body["replay"], REPLAY)
                servers = self._with_servers("replay", body["replay"])
            if "replication" in body:
                self._put_replication(instance, body)
            if "status" in body:
                inject.set_status(account, region, identifier, body["status"])
        if "replay" in body:
            self._put_replay(servers, instance, body["replay"])
        self._sandbox.changed()
        return {"region": region, "identifier": identifier} | body

    def _set_insight(self, _query: _Query, body: _Body, region: str, name: str) -> Any:
        """Have EKS say something of a cluster's next upgrade."""
        self._check_region(region)
        _only(body, {"insight", "status", "reason"})
        status = _choice("status", body.get("status"), STATUSES)
        with self._sandbox.lock:
            self._cluster(region, name).insights[str(body.get("insight"))] = (status, str(body.get("reason", "")))
        self._sandbox.changed()
        return {"region": region, "cluster": name} | body

    def _put_replay(self, servers: PostgresPlane, instance: DbInstance, state: str) -> None:
        try:
            servers.replay(instance, running=state == "running")
        except ValueError as error:
            raise FieldError("replay", state, str(error)) from error

    def _with_servers(self, field: str, value: object) -> PostgresPlane:
        if self._sandbox.servers is None:
            raise FieldError(field, value, "nothing: this sandbox has names only, no servers (--data-plane postgres)")
        return self._sandbox.servers

    def _network(self, _query: _Query, _body: _Body) -> Any:
        servers = self._sandbox.servers
        return {"link_rtt_ms": servers.roads.rtt_ms if servers else None, "dns": servers.dns if servers else None}

    def _set_network(self, query: _Query, body: _Body) -> Any:
        _only(body, {"link_rtt_ms"})
        rtt = _number("link_rtt_ms", body.get("link_rtt_ms"), float, 0)
        servers = self._with_servers("link_rtt_ms", rtt)
        servers.roads.rtt_ms = rtt
        servers.roads.refresh()
        return self._network(query, {})

    def _clusters(self, _query: _Query, _body: _Body) -> Any:
        clusters = self._sandbox.clusters
        return build.describe() | {"clusters": clusters.describe() if clusters else []}

    def _asked(self, _query: _Query, body: _Body, number: str, question: str) -> Any:
        """Answer the question of a cluster's API server."""
        try:
            if self._sandbox.clusters is None:
                raise KeyError(number)
            return self._sandbox.clusters.answer(number, question, body)
        except KeyError as error:
            raise NoSuchThing(f"there is no API server of cluster {number}") from error

    def _set_cluster(self, _query: _Query, body: _Body, region: str, name: str) -> Any:
        self._check_region(region)
        _only(body, {"token_seconds", "restart"})
        seconds = _number("token_seconds", body["token_seconds"], float, 0) if "token_seconds" in body else None
        restart = _flag("restart", body.get("restart", "false"))
        clusters = self._sandbox.clusters
        if clusters is None:
            raise FieldError("name", name, "nothing: this sandbox has no API servers (--data-plane kubernetes)")
        with self._sandbox.lock:
            cluster = self._cluster(region, name)
            if seconds is not None:
                clusters.limit_tokens(cluster, seconds)
            if restart:
                clusters.restart(cluster)
        return {"region": region, "name": name} | body

    def _cluster(self, region: str, name: str) -> Cluster:
        found = eks_state(self._sandbox.account, region).clusters
        if name not in found:
            have = ", ".join(sorted(found)) or "none"
            raise NoSuchThing(f"there is no EKS cluster {name!r} in {region}; there are: {have}")
        return found[name]

    def _instance(self, region: str, identifier: str) -> DbInstance:
        instances = store_of(self._sandbox.account, region).instances
        if identifier not in instances:
            have = ", ".join(sorted(instances)) or "none"
            raise NoSuchThing(f"there is no DB instance {identifier!r} in {region}; there are: {have}")
        return instances[identifier]

    def _put_replication(self, instance: DbInstance, body: _Body) -> None:
        status = _choice("replication", body["replication"], inject.REPLICATION_STATES)
        if instance.replication is None:
            source = f"a read replica's; {instance.identifier} in {instance.region} is none"
            raise FieldError("replication", status, source)
        message = str(body.get("message", ""))
        inject.set_replication(instance.account, instance.region, instance.identifier, status, message)


def known_regions() -> list[str]:
    """Return the Regions that there are, as botocore's endpoint data has them."""
    return sorted(get_session().get_available_regions("ec2"))


def fault_rule(body: _Body) -> Rule:
    """Return the rule that a request describes.

    Raises:
        FieldError: for a field that is unknown, missing, or out of range.
    """
    numbers: dict[str, tuple[type, float]] = {
        "nth": (int, 1), "probability": (float, 0), "seed": (int, 0), "times": (int, 1), "latency": (float, 0),
        "status": (int, 400),
    }  # fmt: skip
    patterns = {"service", "operation", "region", "also"}
    _only(body, {"effect", "mutating", "when", "code", "message", *patterns, *numbers})
    fields: _Body = {"effect": _choice("effect", body.get("effect", "latency" if "latency" in body else None), EFFECTS)}
    fields |= {name: _number(name, body[name], *numbers[name]) for name in numbers if name in body}
    fields |= {name: _pattern(name, body[name]) for name in patterns if name in body}
    fields |= {name: str(body[name]) for name in ("code", "message") if name in body}
    if "mutating" in body:
        fields["mutating"] = _flag("mutating", body["mutating"])
    if "when" in body:
        fields["when"] = _choice("when", body["when"], ("before", "after"))
    _check_together(fields)
    return Rule(**fields)


def _check_together(fields: _Body) -> None:
    if fields.get("probability", 0) > 1:
        raise FieldError("probability", fields["probability"], "a number from 0 to 1")
    if fields["effect"] == "latency" and not fields.get("latency"):
        raise FieldError("latency", fields.get("latency"), "milliseconds above 0")
    if fields["effect"] == "error" and not fields.get("code"):
        raise FieldError("code", fields.get("code"), "the error code to answer with")
    if "nth" in fields and "probability" in fields:
        raise FieldError("probability", fields["probability"], "either nth or probability")


def _json(status: int, value: Any) -> Response:
    return Response(status, json.dumps(value).encode(), [("Content-Type", "application/json")])


def _parse(body: bytes) -> _Body:
    if not body.strip():
        return {}
    try:
        value = json.loads(body)
    except ValueError as error:
        raise FieldError("body", body[:80].decode("utf-8", "replace"), "a JSON object") from error
    if not isinstance(value, dict):
        raise FieldError("body", value, "a JSON object")
    return value


def _only(body: _Body, allowed: set[str]) -> None:
    unknown = sorted(set(body) - allowed)
    if unknown:
        raise FieldError(unknown[0], body[unknown[0]], f"no such field; there are {', '.join(sorted(allowed))}")


def _choice(name: str, value: object, allowed: tuple[str, ...]) -> str:
    if value not in allowed:
        raise FieldError(name, value, ", ".join(allowed))
    return str(value)


def _flag(name: str, value: object) -> bool:
    if value in (True, "true"):
        return True
    if value in (False, "false"):
        return False
    raise FieldError(name, value, "true, false")


def _number(name: str, value: object, kind: type, least: float) -> Any:
    allowed = f"{'a whole number' if kind is int else 'a number'}, at least {least:g}"
    try:
        if isinstance(value, bool) or (kind is int and isinstance(value, float)):
            raise ValueError
        number = kind(value)
    except (TypeError, ValueError) as error:
        raise FieldError(name, value, allowed) from error
    if not least <= number < float("inf"):
        raise FieldError(name, value, allowed)
    return number


def _pattern(name: str, value: object) -> str:
    try:
        return re.compile(str(value)).pattern
    except re.error as error:
        raise FieldError(name, value, f"a name or a regular expression ({error})") from error


def _snapshot_name(body: _Body) -> str:
    _only(body, {"name"})
    name = body.get("name")
    if not isinstance(name, str) or not SNAPSHOT_NAME.fullmatch(name):
        raise FieldError("name", name, "letters, digits, dot, underscore and hyphen, at most 100")
    return name
