"""Kubernetes: two folders for Kustomize, `service` for any cluster and `monitored` for one with the Prometheus operator.

The pods of a problem share the volume of its log, so this is a Deployment and not a StatefulSet: an outcome that one pod
notes is what the policies of all of them look back on, and a repeated Idempotency-Key finds its answer whichever pod is
asked. Each worker writes segments of its own, so sharing asks no more of the volume than the locks of NFS 4.

With the state in the image the claim is ReadWriteMany, and pods spread over nodes. With the state on a volume its records
are in SQLite, which is safe for the processes of one machine alone: the claim is ReadWriteOnce, and all pods are on one node.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from shipworthy.ship.targets.alerts import alert_groups
from shipworthy.ship.targets.dashboard import dashboard
from shipworthy.ship.targets.deployment import (
    GRACE_S,
    HEALTH,
    LOG_FOLDER,
    METRICS,
    PORT,
    SPREAD_S,
    STATE_FOLDER,
    USER,
    Deployment,
)
from shipworthy.ship.targets.docker import serve_command, wait_to_end
from shipworthy.ship.targets.plain import to_yaml

Manifest = dict[str, Any]

_HTTP = "http"
_MONITORING = "monitoring"
"""The namespace from which Prometheus asks for /metrics."""

_JOBS: Mapping[str, tuple[str, list[str]]] = {
    "watch": ("*/10 * * * *", []),
    "compact": ("17 3 * * *", []),
    "refit": ("17 4 * * *", ["--if-due"]),
}
"""What is done again and again beside the service: the verb, when (UTC), and its options."""

_METADATA_SERVICE = "169.254.169.254/32"


def kubernetes_files(deployment: Deployment) -> dict[str, str]:
    """The files of both folders, by name.

    Raises:
        UnavailableError: the extra `deploy` is not installed.
    """
    service = {
        "namespace": [_namespace(deployment)],
        "volume": [_claim(deployment)],
        "deployment": [_deployment(deployment)],
        "service": [_service(deployment), _autoscaler(deployment), _disruption(deployment)],
        "network": _network(deployment),
        "jobs": [_job(deployment, verb) for verb in _jobs(deployment)],
    }
    monitored = {"monitor": [_monitor(deployment)], "alerts": [_rules(deployment)]}
    files = {f"service/{name}.yaml": to_yaml(*manifests) for name, manifests in service.items() if manifests}
    names = sorted(name.partition("/")[2] for name in files)
    files |= {f"monitored/{name}.yaml": to_yaml(*manifests) for name, manifests in monitored.items()}
    files["monitored/dashboard.json"] = dashboard(deployment)
    files["service/kustomization.yaml"] = to_yaml(_kustomization(deployment, names))
    files["monitored/kustomization.yaml"] = to_yaml(
        _monitored(deployment, sorted(f"{name}.yaml" for name in monitored))
    )
    return files


def _meta(deployment: Deployment, component: str = "", suffix: str = "") -> Manifest:
    name = f"{deployment.name}-{suffix}" if suffix else deployment.name
    return {"name": name, "namespace": deployment.namespace, "labels": _labels(deployment, component)}


def _labels(deployment: Deployment, component: str = "") -> dict[str, str]:
    labels = {"app.kubernetes.io/name": "shipworthy", "app.kubernetes.io/instance": deployment.name}
    return labels | ({"app.kubernetes.io/component": component} if component else {})


def _kustomization(deployment: Deployment, names: Sequence[str]) -> Manifest:
    name, _, tag = deployment.image.rpartition(":")
    image = {"name": name, "newTag": tag} if name and "/" not in tag and "@" not in name else None
    return {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "namespace": deployment.namespace,
        "resources": list(names),
        **({"images": [image]} if image else {}),
    }


def _monitored(deployment: Deployment, names: Sequence[str]) -> Manifest:
    generated = {
        "name": f"{deployment.name}-dashboard",
        "files": ["dashboard.json"],
        "options": {"disableNameSuffixHash": True, "labels": {"grafana_dashboard": "1"}},
    }
    return {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "namespace": deployment.namespace,
        "resources": ["../service", *names],
        "configMapGenerator": [generated],
    }


def _namespace(deployment: Deployment) -> Manifest:
    levels = {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "warn")}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": deployment.namespace, "labels": levels}}


def _claim(deployment: Deployment) -> Manifest:
    one_node = deployment.state == "volume"
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": _meta(deployment, suffix="state" if one_node else "log"),
        "spec": {
            "accessModes": ["ReadWriteOnce" if one_node else "ReadWriteMany"],
            "resources": {"requests": {"storage": "20Gi"}},
        },
    }


def _deployment(deployment: Deployment) -> Manifest:
    """The pods that answer; how many, says the autoscaler."""
    ready = {"httpGet": {"path": HEALTH, "port": _HTTP}}
    container = _container(deployment, "service", serve_command(deployment)) | {
        "ports": [{"name": _HTTP, "containerPort": PORT}],
        "startupProbe": {**ready, "periodSeconds": 2, "failureThreshold": 60, "timeoutSeconds": 4},
        "readinessProbe": {**ready, "periodSeconds": 5, "timeoutSeconds": 4},
        # Not the health: where nothing is rolled out, to start again helps nobody.
        "livenessProbe": {"tcpSocket": {"port": _HTTP}, "periodSeconds": 10, "failureThreshold": 6},
        "lifecycle": {"preStop": {"exec": {"command": wait_to_end(SPREAD_S)}}},
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": _meta(deployment, "service"),
        "spec": {
            "selector": {"matchLabels": _labels(deployment, "service")},
            "strategy": {"rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}},
            "template": {
                "metadata": {"labels": _labels(deployment, "service")},
                "spec": _pod(deployment, container) | _placed(deployment, "service"),
            },
        },
    }


def _pod(deployment: Deployment, container: Manifest) -> Manifest:
    """A pod as the restricted level of pod security asks for it."""
    claim = f"{deployment.name}-{'state' if deployment.state == 'volume' else 'log'}"
    return {
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": GRACE_S,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": USER,
            "runAsGroup": USER,
            "fsGroup": USER,
            "fsGroupChangePolicy": "OnRootMismatch",
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [container],
        "volumes": [
            {"name": "kept", "persistentVolumeClaim": {"claimName": claim}},
            {"name": "tmp", "emptyDir": {"sizeLimit": "256Mi"}},
            *([{"name": "own", "emptyDir": {"sizeLimit": "4Gi"}}] if deployment.state == "stores" else []),
        ],
    }


def _container(deployment: Deployment, name: str, arguments: list[str]) -> Manifest:
    mounts = [
        {"name": "kept", "mountPath": LOG_FOLDER, "subPath": "log"},
        {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108  (in the container, a volume of its own)
    ]
    if deployment.state == "volume":
        mounts.append({"name": "kept", "mountPath": STATE_FOLDER, "subPath": "state"})
    if deployment.state == "stores":  # copies of objects, and the code of releases that the rollout moves to
        mounts.append({"name": "own", "mountPath": STATE_FOLDER})
    return {
        "name": name,
        "image": deployment.image,
        "args": arguments,
        # Whatever is secret is in this Secret, made by hand or by your secret store; only addresses of stores are needed.
        "envFrom": [{"secretRef": {"name": f"{deployment.name}-secrets", "optional": not deployment.secrets}}],
        "resources": {"requests": {"cpu": "500m", "memory": "512Mi"}, "limits": {"memory": "1Gi"}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": mounts,
    }


def _placed(deployment: Deployment, component: str) -> Manifest:
    """Spread over nodes; or, where the state is in one node's volume, all on that node."""
    everything = {"matchLabels": _labels(deployment)}
    if deployment.state == "volume":
        together = {"labelSelector": everything, "topologyKey": "kubernetes.io/hostname"}
        return {"affinity": {"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [together]}}}
    spread = {
        "maxSkew": 1,
        "whenUnsatisfiable": "ScheduleAnyway",
        "labelSelector": {"matchLabels": _labels(deployment, component)},
    }
    keys = ("topology.kubernetes.io/zone", "kubernetes.io/hostname")
    return {"topologySpreadConstraints": [{**spread, "topologyKey": key} for key in keys]}


def _service(deployment: Deployment) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": _meta(deployment, "service"),
        "spec": {
            "selector": _labels(deployment, "service"),
            "ports": [{"name": _HTTP, "port": 80, "targetPort": _HTTP}],
        },
    }


def _autoscaler(deployment: Deployment) -> Manifest:
    target = {"type": "Utilization", "averageUtilization": 70}
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": _meta(deployment, "service"),
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": deployment.name},
            "minReplicas": deployment.replicas,
            "maxReplicas": 4 * deployment.replicas,
            "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": target}}],
        },
    }


