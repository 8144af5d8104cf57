"""A GitHub by hand, on loopback: comments, issues, pull requests and a job's identity, as the REST API has
them. It lives under /api/v3, like GitHub Enterprise Server."""

from __future__ import annotations

import base64
import json
import re
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

TOKEN = "ghs_fake_0123456789abcdef"
ID_TOKEN_REQUEST = "runner-request-token"
BOT = "github-actions[bot]"
ISSUER = "https://token.actions.githubusercontent.com"


@dataclass
class Answer:
    status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)


class FakeGitHub:
    """`pulls`, `issues` and `comments` are what it holds; `requests` what it was asked."""

    def __init__(self, repository: str = "octo/fleet", claims: dict[str, Any] | None = None) -> None:
        self.repository = repository
        self.pulls: dict[int, dict[str, Any]] = {}
        self.issues: dict[int, dict[str, Any]] = {}
        self.comments: dict[int, dict[str, Any]] = {}
        self.requests: list[tuple[str, str]] = []
        self.audiences: list[str] = []
        self.claims = {"iss": ISSUER, "repository": repository, **(claims or {})}
        self.lose_next_post = False
        self._next = 1
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.root = f"http://127.0.0.1:{self._server.server_port}"
        self.api_url = f"{self.root}/api/v3"

    def __enter__(self) -> FakeGitHub:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def identity_env(self) -> dict[str, str]:
        """What a runner sets in a job with id-token: write."""
        return {
            "ACTIONS_ID_TOKEN_REQUEST_URL": f"{self.root}/id-token?api-version=2.0",
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN": ID_TOKEN_REQUEST,
        }

    def open_pull(self, number: int, sha: str, *, head: str | None = None, branch: str = "change") -> None:
        self.pulls[number] = {
            "number": number,
            "state": "open",
            "head": {"sha": sha, "ref": branch, "repo": {"full_name": head or self.repository}},
        }

    def say(self, number: int, body: str, *, login: str = BOT) -> int:
        """Somebody comments."""
        comment = {"id": self._id(), "issue": number, "body": body, "user": {"login": login}}
        self.comments[comment["id"]] = comment  # type: ignore[index]
        return comment["id"]  # type: ignore[return-value]

    def said(self, number: int, *, login: str = BOT) -> list[str]:
        return [
            comment["body"]
            for comment in self.comments.values()
            if comment["issue"] == number and comment["user"]["login"] == login
        ]

    def writes(self) -> list[tuple[str, str]]:
        return [(method, path) for method, path in self.requests if method != "GET"]

    # ------------------------------------------------------------ the API

    def answer(self, method: str, target: str, token: str, body: Any) -> Answer:
        url = urlsplit(target)
        query = {key: values[0] for key, values in parse_qs(url.query).items()}
        self.requests.append((method, url.path))
        if url.path == "/id-token":
            return self._identity(token, query)
        if token != TOKEN:
            return Answer(401, {"message": "Bad credentials"})
        place = url.path.removeprefix(f"/api/v3/repos/{self.repository}")
        if place == url.path:
            return Answer(404, {"message": "Not Found"})
        for pattern, handler in _ROUTES[method]:
            if match := re.fullmatch(pattern, place):
                numbers = [int(text) for text in match.groups()]
                answer: Answer = handler(self, numbers, query, body)
                if method == "GET" and isinstance(answer.body, list):
                    return self._page(answer.body, url.path, query)
                return answer
        return Answer(404, {"message": "Not Found"})

    def _identity(self, token: str, query: dict[str, str]) -> Answer:
        if token != ID_TOKEN_REQUEST:
            return Answer(401, {"message": "no"})
        self.audiences.append(query.get("audience", ""))
        claims = {**self.claims, "aud": query.get("audience"), "exp": time.time() + 300}
        text = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
        return Answer(200, {"value": f"e30.{text}.c2ln"})

    def _page(self, items: list[Any], path: str, query: dict[str, str]) -> Answer:
        size, page = min(int(query.get("per_page", "30")), 100), int(query.get("page", "1"))
        headers = {}
        if page * size < len(items):
            following = urlencode({**query, "page": page + 1})
            headers["Link"] = f'<{self.root}{path}?{following}>; rel="next"'
        return Answer(200, items[(page - 1) * size : page * size], headers)

    def _pull(self, numbers: list[int], query: dict[str, str], body: Any) -> Answer:
        pull = self.pulls.get(numbers[0])
        return Answer(200, pull) if pull else Answer(404, {"message": "Not Found"})

    def _pulls(self, numbers: list[int], query: dict[str, str], body: Any) -> Answer:
        owner, _, branch = query.get("head", "").partition(":")
        return Answer(
            200,
            [
                pull
                for pull in self.pulls.values()
                if pull["state"] == query.get("state", "open")
                and pull["head"]["ref"] == branch
                and pull["head"]["repo"]["full_name"].partition("/")[0] == owner
            ],
        )

    def _comments(self, numbers: list[int], query: dict[str, str], body: Any) -> Answer:
        return Answer(200, [self._shown(c) for c in self.comments.values() if c["issue"] == numbers[0]])

    def _comment(self, numbers: list[int], query: dict[str, str], body: Any) -> Answer:
        if len(body["body"]) > 65536:
            return Answer(422, {"message": "Validation Failed"})
        made = self.say(numbers[0], body["body"])
        return self._lost(Answer(201, self._shown(self.comments[made])))

    def _edit_comment(self, numbers: list[int], query: dict[str, str], body: Any) -> Answer:
        if numbers[0] not in self.comments:
            return Answer(404, {"message": "Not Found"})
        self.comments[numbers[0]]["body"] = body["body"]
        return Answer(200, self._shown(self.comments[numbers[0]]))

    def _remove_comment(self, numbers: list[int], query: dict[str, str], body: Any) -> Answer:
        return Answer(204 if self.comments.pop(numbers[0], None) else 404, {"message": "Not Found"})

    def _issues(self, numbers: list[int], query: dict[str, str], body: Any) -> Answer:
        return Answer(
            200,
            [
                issue
                for issue in self.issues.values()
                if issue["state"] == query.get("state", "open")
                and query.get("labels", "") in {"", *(label["name"] for label in issue["labels"])}
            ],
        )

    def _issue(self, numbers: list[int], query: dict[str, str], body: Any) -> Answer:
        number = self._id()
        self.issues[number] = {
            "number": number,
            "state": "open",
            "title": body["title"],
            "body": body["body"],
            "labels": [{"name": label} for label in body.get("labels", [])],
            "user": {"login": BOT},
            "html_url": f"{self.root}/{self.repository}/issues/{number}",
        }
        return self._lost(Answer(201, self.issues[number]))

    def _edit_issue(self, numbers: list[int], query: dict[str, str], body: Any) -> Answer:
        self.issues[numbers[0]].update(body)
        return Answer(200, self.issues[numbers[0]])

    def _lost(self, answer: Answer) -> Answer:
        """The write happened, and the client hears of a bad gateway."""
        lost, self.lose_next_post = self.lose_next_post, False
        return Answer(502, {"message": "Bad Gateway"}) if lost else answer

    def _shown(self, comment: dict[str, Any]) -> dict[str, Any]:
        place = f"{self.root}/{self.repository}/pull/{comment['issue']}#issuecomment-{comment['id']}"
        return {**comment, "html_url": place}

    def _id(self) -> int:
        self._next += 1
        return self._next


