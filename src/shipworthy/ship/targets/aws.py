"""AWS: one CloudFormation template that runs the image on Fargate, behind a balancer inside the network, its log on EFS.

EFS speaks NFS 4.1, whose locks are what tasks need to share a log. The state is in the image: records on a volume are in SQLite,
which is safe for the processes of one machine alone, and Fargate gives no two tasks the same machine.
"""

from __future__ import annotations

from typing import Any

from shipworthy.errors import InvalidInputError
from shipworthy.ship.targets.deployment import GRACE_S, HEALTH, LOG_FOLDER, PORT, SPREAD_S, USER, Deployment
from shipworthy.ship.targets.docker import health_check, serve_command
from shipworthy.ship.targets.plain import to_yaml

Value = dict[str, Any]

_NFS, _HTTPS = 2049, 443
_CPU, _MEMORY = "1024", "2048"


def aws_files(deployment: Deployment) -> dict[str, str]:
    """The template, by its name.

    Raises:
        InvalidInputError: the state is to be elsewhere than in the image.
        UnavailableError: the extra `deploy` is not installed.
    """
    if deployment.state != "image":
        raise InvalidInputError(
            "On AWS the state is in the image: the template gives tasks no disk on which SQLite would be safe, and no way to a "
            "database. Leave --state away, and "
            "deploy again when the rollout has moved."
        )
    template = {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": f"shipworthy: what is rolled out for {deployment.problem}",
        "Parameters": _parameters(deployment),
        "Conditions": {
            "IsSecure": {"Fn::Not": [{"Fn::Equals": [_ref("Certificate"), ""]}]},
            "IsHeard": {"Fn::Not": [{"Fn::Equals": [_ref("AlarmTopic"), ""]}]},
        },
        "Resources": {
            **_groups(deployment),
            **_storage(deployment),
            **_roles(),
            **_balancer(),
            **_service(deployment),
            **_alarms(deployment),
        },
        "Outputs": {"Address": {"Value": {"Fn::GetAtt": ["Balancer", "DNSName"]}}},
    }
    return {"template.yaml": to_yaml(template)}


def _parameters(deployment: Deployment) -> Value:
    subnet = {"Type": "AWS::EC2::Subnet::Id", "Description": "A private subnet with a way to ECR and CloudWatch."}
    return {
        "Image": {"Type": "String", "Default": deployment.image},
        "Vpc": {"Type": "AWS::EC2::VPC::Id"},
        "SubnetA": subnet,
        "SubnetB": {**subnet, "Description": "Another one, in another zone."},
        "Callers": {"Type": "String", "Description": "The addresses that may ask, as 10.0.0.0/16."},
        "Tasks": {"Type": "Number", "Default": deployment.replicas, "MinValue": 1},
        "Certificate": {"Type": "String", "Default": "", "Description": "For HTTPS: the ARN of a certificate."},
        "AlarmTopic": {"Type": "String", "Default": "", "Description": "The ARN of the topic that alarms go to."},
    }


def _groups(deployment: Deployment) -> Value:
    """Callers reach the balancer, the balancer the tasks, the tasks the log; nobody anybody else."""
    open_ = {"IpProtocol": "tcp", "FromPort": _listen(), "ToPort": _listen(), "CidrIp": _ref("Callers")}
    out = {
        "IpProtocol": "tcp",
        "FromPort": _HTTPS,
        "ToPort": _HTTPS,
        "CidrIp": "0.0.0.0/0",
        "Description": "Images, logs",
    }
    return {
        "BalancerGroup": _group(f"{deployment.name} balancer", [open_], []),
        "TaskGroup": _group(f"{deployment.name} tasks", [], [out]),
        "FileGroup": _group(f"{deployment.name} log", [], []),
        **_way("BalancerToTasks", "BalancerGroup", "TaskGroup", PORT),
        **_way("TasksToLog", "TaskGroup", "FileGroup", _NFS),
    }


def _group(description: str, ingress: list[Value], egress: list[Value]) -> Value:
    nowhere = {
        "IpProtocol": "-1",
        "CidrIp": "127.0.0.1/32",
        "Description": "Nowhere, instead of the default: everywhere",
    }
    return {
        "Type": "AWS::EC2::SecurityGroup",
        "Properties": {
            "GroupDescription": description,
            "VpcId": _ref("Vpc"),
            **({"SecurityGroupIngress": ingress} if ingress else {}),
            "SecurityGroupEgress": egress or [nowhere],
        },
    }


