"""What `shipworthy deploy` writes: the same each time, whole, valid for those who read it, and nothing secret."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import click
import kubernetes_validate
import pytest
import yaml
from prometheus_client.metrics import MetricWrapperBase

from shipworthy.cli.app import root
from shipworthy.errors import AlreadyExistsError, InvalidInputError, NotFoundError
from shipworthy.live import metrics, server
from shipworthy.live.shadow import shadow
from shipworthy.project import Project, open_project
from shipworthy.ship.release import open_release
from shipworthy.ship.rollout import read_rollout
from shipworthy.ship.targets.aws import aws_files
from shipworthy.ship.targets.deploy import Options, deploy
from shipworthy.ship.targets.deployment import GRACE_S, SPREAD_S, Deployment, State, label_of
from shipworthy.ship.targets.docker import dockerfile
from shipworthy.ship.targets.kubernetes import kubernetes_files
from shipworthy.ship.targets.requirements import is_hashed, locked, needed
from shipworthy.store import Change
from tests.cli.typed import typed

ROOT = Path(__file__).parents[2]
OPERATOR = {"ServiceMonitor", "PrometheusRule"}
"""What only the Prometheus operator knows."""


def _deployment(**changes: Any) -> Deployment:
    facts: dict[str, Any] = {
        "problem": "van_routes",
        "releases": ("57916ba7ddc24fed", "fb43afc0cc8a7d85"),
        "rollout": 2,
        "phase": "shadow",
        "title": 'A $title "quoted"\nover lines \\',
        "python": "3.11.7",
    }
    return Deployment(**{**facts, **changes})


def _files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()
    }


# The image


def test_the_image_serves_what_is_rolled_out_and_carries_nothing_else(shadowed: Project, tmp_path: Path):
    """The packed project opens both releases of the rollout, with its moves as they were; no other object is in it."""
    deployed = deploy(shadowed, "kiosk", "docker", tmp_path)
    packed = open_project(tmp_path / "image" / "project")
    assert read_rollout(packed, "kiosk") == read_rollout(shadowed, "kiosk")
    rollout = read_rollout(packed, "kiosk")
    opened = [open_release(packed, release) for release in (rollout.champion, rollout.challenger)]
    assert tuple(release.id for release in opened) == deployed.deployment.releases
    packed.records.close()
    kinds = {name.partition("/")[0] for name in packed.objects.list()}
    assert kinds == {"releases", "release-files"}
    assert not (packed.root / "rows.parquet").exists()
    assert (packed.root / "problem.py").is_file()


def test_its_settings_are_those_of_the_project_without_its_secrets(shadowed: Project, tmp_path: Path):
    """Rules of the rollout and of the watch are packed; an address that lets who knows it write there is not."""
    settings = (shadowed.root / "shipworthy.toml").read_text()
    watch = '[watch]\nwindow = "7d"\nslack = "https://hooks.example/T0/B1"\nwebhook = "$PAGER"\n'
    rollout = "[rollout]\nsteps = [0.1, 0.5]\n[rollout.kiosk]\nperiods = 21\n[rollout.other]\nperiods = 3\n"
    (shadowed.root / "shipworthy.toml").write_text(settings + watch + rollout)
    deploy(open_project(shadowed.root), "kiosk", "docker", tmp_path)
    packed = open_project(tmp_path / "image" / "project").settings
    assert (packed["watch"]["window"], packed["watch"]["slack"], packed["watch"]["webhook"]) == ("7d", "", "$PAGER")
    assert packed["rollout"] == {"steps": [0.1, 0.5], "kiosk": {"periods": 21}}
    everything = b"".join(path.read_bytes() for path in (tmp_path / "image").rglob("*") if path.is_file())
    assert b"hooks.example" not in everything


def test_an_unsigned_release_that_is_allowed_is_packed(shadowed: Project, tmp_path: Path):
    """What the project lets in by its digest, the packed project lets in too, and nothing else that is allowed here."""
    record = shadowed.records.get("release", read_rollout(shadowed, "kiosk").champion)
    shadowed.records.add(Change(kind="release", key=record.key, body={**record.body, "signature": None}), by="somebody")
    whole = str(record.body["manifest"]).rpartition("/")[2]
    with (shadowed.root / "shipworthy.toml").open("a", encoding="utf-8") as file:
        file.write(f'[release]\nallow_unsigned = ["{"0" * 64}", "{whole}"]\n')
    deploy(open_project(shadowed.root), "kiosk", "docker", tmp_path)
    packed = open_project(tmp_path / "image" / "project")
    assert packed.settings["release"]["allow_unsigned"] == [whole]
    assert open_release(packed, record.key).signer is None


def test_the_same_rollout_gives_the_same_bytes(shadowed: Project, tmp_path: Path):
    """Written twice, every file of every target is the same, whatever was there before; and anybody may read it."""
    for target in ("docker", "kubernetes", "aws"):
        for folder in ("one", "other", "other"):
            deploy(shadowed, "kiosk", target, tmp_path / folder)
    assert _files(tmp_path / "one") == _files(tmp_path / "other")
    modes = {path.stat().st_mode & 0o777 for path in (tmp_path / "one").rglob("*") if path.is_file()}
    assert modes == {0o644}


def test_only_what_the_releases_need_is_installed(shadowed: Project, tmp_path: Path):
    """The requirements are the service's and the policies' with all that they stand on, at the versions installed, hashed."""
    deploy(shadowed, "kiosk", "docker", tmp_path, Options(lock=ROOT / "requirements.lock"))
    written = (tmp_path / "image" / "requirements.txt").read_text()
    names = re.findall(r"^([a-z0-9-]+)==", written, flags=re.MULTILINE)
    assert {"uvicorn", "starlette", "polars", "h11", "numpy"} <= set(names)
    assert not {"pytest", "mypy", "lightgbm", "shipworthy"} & set(names)
    assert is_hashed(written)
    assert "--require-hashes" in (tmp_path / "image" / "Dockerfile").read_text()


def test_what_code_imports_or_a_pickle_names_is_needed():
    """A library counts where it is imported, also inside a function, or where a pickle refers to it; with what it requires."""
    code = needed({"code/a.py": b"def f():\n    from lightgbm import Booster\n"}, extras=())
    pickled = needed({"fitted.pkl": b"\x80\x04\x8c\x08lightgbm\x8c\x07Booster\x93."}, extras=())
    assert "lightgbm" in code
    assert code == pickled
    assert {"skops", "scikit-learn"} <= set(needed({}, ["sklearn.linear_model._base.LinearRegression"], extras=()))
    assert {"numpy", "scipy"} <= set(code)
    assert "lightgbm" not in needed({"code/a.py": b"import json, os.path\nfrom . import lightgbm\n"}, extras=())


def test_a_lock_about_something_else_is_refused(tmp_path: Path):
    """Where the lock lacks what is installed, or has another version, it is refused; without one, versions alone are kept."""
    lock = tmp_path / "requirements.lock"
    lock.write_text("h11==0.1 \\\n    --hash=sha256:aa\n")
    with pytest.raises(InvalidInputError, match=r"h11 0\.16 is installed, but .* has 0\.1\."):
        locked({"h11": "0.16"}, lock)
    with pytest.raises(InvalidInputError, match="has none"):
        locked({"anyio": "4"}, lock)
    assert locked({"h11": "0.1"}, lock) == "h11==0.1 \\\n    --hash=sha256:aa\n"
    assert locked({"h11": "0.16"}, None) == "h11==0.16\n"
    assert not is_hashed("h11==0.16\n")


def test_a_title_cannot_break_the_dockerfile():
    """Quotes, backslashes, variables and line ends of a title stay what they are in its label."""
    text = dockerfile(_deployment(), "lightgbm==4.6\n")
    assert 'description="A \\$title \\"quoted\\" over lines \\\\"' in text
    assert "libgomp1" in text
    assert "libgomp1" not in dockerfile(_deployment(), "numpy==2.4\n")


def test_it_is_given_longer_to_end_than_the_service_takes():
    """The time to end holds the wait for the balancers and all that the service may take to drain."""
    assert GRACE_S > SPREAD_S + server.DRAIN_S + shadow.DRAIN_S


# What is written, and what is not


def test_a_folder_that_is_not_ours_is_left_alone(shadowed: Project, tmp_path: Path):
    """A folder with something else in it is refused and stays as it is."""
    out = tmp_path / "out"
    (out / "image").mkdir(parents=True)
    (out / "image" / "holiday.txt").write_text("mine")
    with pytest.raises(AlreadyExistsError, match="Choose another --out"):
        deploy(shadowed, "kiosk", "docker", out)
    assert _files(out) == {"image/holiday.txt": b"mine"}


def test_a_refusal_leaves_the_last_deployment_whole(shadowed: Project, tmp_path: Path):
    """Where writing fails halfway, what was written before is still there, and nothing beside it."""
    out, lock = tmp_path / "out", tmp_path / "empty.lock"
    deploy(shadowed, "kiosk", "docker", out)
    before = _files(out)
    lock.write_text("")
    with pytest.raises(InvalidInputError):
        deploy(shadowed, "kiosk", "docker", out, Options(lock=lock))
    assert _files(out) == before


def test_nothing_is_deployed_before_something_is_shipped(judged: Project, tmp_path: Path):
    """Without a rollout there is nothing to deploy, and the message says what to do first."""
    with pytest.raises(NotFoundError, match="shipworthy ship"):
        deploy(judged, "kiosk", "docker", tmp_path)


@pytest.mark.parametrize(
    "wrong",
    [{"image": "Not An Image"}, {"image": "-x"}, {"namespace": "Shop_1"}, {"replicas": 0}, {"replicas": 1000}],
)
def test_names_that_no_cluster_takes_are_refused(wrong: dict[str, Any]):
    """An image, a namespace or a number of replicas that would be refused later is refused now."""
    with pytest.raises(InvalidInputError):
        _deployment(**wrong)


@pytest.mark.parametrize("name", ["bakery", "van_routes", "a-", "x" * 200, "a_b", "a-b", "a__"])
def test_every_problem_has_a_name_of_its_own_in_a_cluster(name: str):
    """Whatever a problem is called, its names are DNS labels with room for a suffix; similar ones stay apart."""
    label = label_of(name)
    assert re.fullmatch(r"[a-z]([a-z0-9-]*[a-z0-9])?", label)
    assert len(f"shipworthy-{label}-dashboard") < 53
    assert len({label_of(one) for one in ("a_b", "a-b", "a__b")}) == 3


def test_the_command_line_writes_and_says_what_to_run(shadowed: Project, tmp_path: Path):
    """`shipworthy deploy` names what it wrote and the commands that build and run it; `--to local` writes nothing."""
    said = typed(shadowed.root, "deploy", "--to", "kubernetes", "--out", tmp_path / "out", "--namespace", "shop")
    assert said.code == 0, said.err
    assert "docker build" in said.out
    assert "kubectl apply" in said.out
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"image", "kubernetes"}
    local = typed(shadowed.root, "deploy", "--to", "local", "--out", tmp_path / "none")
    assert "shipworthy serve kiosk" in local.out
    assert not (tmp_path / "none").exists()
    refused = typed(shadowed.root, "deploy", "--to", "aws", "--state", "volume", "--out", tmp_path / "aws")
    assert (refused.code, "Leave --state away" in refused.err) == (2, True)


# Kubernetes


def _manifests(state: State = "image", **changes: Any) -> list[dict[str, Any]]:
    files = kubernetes_files(_deployment(state=state, **changes))
    read = [one for name, text in files.items() if name.endswith(".yaml") for one in yaml.safe_load_all(text)]
    return [one for one in read if one["kind"] != "Kustomization"]


def _of(kind: str, manifests: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [one for one in manifests if one["kind"] == kind]


def _templates(manifests: list[dict[str, Any]]) -> list[dict[str, Any]]:
    jobs = [job["spec"]["jobTemplate"]["spec"]["template"] for job in _of("CronJob", manifests)]
    return [*(one["spec"]["template"] for one in _of("Deployment", manifests)), *jobs]


@pytest.mark.parametrize("state", ["image", "volume", "stores"])
@pytest.mark.parametrize("version", ["1.28", "1.33", "1.37"])
def test_the_schemas_of_kubernetes_accept_every_manifest(state: State, version: str):
    """Strictly, so with no field too many, in old and new versions; the operator's own kinds have no schema there."""
    checked = [one for one in _manifests(state) if one["kind"] not in OPERATOR]
    assert len(checked) > 7
    for manifest in checked:
        kubernetes_validate.validate(manifest, version, strict=True)


