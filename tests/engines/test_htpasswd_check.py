"""A users file judged line by line, and mended."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backups.engines.htpasswd import check_file, explain_name, mend, mended_lines, parse

BCRYPT = "$2y$10$" + "a" * 53
OTHER = "$2y$10$" + "b" * 53


def test_each_line_is_usable_or_says_why_not() -> None:
    text = (
        f"# people\nweb-1:{BCRYPT}\n\nweb-2:$apr1$x$y\nweb 3:{BCRYPT}\nweb-1:{OTHER}\n"
        f"web-4:{BCRYPT}:third\n"
    )

    assert [(line.number, line.name, line.code) for line in check_file(text)] == [
        (2, "web-1", "duplicate"),
        (4, "web-2", "unusable-hash"),
        (5, "web 3", "ignored-name"),
        (6, "web-1", "usable"),
        (7, "web-4", "too-many-fields"),
    ]
    assert [line.number for line in check_file(text) if line.blocks] == [7]


@pytest.mark.parametrize(
    ("line", "mended"),
    [
        ("bob", "#bob"),
        ("   # indented", "#   # indented"),
        (f"bob:{BCRYPT}:third", f"#bob:{BCRYPT}:third"),
        ('"bob', '#"bob'),
        (f'"bo\nb":{BCRYPT}:third', f'#"bo\n#b":{BCRYPT}:third'),
    ],
)
def test_a_line_that_blocks_the_file_becomes_a_comment(line: str, mended: str) -> None:
    text = f"web-1:{BCRYPT}\n{line}\nweb-2:{OTHER}\n"

    assert mend(text) == f"web-1:{BCRYPT}\n{mended}\nweb-2:{OTHER}\n"


def test_what_is_shown_of_a_mending_holds_no_hash() -> None:
    text = f"web-1:{BCRYPT}\nbob:{OTHER}:third\n{OTHER}\n"

    lines = mended_lines(text, mend(text))

    assert [(line.number, line.former) for line in lines] == [(2, "bob:…"), (3, "$2y$10$b…")]
    assert OTHER[10:] not in repr(lines)


LINES = st.lists(
    st.one_of(
        st.text(alphabet='ab:#" \t\r\n$\ufeff', max_size=12),
        st.sampled_from([f"web-1:{BCRYPT}", f"web-2:{BCRYPT}:x", "#", "alone"]),
    ),
    max_size=8,
)


@given(LINES)
def test_a_mended_file_is_taken_and_keeps_who_was_good(lines: list[str]) -> None:
    text = "\n".join(lines)

    now = mend(text)

    assert not parse(now).is_refused
    assert mend(now) == now
    blocked = {line.number for line in check_file(text) if line.blocks}
    good = {line.name for line in check_file(text) if line.is_usable and line.number not in blocked}
    if not blocked:
        assert (now, good) == (text, {line.name for line in check_file(now) if line.is_usable})


def test_the_one_user_who_may_read_the_counters_is_explained() -> None:
    assert "counters" in explain_name("metrics", is_private=True)
    assert explain_name("metrics", is_private=False) == ""
    assert explain_name("web-1", is_private=True) == ""
