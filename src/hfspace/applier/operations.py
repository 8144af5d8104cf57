"""What a restart or a pause of one Space would do, judged by its stage before the Hub is asked to do it."""

from __future__ import annotations

from dataclasses import dataclass

from hfspace.model import SpaceState

_BUILDING = frozenset({"BUILDING", "RUNNING_BUILDING"})
_STARTING = frozenset({"APP_STARTING", "RUNNING_APP_STARTING"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """`refusal` says why it makes no sense, "" when it does; `done` that the Space is so already; `effect`
    is what happens, as a sentence. What is refused may be insisted on (`--force`) unless `final`."""

    effect: str = ""
    refusal: str = ""
    hint: str = ""
    done: bool = False
    final: bool = False


def restart_advice(state: SpaceState, *, factory: bool) -> Advice:
    """What a restart does to a Space in this stage."""
    space, stage = state.id, state.stage
    if advice := _untouchable(state, "restarted"):
        return advice
    if stage in _BUILDING and not factory:
        return Advice(
            refusal=f"{space} is building: a restart would start the build over.",
            hint=f"Wait for it: hfspace wait {space}. One that hangs: hfspace restart {space} --factory.",
        )
    if stage in _STARTING and not factory:
        return Advice(
            refusal=f"{space} is starting already.",
            hint=f"Wait for it: hfspace wait {space}. One that hangs: hfspace restart {space} --force.",
        )
    if stage == "BUILD_ERROR" and not factory:
        return Advice(
            refusal=f"The build of {space} failed, and a restart builds the same commit again.",
            hint=f"See hfspace logs {space} --build; without any cache: hfspace restart {space} --factory.",
        )
    if stage in {"CONFIG_ERROR", "NO_APP_FILE"}:
        return Advice(
            refusal=f"{space} is {stage}: a restart can't mend that.",
            hint=state.error_message or "Its settings or its files have to change first.",
        )
    effects = {
        "SLEEPING": f"{space} sleeps: it is woken.",
        "PAUSED": f"{space} is paused: it is started.",
        "STOPPED": f"{space} is stopped: it is started.",
    }
    return Advice(effect=effects.get(stage or "", ""))


def pause_advice(state: SpaceState) -> Advice:
    """What a pause does to a Space in this stage."""
    space, stage = state.id, state.stage
    if stage == "PAUSED":
        return Advice(done=True, effect=f"{space} is paused already.")
    if advice := _untouchable(state, "paused"):
        return advice
    if stage in _BUILDING:
        return Advice(effect=f"{space} is building: the build is given up.")
    if stage == "SLEEPING":
        return Advice(effect=f"{space} sleeps and costs nothing; paused, no visit wakes it.")
    return Advice()


def _untouchable(state: SpaceState, done: str) -> Advice | None:
    if state.is_static:
        return Advice(
            refusal=f"{state.id} is a static Space: nothing runs that could be {done}.",
            hint="A static Space is served as it is, on no hardware, and costs nothing.",
            final=True,
        )
    if state.stage == "DELETING":
        return Advice(refusal=f"{state.id} is being deleted.", final=True)
    return None
