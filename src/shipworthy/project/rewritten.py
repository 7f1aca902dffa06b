"""Settings written into `shipworthy.toml` as a person would: the line is changed, comments and everything else stay."""

from __future__ import annotations

import json
import re
import tempfile
import tomllib
from collections.abc import Mapping
from pathlib import Path

from shipworthy.errors import InvalidInputError
from shipworthy.project.section import parse_toml


def write_settings(file: Path, section: str, settings: Mapping[str, str]) -> None:
    """Sets texts of a section, in the lines that they have, or in new ones; the file is replaced whole.

    Raises:
        InvalidInputError: it is written in a way in which a line cannot be changed; nothing was.
    """
    before = file.read_text(encoding="utf-8")
    after = rewritten(before, section, settings)
    known = parse_toml(before.encode(), str(file))
    try:
        is_right = tomllib.loads(after) == {**known, section: {**known.get(section, {}), **settings}}
    except tomllib.TOMLDecodeError:
        is_right = False
    if not is_right:
        raise InvalidInputError(
            f"{file} is written in a way that is left to you: set {_told(section, settings)} there."
        )
    with tempfile.NamedTemporaryFile("w", dir=file.parent, delete=False, encoding="utf-8") as partial:
        partial.write(after)
    Path(partial.name).chmod(file.stat().st_mode)
    Path(partial.name).replace(file)


def rewritten(text: str, section: str, settings: Mapping[str, str]) -> str:
    r"""The text of a TOML file with other settings in one of its sections.

    >>> print(rewritten("[store]\nrecords = 'a.db'  # ours\n[live]\n", "store", {"records": "b.db", "objects": "o"}))
    [store]
    objects = "o"
    records = "b.db"  # ours
    [live]
    <BLANKLINE>
    """
    lines = text.splitlines(keepends=True)
    begin = next((n for n, line in enumerate(lines) if re.match(rf"\s*\[\s*{section}\s*\]", line)), None)
    if begin is None:
        new = "".join(f"{name} = {json.dumps(value, ensure_ascii=False)}\n" for name, value in settings.items())
        return f"{text.rstrip()}\n\n[{section}]\n{new}".lstrip()
    end = next((n for n in range(begin + 1, len(lines)) if re.match(r"\s*\[", lines[n])), len(lines))
    for name, value in settings.items():
        said = f"{name} = {json.dumps(value, ensure_ascii=False)}"
        form = re.compile(rf"""\s*{name}\s*=\s*(?:"[^"\n]*"|'[^'\n]*')""")
        places = [(n, found.end()) for n in range(begin + 1, end) if (found := form.match(lines[n]))]
        if places:
            place, length = places[0]
            lines[place] = said + lines[place][length:]
        else:
            lines[begin] = f"{lines[begin].rstrip()}\n{said}\n"
    return "".join(lines)


def _told(section: str, settings: Mapping[str, str]) -> str:
    return " and ".join(f"{name} = {json.dumps(value)}" for name, value in settings.items()) + f" in [{section}]"
