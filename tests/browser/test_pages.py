"""The pages in a browser: accessible by axe-core in both themes and on a phone; nothing is asked for, nothing
runs. In the slow set: it takes Chromium or Chrome, and axe-core from npm (`make slow` gets it)."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from hfspace.model import FileDiff, Plan
from hfspace.report import calendar_html, plan_html
from hfspace.report import fleet as fleet_page
from tests.clock import test_calendar
from tests.report import fleets, plans
from tests.report.test_fleet import hostile

pytestmark = pytest.mark.slow

AXE = Path(__file__).parent / "node_modules" / "axe-core" / "axe.min.js"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-extensions",
)  # fmt: skip
RUN = """axe.run(document, {resultTypes: ["violations", "incomplete"]}).then(result => {
  const brief = one => ({rule: one.id, at: one.nodes.slice(0, 3).map(node => node.html)});
  const pre = document.createElement("pre");
  pre.id = "axe-result";
  pre.textContent = JSON.stringify({violations: result.violations.map(brief), passes: axe.version,
    overflow: document.documentElement.scrollWidth - document.documentElement.clientWidth});
  window.parent.document.body.append(pre);
});"""


def with_files() -> Plan:
    """A plan with the texts of files side by side, one of them with lines wider than any page."""
    long = "x = " + "1 + " * 400
    texts = (("app.py", "import a\nb = 1\n", "import a\nb = 2\nc = 3\n"), ("wide.py", long, long + "2\n"))
    diffs = [
        FileDiff(
            space="acme/whisper-demo",
            path=path,
            before=before,
            after=after,
            before_size=len(before),
            after_size=len(after),
            added=1,
            removed=1,
        )
        for path, before, after in texts
    ]
    hidden = FileDiff(space="acme/whisper-demo", path="w.bin", before_size=10, after_size=2000, why="binary")
    return replace(plans.everything(), diffs=(*diffs, hidden))


PAGES = {
    "plan": lambda: plan_html.render(plans.everything()),
    "plan, hostile": lambda: plan_html.render(plans.hostile()),
    "plan with files": lambda: plan_html.render(with_files()),
    "calendar": lambda: calendar_html.render(test_calendar.of()),
    "12 Spaces": lambda: fleet_page.render(fleets.fleet(12)),
    "500 Spaces": lambda: fleet_page.render(fleets.fleet(500)),
    "no permission": lambda: fleet_page.render(fleets.fleet(12, billing=False)),
    "hostile": lambda: fleet_page.render(hostile()),
}
LIGHT, DARK = (), ("--blink-settings=preferredColorScheme=0",)


def browser() -> str:
    found = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    assert found, f"none of {', '.join(BROWSERS)} is on PATH"
    return found


def dumped(address: str, folder: Path, *flags: str) -> str:
    """The document as it is after all scripts of the page have run."""
    profile = folder / "profile"
    command = [
        browser(),
        *FLAGS,
        f"--user-data-dir={profile}",
        "--virtual-time-budget=30000",
        *flags,
        "--dump-dom",
        address,
    ]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout


def judged(page: str, folder: Path, *flags: str, width: int | None = None) -> dict[str, Any]:
    """What axe-core says of a page. Its policy would not let axe run, so it is taken out here."""
    assert AXE.exists(), "axe-core is missing: run `npm ci --prefix tests/browser --ignore-scripts`"
    bare = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", page)
    assert bare != page
    file = folder / "page.html"
    script = f"<script>{AXE.read_text()}</script><script>{RUN}</script>"
    whole = bare.replace("</html>", f"{script}</html>")
    if width is not None:  # no window is as narrow as a phone; a frame is
        frame = f'<iframe title="page" width="{width}" height="800" srcdoc="{html.escape(whole)}"></iframe>'
        whole = f'<!doctype html><html lang="en"><title>Frame</title><body>{frame}</body></html>'
    file.write_text(whole)
    dom = dumped(file.as_uri(), folder, *flags)
    match = re.search(r'<pre id="axe-result">(.*?)</pre>', dom, re.DOTALL)
    assert match, "axe did not finish"
    result: dict[str, Any] = json.loads(html.unescape(match[1]))
    return result


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing(name: str, theme: tuple[str, ...], tmp_path: Path) -> None:
    result = judged(PAGES[name](), tmp_path, "--window-size=1200,900", *theme)
    assert result["violations"] == []


@pytest.mark.parametrize("name", PAGES)
def test_it_fits_a_phone(name: str, tmp_path: Path) -> None:
    result = judged(PAGES[name](), tmp_path, width=360)
    assert (result["violations"], result["overflow"]) == ([], 0)


def test_axe_would_find_something(tmp_path: Path) -> None:
    page = PAGES["12 Spaces"]().replace("</main>", '<p style="color: #ccc; background: #fff">pale</p></main>')
    assert "color-contrast" in [one["rule"] for one in judged(page, tmp_path)["violations"]]


class _Handler(BaseHTTPRequestHandler):
    page = ""
    paths: list[str]

    def do_GET(self) -> None:
        self.paths.append(self.path)
        self.send_response(200 if self.path == "/" else 404)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(self.page.encode() if self.path == "/" else b"")

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def served() -> Iterator[tuple[str, type[_Handler]]]:
    handler = type("Handler", (_Handler,), {"paths": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/", handler
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize("name", ["plan, hostile", "hostile", "12 Spaces"])
def test_it_asks_for_nothing_and_nothing_of_it_runs(
    name: str, served: tuple[str, type[_Handler]], tmp_path: Path
) -> None:
    address, handler = served
    handler.page = PAGES[name]().replace("</main>", "<script>document.title = 'it ran'</script></main>")
    dom = dumped(address, tmp_path)
    assert set(handler.paths) <= {"/", "/favicon.ico"}  # the second one is the browser's own idea
    assert "<title>it ran</title>" not in dom
    assert dom.count("<script") == 1


def test_it_prints_on_white(tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    file.write_text(PAGES["12 Spaces"]())
    target = tmp_path / "page.pdf"
    command = [
        browser(), *FLAGS, f"--user-data-dir={tmp_path / 'profile'}", *DARK, f"--print-to-pdf={target}",
        file.as_uri(),
    ]  # fmt: skip
    subprocess.run(command, capture_output=True, check=True, timeout=120)
    assert target.read_bytes().startswith(b"%PDF")
