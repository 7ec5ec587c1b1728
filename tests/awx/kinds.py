# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The collections of the API: their fields, what these may hold, and what belongs together."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]
NOTIFIED = ("started", "success", "error")
NEXT = ("success_nodes", "failure_nodes", "always_nodes")


@dataclass(frozen=True)
class Field:
    """One field of an object. `fk` names the collections that its id may be of."""

    type: type
    default: Any = None
    required: bool = False
    choices: tuple[Any, ...] = ()
    fk: tuple[str, ...] = ()
    read_only: bool = False

    @property
    def nullable(self) -> bool:
        return self.default is None and not self.required


@dataclass(frozen=True)
class Kind:
    """One collection. `relations` are its sub-collections, to which ids are posted."""

    name: str
    type: str
    fields: dict[str, Field]
    unique: tuple[str, ...] = ("name",)
    relations: dict[str, str] = field(default_factory=dict)
    links: tuple[str, ...] = ()
    creatable: bool = True


def text(default: str = "", *choices: str) -> Field:
    return Field(str, default, choices=choices)


def needed(kind: type = str, *choices: str) -> Field:
    return Field(kind, required=True, choices=choices)


def flag(default: bool = False) -> Field:
    return Field(bool, default)


def number(default: int = 0) -> Field:
    return Field(int, default)


def one_of(*collections: str, required: bool = False) -> Field:
    return Field(int, None, required=required, fk=collections)


def _named(**fields: Field) -> dict[str, Field]:
    return {"name": needed(), "description": text(), **fields}


def _notified(*more: str) -> dict[str, str]:
    return {f"notification_templates_{when}": "notification_templates" for when in (*NOTIFIED, *more)}


#: What a node or a schedule may set, if its template asks for it, by the template's field that says so.
PROMPTS = {
    "inventory": "ask_inventory_on_launch",
    "job_type": "ask_job_type_on_launch",
    "limit": "ask_limit_on_launch",
    "scm_branch": "ask_scm_branch_on_launch",
    "job_tags": "ask_tags_on_launch",
    "skip_tags": "ask_skip_tags_on_launch",
    "diff_mode": "ask_diff_mode_on_launch",
    "verbosity": "ask_verbosity_on_launch",
    "forks": "ask_forks_on_launch",
    "timeout": "ask_timeout_on_launch",
}
ASKS = {name: flag() for name in (*PROMPTS.values(), "ask_variables_on_launch", "ask_credential_on_launch")}
UNIFIED = ("projects", "inventory_sources", "job_templates", "workflow_job_templates", "workflow_approval_templates")
RUN_OR_CHECK = ("run", "check")


def _prompted() -> dict[str, Field]:
    return {
        "inventory": one_of("inventories"),
        "job_type": Field(str, None, choices=RUN_OR_CHECK),
        **{name: Field(str, None) for name in ("limit", "scm_branch", "job_tags", "skip_tags")},
        "diff_mode": Field(bool, None),
        **{name: Field(int, None) for name in ("verbosity", "forks", "timeout")},
        "extra_data": Field(dict, {}),
    }


