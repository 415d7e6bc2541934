import json
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backups.engines import restic

SAMPLES = Path(__file__).parents[1] / "samples" / "restic"

OK = ("succeeded", "")
SNAPSHOT = ("succeeded", "Snapshot")
REACH = ("failed", "could not be reached")
KILLED = ("failed", "killed")
STOPPED = ("cancelled", "stopped")
LOCKED = ("failed", "lock")
FORBIDDEN = ("failed", "append-only")
UNAUTHORIZED = ("failed", "refused the user")
DAMAGED = ("failed", "contains errors")

# Case by case: what restic 0.14, 0.18 and 0.19 ended with, and what it is to be called.
TABLE = {
    "backup-success": ((0, 0, 0), SNAPSHOT),
    "backup-verbose": ((0, 0, 0), SNAPSHOT),
    "backup-nothing-changed": ((0, 0, 0), SNAPSHOT),
    "backup-server-restart": ((0, 0, 0), SNAPSHOT),
    "backup-after-sigkill-stale-shared-lock": ((0, 0, 0), SNAPSHOT),
    "backup-skip-unchanged": ((None, 0, 0), ("succeeded", "Nothing changed")),
    "backup-dryrun": ((0, 0, 0), ("warning", "dry run")),
    "backup-unreadable": ((3, 3, 3), ("warning", "2 files could not be read")),
    "backup-missing-path": ((0, 0, 3), ("warning", "without /srv/files/nope")),
    "backup-all-missing": ((1, 1, 1), ("failed", "None of the paths")),
    "backup-http401": ((1, 1, 1), UNAUTHORIZED),
    "backup-http401-foreign": ((1, 1, 1), UNAUTHORIZED),
    "backup-locked": ((1, 11, 11), LOCKED),
    "backup-wrong-password": ((1, 12, 12), ("failed", "password is wrong")),
    "backup-server-down": ((1, 124, 124), REACH),
    "backup-server-down-full": ((None, 1, 1), REACH),
    "backup-sigint": ((130, 1, 130), STOPPED),
    "backup-sigterm": ((143, 1, 130), STOPPED),
    "backup-sigkill": ((137, 137, 137), KILLED),
    "norepo": ((1, 10, 10), ("failed", "no repository")),
    "forget": ((0, 0, 0), OK),
    "forget-dry": ((0, 0, 0), OK),
    "forget-prune": ((0, 0, 0), OK),
    "forget-empty-repo": ((0, 0, 0), OK),
    "forget-appendonly": ((1, 0, 3), FORBIDDEN),
    "forget-blocked-by-stale-lock": ((1, 11, 11), LOCKED),
    "prune": ((0, 0, 0), OK),
    "prune-blocked-by-stale-lock": ((1, 11, 11), LOCKED),
    "check": ((0, 0, 0), OK),
    # Flipped bytes in a pack: only --read-data sees them.
    "check-damaged": ((0, 0, 0), OK),
    "check--read-data-damaged": ((1, 1, 1), DAMAGED),
    "check-missing-pack": ((1, 1, 1), DAMAGED),
    "restore": ((0, 0, 0), OK),
    "copy": ((0, 0, 0), OK),
    "init": ((0, 0, 0), OK),
    "keylist": ((0, 0, 0), OK),
    "snapshots": ((0, 0, 0), OK),
    "stats": ((0, 0, 0), OK),
    "stats-raw": ((0, 0, 0), OK),
    "unlock": ((0, 0, 0), OK),
}
RUNS = [
    (version, case, code, *expected)
    for case, (codes, expected) in TABLE.items()
    for version, code in zip(("0.14", "0.18", "0.19"), codes, strict=True)
    if code is not None
]


def sample(version: str, case: str, stream: str) -> str:
    path = SAMPLES / f"{version}-{case}.{stream}"
    return path.read_text() if path.exists() else ""


def parsed(version: str, case: str) -> restic.Output:
    return restic.parse_output(sample(version, case, "ndjson") + sample(version, case, "stderr"))


def judged(kind="backup", exit_code=0, signal="", result="", version="0.18.0", text=""):
    return restic.judge(
        kind=kind,
        exit_code=exit_code,
        signal=signal,
        result=result,
        version=version,
        output=restic.parse_output(text),
    )


