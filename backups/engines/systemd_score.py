"""The exposure of a unit that need not run anywhere, by systemd-analyze itself."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from backups.engines.errors import EngineError
from backups.engines.systemd_lint import lint
from backups.engines.systemd_security import Score, parse_security
from backups.engines.systemd_unit import MAX_UNIT, is_mount_namespace_made, parse_unit

TIMEOUT = 5.0

# A folder beside it is called so as well, with two letters more; no name has over 255.
_NAME = re.compile(r"(?=.{1,250}\Z)[A-Za-z0-9:_.\\-]+(?:@[A-Za-z0-9:_.\\-]*)?\.service")

_REFUSAL = re.compile(r"failed to load properly|bad unit file setting|has fatal error")


def score_unit(
    text: str, *, dropin: str = "", name: str = "unit.service", policy: str = ""
) -> Score:
    """Scores the unit as it would run with the drop-in beside it, and lints both.

    A policy is the JSON of --security-policy: weights of the house's own.
    """
    _check(text, dropin, name)
    # systemd-analyze makes up an instance of its own for a template.
    unit = name.replace("@.service", "@i.service")
    with _folder() as folder:
        _write(folder, unit, text, dropin)
        arguments = ["security", "--offline=true", "--no-pager"]
        if policy:
            (folder / "policy.json").write_text(policy, encoding="utf-8")
            arguments.append(f"--security-policy={folder}/policy.json")
        done = _run([*arguments, f"./{unit}"], folder)
    if done.returncode or not done.stdout:
        raise EngineError(f"systemd refuses the unit: {_last_words(done.stderr)}")
    score = parse_security(done.stdout, mode="offline", version=version(), unit=unit)
    return replace(score, findings=lint(text, dropin=dropin, warnings=done.stderr))


@contextmanager
def _folder() -> Iterator[Path]:
    try:
        with TemporaryDirectory(prefix="resthouse-") as folder:
            yield Path(folder)
    except OSError as error:
        reason = error.strerror or error
        raise EngineError(f"The unit cannot be written to a temporary folder: {reason}.") from None


def _check(text: str, dropin: str, name: str) -> None:
    if not _NAME.fullmatch(name):
        raise EngineError("The name of the unit must be that of a service: name.service.")
    if len(text) + len(dropin) > MAX_UNIT:
        raise EngineError(f"The unit is longer than {MAX_UNIT // 1024} KiB.")
    if not text.strip():
        raise EngineError("The unit is empty.")
    if re.search(r"[\x00-\x08\x0e-\x1f\x7f\ud800-\udfff]", text + dropin):
        raise EngineError("The unit is no text: it holds control characters.")


def _write(folder: Path, unit: str, text: str, dropin: str) -> None:
    (folder / unit).write_text(text, encoding="utf-8")
    dropins = folder / f"{unit}.d"
    dropins.mkdir()
    if dropin:
        (dropins / "50-dropin.conf").write_text(dropin, encoding="utf-8")
    # Said explicitly, so that the score offline is the one that the unit has when it runs.
    is_made = is_mount_namespace_made([*parse_unit(text), *parse_unit(dropin)])
    explicit = f"[Service]\nPrivateMounts={'yes' if is_made else 'no'}\n"
    (dropins / "zz-explicit.conf").write_text(explicit, encoding="utf-8")


def _run(arguments: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    program = shutil.which("systemd-analyze")
    if program is None:
        raise EngineError("systemd-analyze is missing here: install the package systemd.")
    environment = {
        "PATH": os.defpath,
        "HOME": str(folder),
        "LC_ALL": "C",
        "SYSTEMD_COLORS": "0",
        "SYSTEMD_EMOJI": "0",
        # Prints weight, badness and range of each row.
        "SYSTEMD_ANALYZE_DEBUG": "1",
        # No unit of this machine is ever looked at.
        "SYSTEMD_UNIT_PATH": str(folder),
    }
    try:
        return subprocess.run(  # noqa: S603
            [program, *arguments],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=TIMEOUT,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise EngineError("systemd-analyze took too long for this unit.") from None
    except OSError as error:
        raise EngineError(f"systemd-analyze cannot be run: {error.strerror}.") from None


def check_schedule(text: str) -> None:
    """EngineError where systemd itself does not understand an OnCalendar= expression."""
    with _folder() as folder:
        done = _run(["calendar", "--", text], folder)
    if done.returncode:
        raise EngineError(f"{text[:100]!r} is no schedule that systemd understands, such as daily.")


@cache
def version() -> str:
    """Of the systemd on this machine."""
    with _folder() as folder:
        words = _run(["--version"], folder).stdout.split()
    return words[1] if len(words) > 1 else ""


def _last_words(stderr: str) -> str:
    if "Service has no ExecStart=" in stderr:
        return "it has no ExecStart= line."
    lines = [line for line in stderr.splitlines() if line.strip()]
    # systemd ends with lines that say only that it refused; the reason stands before them.
    reasons = [line for line in lines if not _REFUSAL.search(line)] or lines
    return re.sub(r"^\S*/", "", reasons[-1])[:300] if reasons else "it gives no reason."
