import os
import shutil
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backups.engines import systemd
from backups.engines.errors import EngineError
from tests.rig import missing

SAMPLES = Path(__file__).parents[1] / "samples" / "systemd"
HARDENED = (SAMPLES / "restic-backup.service").read_text()
DROPIN = (SAMPLES / "50-hardening.conf").read_text()
PLAIN = "[Service]\nType=oneshot\nExecStart=/usr/bin/restic backup /\n"
# The lines of the tutorial that this house's hosts were made with.
TUTORIAL = """\
[Unit]
Description=restic backup

[Service]
Type=oneshot
User=restic
ExecStart=/usr/bin/restic backup /srv
ProtectSystem=strict
RestrictAddressFamilies=yes
PrivateTmp=yes
"""


@pytest.fixture(scope="session", autouse=True)
def systemd_analyze():
    return shutil.which("systemd-analyze") or missing(
        "Install systemd for systemd-analyze: apt-get install systemd."
    )


def recorded(name: str, unit: str, **fields: str) -> systemd.Score:
    arguments = {"mode": "online", "version": "252", "unit": unit} | fields
    return systemd.parse_security((SAMPLES / name).read_text(), **arguments)


@pytest.mark.parametrize(
    ("name", "unit", "exposure", "level", "weight"),
    [
        ("seed.247.online.C.debug.txt", "seed.service", 46, "OK", 56435),
        ("seed.252.online.C.debug.txt", "seed.service", 46, "OK", 56460),
        ("seed.262.online.C.debug.txt", "seed.service", 46, "OK", 56460),
        ("seed.252.online.debug2.json", "seed.service", 46, "OK", 56460),
        ("seed.254.online.debug2.json", "seed.service", 46, "OK", 56460),
        ("seed.257.online.debug2.json", "seed.service", 46, "OK", 56460),
        ("seed.262.online.debug2.json", "seed.service", 46, "OK", 56460),
        ("hardened.252.online.debug2.json", "restic-backup.service", 15, "OK", 56460),
        ("root.252.online.debug2.json", "x-root.service", 96, "UNSAFE", 56160),
        ("nodefaultdeps.252.online.debug2.json", "x-nodd.service", 95, "UNSAFE", 52960),
        ("nodefaultdeps.247.online.C.debug.txt", "x-nodd.service", 95, "UNSAFE", 52935),
    ],
)
def test_recorded_scores_add_up_to_what_systemd_said(name, unit, exposure, level, weight):
    score = recorded(name, unit)

    assert (score.exposure, score.level, score.weight) == (exposure, level, weight)


def test_text_and_json_of_one_unit_are_the_same_rows():
    assert (
        recorded("seed.252.online.C.debug.txt", "seed.service").rows
        == recorded("seed.252.online.debug2.json", "seed.service").rows
    )


def test_rows_of_247_have_the_fields_of_newer_versions():
    old, new = (
        {row.field for row in recorded(name, "seed.service").rows}
        for name in ("seed.247.online.C.debug.txt", "seed.252.online.debug2.json")
    )

    assert new - old == {"CapabilityBoundingSet_CAP_BPF"}
    assert old < new


def test_a_row_of_which_systemd_says_nothing_is_read():
    rows = {row.field: row for row in systemd.score_unit(f"{PLAIN}ProtectProc=noaccess\n").rows}

    assert (rows["ProtectProc"].badness, rows["ProtectProc"].description) == (1, "")


def test_the_share_of_a_row_is_what_systemd_prints():
    text = (SAMPLES / "seed.252.online.C.txt").read_text()

    for row in recorded("seed.252.online.debug2.json", "seed.service").rows:
        [line] = [line for line in text.splitlines() if line[2:].split(" ")[0] == row.name]
        printed = line.split()[-1] if row.exposure else "0.0"
        assert printed == f"{row.exposure / 10:.1f}"


