"""Badges as SVG: a web server on the standard library alone."""

import os
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

LETTER = 7  # pixels
LONGEST = 60
SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="20" role="img">'
    "<title>{label}: {value}</title>"
    '<rect width="{width}" height="20" rx="3" fill="#555"/>'
    '<rect x="{left}" width="{right}" height="20" rx="3" fill="#2c7"/>'
    '<g fill="#fff" font-family="Verdana,sans-serif" font-size="11">'
    '<text x="6" y="14">{label}</text><text x="{start}" y="14">{value}</text></g></svg>'
)


def badge(label: str, value: str) -> str:
    """The picture with two words side by side."""
    left, right = (len(text) * LETTER + 12 for text in (label, value))
    return SVG.format(
        width=left + right, left=left, right=right, start=left + 6, label=escape(label), value=escape(value)
    )


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        address = urlsplit(self.path)
        if address.path == "/badge":
            query = parse_qs(address.query)
            texts = [query.get(name, [""])[0][:LONGEST] for name in ("label", "value")]
            self.answer(200, "image/svg+xml", badge(*texts))
        elif address.path == "/":
            self.answer(200, "text/html", '<img src="badge?label=build&amp;value=passing" alt="a badge">')
        else:
            self.answer(404, "text/plain", "There is only /badge.")

    def answer(self, status: int, kind: str, text: str) -> None:
        data = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


if __name__ == "__main__":
    ThreadingHTTPServer(("", int(os.environ.get("PORT", "7860"))), Handler).serve_forever()
