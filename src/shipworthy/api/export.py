"""A project as a parcel, to be taken away: for who keeps the workspace, and noted in the audit."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Annotated, BinaryIO

from msgspec import Meta, Struct
from starlette.responses import Response, StreamingResponse

from shipworthy.api.endpoint import Call, Endpoint
from shipworthy.parcel.export import export_project
from shipworthy.workspace.audit_log import AuditLog
from shipworthy.workspace.role import Permission

_CHUNK = 2**18


class ExportQuery(Struct, forbid_unknown_fields=True, kw_only=True):
    """The one problem that the parcel is to be about; all of the project where it is left out."""

    problem: Annotated[str, Meta(max_length=200)] = ""


def take_out(call: Call) -> Response:
    """Writes the parcel, notes that it is taken out, and sends it; nothing of it stays behind."""
    project, problem = call.project, call.query.problem
    with tempfile.TemporaryDirectory(prefix="shipworthy-export-") as folder:
        place = Path(folder) / f"{project.name}.zip"
        manifest = export_project(project, place, problem=problem)
        file = place.open("rb")  # it is read to its end although its name is gone
        size = place.stat().st_size
    about = f"{project.name}: {problem or 'all of it'}, {manifest.records:,} records up to {manifest.head}"
    AuditLog(call.desk.workspace.records).exported(call.principal.name, about, squad=project.squad)
    headers = {
        "content-disposition": f'attachment; filename="{project.name}.zip"',
        "content-length": str(size),
        "content-encoding": "identity",  # a parcel is packed as well as it can be
        "cache-control": "no-store",
    }
    return StreamingResponse(_chunks(file), media_type="application/zip", headers=headers)


def _chunks(file: BinaryIO) -> Iterator[bytes]:
    with file:
        yield from iter(partial(file.read, _CHUNK), b"")


ENDPOINTS = (
    Endpoint(
        name="export",
        method="GET",
        path="/projects/{project}/export",
        permission=Permission.ADMINISTER,
        says="Everything of a project, or of one of its problems, in open formats, as one zip file.",
        handler=take_out,
        query=ExportQuery,
        media="application/zip",
    ),
)
