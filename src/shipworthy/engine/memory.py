"""How much memory there is for workers, as the kernel and the container tell it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

_V2 = ("memory.max", "memory.current")
_V1 = ("memory.limit_in_bytes", "memory.usage_in_bytes")


def available_memory(root: Path = Path("/")) -> int | None:
    """The bytes that new processes may take: what the machine has left, or a container's limit leaves, whichever is less.

    None where neither is told, as on macOS.

    Args:
        root: Where `proc` and `sys` lie.
    """
    return min([*_of_the_machine(root), *_of_the_container(root)], default=None)


def _of_the_machine(root: Path) -> Iterator[int]:
    found = re.search(r"^MemAvailable:\s+(\d+) kB", _text(root / "proc" / "meminfo"), flags=re.MULTILINE)
    if found:
        yield int(found[1]) * 1024


def _of_the_container(root: Path) -> Iterator[int]:
    """What each control group of this process leaves, from its own up to the root, for both versions of their files."""
    for line in _text(root / "proc" / "self" / "cgroup").splitlines():
        _, controllers, own = line.split(":", 2)
        if controllers == "":
            mounted, files = root / "sys" / "fs" / "cgroup", _V2
        elif "memory" in controllers.split(","):
            mounted, files = root / "sys" / "fs" / "cgroup" / "memory", _V1
        else:
            continue
        place = mounted / own.lstrip("/")
        for group in (place, *place.parents):
            if group.is_relative_to(mounted):
                yield from _left(group, *files)


def _left(group: Path, limit: str, used: str) -> Iterator[int]:
    """The limit less what is in use; the cache of files counts as free, because the kernel gives it back."""
    with suppress(ValueError):  # "max", or no file
        cached = re.search(r"^(?:total_)?inactive_file (\d+)", _text(group / "memory.stat"), flags=re.MULTILINE)
        in_use = int(_text(group / used)) - (int(cached[1]) if cached else 0)
        yield max(0, int(_text(group / limit)) - in_use)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError:
        return ""
