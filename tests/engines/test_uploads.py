"""Uploads under way are counted by what rest-server writes before a file has its name."""

import os
import time
from pathlib import Path

from backups.engines import uploads


def repository(folder: Path) -> Path:
    for part in ("index", "keys", "locks", "snapshots", "data/0a"):
        (folder / part).mkdir(parents=True)
    (folder / "config").write_text("x")
    return folder


def test_only_what_was_written_just_now_counts(tmp_path: Path) -> None:
    one, nested = repository(tmp_path / "alice"), repository(tmp_path / "bob" / "laptop")
    (one / "data" / "0a" / "0abc.rest-server-temp123").write_text("part")
    (nested / "index" / "abc.rest-server-temp9").write_text("part")
    left = one / "snapshots" / "old.rest-server-temp1"
    left.write_text("")
    before = time.time() - uploads.UNDER_WAY - 10
    os.utime(left, (before, before))
    (one / "data" / "0a" / "0abc").write_text("whole")

    assert uploads.count(tmp_path) == 2


def test_a_folder_that_is_not_there_has_none(tmp_path: Path) -> None:
    assert uploads.count(tmp_path / "nowhere") == 0


def test_links_lead_nowhere(tmp_path: Path) -> None:
    outside = repository(tmp_path / "outside")
    (outside / "data" / "0a" / "x.rest-server-temp1").write_text("part")
    inside = tmp_path / "inside"
    inside.mkdir()
    (inside / "link").symlink_to(outside)

    assert uploads.count(inside) == 0
