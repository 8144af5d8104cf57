"""Every link of the pages to a file of this repository, or to a heading in one, leads somewhere."""

from __future__ import annotations

import re
import sys
from pathlib import Path

LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)


def broken(root: Path) -> list[str]:
    """The links that lead nowhere, as `page: target`."""
    found = []
    for page in (*root.glob("*.md"), *(root / "docs").rglob("*.md"), *(root / "examples").rglob("*.md")):
        for target in LINK.findall(FENCE.sub("", page.read_text(encoding="utf-8"))):
            if re.match(r"[a-z]+:", target):
                continue
            name, _, heading = target.partition("#")
            file = (page.parent / name).resolve() if name else page
            if not file.exists() or (heading and heading not in headings(file)):
                found.append(f"{page.relative_to(root)}: {target}")
    return found


def headings(page: Path) -> set[str]:
    """The anchors that GitHub gives a page's headings."""
    titles = re.findall(r"^#+ (.+)$", FENCE.sub("", page.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


if __name__ == "__main__":
    lost = broken(Path(__file__).resolve().parent.parent)
    sys.stderr.write("".join(f"{line}\n" for line in lost))
    sys.exit(bool(lost))
