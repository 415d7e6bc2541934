"""A small dashboard that holds the agent to the protocol, for tests without the real one."""

import json
import re
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

TOKEN, KEY = "one-time-token", "key-of-this-host"
HOST = {"hostname", "os", "kernel", "systemd", "restic", "python", "agent"}
RUN = {"key", "job", "unit", "arguments", "repository", "started", "finished", "exit_code"}
RUN |= {"signal", "result", "output", "restic"}
UNIT = {
    *("name", "text", "needs_reload", "mode", "security", "systemd", "timer"),
    *("changed", "unknown_users"),
}
TIMER = {"name", "schedule", "next", "last", "persistent", "state"}


def check_report(report: dict) -> None:
    """Every field there, none besides, each of its kind and within its bounds."""
    assert set(report) == {"sent", "host", "runs", "units"}
    assert set(report["host"]) == HOST
    for run in report["runs"]:
        # A spool may still hold runs of an agent that did not tell what it trusts.
        assert set(run) in (RUN, RUN | {"trust"})
        assert re.fullmatch(r"[0-9a-f]{32}", run["key"])
        for moment in filter(None, [report["sent"], run["started"], run["finished"]]):
            assert datetime.fromisoformat(moment).utcoffset() == timedelta(0)
        assert run["exit_code"] is None or 0 <= run["exit_code"] <= 255
        assert len(run["output"].encode()) <= 65536
        assert len((run.get("trust") or "").encode()) <= 65536
        assert len(run["arguments"]) <= 500
        assert all(len(line) <= 1000 for line in [*run["arguments"], run["repository"]])
    for unit in report["units"]:
        assert set(unit) == UNIT
        assert unit["mode"] in {"online", "text", ""}
        assert len(unit["text"]) <= 65536
        assert len(unit["security"]) <= 262144
        assert unit["timer"] is None or set(unit["timer"]) == TIMER


class FakeDashboard(ThreadingHTTPServer):
    """Takes reports until told to `refuse` with a status, and remembers what it was told."""

    daemon_threads = True

    def __init__(self, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.asked: list[str] = []
        self.reports: list[dict] = []
        self.violations: list[str] = []
        self.refuse = lambda report: 0
        self.answer: dict | None = None

    def speak_tls(self, certificate: Path) -> str:
        """From now on, with this certificate; its address."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        self.socket = context.wrap_socket(self.socket, server_side=True)
        self.url = self.url.replace("http:", "https:")
        return self.url

    def wait(self, condition: Callable[[], object]) -> None:
        """Give the host time to report; a test then says what it should have told."""
        deadline = time.monotonic() + 30
        while not condition() and time.monotonic() < deadline:
            time.sleep(0.1)

    def ended(self, job: str) -> list[dict]:
        """The runs of a job that ended, after the first of them was told."""
        self.wait(lambda: [run for run in self.runs(job) if run["finished"]])
        return [run for run in self.runs(job) if run["finished"]]

    def runs(self, job: str = "") -> list[dict]:
        return [r for report in self.reports for r in report["runs"] if job in ("", r["job"])]

    def units(self) -> dict[str, dict]:
        return {unit["name"]: unit for report in self.reports for unit in report["units"]}


class Handler(BaseHTTPRequestHandler):
    server: FakeDashboard

    def log_message(self, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        self.answer(200 if self.has_key() else 401, {"host": "alpha", "time": "now"})

    def do_POST(self) -> None:
        self.server.asked.append(self.path)
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path == "/api/enrol":
            is_right = body == {"token": TOKEN, "host": body["host"]} and set(body["host"]) == HOST
            return self.answer(201 if is_right else 403, {"key": KEY, "host": "alpha"})
        try:
            assert self.path == "/api/reports"
            check_report(body)
        except AssertionError as error:
            self.server.violations.append(f"{error}: {body}")
            return self.answer(422, {"detail": "That is no report."})
        status = self.server.refuse(body) or (202 if self.has_key() else 401)
        if status == 202:
            self.server.reports.append(body)
        return self.answer(status, {"accepted": len(body["runs"]), "time": "now"})

    def has_key(self) -> bool:
        return self.headers["Authorization"] == f"Bearer {KEY}"

    def answer(self, status: int, body: dict) -> None:
        body = body if status < 300 else {"detail": f"No, says the dashboard ({status})."}
        content = json.dumps(self.server.answer or body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        if 300 <= status < 400:
            self.send_header("Location", "http://127.0.0.1:9/elsewhere")
        self.end_headers()
        self.wfile.write(content)


@contextmanager
def serve(port: int = 0) -> Iterator[FakeDashboard]:
    with FakeDashboard(port) as dashboard:
        thread = threading.Thread(target=dashboard.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield dashboard
        finally:
            dashboard.shutdown()
            thread.join()
    assert dashboard.violations == []
