"""hfspace github: what a GitHub Actions job says about a plan, and where."""

from __future__ import annotations

from pathlib import Path

import click

from hfspace.cli.context import Context, hfspace_command
from hfspace.errors import UsageError
from hfspace.github import comment, drift_issue
from hfspace.github.action import FAIL_ON, exit_code, run
from hfspace.github.annotate import plan_annotations, render
from hfspace.github.client import GitHub
from hfspace.github.event import WorkflowEvent, read_event
from hfspace.github.merge import merge
from hfspace.github.outputs import plan_outputs, write_outputs
from hfspace.github.summary import summary, write_summary
from hfspace.github.untrusted import load as load_untrusted
from hfspace.github.untrusted import pull_of_run, without_places
from hfspace.model import Plan
from hfspace.planner.saved import load, save
from hfspace.report.cells import counted

_PLAN = click.argument("plan_file", metavar="PLAN.json", type=click.Path(path_type=Path))
_NAME = click.option("--name", help="Tells manifests of one repository apart. [the manifest's files]")
_AUTHOR = click.option(
    "--author",
    default=comment.AUTHOR,
    show_default=True,
    help="Whose comments and issues are ours: the account of GITHUB_TOKEN.",
)


@click.group(name="github")
def command() -> None:
    """GitHub: the pull-request comment, annotations, job summary, outputs, the issue about drift."""


@hfspace_command(manifest=False, name="comment")
@_PLAN
@click.option("--base-plan", type=click.Path(path_type=Path), help="Plan of the target branch's manifest.")
@_NAME
@_AUTHOR
@click.option("--from-fork", is_flag=True, help="The plan was made by a fork's run: trust nothing in it.")
@click.option("--dry-run", is_flag=True, help="Print the comment, write nothing.")
def comment_command(
    context: Context,
    plan_file: Path,
    base_plan: Path | None,
    name: str | None,
    author: str,
    from_fork: bool,
    dry_run: bool,
) -> int:
    """Write the pull request's comment: created once, updated in place, deleted when nothing is left."""
    # What would be written can be looked at anywhere; only the commit and the run are then not named.
    is_job = not dry_run or "GITHUB_REPOSITORY" in context.env
    event = read_event(context.env) if is_job else None
    plan, base = _loaded(plan_file, from_fork), _loaded(base_plan, from_fork) if base_plan else None
    name = name or _named(plan)

    def text(previous: str) -> str | None:
        said = comment.Said(
            name=name,
            sha=event.sha if event else "",
            artifact_url=event.run_url if event else "",
            from_fork=from_fork,
            previous=previous,
        )
        return comment.body(plan, said, base)

    if dry_run or event is None:
        context.echo(text("") or "Nothing to say.")
        return 0
    with _client(context) as github:
        number = _number(github, event)
        if number is None or not comment.is_current(github, event, number, event.sha):
            context.note("The pull request has moved on or is closed; nothing was written.")
            return 0
        url = comment.publish(github, event, number, text, name, author=author)
    context.echo(url or "Nothing to say.")
    return 0


@hfspace_command(manifest=False, name="summary")
@_PLAN
@click.option("--title", default="hfspace plan", show_default=True)
def summary_command(context: Context, plan_file: Path, title: str) -> int:
    """Append the plan to the job summary (GITHUB_STEP_SUMMARY), or print it."""
    text = summary(_loaded(plan_file), title=title)
    if path := context.env.get("GITHUB_STEP_SUMMARY"):
        write_summary(path, text)
    else:
        context.echo(text)
    return 0


@hfspace_command(manifest=False, name="annotate")
@_PLAN
def annotate_command(context: Context, plan_file: Path) -> int:
    """Print annotations on the manifest's lines, the worst first."""
    text = render(plan_annotations(_loaded(plan_file)), workspace=context.env.get("GITHUB_WORKSPACE", ""))
    if text:
        _command(context, text)
    return 0


@hfspace_command(manifest=False, name="outputs")
@_PLAN
def outputs_command(context: Context, plan_file: Path) -> int:
    """Append the counts and the bill to GITHUB_OUTPUT, or print them."""
    values = plan_outputs(_loaded(plan_file)) | {"plan-path": str(plan_file)}
    if path := context.env.get("GITHUB_OUTPUT"):
        write_outputs(path, values)
    else:
        context.echo("\n".join(f"{name}={item}" for name, item in values.items()))
    return 0


@hfspace_command(manifest=False, name="drift-issue")
@_PLAN
@_NAME
@_AUTHOR
def drift_issue_command(context: Context, plan_file: Path, name: str | None, author: str) -> int:
    """Open, update or close the one issue about drift."""
    event, plan = read_event(context.env), _loaded(plan_file)
    with _client(context) as github:
        url = drift_issue.publish(
            github, event, plan, name=name or _named(plan), run_url=event.run_url, author=author
        )
    context.echo(url or "No drift.")
    return 0


@hfspace_command(manifest=False, name="merge")
@click.argument("plan_files", metavar="PLAN.json…", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--out", required=True, type=click.Path(dir_okay=False, path_type=Path), help="Where to save.")
@click.option("--expect", type=click.IntRange(1), help="How many plans there must be.")
@click.option(
    "--fail-on",
    type=click.Choice(FAIL_ON),
    default="never",
    show_default=True,
    help="Exit 1, once saved, when the whole has it.",
)
def merge_command(
    context: Context, plan_files: tuple[Path, ...], out: Path, expect: int | None, fail_on: str
) -> int:
    """Join the plans of shards into one."""
    if expect is not None and len(plan_files) != expect:
        raise UsageError(
            f"{counted(len(plan_files), 'plan')} given, and {expect} expected.", hint="A shard has failed."
        )
    plan = merge([_loaded(one) for one in plan_files])
    save(plan, out)
    context.note(f"{counted(len(plan_files), 'plan')} joined: {counted(len(plan.declared), 'Space')}.")
    return exit_code(plan, frozenset({fail_on}))


@hfspace_command(manifest=False, name="action")
def action_command(context: Context) -> int:
    """What action.yml runs; inputs come from the environment."""
    return run(context.env, context.echo, lambda line: _command(context, line))


for _one in (
    comment_command,
    summary_command,
    annotate_command,
    outputs_command,
    drift_issue_command,
    merge_command,
    action_command,
):
    command.add_command(_one)


def _command(context: Context, line: str) -> None:
    """A workflow command. The runner reads it as it is, and it may hold text of others (GitHub's errors)."""
    context.direct(context.secrets.redact(line))


def _loaded(path: Path, from_fork: bool = False) -> Plan:
    if from_fork:
        return without_places(load_untrusted(path))
    return load(path)


def _named(plan: Plan) -> str:
    return ", ".join(plan.manifest.files)[:200]


def _client(context: Context) -> GitHub:
    return GitHub(read_event(context.env).api_url, context.env.get("GITHUB_TOKEN", ""))


def _number(github: GitHub, event: WorkflowEvent) -> int | None:
    """The pull request of the event; of a workflow_run, the one that GitHub says the run was about."""
    if event.pull is not None:
        return event.pull.number
    if event.run is None:
        raise UsageError(
            "This event is about no pull request.", hint="Run it on pull_request or workflow_run."
        )
    return pull_of_run(github, event)