def _way(name: str, source: str, target: str, port: int) -> Value:
    ports = {"IpProtocol": "tcp", "FromPort": port, "ToPort": port}
    ids = {group: {"Fn::GetAtt": [group, "GroupId"]} for group in (source, target)}
    out = {"GroupId": ids[source], "DestinationSecurityGroupId": ids[target], **ports}
    into = {"GroupId": ids[target], "SourceSecurityGroupId": ids[source], **ports}
    return {
        f"{name}Out": {"Type": "AWS::EC2::SecurityGroupEgress", "Properties": out},
        f"{name}In": {"Type": "AWS::EC2::SecurityGroupIngress", "Properties": into},
    }


def _storage(deployment: Deployment) -> Value:
    """The log outlives the stack: it is evidence."""
    owner = {"OwnerUid": str(USER), "OwnerGid": str(USER), "Permissions": "0750"}
    kept = {"DeletionPolicy": "Retain", "UpdateReplacePolicy": "Retain"}
    mounts = {
        f"Mount{letter}": {
            "Type": "AWS::EFS::MountTarget",
            "Properties": {
                "FileSystemId": _ref("Files"),
                "SubnetId": _ref(f"Subnet{letter}"),
                "SecurityGroups": [{"Fn::GetAtt": ["FileGroup", "GroupId"]}],
            },
        }
        for letter in "AB"
    }
    return {
        "Files": {
            "Type": "AWS::EFS::FileSystem",
            **kept,
            "Properties": {"Encrypted": True, "BackupPolicy": {"Status": "ENABLED"}},
        },
        "LogFolder": {
            "Type": "AWS::EFS::AccessPoint",
            "Properties": {
                "FileSystemId": _ref("Files"),
                "PosixUser": {"Uid": str(USER), "Gid": str(USER)},
                "RootDirectory": {"Path": f"/{deployment.name}", "CreationInfo": owner},
            },
        },
        **mounts,
        "Output": {"Type": "AWS::Logs::LogGroup", **kept, "Properties": {"RetentionInDays": 90}},
    }


def _roles() -> Value:
    """Fetching the image and writing output is the agent's role; a task itself may mount its log and nothing else."""
    pull = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
    repositories = {"Fn::Sub": "arn:${AWS::Partition}:ecr:${AWS::Region}:${AWS::AccountId}:repository/*"}
    agent = [
        _allow(["ecr:GetAuthorizationToken"], "*"),
        _allow(pull, repositories),
        _allow(["logs:CreateLogStream", "logs:PutLogEvents"], {"Fn::GetAtt": ["Output", "Arn"]}),
    ]
    files = "arn:${AWS::Partition}:elasticfilesystem:${AWS::Region}:${AWS::AccountId}"
    mount = _allow(
        ["elasticfilesystem:ClientMount", "elasticfilesystem:ClientWrite"],
        {"Fn::Sub": files + ":file-system/${Files}"},
    )
    point = {"elasticfilesystem:AccessPointArn": {"Fn::Sub": files + ":access-point/${LogFolder}"}}
    own = {**mount, "Condition": {"StringEquals": point}}
    return {"AgentRole": _role("agent", agent), "TaskRole": _role("log", [own])}


def _role(name: str, statements: list[Value]) -> Value:
    here = {"StringEquals": {"aws:SourceAccount": _ref("AWS::AccountId")}}
    tasks = {
        "Effect": "Allow",
        "Principal": {"Service": "ecs-tasks.amazonaws.com"},
        "Action": "sts:AssumeRole",
        "Condition": here,
    }
    policy = {"Version": "2012-10-17", "Statement": statements}
    return {
        "Type": "AWS::IAM::Role",
        "Properties": {
            "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [tasks]},
            "Policies": [{"PolicyName": name, "PolicyDocument": policy}],
        },
    }


def _allow(actions: list[str], resource: Any) -> Value:
    return {"Effect": "Allow", "Action": actions, "Resource": resource}