_ORGANIZATION = one_of("organizations")
_IMAGE = one_of("execution_environments")
_LIST = (
    Kind(
        "organizations",
        "organization",
        _named(max_hosts=number(), default_environment=_IMAGE),
        relations=_notified("approvals") | {"galaxy_credentials": "credentials"},
    ),
    Kind(
        "credential_types",
        "credential_type",
        _named(
            kind=needed(str, "cloud", "net"),
            inputs=Field(dict, {}),
            injectors=Field(dict, {}),
            managed=Field(bool, False, read_only=True),
        ),
        unique=("name", "kind"),
    ),
    Kind(
        "credentials",
        "credential",
        _named(
            organization=_ORGANIZATION,
            credential_type=one_of("credential_types", required=True),
            inputs=Field(dict, {}),
        ),
        unique=("organization", "name", "credential_type"),
    ),
    Kind(
        "execution_environments",
        "execution_environment",
        _named(
            organization=_ORGANIZATION,
            image=needed(),
            credential=one_of("credentials"),
            pull=text("", "", "always", "missing", "never"),
        ),
    ),
    Kind(
        "projects",
        "project",
        _named(
            organization=_ORGANIZATION,
            scm_type=text("", "", "git", "svn", "insights", "archive"),
            **{name: text() for name in ("scm_url", "scm_branch", "scm_refspec", "local_path")},
            **{name: flag() for name in ("scm_clean", "scm_delete_on_update", "scm_track_submodules")},
            scm_update_on_launch=flag(),
            scm_update_cache_timeout=number(),
            allow_override=flag(),
            timeout=number(),
            credential=one_of("credentials"),
            default_environment=_IMAGE,
            scm_revision=Field(str, "", read_only=True),
            status=Field(str, "never updated", read_only=True),
        ),
        unique=("organization", "name"),
        relations=_notified(),
        links=("update", "playbooks"),
    ),
    Kind(
        "inventories",
        "inventory",
        _named(
            organization=one_of("organizations", required=True),
            kind=text("", "", "smart", "constructed"),
            host_filter=Field(str, None),
            variables=text(),
            prevent_instance_group_fallback=flag(),
        ),
        unique=("organization", "name"),
    ),
    Kind(
        "inventory_sources",
        "inventory_source",
        _named(
            inventory=one_of("inventories", required=True),
            source=needed(str, "file", "constructed", "scm", "ec2", "gce", "controller"),
            source_path=text(),
            source_vars=text(),
            source_project=one_of("projects"),
            execution_environment=_IMAGE,
            credential=one_of("credentials"),
            **{name: flag() for name in ("overwrite", "overwrite_vars", "update_on_launch")},
            update_cache_timeout=number(),
            verbosity=Field(int, 1, choices=(0, 1, 2)),
            timeout=number(),
            **{name: text() for name in ("enabled_var", "enabled_value", "host_filter", "limit", "scm_branch")},
        ),
        unique=("inventory", "name"),
        relations=_notified(),
    ),
    Kind(
        "notification_templates",
        "notification_template",
        _named(
            organization=one_of("organizations", required=True),
            notification_type=needed(str, "email", "slack", "webhook", "pagerduty", "mattermost"),
            notification_configuration=Field(dict, required=True),
            messages=Field(dict, None),
        ),
        unique=("organization", "name"),
    ),
    Kind(
        "job_templates",
        "job_template",
        _named(
            organization=Field(int, None, fk=("organizations",), read_only=True),
            job_type=text("run", *RUN_OR_CHECK),
            inventory=one_of("inventories"),
            project=one_of("projects"),
            playbook=text(),
            execution_environment=_IMAGE,
            extra_vars=text(),
            **{name: text() for name in ("scm_branch", "limit", "job_tags", "skip_tags", "start_at_task")},
            **{name: number() for name in ("forks", "timeout", "verbosity")},
            job_slice_count=number(1),
            **{name: flag() for name in ("use_fact_cache", "survey_enabled", "become_enabled", "diff_mode")},
            allow_simultaneous=flag(),
            force_handlers=flag(),
            **ASKS,
        ),
        unique=("organization", "name"),
        relations=_notified() | {"credentials": "credentials"},
        links=("survey_spec", "launch"),
    ),
    Kind(
        "workflow_job_templates",
        "workflow_job_template",
        _named(
            organization=_ORGANIZATION,
            inventory=one_of("inventories"),
            extra_vars=text(),
            **{name: Field(str, None) for name in ("limit", "scm_branch", "job_tags", "skip_tags")},
            **{name: flag() for name in ("allow_simultaneous", "survey_enabled")},
            **{name: ask for name, ask in ASKS.items() if name not in ("ask_job_type_on_launch",)},
        ),
        unique=("organization", "name"),
        relations=_notified("approvals"),
        links=("survey_spec", "launch"),
    ),
    Kind(
        "workflow_job_template_nodes",
        "workflow_job_template_node",
        {
            "identifier": needed(),
            "workflow_job_template": one_of("workflow_job_templates", required=True),
            "unified_job_template": one_of(*UNIFIED),
            "all_parents_must_converge": flag(),
            "execution_environment": _IMAGE,
            **_prompted(),
        },
        unique=("identifier", "workflow_job_template"),
        relations=dict.fromkeys(NEXT, "workflow_job_template_nodes") | {"credentials": "credentials"},
        links=("create_approval_template",),
    ),
    Kind("workflow_approval_templates", "workflow_approval_template", _named(timeout=number()), (), creatable=False),
    Kind(
        "schedules",
        "schedule",
        _named(
            rrule=needed(),
            unified_job_template=one_of(*UNIFIED, required=True),
            enabled=flag(True),
            execution_environment=_IMAGE,
            **_prompted(),
        ),
        unique=("unified_job_template", "name"),
        relations={"credentials": "credentials"},
    ),
    Kind(
        "project_updates",
        "project_update",
        {name: Field(str, "", read_only=True) for name in ("name", "status", "finished", "scm_revision")}
        | {
            "failed": Field(bool, False, read_only=True),
            "event_processing_finished": Field(bool, False, read_only=True),
            "project": Field(int, None, fk=("projects",), read_only=True),
        },
        (),
        creatable=False,
    ),
)
KINDS: dict[str, Kind] = {kind.name: kind for kind in _LIST}
