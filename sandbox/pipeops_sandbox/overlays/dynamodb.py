"""DynamoDB: tables that take time to come and go, and the fields that moto drops."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from moto.core.responses import ActionResult
from moto.dynamodb.models.table import Table
from moto.dynamodb.responses import DynamoHandler

from ..clock import Timeline
from ..errors import AwsError
from ..overlay import Prepared, install
from ..runtime import runtime
from .kms import find_key

_describe = Table.describe
# What works on a table that is not ACTIVE.
_ALWAYS = {"CreateTable", "DescribeTable", "ListTables", "ListTagsOfResource", "DescribeTimeToLive",
           "DescribeContinuousBackups", "DeleteTable"}  # fmt: skip
_ITEM_OPERATIONS = ("Item", "Query", "Scan")


def describe(self: Table, base_key: str = "TableDescription") -> dict[str, Any]:
    """Describe a table with its id and its state of now."""
    result = _describe(self, base_key)
    table = result[base_key]
    table["TableStatus"] = status(self)
    table["TableId"] = _table_id(self)
    return result


def status(table: Table) -> str:
    """Return the state of a table."""
    timeline: Timeline | None = getattr(table, "timeline", None)
    return timeline.state(runtime.clock.now()) if timeline else "ACTIVE"


def _table_id(table: Table) -> str:
    if not hasattr(table, "table_id"):
        table.table_id = str(uuid4())  # type: ignore[attr-defined]
    return str(table.table_id)  # type: ignore[attr-defined]


def _start(table: Table, state: str, step: str, last: str = "ACTIVE") -> None:
    seconds = runtime.clock.duration(step)
    table.timeline = Timeline.start(runtime.clock.now(), (state, seconds), last=last)  # type: ignore[attr-defined]


class Dynamo(Prepared, DynamoHandler):
    """moto's DynamoDB with table states."""

    def prepare(self, action: str) -> None:
        """Forget deleted tables, and refuse what a table in transition cannot do."""
        tables = self.dynamodb_backend.tables
        for name in [name for name, table in tables.items() if status(table) == "DELETED"]:
            del tables[name]
        table = tables.get(str(self.params.get("TableName", "")).rsplit("/", 1)[-1])
        if table is None or action in _ALWAYS or status(table) == "ACTIVE":
            return
        if any(word in action for word in _ITEM_OPERATIONS) and status(table) != "UPDATING":
            raise AwsError("ResourceNotFoundException", "Requested resource not found")
        if action in ("UpdateTable", "UpdateTimeToLive"):
            text = f"Attempt to change a resource which is still in use: Table is being changed: {table.name}"
            raise AwsError("ResourceInUseException", text)
        if action == "UpdateContinuousBackups":
            text = f"Backups are being enabled for the table: {table.name}. Please retry later"
            raise AwsError("ContinuousBackupsUnavailableException", text)

    def create_table(self) -> ActionResult:
        """Create a table; it is CREATING at first."""
        self._check_key(self.params.get("SSESpecification"))
        super().create_table()
        table = self.dynamodb_backend.get_table(self.params["TableName"])
        _start(table, "CREATING", "dynamodb:create_table")
        return self._described(table, "CREATING")

    def update_table(self) -> ActionResult:
        """Change a table; moto drops a change of its encryption."""
        specification = self.params.get("SSESpecification")
        self._check_key(specification)
        super().update_table()
        table = self.dynamodb_backend.get_table(self.params["TableName"])
        if specification is not None:
            table.sse_specification = self._sse(specification)
        _start(table, "UPDATING", "dynamodb:update_table")
        return self._described(table, "UPDATING")

    def delete_table(self) -> ActionResult:
        """Delete a table that is not in transition; it is DELETING for a while."""
        tables = self.dynamodb_backend.tables
        table = self.dynamodb_backend.get_table(self.params["TableName"])
        if status(table) != "ACTIVE":
            text = f"Attempt to change a resource which is still in use: Table is being changed: {table.name}"
            raise AwsError("ResourceInUseException", text)
        super().delete_table()
        tables[table.name] = table
        _start(table, "DELETING", "dynamodb:delete_table", last="DELETED")
        return self._described(table, "DELETING")

    @staticmethod
    def _described(table: Table, state: str) -> ActionResult:
        described = table.describe()["TableDescription"]
        return ActionResult({"TableDescription": described | {"TableStatus": state}})

    def _check_key(self, specification: dict[str, Any] | None) -> None:
        key_id = (specification or {}).get("KMSMasterKeyId")
        if key_id:
            key = find_key(self.current_account, self.region, key_id)
            if key is None or key.key_state != "Enabled":
                text = f"KMS validation error: key {key_id} does not exist, is not enabled or you are not allowed to "
                raise AwsError("ValidationException", f"{text}access it in {self.region}")

    def _sse(self, specification: dict[str, Any]) -> dict[str, Any]:
        key_id = specification.get("KMSMasterKeyId")
        key = find_key(self.current_account, self.region, key_id) if key_id else None
        return specification | ({"KMSMasterKeyId": key.arn} if key else {})

    def update_time_to_live(self) -> ActionResult:
        """Switch expiry on or off; asking for what is set already is an error."""
        table = self.dynamodb_backend.get_table(self.params["TableName"])
        enabled = bool(self.params["TimeToLiveSpecification"].get("Enabled"))
        if enabled == (table.ttl["TimeToLiveStatus"] == "ENABLED"):
            raise AwsError("ValidationException", f"TimeToLive is already {'enabled' if enabled else 'disabled'}")
        return super().update_time_to_live()


def register() -> None:
    """Put this overlay in front of moto's DynamoDB."""
    Table.describe = describe  # type: ignore[method-assign]
    install("dynamodb", Dynamo)