@pytest.mark.parametrize(("version", "case", "code", "status", "words"), RUNS)
def test_every_recorded_run_is_called_what_it_was(version, case, code, status, words):
    kind = restic.kind_of(["restic", "backup" if case == "norepo" else case.split("-")[0]])

    judgement = restic.judge(
        kind=kind,
        exit_code=code,
        signal="",
        result="",
        version=version,
        output=parsed(version, case),
    )

    assert judgement.status == status
    assert words in judgement.sentence


def test_the_table_knows_every_sample_and_every_recorded_exit_code():
    names = {path.name.removesuffix(path.suffix) for path in SAMPLES.glob("0.*")}
    recorded = {
        name: int(code.removeprefix("rc="))
        for name in names
        if (code := sample(*name.split("-", 1), "rc").strip())
    }
    table = {f"{version}-{case}": code for version, case, code, *_ in RUNS}

    assert names <= table.keys()
    assert recorded.items() <= table.items()


@pytest.mark.parametrize(("version", "length"), [("0.14", 8), ("0.18", 64), ("0.19", 64)])
def test_the_summary_is_read_as_restic_counted_it(version, length):
    summary = parsed(version, "backup-success").summary

    assert (summary.files_new, summary.files_processed) == (3, 3)
    assert summary.bytes_processed == 400_003
    assert 403_190 <= summary.bytes_added <= 403_192
    assert 0 < summary.seconds < 1
    assert len(summary.snapshot_id) == length


def test_a_skipped_backup_has_a_summary_without_id_and_without_an_absurd_duration():
    summary = parsed("0.18", "backup-skip-unchanged").summary

    assert (summary.snapshot_id, summary.seconds, summary.files_unmodified) == ("", 0.0, 3)


def test_a_dry_run_has_no_snapshot_though_restic_prints_an_id():
    summary = parsed("0.19", "backup-dryrun").summary

    assert (summary.snapshot_id, summary.is_dry_run) == ("", True)


def test_the_progress_is_the_last_one_told():
    progress = parsed("0.18", "backup-sigterm").progress

    assert round(progress.percent, 2) == 7.69
    assert (progress.bytes_done, progress.total_bytes) == (115_283_861, 1_500_000_000)
    assert progress.seconds_left == 24


@pytest.mark.parametrize("version", ["0.14", "0.18", "0.19"])
def test_a_directory_that_scan_and_archiver_complain_of_counts_once(version):
    output = parsed(version, "backup-unreadable")

    assert {error.item for error in output.errors} == {"/srv/us/d/nodir", "/srv/us/d/secret"}
    secret = next(error for error in output.errors if error.item.endswith("secret"))
    assert "permission denied" in secret.message


def test_plain_lines_among_the_json_are_kept_and_go_stacks_are_not():
    lines = parsed("0.19", "forget-appendonly").lines

    assert "failed to remove one or more snapshots" in lines
    assert not any("github.com" in line or "runtime." in line for line in lines)


TEXT = """\
using parent snapshot a25349c4
error: Open: open src/no: permission denied
error: open src/secret: permission denied

Files:           5 new,     1 changed,     2 unmodified
Dirs:            0 new,     1 changed,     1 unmodified
Added to the repository: 1.500 MiB (289 B stored)

processed 8 files, 2.861 GiB in 1:02:03
snapshot a4e05b3c saved
Warning: at least one source file could not be read
"""


def test_the_output_without_json_tells_the_same():
    output = restic.parse_output(TEXT)

    assert output.summary == restic.Summary(
        snapshot_id="a4e05b3c",
        files_new=5,
        files_changed=1,
        files_unmodified=2,
        files_processed=8,
        bytes_added=1_572_864,
        bytes_processed=round(2.861 * 1024**3),
        seconds=3723.0,
    )
    assert [error.item for error in output.errors] == ["src/no", "src/secret"]
    assert judged(exit_code=3, text=TEXT).status == "warning"


