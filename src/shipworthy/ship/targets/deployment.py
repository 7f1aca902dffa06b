"""The facts that every target is written from: what is rolled out, under which names, and what the service keeps to."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from shipworthy.errors import InvalidInputError
from shipworthy.store import digest

Target = Literal["local", "docker", "kubernetes", "aws"]
State = Literal["image", "volume", "stores"]

PORT = 8000
USER = 10001
"""The user and group that the container runs as: a number, so that a cluster can see that it is not root."""

FOLDER = "/project"
STATE_FOLDER = f"{FOLDER}/.shipworthy"
LOG_FOLDER = "/log"
HEALTH = "/v1/health"
METRICS = "/metrics"

SPREAD_S = 5
"""How long a container that is to end goes on as before, until balancers have heard of it."""

GRACE_S = 75
"""How long it is given to end: SPREAD_S, then what the service and its shadow take at most to end, and some more."""

_LONGEST = 30
_IMAGE = re.compile(r"[a-z0-9][a-zA-Z0-9._/:@-]{0,254}")
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """What is to run, and how it is called.

    Attributes:
        problem: The problem's name.
        releases: The releases that the rollout names: the champion, and the challenger where there is one.
        rollout: The number of the rollout's move.
        phase: The rollout's phase.
        title: The idea's title; the baseline's policy where there is no idea.
        python: The version of Python that the champion was fitted with.
        image: The image's name, with its tag.
        namespace: The namespace in Kubernetes.
        replicas: How many containers answer at least.
        state: Whether records and objects are in the image and never change, on a volume on which the rollout moves, or in the
            project's own stores, a database and a bucket, which containers on any machine read.
        secrets: The environment variables that hold the addresses of those stores.

    >>> one = Deployment(
    ...     problem="van_routes", releases=("57916ba7ddc24fed",), rollout=3, phase="live", title="Shorter", python="3.11.7"
    ... )
    >>> one.name, one.image
    ('shipworthy-van-routes-bd90ff', 'shipworthy/van-routes-bd90ff:57916ba7ddc24fed-3')
    """

    problem: str
    releases: tuple[str, ...]
    rollout: int
    phase: str
    title: str
    python: str
    image: str = ""
    namespace: str = "shipworthy"
    replicas: int = 2
    state: State = "image"
    secrets: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuses what no cluster would take."""
        if not self.image:
            tag = f"{self.releases[-1]}-{self.rollout}"
            object.__setattr__(self, "image", f"shipworthy/{label_of(self.problem)}:{tag}")
        if not _IMAGE.fullmatch(self.image):
            raise InvalidInputError(f"{self.image!r} is no image. Write it as registry.example/shop/stock:1.")
        if not _LABEL.fullmatch(self.namespace):
            raise InvalidInputError(
                f"{self.namespace!r} is no namespace. Use lower-case letters, digits and -, 63 of them at most."
            )
        if not 1 <= self.replicas <= 100:
            raise InvalidInputError(f"Between 1 and 100 replicas can answer, not {self.replicas}.")

    @property
    def name(self) -> str:
        """What everything of it is called: a DNS label of at most 41 letters, so that a suffix has room."""
        return f"shipworthy-{label_of(self.problem)}"


def label_of(name: str) -> str:
    """A DNS label for any name; one that had to be changed gets a part of its digest, so that no two become one.

    >>> label_of("bakery"), label_of("van_routes")
    ('bakery', 'van-routes-bd90ff')
    """
    label = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    if label == name and len(label) <= _LONGEST:
        return label
    return f"{label[: _LONGEST - 7].strip('-')}-{digest(name.encode())[:6]}".lstrip("-")
