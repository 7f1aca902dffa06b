"""`shipworthy init`: lay a small working problem in a folder."""

from __future__ import annotations

import shutil
from pathlib import Path

import click

from shipworthy.cli.show import tell
from shipworthy.errors import AlreadyExistsError

_STARTER = Path(__file__).parent.parent / "starter"


@click.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path), default=Path())
def init(folder: Path) -> None:
    """Lay a small working problem in FOLDER (here, if none is named), to change into your own."""
    files = [
        path.relative_to(_STARTER) for path in sorted(_STARTER.rglob("*")) if path.is_file() and path.suffix != ".pyc"
    ]
    taken = [str(file) for file in files if (folder / file).exists()]
    if taken:
        raise AlreadyExistsError(
            f"{folder.resolve()} already has {', '.join(taken)}. Nothing was written; choose another folder."
        )
    for file in files:
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(_STARTER / file, folder / file)
    where = "" if folder == Path() else f"cd {folder} && "
    tell({"Laid": [str(folder / file) for file in files], "Next": f"{where}shipworthy data 1"})
