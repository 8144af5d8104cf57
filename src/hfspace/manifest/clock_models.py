"""What a manifest can say of time: windows with the settings that hold inside, and regular restarts."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, WithJsonSchema

from hfspace.manifest.hours import Hours, parse_hours, parse_local
from hfspace.manifest.keys import Duration, Model, key

Visibility = Literal["public", "private", "protected"]
WindowState = Literal["running", "awake", "paused"]

During = Annotated[Hours, BeforeValidator(parse_hours), WithJsonSchema({"type": "string"})]
LocalTime = Annotated[datetime, BeforeValidator(parse_local), WithJsonSchema({"type": "string"})]


class WindowSettings(Model):
    """The settings of a Space that hold inside a window."""

    noun = "set"

    hardware: str | None = key("Any flavor that the Hub lists.", example="a10g-small")
    sleep_time: Duration | None = key("After how long without a visit it sleeps.", example="30m")
    state: WindowState | None = key("running, awake or paused.", example="running")
    visibility: Visibility | None = key("Who may see it.", example="public")
    dev_mode: bool | None = key("SSH and VS Code into the running Space.", example="true")

    @property
    def given(self) -> dict[str, Any]:
        """What it sets, by key."""
        return {name: getattr(self, name) for name in self.model_fields_set}


class Window(Model):
    """A time in which settings hold: hours of the week, or from and until one time, or both at once."""

    noun = "a window"

    during: During | None = key(
        "Hours of the week, on the wall of `timezone`; past midnight too.",
        values="days and times: `Mon-Fri 08:00-19:00`, `Sat,Sun`, `daily 22:00-02:00`",
        example='"Mon-Fri 08:00-19:00"',
    )
    start: LocalTime | None = key(
        "When it begins; beside `during`, from when on its hours count.",
        alias="from",
        values="2026-12-01T09:00 or 2026-12-01",
        example="2026-12-01T09:00",
    )
    until: LocalTime | None = key(
        "When it is over; beside `during`, until when its hours count.",
        values="2026-12-01T18:00 or 2026-12-02",
        example="2026-12-01T18:00",
    )
    settings: WindowSettings = key(
        "What holds inside.",
        alias="set",
        values="`{hardware, sleep_time, state, visibility, dev_mode}`",
        default=...,
        example="{state: running}",
    )

    def holds(self, wall: datetime) -> bool:
        """Whether a clock on the wall that shows `wall`, without a zone, shows a time inside."""
        if (self.start and wall < self.start) or (self.until and wall >= self.until):
            return False
        return self.during is None or self.during.holds(wall)

    @property
    def text(self) -> str:
        """What people call it: its hours, else its times."""
        start, until = (f"{one:%Y-%m-%d %H:%M}" if one else "" for one in (self.start, self.until))
        if self.start and self.until and self.start.date() == self.until.date():
            until = f"{self.until:%H:%M}"
        times = f"{start} to {until}" if start and until else (start and f"from {start}") or f"until {until}"
        return self.during.text if self.during else times


class RestartSpec(Model):
    """What restarts a Space: a new text, the tick of a clock, or files of ours. The short form is a text."""

    short = "value"

    value: str | None = key("Any text; a new one restarts the Space once.", example='"2026-11-21"')
    rebuild: bool = key("Build it anew, with nothing of the last build.", default=False, example="true")
    every: str | None = key(
        "Minute, hour, day, month, day of the week, as cron has it, in `timezone`.", example='"30 4 * * 1"'
    )
    on: Literal["files"] | None = key(
        "After each commit of our files; the Hub builds then by itself, with `rebuild` anew.", example="files"
    )

    @property
    def follows_files(self) -> bool:
        """Whether files of ours are to be built anew: beside a commit, that is a restart of its own."""
        return self.on is not None and self.rebuild
