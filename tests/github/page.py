"""Markdown as GitHub shows it, near enough to see what gets out of its cell."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

from markdown_it import MarkdownIt

_VOID = {"br", "hr", "img", "input"}


@dataclass
class Page:
    """What a rendering consists of. `loose` is the text outside of code elements."""

    tags: set[str] = field(default_factory=set)
    links: list[str] = field(default_factory=list)
    attributes: set[str] = field(default_factory=set)
    loose: list[str] = field(default_factory=list)
    code: list[str] = field(default_factory=list)
    rows: list[list[int]] = field(default_factory=list)
    unbalanced: list[str] = field(default_factory=list)


def html_of(markdown: str) -> str:
    return MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).render(markdown)


def read(markdown: str) -> Page:
    reader = _Reader()
    reader.feed(html_of(markdown))
    reader.close()
    reader.page.unbalanced += reader.stack
    return reader.page


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.page = Page()
        self.stack: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.page.tags.add(tag)
        self.page.attributes |= {name for name, _ in attrs}
        self.page.links += [str(value) for name, value in attrs if name in {"href", "src"}]
        if tag not in _VOID:
            self.stack.append(tag)
        if tag == "table":
            self.page.rows.append([])
        elif tag == "tr":
            self.page.rows[-1].append(0)
        elif tag in {"td", "th"}:
            self.page.rows[-1][-1] += 1
        elif tag == "code":
            self.page.code.append("")

    def handle_endtag(self, tag: str) -> None:
        if tag in _VOID:
            return
        if not self.stack or self.stack.pop() != tag:
            self.page.unbalanced.append(f"/{tag}")

    def handle_data(self, data: str) -> None:
        if "code" in self.stack:
            self.page.code[-1] += data
        else:
            self.page.loose.append(data)
