"""What real servers wrote, told apart and explained; and what nobody wrote yet, borne."""

import re
import shlex
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backups.engines.restserver_log import Line, read_log
from backups.engines.restserver_paths import Place

SAMPLES = Path(__file__).parent.parent / "samples" / "restserver"
VERSIONS = ("0.13", "0.14")
MARK = "Resthouse/0123456789"

# Where it happened, what was written, how grave it is, and what is said of it.
KNOWN = [
    ("life", "Invalid htpasswd entry for alice.", "warning", "A sign-in as alice was refused"),
    ("life", "Reloaded htpasswd file", "note", "its changes are in force"),
    ("life", "Could not reload htpasswd file", "error", "one of its lines is no user"),
    ("life", "shutdown cleanly", "note", "told to stop"),
    ("life", '"GET /bob/config HTTP/1.1" 401', "warning", "not the user's own"),
    ("life", '"HEAD /alice/config HTTP/1.1" 404', "note", "before it makes a repository"),
    ("life", '"DELETE /alice/data/', "note", "nor deleted when append-only"),
    ("life", '"GET /alice/a/b/c HTTP/1.1" 404', "warning", "at most two folders deep"),
    ("life", '"GET /alice/data/ HTTP/1.1" 200', "note", ""),
    ("users", "Invalid htpasswd entry for dan.", "warning", "neither bcrypt nor SHA"),
    ("users", 'Ignoring invalid username "c d"', "warning", '"c d" is never let in'),
    ("users-cut-name", "error: cannot load", "error", "is no user"),
    ("users-quote", "error: cannot load", "error", "without quotes"),
    ("users-unreadable", "error: cannot load", "error", "`chown USER /data/.htpasswd`"),
    ("users-one-word", "panic: runtime error", "error", "without a colon"),
    ("users-empty", "Nobody can sign in yet", "warning", "Add a user"),
    ("users-missing", "/usr/local/bin/entrypoint", "error", "no folder for /nowhere/.htpasswd"),
    ("panic-request", "http: panic serving", "error", "One request was dropped"),
    ("panic-reload", "panic: runtime error", "error", "without a colon"),
    ("data-not-writable", "/usr/local/bin/entrypoint", "error", "`chown USER /data`"),
    ("rights", "ERROR: open /data/alice/config", "error", "`chown -R USER /data/alice`"),
    ("rights", "ERROR: stat /data/alice/data/2d/2d71", "error", "`chown -R USER /data/alice`"),
    ("rights", "ERROR: mkdir /data/carl", "error", "`chown USER /data`"),
    ("rights", '"GET /alice/config HTTP/1.1" 500', "error", "begins with ERROR says why"),
    ("read-only", "ERROR: mkdir", "error", "cannot be written"),
    ("quota", "ERROR: repository has reached maximum size", "error", "Raise `--max-size`"),
    ("quota", " 507 ", "error", "the size limit is reached, or the disk is full"),
    ("quota", "Initializing quota", "note", "counts every file"),
    ("quota-debug", "incoming blob", "error", "The size limit is reached"),
    ("quota-unreadable", "error: open /data/lost+found", "error", "/data/lost+found may not be"),
    ("disk-full", " 507 ", "error", "the disk is full"),
    ("no-auth", "Authentication disabled", "warning", "Nobody is asked for a password"),
    ("unknown-flag", "unknown flag", "error", "has no --nonsense"),
    ("unknown-argument", "unknown argument", "error", "the word extra"),
    ("quoted", "unknown argument", "error", "Quotes do not work there"),
    ("bad-value", "invalid argument", "error", "--max-size has no value that fits"),
    ("missing-value", "flag needs an argument", "error", "--max-size has no value that fits"),
    ("log-missing", "error: open /nowhere/log", "error", "Let `--log` be `-`"),
    ("port-used", "address already in use", "error", "Another program has this port"),
    ("listen-socket", "address already in use", "error", "a killed server left behind"),
    ("listen-privileged", "bind: permission denied", "error", "Ports below 1024"),
    ("listen-not-here", "cannot assign", "error", "does not have this address"),
    ("listen-bad", "missing port", "error", "ADDRESS:PORT"),
    ("tls-off", "requires enabled TLS", "error", "Turn TLS on"),
    ("tls-missing", "no such file", "error", "/data/public_key is not there"),
    ("tls-unreadable", "permission denied", "error", "may not read /data/private_key"),
    ("tls-mismatch", "does not match", "error", "do not belong together"),
    ("tls-no-key", "found a certificate", "error", "in each other's file"),
    ("tls-swapped", "switched", "error", "in each other's file"),
    ("tls-no-pem", "failed to find any PEM", "error", "cannot be read as PEM"),
    ("tls-encrypted", "failed to parse", "error", "the key is encrypted"),
    ("tls-hostile", "client sent an HTTP request", "warning", "begin with `rest:https`"),
    ("tls-hostile", "bad record MAC", "warning", "did not trust the certificate"),
    ("tls-hostile", "remote error: tls: bad certificate", "warning", "did not trust the"),
    ("tls-hostile", "first record does not look", "note", "a scanner"),
    ("tls-hostile", ": EOF", "note", "whether the port is open"),
]
ONLY_NEWER = [
    ("proxy-auth", "Proxy Authentication enabled", "warning", "let only the proxy reach it"),
    ("tls-min", "Unsupported TLS min version", "error", "1.2 or 1.3"),
    ("tls-hostile", "only unsupported versions", "warning", "knows only older TLS"),
]


