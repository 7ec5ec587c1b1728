"""IAM: trust policies that are checked, and roles that cannot be assumed in the first seconds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from moto.core.responses import ActionResult, EmptyResult
from moto.iam.exceptions import NotFoundException
from moto.iam.models import IAMBackend, OpenIDConnectProvider, Role, iam_backends
from moto.iam.responses import IamResponse

from ..errors import AwsError
from ..overlay import as_list, install, policy_statements
from ..runtime import runtime

# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html: managed policies a role, default.
MAX_POLICIES_PER_ROLE = 10
# The same page: client IDs of an OIDC provider, not adjustable.
MAX_CLIENT_IDS = 100
# The length of a client ID, as AddClientIDToOpenIDConnectProvider documents it.
MAX_CLIENT_ID_LENGTH = 255
_TRUST_ACTIONS = {
    "sts:assumerole", "sts:assumerolewithsaml", "sts:assumerolewithwebidentity", "sts:tagsession",
    "sts:setsourceidentity", "sts:setcontext", "sts:*",
}  # fmt: skip


def role_is_assumable(
    account: str, role_arn: str, service: str, actions: tuple[str, ...] = ("sts:AssumeRole",)
) -> bool:
    """Tell whether an AWS service can assume a role now.

    Args:
        account: the account of the role.
        role_arn: the role's ARN, path included.
        service: the service principal, e.g. ``eks.amazonaws.com``.
        actions: what the trust policy must allow it, e.g. also ``sts:TagSession``.
    """
    role = _role(account, role_arn)
    if role is None or not role_has_propagated(role):
        return False
    allowed = set(_actions_for_service(role, service))
    return "sts:*" in allowed or all(action.lower() in allowed for action in actions)


def role_has_propagated(role: Role) -> bool:
    """Tell whether the rest of AWS has heard of a role's latest trust policy."""
    since = getattr(role, "trust_changed_at", None)
    return since is None or runtime.clock.now() >= since + runtime.clock.duration("iam:propagation")


def anybody(account: str) -> str:
    """Return the user that calls with an access key which the sandbox has not handed out."""
    return f"arn:aws:iam::{account}:user/moto"


def principal_exists(arn: str) -> bool:
    """Tell whether an ``AWS`` principal of a policy is an identity that IAM knows by now.

    Other accounts cannot be seen from here, so theirs are taken as existing.
    """
    if arn == "*" or arn.isdigit():
        return True
    parts = arn.split(":", 5)
    if len(parts) < 6 or parts[2] not in ("iam", "sts"):
        return False
    account, resource = parts[4], parts[5]
    if resource == "root" or parts[2] == "sts" or account not in iam_backends:
        return bool(account)
    if resource.startswith("role/"):
        role = _role(account, arn)
        return role is not None and role_has_propagated(role)
    return arn == anybody(account) or any(user.arn == arn for user in _backend(account).users.values())


def policy_principals(statements: list[dict[str, Any]]) -> Iterator[str]:
    """Yield every ``AWS`` principal that a policy names."""
    for statement in statements:
        principal = statement.get("Principal", statement.get("NotPrincipal"))
        yield from (as_list(principal.get("AWS")) if isinstance(principal, dict) else as_list(principal))


def _backend(account: str) -> IAMBackend:
    return iam_backends[account]["aws"]


def _role(account: str, role_arn: str) -> Role | None:
    try:
        return _backend(account).get_role_by_arn(role_arn)
    except NotFoundException:
        return None


def _actions_for_service(role: Role, service: str) -> Iterator[str]:
    """Yield the actions that the trust policy allows a service, in lower case."""
    for statement in policy_statements(role.assume_role_policy_document):
        principal = statement.get("Principal")
        services = as_list(principal.get("Service")) if isinstance(principal, dict) else []
        if statement.get("Effect") == "Allow" and service in services:
            yield from (str(action).lower() for action in as_list(statement.get("Action")))


def check_trust_policy(document: str) -> None:
    """Refuse a trust policy that IAM refuses.

    Raises:
        AwsError: MalformedPolicyDocument.
    """
    try:
        statements = policy_statements(document)
    except ValueError as error:
        raise AwsError("MalformedPolicyDocument", f"This policy contains invalid Json: {error}") from error
    for statement in statements:
        if "Resource" in statement or "NotResource" in statement:
            raise AwsError("MalformedPolicyDocument", "Has prohibited field Resource")
        if not isinstance(statement.get("Principal", statement.get("NotPrincipal")), (dict, str)):
            raise AwsError("MalformedPolicyDocument", "Missing required field Principal")
        actions = [str(action).lower() for action in as_list(statement.get("Action"))]
        if statement.get("Effect") not in ("Allow", "Deny") or not actions:
            raise AwsError("MalformedPolicyDocument", "Missing required field Action or Effect")
        if not set(actions) <= _TRUST_ACTIONS:
            raise AwsError("MalformedPolicyDocument", "AssumeRole policy may only specify STS AssumeRole actions.")
    for arn in policy_principals(statements):
        if not principal_exists(arn):
            raise AwsError("MalformedPolicyDocument", f'Invalid principal in policy: "AWS":"{arn}"')


