"""What a unit runs, and what its drop-in therefore leaves alone."""

import shutil

import pytest

from backups.engines import systemd
from backups.engines.systemd_choices import BY_ITSELF, CHOICES, is_advised
from backups.engines.systemd_dropin import render
from backups.engines.systemd_unit import parse_unit
from backups.engines.systemd_work import Work, work_of
from tests.rig import missing

SERVER = ("192.0.2.10",)
RESTIC = "/usr/bin/restic backup /srv"
CLOSES_MOST = {"ProtectSystem", "CapabilityBoundingSet", "SystemCallFilter", "IPAddressDeny"}
OWN_MOUNTS = {"PrivateTmp", "PrivateMounts", "PrivateDevices", "ProtectProc", "ProtectHome"}


@pytest.fixture(scope="module", autouse=True)
def systemd_analyze():
    return shutil.which("systemd-analyze") or missing(
        "Install systemd for systemd-analyze: apt-get install systemd."
    )


def unit_of(*lines: str) -> str:
    return "\n".join(["[Service]", "Type=oneshot", *lines, ""])


def work(*lines: str, repository: str = "") -> Work:
    return work_of(parse_unit(unit_of(*lines)), repository=repository)


def advised(found: Work) -> set[str]:
    choices = CHOICES.values()
    return {c.key for c in choices if is_advised(c, 252, addresses=SERVER, work=found)} - BY_ITSELF


@pytest.mark.parametrize(
    ("line", "paths"),
    [
        (f"ExecStart={RESTIC} /home --exclude /srv/tmp", ("/srv", "/home")),
        ("ExecStart=-/usr/bin/nice -n 10 ionice -c3 restic -q backup '/a b'", ("/a b",)),
        ("ExecStart=/bin/sh -c 'cd /; exec restic backup /srv && echo done'", ("/srv",)),
        ("ExecStart=/usr/local/sbin/resthouse-agent run x -- restic backup /srv", ("/srv",)),
        (f"ExecStart=\nExecStart={RESTIC}", ("/srv",)),
        (f"ExecStart=/usr/bin/restic backup /old\nExecStart=\nExecStart={RESTIC}", ("/srv",)),
        ("ExecStart=/usr/bin/restic backup /100%%", ("/100%",)),
        # Not all of it can be told from these.
        ("ExecStart=/usr/bin/restic backup /srv $MORE", ()),
        ("ExecStart=/usr/bin/restic backup /srv/%i", ()),
        ("ExecStart=/usr/bin/restic backup --files-from /etc/list", ()),
    ],
)
def test_restic_is_found_behind_what_starts_it(line, paths):
    found = work(line)

    assert (found.paths, found.others) == (paths, ())
    assert advised(found) >= CLOSES_MOST | OWN_MOUNTS


@pytest.mark.parametrize(
    ("line", "other"),
    [
        ("ExecStartPre=/usr/bin/pg_dumpall -f /srv/all.sql", "pg_dumpall"),
        ("ExecStartPost=/usr/bin/restic forget\nExecStopPost=/usr/bin/logger ok", "logger"),
        ("Environment=RESTIC_PASSWORD_COMMAND='pass show x'", "the password command"),
        ("Environment=RESTIC_REPOSITORY=rclone:box:/web", "rclone"),
        ("ExecStartPre=-/bin/bash -c 'set -e; umask 077; mysqldump -A >/srv/x'", "mysqldump"),
    ],
)
def test_what_another_program_may_need_is_left_to_the_operator(line, other):
    found = work(line, f"ExecStart={RESTIC}")

    assert found.others == (other,)
    assert not advised(found) & CLOSES_MOST
    assert advised(found) >= {"PrivateTmp", "ProtectKernelModules", "RestrictNamespaces"}


def test_a_repository_that_only_its_host_can_name_counts_as_well():
    assert work(f"ExecStart={RESTIC}", repository="sftp:nas:/web").others == ("ssh",)


