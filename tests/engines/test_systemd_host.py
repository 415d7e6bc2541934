"""What was rendered, on real booted hosts: its score, and what the backup still holds."""

import json
import random
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from backups.engines import systemd
from backups.engines.restserver import Options
from backups.engines.systemd_choices import BY_ITSELF, CHOICES, is_advised, version_of
from backups.engines.systemd_dropin import commands, poisoned, render
from backups.engines.systemd_harms import OUTSIDE
from backups.engines.systemd_render import Plan, commands_for
from backups.engines.systemd_unit import parse_unit
from backups.engines.systemd_work import work_of
from tests.engines.conftest import Served
from tests.rig.hosts import Host

Serve = Callable[[Options], Served]
PASSWORD = "correct horse"
HERE = ("127.0.0.1",)
UNITS = "/etc/systemd/system"
PATHS = "/home /root/letters /srv"
PLAIN = f"""\
[Service]
Type=oneshot
Environment=RESTIC_REPOSITORY_FILE=/etc/restic/repository RESTIC_PASSWORD_FILE=/etc/restic/password
ExecStart=/usr/bin/restic backup --json {PATHS}
"""
# The tutorial's unit, as its rows were recorded: 4.6 on systemd 252.
TUTORIAL = f"""\
{PLAIN}User=restic
CacheDirectory=restic
Environment=RESTIC_CACHE_DIR=%C/restic
AmbientCapabilities=CAP_DAC_READ_SEARCH
CapabilityBoundingSet=CAP_DAC_READ_SEARCH
NoNewPrivileges=yes
PrivateTmp=yes
PrivateDevices=yes
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectClock=yes
ProtectHostname=yes
RestrictSUIDSGID=yes
RemoveIPC=yes
RestrictAddressFamilies=yes
"""
FILES = """
useradd --create-home alice 2>/dev/null
echo 'u restic - "restic backup"' | systemd-sysusers -
mkdir -p /home/alice/private /root/letters /srv/container
head -c 300000 /dev/urandom >/root/letters/key
head -c 200000 /dev/urandom >/home/alice/private/diary
head -c 100000 /dev/urandom >/srv/container/data
chown -R alice: /home/alice; chown -R 100000:100000 /srv/container
chmod 700 /home/alice/private /srv/container
chmod 600 /root/letters/key /home/alice/private/diary /srv/container/data
"""
# Every file with its owner, mode and content.
LEDGER = (
    "find home root/letters srv -printf '%p %U %G %m ' "
    r"\( -type f -exec sha256sum {} \; -o -printf '\n' \)"
)


@dataclass
class Place:
    """A host with files of three owners, and a rest-server that it reaches over the network."""

    host: Host

    def write(self, name: str, text: str) -> None:
        self.host.write(f"{UNITS}/{name}", text)
        self.host.run("systemctl daemon-reload")

    def score(self, unit: str) -> int:
        """As the running systemd says it."""
        debug = "SYSTEMD_ANALYZE_DEBUG=1 systemd-analyze security --no-pager --json=short"
        said = self.host.run(f"{debug} {unit} {unit}").stdout
        score = systemd.parse_security(said, mode="online", version="", unit=unit)
        return score.exposure

    def back_up(self, unit: str) -> None:
        self.host.run(f"systemctl start {unit} || (journalctl --no-pager -n 40 -u {unit}; exit 1)")

    def restore(self) -> None:
        """The newest snapshot holds every byte, owner and mode of what is on the disk."""
        self.restic("restore latest --target /var/restored")
        before = self.host.run(f"cd / && {LEDGER} | sort").stdout
        after = self.host.run(f"cd /var/restored && {LEDGER} | sort").stdout
        self.host.run("rm -rf /var/restored")
        assert "home/alice/private/diary 100" in before
        assert after == before

    def restic(self, words: str) -> str:
        files = "--repository-file /etc/restic/repository --password-file /etc/restic/password"
        return self.host.run(f"restic --no-cache --quiet {files} {words}").stdout


@pytest.fixture
def places(
    serve: Serve, systemd_hosts: Callable[[str], Host], request: pytest.FixtureRequest
) -> Callable[[str], Place]:
    def make(suite: str) -> Place:
        served = serve(Options())
        served.add_user("alice", PASSWORD)
        served.reload()
        address = served.url.replace("://", f"://alice:{PASSWORD.replace(' ', '%20')}@")
        host = systemd_hosts(suite)
        host.write("/etc/restic/repository", f"rest:{address}alice/\n", 0o600)
        host.write("/etc/restic/password", "known to the host alone\n", 0o600)
        host.run(FILES)
        request.addfinalizer(lambda: _forget(host))
        place = Place(host)
        place.restic("init")
        return place

    return make


