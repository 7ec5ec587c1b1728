# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a drill showed, held against what the platform promises. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tests.drill.intervals import Interval, Overlap, across, overlaps, writable, written
from tests.drill.measures import quantile
from tests.drill.records import Fate, Journal, Phase
from tests.report import Row

#: Seconds without an answer after which nobody knows whether a server still took writes.
PATIENCE = 1.5
#: What the platform promises: model seconds to the first write after a disaster, and seconds of our own among them.
FIRST_WRITE_SECONDS, OWN_SECONDS = 600, 60
PLANNED = ("failback", "switchover")


@dataclass(frozen=True)
class Watch:
    """When servers took writes.

    Attributes:
        direct: by instance, asked by its own endpoint.
        direct_overlaps: when two instances took writes at once, whoever could reach them, be it from inside a region
            that is cut off.
        named_overlaps: when clients that came by the published name could write to two servers.
    """

    direct: dict[str, list[Interval]]
    direct_overlaps: list[Overlap]
    named_overlaps: list[Overlap]


def watch(journal: Journal) -> Watch:
    """Return what probes and the load's own writes say of who took writes when."""
    direct = writable(journal.probes, PATIENCE)
    inside = writable(journal.inside_probes, PATIENCE)
    named = overlaps(writable(journal.named_probes, PATIENCE)) + overlaps(written(journal.writes, PATIENCE))
    return Watch(direct, overlaps(direct) + across(inside, direct), sorted(named, key=lambda one: one.began))


def faults(phases: Sequence[Phase], seen: Watch, failure: str) -> list[str]:
    """Return why the drill counts as failed; nothing if it does not."""
    found = [failure.splitlines()[0]] if failure else []
    for phase in phases:
        lost = phase.figures.get("lost_writes", 0)
        if phase.kind in PLANNED and lost:
            found.append(f"{phase.name}: {lost} acknowledged writes were lost in a planned move")
        if phase.figures.get("history") == "broken":
            found.append(f"{phase.name}: the history is broken (doubled, out of order, or with holes)")
        if phase.figures.get("left_to_change"):
            found.append(f"{phase.name}: site.yml --check would change {phase.figures['left_to_change']} things")
        ahead = phase.figures.get("closed_before_first_write_seconds")
        if isinstance(ahead, float) and ahead <= 0:
            found.append(f"{phase.name}: the lost leader took writes {-ahead:.1f} s after the new one's first")
    if seen.direct_overlaps:
        found.append(f"two instances took writes at once, {len(seen.direct_overlaps)} times")
    if seen.named_overlaps:
        found.append(f"clients that came by the name could write to two servers, {len(seen.named_overlaps)} times")
    return found


def summary(journal: Journal, seen: Watch) -> dict[str, Any]:
    """Return the totals of the whole drill."""
    fates = Counter(one.fate for one in journal.writes)
    planned = [phase for phase in journal.phases if phase.kind in PLANNED and "lost_writes" in phase.figures]
    gaps = [float(str(phase.figures["seconds_without_writes"])) for phase in planned]
    return {
        "acknowledged_writes": fates[Fate.ACKNOWLEDGED],
        "unknown_writes": fates[Fate.UNKNOWN],
        "refused_writes": fates[Fate.REFUSED],
        "reads": len(journal.reads),
        "errors": len(journal.troubles),
        "planned_moves": len(planned),
        "planned_lost_writes": sum(int(str(phase.figures["lost_writes"])) for phase in planned),
        "planned_seconds_without_writes": {"median": quantile(gaps, 0.5), "highest": max(gaps, default=0.0)},
        "two_writable_primaries_seen": told(seen.direct_overlaps, journal),
        "two_writable_primaries_seen_by_name": told(seen.named_overlaps, journal),
        "probes": len(journal.probes),
        "probes_by_name": len(journal.named_probes),
    }


def told(found: Sequence[Overlap], journal: Journal) -> dict[str, Any]:
    """Return overlaps as a report carries them."""
    return {
        "count": len(found),
        "longest_seconds": round(max((one.seconds for one in found), default=0.0), 2),
        "intervals": [
            {"targets": list(one.targets), "from": round(one.began - journal.zero, 2), "seconds": round(one.seconds, 2)}
            for one in found
        ],
    }


def table(journal: Journal, seen: Watch) -> list[Row]:
    """Return the figures as people read them, with their targets."""
    rows: list[Row] = []
    for phase in journal.phases:
        if phase.kind == "disaster" and "lost_writes" in phase.figures:
            rows += _disaster(phase)
    return [*rows, *_planned(journal, seen), *_moved(journal), *_writers(journal, seen), *_settled(journal)]


