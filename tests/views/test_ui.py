"""The words and figures of pages, read as text."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.template import Context, Template
from django.test import RequestFactory

from dashboard.templatetags import figures, ui

NOW = datetime(2026, 11, 23, 7, 2, 41, tzinfo=UTC)


def words(html: str) -> str:
    """The text of a <time>."""
    return html.partition(">")[2].removesuffix("</time>")


def marks(states: str) -> list[tuple[date, str, str]]:
    names = {".": "ok", "w": "warning", "f": "failed", "m": "missed", "r": "running", "-": "off"}
    first = date(2026, 11, 24) - timedelta(days=len(states))
    return [
        (first + timedelta(days=day), names[state], "Nothing arrived" if state == "m" else "")
        for day, state in enumerate(states)
    ]


def render(text: str, **context: Any) -> str:
    return Template(text).render(Context(context))


@pytest.mark.parametrize(
    ("span", "said"),
    [
        (timedelta(seconds=12), "12 s ago"),
        (timedelta(minutes=38), "38 min ago"),
        (timedelta(hours=3), "3 h ago"),
        (timedelta(days=141), "141 d ago"),
        (timedelta(days=800), "2 years ago"),
        (timedelta(hours=-3), "in 3 h"),
    ],
)
def test_ago_is_said_in_one_unit(span: timedelta, said: str) -> None:
    with time_machine.travel(NOW, tick=False):
        assert words(ui.ago(NOW - span)) == said


def test_ago_carries_the_exact_time() -> None:
    html = ui.ago(NOW)

    assert 'datetime="2026-11-23T07:02:41+00:00"' in html
    assert 'title="2026-11-23 07:02:41"' in html


@pytest.mark.parametrize(
    ("when", "said"),
    [
        (datetime(2026, 11, 23, 2, 10, tzinfo=UTC), "today 02:10"),
        (datetime(2026, 11, 22, 12, 3, tzinfo=UTC), "yesterday 12:03"),
        (datetime(2026, 11, 24, 2, 10, tzinfo=UTC), "tonight 02:10"),
        (datetime(2026, 11, 24, 6, 40, tzinfo=UTC), "tomorrow 06:40"),
        (datetime(2026, 11, 21, 2, 16, tzinfo=UTC), "Sat 21 Nov, 02:16"),
        (datetime(2025, 11, 21, 2, 16, tzinfo=UTC), "21 Nov 2025, 02:16"),
    ],
)
def test_a_moment_is_said_as_a_person_would(when: datetime, said: str) -> None:
    with time_machine.travel(NOW, tick=False):
        assert words(ui.moment(when)) == said


def test_what_never_was_is_said_plainly() -> None:
    assert (ui.ago(None), ui.moment(None)) == ("never", "never")
    assert {ui.size(None), ui.duration(None), ui.score(None), ui.day(None)} == {"\u2013"}


@pytest.mark.parametrize(
    ("count", "said"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1_100_000_000, "1.1 GB"),
        (18_432_000_000, "18.4 GB"),
        (412_000_000, "412 MB"),
        (999_600_000, "1 GB"),
        (2_700_000_000_000, "2.7 TB"),
        (4_200_000_000_000_000, "4,200 TB"),
    ],
)
def test_sizes_have_two_or_three_figures(count: int, said: str) -> None:
    assert ui.size(count).replace("\u00a0", " ") == said


@pytest.mark.parametrize(
    ("span", "said"),
    [
        (0.42, "0.4 s"),
        (45, "45 s"),
        (timedelta(minutes=11), "11 min"),
        (timedelta(minutes=89), "89 min"),
        (timedelta(hours=2, minutes=12), "2 h 12 min"),
        (timedelta(days=3, hours=4), "3 d 4 h"),
    ],
)
def test_durations_have_at_most_two_units(span: timedelta | float, said: str) -> None:
    assert ui.duration(span).replace("\u00a0", " ") == said


def test_a_score_is_kept_in_tenths() -> None:
    assert [ui.score(tenths) for tenths in (0, 15, 46, 100)] == ["0.0", "1.5", "4.6", "10.0"]


def test_a_state_says_its_word_and_escapes_it() -> None:
    assert (
        render('{% state "failed" word %}', word="<b>")
        == '<span data-state="failed">&lt;b&gt;</span>'
    )


def test_days_draw_one_path_for_each_state_and_say_the_rest() -> None:
    html = render('{% days marks "db-03" %}', marks=marks("." * 28 + "mm"))

    assert html.count("<path") == 2
    assert html.count("M", html.index('class="ok"'), html.index('class="missed"')) == 28
    assert (
        'aria-label="db-03, 30 days: 28 arrived, 2 missed'
        ' (22 Nov Nothing arrived; 23 Nov Nothing arrived)"' in html
    )


def test_what_was_made_good_is_no_longer_red() -> None:
    html = figures.days(marks("..f..m"))

    assert 'class="past failed"' in html
    assert 'class="missed"' in html


@pytest.mark.parametrize(
    ("states", "said"),
    [
        ("." * 30, "all 30 arrived"),
        (".....fmm", "5 arrived, 1 failed, 2 missed"),
        ("-.-.", "2 arrived"),
        ("----", "none expected"),
    ],
)
def test_marks_can_be_said_in_words(states: str, said: str) -> None:
    assert figures.in_words(marks(states)) == said


def test_a_matrix_draws_all_its_rows_in_one_picture() -> None:
    html = figures.matrix([marks("...f.."), marks("......")], "2 hosts")

    assert html.count("<svg") == 1
    assert 'viewBox="0 0 48 8"' in html


def test_bars_leave_hollow_what_should_have_been_there() -> None:
    html = figures.bars([5e9, None], "One night of two.", ticks="Sun|today", unit="size")

    assert 'class="fill"' in html
    assert 'class="failed"' in html
    assert html.count("One night of two.") == 2
    assert "<li>today</li>" in html
    assert "<li>5\u00a0GB</li>" in html


def test_figures_can_be_drawn_of_nothing() -> None:
    drawn = [
        figures.days([]),
        figures.matrix([]),
        figures.bars([], "Nothing."),
        figures.line([], "Nothing."),
    ]
    drawn += [figures.dots([], "Nothing."), figures.spark([], "Nothing.")]

    assert all("<svg" in html and "nan" not in html for html in drawn)


def test_many_units_are_drawn_as_columns() -> None:
    few, many = figures.dots([12] * 13, "13 units."), figures.dots([12] * 900, "900 units.")

    assert few.count("a3 3") == 26
    assert many.count("a3 3") == 0


def test_a_column_sorts_both_ways_and_keeps_the_filter() -> None:
    request = RequestFactory().get("/users/", {"q": "db", "sort": "size", "before": "7"})

    html = render('{% column "size" "Size" "number" %}', request=request)

    assert html == (
        '<th scope="col" aria-sort="ascending" class="number">'
        '<a href="?q=db&amp;sort=-size">Size</a></th>'
    )