def _forget(host: Host) -> None:
    host.run(
        f"rm -rf {UNITS}/hardening-* /etc/restic /home/alice /root/letters /srv/container; "
        "systemctl daemon-reload; systemctl reset-failed"
    )


@pytest.mark.parametrize("suite", ["bookworm", "trixie"])
def test_rendered_lines_are_as_good_as_they_say_and_the_backup_holds_everything(
    places: Callable[[str], Place], suite: str
) -> None:
    place = places(suite)
    version = version_of(place.host.run("systemctl --version").stdout.split()[1])
    unit = "hardening-plain.service"
    keys = {k for k, c in CHOICES.items() if is_advised(c, version, addresses=HERE)} - BY_ITSELF
    dropin = render(keys, unit=unit, text=PLAIN, addresses=HERE)
    told = commands(dropin, unit)

    place.write(unit, PLAIN)
    assert place.score(unit) == 96
    # As the page shows them.
    place.host.run(told.install)
    assert place.score(unit) == systemd.score_unit(PLAIN, dropin=dropin).exposure <= 18
    assert f"{UNITS}/{unit}.d" in place.host.run(f"systemctl show -p DropInPaths {unit}").stdout
    place.host.run(told.verify)
    place.restore()
    place.host.run(told.undo)
    assert place.score(unit) == 96

    plan = Plan(name="hardening-whole", paths=tuple(PATHS.split()), addresses=HERE, systemd=version)
    told = commands_for(plan)
    place.write("hardening-whole.timer", "# what was there before\n[Timer]\nOnCalendar=daily\n")
    place.host.run(told.install)
    # Installed twice, it still knows what was there before the first time.
    place.host.run(told.install)
    place.host.run("systemctl is-enabled hardening-whole.timer")
    assert place.score("hardening-whole.service") <= 15
    place.host.run(told.verify)
    place.restore()
    # Another user made it: it is a snapshot of its own, and not the former one read again.
    assert len(json.loads(place.restic("snapshots --json"))) == 2
    place.host.run(told.undo)
    left = place.host.run(f"cd {UNITS}; ls hardening-whole.*; cat hardening-whole.*").stdout
    assert left.startswith("hardening-whole.timer\n# what was there before\n")


def test_the_tutorials_unit_fails_until_the_named_line_is_right(
    places: Callable[[str], Place],
) -> None:
    place, unit = places("bookworm"), "hardening-tutorial.service"
    place.write(unit, TUTORIAL)
    # Root's files name the repository; this unit of another user reads them by its capability.
    score = systemd.score_unit(TUTORIAL, name=unit)
    assert (place.score(unit), score.exposure, score.findings[0].line) == (46, 46, 20)

    failed = place.host.run(f"systemctl start {unit}", check=False)
    assert failed.returncode
    said = place.host.run(f"journalctl --no-pager -u {unit}").stdout
    assert "address family not supported by protocol" in said

    place.host.run(commands(render(poisoned(TUTORIAL), unit=unit, text=TUTORIAL), unit).install)
    assert place.score(unit) == 48
    place.back_up(unit)
    place.restore()


# A program that dumps, a snapshot that is mounted, and a cache of its own.
BUSY = """\
[Service]
Type=oneshot
Environment=RESTIC_REPOSITORY_FILE=/etc/restic/repository RESTIC_PASSWORD_FILE=/etc/restic/password
Environment=RESTIC_CACHE_DIR=/var/lib/own-cache
ExecStartPre=/bin/sh -c 'id -u >/srv/container/dump'
ExecStartPre={outside}/bin/mount --bind /srv/container /mnt
ExecStart=/usr/bin/restic backup --json /mnt
ExecStopPost=-{outside}/bin/umount /mnt
"""


def test_what_other_programs_of_a_unit_do_survives_its_drop_in(
    places: Callable[[str], Place],
) -> None:
    place, unit = places("bookworm"), "hardening-busy.service"
    place.host.run("mkdir -p /var/lib/own-cache")
    for outside in ("", f"+{OUTSIDE}"):
        text = BUSY.format(outside=outside)
        work = work_of(parse_unit(text))
        keys = {k for k, c in CHOICES.items() if is_advised(c, 252, addresses=HERE, work=work)}
        place.write(unit, text)
        before = place.score(unit)
        place.host.run(commands(render(keys - BY_ITSELF, unit=unit, text=text), unit).install)

        place.back_up(unit)

        listed = place.restic("ls latest")
        assert {"/mnt/dump", "/mnt/data"} <= set(listed.split()), listed
        assert place.score(unit) < before
        said = place.host.run(f"journalctl --no-pager -u {unit}").stdout
        assert "unable to open cache" not in said
    # All of it at once would have lost the mounted files, with a better score and exit 0:
    # a plus sign alone does not help, and the lint says what does.
    for plus in ("", "+"):
        text = f"{BUSY.format(outside=plus)}PrivateTmp=yes\n"
        place.write(unit, text)
        place.back_up(unit)
        assert "/mnt/data" not in place.restic("ls latest")
        [found] = systemd.lint(text)
        assert found.fix == f"ExecStartPre=+{OUTSIDE}/bin/mount --bind /srv/container /mnt"


