"""The template for AWS: valid for CloudFormation, with no way in or out that is not needed."""

from __future__ import annotations

from typing import Any

import boto3
import pytest
import yaml
from cfnlint import lint_all
from moto import mock_aws

from shipworthy.ship.targets.aws import aws_files
from shipworthy.ship.targets.deployment import PORT, Deployment


@pytest.fixture(scope="module")
def text() -> str:
    """The template of a problem with an awkward name."""
    deployment = Deployment(
        problem="van_routes",
        releases=("57916ba7ddc24fed",),
        rollout=2,
        phase="live",
        title="Shorter",
        python="3.11.7",
        replicas=3,
    )
    return aws_files(deployment)["template.yaml"]


@pytest.fixture
def resources(text: str) -> dict[str, Any]:
    """Its resources."""
    return yaml.safe_load(text)["Resources"]


def test_cfn_lint_has_nothing_to_say(text: str):
    """No error and no warning; and it would say something of a template that is wrong."""
    assert [found for found in lint_all(text) if found.rule.severity != "informational"] == []
    assert lint_all(text.replace("Cpu: '1024'", "Cpu: '1000'"))


@pytest.mark.filterwarnings("ignore:Tried to parse:UserWarning")  # kinds that moto does not play
def test_a_stack_is_made_of_it(text: str, monkeypatch: pytest.MonkeyPatch):
    """Moto, which plays AWS and runs nothing, takes it for a stack and makes its resources."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    with mock_aws():
        vpc = boto3.client("ec2", "us-east-1").create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        subnets = {
            f"Subnet{letter}": boto3.client("ec2", "us-east-1").create_subnet(
                VpcId=vpc, CidrBlock=f"10.0.{number}.0/24", AvailabilityZone=f"us-east-1{letter.lower()}"
            )["Subnet"]["SubnetId"]
            for number, letter in enumerate("AB")
        }
        given = {"Vpc": vpc, "Callers": "10.0.0.0/16", **subnets}
        formation = boto3.client("cloudformation", "us-east-1")
        formation.create_stack(
            StackName="van",
            TemplateBody=text,
            Capabilities=["CAPABILITY_IAM"],
            Parameters=[{"ParameterKey": name, "ParameterValue": value} for name, value in given.items()],
        )
        [stack] = formation.describe_stacks(StackName="van")["Stacks"]
        made = formation.describe_stack_resources(StackName="van")["StackResources"]
    assert stack["StackStatus"] == "CREATE_COMPLETE"
    assert {"Service", "Task", "Balancer", "Files"} <= {one.get("LogicalResourceId") for one in made}


def test_a_container_may_do_as_little_as_possible(resources: dict[str, Any]):
    """It is not root, writes nothing but its log and what is temporary, has no capability, and is given time to end."""
    task = resources["Task"]["Properties"]
    [container] = task["ContainerDefinitions"]
    assert container["ReadonlyRootFilesystem"] is True
    assert container["User"] == "10001:10001"
    assert container["LinuxParameters"]["Capabilities"] == {"Drop": ["ALL"]}
    assert 40 < container["StopTimeout"] <= 120
    [log, _] = task["Volumes"]
    assert log["EFSVolumeConfiguration"]["TransitEncryption"] == "ENABLED"


def test_a_task_may_mount_its_log_and_nothing_else(resources: dict[str, Any]):
    """The task's own role holds one statement, for one folder; the agent's names what it acts on."""
    [policy] = resources["TaskRole"]["Properties"]["Policies"]
    [statement] = policy["PolicyDocument"]["Statement"]
    assert all(action.startswith("elasticfilesystem:Client") for action in statement["Action"])
    assert "elasticfilesystem:ClientRootAccess" not in statement["Action"]
    assert statement["Condition"]
    [agent] = resources["AgentRole"]["Properties"]["Policies"]
    free = [one["Action"] for one in agent["PolicyDocument"]["Statement"] if one["Resource"] == "*"]
    assert free == [["ecr:GetAuthorizationToken"]]


def test_callers_reach_the_balancer_alone(resources: dict[str, Any]):
    """The balancer is inside the network; only it reaches the tasks, and only they reach the log."""
    assert resources["Balancer"]["Properties"]["Scheme"] == "internal"
    ways = {
        name: one["Properties"] for name, one in resources.items() if one["Type"] == "AWS::EC2::SecurityGroupIngress"
    }
    assert {name: way["FromPort"] for name, way in ways.items()} == {"BalancerToTasksIn": PORT, "TasksToLogIn": 2049}
    groups = {name: one["Properties"] for name, one in resources.items() if one["Type"] == "AWS::EC2::SecurityGroup"}
    assert [name for name, group in groups.items() if "SecurityGroupIngress" in group] == ["BalancerGroup"]


def test_the_log_outlives_the_stack(resources: dict[str, Any]):
    """Whoever deletes the stack keeps the evidence, encrypted and backed up."""
    assert resources["Files"]["DeletionPolicy"] == "Retain"
    assert resources["Files"]["Properties"] == {"Encrypted": True, "BackupPolicy": {"Status": "ENABLED"}}
