"""`manage.py exposure`."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.rig import missing
from tests.rig.house import House

SAMPLES = Path(__file__).parents[1] / "samples" / "systemd"
Answer = Callable[..., Any]


@pytest.fixture(autouse=True)
def _systemd_analyze() -> None:
    if not shutil.which("systemd-analyze"):
        missing("Units are scored by systemd-analyze: apt-get install systemd.")


def test_a_drop_in_is_scored_before_it_is_installed(
    answer: Answer, house: House, tmp_path: Path
) -> None:
    unit = tmp_path / "backup.service"
    unit.write_text("[Service]\nType=oneshot\nExecStart=/usr/bin/restic backup /etc\n")

    plain = answer("exposure", "score", str(unit))
    dropin = ["--dropin", str(SAMPLES / "50-hardening.conf")]
    hardened = answer("exposure", "score", str(unit), *dropin)

    assert set(plain) == {"exposure", "level", "mode", "systemd", "rows", "lint"}
    assert hardened["exposure"] < 50 < plain["exposure"]
    assert plain["level"] == "UNSAFE"
    assert {row["field"] for row in plain["rows"]} >= {"PrivateTmp", "ProtectHome"}
    # It needs no house.
    assert not (house.data / "resthouse.sqlite3").exists()


def test_what_is_wrong_with_a_line_is_said_with_its_number(answer: Answer, tmp_path: Path) -> None:
    unit = tmp_path / "wrong.service"
    unit.write_text("[Service]\nExecStart=/bin/true\nProtectHome=maybe\nNoSuchThing=yes\n")

    lint = answer("exposure", "score", str(unit))["lint"]

    assert {(found["code"], found["line"]) for found in lint} >= {
        ("ignored-value", 3),
        ("unknown-key", 4),
    }


def test_what_is_no_unit_is_refused_in_one_sentence(
    refusal: Callable[..., str], tmp_path: Path
) -> None:
    (tmp_path / "picture.service").write_bytes(b"\x89PNG\xff")

    assert "cannot be read" in refusal("exposure", "score", str(tmp_path / "none.service"))
    assert "cannot be read" in refusal("exposure", "score", str(tmp_path / "picture.service"))
    assert "must end in .service" in refusal("exposure", "score", "/etc/fstab")


def test_what_would_fill_the_memory_or_never_end_is_refused(
    refusal: Callable[..., str], tmp_path: Path
) -> None:
    (tmp_path / "long.service").write_text("[Service]\n" + "x" * 5_000_000)
    (tmp_path / "zero.service").symlink_to("/dev/zero")
    os.mkfifo(tmp_path / "pipe.service")

    assert "longer than 96 KiB" in refusal("exposure", "score", str(tmp_path / "long.service"))
    for name in ("zero", "pipe"):
        assert "is no file" in refusal("exposure", "score", str(tmp_path / f"{name}.service"))


def test_rows_say_in_plain_words_what_they_cost(answer: Answer, tmp_path: Path) -> None:
    unit = tmp_path / "backup.service"
    unit.write_text("[Service]\nType=oneshot\nExecStart=/usr/bin/restic backup /etc\n")

    rows = answer("exposure", "rows", str(unit))

    assert rows[0]["field"] == "PrivateNetwork"
    assert rows[0]["could"] == "Could reach anything on the network"
    assert rows[0]["exposure"] == 5


def test_a_unit_is_rendered_for_a_version_and_scored(answer: Answer, tmp_path: Path) -> None:
    unit = tmp_path / "restic-backup.service"

    rendered = answer("exposure", "render", "unit", "--systemd", "257", "--address", "192.0.2.10")
    unit.write_text(rendered["text"])

    assert rendered["systemd"] == 257
    assert answer("exposure", "score", str(unit))["exposure"] <= 15


def test_a_drop_in_is_rendered_for_a_unit(answer: Answer, tmp_path: Path) -> None:
    unit = tmp_path / "backup.service"
    unit.write_text("[Service]\nExecStart=/usr/bin/restic backup /etc\nSystemCallFilter=@debug\n")

    text = answer("exposure", "render", "drop-in", "--unit", str(unit))["text"]

    assert text.startswith("# /etc/systemd/system/backup.service.d/50-hardening.conf\n[Service]\n")
    assert "SystemCallFilter=\nSystemCallFilter=@system-service\n" in text


def test_what_would_make_a_wrong_unit_is_refused(refusal: Callable[..., str]) -> None:
    assert "not names" in refusal("exposure", "render", "unit", "--address", "backup.example.org")
    assert "no schedule" in refusal("exposure", "render", "timer", "--schedule", "sometimes")
