"""A whole new backup: service, timer and report unit for one version of systemd."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from backups.engines.errors import EngineError
from backups.engines.systemd_choices import BY_ITSELF, CHOICES, OLDEST, is_advised
from backups.engines.systemd_dropin import FOLDER, Commands, literal, render
from backups.engines.systemd_unit import quoted, spelled

SCHEDULE = "*-*-* 02:30:00"
SCHEDULES = r"[A-Za-z0-9 *:,./~+-]{1,200}"
# What a running system makes up, and what the sandbox shows empty.
EXCLUDED = ("/proc", "/sys", "/dev", "/run", "/tmp", "/var/tmp", "/var/cache")  # noqa: S108
_REPORT = "resthouse-report@"
# Where the agent, which reads no files of others, is closed further than a backup.
_OTHERWISE = frozenset(
    (
        "UserOrDynamicUser",
        "CapabilityBoundingSet",
        "ProtectHome",
        "PrivateUsers",
        "RestrictAddressFamilies",
    )
)


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be backed up, when, and where to."""

    name: str = "restic-backup"
    paths: tuple[str, ...] = ("/",)
    schedule: str = SCHEDULE
    addresses: tuple[str, ...] = ()
    certificate: str = ""
    systemd: int = OLDEST
    has_agent: bool = False
    # Further words for restic, as a unit writes them: what is left out, and by which tag.
    options: tuple[str, ...] = ()

    def check(self) -> None:
        if not re.fullmatch(r"(?!-)[A-Za-z0-9_:.-]{1,100}", self.name):
            raise EngineError("The name of a unit has letters, digits, ':', '.', '_' and '-'.")
        if self.systemd < OLDEST:
            raise EngineError(f"Credentials came with systemd {OLDEST}; older ones have none.")
        is_listed = any(option.startswith("--files-from") for option in self.options)
        if not (self.paths or is_listed) or not all(path[:1] == "/" for path in self.paths):
            raise EngineError("Say at least one path to back up; paths begin with a slash.")
        if self.certificate and not self.certificate.startswith("/"):
            raise EngineError("The path of the certificate begins with a slash.")
        if not all(option.isprintable() for option in self.options):
            raise EngineError("A line of a unit cannot hold control characters.")
        if not re.fullmatch(SCHEDULES, self.schedule):
            raise EngineError("The schedule is no OnCalendar= expression, such as daily.")


def service(plan: Plan) -> str:
    """The unit that backs up as a user of its own, who can read every file and write none."""
    plan.check()
    return "\n".join(_service(plan)) + "\n"


def _service(plan: Plan) -> Iterator[str]:
    yield f"# {FOLDER}/{plan.name}.service"
    yield "[Unit]"
    yield "Description=restic backup to the REST server"
    yield "Wants=network-online.target"
    yield "After=network-online.target"
    if plan.has_agent:
        # One instance for each result: of one for both, systemd does not tell how the run ended.
        if plan.systemd >= 249:
            yield f"OnSuccess={_REPORT}%N:success.service"
        yield f"OnFailure={_REPORT}%N:failure.service"
    yield ""
    yield "[Service]"
    yield "Type=oneshot"
    yield "LoadCredential=repository:/etc/restic/repository"
    yield "LoadCredential=password:/etc/restic/password"
    if plan.certificate:
        yield f"LoadCredential=ca.pem:{_plain(plan.certificate)}"
    yield from _command(plan)
    yield "TimeoutStartSec=6h"
    yield "Nice=10"
    yield "IOSchedulingClass=idle"
    yield "IPAccounting=yes"
    yield from render(
        hardening(plan), unit=f"{plan.name}.service", addresses=plan.addresses
    ).splitlines()[2:]


def _command(plan: Plan) -> Iterator[str]:
    yield "ExecStart=/usr/bin/restic backup --json --exclude-caches \\"
    # The variable, not %d: systemd 247 does not know that yet.
    yield "  --repository-file ${CREDENTIALS_DIRECTORY}/repository \\"
    yield "  --password-file ${CREDENTIALS_DIRECTORY}/password \\"
    if plan.certificate:
        yield "  --cacert ${CREDENTIALS_DIRECTORY}/ca.pem \\"
    words = [spelled(option) for option in plan.options]
    if "/" in plan.paths:
        words += [f"--exclude={path}" for path in EXCLUDED]
    if words:
        yield f"  {' '.join(words)} \\"
    yield f"  {' '.join(quoted(path).replace('$', '$$') for path in plan.paths)}".rstrip()


