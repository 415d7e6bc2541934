"""A host gives its token only to a dashboard it can trust."""

import json
import ssl
import subprocess
import sys
from pathlib import Path

import pytest

from agent.resthouse_agent import AgentError, Config, Dashboard, Home, network_limit
from tests.agent.conftest import PROGRAM
from tests.agent.dashboard import HOST, KEY, TOKEN, FakeDashboard, serve


def test_the_token_becomes_a_key(agent, home: Home, dashboard: FakeDashboard) -> None:
    home.config_file.unlink()

    done = agent("enrol", "--url", dashboard.url + "/", "--token", TOKEN)

    assert done.returncode == 0, done.stderr
    assert home.config_file.stat().st_mode & 0o777 == 0o600
    assert home.config() == Config(dashboard.url, KEY, "alpha")
    assert KEY not in done.stdout + done.stderr + repr(home.config())


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["enrol", "--url", "http://127.0.0.1:9"], "--token"),
        (["enrol", "http://127.0.0.1:9", TOKEN], "--url, --token"),
        (["run", "nightly"], "say what to run after --"),
        (["run", "nightly", "--"], "say what to run after --"),
        (["run", "--", "true"], "NAME"),
        (["report", "--unit", "x"], "--unit"),
        (["flush", "x"], "unrecognized arguments: x"),
        ([], "VERB"),
    ],
)
def test_a_command_line_that_says_too_little_or_too_much_is_refused(
    home: Home, words: list[str], said: str
) -> None:
    command = [sys.executable, str(PROGRAM), *words]

    done = subprocess.run(command, capture_output=True, text=True)

    assert done.returncode == 2
    assert said in done.stderr


def test_a_wrong_token_is_refused_in_a_sentence(agent, home: Home, dashboard) -> None:
    home.config_file.unlink()

    done = agent("enrol", "--url", dashboard.url, "--token", "worn-out")

    assert done.returncode == 1
    assert done.stderr == "resthouse-agent: No, says the dashboard (403).\n"
    assert not home.config_file.exists()


@pytest.mark.parametrize(
    "url",
    [
        "http://backup.lan",
        "http://192.0.2.1:8080",
        "http://127.0.0.1.backup.lan",
        "http://localhost.backup.lan",
        "http://127.0.0.1@backup.lan",
        "ftp://127.0.0.1",
        "backup.lan",
    ],
)
def test_an_address_where_others_could_listen_is_refused(agent, url: str) -> None:
    done = agent("enrol", "--url", url, "--token", TOKEN)

    assert done.returncode == 1
    assert "https://" in done.stderr


def test_a_redirect_takes_the_key_nowhere(home: Home, dashboard: FakeDashboard) -> None:
    with serve() as elsewhere:
        dashboard.refuse = lambda report: 307
        with pytest.raises(AgentError, match="has moved to"):
            Dashboard(home.config()).report(dict.fromkeys(HOST, ""), [])

    assert elsewhere.reports == []


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A self-signed certificate of 127.0.0.1, with its key."""
    path = tmp_path / "certificate.pem"
    options = ["-nodes", "-days", "2", "-subj", "/CN=x", "-addext", "subjectAltName=IP:127.0.0.1"]
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    subprocess.run(
        [*command, *options, "-keyout", str(path), "-out", str(tmp_path / "ca.pem")],
        check=True,
        capture_output=True,
    )
    path.write_text(path.read_text() + (tmp_path / "ca.pem").read_text())
    return path


def test_the_certificate_given_at_enrolment_is_the_one_trusted(
    agent, home: Home, dashboard: FakeDashboard, certificate: Path
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    dashboard.socket = context.wrap_socket(dashboard.socket, server_side=True)
    url = dashboard.url.replace("http:", "https:")

    unknown = agent("enrol", "--url", url, "--token", TOKEN)
    known = agent(
        "enrol", "--url", url, "--token", TOKEN, "--cacert", str(certificate.with_name("ca.pem"))
    )

    assert (unknown.returncode, known.returncode) == (1, 0), known.stderr
    assert "CERTIFICATE_VERIFY_FAILED" in unknown.stderr
    # The certificate is kept, not its path: the agent's unit cannot see every folder.
    certificate.with_name("ca.pem").unlink()
    assert agent("status").stdout.splitlines()[2] == "Key           valid, for alpha"


def test_status_says_what_there_is_to_know(agent, home: Home, dashboard: FakeDashboard) -> None:
    lines = agent("status").stdout.splitlines()

    assert lines[0] == f"Dashboard     {dashboard.url}"
    assert lines[1:4] == [
        "Host          alpha",
        "Key           valid, for alpha",
        "Last contact  never",
    ]
    assert lines[4] == f"Waiting       0 in {home.spool}"


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("http://127.0.0.1:8080", "127.0.0.1"),
        ("http://localhost:8080", "localhost"),
        ("https://[2001:db8::7]", "2001:db8::7"),
        ("https://backup.example.org", None),
    ],
)
def test_the_unit_may_reach_its_dashboard_and_where_possible_nothing_else(
    url: str, allowed: str | None
) -> None:
    expected = f"IPAddressDeny=any\nIPAddressAllow={allowed}\n" if allowed else ""

    assert network_limit(url) == expected


def test_a_damaged_configuration_is_said_in_a_sentence(agent, home: Home) -> None:
    home.config_file.write_text(json.dumps({"address": "x"}))

    done = agent("report")

    assert done.returncode == 1
    assert "Enrol again." in done.stderr
