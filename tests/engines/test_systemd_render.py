"""Drop-ins and whole units, judged by systemd-analyze itself."""

import shlex
import shutil

import pytest

from backups.engines import systemd
from backups.engines.errors import EngineError
from backups.engines.systemd_choices import BY_ITSELF, CHOICES, is_advised, version_of
from backups.engines.systemd_dropin import (
    chosen_in,
    commands,
    literal,
    place_of,
    poisoned,
    quoted,
    render,
    split_cat,
)
from backups.engines.systemd_render import Plan, address_in, report, service, timer
from tests.rig import missing

SERVER = ("192.0.2.10",)
PLAIN = "[Service]\nType=oneshot\nExecStart=/usr/bin/restic backup /\n"
CAT = f"""\
# /etc/systemd/system/backup.service
{PLAIN}
# /etc/systemd/system/backup.service.d/50-hardening.conf
# /etc/systemd/system/backup.service.d/50-hardening.conf
[Service]
ProtectHome=read-only
UMask=0077

# /etc/systemd/system/backup.service.d/60-resthouse.conf
[Unit]
OnFailure=resthouse-report@%N:failure.service
"""


@pytest.fixture(scope="session", autouse=True)
def systemd_analyze():
    return shutil.which("systemd-analyze") or missing(
        "Install systemd for systemd-analyze: apt-get install systemd."
    )


def advised(version=252, addresses=SERVER):
    keys = {k for k, c in CHOICES.items() if is_advised(c, version, addresses=addresses)}
    return keys - BY_ITSELF


@pytest.mark.parametrize(("version", "hooks"), [(247, 1), (252, 2), (257, 2)])
def test_a_whole_unit_is_closed_and_has_no_wrong_line(version, hooks):
    plan = Plan(systemd=version, paths=("/home", "/srv/a b"), addresses=SERVER, has_agent=True)

    text = service(plan)
    score = systemd.score_unit(text, name="restic-backup.service")

    assert (score.exposure, score.findings) == (15, ())
    assert text.count("resthouse-report@%N:") == hooks
    assert '  /home "/srv/a b"\n' in text


def test_only_a_systemd_that_knows_it_gets_the_line_of_a_newer_one():
    old, new = (set(service(Plan(systemd=version)).splitlines()) for version in (257, 258))

    assert new - old == {"PrivateUsers=full"}


def test_a_certificate_and_options_are_written_as_systemd_reads_them():
    plan = Plan(certificate="/etc/my ca%.pem", options=("--exclude", "/srv/a b", "--tag=%H"))

    text = service(plan)

    # In quotes, systemd would take the path of a credential for no path.
    assert "LoadCredential=ca.pem:/etc/my ca%%.pem\n" in text
    assert '  --exclude "/srv/a b" --tag=%H --exclude=/proc ' in text
    assert systemd.score_unit(text).findings == ()


def test_the_whole_machine_is_backed_up_without_what_is_made_up():
    assert "--exclude=/proc " in service(Plan())
    assert "--exclude" not in service(Plan(paths=("/home",))).replace("--exclude-caches", "")


def test_a_unit_for_a_server_by_name_keeps_every_address_open():
    text = service(Plan(addresses=()))

    assert "IPAddress" not in text
    assert systemd.score_unit(text).exposure <= 16


def test_the_timer_has_the_schedule_and_the_report_is_closed_further():
    assert "OnCalendar=Mon *-*-* 03:15\n" in timer(Plan(schedule="Mon *-*-* 03:15"))

    score = systemd.score_unit(report(Plan(systemd=252)), name="resthouse-report@.service")

    assert score.exposure <= 13
    # It backs nothing up, so that nothing is lost by what is hidden from it.
    assert score.findings == ()


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"addresses": ("backup.example.org",)}, "takes numbers, not names"),
        ({"systemd": 239}, "Credentials came with systemd 247"),
        ({"paths": ("home",)}, "paths begin with a slash"),
        ({"paths": ()}, "Say at least one path"),
        ({"paths": ("/a\nUser=root",)}, "control characters"),
        ({"certificate": "/a\nUser=root"}, "control characters"),
        ({"certificate": "ca.pem"}, "begins with a slash"),
        ({"schedule": "daily\n[Service]"}, "no OnCalendar"),
        ({"name": "../evil"}, "The name of a unit"),
        ({"name": "--now"}, "The name of a unit"),
        ({"name": "bäckup"}, "The name of a unit"),
        ({"options": ("--tag=a\nUser=root",)}, "control characters"),
        ({"paths": (), "options": ("--tag", "a")}, "Say at least one path"),
    ],
)
def test_what_would_make_a_wrong_unit_is_refused(fields, reason):
    with pytest.raises(EngineError, match=reason):
        service(Plan(**fields))


def test_systemd_itself_judges_a_schedule():
    systemd.check_schedule("*-*-* 02:30:00")
    for wrong in ("sometimes", "--version", "daily\n[Service]"):
        with pytest.raises(EngineError, match="no schedule"):
            systemd.check_schedule(wrong)


