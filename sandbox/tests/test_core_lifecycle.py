"""The sandbox as a program: started, found running, stopped, killed, started again with its state."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import boto3
import psutil
import pytest

PACKAGE_HOME = str(Path(__file__).resolve().parent.parent)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Program:
    """The command line of one sandbox."""

    def __init__(self, directory: Path) -> None:
        self.port = free_port()
        self.directory = directory

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "pipeops_sandbox", *words, "--port", str(self.port)]
        environment = {**os.environ, "PYTHONPATH": PACKAGE_HOME}
        return subprocess.run(
            command, cwd=self.directory, env=environment, capture_output=True, text=True, timeout=60, check=False
        )

    def health(self) -> Any:
        with urlopen(f"http://127.0.0.1:{self.port}/_sandbox/health", timeout=5) as answer:
            return json.load(answer)

    def client(self, service: str) -> Any:
        return boto3.client(
            service, "us-west-2", endpoint_url=f"http://127.0.0.1:{self.port}",
            aws_access_key_id="AKIASANDBOX000000001", aws_secret_access_key="sandbox",
        )  # fmt: skip


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Program]:
    made = Program(tmp_path)
    yield made
    made.run("down")


def test_up_is_idempotent_and_down_keeps_the_state(program: Program) -> None:
    first = program.run("up", "--profile", "aws", "--scale", "60")
    assert (first.returncode, first.stdout) == (0, f"http://127.0.0.1:{program.port}\n")
    pid = program.health()["pid"]
    assert program.run("up").returncode == 0
    assert program.health()["pid"] == pid
    vpc = program.client("ec2").create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    key = program.client("kms").create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["KeyId"]
    program.client("iam").get_policy(PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")
    clock = program.health()["clock"]
    assert program.run("down").returncode == 0
    assert program.run("status").returncode == 1
    assert program.run("up").returncode == 0
    assert program.client("ec2").describe_vpcs(VpcIds=[vpc])["Vpcs"]
    signed = program.client("kms").sign(KeyId=key, Message=b"m", SigningAlgorithm="ECDSA_SHA_256")
    assert signed["Signature"]
    after = program.health()["clock"]
    assert (after["profile"], after["scale"]) == ("aws", 60)
    assert after["time"] >= clock["time"]
    assert "runs as process" in program.run("status").stdout


def test_kill_9_loses_moments_at_most(program: Program) -> None:
    program.run("up")
    ec2 = program.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    state = program.directory / "build" / "sandbox" / "state.pickle"
    deadline = time.monotonic() + 10
    while not state.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(0.5)
    killed = psutil.Process(program.health()["pid"])
    killed.kill()
    while killed.is_running() and killed.status() != psutil.STATUS_ZOMBIE:
        time.sleep(0.05)
    assert program.run("up").returncode == 0
    assert program.client("ec2").describe_vpcs(VpcIds=[vpc])["Vpcs"]
    lines = (program.directory / "build" / "sandbox" / "journal.jsonl").read_text().splitlines()
    assert "CreateVpc" in [json.loads(line)["operation"] for line in lines]


def test_a_port_that_is_taken_is_said_so(program: Program) -> None:
    class Other(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"hello")

        def log_message(self, *_: Any) -> None:
            pass

    other = HTTPServer(("127.0.0.1", program.port), Other)
    threading.Thread(target=other.serve_forever, daemon=True).start()
    done = program.run("up")
    other.shutdown()
    other.server_close()
    assert done.returncode == 1
    assert f"port {program.port} is taken by something else" in done.stderr


def test_a_state_that_cannot_be_read_is_said_so(program: Program) -> None:
    state = program.directory / "build" / "sandbox" / "state.pickle"
    state.parent.mkdir(parents=True)
    state.write_bytes(b"rubbish")
    assert program.run("up").returncode == 1
    assert "cannot read" in (state.parent / "server.log").read_text()


def test_env_shuts_real_accounts_out(program: Program) -> None:
    lines = program.run("env").stdout
    script = f'{lines}\necho "$AWS_ENDPOINT_URL $AWS_CONFIG_FILE $AWS_PROFILE $NO_PROXY"'
    environment = {"AWS_PROFILE": "real", "NO_PROXY": "intern", "PATH": os.environ["PATH"]}
    shown = subprocess.run(["sh", "-c", script], env=environment, capture_output=True, text=True, check=True).stdout
    assert shown.split() == [f"http://127.0.0.1:{program.port}", "/dev/null", "127.0.0.1,localhost,127.0.0.0/8,intern"]


@pytest.mark.parametrize("words", [["up", "--scale", "0"], ["up", "--profile", "slow"], ["up", "--port", "0"], []])
def test_wrong_usage_is_refused(tmp_path: Path, words: list[str]) -> None:
    command = [sys.executable, "-m", "pipeops_sandbox", *words]
    environment = {**os.environ, "PYTHONPATH": PACKAGE_HOME}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "usage" in done.stderr


def test_32_writers_at_once_lose_nothing(client: Any) -> None:
    ec2 = client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    group = ec2.create_security_group(GroupName="g", Description="g", VpcId=vpc)["GroupId"]

    def write(number: int) -> None:
        own = client("ec2")
        own.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{number}.0/24", AvailabilityZone="us-west-2a")
        rule = {"IpProtocol": "tcp", "FromPort": number, "ToPort": number, "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}
        own.authorize_security_group_ingress(GroupId=group, IpPermissions=[rule])
        own.create_tags(Resources=[vpc], Tags=[{"Key": f"k{number}", "Value": "v"}])

    with ThreadPoolExecutor(32) as pool:
        list(pool.map(write, range(32)))
    mine = [{"Name": "vpc-id", "Values": [vpc]}]
    assert len(ec2.describe_subnets(Filters=mine)["Subnets"]) == 32
    assert len(ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"][0]["IpPermissions"]) == 32
    assert len(ec2.describe_vpcs(VpcIds=[vpc])["Vpcs"][0]["Tags"]) == 32


def test_32_racers_take_one_lock_once(client: Any) -> None:
    ddb = client("dynamodb")
    ddb.create_table(
        TableName="lock", BillingMode="PAY_PER_REQUEST", KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
    )  # fmt: skip

    def take(number: int) -> bool:
        try:
            ddb.put_item(
                TableName="lock", Item={"id": {"S": "deploy"}, "owner": {"N": str(number)}},
                ConditionExpression="attribute_not_exists(id)",
            )  # fmt: skip
        except ddb.exceptions.ConditionalCheckFailedException:
            return False
        return True

    with ThreadPoolExecutor(32) as pool:
        assert sum(pool.map(take, range(32))) == 1
