"""What a run's end means: restic's exit codes by version, signals and systemd's results."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from backups.engines import restic_causes
from backups.engines.restic_output import Output
from backups.engines.systemd_ends import NOT_STARTED, SYSTEMD_FAILURES

SUCCEEDED, WARNING, FAILED, CANCELLED = "succeeded", "warning", "failed", "cancelled"
LOST = "lost"
# The agent's own word, where systemd has none: the machine was started anew since.
HOST_DOWN = "host-down"

_MISSING_PATH = re.compile(r"(.+) does not exist, skipping$")
_INTERRUPTED = re.compile(r"signal (?:interrupt|terminated) received, cleaning up")
_RETRY = re.compile(r"returned error, retrying after ")
_NO_CACHE_FOR_WANT_OF_ROOM = re.compile(r"unable to open cache: .*no space left on device")
_FULL = re.compile(r"(?:write|open|mkdir|create|rename|sync) (/[^:]+): no space left on device")

_CAUSE_OF_CODE = {
    10: restic_causes.NO_REPOSITORY,
    11: restic_causes.LOCKED,
    12: restic_causes.WRONG_PASSWORD,
}


@dataclass(frozen=True, slots=True)
class Judgement:
    """How a run ended, why, and what helps."""

    status: str
    sentence: str
    advice: str = ""


@dataclass(frozen=True, slots=True)
class _End:
    """All that is known of a run's end."""

    kind: str
    exit_code: int | None
    signal: str
    result: str
    version: tuple[int, ...]
    output: Output

    @property
    def has_snapshot(self) -> bool:
        return self.output.summary is not None and bool(self.output.summary.snapshot_id)

    @property
    def was_interrupted(self) -> bool:
        return any(_INTERRUPTED.search(line) for line in self.output.lines[-20:])

    @property
    def missing_paths(self) -> list[str]:
        matches = (_MISSING_PATH.match(line) for line in self.output.lines)
        return [match[1] for match in matches if match]


def judge(
    *, kind: str, exit_code: int | None, signal: str, result: str, version: str, output: Output
) -> Judgement:
    """Success is an exit code of zero and, for a backup, the snapshot to show for it."""
    end = _End(
        kind=kind,
        exit_code=exit_code,
        signal=signal.upper().removeprefix("SIG"),
        result=result,
        version=tuple(int(part) for part in re.findall(r"\d{1,9}", version)[:3]),
        output=output,
    )
    rules: tuple[Callable[[_End], Judgement | None], ...] = (
        _judge_systemd,
        _judge_signal,
        _judge_success,
        _judge_partial,
    )
    for rule in rules:
        if judgement := rule(end):
            return judgement
    return _judge_failure(end)


def code_of(*, exit_code: int | None, result: str, lines: Sequence[str], kind: str) -> str:
    """A word for why a run did not end well; empty where nothing is known."""
    if result == "timeout" and (cause := _cause_of_retries(lines)):
        return cause.code
    if result in ("timeout", "start-limit-hit"):
        return result
    if result == HOST_DOWN:
        return restic_causes.LOCKED.code
    if result in ("exec-condition", "condition"):
        return "skipped"
    if exit_code in NOT_STARTED:
        return "not-started"
    if exit_code in _CAUSE_OF_CODE:
        return _CAUSE_OF_CODE[exit_code].code
    if any(_MISSING_PATH.match(line) for line in lines):
        return restic_causes.NO_SOURCES.code
    if exit_code == 3 and kind == "backup":
        return "unreadable"
    cause = restic_causes.find_cause(lines)
    return cause.code if cause else ""


def trouble_of(output: Output) -> str:
    """What keeps a run that goes on from its work; empty as soon as it has begun it."""
    cause = None if output.progress else _cause_of_retries(output.lines)
    return f"{cause.sentence} restic tries again." if cause else ""


def full_file(lines: Sequence[str]) -> str:
    """What could not be written for want of room."""
    found = (_FULL.search(line) for line in reversed(lines))
    return next((match[1] for match in found if match), "")


def _cause_of_retries(lines: Sequence[str]) -> restic_causes.Cause | None:
    """What restic was trying again to overcome when its output ended."""
    return restic_causes.find_cause([line for line in lines[-10:] if _RETRY.search(line)])


def _judge_systemd(end: _End) -> Judgement | None:
    if end.result == HOST_DOWN:
        return Judgement(
            LOST,
            "Its host went down in the middle of the run, by loss of power or a reset.",
            "The next run makes up for it. The lock that this one left keeps prune and check "
            "out: remove it with `restic unlock` on this host.",
        )
    if end.result == "timeout" and (cause := _cause_of_retries(end.output.lines)):
        sentence = f"{cause.sentence} restic tried again until systemd stopped it."
        return Judgement(FAILED, sentence, cause.advice)
    if end.result in ("exec-condition", "condition"):
        return Judgement(
            CANCELLED,
            "systemd skipped the run: a condition of the unit was not met.",
            "See the unit's ExecCondition= and Condition…= lines.",
        )
    if end.result in SYSTEMD_FAILURES:
        return Judgement(FAILED, *SYSTEMD_FAILURES[end.result])
    if end.exit_code in NOT_STARTED:
        reason, where = NOT_STARTED[end.exit_code]
        return Judgement(
            FAILED,
            f"systemd could not start the command: {reason} (status {end.exit_code}).",
            f"Check the unit: {where}.",
        )
    if end.result == "exit-code" and not end.exit_code:
        sentence = "Another command of the unit failed, not restic."
        advice = "See ExecStartPre= and ExecStartPost= of the unit and its journal."
        return Judgement(WARNING if end.has_snapshot else FAILED, sentence, advice)
    return None