@pytest.mark.parametrize(
    ("arguments", "kind"),
    [
        (["/usr/bin/restic", "-r", "backup", "--json", "forget", "--prune"], "forget"),
        (["restic", "backup", "/", "--exclude=/proc"], "backup"),
        (["restic", "backup", "-n", "/"], "other"),
        (["nice", "-n", "10", "restic", "backup", "/"], "backup"),
        (["/bin/sh", "-c", "restic -r x check && true"], "check"),
        (["prune"], "prune"),
        (["restic", "snapshots"], "other"),
        (["/usr/local/bin/nightly.sh"], "other"),
        ([], "other"),
    ],
)
def test_the_kind_of_a_run_is_its_command(arguments, kind):
    assert restic.kind_of(arguments) == kind


@pytest.mark.parametrize(
    ("end", "status", "words"),
    [
        ({"exit_code": None, "signal": "TERM", "result": "timeout"}, "failed", "time limit"),
        ({"exit_code": None, "signal": "KILL", "result": "oom-kill"}, "failed", "memory"),
        ({"exit_code": None, "signal": "SIGKILL", "result": "signal"}, "failed", "killed"),
        ({"exit_code": None, "signal": "TERM", "result": "signal"}, "cancelled", "stopped"),
        ({"exit_code": 203, "result": "exit-code"}, "failed", "cannot be executed (status 203)"),
        ({"exit_code": 217, "result": "exit-code"}, "failed", "user does not exist"),
        ({"exit_code": 226, "result": "exit-code"}, "failed", "namespaces"),
        ({"exit_code": 243, "result": "exit-code"}, "failed", "credentials"),
        ({"exit_code": None, "result": "exit-code"}, "failed", "Another command"),
        ({"exit_code": 0, "result": "exit-code", "text": TEXT}, "warning", "Another command"),
        ({"exit_code": None, "result": "exec-condition"}, "cancelled", "condition"),
        ({"exit_code": None}, "failed", "never told its end"),
        ({"exit_code": 99}, "failed", "exit code 99"),
        ({"exit_code": 2, "text": "panic: runtime error"}, "failed", "crashed"),
        ({"exit_code": 0, "text": "all is well"}, "warning", "names a snapshot"),
        ({"exit_code": 1, "text": "Fatal: x509: certificate has expired"}, "failed", "trust"),
        ({"exit_code": 1, "text": "socket: address family not supported"}, "failed", "sockets"),
    ],
)
def test_systemd_and_signals_are_told_in_words(end, status, words):
    judgement = judged(**end)

    assert (judgement.status, words in judgement.sentence) == (status, True)


def test_a_lock_is_mentioned_where_the_version_leaves_one():
    old = judged(exit_code=143, version="0.14.0")
    new = judged(exit_code=143, version="0.18.0")

    assert "restic unlock" in old.advice
    assert new.advice == ""


LEAKS = [
    r'Fatal: parse "http://u0:Sesame/c Sesame@e\"Sesame@h:1/x/": invalid port ":Sesame" after host',
    'Fatal: parse "http://u0:a%Sesame@h/x/": invalid URL escape "%Sesame"',
    "rest:http://u0:1234/Sesame@h/x/",
    'Head "https://u0:Sesame@h/x": dial tcp: lookup u0',
    '{"message_type":"exit_error","code":1,"message":"parse \\"http://a:Sesame@h\\": '
    'invalid port \\":Sesame\\" after host"}',
    "RESTIC_PASSWORD=Sesame RESTIC_REST_PASSWORD='Sesame Sesame' restic",
    'AWS_SECRET_ACCESS_KEY="Sesame" restic',
    'Environment="RESTIC_PASSWORD=Sesame Sesame" A=b',
    "curl -H 'Authorization: Basic Sesame' https://h",
    "authorization: Sesame",
]


@pytest.mark.parametrize("line", LEAKS)
def test_secrets_are_masked_also_where_restic_quotes_what_it_could_not_parse(line):
    output = restic.parse_output(line)

    assert "Sesame" not in restic.redact(line)
    assert output.lines != ()
    assert "Sesame" not in repr(output)


@pytest.mark.parametrize(
    "line",
    [
        "rest:http://alice:***@127.0.0.1:18514/alice/pc/",
        "rest:https://backup.example.org:8000/alice@example.org/laptop",
        "snapshot 9a5db97b of [/srv] at 2026-11-23 by root@vm",
        "RESTIC_PASSWORD_FILE=/etc/restic/password",
        "http://127.0.0.1:8000/ and root@vm",
    ],
)
def test_what_is_no_secret_stays_readable(line):
    assert restic.redact(line) == line


