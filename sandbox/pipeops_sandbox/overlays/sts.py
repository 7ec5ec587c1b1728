"""STS: roles are assumed only if they exist and have been around long enough."""

from __future__ import annotations

from moto.core.responses import ActionResult
from moto.iam.exceptions import NotFoundException
from moto.iam.models import iam_backends
from moto.sts.responses import TokenResponse

from ..access.gate import gate
from ..access.trust import trusts_token
from ..errors import AwsError
from ..overlay import install
from .iam import anybody, role_has_propagated


class Sts(TokenResponse):
    """moto's STS, which hands out credentials for roles that are not there."""

    def get_caller_identity(self) -> ActionResult:
        """Say who calls; whoever comes with a key that nobody handed out is a user, as access entries know it."""
        user, arn, account = self.backend.get_caller_identity(self.get_access_key(), self.region)
        if ":sts:" in arn and ":user/" in arn:
            arn = anybody(account)
        return ActionResult({"UserId": user, "Account": account, "Arn": arn})

    def assume_role(self) -> ActionResult:
        """Return credentials for a role of this account."""
        self._check_role("sts:AssumeRole")
        return super().assume_role()

    def assume_role_with_web_identity(self) -> ActionResult:
        """Return credentials for a role; who made the token is not verified, and what it says while IAM is enforced."""
        self._check_role("sts:AssumeRoleWithWebIdentity")
        arn = str(self._get_param("RoleArn"))
        if gate.enforced and not trusts_token(self.current_account, arn, str(self._get_param("WebIdentityToken"))):
            raise AwsError("AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity")
        return super().assume_role_with_web_identity()

    def _check_role(self, action: str) -> None:
        arn = self._get_param("RoleArn")
        parts = str(arn).split(":")
        account = parts[4] if len(parts) > 5 else self.current_account
        if account != self.current_account:
            return
        try:
            known = role_has_propagated(iam_backends[account]["aws"].get_role_by_arn(arn))
        except NotFoundException:
            known = False
        if not known:
            raise AwsError("AccessDenied", f"Not authorized to perform: {action} on resource: {arn}")


def register() -> None:
    """Put this overlay in front of moto's STS."""
    install("sts", Sts)