@pytest.mark.parametrize("state", ["image", "volume", "stores"])
def test_kustomize_builds_both_folders(state: State, tmp_path: Path):
    """`kubectl kustomize` gives every manifest, the dashboard in a ConfigMap, and the image under its name."""
    if not shutil.which("kubectl"):
        pytest.skip("kubectl is not installed on this machine")
    deployment = _deployment(state=state, image="registry.example:5000/shop/van:1.2")
    for name, text in kubernetes_files(deployment).items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    built = {}
    for folder in ("service", "monitored"):
        ran = subprocess.run(
            ["kubectl", "kustomize", str(tmp_path / folder)], capture_output=True, text=True, check=True
        )
        built[folder] = list(yaml.safe_load_all(ran.stdout))
    assert {(one["kind"], one["metadata"]["name"]) for one in _manifests(state)} <= {
        (one["kind"], one["metadata"]["name"]) for one in built["monitored"]
    }
    [config] = _of("ConfigMap", built["monitored"])
    assert json.loads(config["data"]["dashboard.json"])["panels"]
    assert OPERATOR.isdisjoint(one["kind"] for one in built["service"])
    images = {container["image"] for pod in _templates(built["service"]) for container in pod["spec"]["containers"]}
    assert images == {deployment.image}


@pytest.mark.parametrize("state", ["image", "volume", "stores"])
def test_whatever_selects_pods_finds_them(state: State):
    """Labels, ports, claims and names that one manifest says of another are there; all are in the namespace."""
    manifests = _manifests(state, namespace="shop")
    pods = [template["metadata"]["labels"] for template in _templates(manifests)]
    selectors = [
        *(one["spec"]["selector"]["matchLabels"] for one in _of("Deployment", manifests)),
        *(one["spec"]["selector"]["matchLabels"] for one in _of("PodDisruptionBudget", manifests)),
        *(one["spec"]["podSelector"]["matchLabels"] for one in _of("NetworkPolicy", manifests)),
        *(one["spec"]["selector"] for one in _of("Service", manifests)),
    ]
    for selector in selectors:
        assert any(selector.items() <= labels.items() for labels in pods), selector
    [deployment], [service] = _of("Deployment", manifests), _of("Service", manifests)
    [container] = deployment["spec"]["template"]["spec"]["containers"]
    ports = {port["name"] for port in container["ports"]}
    asked = [container[probe] for probe in ("startupProbe", "readinessProbe", "livenessProbe")]
    assert {(probe.get("httpGet") or probe["tcpSocket"])["port"] for probe in asked} <= ports
    assert {port["targetPort"] for port in service["spec"]["ports"]} <= ports
    [monitor] = _of("ServiceMonitor", manifests)
    assert monitor["spec"]["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
    assert {one["port"] for one in monitor["spec"]["endpoints"]} <= {port["name"] for port in service["spec"]["ports"]}
    claims = {claim["metadata"]["name"] for claim in _of("PersistentVolumeClaim", manifests)}
    for template in _templates(manifests):
        volumes = {volume["name"]: volume for volume in template["spec"]["volumes"]}
        assert {
            one["persistentVolumeClaim"]["claimName"] for one in volumes.values() if "emptyDir" not in one
        } == claims
        for mount in template["spec"]["containers"][0]["volumeMounts"]:
            assert mount["name"] in volumes
    assert {one["metadata"].get("namespace", "shop") for one in manifests} == {"shop"}


@pytest.mark.parametrize("state", ["image", "volume", "stores"])
def test_pods_may_do_as_little_as_possible(state: State):
    """Every pod keeps the restricted level: no root, no capability, no token, no writable file system, limited memory."""
    templates = _templates(_manifests(state))
    assert len(templates) == (1 if state == "image" else 4)
    for template in templates:
        pod = template["spec"]
        assert pod["automountServiceAccountToken"] is False
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        for container in pod["containers"]:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }
            assert container["resources"]["limits"]["memory"]