def _balancer() -> Value:
    """Inside the network alone: the service has no sign-in."""
    forward = [{"Type": "forward", "TargetGroupArn": _ref("Targets")}]
    none = _ref("AWS::NoValue")
    return {
        "Balancer": {
            "Type": "AWS::ElasticLoadBalancingV2::LoadBalancer",
            "Properties": {
                "Scheme": "internal",
                "Subnets": [_ref("SubnetA"), _ref("SubnetB")],
                "SecurityGroups": [{"Fn::GetAtt": ["BalancerGroup", "GroupId"]}],
                "LoadBalancerAttributes": [{"Key": "routing.http.drop_invalid_header_fields.enabled", "Value": "true"}],
            },
        },
        "Targets": {
            "Type": "AWS::ElasticLoadBalancingV2::TargetGroup",
            "Properties": {
                "VpcId": _ref("Vpc"),
                "TargetType": "ip",
                "Protocol": "HTTP",
                "Port": PORT,
                "HealthCheckPath": HEALTH,
                "HealthCheckIntervalSeconds": 10,
                "HealthyThresholdCount": 2,
                "TargetGroupAttributes": [
                    {"Key": "deregistration_delay.timeout_seconds", "Value": str(GRACE_S - SPREAD_S)}
                ],
            },
        },
        "Listener": {
            "Type": "AWS::ElasticLoadBalancingV2::Listener",
            "Properties": {
                "LoadBalancerArn": _ref("Balancer"),
                "Port": _listen(),
                "Protocol": _if("IsSecure", "HTTPS", "HTTP"),
                "SslPolicy": _if("IsSecure", "ELBSecurityPolicy-TLS13-1-2-2021-06", none),
                "Certificates": _if("IsSecure", [{"CertificateArn": _ref("Certificate")}], none),
                "DefaultActions": forward,
            },
        },
    }


def _service(deployment: Deployment) -> Value:
    network = {
        "AssignPublicIp": "DISABLED",
        "Subnets": [_ref("SubnetA"), _ref("SubnetB")],
        "SecurityGroups": [{"Fn::GetAtt": ["TaskGroup", "GroupId"]}],
    }
    identity = {"Fn::Join": ["/", ["service", _ref("Cluster"), {"Fn::GetAtt": ["Service", "Name"]}]]}
    return {
        "Cluster": {
            "Type": "AWS::ECS::Cluster",
            "Properties": {"ClusterSettings": [{"Name": "containerInsights", "Value": "enabled"}]},
        },
        "Task": _task(deployment),
        "Service": {
            "Type": "AWS::ECS::Service",
            "DependsOn": ["Listener", "MountA", "MountB", "BalancerToTasksIn", "TasksToLogIn", "TasksToLogOut"],
            "Properties": {
                "Cluster": _ref("Cluster"),
                "TaskDefinition": _ref("Task"),
                "LaunchType": "FARGATE",
                "PlatformVersion": "1.4.0",
                "HealthCheckGracePeriodSeconds": 60,
                "DeploymentConfiguration": {
                    "MinimumHealthyPercent": 100,
                    "MaximumPercent": 200,
                    "DeploymentCircuitBreaker": {"Enable": True, "Rollback": True},
                },
                "NetworkConfiguration": {"AwsvpcConfiguration": network},
                "LoadBalancers": [
                    {"ContainerName": "service", "ContainerPort": PORT, "TargetGroupArn": _ref("Targets")}
                ],
                "PropagateTags": "SERVICE",
            },
        },
        "Scale": {
            "Type": "AWS::ApplicationAutoScaling::ScalableTarget",
            "Properties": {
                "ServiceNamespace": "ecs",
                "ScalableDimension": "ecs:service:DesiredCount",
                "ResourceId": identity,
                "MinCapacity": _ref("Tasks"),
                "MaxCapacity": 4 * deployment.replicas,
            },
        },
        "ScaleByLoad": {
            "Type": "AWS::ApplicationAutoScaling::ScalingPolicy",
            "Properties": {
                "PolicyName": "load",
                "PolicyType": "TargetTrackingScaling",
                "ScalingTargetId": _ref("Scale"),
                "TargetTrackingScalingPolicyConfiguration": {
                    "TargetValue": 70,
                    "PredefinedMetricSpecification": {"PredefinedMetricType": "ECSServiceAverageCPUUtilization"},
                },
            },
        },
    }


