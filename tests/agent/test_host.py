"""The agent on real booted hosts, beside a restic timer made as in the tutorial."""

import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from backups.engines.certificates import make_authority, make_certificate
from backups.engines.pins import pin_shown_at
from tests.agent.conftest import PROGRAM
from tests.agent.dashboard import KEY, TOKEN, FakeDashboard, serve
from tests.rig.hosts import Host

SECRET = "correct-horse"
ENVIRONMENT = f"RESTIC_REPOSITORY=/srv/repo\nRESTIC_PASSWORD={SECRET}\nHOME=/root\n"
ENVIRONMENT += "RESTIC_CACERT=/etc/restic/ca.pem\n"
AUTHORITY = make_authority("House CA")
TIMER = "[Timer]\nOnCalendar=*-*-* 02:30:00\nPersistent=true\n[Install]\nWantedBy=timers.target\n"


def add_job(host: Host, name: str, start: str, *more: str, unit: str = "") -> None:
    lines = ["[Service]", "Type=oneshot", "EnvironmentFile=/etc/restic/env", f"ExecStart={start}"]
    text = "\n".join(["[Unit]", unit, *lines, *more, ""])
    host.write(f"/etc/systemd/system/{name}.service", text)


def prepare(host: Host) -> None:
    """What the operator of a host has before there is a dashboard: jobs, a timer, a first run."""
    host.write("/etc/restic/env", ENVIRONMENT, 0o600)
    host.write("/etc/restic/ca.pem", AUTHORITY.key + AUTHORITY.chain)
    host.write("/srv/files/letter", "Dear reader")
    host.run("set -a; . /etc/restic/env; rm -rf /srv/repo; restic init --quiet")
    backup = "/usr/bin/restic backup --json /srv/files"
    add_job(host, "restic-backup", backup)
    host.write("/etc/systemd/system/restic-backup.timer", TIMER)
    add_job(host, "restic-partly", f"/bin/sh -c '{backup}; exit 3'")
    add_job(host, "restic-killed", f"/bin/sh -c '{backup}; kill -9 $$$$'")
    add_job(host, "restic-slow", f"/bin/sh -c '{backup}; sleep 99'", "TimeoutStartSec=2")
    add_job(host, "restic-nobody", backup, "User=ghost")
    add_job(host, "restic-gone", "/usr/local/bin/restic backup /srv/files")
    add_job(host, "restic-unmet", backup, unit="ConditionPathExists=/srv/disk")
    add_job(host, "restic-unsure", backup, unit="AssertPathExists=/srv/disk")
    leaky = f"/usr/bin/restic -r rest:http://alice:{SECRET}/1@127.0.0.1:1/ snapshots"
    add_job(host, "restic-leaky", leaky, f'Environment="RESTIC_PASSWORD={SECRET} {SECRET}"')
    # Kept loaded by its timer, it still has the id of its last run when it is skipped.
    host.write("/etc/systemd/system/restic-unmet.timer", TIMER)
    host.run(
        "systemctl daemon-reload; systemctl enable --now restic-backup.timer restic-unmet.timer"
    )
    host.run("systemctl start restic-backup")


def enrol(host: Host, dashboard: FakeDashboard, trust: str = "") -> None:
    agent = "/usr/local/sbin/resthouse-agent"
    host.write(agent, PROGRAM.read_text())
    host.run(f"python3 {agent} enrol --url {dashboard.url} --token {TOKEN} {trust}")


def forget(host: Host) -> None:
    host.run(
        "/usr/local/sbin/resthouse-agent remove --purge; rm -rf /etc/restic /srv/repo /srv/files"
    )
    host.run("systemctl disable --now restic-backup.timer restic-unmet.timer")
    host.run("rm -r /etc/systemd/system/restic-*")
    host.run("systemctl daemon-reload; systemctl reset-failed")


