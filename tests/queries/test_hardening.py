"""What systemd's rows mean, on recorded assessments of real units."""

import json
from pathlib import Path

import pytest

from backups.engines.systemd import parse_security
from backups.queries.hardening import reckon
from backups.queries.hardening_rows import COULD

SAMPLES = Path(__file__).parents[1] / "samples" / "systemd"


def rows_of(name: str):
    text = (SAMPLES / f"{name}.252.online.debug2.json").read_text()
    position = text.rindex("[{")
    unit = json.loads(text[position:])[0]["unit"]
    return parse_security(text, mode="online", version="252", unit=unit)


def test_every_row_of_systemd_has_a_sentence_of_ours():
    assert {row.field for row in rows_of("root").rows} == COULD.keys()


@pytest.mark.parametrize(
    ("unit", "predicted"),
    # Measured on booted hosts: a unit that has all these lines stands at 1.5.
    [("root", 15), ("hardened", 15)],
)
def test_all_helpful_lines_together_lead_to_the_score_that_was_measured(unit, predicted):
    assert reckon(rows_of(unit).rows).predicted == predicted


def test_nothing_is_proposed_to_a_unit_that_has_it_all():
    reckoning = reckon(rows_of("hardened").rows)

    assert reckoning.helpful == ()
    assert len(reckoning.closed) == 72


def test_lines_that_lose_the_backup_are_kept_apart_and_counted_out():
    reckoning = reckon(rows_of("root").rows)

    assert [proposal.line.text for proposal in reckoning.harmful] == [
        "PrivateNetwork=yes",
        "PrivateUsers=full",
        "RootDirectory=",
    ]
    assert not {p.line.text for p in reckoning.helpful} & {"ProtectHome=yes", "PrivateUsers=yes"}


def test_the_largest_gain_comes_first_and_every_open_row_is_in_one_proposal():
    score = rows_of("root")

    reckoning = reckon(score.rows)

    points = [proposal.points for proposal in reckoning.helpful]
    assert points == sorted(points, reverse=True)
    read = [r.row for p in (*reckoning.helpful, *reckoning.harmful) for r in p.readings]
    # The server must be reached and files be read: these stay open, and are still listed.
    assert {row.field for row in read} == {row.field for row in score.rows if row.badness}
