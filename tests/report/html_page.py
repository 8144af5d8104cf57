"""A page of HTML as a browser reads it, for tests."""

from __future__ import annotations

import re
from html.parser import HTMLParser

_VOID = {"meta", "br"}
_ALLOWED = {
    "html", "head", "meta", "title", "style", "body", "main", "nav", "a", "div", "h1", "h2", "h3", "p",
    "span", "code", "table", "thead", "tbody", "tr", "th", "td", "br", "strong", "details", "summary", "ul",
    "li", "svg", "rect", "line", "pre",
}  # fmt: skip


class Page(HTMLParser):
    """Tags that are open, attributes and text."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_comment(self, data: str) -> None:
        raise AssertionError(f"a comment: {data}")

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def check_inert(text: str, attributes: set[str]) -> None:
    """Fails for a page that is not well formed, that holds what runs or loads, or text that no one sees."""
    page = Page(text)
    assert page.open == []
    assert {tag for tag, _ in page.tags} <= _ALLOWED
    assert {name for _, values in page.tags for name in values} <= attributes
    links = [values.get("href") or "" for tag, values in page.tags if tag == "a"]
    assert all(re.fullmatch(r"#[a-z-]+", link) for link in links)
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069]", text)
    text.encode()  # no half of a pair is left
