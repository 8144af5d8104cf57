"""hfspace wait ID."""

from __future__ import annotations

import click

from hfspace.cli.context import Context, find_space, hfspace_command


@hfspace_command(
    manifest=False,
    name="wait",
    epilog="\b\nExamples:\n  hfspace wait acme/whisper\n  hfspace wait acme/whisper --timeout 30m",
)
@click.argument("space", metavar="ID")
@click.option("--timeout", default="15m", show_default=True, metavar="DURATION", help="Give up after this.")
def command(context: Context, space: str, timeout: str) -> int:
    """Wait until a Space runs (a sleeping one counts); fails at once when it can't come up."""
    from hfspace.applier.waiting import LOG_COMMANDS, still
    from hfspace.cli.session import parse_timeout
    from hfspace.errors import HfspaceError, WaitTimeout
    from hfspace.live.limiter import Pace
    from hfspace.model import FAILED, HELD, MOVING
    from hfspace.text import plain

    pace = Pace(parse_timeout(timeout))
    hub = context.hub(pace=pace)
    state = hub.space(find_space(hub, space))
    told, started, moved = "", pace.now(), False
    settle = context.seconds("HFSPACE_SETTLE_SECONDS", 10)
    while True:
        # A restart that was just asked for may show some reads later: until then it reads as before.
        moved = moved or state.stage in MOVING
        certain = moved or pace.now() - started >= settle
        up = state.stage in {"RUNNING", "SLEEPING"} and state.hardware_current in {None, state.hardware}
        if up and certain:
            break
        if state.stage in FAILED | HELD and certain:
            said = f": {state.error_message}" if state.error_message else "."
            log = LOG_COMMANDS.get(state.stage or "", "")
            hint = (
                f"Start it: hfspace restart {state.id}"
                if state.stage in HELD
                else f"hfspace logs {state.id}{log}"
            )
            raise HfspaceError(f"{state.id} is {state.stage}{said}", hint=hint)
        if state.stage != told:
            told = state.stage or ""
            context.note(f"{state.id}: {told}")
        try:
            pace.sleep(context.seconds("HFSPACE_POLL_SECONDS", 2), f"waiting for {state.id}")
        except WaitTimeout:
            raise still(state, pace.now() - started) from None
        state = hub.runtime(state)
    context.echo(f"{state.id} is {plain(state.stage)}.")
    return 0