@pytest.fixture(scope="module")
def dashboard() -> Iterator[FakeDashboard]:
    with serve() as dashboard:
        yield dashboard


@pytest.fixture(scope="module")
def host(systemd_host: Host, dashboard: FakeDashboard) -> Iterator[Host]:
    """A Debian 12 host with a past, enrolled."""
    prepare(systemd_host)
    enrol(systemd_host, dashboard)
    yield systemd_host
    forget(systemd_host)


def start(host: Host, job: str) -> None:
    host.run(f"systemctl start {job}", check=False)


def report(host: Host) -> None:
    # Of six starts within ten seconds systemd would refuse the last.
    host.run("systemctl reset-failed resthouse-agent.service", check=False)
    host.run("systemctl start resthouse-agent.service")


def test_enrolment_tells_the_past_of_a_job_that_knows_nothing_of_it(
    host: Host, dashboard: FakeDashboard
) -> None:
    first = dashboard.ended("restic-backup")[0]

    assert (first["exit_code"], first["signal"], first["result"]) == (0, "", "success")
    assert first["arguments"] == ["/usr/bin/restic", "backup", "--json", "/srv/files"]
    assert first["repository"] == "/srv/repo"
    # Root alone reads where it goes and which file it trusts; what is in that, everybody.
    assert first["trust"] == AUTHORITY.chain
    assert '"message_type":"summary"' in first["output"]
    assert first["restic"] == host.run("restic version").stdout.split()[1]


def test_units_are_told_with_their_text_their_score_and_their_timer(
    host: Host, dashboard: FakeDashboard
) -> None:
    unit = dashboard.units()["restic-backup.service"]

    assert "ExecStart=/usr/bin/restic backup" in unit["text"]
    assert (unit["mode"], unit["needs_reload"]) == ("online", False)
    assert (unit["unknown_users"], unit["changed"] < dashboard.reports[0]["sent"]) == ([], True)
    rows, _ = json.JSONDecoder().raw_decode(unit["security"])
    assert {"weight", "badness", "range", "json_field"} <= set(rows[0])
    assert unit["timer"]["name"] == "restic-backup.timer"
    assert unit["timer"]["schedule"] == "*-*-* 02:30:00"
    assert (unit["timer"]["persistent"], unit["timer"]["state"]) == (True, "enabled")
    assert unit["timer"]["next"] > dashboard.reports[0]["sent"]
    assert "resthouse-agent.service" in dashboard.units()


def test_the_agent_itself_is_hardened_and_cannot_read_what_root_can(host: Host) -> None:
    host.run("systemd-analyze security --no-pager --threshold=15 resthouse-agent.service")
    host.run("systemd-analyze security --no-pager --threshold=15 resthouse-report@x.service")

    assert host.run("stat -c %a:%U /etc/resthouse/agent.json").stdout == "600:root\n"
    assert host.run("stat -c %a:%U /var/lib/resthouse-agent").stdout == "700:resthouse-agent\n"
    assert host.run("systemctl is-enabled resthouse-agent.timer").stdout == "enabled\n"


@pytest.mark.parametrize(
    ("job", "expected"),
    [
        ("restic-backup", (0, "", "success")),
        ("restic-partly", (3, "", "exit-code")),
        ("restic-killed", (None, "KILL", "signal")),
        ("restic-slow", (None, "TERM", "timeout")),
        ("restic-nobody", (217, "", "exit-code")),
        ("restic-gone", (203, "", "exit-code")),
        ("restic-leaky", (1, "", "exit-code")),
    ],
)
def test_a_run_is_told_as_soon_as_it_ends_and_as_it_ended(
    host: Host, dashboard: FakeDashboard, job: str, expected: tuple[int | None, str, str]
) -> None:
    before = len(dashboard.runs(job))

    start(host, job)

    dashboard.wait(lambda: len(dashboard.runs(job)) > before)
    run = dashboard.runs(job)[-1]
    assert (run["exit_code"], run["signal"], run["result"]) == expected
    assert run["finished"]


