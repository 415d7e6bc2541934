"""The new unit for what an old one does."""

import pytest

from backups.engines import systemd
from backups.engines.systemd_render import service
from backups.models import Host, Unit
from backups.queries.whole_unit import is_known, left_out_of, plan_of

pytestmark = pytest.mark.django_db


def unit_of(*lines: str, name: str = "backup.service") -> Unit:
    text = "\n".join(["[Service]", *lines, ""])
    return Unit(host=Host(name="web-01", systemd="252 (252.39)"), name=name, text=text)


def test_what_is_left_out_and_by_which_tag_stays_and_secrets_do_not():
    plan = plan_of(
        unit_of(
            "ExecStart=/usr/bin/restic unlock",
            "ExecStart=/usr/bin/restic -r rest:https://u:***@h/ --cacert /etc/ca.pem backup \\",
            "  --exclude=/srv/cache --iexclude '*.TMP file' --tag nightly -x --host ${NAME} \\",
            "  --password-command *** /srv /var/lib/100%%",
            "ExecStart=/usr/bin/restic forget --prune --keep-daily 7",
        )
    )

    assert plan.paths == ("/srv", "/var/lib/100%")
    assert plan.certificate == "/etc/ca.pem"
    assert plan.options == (
        *("--exclude=/srv/cache", "--iexclude", "*.TMP file", "--tag", "nightly", "-x"),
    )
    assert systemd.score_unit(service(plan)).findings == ()


def test_what_the_new_unit_will_not_do_is_named():
    unit = unit_of(
        "ExecStartPre=/usr/bin/pg_dumpall -f /srv/all.sql",
        "ExecStart=/usr/bin/restic backup /srv",
        "ExecStart=/usr/bin/restic forget --prune",
    )

    assert (is_known(unit), left_out_of(unit)) == (True, ["restic forget", "pg_dumpall"])


@pytest.mark.parametrize(
    ("line", "paths", "known"),
    [
        ("ExecStart=/usr/local/bin/backup.sh", ("/",), False),
        ("ExecStart=/usr/bin/restic backup $WHAT", ("/",), False),
        ("ExecStart=/usr/bin/restic backup /srv/%i", ("/",), False),
        ("ExecStart=/usr/bin/restic backup --files-from /etc/list", (), True),
        ("ExecStart=/bin/sh -c 'restic backup /home; restic check'", ("/home",), True),
    ],
)
def test_what_nobody_can_tell_is_the_whole_machine_and_is_said(line, paths, known):
    unit = unit_of(line)

    assert (plan_of(unit).paths, is_known(unit)) == (paths, known)


def test_a_name_of_a_host_makes_a_name_that_is_no_option():
    assert plan_of(unit_of(name="--now.service")).name == "now"
    assert plan_of(unit_of(name="backup@home\\x2d1.service")).name == "backup-home-x2d1"