@pytest.mark.parametrize("state", ["image", "volume", "stores"])
def test_what_pods_are_told_to_do_is_what_the_command_line_takes(state: State):
    """Every container's arguments are a verb with its options, about the problem."""
    for template in _templates(_manifests(state)):
        verb, *words = template["spec"]["containers"][0]["args"]
        command = root.get_command(click.Context(root), verb)
        assert command.make_context(verb, list(words)).params["problem"] == "van_routes"


def test_the_service_reaches_nothing_and_is_reached_by_callers_alone():
    """One policy takes everything from all pods; what gives something back gives the service nothing to go out with."""
    policies = [one["spec"] for one in _of("NetworkPolicy", _manifests("volume"))]
    [nothing] = [one for one in policies if not {"ingress", "egress"} & set(one)]
    assert nothing["policyTypes"] == ["Ingress", "Egress"]
    assert "app.kubernetes.io/component" not in nothing["podSelector"]["matchLabels"]
    for policy in policies:
        if policy["podSelector"]["matchLabels"].get("app.kubernetes.io/component") == "service":
            assert set(policy["policyTypes"]) == {"Ingress"}
    [out] = [rule for one in policies for rule in one.get("egress", []) if "ipBlock" in rule["to"][0]]
    assert "169.254.169.254/32" in out["to"][0]["ipBlock"]["except"]


