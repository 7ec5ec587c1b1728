"""A DB instance is a real server: its name, its user, its parameters, its groups, its restarts."""

from __future__ import annotations

import json
from typing import Any

import psycopg
import pytest

PASSWORD = "correct-horse-battery"


@pytest.fixture(scope="module")
def main(program: Any, west: str) -> Any:
    """A Multi-AZ primary named main, with a parameter group of its own."""
    program.client("rds").create_db_parameter_group(
        DBParameterGroupName="own", DBParameterGroupFamily="postgres16", Description="own"
    )
    program.create("main", west, MultiAZ=True, DBParameterGroupName="own")
    return program


def set_parameter(program: Any, name: str, value: str, method: str = "immediate") -> None:
    """Change a parameter of the group."""
    program.client("rds").modify_db_parameter_group(
        DBParameterGroupName="own",
        Parameters=[{"ParameterName": name, "ParameterValue": value, "ApplyMethod": method}],
    )


def test_a_primary_answers_by_its_name_and_its_master_is_no_superuser(main: Any) -> None:
    query = """SELECT current_user, current_database(), rolsuper, rolcreatedb, rolcreaterole,
               pg_has_role('rds_superuser', 'member'), pg_has_role('pg_monitor', 'member')
               FROM pg_roles WHERE rolname = current_user"""
    with main.connect("main") as session:
        assert session.execute(query).fetchone() == ("dbadmin", "app", False, True, True, True, True)
        session.execute("CREATE ROLE app LOGIN PASSWORD 'x'")
        session.execute("CREATE DATABASE other")
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        main.connect("main", password="wrong-password")


def test_psql_finds_its_way_by_an_alias_and_a_secret(main: Any) -> None:
    endpoint = main.show("main")["Endpoint"]["Address"]
    login = {"username": "dbadmin", "password": PASSWORD, "dbname": "app"}
    main.client("secretsmanager").create_secret(Name="app/master", SecretString=json.dumps(login))
    vpc = main.show("main")["DBSubnetGroup"]["VpcId"]
    zone = main.client("route53").create_hosted_zone(
        Name="internal.example.", CallerReference="1", VPC={"VPCRegion": "us-west-2", "VPCId": vpc},
        HostedZoneConfig={"PrivateZone": True, "Comment": ""},
    )["HostedZone"]["Id"]  # fmt: skip
    record = {"Name": "db.internal.example.", "Type": "CNAME", "TTL": 30, "ResourceRecords": [{"Value": endpoint}]}
    main.client("route53").change_resource_record_sets(
        HostedZoneId=zone, ChangeBatch={"Changes": [{"Action": "UPSERT", "ResourceRecordSet": record}]}
    )
    resolved = main.run("resolve", "db.internal.example")
    assert resolved.stdout.split() == [endpoint, main.resolve(endpoint)]
    answer = main.run("psql", "db.internal.example", "--secret", "app/master", "--", "-XAtc", "SELECT current_user")
    assert (answer.stdout, answer.returncode) == ("dbadmin\n", 0), answer.stderr
    # Without a system psql the wheel's is taken, which has no TLS of its own.
    bare = main.run("psql", "db.internal.example", "--secret", "app/master", "--", "-Atc", "SELECT 1/0", PATH="")
    assert (bare.returncode, "division by zero" in bare.stderr) == (1, True), bare.stderr
    unknown = main.run("resolve", "nothing.internal.example")
    assert (unknown.returncode, "leads to no address" in unknown.stderr) == (1, True)
    assert f"export PIPEOPS_DNS_SERVERS=127.0.0.1:{main.port}\n" in main.run("env").stdout


def test_a_dynamic_parameter_holds_without_a_restart(main: Any) -> None:
    set_parameter(main, "default_transaction_read_only", "1")
    main.available("main")
    main.until(lambda: main.rows("SHOW default_transaction_read_only") == ["on"])
    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        main.rows("INSERT INTO t VALUES (1)")
    set_parameter(main, "default_transaction_read_only", "0")
    main.available("main")
    main.until(lambda: main.rows("SHOW default_transaction_read_only") == ["off"])


def test_a_static_parameter_waits_for_the_reboot_and_a_failover_cuts_sessions(main: Any) -> None:
    set_parameter(main, "max_connections", "77", "pending-reboot")
    assert main.show("main")["DBParameterGroups"][0]["ParameterApplyStatus"] != "in-sync"
    address = main.show("main")["Endpoint"]["Address"]
    with main.connect("main") as session:
        assert session.execute("SHOW max_connections").fetchone() == ("100",)
        main.client("rds").reboot_db_instance(DBInstanceIdentifier="main", ForceFailover=True)
        with pytest.raises(psycopg.OperationalError):
            while True:
                session.execute("SELECT 1")
    assert main.available("main")["Endpoint"]["Address"] == address
    assert main.rows("SHOW max_connections") == ["77"]


