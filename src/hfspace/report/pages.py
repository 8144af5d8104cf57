"""Pages of HTML from report/templates. A page needs nothing else: no script, no font, no image, no link.

Every value is escaped twice over: `plain` spells out what a terminal or a reader could be fooled by, then
Jinja2 escapes what HTML would read as markup. base.html is the frame of all pages, page.css their style.
"""

from __future__ import annotations

from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from hfspace.report.cells import POLICY, counted, money
from hfspace.text import plain


def page(template: str, **values: object) -> str:
    """`template`, a name in report/templates, filled with `values`. Raises UndefinedError for a name in it
    that none of them has."""
    return _environment().get_template(template).render(values)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("hfspace", "report/templates"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_spelled,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        auto_reload=False,
    )
    environment.globals |= {"policy": POLICY, "counted": counted}
    environment.filters["money"] = money
    return environment


def _spelled(value: object) -> object:
    """A value without control characters, escapes and direction overrides; markup of ours as it is."""
    return value if isinstance(value, Markup) else plain(value)