def test_a_service_with_stores_elsewhere_reaches_those_and_nothing_else():
    """It asks for names, and goes out to databases and buckets; the addresses come from a Secret that has to be there."""
    manifests = _manifests("stores", secrets=("SHOP_RECORDS",))
    policies = [one["spec"] for one in _of("NetworkPolicy", manifests)]
    [out] = [
        one["egress"]
        for one in policies
        if "egress" in one and one["podSelector"]["matchLabels"].get("app.kubernetes.io/component") == "service"
    ]
    assert sorted({port["port"] for rule in out for port in rule["ports"]}) == [53, 443, 5432]
    for template in _templates(manifests):
        [container] = template["spec"]["containers"]
        assert container["envFrom"][0]["secretRef"]["optional"] is False


def test_pods_on_many_nodes_share_a_log_and_those_with_records_share_a_node():
    """With the state in the image the log can be mounted everywhere; with records on a volume all pods are on its node."""
    [log] = _of("PersistentVolumeClaim", _manifests("image"))
    assert log["spec"]["accessModes"] == ["ReadWriteMany"]
    manifests = _manifests("volume")
    [state] = _of("PersistentVolumeClaim", manifests)
    assert state["spec"]["accessModes"] == ["ReadWriteOnce"]
    assert all("podAffinity" in template["spec"]["affinity"] for template in _templates(manifests))


