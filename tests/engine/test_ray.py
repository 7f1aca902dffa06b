"""Ray: what holds for every engine, on a cluster of three machines, of which one is killed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from shipworthy.data.examine import examine_data
from shipworthy.engine import Engine, engine_of, replay
from shipworthy.engine.conformance import EngineConformance
from shipworthy.errors import UnavailableError, UserCodeError
from shipworthy.project import open_project
from shipworthy.project.code import installed_packages
from shipworthy.research.evidence import pair
from shipworthy.research.research import research_idea
from tests.engine.cluster import QUIET, Cluster
from tests.problems import HERE, SHOP, make_project, replay_of, sales, tracks

ray = pytest.importorskip("ray", reason="needs ray: pip install 'shipworthy[ray]'")
ray_cluster = pytest.importorskip("shipworthy.engine.ray_cluster")

pytestmark = pytest.mark.skipif(
    not os.environ.get("SHIPWORTHY_RAY"), reason="three machines of Ray; `make soak` runs it, or SHIPWORTHY_RAY=1"
)

MANY = SHOP.replace("return past.height", "__import__('time').sleep(0.1)\n        return past.height")
MANY = MANY.replace('refit = "7d"', 'refit = "1d"')


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """Three machines for all tests of this session."""
    folder = Path(tempfile.mkdtemp(prefix="ray"))  # short: the path of a socket in it has a limit
    with pytest.MonkeyPatch.context() as patch:
        for name, value in QUIET.items():
            patch.setenv(name, value)
        cluster = Cluster(folder)
        yield cluster
        cluster.stop()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def engine(cluster: Cluster) -> Iterator[Engine]:
    """An engine that is connected to them."""
    with ray_cluster.RayEngine(address=cluster.address) as engine:
        yield engine


class TestRay(EngineConformance):
    """Ray passes the suite."""


def test_a_policy_against_itself_differs_by_exactly_nothing_on_ray(tmp_path, engine):
    """Under another name, on whatever machine, every decision, value and seed is the same, and the same as here."""
    replayed = replay_of(make_project(tmp_path / "there"))
    today, twin = (replay(replayed, name, engine) for name in ("today", "twin"))
    paired = pair(replayed.problem, today, twin)
    [here] = tracks(make_project(tmp_path / "here"), "today")

    assert (today.fits, twin.fits) == (4, 4)
    assert (paired["value_champion"] - paired["value_challenger"]).to_list() == [0.0] * 81
    assert today.without_telemetry().equals(twin.without_telemetry())
    assert today.table.drop("seconds").equals(here.table.drop("seconds"))


def test_every_engine_gives_the_same_evidence(tmp_path, engine, cluster):
    """One process, two and a cluster, chosen in the settings: the digest of the evidence is one."""
    settings = ["workers = 1", "workers = 2", f'engine = "ray"\nray_address = "{cluster.address}"']
    found = set()
    for number, setting in enumerate(settings):
        project = make_project(tmp_path / str(number), settings=f"[research]\n{setting}")
        examine_data(project, 1)
        found.add(research_idea(project, 1).evidence)
        project.records.close()
    assert len(found) == 1


def test_code_and_snapshot_travel(tmp_path, engine):
    """A worker runs the project from a folder of its own machine, and never sees the one that it came from."""
    source = SHOP + (
        "\n@shop.policy\nclass Telling(Better):\n    def fit(self, past):\n        raise ValueError(__file__)\n"
    )
    project = make_project(tmp_path / "shop", source)
    with pytest.raises(
        UserCodeError, match=rf"ValueError: {tempfile.gettempdir()}/shipworthy-\d+/[0-9a-f]+/problem\.py"
    ):
        tracks(project, "telling", engine=engine)


def test_what_was_kept_is_not_computed_again(tmp_path, engine):
    """A replay that was begun on Ray goes on in this process, and the other way round."""
    project = make_project(tmp_path / "shop")
    [first] = tracks(project, "better", engine=engine)
    [again] = tracks(project, "better", engine=HERE)
    assert (first.fits, again.fits) == (4, 0)
    assert again.table.equals(first.table)


def test_packages_that_ray_brings_along_are_not_installed():
    """Ray imported or not, the list of packages is the same, and with it the names under which blocks are kept."""
    command = "from shipworthy.project.code import installed_packages; print(*installed_packages())"
    without = subprocess.run([sys.executable, "-c", command], capture_output=True, text=True, check=True)
    assert without.stdout.split() == installed_packages()


def test_other_versions_are_refused_by_name(engine, monkeypatch):
    """A cluster whose packages are others would give other results; the message says which."""
    monkeypatch.setattr(ray_cluster, "installed_packages", lambda: ["click==0.0.1"])
    with (
        ray_cluster.RayEngine() as other,
        pytest.raises(UnavailableError, match=r"other versions .* click 0\.0\.1 there, 8"),
    ):
        other.run(abs, [1, 2], lambda done, of: None)


def test_the_death_of_a_machine_changes_nothing(tmp_path, engine, cluster):
    """One of three machines is killed in the middle of many blocks: the track is the one of a quiet replay."""
    replayed = replay_of(make_project(tmp_path / "there", MANY))
    [quiet] = tracks(make_project(tmp_path / "here", MANY.replace("sleep(0.1)", "sleep(0)")), "better")

    def kill(done: int, of: int) -> None:
        if done >= 3 and 13 in cluster.machines:
            cluster.kill(13)

    track = replay(replayed, "better", engine, kill)
    assert 13 not in cluster.machines
    assert track.fits == track.blocks == 27
    assert track.table.drop("seconds").equals(quiet.table.drop("seconds"))


@pytest.mark.parametrize("address", ["127.0.0.14:26", "no.such.host.invalid:6379"])
def test_an_address_where_nothing_answers_is_an_error_soon(tmp_path, monkeypatch, address):
    """The message names the address and the setting."""
    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    project = make_project(tmp_path / "shop", settings=f'[research]\nengine = "ray"\nray_address = "{address}"')
    with pytest.raises(
        UnavailableError, match=rf"No Ray cluster answers at {address}: nothing listens there.*ray_address"
    ):
        engine_of(project, sales()).run(abs, [1, 2], lambda done, of: None)


def test_without_ray_installed_the_message_says_how_to_get_it(tmp_path, monkeypatch):
    """The setting alone needs nothing; the run does."""
    monkeypatch.setitem(sys.modules, "ray", None)
    monkeypatch.delitem(sys.modules, "shipworthy.engine.ray_cluster")
    project = make_project(tmp_path / "shop", settings='[research]\nengine = "ray"')
    with pytest.raises(UnavailableError, match=r"pip install 'shipworthy\[ray\]'"):
        engine_of(project, sales())
    assert open_project(project.root).settings["research"]["engine"] == "ray"
