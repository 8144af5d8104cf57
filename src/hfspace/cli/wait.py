"""hfspace wait ID…"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import click

from hfspace.cli.context import Context, find_space, hfspace_command
from hfspace.cli.inputs import parse_timeout
from hfspace.cli.progress import Board, board
from hfspace.errors import HfspaceError
from hfspace.live.hub import HubClient
from hfspace.live.limiter import Pace
from hfspace.live.stages import LOG_COMMANDS, readings
from hfspace.model import FAILED, SpaceState
from hfspace.text import plain, sentence

_MOST_AT_ONCE = 16
_UP = frozenset({"RUNNING", "SLEEPING"})


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitOptions:
    spaces: tuple[str, ...]
    timeout: str


@hfspace_command(
    WaitOptions,
    manifest=False,
    name="wait",
    epilog="\b\nExamples:\n  hfspace wait acme/whisper\n  hfspace wait acme/whisper acme/ocr --timeout 30m",
)
@click.argument("spaces", metavar="ID…", nargs=-1, required=True)
@click.option("--timeout", default="15m", show_default=True, metavar="DURATION", help="Give up after this.")
def command(context: Context, options: WaitOptions) -> int:
    """Wait until Spaces run (a sleeping one counts). One that can't come up fails at once; the others are
    waited for all the same."""
    pace = Pace(parse_timeout(options.timeout))
    hub = context.hub(pace=pace)
    names = list(dict.fromkeys(find_space(hub, name) for name in options.spaces))
    with board(context, len(names)) as view:
        results = _all(context, hub, names, view)
    failures = [one for one in results if isinstance(one, HfspaceError)]
    for state in results:
        if isinstance(state, SpaceState):
            context.echo(f"{plain(state.id)} is {plain(state.stage)}.")
    if len(names) == 1 and failures:
        raise failures[0]
    for error in failures:
        context.warn(str(error))
    if failures:
        raise HfspaceError(f"{len(failures)} of {len(names)} Spaces did not come up.")
    return 0


def _all(
    context: Context, hub: HubClient, names: Sequence[str], view: Board
) -> list[SpaceState | HfspaceError]:
    """The state in which each Space came up, or why it did not, in the order of `names`."""
    poll = context.seconds("HFSPACE_POLL_SECONDS", 2)
    settle = context.seconds("HFSPACE_SETTLE_SECONDS", 10)

    def one(name: str) -> SpaceState | HfspaceError:
        view.begin(name)
        try:
            return _up(hub, name, view, poll, settle)
        except HfspaceError as error:
            return error
        finally:
            view.end(name)

    with ThreadPoolExecutor(min(len(names), _MOST_AT_ONCE)) as pool:
        try:
            return list(pool.map(one, names))
        except KeyboardInterrupt:
            hub.pace.stop()  # what the threads wait for ends now, and so do they
            raise


def _up(hub: HubClient, name: str, view: Board, poll: float, settle: float) -> SpaceState:
    """The Space as soon as it is up. Raises HfspaceError when it will not come up."""
    for now in readings(hub.runtime, hub.space(name), hub.pace, poll):
        state = now.state
        # A restart that was just asked for may show some reads later: until then it reads as before.
        if now.is_at_rest and (now.moved or now.seconds >= settle):
            break
        view.tell(name, state.stage or "unknown stage")
    if state.stage in _UP:
        return state
    because = f": {state.error_message}" if state.error_message else ""
    log = f"hfspace logs {state.id}{LOG_COMMANDS.get(state.stage or '', '')}"
    hint = log if state.stage in FAILED else f"Start it: hfspace restart {state.id}"
    raise HfspaceError(sentence(f"{state.id} is {state.stage}{because}"), hint=hint)
