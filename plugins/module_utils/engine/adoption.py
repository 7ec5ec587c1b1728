# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Taking over what others made: which resource is meant by which wanted one, and who must not lose it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from .errors import PlanRefused
from .model import TAG_ADOPTED, TAG_ENVIRONMENT, TAG_PLATFORM, Identity, Key, Observed, Wanted
from .planner import State

#: The value of the option ``state`` that gives what stands the owner tags, and changes nothing else.
ADOPTED = "adopted"
#: The option ``state`` of a layer that can, described in the doc fragment pipeops.platform.adoption.
STATE_SPEC: dict[str, Any] = {"type": "str", "choices": ["present", "absent", ADOPTED], "default": "present"}


@dataclass(frozen=True)
class Found:
    """What was found of what shall be taken over.

    Attributes:
        identifiers: for each kind, AWS's identifiers with the logical names of the resources that they become.
        left_alone: what stands there too, and is meant by nothing that is wanted: kind, id, and why.
    """

    identifiers: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    left_alone: tuple[Mapping[str, str], ...] = ()


def refuse_missing(adopts: Mapping[Key, str], state: State) -> None:
    """Insist that what a takeover is about stands.

    Raises:
        PlanRefused: with what to do about each that does not.
    """
    missing = [_missing(state, key, mend) for key, mend in adopts.items() if key not in state.observed]
    if missing:
        raise PlanRefused(missing)


def _missing(state: State, key: Key, mend: str) -> str:
    attributes = state.wanted[key].attributes
    name = attributes.get("identifier") or attributes.get("name") or key[1]
    return f"There is no {state.types[key[0]].label} {name} to take over. {mend}"


def taken_over(state: State, identity: Identity) -> Mapping[Key, Wanted]:
    """Return the wanted resources; those that stand and are not ours yet get the tag of what was taken over.

    Raises:
        PlanRefused: if something belongs to another environment or platform.
    """
    foreign = [item for item in state.observed.values() if _owner(item) not in (("", ""), _own(identity))]
    if foreign:
        raise PlanRefused([_refusal(state, item, identity) for item in foreign])
    new = {key for key, item in state.observed.items() if _owner(item) == ("", "")}
    return {key: _marked(item) if key in new else item for key, item in state.wanted.items()}


def _refusal(state: State, item: Observed, identity: Identity) -> str:
    return (
        f"{state.types[item.kind].label} {item.id} belongs to environment {item.tags.get(TAG_ENVIRONMENT)!r} of "
        f"platform {item.tags.get(TAG_PLATFORM)!r} by its tags, so {identity.prefix} cannot take it over. Destroy "
        "that environment, or take the tags off it if it is no more."
    )


def _owner(item: Observed) -> tuple[str, str]:
    return item.tags.get(TAG_PLATFORM, ""), item.tags.get(TAG_ENVIRONMENT, "")


def _own(identity: Identity) -> tuple[str, str]:
    return identity.platform, identity.environment


def _marked(item: Wanted) -> Wanted:
    return replace(item, tags={**item.tags, TAG_ADOPTED: "true"}) if item.tags else item