def tell_of_starts_that_came_to_nothing(host: Host, dashboard: FakeDashboard) -> None:
    """A skip is no invocation: each is a run of its own, with the words of systemd."""
    host.run("mkdir -p /srv/disk; systemctl start restic-unmet; rmdir /srv/disk")
    for job in ("restic-unmet", "restic-unmet", "restic-unsure"):
        start(host, job)
    # The journal may be a moment behind.
    dashboard.wait(lambda: report(host) or len(dashboard.ended("restic-unmet")) == 3)

    runs = sorted(dashboard.ended("restic-unmet"), key=lambda run: run["started"])
    ends = [(run["exit_code"], run["result"]) for run in runs]
    skipped = [dashboard.ended(job)[-1] for job in ("restic-unmet", "restic-unsure")]
    assert ends == [(0, "success"), (None, "condition"), (None, "condition")]
    for run, word in zip(skipped, ("condition", "Assertion"), strict=True):
        assert word.lower() in run["output"].lower()
        assert run["result"] == "condition"
        assert run["started"] == run["finished"]
        assert run["arguments"][1] == "backup"


def tell_what_became_of_the_timer(host: Host, dashboard: FakeDashboard) -> None:
    """Masked, removed, and back."""
    file = "/etc/systemd/system/restic-backup.timer"
    told = []
    for change in (f"rm {file}; ln -s /dev/null {file}", f"rm {file}"):
        host.run(f"systemctl disable --now restic-backup.timer; {change}; systemctl daemon-reload")
        report(host)
        told.append(dashboard.units()["restic-backup.service"]["timer"])
    host.write(file, TIMER)
    host.run("systemctl daemon-reload; systemctl enable --now restic-backup.timer")
    report(host)
    told.append(dashboard.units()["restic-backup.service"]["timer"])

    masked, removed, back = told
    assert (masked["name"], masked["state"]) == ("restic-backup.timer", "masked")
    assert (masked["next"], removed) == (None, None)
    assert (back["state"], back["schedule"]) == ("enabled", "*-*-* 02:30:00")


@pytest.mark.parametrize(
    "look", [tell_of_starts_that_came_to_nothing, tell_what_became_of_the_timer]
)
def test_why_no_backup_ran_is_told(
    host: Host, dashboard: FakeDashboard, look: Callable[[Host, FakeDashboard], None]
) -> None:
    look(host, dashboard)


def test_a_job_that_came_later_gets_its_hook_by_one_command(
    host: Host, dashboard: FakeDashboard
) -> None:
    add_job(host, "restic-later", "/usr/bin/restic backup --json /srv/files")
    host.run("systemctl daemon-reload")

    host.run("/usr/local/sbin/resthouse-agent hook")
    start(host, "restic-later")

    # The timer of the agent is minutes away.
    [run] = dashboard.ended("restic-later")
    assert (run["exit_code"], run["repository"]) == (0, "/srv/repo")


def test_root_is_led_nowhere_by_links_in_the_folder_of_the_agent(
    host: Host, dashboard: FakeDashboard
) -> None:
    """The agent's user owns its folder: what root does there, it does as that user."""
    spool, agent = "/var/lib/resthouse-agent/spool", "/usr/local/sbin/resthouse-agent"
    host.run("install -d -m 700 /root/trap; echo kept >/root/trap/run-0.new")
    host.run("touch -t 0001010000 /root/trap/run-0.new")
    host.run(f"mv {spool} {spool}.away && ln -s /root/trap {spool}")

    done = host.run(f"{agent} run wrapped -- sh -c 'id -u; exit 7'", check=False)
    others = [host.run(f"{agent} {verb}", check=False) for verb in ("report", "flush")]

    host.run(f"rm {spool}; mv {spool}.away {spool}")
    assert (done.stdout, done.returncode) == ("0\n", 7)
    assert [other.returncode for other in others] == [1, 1]
    assert host.run("ls /root/trap; cat /root/trap/*").stdout == "run-0.new\nkept\n"
    # Without the link, the wrapped command of root is told by the agent's user.
    host.run(f"{agent} run wrapped -- sh -c 'exit 7'", check=False)
    assert dashboard.ended("wrapped")[-1]["exit_code"] == 7
    assert host.run(f"find {spool} -user root").stdout == ""