class Iam(IamResponse):
    """moto's IAM with AWS's refusals."""

    def create_role(self) -> ActionResult:
        """Create a role; services can assume it once the change has propagated."""
        check_trust_policy(self._get_param("AssumeRolePolicyDocument"))
        result = super().create_role()
        self._trust_changed(self._get_param("RoleName"))
        return result

    def update_assume_role_policy(self) -> ActionResult:
        """Change a trust policy; moto's own check knows three actions only, and ``sts:TagSession`` is none of them."""
        document = self._get_param("PolicyDocument")
        role = self.backend.get_role(self._get_param("RoleName"))
        check_trust_policy(document)
        role.assume_role_policy_document = document
        self._trust_changed(role.name)
        return ActionResult({})

    def _trust_changed(self, name: str) -> None:
        self.backend.get_role(name).trust_changed_at = runtime.clock.now()  # type: ignore[attr-defined]

    def attach_role_policy(self) -> ActionResult:
        """Attach a managed policy, within the quota of a role."""
        role = self.backend.get_role(self._get_param("RoleName"))
        arn = self._get_param("PolicyArn")
        if arn not in role.managed_policies and len(role.managed_policies) >= MAX_POLICIES_PER_ROLE:
            text = f"Cannot exceed quota for PoliciesPerRole: {MAX_POLICIES_PER_ROLE}"
            raise AwsError("LimitExceeded", text)
        return super().attach_role_policy()

    def delete_policy(self) -> ActionResult:
        """Delete a managed policy that nothing uses and that has one version."""
        policy = self.backend.get_policy(self._get_param("PolicyArn"))
        if policy.attachment_count:
            raise AwsError("DeleteConflict", "Cannot delete a policy attached to entities.")
        if len(policy.versions) > 1:
            text = "This policy has more than one version. Before you delete a policy, you must delete the policy's "
            raise AwsError("DeleteConflict", f"{text}versions. The default version is deleted with the policy.")
        return super().delete_policy()

    def create_service_linked_role(self) -> ActionResult:
        """Create a service-linked role; an existing one is refused in IAM's own words."""
        service = self._get_param("AWSServiceName")
        suffix = self._get_param("CustomSuffix")
        taken = [role.name for role in self.backend.get_roles() if role._linked_service == service]
        if taken and not suffix:
            text = f"Service role name {taken[0]} has been taken in this account, please try a different suffix."
            raise AwsError("InvalidInput", text)
        return super().create_service_linked_role()

    def delete_role(self) -> ActionResult:
        """Delete a role, unless a service owns it."""
        role = self.backend.get_role(self._get_param("RoleName"))
        if role._linked_service:
            text = f"Cannot perform the operation on the protected role '{role.name}' - this role is only modifiable "
            raise AwsError("UnmodifiableEntity", f"{text}by AWS")
        return super().delete_role()

    def create_user(self) -> ActionResult:
        """Create a user; moto takes a boundary for roles only."""
        boundary = self._boundary() if self._get_param("PermissionsBoundary") else None
        result = super().create_user()
        self.backend.get_user(self._get_param("UserName")).permissions_boundary = boundary  # type: ignore[attr-defined]
        return result

    def put_user_permissions_boundary(self) -> EmptyResult:
        """Bound what a user may do."""
        boundary = self._boundary()
        self.backend.get_user(self._get_param("UserName")).permissions_boundary = boundary  # type: ignore[attr-defined]
        return EmptyResult()

    def delete_user_permissions_boundary(self) -> EmptyResult:
        """Lift the bounds of a user."""
        user = self.backend.get_user(self._get_param("UserName"))
        if getattr(user, "permissions_boundary", None) is None:
            text = f"The user with name {user.name} has no permissions boundary."
            raise AwsError("NoSuchEntity", text)
        user.permissions_boundary = None  # type: ignore[attr-defined]
        return EmptyResult()

    def _boundary(self) -> dict[str, str]:
        """Return the boundary that a call names, as IAM tells it."""
        arn = str(self._get_param("PermissionsBoundary"))
        try:
            self.backend.get_policy(arn)
        except NotFoundException as error:
            raise AwsError("NoSuchEntity", f"Scope ARN: {arn} does not exist or is not attachable.") from error
        return {"PermissionsBoundaryType": "PermissionsBoundaryPolicy", "PermissionsBoundaryArn": arn}

    def create_open_id_connect_provider(self) -> ActionResult:
        """Create an OIDC provider; AWS names the URL that is taken."""
        url = str(self._get_param("Url"))
        host = url.split("://", 1)[-1].rstrip("/")
        if any(arn.endswith(f"oidc-provider/{host}") for arn in self.backend.list_open_id_connect_providers()):
            raise AwsError("EntityAlreadyExists", f"Provider with url {url} already exists.")
        return super().create_open_id_connect_provider()

    def add_client_id_to_open_id_connect_provider(self) -> EmptyResult:
        """Let a provider's tokens have one more audience; one that it has already is no error."""
        provider, client_id = self._provider_and_client_id()
        if client_id not in provider.client_id_list:
            if len(provider.client_id_list) >= MAX_CLIENT_IDS:
                text = f"Cannot exceed quota for ClientIdsPerOpenIdConnectProvider: {MAX_CLIENT_IDS}"
                raise AwsError("LimitExceeded", text)
            provider.client_id_list = [*provider.client_id_list, client_id]
        return EmptyResult()

    def remove_client_id_from_open_id_connect_provider(self) -> EmptyResult:
        """Take an audience away; one that the provider does not have is no error."""
        provider, client_id = self._provider_and_client_id()
        provider.client_id_list = [known for known in provider.client_id_list if known != client_id]
        return EmptyResult()

    def _provider_and_client_id(self) -> tuple[OpenIDConnectProvider, str]:
        client_id = str(self._get_param("ClientID") or "")
        if not 1 <= len(client_id) <= MAX_CLIENT_ID_LENGTH:
            text = f"Value '{client_id}' at 'clientID' failed to satisfy constraint: Member must have length"
            raise AwsError("ValidationError", f"{text} between 1 and {MAX_CLIENT_ID_LENGTH}")
        provider = self.backend.get_open_id_connect_provider(self._get_param("OpenIDConnectProviderArn"))
        return provider, client_id


def register() -> None:
    """Put this overlay in front of moto's IAM."""
    install("iam", Iam)
