"""An operator at a browser, as far as requests go."""

import re
import time
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPResponse
from urllib.parse import urlencode

_KEPT_ALIVE = {"Accept-Encoding": "gzip", "Connection": "keep-alive"}


@dataclass(frozen=True, slots=True)
class Answer:
    """What came over the wire."""

    status: int
    bytes: int
    queries: int
    milliseconds: float


@dataclass(slots=True)
class Visitor:
    """Keeps one connection and its cookies."""

    port: int
    cookies: dict[str, str] = field(default_factory=dict)
    connection: HTTPConnection = field(init=False)

    def __post_init__(self) -> None:
        self.connection = HTTPConnection("127.0.0.1", self.port, timeout=120)

    def get(self, path: str, **headers: str) -> Answer:
        begun = time.perf_counter()
        response, body = self._ask("GET", path, headers=headers)
        queries = int(response.headers.get("X-Queries") or 0)
        return Answer(response.status, len(body), queries, (time.perf_counter() - begun) * 1000)

    def post(self, path: str, body: bytes, **headers: str) -> int:
        return self._ask("POST", path, body, headers)[0].status

    def sign_in(self, name: str, password: str) -> None:
        page = self._ask("GET", "/account/login/", headers={"Accept-Encoding": "identity"})[1]
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.decode())
        form = {"login": name, "password": password, "csrfmiddlewaretoken": token and token[1]}
        content = {"Content-Type": "application/x-www-form-urlencoded"}
        status = self.post("/account/login/", urlencode(form).encode(), **content)
        if status != 302:
            raise RuntimeError(f"Signing in as {name} was answered by {status}.")

    def _ask(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> tuple[HTTPResponse, bytes]:
        cookie = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        own = {"Cookie": cookie} if cookie else {}
        self.connection.request(method, path, body, _KEPT_ALIVE | own | (headers or {}))
        response = self.connection.getresponse()
        for text in response.headers.get_all("Set-Cookie") or []:
            name, _, value = text.partition(";")[0].partition("=")
            self.cookies[name] = value
        return response, response.read()