_ROUTES: dict[str, list[tuple[str, Any]]] = {
    "GET": [
        (r"/pulls/(\d+)", FakeGitHub._pull),
        (r"/pulls", FakeGitHub._pulls),
        (r"/issues/(\d+)/comments", FakeGitHub._comments),
        (r"/issues", FakeGitHub._issues),
    ],
    "POST": [(r"/issues/(\d+)/comments", FakeGitHub._comment), (r"/issues", FakeGitHub._issue)],
    "PATCH": [
        (r"/issues/comments/(\d+)", FakeGitHub._edit_comment),
        (r"/issues/(\d+)", FakeGitHub._edit_issue),
    ],
    "DELETE": [(r"/issues/comments/(\d+)", FakeGitHub._remove_comment)],
}  # fmt: skip


def _handler(github: FakeGitHub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _serve(self) -> None:
            size = int(self.headers.get("content-length") or 0)
            body = json.loads(self.rfile.read(size)) if size else None
            token = (self.headers.get("authorization") or "").removeprefix("Bearer ")
            answer = github.answer(self.command, self.path, token, body)
            raw = b"" if answer.status == 204 else json.dumps(answer.body).encode()
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        do_GET = do_POST = do_PATCH = do_DELETE = _serve

        def log_message(self, *args: object) -> None:
            pass

    return Handler