# Prometheus and Grafana


def _names(expressions: list[str]) -> set[str]:
    return {name for text in expressions for name in re.findall(r"\bshipworthy_[a-z_]+", text)}


def _rules() -> list[dict[str, Any]]:
    [found] = _of("PrometheusRule", _manifests())
    return [rule for group in found["spec"]["groups"] for rule in group["rules"]]


def _queries() -> list[str]:
    board = json.loads(kubernetes_files(_deployment())["monitored/dashboard.json"])
    return [target["expr"] for panel in board["panels"] for target in panel["targets"]]


def test_rules_and_panels_ask_for_what_is_counted():
    """Every metric that an alert or a panel names is one that the service exposes."""
    counted = {
        found.name for one in vars(metrics).values() if isinstance(one, MetricWrapperBase) for found in one.describe()
    }
    exposed = {f"{name}{ending}" for name in counted for ending in ("", "_total", "_bucket", "_sum", "_count")}
    asked = _names([*(rule["expr"] for rule in _rules()), *_queries()])
    assert len(asked) > 3
    assert asked <= exposed


def test_every_alert_says_how_urgent_it_is_and_what_to_read():
    """An alert has a severity, a sentence, and a section of the runbook, and so has each alarm on AWS."""
    sections = re.findall(r"^## (.+)$", (ROOT / "docs" / "operations.md").read_text(), flags=re.MULTILINE)
    template = aws_files(_deployment())["template.yaml"]
    assert set(re.findall(r"operations\.md#([a-z-]+)", template)) <= set(sections)
    for rule in _rules():
        assert rule["labels"]["severity"] in {"page", "ticket"}
        assert rule["annotations"]["summary"].endswith(".")
        page, _, section = rule["annotations"]["runbook_url"].partition("#")
        assert (page, section in sections) == ("docs/operations.md", True)