def _plain(path: str) -> str:
    """As the rest of a line that systemd takes for one path, quotes and all."""
    quoted(path)
    return path.replace("%", "%%")


def hardening(plan: Plan) -> frozenset[str]:
    """Every choice that this systemd obeys and that a backup survives, with a user of its own."""
    keys = {
        key
        for key, choice in CHOICES.items()
        if is_advised(choice, plan.systemd, addresses=plan.addresses)
    }
    # What is as it should be by itself needs no line.
    return frozenset(keys | {"UserOrDynamicUser"}) - BY_ITSELF


def timer(plan: Plan) -> str:
    plan.check()
    return f"""\
# {FOLDER}/{plan.name}.timer
[Unit]
Description=Start {plan.name}.service

[Timer]
OnCalendar={plan.schedule}
RandomizedDelaySec=45m
FixedRandomDelay=yes
AccuracySec=1min
Persistent=yes

[Install]
WantedBy=timers.target
"""


def report(plan: Plan) -> str:
    """What tells the house at once how a run ended: the agent, in a unit with its own network.

    The agent writes a closer one of this name when it enrols; this one is for who installs by hand.
    """
    plan.check()
    lines = render(hardening(plan) - _OTHERWISE, unit="").splitlines()[2:]
    own = [line for line in lines if "cache" not in line.lower()]
    return "\n".join(
        (
            f"# {FOLDER}/{_REPORT}.service",
            "[Unit]",
            "Description=Report to the Resthouse dashboard: %i",
            "",
            "[Service]",
            "Type=oneshot",
            "ExecStart=/usr/bin/python3 -I /usr/local/sbin/resthouse-agent report %i",
            # Not DynamicUser=: without libnss-systemd, D-Bus refuses to talk to such a user.
            "User=resthouse-agent",
            "SupplementaryGroups=systemd-journal",
            "LoadCredential=resthouse-agent.json:/etc/resthouse/agent.json",
            "StateDirectory=resthouse-agent",
            "StateDirectoryMode=0700",
            "TimeoutStartSec=5min",
            "Nice=10",
            "CapabilityBoundingSet=",
            *own,
            "ProtectHome=yes",
            "PrivateUsers=yes",
            "RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6",
            "",
        )
    )


def commands_for(plan: Plan) -> Commands:
    """The words that make the user and the files, start them once, and put back what was there."""
    name, files = plan.name, {"service": service(plan), "timer": timer(plan)}
    each = f"for unit in {name}.service {name}.timer; do\n"
    written = "".join(
        f"install -m 644 /dev/stdin {name}.{kind} <<'END'\n{text}END\n"
        for kind, text in files.items()
    )
    return Commands(
        install="echo 'u restic - \"restic backup\"' | systemd-sysusers -\n"
        # Once: a second time there would be our own. An empty file says that there was none.
        f"cd {FOLDER}\n{each}"
        "  test -e $unit.before || cp -p $unit $unit.before 2>/dev/null || : >$unit.before\n"
        f"done\n{written}systemctl daemon-reload\nsystemctl enable --now {name}.timer",
        verify=f"systemd-analyze security --no-pager {name}.service\n"
        f"systemctl start {name}.service\n"
        f"journalctl --unit {name}.service --lines 20",
        undo=f"cd {FOLDER}\n"
        f"test -s {name}.timer.before || systemctl disable --now {name}.timer\n{each}"
        "  if test -s $unit.before; then mv $unit.before $unit; else rm $unit $unit.before; fi\n"
        "done\nsystemctl daemon-reload",
    )


def address_in(url: str) -> tuple[str, ...]:
    """The address of a repository where it is written as a number."""
    found = re.match(r"rest:https?://(?:[^@/]*@)?(?:\[([0-9a-fA-F:.]+)\]|([0-9.]+))[:/]", url)
    try:
        return literal([found[1] or found[2]]) if found else ()
    except EngineError:
        return ()