def test_a_row_that_does_not_apply_leaves_the_denominator():
    rows = {
        row.field: row for row in recorded("root.252.online.debug2.json", "x-root.service").rows
    }

    assert not rows["RemoveIPC"].is_applicable
    assert rows["RemoveIPC"].points == 0
    assert rows["PrivateNetwork"].points == 2500


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda text: text.replace('"exposure":"4.6"', '"exposure":"4.5"'), "add up to 4.6"),
        (lambda text: text[:8192], "cut off"),
        (lambda text: text.replace('"weight":1000,', ""), "SYSTEMD_ANALYZE_DEBUG"),
        (lambda text: text.replace('"range":10', '"range":0'), "impossible"),
        (lambda text: text.replace("seed.service", "other.service"), "other units"),
        (lambda text: "[" * 100_000, "no JSON"),
        (lambda text: "[[1]]", "not what"),
        (lambda text: "[]", "no rows"),
        (lambda text: "", "cut off"),
        (lambda text: "x" * 3_000_000, "longer"),
    ],
)
def test_an_assessment_that_cannot_be_trusted_is_refused(change, words):
    text = (SAMPLES / "seed.252.online.debug2.json").read_text()

    with pytest.raises(EngineError, match=words):
        systemd.parse_security(change(text), mode="online", version="252", unit="seed.service")


@settings(deadline=None)
@given(st.text() | st.text(alphabet='[]{}:," 0123456789abset+-\n'))
def test_any_text_is_a_score_or_a_refusal(text):
    with pytest.raises(EngineError):
        systemd.parse_security(text, mode="text", version="247", unit="a.service")


@pytest.mark.parametrize(
    ("exposure", "level"),
    [
        *[(0, "PERFECT"), (1, "SAFE"), (9, "SAFE"), (10, "OK"), (49, "OK"), (50, "MEDIUM")],
        *[(75, "EXPOSED"), (89, "EXPOSED"), (90, "UNSAFE"), (99, "UNSAFE"), (100, "DANGEROUS")],
    ],
)
def test_levels_are_systemds_words(exposure, level):
    assert systemd.level_of(exposure) == level


def test_the_hardened_unit_and_the_drop_in_score_as_on_a_running_host():
    plain = systemd.score_unit(PLAIN)
    hardened = systemd.score_unit(HARDENED, name="restic-backup.service")
    retrofitted = systemd.score_unit(PLAIN, dropin=DROPIN)

    assert (plain.exposure, plain.level, plain.mode) == (96, "UNSAFE", "offline")
    assert (hardened.exposure, hardened.level, hardened.findings) == (15, "OK", ())
    assert (retrofitted.exposure, retrofitted.findings) == (18, ())


def test_offline_rows_are_those_that_the_running_unit_had():
    offline = systemd.score_unit(HARDENED, name="restic-backup.service")
    if offline.version != "252":
        missing("the rows were recorded on systemd 252: run this on Debian 12")

    assert offline.rows == recorded("hardened.252.online.debug2.json", "restic-backup.service").rows


def test_private_mounts_count_when_another_line_implies_them():
    rows = {
        value: {row.field: row.is_set for row in systemd.score_unit(f"{PLAIN}{value}\n").rows}
        for value in ("PrivateTmp=yes", "PrivateTmp=no", "PrivateTmp=maybe", "ProtectHome=tmpfs")
    }

    assert {value: row["PrivateMounts"] for value, row in rows.items()} == {
        "PrivateTmp=yes": True,
        "PrivateTmp=no": False,
        "PrivateTmp=maybe": False,
        "ProtectHome=tmpfs": True,
    }


SERVER = "<the address of the server>"
DIRECTIVES = {
    **dict.fromkeys(
        (
            *("PrivateDevices", "PrivateMounts", "PrivateNetwork", "PrivateTmp", "PrivateUsers"),
            *("ProtectClock", "ProtectKernelModules", "ProtectControlGroups", "NoNewPrivileges"),
        ),
        ("yes", "no", "maybe"),
    ),
    "ProtectHome": ("yes", "read-only", "tmpfs", "no"),
    "ProtectSystem": ("yes", "full", "strict", "no"),
    "DynamicUser": ("yes", "no"),
    "User": ("root", "restic", "nobody"),
    "CapabilityBoundingSet": ("CAP_DAC_READ_SEARCH", "~CAP_SYS_ADMIN", "", "CAP_FOO"),
    "SystemCallFilter": ("@system-service", "~@privileged @resources", "@sytem-service"),
    "RestrictAddressFamilies": ("AF_INET AF_INET6", "yes", "none", "~AF_PACKET"),
    "UMask": ("0077", "0022", "0002"),
    "IPAddressDeny": ("any",),
    "IPAddressAllow": ("localhost", "192.0.2.10", "backup.example.org"),
    "DefaultDependencies": ("no",),
}
lines = st.sampled_from(
    [f"{key}={value}" for key, values in DIRECTIVES.items() for value in values]
)