def test_prometheus_reads_the_rules_and_every_query_of_the_dashboard(tmp_path: Path):
    """promtool takes the rules as they are, and each panel's query as a rule."""
    if not shutil.which("promtool"):
        pytest.skip("promtool is not installed on this machine")
    asked = [query.replace("$__rate_interval", "1m") for query in _queries()]
    panels = [{"record": f"panel:{number}", "expr": query} for number, query in enumerate(asked)]
    groups = [{"name": "alerts", "rules": _rules()}, {"name": "panels", "rules": panels}]
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump({"groups": groups}))
    ran = subprocess.run(
        ["promtool", "check", "rules", str(tmp_path / "rules.yaml")], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert f"{len(_rules()) + len(panels)} rules found" in ran.stdout


def test_an_alert_comes_when_it_should(tmp_path: Path):
    """Fed with a service that falls back once in four times, Prometheus wakes somebody for that and for nothing else."""
    if not shutil.which("promtool"):
        pytest.skip("promtool is not installed on this machine")
    name = _deployment().name
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump({"groups": [{"name": "alerts", "rules": _rules()}]}))

    def series(metric: str, labels: str, values: str) -> dict[str, str]:
        return {"series": f'{metric}{{job="{name}",{labels}}}', "values": values}

    told = [
        series("shipworthy_decisions_total", 'arm="champion",rung="policy"', "0+300x60"),
        series("shipworthy_decisions_total", 'arm="champion",rung="fallback"', "0+100x60"),
        series("shipworthy_requests_total", 'path="/v1/decide",status="200"', "0+400x60"),
        series("up", 'instance="a"', "1x60"),
    ]
    wanted: dict[str, list[Any]] = {rule["alert"]: [] for rule in _rules()}
    wanted["ShipworthyFallsBack"] = [
        {
            "exp_labels": {"severity": "ticket"},
            "exp_annotations": {
                "summary": "25% of the decisions are not the policy's own.",
                "runbook_url": "docs/operations.md#falling-back",
            },
        }
    ]
    tests = [{"alertname": alert, "eval_time": "40m", "exp_alerts": alerts} for alert, alerts in wanted.items()]
    run = {
        "rule_files": ["rules.yaml"],
        "evaluation_interval": "1m",
        "tests": [{"interval": "1m", "input_series": told, "alert_rule_test": tests}],
    }
    (tmp_path / "test.yaml").write_text(yaml.safe_dump(run))
    ran = subprocess.run(
        ["promtool", "test", "rules", "test.yaml"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