def cases(version: str) -> dict[str, list[str]]:
    """The lines that were recorded, by what was done to the server."""
    found: dict[str, list[str]] = {}
    for line in (SAMPLES / f"{version}.log").read_text().splitlines():
        if line.startswith("== "):
            lines = found.setdefault(line.removeprefix("== ").partition(",")[0], [])
        else:
            lines.append(line)
    return found


def every_line(version: str) -> list[str]:
    return [line for lines in cases(version).values() for line in lines]


def own(lines: list[Line]) -> list[str]:
    return [line.text for line in lines if line.is_own_probe]


def request(client: str, asked: str, status: int, agent: str = "", at: str = "12:00:00.5") -> str:
    line = f'2026-11-28T{at}Z {client} - - [28/Nov/2026:12:00:00 +0000] "{asked}" {status} 13'
    return f'{line} "" "{agent}"'


@pytest.mark.parametrize(("case", "fragment", "level", "said"), KNOWN)
@pytest.mark.parametrize("version", VERSIONS)
def test_what_is_known_is_explained(version, case, fragment, level, said):
    found = [line for line in read_log(cases(version)[case]) if fragment in line.text]

    assert found
    for line in found:
        assert (line.level, said in line.meaning, bool(line.meaning)) == (level, True, bool(said))


@pytest.mark.parametrize(("case", "fragment", "level", "said"), ONLY_NEWER)
def test_what_only_the_newer_release_writes_is_explained(case, fragment, level, said):
    [line] = [line for line in read_log(cases("0.14")[case]) if fragment in line.text]

    assert (line.level, said in line.meaning) == (level, True)


@pytest.mark.parametrize(
    ("place", "command"),
    [
        (Place("/data", "/srv/restic/main", "1000:1000"), "chown -R 1000:1000 /srv/restic/main/a"),
        (Place("/", "/srv/root", "7:7"), "chown -R 7:7 /srv/root/data/a"),
        (Place("/elsewhere", "/srv/restic", "1000:1000"), "chown -R USER /data/a"),
        (Place("/data", "a-volume", "1000:1000"), "chown -R USER /data/a"),
    ],
)
def test_what_is_to_be_typed_is_told_as_it_is_typed_outside(place, command):
    [line] = read_log(["ERROR: open /data/a/config: permission denied"], place=place)

    assert f"`{command}`" in line.meaning