def _disruption(deployment: Deployment) -> Manifest:
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": _meta(deployment, "service"),
        "spec": {"maxUnavailable": 1, "selector": {"matchLabels": _labels(deployment, "service")}},
    }


def _network(deployment: Deployment) -> list[Manifest]:
    """Nothing goes in or out; but callers of the namespace and Prometheus in, and what writes or reads stores out to those."""
    monitoring = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": _MONITORING}}}
    dns = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}}}
    outside = {"ipBlock": {"cidr": "0.0.0.0/0", "except": [_METADATA_SERVICE]}}
    callers = {
        "ingress": [
            {"from": [{"podSelector": {}}, monitoring], "ports": [{"protocol": "TCP", "port": _HTTP}]},
        ]
    }
    stores = {
        "egress": [
            {"to": [dns], "ports": [{"protocol": protocol, "port": 53} for protocol in ("UDP", "TCP")]},
            {"to": [outside], "ports": [{"protocol": "TCP", "port": port} for port in (443, 5432)]},
        ]
    }
    policies = [
        _policy(deployment, "", "nothing", ["Ingress", "Egress"], {}),
        _policy(deployment, "service", "callers", ["Ingress"], callers),
    ]
    if _jobs(deployment):
        policies.append(_policy(deployment, "job", "stores", ["Egress"], stores))
    if deployment.state == "stores":
        policies.append(_policy(deployment, "service", "own-stores", ["Egress"], stores))
    return policies