def _disaster(phase: Phase) -> list[Row]:
    figures: dict[str, Any] = phase.figures
    if "recovery_point_seconds" not in figures or figures["to_first_write_seconds"] is None:
        return [Row(f"{phase.name}: first write", "never", f"{FIRST_WRITE_SECONDS // 60} min", False)]
    own = figures["own_seconds"]
    model = figures["model_to_first_write_seconds"]
    before, after = figures.get("before_promotion_seconds", "?"), figures.get("after_promotion_seconds", "?")
    pace = "at AWS's pace, in model time" if figures["scale"] != 1 else "a promotion takes a second here"
    return [
        Row(
            f"{phase.name}: loss to first acknowledged write",
            f"{model:.1f} s",
            f"at most {FIRST_WRITE_SECONDS} s",
            model <= FIRST_WRITE_SECONDS,
            f"{pace}; of it promotion {figures['model_promotion_seconds']:.1f} s. An operator's reaction is not in it, "
            "nor are up to 30 s for which resolvers may keep the old name",
        ),
        Row(
            f"{phase.name}: what our own steps add",
            f"{own:.1f} s",
            f"at most {OWN_SECONDS} s",
            own <= OWN_SECONDS,
            f"real seconds, {before} s before the promotion and {after} s after it",
        ),
        Row(
            f"{phase.name}: acknowledged writes lost",
            f"{figures['lost_writes']}, the last {figures['recovery_point_seconds'] * 1000:.0f} ms",
            note=f"replication between regions is asynchronous, 70 ms there and back; unknown to their clients: "
            f"{figures['unknown_present']} kept, {figures['unknown_absent']} not",
        ),
        *_lease(phase.name, figures),
        *_applications(phase.name, figures),
        Row(
            f"{phase.name}: fence after the region's return",
            f"{figures['fence_after_return_seconds']:.1f} s",
            note="from the moment at which the region answers to the end of dr_fence.yml, which waits for it",
        ),
    ]


def _lease(name: str, figures: dict[str, Any]) -> list[Row]:
    closed, ahead = figures.get("closed_itself_seconds"), figures.get("closed_before_first_write_seconds")
    if closed is None or ahead is None:
        return []
    return [
        Row(
            f"{name}: the lost leader closed itself before the new one's first write",
            f"{ahead:.1f} s",
            "above 0",
            ahead > 0,
            f"{closed:.1f} s after the loss, by the last write that a client inside the region had acknowledged; the "
            f"failover waited {figures['lease_seconds']} s for its lease",
        )
    ]


def _applications(name: str, figures: dict[str, Any]) -> list[Row]:
    if "applications" not in figures:
        return []
    first, whole = figures.get("seconds_to_first_application"), figures.get("seconds_to_all_applications")
    if first is None:
        return [Row(f"{name}: applications in dr", str(figures["applications"]), "ready", False)]
    loss = figures.get("loss_to_first_application_seconds")
    note = f"all after {whole:.0f} s" if whole is not None else str(figures["applications"])
    since = f", the first {loss:.0f} s after the loss" if loss is not None else ""
    return [
        Row(
            f"{name}: activation to first ready application",
            f"{first:.0f} s",
            note=f"{note}{since}; whole seconds, as Kubernetes tells them. Pods run no containers here: on AWS, images "
            "are pulled, and nodes may have to come",
        )
    ]


def _moved(journal: Journal) -> list[Row]:
    """Return how long applications took in planned moves, where clusters have API servers."""
    found = [phase.figures for phase in journal.phases if phase.kind in PLANNED and "applications" in phase.figures]
    if not found:
        return []
    taken = [
        float(str(one["seconds_to_all_applications"]))
        for one in found
        if one["seconds_to_all_applications"] is not None
    ]
    value = f"{len(taken)} of {len(found)} times" + (f", {max(taken):.0f} s at the longest" if taken else "")
    return [
        Row("Planned moves: all applications ready where the database is", value, "always", len(taken) == len(found))
    ]


def _planned(journal: Journal, seen: Watch) -> list[Row]:
    total = summary(journal, seen)
    if not total["planned_moves"]:
        return []
    gaps = total["planned_seconds_without_writes"]
    return [
        Row(
            f"Planned moves, {total['planned_moves']} of them: acknowledged writes lost",
            str(total["planned_lost_writes"]),
            "0",
            total["planned_lost_writes"] == 0,
            f"of {total['acknowledged_writes']} in the whole drill, each looked for after each move",
        ),
        Row(
            "Planned moves: seconds without writes",
            f"{gaps['median']:.1f} s, at most {gaps['highest']:.1f} s",
            note="real seconds, and a promotion takes one or two here: on AWS, it adds minutes",
        ),
    ]


def _writers(journal: Journal, seen: Watch) -> list[Row]:
    rows = []
    for name, found, note in (
        (
            "Two writable primaries, by the published name",
            seen.named_overlaps,
            f"{len(journal.named_probes)} probes, old connections kept, and every acknowledged write by its server",
        ),
        (
            "Two writable primaries, each instance asked directly",
            seen.direct_overlaps,
            f"{len(journal.probes)} probes by the endpoints themselves, and {len(journal.inside_probes)} writes of a "
            "client that sits in the region that is lost, and goes on behind the partition",
        ),
    ):
        longest = max((one.seconds for one in found), default=0.0)
        often = "once" if len(found) == 1 else f"{len(found)} times"
        value = f"{often}, {longest:.1f} s at the longest" if found else "never"
        rows.append(Row(name, value, "never", not found, note))
    return rows


def _settled(journal: Journal) -> list[Row]:
    rows = []
    broken = [phase.name for phase in journal.phases if phase.figures.get("history") == "broken"]
    checked = [phase for phase in journal.phases if "history" in phase.figures]
    if checked:
        note = f"looked at {len(checked)} times: exactly once, in the order of each writer, no holes"
        rows.append(Row("The history", ", ".join(broken) or "whole", "whole", not broken, note))
    for phase in journal.phases:
        if "left_to_change" in phase.figures:
            left = phase.figures["left_to_change"]
            rows.append(Row("What site.yml --check would change at the end", str(left), "nothing: 0", left == 0))
    return rows
