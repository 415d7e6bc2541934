"""Ways up that lead through several certificates, and what lies beside a good pair."""

from collections.abc import Iterator

from tests.rig.certificate_rows import Row


def rows() -> Iterator[tuple[str, Row]]:
    yield from ()
