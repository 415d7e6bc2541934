"""Ten ways in which a backup goes wrong on a real host, and what ought to be told of each."""

from dataclasses import dataclass, field
from pathlib import Path

from tests.rig.hosts import Host

PASSWORD = "known-to-the-host-alone"
UNIT = """\
[Unit]
Description=restic backup
{head}
[Service]
Type=oneshot
Environment=HOME=/root
EnvironmentFile=/etc/restic/environment
ExecStart=/usr/bin/restic backup --json {words}
NoNewPrivileges=yes
{lines}
"""
TIMER = "[Timer]\nOnCalendar=daily\nPersistent=true\n\n[Install]\nWantedBy=timers.target\n"
# At 64 KiB/s eight million bytes take two minutes: whatever ends such a backup is in time.
SLOWLY = "--limit-upload 64 /srv/large"


@dataclass(frozen=True)
class Failure:
    """A unit that fails; exit codes as restic 0.14 and 0.18 have them, or those that may be."""

    job: str
    exit_codes: tuple[int | None, int | tuple[int, ...] | None]
    cause: str
    # The one command that helps on this very host; nothing where a sentence is all.
    remedy: str
    state: str = "failed"
    stands: str = "failed"
    words: str = "/srv/files"
    head: str = ""
    lines: str = ""

    @property
    def unit(self) -> str:
        return UNIT.format(head=self.head, words=self.words, lines=self.lines)

    def exits(self, suite: str) -> tuple[int | None, ...]:
        code = self.exit_codes[suite == "trixie"]
        return code if isinstance(code, tuple) else (code,)


FAILURES = (
    Failure(
        "wrong-password",
        (1, 12),
        "The repository password is wrong.",
        "restic --no-cache key list",
        lines="EnvironmentFile=/etc/restic/wrong",
    ),
    Failure(
        "unreadable",
        (3, 3),
        "1 file could not be read: /srv/secrets/key",
        "AmbientCapabilities=CAP_DAC_READ_SEARCH",
        state="warning",
        stands="warning",
        # Its own: what an earlier snapshot of the same paths holds, restic does not open again.
        words="/srv/secrets",
        lines="User=backup\nCacheDirectory=unreadable\nEnvironment=RESTIC_CACHE_DIR=%C/unreadable",
    ),
    Failure(
        "killed",
        (None, None),
        "The run was killed.",
        "journalctl _SYSTEMD_INVOCATION_ID=",
        words=SLOWLY,
    ),
    # systemd asks restic to end, which the older one dies of; the newer one says what it was at.
    Failure(
        "slow",
        (None, (1, 130)),
        "systemd stopped the run at its time limit.",
        "TimeoutStartSec=24h",
        words=SLOWLY,
        lines="TimeoutStartSec=8",
    ),
    Failure(
        "full",
        (1, 1),
        "A disk of the host is full",
        "df -h /srv/full",
        words="/srv/large",
        lines="Environment=RESTIC_CACHE_DIR=/srv/full/cache TMPDIR=/srv/full",
    ),
    Failure(
        "missing",
        (0, 0),
        "The snapshot was made without /srv/absent, which does not exist.",
        "systemctl cat missing.service",
        state="warning",
        stands="warning",
        words="/srv/files /srv/absent",
    ),
    Failure(
        "locked",
        (1, 11),
        "Another restic holds a lock on the repository",
        "restic --no-cache unlock",
        lines="EnvironmentFile=/etc/restic/locked",
    ),
    Failure(
        "no-user",
        (217, 217),
        "its user does not exist",
        "systemd-analyze verify no-user.service",
        lines="User=ghost",
    ),
    Failure(
        "no-program",
        (203, 203),
        "its program cannot be executed",
        "systemd-analyze verify no-program.service",
        lines="ExecStart=\nExecStart=/usr/local/bin/restic backup /srv/files",
    ),
    Failure(
        "refused",
        (None, None),
        "a condition of the unit was not met",
        "systemctl status refused.service",
        state="cancelled",
        stands="skipped",
        lines="ExecCondition=/bin/false",
    ),
    Failure(
        "unmet",
        (None, None),
        "a condition of the unit was not met",
        "systemctl status unmet.service",
        state="cancelled",
        stands="skipped",
        head="ConditionPathExists=/srv/absent",
    ),
)
NIGHTLY = Failure("nightly", (0, 0), "", "", lines="TimeoutStartSec=10")


@dataclass(frozen=True)
class Machine:
    """A host with its repositories on a server."""

    host: Host
    suite: str
    repositories: Path = field(repr=False)

    @property
    def name(self) -> str:
        return self.host.name

    @property
    def locks(self) -> Path:
        return self.repositories / self.name / "locked" / "locks"

    def prepare(self, url: str) -> None:
        """What its operator has before there is a dashboard; `url` ends with its own folder."""
        host = self.host
        self._variables("environment", RESTIC_REPOSITORY=f"{url}main/", RESTIC_PASSWORD=PASSWORD)
        self._variables("locked", RESTIC_REPOSITORY=f"{url}locked/")
        self._variables("wrong", RESTIC_PASSWORD="another")
        host.write("/srv/files/letter", "Dear reader")
        host.write("/srv/secrets/key", "For root alone", 0o600)
        host.run("head -c 8000000 /dev/urandom >/srv/large; mkdir /srv/full")
        host.run("mount -t tmpfs -o size=300k tmpfs /srv/full")
        for failure in (NIGHTLY, *FAILURES):
            host.write(f"/etc/systemd/system/{failure.job}.service", failure.unit)
            host.write(f"/etc/systemd/system/{failure.job}.timer", TIMER)
        host.run(f"{self._with('environment')} restic init --quiet")
        host.run("systemctl daemon-reload")
        host.run(f"systemctl enable --quiet --now {self._all('timer')}")
        self._lock()

    def start(self, *jobs: str, wait: bool = False) -> None:
        """As their timers would."""
        units = " ".join(f"{job}.service" for job in jobs)
        self.host.run(f"systemctl start {'' if wait else '--no-block'} {units}", check=False)

    def wait_until_it_uploads(self, job: str) -> None:
        said = f"journalctl -o cat --since -1min -u {job} | grep -q bytes_done"
        self.host.run(f"until {said}; do sleep 0.1; done", timeout=60)

    def tell(self) -> None:
        """As the agent does every five minutes."""
        self.host.run("systemctl start resthouse-agent.service")

    def _lock(self) -> None:
        """A check that was killed; its lock keeps everybody out."""
        restic = f"{self._with('environment', 'locked')} exec restic"
        self.host.run(f"({restic} init --quiet) && ({restic} backup --quiet /srv/large)")
        checking = f"{restic} check --read-data --limit-download 8"
        self.host.run(f"({checking}) >/dev/null 2>&1 & echo $! >/run/checking")

    def unlock_no_more(self) -> None:
        """Once its lock lies on the disk."""
        self.host.run("kill -9 $(cat /run/checking)")

    def _variables(self, name: str, **variables: str) -> None:
        text = "".join(f"{key}={value}\n" for key, value in variables.items())
        self.host.write(f"/etc/restic/{name}", text, 0o600)

    @staticmethod
    def _with(*names: str) -> str:
        return "set -a; " + " ".join(f". /etc/restic/{name};" for name in names)

    @staticmethod
    def _all(kind: str) -> str:
        return " ".join(f"{failure.job}.{kind}" for failure in (NIGHTLY, *FAILURES))