def _task(deployment: Deployment) -> Value:
    output = {
        "awslogs-group": _ref("Output"),
        "awslogs-region": _ref("AWS::Region"),
        "awslogs-stream-prefix": "service",
    }
    mount = {"AccessPointId": _ref("LogFolder"), "IAM": "ENABLED"}
    container = {
        "Name": "service",
        "Image": _ref("Image"),
        "Command": serve_command(deployment),
        "Essential": True,
        "User": f"{USER}:{USER}",
        "ReadonlyRootFilesystem": True,
        "LinuxParameters": {"Capabilities": {"Drop": ["ALL"]}, "InitProcessEnabled": True},
        "StopTimeout": GRACE_S,
        "PortMappings": [{"ContainerPort": PORT, "Protocol": "tcp"}],
        "HealthCheck": {
            "Command": ["CMD", "python3", "-c", health_check()],
            "Interval": 10,
            "Timeout": 5,
            "Retries": 3,
            "StartPeriod": 60,
        },
        "MountPoints": [
            {"SourceVolume": "log", "ContainerPath": LOG_FOLDER, "ReadOnly": False},
            {"SourceVolume": "tmp", "ContainerPath": "/tmp", "ReadOnly": False},  # noqa: S108  (the container's)
        ],
        "LogConfiguration": {"LogDriver": "awslogs", "Options": output},
    }
    files = {"FilesystemId": _ref("Files"), "TransitEncryption": "ENABLED", "AuthorizationConfig": mount}
    return {
        "Type": "AWS::ECS::TaskDefinition",
        "Properties": {
            "Family": deployment.name,
            "RequiresCompatibilities": ["FARGATE"],
            "NetworkMode": "awsvpc",
            "Cpu": _CPU,
            "Memory": _MEMORY,
            "ExecutionRoleArn": {"Fn::GetAtt": ["AgentRole", "Arn"]},
            "TaskRoleArn": {"Fn::GetAtt": ["TaskRole", "Arn"]},
            "ContainerDefinitions": [container],
            "Volumes": [{"Name": "log", "EFSVolumeConfiguration": files}, {"Name": "tmp"}],
        },
    }


def _alarms(deployment: Deployment) -> Value:
    balancer = {"Name": "LoadBalancer", "Value": {"Fn::GetAtt": ["Balancer", "LoadBalancerFullName"]}}
    targets = {"Name": "TargetGroup", "Value": {"Fn::GetAtt": ["Targets", "TargetGroupFullName"]}}
    watched = {
        "NobodyAnswers": ("HealthyHostCount", {"Statistic": "Maximum"}, "LessThanThreshold", 1, "service-down"),
        "Fails": (
            "HTTPCode_Target_5XX_Count",
            {"Statistic": "Sum"},
            "GreaterThanThreshold",
            10,
            "failing-answers",
        ),
        "Slow": ("TargetResponseTime", {"ExtendedStatistic": "p99"}, "GreaterThanThreshold", 1, "slow-answers"),
    }
    return {
        name: {
            "Type": "AWS::CloudWatch::Alarm",
            "Properties": {
                "AlarmDescription": f"{deployment.name}: see docs/operations.md#{anchor}",
                "Namespace": "AWS/ApplicationELB",
                "MetricName": metric,
                "Dimensions": [balancer, targets],
                **statistic,
                "Period": 60,
                "EvaluationPeriods": 5,
                "ComparisonOperator": comparison,
                "Threshold": threshold,
                "TreatMissingData": "breaching" if metric == "HealthyHostCount" else "notBreaching",
                "AlarmActions": _if("IsHeard", [_ref("AlarmTopic")], _ref("AWS::NoValue")),
            },
        }
        for name, (metric, statistic, comparison, threshold, anchor) in watched.items()
    }


def _listen() -> Value:
    return _if("IsSecure", _HTTPS, 80)


def _if(condition: str, then: Any, otherwise: Any) -> Value:
    return {"Fn::If": [condition, then, otherwise]}


def _ref(name: str) -> Value:
    return {"Ref": name}