@settings(max_examples=40, deadline=None)
@given(st.lists(lines, max_size=12), st.lists(lines, max_size=4))
def test_random_units_score_what_systemd_analyze_prints(unit, dropin):
    # A score that differs from the printed one is refused when it is read.
    score = systemd.score_unit(
        PLAIN + "\n".join(unit), dropin="[Service]\n" + "\n".join(dropin) if dropin else ""
    )

    assert 0 < score.exposure <= 100
    assert score.level == systemd.level_of(score.exposure)


def test_the_tutorials_broken_line_comes_first_with_the_right_one():
    score = systemd.score_unit(f"{TUTORIAL}ProtectSytem=full\nCapabilityBoundingSet=CAP_FOO\n")
    first = score.findings[0]

    assert (first.code, first.severity, first.line) == ("poisoned-allow-list", "error", 9)
    assert first.fix == "RestrictAddressFamilies=AF_INET AF_INET6"
    assert "cannot reach" in first.sentence
    without = systemd.score_unit(TUTORIAL.replace("RestrictAddressFamilies=yes\n", ""))
    assert systemd.score_unit(TUTORIAL).exposure < without.exposure


@pytest.mark.parametrize(
    ("line", "code", "fix"),
    [
        ("RestrictAddressFamilies=AF_INET inet6", "ignored-value", "AF_INET AF_INET6"),
        ("RestrictAddressFamilies=AF_FOO", "poisoned-allow-list", "AF_INET AF_INET6"),
        ("RestrictAddressFamilies=none", "cuts-network", "AF_INET AF_INET6"),
        ("RestrictAddressFamilies=~AF_FOO AF_PACKET", "ignored-value", "~AF_PACKET"),
        ("SystemCallFilter=@sytem-service", "poisoned-allow-list", "@system-service"),
        ("SystemCallFilter=~@privlieged", "ignored-value", "~@privileged"),
        ("CapabilityBoundingSet=CAP_DAC_READ_SERACH", "unknown-capability", "CAP_DAC_READ_SEARCH"),
        ("AmbientCapabilities=CAP_FOO", "unknown-capability", "CAP_DAC_READ_SEARCH"),
        ("ProtectHome=readonly", "ignored-value", "read-only"),
        ("ProtectHome=yes", "hides-files", "read-only"),
        ("PrivateUsers=yes", "hides-files", "no"),
        ("PrivateNetwork=yes", "cuts-network", "no"),
        ("NoNewPrivileges=maybe", "ignored-value", "yes"),
        ("IPAddressAllow=10.0.0.0/255.0.0.0", "ip-name-not-address", "10.0.0.0/8"),
        (
            "IPAddressAllow=localhost backup.example.org",
            "ip-name-not-address",
            "localhost <the address of backup.example.org>",
        ),
    ],
)
def test_a_line_that_does_not_do_what_it_says_is_found_where_it_stands(line, code, fix):
    key = line.partition("=")[0]

    [found] = systemd.score_unit(PLAIN, dropin=f"# written by hand\n[Service]\n{line}\n").findings

    assert (found.code, found.line, found.file) == (code, 3, "dropin")
    assert (found.directive, found.fix) == (key, f"{key}={fix}")


@pytest.mark.parametrize(
    ("line", "code", "fix"),
    [
        ("ProtectSytem=strict", "unknown-key", "ProtectSystem=strict"),
        ("[Servcie]", "unknown-section", "[Service]"),
        (".include /etc/passwd", "broken-line", ""),
        (
            "IPAddressDeny=any",
            "cuts-network",
            "IPAddressAllow=localhost <the address of the server>",
        ),
    ],
)
def test_a_line_that_stands_wrong_is_found(line, code, fix):
    [found] = systemd.score_unit(f"{PLAIN}{line}\n").findings

    assert (found.code, found.line, found.fix) == (code, 4, fix)


def test_a_line_that_goes_on_is_found_where_it_begins():
    text = f"{PLAIN}SystemCallFilter=@system-service \\\n  # so it is\n  @privlieged\n"

    [found] = systemd.score_unit(text).findings

    assert (found.line, found.fix) == (4, "SystemCallFilter=@system-service @privileged")


