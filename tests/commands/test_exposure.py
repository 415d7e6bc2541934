"""`manage.py exposure`."""

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