@pytest.mark.parametrize("name", ["$(reboot)", "a;b", "../../etc", "a`b", "a b", "-R", "'", "data"])
def test_no_name_of_a_folder_becomes_a_command(name):
    place = Place("/data", "/srv/restic", "1000:1000")

    [line] = read_log([f"ERROR: open /data/{name}/keys/x: permission denied"], place=place)

    for typed in re.findall(r"`(chown -R 1000[^`]*)`", line.meaning):
        words = shlex.split(typed)
        assert words[:3] == ["chown", "-R", "1000:1000"]
        assert words[3:] == [f"/srv/restic/{name.replace('`', '?')}".removesuffix("/data")]


@pytest.mark.parametrize("flag", ["--tls-min-ver", "--proxy-auth-username"])
def test_an_option_that_the_older_release_lacks_is_named(flag):
    lines = read_log(every_line("0.13"))

    [meaning] = {line.meaning for line in lines if line.text.endswith(f"unknown flag: {flag}")}

    assert f"has no {flag}" in meaning


@pytest.mark.parametrize("version", VERSIONS)
def test_no_error_that_was_recorded_stands_unexplained(version):
    lines = read_log(every_line(version))
    bad = re.compile(r"\berror\b|\bERROR\b|panic|denied|failed")

    assert {line.text for line in lines if bad.search(line.text) and not line.meaning} == set()
    assert {line.text for line in lines if line.level != "note" and not line.meaning} == set()


def test_a_line_keeps_its_time_and_a_half_one_has_none():
    lines = read_log(["2026-11-28T05:36:41.373221632Z shutdown cleanly", "2026-11-28T05:3", "x"])

    assert [line.at for line in lines] == [
        datetime(2026, 11, 28, 5, 36, 41, 373221, tzinfo=UTC),
        None,
        None,
    ]
    podman = read_log(["2026-11-28T06:36:41+01:00 shutdown cleanly"])
    assert podman[0].at == datetime(2026, 11, 28, 5, 36, 41, tzinfo=UTC)
    assert [line.text for line in lines] == ["shutdown cleanly", "2026-11-28T05:3", "x"]


@pytest.mark.parametrize("version", VERSIONS)
def test_a_crash_is_one_line_with_its_stack_behind_it(version):
    lines = read_log(cases(version)["users-one-word"])

    assert lines[-1].text.startswith("panic: ")
    assert lines[-1].trace[0] == "goroutine 1 [running]:"
    assert any("htpasswd.go" in step for step in lines[-1].trace)
    assert str(lines[-1]).count("\n") == len(lines[-1].trace)


@pytest.mark.parametrize("version", VERSIONS)
def test_the_health_check_is_our_own_and_strangers_are_not(version):
    life, tls = (read_log(cases(version)[case]) for case in ("life", "tls"))

    assert [text.partition("[")[0] for text in own(life)] == ["127.0.0.1 - - "]
    [knock] = own(tls)
    assert knock.startswith("http: TLS handshake error from 127.0.0.1:")
    refused = [line for line in life if " 401 " in line.text and not line.is_own_probe]
    assert len(refused) >= 8


def test_what_bears_our_mark_is_ours_where_we_ask_and_nowhere_else():
    ours = [
        request("172.17.0.1", "GET / HTTP/1.1", 401, MARK),
        request("172.17.0.1", "GET / HTTP/1.1", 405, MARK),
        request("172.17.0.1", "HEAD /alice/config HTTP/1.1", 404, MARK),
    ]
    strangers = [
        request("172.17.0.1", "GET / HTTP/1.1", 401, "Resthouse/guessed"),
        request("172.17.0.1", "GET / HTTP/1.1", 401),
        request("172.17.0.1", "GET /alice/config HTTP/1.1", 401, MARK),
        request("172.17.0.1", "POST /alice/config HTTP/1.1", 200, MARK),
        request("127.0.0.1", "GET /alice/config HTTP/1.0", 401),
        request("127.0.0.1", "POST / HTTP/1.0", 401),
    ]

    lines = read_log(ours + strangers, mark=MARK)

    assert [line.is_own_probe for line in lines] == [True] * 3 + [False] * 6
    assert own(read_log(ours + strangers)) == []