def test_our_own_checks_need_no_systemd():
    [found] = systemd.lint(TUTORIAL)

    assert (found.code, found.line) == ("poisoned-allow-list", 9)


@pytest.mark.parametrize(
    "lines",
    [
        "RestrictAddressFamilies=yes",
        "CapabilityBoundingSet=CAP_FOO",
        "IPAddressDeny=any\nIPAddressAllow=backup.example.org\nIPAddressDeny=",
        "RestrictAddressFamilies=none",
    ],
)
def test_an_empty_value_takes_back_what_stood_before(lines):
    reset = f"{lines}\n{lines.splitlines()[-1].partition('=')[0]}=\n"
    if "IPAddress" in lines:
        reset += "IPAddressAllow=\n"

    assert systemd.lint(f"{PLAIN}{lines}\n")
    assert systemd.lint(f"{PLAIN}{reset}") == ()
    # Also where a drop-in takes back what the unit said.
    assert systemd.lint(f"{PLAIN}{lines}\n", dropin=f"[Service]\n{reset}") == ()


REACH = """\
[Service]
Environment=RESTIC_REPOSITORY=rest:https://web:***@{0}:8000/web/
ExecStart=/usr/bin/restic backup /
IPAddressDeny=any
IPAddressAllow=localhost {1}
"""


@pytest.mark.parametrize(
    ("server", "allowed", "said"),
    [
        ("192.0.2.10", "", "IPAddressAllow=localhost 192.0.2.10"),
        ("192.0.2.10", "192.0.2.11", "IPAddressAllow=localhost 192.0.2.10"),
        ("192.0.2.10", "192.0.2.0/24", None),
        ("[fd00::1]", "192.0.2.0/24", "IPAddressAllow=localhost fd00::1"),
        ("[fd00::1]", "fd00::/64", None),
        ("127.0.0.1", "", None),
        ("localhost", "", None),
        ("rest.example.org", "", "IPAddressAllow=localhost <the address of rest.example.org>"),
        ("rest.example.org", "192.0.2.10", None),
    ],
)
def test_a_server_that_the_unit_may_not_reach_is_named(server, allowed, said):
    found = systemd.lint(REACH.format(server, allowed))

    assert [(one.code, one.line, one.fix) for one in found] == (
        [("cuts-network", 5, said)] if said else []
    )


@pytest.mark.parametrize(
    "text",
    [
        # It backs up nothing that these lines hide.
        PLAIN.replace("backup /", "backup /srv /etc") + "ProtectHome=yes\n",
        # Our own agent reports, and reads no files of others.
        "[Service]\nExecStart=/usr/bin/python3 -I /usr/local/sbin/resthouse-agent report\n"
        "ProtectHome=yes\nPrivateUsers=yes\nProtectSystem=strict\n",
        # Whoever ignores a word keeps what stood before.
        f"{PLAIN}ProtectHome=read-only\nPrivateNetwork=no\n",
        f'{PLAIN}RestrictAddressFamilies="AF_INET" AF_INET6\n',
        f"{PLAIN}ProtectSystem=strict\nEnvironment=TMPDIR=/run/x\n",
        f"{PLAIN}RestrictAddressFamilies=~AF_INET6\n",
        f"{PLAIN}RestrictAddressFamilies=AF_INET AF_UNIX\nRestrictAddressFamilies=~AF_UNIX\n",
        f"{PLAIN}ProtectSystem=strict\nReadWritePaths=-/tmp\n",
        f"{PLAIN}CapabilityBoundingSet=~\nAmbientCapabilities=cap_dac_read_search\n",
    ],
)
def test_what_harms_no_backup_is_no_finding(text):
    assert systemd.lint(text) == ()


@pytest.mark.parametrize(
    ("path", "line", "code"),
    [
        ("/home/alice", "ProtectHome=yes", "hides-files"),
        ("/var/tmp/dump", "PrivateTmp=yes", "hides-files"),
        ("/", "ProtectSystem=strict", "no-temporary-files"),
        ("/", "RestrictAddressFamilies=~AF_INET6 AF_INET", "cuts-network"),
        ("/", "SystemCallFilter=~@network-io @swap", "cuts-network"),
    ],
)
def test_what_harms_this_backup_is_found(path, line, code):
    [found] = systemd.lint(f"{PLAIN.replace('backup /', f'backup {path}')}{line}\n")

    assert (found.code, found.line) == (code, 4)


