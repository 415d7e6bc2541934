"""A host gives its token only to a dashboard it can trust."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from agent.resthouse_agent import AgentError, Config, Dashboard, Home, network_limit
from backups.actions.hosts import enrol_command
from backups.engines.certificates import make_authority, make_certificate
from backups.engines.pins import pin_shown_at
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


@pytest.fixture(params=["house", "rsa"])
def certificate(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """A certificate of 127.0.0.1 with its key, by the house's own authority, which is ca.pem, or
    signed by itself."""
    path, ca = tmp_path / "certificate.pem", tmp_path / "ca.pem"
    if request.param == "house":
        authority = make_authority("House CA")
        pair = make_certificate(authority, ["127.0.0.1"])
        path.write_text(pair.key + pair.chain)
        ca.write_text(authority.chain)
        return path
    options = ["-nodes", "-days", "2", "-subj", "/CN=x", "-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", *options, "-keyout", path, "-out", ca],
        check=True,
        capture_output=True,
    )
    path.write_text(path.read_text() + ca.read_text())
    return path


def test_the_certificate_given_at_enrolment_is_the_one_trusted(
    agent, home: Home, dashboard: FakeDashboard, certificate: Path
) -> None:
    words = ["--url", dashboard.speak_tls(certificate), "--token", TOKEN]
    ca = certificate.with_name("ca.pem")

    unknown = agent("enrol", *words)
    known = agent("enrol", *words, "--cacert", str(ca))

    assert (unknown.returncode, known.returncode) == (1, 0), known.stderr
    assert "CERTIFICATE_VERIFY_FAILED" in unknown.stderr
    # The certificate is kept, not its path: the agent's unit cannot see every folder.
    ca.unlink()
    assert agent("status").stdout.splitlines()[2] == "Key           valid, for alpha"


def test_a_key_that_was_pinned_is_the_one_trusted_as_curl_does(
    agent, home: Home, dashboard: FakeDashboard, certificate: Path
) -> None:
    url = dashboard.speak_tls(certificate)
    words = ["enrol", "--url", url, "--token", TOKEN, "--pin"]
    script = f"openssl x509 -in {certificate} -pubkey -noout | openssl pkey -pubin -outform der"
    script += " | openssl dgst -sha256 -binary | base64"
    digest = subprocess.run(["sh", "-c", script], check=True, capture_output=True, text=True)
    pin, other = f"sha256//{digest.stdout.strip()}", f"sha256//{'A' * 43}="

    refused = agent(*words, other)
    seen = len(dashboard.asked)
    taken = agent(*words, pin)

    assert (refused.returncode, taken.returncode) == (1, 0), taken.stderr
    assert f"it shows another key, {pin}" in refused.stderr
    assert seen == 0
    assert agent("flush").returncode == 0
    curl = ["curl", "-ks", "-o", "/dev/null", "--pinnedpubkey"]
    codes = [subprocess.run([*curl, each, f"{url}/api/key"]).returncode for each in (pin, other)]
    assert codes == [0, 90]
    # The page of a host gives this pin, as no machine knows the authority.
    assert pin_shown_at(url, timeout=5) == pin
    assert enrol_command(url, TOKEN, pin=pin).endswith(f"--token {TOKEN} --pin {pin}")


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
