"""Sizes are read as people write them, and written so that they are read as the same."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backups.engines.sizes import size_text
from dashboard.sizes import bytes_of


@given(st.integers(0, 2**63))
def test_what_is_written_is_read_as_the_same(count: int) -> None:
    assert bytes_of(size_text(count).replace(",", "")) == count


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("500 GiB", 500 * 1024**3),
        ("500g", 500 * 1024**3),
        ("2 TB", 2 * 1000**4),
        ("1,5 tb", 1_500_000_000_000),
        ("4096", 4096),
        ("1 byte", 1),
    ],
)
def test_people_write_it_in_many_ways(text: str, count: int) -> None:
    assert bytes_of(text) == count


@given(st.text(max_size=20))
def test_anything_else_is_refused(text: str) -> None:
    try:
        assert bytes_of(text) >= 0
    except ValueError:
        return