def _judge_signal(end: _End) -> Judgement | None:
    if end.exit_code is None and not end.signal:
        return Judgement(
            FAILED,
            "The run never told its end.",
            "The host may have been switched off or may have lost its power.",
        )
    if end.exit_code == 124 and not end.signal:
        # As the timeout command of the GNU coreutils ends; restic itself never does.
        return _with_cause(end, "The run was stopped at its time limit.")
    if end.signal == "KILL" or end.exit_code == 137:
        advice = "Somebody killed it, or the kernel did for want of memory: `journalctl -k` knows."
        return Judgement(FAILED, "The run was killed.", f"{advice} {restic_causes.LOCKED.advice}")
    if end.signal in ("TERM", "INT", "HUP", "QUIT") or end.exit_code in (129, 130, 143):
        # restic removes its lock on SIGTERM since 0.17.0.
        leaves_lock = end.version < (0, 17) and (end.signal == "TERM" or end.exit_code == 143)
        return _cancelled(restic_causes.LOCKED.advice if leaves_lock else "")
    if end.signal:
        return Judgement(FAILED, f"The run was ended by the signal {end.signal[:20]}.")
    # 0.17 and 0.18 end with 1, as for any other failure.
    return _cancelled("") if end.exit_code == 1 and end.was_interrupted else None


def _cancelled(advice: str) -> Judgement:
    return Judgement(CANCELLED, "The run was stopped before its end.", advice)


def _judge_success(end: _End) -> Judgement | None:
    if end.exit_code != 0:
        return None
    if end.kind == "forget" and _was_refused(end.output):
        # 0.18 ends with 0 though the server kept every snapshot.
        return _failed(restic_causes.APPEND_ONLY)
    if end.kind != "backup":
        return Judgement(SUCCEEDED, f"{_NAMES.get(end.kind, 'restic')} ended well.")
    summary = end.output.summary
    if summary is None:
        return Judgement(
            WARNING,
            "restic ended with exit code 0, but nothing in its output names a snapshot.",
            "Run it without `--quiet`, best with `--json`.",
        )
    if summary.is_dry_run:
        return Judgement(WARNING, "This was a dry run: nothing was stored.")
    if missing := end.missing_paths:
        return _missing_paths(missing)
    if any(_NO_CACHE_FOR_WANT_OF_ROOM.search(line) for line in end.output.lines):
        sentence = "The snapshot was made without a cache: a disk of the host is full."
        return Judgement(WARNING, sentence, restic_causes.HOST_FULL.advice)
    if not summary.snapshot_id:
        return Judgement(SUCCEEDED, "Nothing changed, so restic made no snapshot.")
    return Judgement(SUCCEEDED, f"Snapshot {summary.snapshot_id[:8]} was made.")


_NAMES = {"forget": "Forget", "prune": "Prune", "check": "The check", "restore": "The restore"}


def _was_refused(output: Output) -> bool:
    return restic_causes.find_cause(output.lines[-20:]) is restic_causes.APPEND_ONLY


def _missing_paths(missing: list[str]) -> Judgement:
    # Before 0.19 restic calls this a success.
    return Judgement(
        WARNING,
        f"The snapshot was made without {_enumerate(missing)}, which "
        f"{'does' if len(missing) == 1 else 'do'} not exist.",
        "Correct the paths in the backup command, or mount what should be there.",
    )


def _judge_partial(end: _End) -> Judgement | None:
    """Exit code 3 of a backup: the snapshot is there and lacks something."""
    if end.exit_code != 3 or end.kind != "backup":
        return None
    if end.missing_paths and not end.output.errors:
        return _missing_paths(end.missing_paths)
    count = end.output.error_count
    what = f"{count} file{'s' if count > 1 else ''}" if count else "some files"
    items = _enumerate([error.item for error in end.output.errors])
    return Judgement(
        WARNING,
        f"The snapshot was made, but {what} could not be read{': ' if items else ''}{items}.",
        "Let the unit read them (AmbientCapabilities=CAP_DAC_READ_SEARCH), or exclude them.",
    )


def _enumerate(names: list[str]) -> str:
    shown = ", ".join(name[:120] for name in names[:3])
    return f"{shown} and {len(names) - 3} more" if len(names) > 3 else shown


def _judge_failure(end: _End) -> Judgement:
    if end.exit_code in _CAUSE_OF_CODE:
        return _failed(_CAUSE_OF_CODE[end.exit_code])
    if end.exit_code == 2:
        advice = "A newer restic may know the problem; keep the output for a report."
        return Judgement(FAILED, "restic crashed (exit code 2).", advice)
    return _with_cause(end, f"restic failed with exit code {end.exit_code}.")


def _with_cause(end: _End, sentence: str) -> Judgement:
    cause = restic_causes.find_cause(end.output.lines)
    if cause is None:
        return Judgement(FAILED, sentence, "See the last lines of the output.")
    return Judgement(FAILED, cause.sentence, cause.advice)


def _failed(cause: restic_causes.Cause) -> Judgement:
    return Judgement(FAILED, cause.sentence, cause.advice)
