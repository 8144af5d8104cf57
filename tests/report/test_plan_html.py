"""The HTML page of a plan: complete, self-contained, and nothing in it that a value could become."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from hfspace.model import Plan
from hfspace.report.plan_html import render
from tests.report import plans

ALLOWED = {
    "html", "head", "meta", "title", "style", "body", "h1", "h2", "p", "span", "code", "table", "tr", "th",
    "td", "br", "strong", "details", "summary", "ul", "li", "main",
}  # fmt: skip
VOID = {"meta", "br"}


class Page(HTMLParser):
    """Tags that are open, attributes and text, as a browser would see them."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_comment(self, data: str) -> None:
        raise AssertionError(f"a comment: {data}")

    def handle_data(self, data: str) -> None:
        self.words.append(data)


@pytest.mark.parametrize(
    "made",
    [plans.plan(), plans.everything(), plans.over_budget(), plans.hostile(), plans.large(300)],
    ids=["empty", "everything", "over budget", "hostile", "large"],
)
def test_the_page_is_well_formed_and_needs_nothing_from_elsewhere(made: Plan) -> None:
    text = render(made)
    page = Page(text)
    assert page.open == []
    assert {tag for tag, _ in page.tags} <= ALLOWED
    names = {name for _, attributes in page.tags for name in attributes}
    assert names <= {"lang", "charset", "name", "content", "http-equiv", "class", "scope"}
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069]", text)
    text.encode()  # no half of a pair is left


def test_it_says_what_the_text_says() -> None:
    words = " ".join(Page(render(plans.everything())).words)
    for change in plans.everything().changes:
        assert change.space in words
    for check in plans.everything().checks:
        assert check.message[:40] in words
    assert "over budget" in " ".join(Page(render(plans.over_budget())).words)
    assert "No changes" in render(plans.plan())


def test_secrets_are_not_shown() -> None:
    made = plans.plan(plans.change("acme/x", "secrets", "canary-old", "canary-new", key="A", sensitive=True))
    assert "canary" not in render(made)


def test_what_could_not_be_checked_did_not_fail() -> None:
    failed = plans.check("acme/x", "sdk", "error", "It is static.")
    unknown = plans.check("acme/x", "variables", "unknown", "They can't be read.")
    assert "<h1>No changes; 1 check failed, 1 unknown</h1>" in render(plans.plan(failed, unknown))
    assert "<h1>No changes; 1 unknown</h1>" in render(plans.plan(unknown))