passwords = st.text(
    st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp")), min_size=6, max_size=30
).map(lambda text: f"Sesame{text}Street")


@settings(deadline=None)
@given(password=passwords, before=st.text(), after=st.text())
def test_no_password_in_a_url_ever_gets_through(password, before, after):
    text = f"{before} rest:http://alice:{password}@backup.example.org:8000/x {after}"

    for seen in (restic.redact(text), repr(restic.parse_output(text))):
        assert "Sesame" not in seen
        assert "Street" not in seen


KEYS = (
    *("message_type", "message", "error", "item", "during", "action", "num_errors", "dry_run"),
    *("snapshot_id", "files_new", "total_duration", "total_bytes_processed", "percent_done"),
    *("current_files", "host", "keep", "remove"),
)
RETRY = (
    "Stat(<config/>) returned error, retrying after 3s: dial tcp 127.0.0.1:1: connection refused"
)


def test_a_time_limit_in_the_middle_of_retries_names_what_they_were_for():
    waited = judged(exit_code=1, result="timeout", text=f"{RETRY}\nsignal terminated received")
    slow = judged(exit_code=1, result="timeout", text="signal terminated received")

    assert waited.sentence.startswith("The server could not be reached.")
    assert slow.sentence == "systemd stopped the run at its time limit."


def test_a_run_that_waits_for_its_server_says_so_until_it_goes_on():
    begun = '{"message_type":"status","percent_done":0.5}'

    assert restic.trouble_of(restic.parse_output(RETRY)).endswith("restic tries again.")
    assert restic.trouble_of(restic.parse_output(f"{RETRY}\n{begun}")) == ""


def test_a_host_that_went_down_is_the_end_of_its_run():
    lost = judged(exit_code=None, result=restic.HOST_DOWN, text='{"message_type":"status"}')

    assert (lost.status, lost.sentence[:18]) == ("lost", "Its host went down")


def test_a_snapshot_without_a_cache_for_want_of_room_is_a_warning():
    said = "unable to open cache: write /srv/c/CACHEDIR.TAG: no space left on device"
    summary = json.dumps({"message_type": "summary", "snapshot_id": "5" * 64})

    assert judged(text=f"{said}\n{summary}").status == "warning"
    assert judged(text=summary).status == "succeeded"


messages = st.dictionaries(
    st.sampled_from(KEYS),
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats()
        | st.text()
        | st.sampled_from(["status", "summary", "error", "exit_error"]),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
        max_leaves=4,
    ),
)


@settings(deadline=None)
@given(st.lists(st.text() | messages, max_size=6))
def test_any_text_at_all_is_read_and_judged_without_an_exception(parts):
    text = "\n".join(part if isinstance(part, str) else json.dumps(part) for part in parts)

    output = restic.parse_output(text)

    for code in (0, 1, 3):
        restic.judge(
            kind="backup", exit_code=code, signal="", result="", version=text, output=output
        )
    repr(output).encode()


@pytest.mark.parametrize(
    "piece",
    [
        '{"message_type":"error","item":"a%d","error":{}}\n',
        '{"a":',
        "[{",
        "://u:",
        "PASSWORD",
        "://x:y@",
        "\"RESTIC_PASSWORD='",
        "error: open a: ",
        "\x1b[",
        "authorization: ",
        "a does not exist, skipping\n",
        "https://" + "a" * 300 + "\n",
    ],
)
def test_a_megabyte_of_anything_stays_bounded(piece):
    text = (piece * (1024 * 1024 // len(piece) + 1))[: 1024 * 1024]

    output = restic.parse_output(text)
    judgement = judged(exit_code=1, text=text)

    assert len(output.lines) <= 400
    assert max(map(len, output.lines), default=0) <= 1000
    assert len(output.errors) <= 200
    assert len(judgement.sentence) < 1000


def test_a_text_that_is_too_long_never_begins_inside_a_url():
    text = "rest:http://alice:" + "Sesame" * 200_000 + "@h/\nend"

    assert restic.parse_output(text).lines == ("end",)


def test_samples_hold_no_control_characters_after_parsing():
    for version, case, *_ in RUNS:
        assert not re.search(r"[\x00-\x08\x0b-\x1f]", "".join(parsed(version, case).lines))