@pytest.mark.parametrize(
    "command",
    ["/bin/mount /dev/vg/snap /mnt", "+/bin/mount /dev/vg/snap /mnt", "/usr/local/bin/snapshot"],
)
def test_what_one_command_mounts_is_not_hidden_from_the_next(command):
    found = work(f"ExecStartPre={command}", "ExecStart=/usr/bin/restic backup /mnt")

    assert not advised(found) & OWN_MOUNTS
    dropin = render(advised(found), unit="a.service", addresses=SERVER)
    rows = systemd.score_unit(unit_of(f"ExecStart={RESTIC}"), dropin=dropin).rows
    assert [row.is_set for row in rows if row.field == "PrivateMounts"] == [False]


def test_a_command_outside_of_the_sandbox_loses_nothing_but_the_network():
    mount = "+/usr/bin/nsenter --target 1 --mount -- /bin/mount /dev/vg/snap /mnt"
    found = work(f"ExecStartPre={mount}", f"ExecStart={RESTIC}")

    assert (found.others, found.free, found.mounters) == ((), ("nsenter",), ())
    assert "IPAddressDeny" not in advised(found)
    assert advised(found) >= OWN_MOUNTS | {"ProtectSystem", "CapabilityBoundingSet"}


def test_a_hidden_mount_is_an_error_of_the_unit_as_it_stands():
    mount = "mount /dev/vg/snap /mnt"
    lines = (f"ExecStart={RESTIC}", f"ExecStartPre=/bin/{mount}", "PrivateTmp=yes")

    [found] = systemd.lint(unit_of(*lines))

    assert (found.code, found.severity, found.line) == ("hides-files", "error", 4)
    assert found.fix == f"ExecStartPre=+/usr/bin/nsenter --target 1 --mount -- /bin/{mount}"
    assert systemd.lint(unit_of(*lines[:2])) == ()
    assert systemd.lint(unit_of(lines[0], found.fix, lines[2])) == ()
    one_shell = f"ExecStart=/bin/sh -c '{mount} && restic backup /mnt'"
    assert systemd.lint(unit_of(one_shell, lines[2])) == ()


@pytest.mark.parametrize(
    ("lines", "keys", "said"),
    [
        # The power that the unit is given stays, or it reads nothing.
        (
            ["User=backup", "AmbientCapabilities=cap_dac_override CAP_FOO"],
            ["CapabilityBoundingSet"],
            ["CapabilityBoundingSet=CAP_DAC_READ_SEARCH CAP_DAC_OVERRIDE"],
        ),
        # Its cache and its repository stay writable.
        (
            ["Environment=RESTIC_CACHE_DIR=/srv/my%i"],
            ["ProtectSystem", "PrivateTmp"],
            ["ProtectSystem=strict", "ReadWritePaths=-/srv/my%i", "PrivateTmp=yes"],
        ),
        (
            ["Environment=RESTIC_CACHE_DIR=%C/backup", "CacheDirectory=backup"],
            ["ProtectSystem", "PrivateTmp"],
            ["ProtectSystem=strict", "PrivateTmp=yes"],
        ),
        (
            ["Environment=RESTIC_REPOSITORY=/root/repo", "# RESTIC_CACHE_DIR=/old"],
            ["ProtectHome"],
            ["ProtectHome=read-only", "ReadWritePaths=/root/repo"],
        ),
        # restic writes its packs to temporary files.
        (
            ["Environment=RESTIC_CACHE_DIR=/srv/c"],
            ["ProtectSystem"],
            ["ProtectSystem=strict", "ReadWritePaths=-/srv/c", "ReadWritePaths=/tmp /var/tmp"],
        ),
    ],
)
def test_a_drop_in_leaves_the_backup_what_its_unit_gave_it(lines, keys, said):
    text = unit_of(f"ExecStart={RESTIC}", *lines)

    dropin = render(keys, unit="a.service", text=text)

    assert dropin.splitlines()[2:] == said
    assert "no-temporary-files" not in {f.code for f in systemd.lint(text, dropin=dropin)}


def test_a_cache_that_is_only_named_in_a_comment_is_none():
    text = unit_of(f"ExecStart={RESTIC}", "# Environment=RESTIC_CACHE_DIR=/old")

    assert "CacheDirectory=restic" in render(["ProtectSystem"], unit="a.service", text=text)
