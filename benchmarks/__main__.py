"""Runs the scripts of this folder one after the other, each in a process of its own, and says which of them failed.

python -m benchmarks              all of SCRIPTS
python -m benchmarks cli imports  only these
"""

from __future__ import annotations

import argparse
import subprocess
import sys

# A new script is named here. Those that run for many minutes are not: `make honesty` and `make soak` run them.
SCRIPTS = (
    "board",
    "cli",
    "contracts",
    "engine",
    "imports",
    "large",
    "leaks",
    "memory",
    "records",
    "replay",
    "service",
    "verdict",
)


def main() -> int:
    """Returns 0 if every script met its target."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__.splitlines()[0])
    parser.add_argument("scripts", nargs="*", metavar="script", help=f"of {', '.join(SCRIPTS)} (all)")
    chosen = parser.parse_args().scripts or list(SCRIPTS)
    if unknown := [name for name in chosen if name not in SCRIPTS]:
        parser.error(f"no script {', '.join(unknown)}; there is: {', '.join(SCRIPTS)}")

    failed = []
    for name in chosen:
        print(f"\n=== {name} ===\n", flush=True)
        if subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], check=False).returncode != 0:
            failed.append(name)
    print(f"\nfailed, or missed a target: {', '.join(failed) or 'none'} (of {', '.join(chosen)})")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
