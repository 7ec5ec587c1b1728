# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The drawn time of a drill, as SVG."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tests.drill.assess import Watch
from tests.drill.measures import rate
from tests.drill.records import Journal, Phase
from tests.report import INK, styled, svg

COLOURS = {"setup": "#8a94a6", "calm": "#8a94a6", "disaster": "#c0392b", "failback": "#3572b0"}
COLOURS |= {"switchover": "#2a8c82", "check": "#8a94a6"}
WRITES, READS, ERRORS, SERVERS, BOTH = "#3572b0", "#8a94a6", "#c0392b", "#2a8c82", "#c0392b"
#: The room for names above what is drawn.
HEADROOM = 1.6


@dataclass(frozen=True)
class Window:
    """What part of the time is drawn, on the monotonic clock, and how finely.

    Attributes:
        step: seconds of one step of the rates.
        marked: whether single moments are named.
    """

    began: float
    ended: float
    zero: float
    step: float
    marked: bool


def whole(journal: Journal, seen: Watch) -> Markup:
    """Return the whole drill as SVG, from the first phase under load."""
    phases = [phase for phase in journal.phases if phase.kind != "setup"] or journal.phases
    began, ended = phases[0].began, max(phase.ended for phase in phases)
    return _draw(journal, seen, Window(began, ended, began, max(0.25, (ended - began) / 400), marked=False))


def closer(journal: Journal, seen: Watch, phase: Phase) -> Markup:
    """Return one phase as SVG, its moments by name, its zero where its first moment is."""
    zero = phase.milestones[0].at if phase.milestones else phase.began
    last = max((one.at for one in phase.milestones), default=phase.ended)
    return _draw(journal, seen, Window(zero - 2, min(last + 2, phase.ended), zero, 0.25, marked=True))


def _draw(journal: Journal, seen: Watch, window: Window) -> Markup:
    with styled():
        figure = Figure(figsize=(12, 5.2), layout="constrained")
        load, servers = figure.subplots(2, 1, sharex=True, height_ratios=[3, 2])
        for axes in (load, servers):
            _shade(axes, journal.phases, window)
        _load(load, journal, window)
        _servers(servers, seen, window)
        if window.marked:
            _moments(load, servers, journal, window)
        else:
            _names(load, journal.phases, window)
        servers.set_xlim(0 if not window.marked else window.began - window.zero, window.ended - window.zero)
        servers.set_xlabel("seconds" if not window.marked else "seconds since the region was lost")
        return svg(figure)


def _load(axes: Axes, journal: Journal, window: Window) -> None:
    writes = [one.ended for one in journal.acknowledged]
    errors = [one.at for one in journal.troubles]
    for moments, colour, name in ((writes, WRITES, "acknowledged writes"), (errors, ERRORS, "errors of clients")):
        points = rate(moments, window.began, window.ended, window.step)
        xs, ys = [point[0] - window.zero for point in points], [point[1] for point in points]
        axes.fill_between(xs, ys, step="mid", color=colour, alpha=0.25, linewidth=0)
        axes.step(xs, ys, where="mid", color=colour, linewidth=1, label=name)
    axes.set_ylabel("a second")
    axes.set_ylim(bottom=0)
    axes.margins(y=0.25)
    axes.legend(loc="lower right", frameon=False, ncols=2, bbox_to_anchor=(1, 1.0), borderaxespad=0.2)


def _servers(axes: Axes, seen: Watch, window: Window) -> None:
    names = sorted(seen.direct, key=lambda name: (name.startswith("pipeops-prod"), name))
    for line, name in enumerate(names):
        bars = [(one.began - window.zero, max(one.seconds, 0.05)) for one in seen.direct[name]]
        axes.broken_barh(bars, (line - 0.3, 0.6), facecolors=SERVERS, linewidth=0)
    for both in seen.direct_overlaps:
        for name in both.targets:
            overlap = [(both.began - window.zero, both.seconds)]
            axes.broken_barh(overlap, (names.index(name) - 0.3, 0.6), facecolors=BOTH, linewidth=0)
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(-0.6, len(names) - 0.4)
    axes.set_title("takes writes, asked directly (red: two at once)", fontsize=9, loc="left", color=INK)


def _shade(axes: Axes, phases: Sequence[Phase], window: Window) -> None:
    for phase in phases:
        began, ended = max(phase.began, window.began), min(phase.ended, window.ended)
        if began < ended and phase.kind not in ("setup", "calm"):
            colour = COLOURS[phase.kind]
            axes.axvspan(began - window.zero, ended - window.zero, color=colour, alpha=0.07, linewidth=0)


def _names(axes: Axes, phases: Sequence[Phase], window: Window) -> None:
    top = axes.get_ylim()[1] * HEADROOM
    axes.set_ylim(0, top)
    shown = [phase for phase in phases if window.began <= phase.began < window.ended]
    few = len(shown) <= 9
    for number, phase in enumerate(shown):
        text = phase.name if few else str(number + 1)
        height = top * (0.98 - 0.075 * (number % 4 if few else 0))
        axes.text(phase.began - window.zero, height, f" {text}", va="top", color=COLOURS[phase.kind], fontsize=8)
        axes.axvline(phase.began - window.zero, color=COLOURS[phase.kind], linewidth=0.7, alpha=0.6)


def _moments(load: Axes, servers: Axes, journal: Journal, window: Window) -> None:
    moments = [one for phase in journal.phases for one in phase.milestones]
    shown = sorted((one for one in moments if window.began <= one.at <= window.ended), key=lambda one: one.at)
    top = load.get_ylim()[1]
    load.set_ylim(0, top * HEADROOM)
    for number, moment in enumerate(shown):
        at = moment.at - window.zero
        for axes in (load, servers):
            axes.axvline(at, color=INK, linewidth=0.7, linestyle=":")
        right = at > 0.7 * (window.ended - window.zero)
        height = top * (HEADROOM - 0.03 - 0.09 * (number % 7))
        text = moment.text.removeprefix("playbooks/")
        load.text(at, height, f" {text} ", va="top", ha="right" if right else "left", fontsize=8)
