"""One repository of a squad: its configuration, its stores and its code.

This is the composition root: the only place that chooses back ends. `project.code`, which imports the user's Python and
with it Polars, is a module of its own, so that listing ideas stays fast.
"""

from shipworthy.project.project import CONFIG_NAME, WORKSPACE_NAME, Project, open_project
from shipworthy.project.stage import Gap, Stage, refuse_closed

__all__ = ["CONFIG_NAME", "WORKSPACE_NAME", "Gap", "Project", "Stage", "open_project", "refuse_closed"]
