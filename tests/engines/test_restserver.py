import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backups.engines import restserver
from backups.engines.errors import EngineError
from backups.engines.restserver import Options
from tests.engines.conftest import Served

Serve = Callable[[Options], Served]
PASSWORD = 'a/b#c?d%20 e:f@"\\$`ü'


@given(
    st.builds(
        Options,
        is_append_only=st.booleans(),
        has_private_repositories=st.booleans(),
        has_prometheus=st.booleans(),
        has_tls=st.just(True),
        tls_min_version=st.sampled_from(["", "1.2", "1.3"]),
        max_size=st.none() | st.integers(1, 10**15),
        has_access_log=st.booleans(),
        proxy_header=st.from_regex(r"([A-Za-z0-9!#$%&'+.^_`|~-]{1,100})?", fullmatch=True),
    )
)
def test_options_read_back_as_they_were_given(options: Options) -> None:
    assert Options.parse(options.render()) == (options, ())


def test_options_of_other_hands_are_understood_and_the_rest_is_named() -> None:
    options, unknown = Options.parse(
        "--tls=true  --append-only=false --max-size=5 --no-auth --log /var/log/x --max-size x"
    )

    assert options == Options(
        is_append_only=False, has_private_repositories=False, has_tls=True, max_size=5
    )
    assert unknown == ("--no-auth", "--log=/var/log/x", "--max-size=x")
    assert Options.parse("--tls=1 --listen :9 --append-only=F --proxy-auth-username=X --path") == (
        Options(
            is_append_only=False, has_private_repositories=False, has_tls=True, proxy_header="X"
        ),
        ("--listen=:9", "--path"),
    )
    assert Options.parse("--proxy-auth-username a(b)")[1] == ("--proxy-auth-username=a(b)",)


@pytest.mark.parametrize(
    "options",
    [
        Options(tls_min_version="1.3 --no-auth"),
        Options(max_size=0),
        Options(max_size=-1),
        Options(proxy_header="X-User --no-auth"),
        Options(proxy_header="*"),
        Options(proxy_header="Zoë"),
        Options(proxy_header="X\n"),
    ],
)
def test_options_that_the_server_would_not_take_are_refused(options: Options) -> None:
    with pytest.raises(EngineError):
        options.render()


@pytest.mark.parametrize(
    "options",
    [
        Options(),
        Options(is_append_only=False, has_private_repositories=False, has_prometheus=True),
        Options(has_tls=True, max_size=10**9, has_access_log=True),
    ],
)
def test_rest_server_starts_with_what_is_rendered_and_lets_only_its_users_in(
    serve: Serve, options: Options, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Nothing of this goes through a proxy.
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:1")
    served = serve(options)

    served.add_user("Zoë", PASSWORD)
    served.reload()

    assert restserver.probe(served.url, ca=served.ca).state == "live"
    assert restserver.is_let_in(served.url, "Zoë", PASSWORD, ca=served.ca)
    assert not restserver.is_let_in(served.url, "Zoë", PASSWORD[:-1], ca=served.ca)
    assert not restserver.is_let_in(served.url, "bob", PASSWORD, ca=served.ca)


def test_a_certificate_nobody_vouches_for_and_the_wrong_scheme_are_told_apart(serve: Serve) -> None:
    secure, plain = serve(Options(has_tls=True)), serve(Options())

    untrusted = restserver.probe(secure.url)
    wrongly_plain = restserver.probe(secure.url.replace("https", "http"))
    wrongly_secure = restserver.probe(plain.url.replace("http", "https"))

    assert (untrusted.state, "not to be trusted" in untrusted.sentence) == ("tls", True)
    assert (wrongly_plain.state, "ask it with https" in wrongly_plain.sentence) == ("other", True)
    assert (wrongly_secure.state, "not speak TLS" in wrongly_secure.sentence) == ("tls", True)
    with pytest.raises(EngineError, match="not to be trusted") as refusal:
        restserver.is_let_in(secure.url, "alice", PASSWORD)
    assert PASSWORD not in str(refusal.value)


class _Stranger(BaseHTTPRequestHandler):
    """Other servers, one per path."""

    def do_GET(self) -> None:
        body = b"Unauthorized\n"
        self.send_response(302 if self.server.redirects else 401)
        self.send_header("Location", "http://127.0.0.1:1/")
        self.send_header("Content-Type", "text/plain")
        self.send_header("WWW-Authenticate", "Basic")
        self.end_headers()
        self.wfile.write(body)

    def do_HEAD(self) -> None:
        self.do_GET()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def stranger() -> Iterator[ThreadingHTTPServer]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Stranger) as server:
        server.redirects = False
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("redirects", [False, True])
def test_another_web_server_is_not_taken_for_rest_server(
    stranger: ThreadingHTTPServer, redirects: bool
) -> None:
    stranger.redirects = redirects
    url = f"http://127.0.0.1:{stranger.server_port}/"

    answer = restserver.probe(url)

    assert answer.state == "other"
    assert f"status {302 if redirects else 401}" in answer.sentence
    if redirects:
        with pytest.raises(EngineError, match="302"):
            restserver.is_let_in(url, "alice", PASSWORD)


def test_nobody_silence_and_noise_are_told_apart(free_port: Callable[[], int]) -> None:
    assert restserver.probe(f"http://127.0.0.1:{free_port()}/").state == "closed"
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        assert restserver.probe(url, timeout=0.1).state == "timeout"
        with pytest.raises(EngineError, match="Nothing answered"):
            restserver.is_let_in(url, "alice", PASSWORD, timeout=0.1)

        def make_noise() -> None:
            caller, _ = silent.accept()
            with caller:
                caller.recv(1000)
                caller.sendall(b"220 mail.example ESMTP\r\n")

        # The callers that gave up above still stand in the queue.
        for _ in range(3):
            silent.accept()[0].close()
        noise = threading.Thread(target=make_noise)
        noise.start()
        assert restserver.probe(url).state == "other"
        noise.join()


def test_repository_urls_are_encoded_and_can_leave_the_sign_in_out() -> None:
    url = "https://backup.example:8000/"

    assert restserver.repository_url(url, "Zoë", "a/b:c@d", "Zoë/lap top") == (
        "rest:https://Zo%C3%AB:a%2Fb%3Ac%40d@backup.example:8000/Zo%C3%AB/lap%20top/"
    )
    assert restserver.repository_url(url, "", "", "alice") == (
        "rest:https://backup.example:8000/alice/"
    )


def test_restic_takes_the_url_with_any_password(
    serve: Serve, restic_binary: Path, tmp_path: Path
) -> None:
    served = serve(Options())
    served.add_user("alice", PASSWORD)
    served.reload()
    url = restserver.repository_url(served.url, "alice", PASSWORD, "alice/laptop")

    subprocess.run(
        [restic_binary, "-r", url, "init", "--no-cache"],
        env={"RESTIC_PASSWORD": "x", "HOME": str(tmp_path)},
        check=True,
        capture_output=True,
    )

    assert (served.directory / "alice" / "laptop" / "config").exists()