def test_the_drop_in_takes_a_plain_unit_of_root_to_what_was_measured():
    dropin = render(advised(), unit="backup.service", text=PLAIN, addresses=SERVER)

    before, after = systemd.score_unit(PLAIN), systemd.score_unit(PLAIN, dropin=dropin)

    assert (before.exposure, after.exposure, after.findings) == (96, 18, ())


def test_lists_of_the_unit_are_begun_anew():
    wrong = f"{PLAIN}RestrictAddressFamilies=yes\nSystemCallFilter=@debug\nIPAddressDeny=any\n"
    wrong += "IPAddressAllow=203.0.113.0/24\nCapabilityBoundingSet=CAP_FOO CAP_SYS_ADMIN\n"

    dropin = render(advised(), unit="backup.service", text=wrong, addresses=SERVER)
    score = systemd.score_unit(wrong, dropin=dropin)

    assert score.exposure == 18
    assert poisoned(wrong) == ("RestrictAddressFamilies",)
    assert "RestrictAddressFamilies=\nRestrictAddressFamilies=AF_INET AF_INET6\n" in dropin
    assert dropin.count("SystemCallFilter=\n") == 1


def test_nothing_chosen_is_no_drop_in():
    assert render([], unit="backup.service") == ""
    assert render(["IPAddressDeny"], unit="backup.service", addresses=()) == ""


def test_a_local_repository_and_a_cache_of_its_own_stay_writable():
    text = f"{PLAIN}Environment=RESTIC_CACHE_DIR=/srv/cache\n"

    dropin = render(["ProtectSystem"], unit="a.service", text=text, writable=["/srv/re po"])

    assert dropin.splitlines()[2:] == [
        "ProtectSystem=strict",
        "ReadWritePaths=-/srv/cache",
        'ReadWritePaths="/srv/re po"',
        "ReadWritePaths=/tmp /var/tmp",
    ]


def test_what_was_installed_is_told_from_the_unit_and_lines_keep_their_numbers():
    base, own = split_cat(CAT)

    assert chosen_in(own) == {"ProtectHome", "UMask"}
    assert "ProtectHome" not in base
    for line in ("ExecStart=/usr/bin/restic backup /", "[Unit]"):
        assert base.split("\n").index(line) == CAT.split("\n").index(line)
    assert split_cat(PLAIN) == (PLAIN, "")


@pytest.mark.parametrize(
    ("line", "place"),
    [
        (4, ("/etc/systemd/system/backup.service", 3)),
        (9, ("/etc/systemd/system/backup.service.d/50-hardening.conf", 3)),
        (13, ("/etc/systemd/system/backup.service.d/60-resthouse.conf", 1)),
    ],
)
def test_a_line_of_systemctl_cat_is_found_in_its_own_file(line, place):
    assert place_of(CAT, line) == place


def test_every_choice_is_in_the_drop_in_that_it_is_read_from():
    for key in CHOICES.keys() - BY_ITSELF:
        assert key in chosen_in(render([key], unit="a.service", addresses=SERVER))


def test_commands_install_verify_and_undo_and_quote_a_hostile_name():
    dropin = render(["UserOrDynamicUser"], unit="a.service")

    safe, hostile = commands(dropin, "a.service"), commands(dropin, "a;'reboot'.service")

    assert safe.install.startswith("echo 'u restic - \"restic backup\"' | systemd-sysusers -\n")
    assert f"<<'END'\n{dropin}END\nsystemctl daemon-reload" in safe.install
    assert safe.undo.startswith("rm /etc/systemd/system/a.service.d/50-hardening.conf\n")
    words = shlex.split(hostile.verify)
    assert words.count("a;'reboot'.service") == 2
    assert "--unit=a;'reboot'.service" in words
    # Nor is a name taken for an option.
    assert "systemctl start -- --now.service\n" in commands(dropin, "--now.service").verify


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("rest:https://10.4.0.12:8000/web/", ("10.4.0.12",)),
        ("rest:http://u:p@[fd00::1]:8000/", ("fd00::1",)),
        ("rest:https://rest.example.org/", ()),
        ("rest:http://999.1.1.1/", ()),
        ("/srv/repo", ()),
        ("", ()),
    ],
)
def test_an_address_is_taken_where_it_is_a_number(url, found):
    assert address_in(url) == found


def test_words_are_quoted_as_systemd_reads_them():
    assert quoted("/srv/a b%c\\d") == '"/srv/a b%%c\\\\d"'
    assert literal(["10.0.0.0/8", "::1", "10.0.0.1", "::1"]) == ("10.0.0.0/8", "::1", "10.0.0.1")


@pytest.mark.parametrize(
    ("words", "number"),
    [("252 (252.39-1~deb12u1)", 252), ("257.13", 257), ("systemd 247", 247), ("", 0), ("v1", 0)],
)
def test_the_version_is_the_number_in_what_a_host_says(words, number):
    assert version_of(words) == number
