"""What the tree promises to whoever clones it."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.rig import ROOT, missing

LOCKS = ("requirements.lock", "requirements-dev.lock")


@pytest.fixture(scope="module")
def tracked() -> list[Path]:
    """The files that git keeps."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:
        missing("The tree is judged by what git keeps: run the tests in a clone.")
    files = [ROOT / name for name in listed.stdout.split("\0") if name]
    return [file for file in files if file.is_file()]


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_pins_by_hash_and_names_no_address(lock: str) -> None:
    text = (ROOT / lock).read_text()
    pins = re.findall(r"^[a-z0-9][^\s=]*==\S+.*", text, re.MULTILINE)

    assert pins
    assert [pin for pin in pins if not pin.endswith("\\")] == []
    assert "--hash=sha256:" in text
    assert "://" not in text


def test_the_larger_lock_holds_the_smaller_one() -> None:
    pins = [
        set(re.findall(r"^\S+==[^\s;]+", (ROOT / lock).read_text(), re.MULTILINE)) for lock in LOCKS
    ]

    assert pins[0] - pins[1] == set()


def test_no_lock_of_another_tool_is_kept(tracked: list[Path]) -> None:
    assert [file.name for file in tracked if file.name in {"uv.lock", "pylock.toml"}] == []


def test_no_file_names_the_machine_it_was_written_on(tracked: list[Path]) -> None:
    here = f"{ROOT}/".encode()

    assert [str(file) for file in tracked if here in file.read_bytes()] == []


def _names_in(file: str, pattern: str) -> set[str]:
    return set(re.findall(pattern, (ROOT / file).read_text(), re.MULTILINE))


def test_every_variable_is_read_offered_and_explained() -> None:
    read = _names_in("dashboard/settings.py", r"env\.\w+\(\s*\"([A-Z_]+)\"")
    read |= _names_in("compose.yml", r"\$\{([A-Z_]+)")

    offered = _names_in(".env.example", r"^#? ?([A-Z_]+)=")
    explained = _names_in("README.md", r"^\| `([A-Z_]+)` \|")

    assert (offered, explained) == (read, read)


def test_the_example_environment_works_as_it_stands(tmp_path: Path) -> None:
    lines = re.findall(r"^([A-Z_]+)=(.*)$", (ROOT / ".env.example").read_text(), re.MULTILINE)
    environment = os.environ | dict(lines) | {"RESTHOUSE_DATA": str(tmp_path)}
    environment |= {"DJANGO_SETTINGS_MODULE": "dashboard.settings"}

    check = [sys.executable, "manage.py", "check", "--database", "default"]
    done = subprocess.run(check, cwd=ROOT, env=environment, capture_output=True, text=True)

    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in tmp_path.glob("*.sqlite3")) == ["resthouse.sqlite3"]