def test_parameters_that_no_server_starts_with_show_and_can_be_taken_back(main: Any) -> None:
    rds = main.client("rds")
    set_parameter(main, "TimeZone", "Nowhere/At-All", "pending-reboot")
    rds.reboot_db_instance(DBInstanceIdentifier="main")
    main.until(lambda: main.show("main")["DBInstanceStatus"] == "incompatible-parameters")
    set_parameter(main, "TimeZone", "Europe/Vienna", "pending-reboot")
    rds.reboot_db_instance(DBInstanceIdentifier="main")
    main.until(lambda: main.show("main")["DBInstanceStatus"] == "available")
    assert main.rows("SHOW timezone") == ["Europe/Vienna"]


def test_the_master_password_is_the_servers(main: Any) -> None:
    rds = main.client("rds")
    rds.modify_db_instance(DBInstanceIdentifier="main", MasterUserPassword="another-secret-1", ApplyImmediately=True)
    main.available("main")
    assert main.rows("SELECT 1", password="another-secret-1") == [1]
    rds.modify_db_instance(DBInstanceIdentifier="main", MasterUserPassword=PASSWORD, ApplyImmediately=True)
    main.available("main")
    assert main.rows("SELECT 1") == [1]


def test_security_groups_stop_new_connections_only(main: Any, west: str) -> None:
    ec2 = main.client("ec2")
    rules = ec2.describe_security_groups(GroupIds=[west])["SecurityGroups"][0]["IpPermissions"]
    with main.connect("main") as session:
        ec2.revoke_security_group_ingress(GroupId=west, IpPermissions=rules)
        with pytest.raises(psycopg.errors.ConnectionTimeout):
            main.connect("main")
        assert session.execute("SELECT 1").fetchone() == (1,)
    other = ec2.create_security_group(
        GroupName="other", Description="other", VpcId=main.show("main")["DBSubnetGroup"]["VpcId"]
    )["GroupId"]
    main.let_in("us-west-2", other)
    main.client("rds").modify_db_instance(DBInstanceIdentifier="main", VpcSecurityGroupIds=[west, other])
    assert main.rows("SELECT 1") == [1]


def test_a_stopped_instance_is_gone_and_comes_back_with_its_data(main: Any) -> None:
    main.rows("INSERT INTO t VALUES (42)")
    main.client("rds").stop_db_instance(DBInstanceIdentifier="main")
    main.until(lambda: main.show("main")["DBInstanceStatus"] == "stopped")
    with pytest.raises(psycopg.OperationalError):
        main.connect("main")
    main.client("rds").start_db_instance(DBInstanceIdentifier="main")
    main.available("main")
    assert main.rows("SELECT n FROM t") == [42]


def test_a_crash_of_the_server_is_repaired(main: Any) -> None:
    with main.connect("main") as session, pytest.raises(psycopg.OperationalError):
        session.execute("SELECT 1")
        _kill_server(main)
        while True:
            session.execute("SELECT 1")
    assert main.until(lambda: _quietly(main)) == [1]


def _kill_server(program: Any) -> None:
    (lock,) = program.directory.glob("build/sandbox/postgres/servers/*/data/postmaster.pid")
    psutil_process(int(lock.read_text().split()[0])).kill()


def psutil_process(pid: int) -> Any:
    """Return a process that is a PostgreSQL server of this test."""
    import psutil  # noqa: PLC0415 - for this test only

    found = psutil.Process(pid)
    assert "postgres" in found.name()
    return found


def _quietly(program: Any) -> list[Any]:
    try:
        return list(program.rows("SELECT 1"))
    except psycopg.OperationalError:
        return []


def test_endpoints_speak_tls_and_a_group_can_demand_it(main: Any) -> None:
    bundle = str(main.directory / "build/sandbox/postgres/tls/rds-ca.pem")
    query = "SELECT current_user"
    assert main.rows(query, sslmode="verify-full", sslrootcert=bundle) == ["dbadmin"]
    set_parameter(main, "rds.force_ssl", "1")
    main.available("main")
    main.until(lambda: _refused_in_the_clear(main))
    assert main.rows(query, sslmode="require") == ["dbadmin"]
    set_parameter(main, "rds.force_ssl", "0")
    main.available("main")
    main.until(lambda: not _refused_in_the_clear(main))


def _refused_in_the_clear(program: Any) -> bool:
    try:
        program.rows("SELECT 1", sslmode="disable")
    except psycopg.OperationalError as error:
        assert "no encryption" in str(error)
        return True
    return False
