"""Some 200 kinds of certificates: our verdict, and what rest-server and restic really do."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from backups.engines.certificates import Checked, check, refusal
from tests.rig import (
    certificate_chains,
    certificate_company,
    certificate_encodings,
    certificate_oddities,
)
from tests.rig.certificate_bench import Bench
from tests.rig.certificate_rows import Row
from tests.rig.certificate_rows import rows as usual_rows

ROWS = dict(
    [
        *usual_rows(),
        *certificate_chains.rows(),
        *certificate_company.rows(),
        *certificate_oddities.rows(),
        *certificate_encodings.rows(),
    ]
)


@pytest.fixture(scope="module")
def outcomes(bench: Bench) -> dict[str, tuple[str, str]]:
    """All of them, three at a time."""

    def try_out(name: str) -> tuple[str, str]:
        row = ROWS[name]
        checked = judge(row)
        if checked.pair is not None:
            chain, key = checked.pair.chain.encode(), checked.pair.key.encode()
        else:
            assert row.raw is not None, f"{name} has errors: {checked.findings}"
            chain, key = row.raw
        host = "localhost" if "localhost" in row.names else "127.0.0.1"
        return bench.outcome(name, chain, key, row.root, host)

    with ThreadPoolExecutor(3) as pool:
        return dict(zip(ROWS, pool.map(try_out, ROWS), strict=True))


def judge(row: Row) -> Checked:
    anchors = [one.decode() for one in row.anchors]
    return check(row.brought, names=row.names, password=row.password, anchors=anchors)


def test_there_are_many_kinds() -> None:
    assert len(ROWS) >= 150


@pytest.mark.parametrize("name", ROWS)
def test_the_verdict_is_what_really_happens(
    outcomes: dict[str, tuple[str, str]], name: str
) -> None:
    row, (outcome, said) = ROWS[name], outcomes[name]
    checked = judge(row)

    assert {finding.code for finding in checked.findings} == row.codes
    if row.is_disputed:
        assert not checked.is_fine, f"Go's versions differ, and nothing is said: {said}"
    elif checked.errors:
        assert outcome != "serves", f"an error, but it works: {said}"
    elif "issuer-unknown" in row.codes:
        # Asked about: with this root alone restic refuses.
        assert outcome == "is refused", said
    else:
        assert outcome == "serves", said


@pytest.mark.parametrize("name", ROWS)
def test_refusal_says_what_restic_does(outcomes: dict[str, tuple[str, str]], name: str) -> None:
    row, (outcome, said) = ROWS[name], outcomes[name]
    checked = judge(row)
    if outcome == "does not start" or row.is_disputed:
        return
    chain = checked.pair.chain if checked.pair else (row.raw or (b"", b""))[0].decode()
    host = "localhost" if "localhost" in row.names else "127.0.0.1"

    reason = refusal(chain, row.root.decode(), (host,))

    assert bool(reason) == (outcome == "is refused"), f"{reason!r}, but restic: {said}"


def test_no_secret_is_in_what_is_said() -> None:
    for row in ROWS.values():
        checked = judge(row)
        said = repr(checked) + str([finding.sentence for finding in checked.findings])
        assert "PRIVATE KEY" not in said
        assert not row.password or row.password not in said.split()