def test_what_was_told_is_not_told_again(host: Host, dashboard: FakeDashboard) -> None:
    report(host)

    before = dashboard.runs()
    report(host)

    assert dashboard.runs() == before
    assert dashboard.reports[-1]["units"] == []
    keys = [run["key"] for run in before if run["finished"]]
    assert len(keys) == len(set(keys))


def test_a_run_that_is_still_going_on_is_told_as_such(host: Host, dashboard: FakeDashboard) -> None:
    add_job(host, "restic-long", "/bin/sh -c 'restic snapshots; exec sleep 999'")
    host.run("systemctl daemon-reload; systemctl start --no-block restic-long")
    host.run("until pgrep -f 'sleep [9]99'; do sleep 0.1; done")

    report(host)
    running = dashboard.runs("restic-long")[-1]
    host.run("systemctl stop restic-long")
    report(host)
    stopped = dashboard.runs("restic-long")[-1]

    assert (running["finished"], running["exit_code"], running["result"]) == (None, None, "")
    assert running["key"] == stopped["key"]
    assert (stopped["exit_code"], stopped["signal"], stopped["result"]) == (None, "TERM", "signal")


def test_a_new_job_is_found_without_being_named(host: Host, dashboard: FakeDashboard) -> None:
    host.write("/usr/local/bin/nightly", "#!/bin/sh\nrestic backup -v /srv/files\n", 0o755)
    add_job(host, "restic-scripted", "/usr/local/bin/nightly")
    host.run("systemctl daemon-reload; systemctl start restic-scripted")

    report(host)

    assert dashboard.runs("restic-scripted")[-1]["exit_code"] == 0
    assert dashboard.runs("restic-scripted")[-1]["arguments"][:2] == ["restic", "backup"]


def test_what_only_looks_like_a_job_is_none(host: Host, dashboard: FakeDashboard) -> None:
    host.write("/usr/local/bin/daemon", "#!/bin/sh\nrestic snapshots\nexec sleep 998\n", 0o755)
    add_job(host, "restic-daemon", "/usr/local/bin/daemon", "Type=simple")
    add_job(host, "restic-server", "/bin/echo rest-server --path /srv/restic")
    host.run("systemctl daemon-reload; systemctl start restic-daemon restic-server")
    host.run("until pgrep -f 'sleep [9]98'; do sleep 0.1; done")

    report(host)

    host.run("systemctl stop restic-daemon")
    assert {"restic-daemon", "restic-server"}.isdisjoint(run["job"] for run in dashboard.runs())
    assert {"restic-daemon.service", "restic-server.service"}.isdisjoint(dashboard.units())


def test_a_changed_unit_is_told_anew(host: Host, dashboard: FakeDashboard) -> None:
    lines = "[Service]\nPrivateTmp=yes\nSupplementaryGroups=daemon ghosts\n"
    host.write("/etc/systemd/system/restic-gone.service.d/x.conf", lines)

    report(host)
    stale = dashboard.units()["restic-gone.service"]
    before = datetime.now(UTC)
    host.run("systemctl daemon-reload")
    after = datetime.now(UTC)
    report(host)
    fresh = dashboard.units()["restic-gone.service"]

    assert (stale["needs_reload"], stale["changed"]) == (True, None)
    assert fresh["needs_reload"] is False
    assert "PrivateTmp=yes" in fresh["text"]
    # The moment from which on its runs are others.
    assert before <= datetime.fromisoformat(fresh["changed"]) <= after
    assert fresh["unknown_users"] == ["ghosts"]
    host.run("groupadd ghosts")
    report(host)
    assert dashboard.units()["restic-gone.service"]["unknown_users"] == []
    host.run("groupdel ghosts")


