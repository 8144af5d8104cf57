"""Annotations on the manifest's lines, as workflow commands; the worst first, since only ten are shown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from hfspace.model import Action, Plan, Source
from hfspace.report.cells import counted, delta
from hfspace.report.plan_markdown import danger
from hfspace.text import plain

MOST = 10
"""Annotations of one type that GitHub shows for one step."""

_LEVELS = ("error", "warning", "notice")


@dataclass(frozen=True, slots=True, kw_only=True)
class Annotation:
    """One annotation. `level` is error, warning or notice; lower `rank` is shown first."""

    level: str
    title: str
    message: str
    file: str = ""
    line: int = 0
    column: int = 0
    rank: int = 5


def plan_annotations(plan: Plan) -> list[Annotation]:
    """Failed checks as errors and warnings; Spaces deleted or made public, and money, as warnings."""
    annotations = [
        _at(
            check.source,
            level="error" if check.severity == "error" else "warning",
            title=check.address,
            message=f"{check.message} {check.hint}".strip(),
            rank=0 if check.scope == "policy" else 2 if check.severity == "error" else 4,
        )
        for check in plan.checks
    ]
    for change in plan.changes:
        level = danger(change)
        if level > 2:
            continue
        price = delta(change.usd_per_hour_before, change.usd_per_hour_after)
        message = ("This Space is deleted for good.", "This Space becomes public.", f"Costs {price}.")[level]
        if level == 2 and change.action is Action.CREATE:
            message = f"A new Space, {price}."
        kind = "warning" if level < 2 else "notice"
        annotations.append(_at(change.source, level=kind, title=change.address, message=message, rank=level))
    return annotations


def problem_annotations(problems: Sequence[Mapping[str, Any]], *, level: str = "error") -> list[Annotation]:
    """The problems of `hfspace validate --format json`."""
    return [
        Annotation(
            level=level,
            title="Manifest",
            message=f"{item.get('message', '')} {item.get('hint', '')}".strip(),
            file=str(item.get("file", "")),
            line=int(item.get("line") or 0),
            column=int(item.get("column") or 0),
        )
        for item in problems
    ]


def render(annotations: Iterable[Annotation], *, workspace: str = "") -> str:
    """Workflow commands, one a line. Beyond ten of a type the tenth says how many there are."""
    lines = []
    for level in _LEVELS:
        ranked = sorted((one for one in annotations if one.level == level), key=lambda one: one.rank)
        visible = ranked if len(ranked) <= MOST else ranked[: MOST - 1]
        lines += [_command(one, workspace) for one in visible]
        if rest := len(ranked) - len(visible):
            text = f"{counted(rest, f'more {level}')}: see the job summary and the full plan."
            lines.append(f"::{level} title=hfspace::{_data(text)}")
    return "\n".join(lines)


def _command(one: Annotation, workspace: str) -> str:
    places = {"file": _relative(one.file, workspace), "line": one.line or "", "col": one.column or ""}
    properties = {**{key: str(item) for key, item in places.items() if item}, "title": one.title}
    listed = ",".join(f"{key}={_property(item)}" for key, item in properties.items())
    return f"::{one.level} {listed}::{_data(one.message)}"


def _at(source: Source | None, **values: Any) -> Annotation:
    if source is None:
        return Annotation(**values)
    return Annotation(file=source.file, line=source.line, column=source.column, **values)


def _relative(file: str, workspace: str) -> str:
    """GitHub finds a file by its path in the repository."""
    path = PurePath(file)
    if workspace and path.is_absolute() and path.is_relative_to(workspace):
        return str(path.relative_to(workspace))
    return str(path) if file else ""


def _data(text: str) -> str:
    return plain(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