def _policy(deployment: Deployment, component: str, suffix: str, types: list[str], rules: Manifest) -> Manifest:
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": _meta(deployment, component, suffix),
        "spec": {"podSelector": {"matchLabels": _labels(deployment, component)}, "policyTypes": types, **rules},
    }


def _jobs(deployment: Deployment) -> list[str]:
    """The verbs that write records or objects; where both are in the image, there is nothing to write to."""
    return [] if deployment.state == "image" else list(_JOBS)


def _job(deployment: Deployment, verb: str) -> Manifest:
    schedule, options = _JOBS[verb]
    container = _container(deployment, verb, [verb, deployment.problem, *options])
    pod = _pod(deployment, container) | _placed(deployment, "job")
    return {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": _meta(deployment, "job", verb),
        "spec": {
            "schedule": schedule,
            "timeZone": "Etc/UTC",
            "concurrencyPolicy": "Forbid",
            "startingDeadlineSeconds": 300,
            "successfulJobsHistoryLimit": 1,
            "failedJobsHistoryLimit": 3,
            "jobTemplate": {
                "spec": {
                    "backoffLimit": 1,
                    "activeDeadlineSeconds": 3600,
                    "template": {
                        "metadata": {"labels": _labels(deployment, "job")},
                        "spec": {**pod, "restartPolicy": "Never"},
                    },
                }
            },
        },
    }


def _monitor(deployment: Deployment) -> Manifest:
    return {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "ServiceMonitor",
        "metadata": _meta(deployment, "service"),
        "spec": {
            "selector": {"matchLabels": _labels(deployment, "service")},
            "endpoints": [{"port": _HTTP, "path": METRICS, "interval": "15s"}],
        },
    }


def _rules(deployment: Deployment) -> Manifest:
    return {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": _meta(deployment, "service"),
        "spec": {"groups": alert_groups(deployment)},
    }