def test_while_the_dashboard_is_away_nothing_is_lost_and_no_backup_fails(
    host: Host, dashboard: FakeDashboard
) -> None:
    dashboard.refuse = lambda report: 503
    told = len(dashboard.runs())
    for _ in range(3):
        host.run("systemctl start restic-backup")
    host.write("/var/lib/resthouse-agent/spool/run-0.json.0.new", '{"runs": {"key"')
    # Once more by root, who must not leave files that the agent's own user cannot read.
    host.run("/usr/local/sbin/resthouse-agent report")
    assert host.run("systemctl is-failed resthouse-agent", check=False).stdout == "inactive\n"

    dashboard.refuse = lambda report: 0
    report(host)

    late = dashboard.runs()[told:]
    assert [run["job"] for run in late] == ["restic-backup"] * 3
    assert len({run["key"] for run in late}) == 3
    moments = [moment for run in late for moment in (run["started"], run["finished"])]
    assert moments == sorted(moments)
    assert datetime.fromisoformat(moments[-1]) < datetime.fromisoformat(
        dashboard.reports[-1]["sent"]
    )
    assert "0 in /var/lib" in host.run("/usr/local/sbin/resthouse-agent status").stdout


def test_no_secret_has_left_the_host(host: Host, dashboard: FakeDashboard) -> None:
    told = json.dumps(dashboard.reports)

    assert SECRET not in told
    assert KEY not in told
    assert "PRIVATE KEY" not in told
    assert "rest:http://alice:***@127.0.0.1:1/" in told


def test_removed_it_leaves_the_backups_as_they_were(host: Host, dashboard: FakeDashboard) -> None:
    host.run("/usr/local/sbin/resthouse-agent remove")

    left = host.run("grep -rl resthouse /etc/systemd /run/systemd/generator", check=False).stdout
    assert left == ""
    assert "resthouse" not in host.run("systemctl list-timers --all").stdout
    assert host.run("systemctl show -p DropInPaths restic-backup").stdout == "DropInPaths=\n"
    host.run("systemctl start restic-backup")
    assert host.run("test -e /etc/resthouse/agent.json").returncode == 0
    enrol(host, dashboard)


@pytest.mark.parametrize(("suite", "trust"), [("bullseye", "--cacert"), ("trixie", "--pin")])
def test_other_releases_report_as_well_over_a_line_that_they_trust(
    systemd_hosts: Callable[[str], Host], tmp_path: Path, suite: str, trust: str
) -> None:
    other, certificate = systemd_hosts(suite), tmp_path / "certificate.pem"
    prepare(other)
    pair = make_certificate(AUTHORITY, ["127.0.0.1"])
    certificate.write_text(pair.key + pair.chain)
    with serve() as dashboard:
        url = dashboard.speak_tls(certificate)
        pin = pin_shown_at(url, timeout=5)
        enrol(other, dashboard, f"{trust} {'/etc/restic/ca.pem' if trust == '--cacert' else pin}")
        start(other, "restic-killed")
        report(other)

        ends = [
            (run["job"], run["exit_code"], run["signal"])
            for run in dashboard.runs()
            if run["finished"]
        ]
        assert ends == [("restic-backup", 0, ""), ("restic-killed", None, "KILL")]
        tell_of_starts_that_came_to_nothing(other, dashboard)
        tell_what_became_of_the_timer(other, dashboard)
        scored = other.run("systemd-analyze security --no-pager resthouse-agent.service").stdout
        assert re.search(r"Overall exposure level for .*: (0\.\d|1\.[0-5]) ", scored)
        forget(other)