@pytest.mark.parametrize(
    "lines",
    [
        # A blank behind it, or another before it: the line does not go on.
        "SystemCallFilter=@system-service \\ \nPrivateTmp=yes",
        "Environment=A=b\\\\\nPrivateTmp=yes",
        # Both letters end a line, and both together end one.
        "Nice=5\rPrivateTmp=yes",
        "Nice=5\r\nPrivateTmp=yes",
        "# A comment does not go on \\\nPrivateTmp=yes",
        "Nice=5 \\\n; within a line\n# and another\n\nPrivateTmp=yes",
    ],
)
def test_lines_end_where_systemd_ends_them(lines):
    # Of private mounts we tell systemd-analyze, because of a line that implies them.
    rows = {row.field: row.is_set for row in systemd.score_unit(f"{PLAIN}{lines}\n").rows}

    assert (rows["PrivateTmp"], rows["PrivateMounts"]) == (True, True)


@pytest.mark.parametrize(
    ("text", "name", "words"),
    [
        ("", "unit.service", "empty"),
        ("\x00\x01\x02", "unit.service", "control characters"),
        ("x" * 5_000_000, "unit.service", "longer"),
        ("[Service]\nType=oneshot\n", "unit.service", "no ExecStart"),
        ("[Service\nExecStart=/bin/true\n", "unit.service", "Invalid section header"),
        (
            PLAIN.replace("oneshot", "simple") + "ExecStart=/bin/b\n",
            "unit.service",
            "more than one",
        ),
        (PLAIN, "../unit.service", "name"),
        (PLAIN, "unit.timer", "name"),
        (PLAIN, "a/b.service", "name"),
        (PLAIN, "-.service\n", "name"),
        (PLAIN, f"{'a' * 247}.service", "name"),
    ],
)
def test_what_is_no_unit_is_refused_with_a_reason(text, name, words):
    with pytest.raises(EngineError, match=words):
        systemd.score_unit(text, name=name)


@pytest.mark.parametrize("name", ["backup@.service", "backup@home.service", "a\\x2db.service"])
def test_templates_and_instances_have_a_score(name):
    assert systemd.score_unit(f"{PLAIN}User=%i\n" if "@" in name else PLAIN, name=name).rows


def test_the_longest_name_that_fits_is_scored_and_no_place_is_a_sentence(monkeypatch, tmp_path):
    assert systemd.score_unit(PLAIN, name=f"{'a' * 242}.service").rows

    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "none"))
    with pytest.raises(EngineError, match="temporary folder: No such file"):
        systemd.score_unit(PLAIN)


def test_nothing_outside_is_read_and_nothing_stays(tmp_path, monkeypatch):
    secret = tmp_path / "secret"
    secret.write_text("Sesame")
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    text = f"{PLAIN}EnvironmentFile={secret}\nLoadCredential=a:{secret}\n.include {secret}\n"
    used = secret.stat().st_atime_ns
    os.utime(secret, ns=(used - 10**15, used))

    score = systemd.score_unit(text + f"RootImage={secret}\nRequires=../../secret\n")

    assert secret.stat().st_atime_ns == used - 10**15
    assert "Sesame" not in repr(score)
    assert [path.name for path in tmp_path.iterdir()] == ["secret"]


def test_no_unit_of_this_machine_takes_part():
    own = systemd.score_unit(f"{PLAIN}Slice=system.slice\n", name="systemd-journald.service")

    assert own.exposure == systemd.score_unit(PLAIN).exposure


def test_a_machine_without_systemd_says_what_is_missing(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(EngineError, match="install the package systemd"):
        systemd.score_unit(PLAIN)


@settings(deadline=None)
@given(st.text(), st.text())
def test_any_unit_text_is_linted_without_an_exception(text, warnings):
    systemd.lint(f"[Service]\n{text}", dropin=text, warnings=warnings)


@pytest.mark.parametrize(
    "line",
    [
        *("RestrictAddressFamilies=a ", "SystemCallFilter=@ystem ", "Foo=1", "A=b\\", "[x]"),
        # Of these, what is taken back must not be looked for again in all that is kept.
        "Nice=1\nUMask=",
    ],
)
def test_a_long_unit_is_linted_and_scored_within_bounds(line):
    text = PLAIN + f"{line}\n" * (80_000 // (len(line) + 1))

    assert len(systemd.score_unit(text).findings) <= 200