def test_loopback_that_others_share_is_nobodys():
    lines = [
        request("127.0.0.1", "GET / HTTP/1.0", 401),
        request("127.0.0.1", "GET / HTTP/1.1", 401, "curl/8"),
        request("::1", "HEAD / HTTP/1.1", 405, "Wget"),
    ]

    assert [line.is_own_probe for line in read_log(lines)] == [True, True, True]
    shared = read_log(lines, is_shared=True)
    assert [line.is_own_probe for line in shared] == [True, False, False]


def test_of_two_refused_sign_ins_at_once_the_strangers_is_left():
    told = "Z Invalid htpasswd entry for alice."
    lines = [
        f"2026-11-28T12:00:00.499{told}",
        request("172.17.0.1", "HEAD /alice/config HTTP/1.1", 401, MARK),
        f"2026-11-28T12:00:00.7{told}",
        request("10.0.0.9", "GET /alice/config HTTP/1.1", 401, "curl/8", "12:00:00.7"),
        f"2026-11-28T11:00:00{told}",
        "2026-11-28T12:00:00.5Z Invalid htpasswd entry for bob.",
    ]

    found = read_log(lines, mark=MARK)

    assert [line.is_own_probe for line in found] == [True, True, False, False, False, False]


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("\x1b[31mred\x1b[0m\r", "red"),
        ("safe\u202egnp.exe", "safegnp.exe"),
        ("user http://u:geheim@host/", "user http://u:***@host/"),
        ("RESTIC_PASSWORD=geheim", "RESTIC_PASSWORD=***"),
        ("Authorization: Basic Z2VoZWlt", "Authorization: ***"),
        ("<script>alert(1)</script>", "<script>alert(1)</script>"),
        ("half \ufffd\ud800", "half \ufffd"),
    ],
)
def test_a_line_is_made_harmless(line, shown):
    assert [found.text for found in read_log([f"2026-11-28T12:00:00Z {line}"])] == [shown]


def test_what_a_stranger_hides_in_a_request_neither_shows_nor_covers_its_refusal():
    path = "/alice/?password=geheim&x=rest:http://u:geheim@h/"
    agent = r"\x1b[31m \"geheim http://u:geheim@h/"

    [line] = read_log([request("10.0.0.9", f"GET {path} HTTP/1.1", 401, agent)])

    assert line.request is not None
    assert (line.level, line.request.path, line.request.status) == ("warning", "/alice/?***", 401)
    assert "u:geheim" not in line.text
    assert "password=geheim" not in line.text
    [made] = read_log([request("10.0.0.9", "POST /alice/?create=true HTTP/1.1", 200)])
    assert made.request is not None
    assert made.request.path == "/alice/?create=true"


@pytest.mark.parametrize("begin", ["", "http://u:", "GET /", "panic: ", "error: open "])
def test_a_line_of_a_megabyte_is_bounded(begin):
    long = read_log([begin + "a" * 1_000_000, begin + "(" * 1_000_000, begin + ": " * 500_000])

    assert all(len(str(line)) <= 1100 for line in long)
    assert all(len(line.meaning) <= 600 for line in long)
    cut = read_log(["http://u:" + "geheim" * 5000 + "@host/"])
    assert [line.text for line in cut] == ["http…"]


@given(st.lists(st.text(max_size=200) | st.sampled_from(every_line("0.13")), max_size=9))
def test_nothing_that_a_container_writes_raises(lines):
    found = read_log(lines, mark=MARK)

    assert len(found) <= len(lines)
    for line in found:
        assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e]", str(line))
        str(line).encode()


@given(st.data())
def test_every_known_line_may_be_broken_off_or_mixed_up(data):
    line = data.draw(st.sampled_from(every_line("0.14")))
    place = data.draw(st.integers(0, len(line)))
    stuff = data.draw(st.text(max_size=20))

    read_log([line[:place], line[place:], line[:place] + stuff + line[place:]])