def test_two_hundred_random_units_have_the_score_that_a_running_systemd_prints(
    systemd_hosts: Callable[[str], Host],
) -> None:
    host, dice = systemd_hosts("bookworm"), random.Random(4_6)
    units = {f"hardening-{number}.service": _random_unit(dice) for number in range(200)}
    text = "".join(
        f"cat >/run/systemd/system/{name} <<'END'\n{text}END\n" for name, text in units.items()
    )
    host.run("sh -s", input=f"mkdir -p /run/systemd/system\n{text}systemctl daemon-reload\n")

    said = host.run(f"systemd-analyze security --no-pager --json=short {' '.join(units)}").stdout
    host.run("rm /run/systemd/system/hardening-*; systemctl daemon-reload")

    online = {row["unit"]: row["exposure"] for row in json.loads(said[said.rindex("[{") :])}
    offline = {name: systemd.score_unit(text, name=name).exposure for name, text in units.items()}
    assert {name: f"{tenths / 10:.1f}" for name, tenths in offline.items()} == online
    # They are no two hundred times the same.
    assert len(set(offline.values())) > 20


_WORDS = {
    **dict.fromkeys(
        (
            *("PrivateDevices", "PrivateMounts", "PrivateNetwork", "PrivateTmp", "PrivateUsers"),
            *("ProtectClock", "ProtectKernelModules", "ProtectControlGroups", "NoNewPrivileges"),
            *("ProtectKernelLogs", "ProtectKernelTunables", "ProtectHostname", "RestrictRealtime"),
            *("LockPersonality", "MemoryDenyWriteExecute", "RestrictSUIDSGID", "RemoveIPC"),
        ),
        ("yes", "no", "maybe"),
    ),
    "ProtectHome": ("yes", "read-only", "tmpfs", "no"),
    "ProtectSystem": ("yes", "full", "strict", "no"),
    "ProtectProc": ("invisible", "noaccess", "default"),
    "ProcSubset": ("pid", "all"),
    "DynamicUser": ("yes", "no"),
    "User": ("root", "nobody", "daemon"),
    "CapabilityBoundingSet": ("CAP_DAC_READ_SEARCH", "~CAP_SYS_ADMIN CAP_BPF", "", "CAP_FOO"),
    "AmbientCapabilities": ("CAP_DAC_READ_SEARCH", ""),
    "SystemCallFilter": ("@system-service", "~@privileged @resources", "@sytem-service"),
    "SystemCallArchitectures": ("native", "native x86"),
    "RestrictAddressFamilies": ("AF_INET AF_INET6", "yes", "none", "~AF_PACKET"),
    "RestrictNamespaces": ("yes", "no", "~user pid", "net mnt"),
    "UMask": ("0077", "0022", "0002", "0000"),
    "KeyringMode": ("private", "shared", "inherit"),
    "IPAddressDeny": ("any", "10.0.0.0/8"),
    "IPAddressAllow": ("localhost", "192.0.2.10", "backup.example.org"),
    "DevicePolicy": ("closed", "strict", "auto"),
    "Delegate": ("yes", "no"),
    "NotifyAccess": ("all", "none"),
    "SupplementaryGroups": ("adm",),
    "DefaultDependencies": ("no",),
}


# A line goes on, seems to go on, or ends as on another system.
_ENDS = ("", "", "", " \\\n", " \\ ", "\r", "\n# so \\", "\n;")


def _end(key: str, dice: random.Random) -> str:
    """Of these, systemd refuses the whole unit where the word is none."""
    return "" if key in ("User", "SupplementaryGroups", "DynamicUser") else dice.choice(_ENDS)


def _random_unit(dice: random.Random) -> str:
    keys = dice.sample(sorted(_WORDS), dice.randint(0, 25))
    lines = [f"{key}={dice.choice(_WORDS[key])}{_end(key, dice)}" for key in keys]
    return "\n".join(["[Service]", "Type=oneshot", "ExecStart=/bin/true", *lines, ""])
