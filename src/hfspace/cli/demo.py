"""hfspace demo: the main job from end to end, on a local Hub with a drifted fleet. No token, no network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import click

from hfspace.applier.run import Options
from hfspace.cli.context import Context, hfspace_command
from hfspace.cli.plan import rendered
from hfspace.cli.session import carry_out, open_session
from hfspace.errors import HfspaceError, UsageError
from hfspace.localhub import LocalHub, LocalHubError
from hfspace.report.apply_text import render


@hfspace_command(
    manifest=False,
    name="demo",
    epilog="\b\nExamples:\n  hfspace demo\n  hfspace demo --keep hub.db && hfspace hub serve --db hub.db",
)
@click.option(
    "--keep", type=click.Path(dir_okay=False, path_type=Path), help="Keep the Hub's state in this file."
)
def command(context: Context, keep: Path | None) -> int:
    """Plan, apply and plan again, on an embedded local Hub with a dozen Spaces that have drifted."""
    examples = fleet_folder()
    try:
        local = LocalHub(seed=examples / "hub.yaml", db=str(keep) if keep else ":memory:")
    except LocalHubError as error:
        raise UsageError(str(error), hint="Name another file with --keep.") from None
    with local as hub:
        here = replace(
            context,
            files=(str(examples / "spaces.yaml"),),
            overlays=(),
            env=demo_environment(context.env, hub.url, hub.token),
        )
        here.echo(f"A local Hub with a drifted fleet is on {hub.url}.\n$ hfspace plan\n")
        code = _story(here)
        here.echo(f"The Hub served {len(hub.requests())} requests, {len(hub.writes())} of them writes.")
    return code


def fleet_folder() -> Path:
    """examples/fleet of a checkout (as it is reached from here), else the copy in the package."""
    checkout = Path(__file__).parents[3] / "examples" / "fleet"
    if checkout.is_relative_to(Path.cwd()):
        checkout = checkout.relative_to(Path.cwd())
    if (checkout / "spaces.yaml").exists():
        return checkout
    return Path(str(files("hfspace") / "examples" / "fleet"))


def demo_environment(env: Mapping[str, str], url: str, token: str) -> dict[str, str]:
    """The environment of the demo: the local Hub, its token, a value for the declared secret, and short waits
    (one second of ours is a minute of that Hub)."""
    return {
        **{name: value for name, value in env.items() if not name.startswith(("HF_", "HUGGING"))},
        "HF_ENDPOINT": url,
        "HF_TOKEN": token,
        "SEARCH_API_KEY": "demo-value-of-the-search-key",
        "HFSPACE_POLL_SECONDS": "0.3",
        "HFSPACE_SETTLE_SECONDS": "2",
    }


def _story(context: Context) -> int:
    session = open_session(context, timeout=120)
    plan = session.plan(to_apply=True)
    context.echo(rendered(plan, "text", context))
    if plan.errors:
        raise HfspaceError("The demo's plan has errors; this is a bug in hfspace.")
    context.echo("\n$ hfspace apply --yes\n")
    result = carry_out(context, session, plan.approve(), Options(poll_seconds=0.3, settle_seconds=2))
    context.echo(render(result, color=context.color))
    context.echo("\n$ hfspace plan\n")
    again = open_session(context).plan()
    context.echo(rendered(again, "text", context))
    if result.failed or not again.is_empty:
        raise HfspaceError(
            "The demo did not converge; see above for what failed.",
            hint="It needs huggingface_hub 1.23 or newer; else this is a bug in hfspace.",
        )
    context.echo("\nThe second plan is empty: the Hub is what the manifest says.")
    return 0
