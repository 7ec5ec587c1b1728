# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a deploy identity must not be like."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ..engine.model import Identity
from ._grants import unknown_placeholders

#: Owner and name as GitHub has them; the numbers belong to the subjects of repositories that were moved or renamed.
REPOSITORY = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*(@\d+)?/[A-Za-z0-9._-]+(@\d+)?")
#: The bounds of a role's sessions, as IAM has them.
SESSION_SECONDS = range(3600, 43201)
#: An action without a pattern in it.
ACTION = re.compile(r"[a-z0-9-]+:[A-Za-z0-9]+")


def subjects_of(params: Mapping[str, Any], identity: Identity) -> list[str]:
    """Return the subjects of the tokens that may become the role.

    A job that runs for an environment of GitHub has that in its subject, whatever branch it is of; which branches may
    run for the environment, and who has to approve, is that environment's own to say.
    """
    if params["subjects"]:
        return sorted(params["subjects"])
    return [f"repo:{params['repository']}:environment:{params['github_environment'] or identity.environment}"]


def problems(params: Mapping[str, Any], identity: Identity) -> Iterator[str]:
    """Yield a sentence for each option that cannot be."""
    yield from _of_role(params) if params["identity"] == "role" else _of_user(params)
    if identity.environment in params["partners"]:
        yield f"partners names {identity.environment} itself. Name the other environments that it works on, or none."
    if not params["grants"]:
        yield "grants is empty, so the identity could do nothing. Leave it to the role ci_access, or name some."
    for number, grant in enumerate(params["grants"]):
        yield from _of_grant(f"grants[{number}]", grant)


def _of_role(params: Mapping[str, Any]) -> Iterator[str]:
    repository, seconds = params["repository"] or "", params["session_seconds"]
    if not params["subjects"] and not REPOSITORY.fullmatch(repository):
        yield f"repository is {repository!r}, so nobody is trusted. Set it to OWNER/NAME, or set subjects."
    for subject in params["subjects"]:
        if not subject.startswith("repo:") or any(mark in subject for mark in "*?"):
            yield (
                f"subjects has {subject!r}: write each in full as repo:OWNER/NAME:environment:NAME or "
                "repo:OWNER/NAME:ref:refs/heads/BRANCH. A pattern would let in repositories or branches yet to come."
            )
        elif subject.endswith(":pull_request"):
            yield f"subjects has {subject!r}: whoever opens a pull request would deploy. Name an environment."
    if seconds not in SESSION_SECONDS:
        yield f"session_seconds is {seconds}; IAM takes 3600 to 43200. Set as long as the longest run needs."


def _of_user(params: Mapping[str, Any]) -> Iterator[str]:
    age, overlap = params["key_max_age_days"], params["key_overlap_days"]
    if age < 1:
        yield f"key_max_age_days is {age}. Set 1 or more, e.g. 90."
    if not 0 <= overlap < max(age, 1):
        yield f"key_overlap_days is {overlap}; it has to be 0 or more, and less than key_max_age_days, which is {age}."


def _of_grant(where: str, grant: Mapping[str, Any]) -> Iterator[str]:
    for action in grant["actions"]:
        if not ACTION.fullmatch(action):
            yield f"{where} allows {action!r}. Name each action in full as service:Action, without a pattern."
    for name in sorted(unknown_placeholders(grant)):
        yield f"{where} has {{{name}}}, which nobody fills in."
    if not grant["actions"] or not grant["resources"]:
        yield f"{where} needs actions and resources."
