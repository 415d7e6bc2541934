"""The page of events: a book by days, read backwards."""

from collections.abc import Callable
from datetime import timedelta

from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from backups.models import Event
from tests.factories import make_event
from tests.views.reading import text_of


def test_index_says_what_was_done_last(client: Client) -> None:
    make_event(by_name="ines", verb="added", noun="user", name="alice")

    assert "ines added user alice , 0 s ago" in text_of(client.get("/events/"))


def test_index_is_a_book_by_days(client: Client) -> None:
    for _ in range(3):
        make_event()
    Event.objects.filter(pk=make_event(name="older").pk).update(
        at=timezone.now() - timedelta(days=2)
    )

    days = client.get("/events/").context["days"]

    assert [len(events) for _, events in days] == [3, 1]
    assert days[1][1][0].name == "older"


def test_index_goes_back_without_losing_a_line(client: Client) -> None:
    names = [make_event(name=f"event-{number}").name for number in range(120)]
    Event.objects.update(at=timezone.now())
    seen: list[str] = []
    before = ""

    while True:
        context = client.get("/events/", {"before": before}).context
        seen += [event.name for _, events in context["days"] for event in events]
        before = context["older"]
        if not before:
            break

    assert seen == names[::-1]


def test_index_takes_a_place_that_is_none_for_the_beginning(client: Client) -> None:
    make_event()

    assert len(client.get("/events/?before=nonsense").context["days"]) == 1


def test_index_says_how_it_ended(client: Client) -> None:
    make_event(result="failed", sentence="<script>alert(1)</script>")
    make_event(result="refused", sentence="Not now.")

    response = client.get("/events/")

    assert "Refused Not now." in text_of(response)
    assert "Failed <script>alert(1)</script>" in text_of(response)
    assert "<script>alert" not in response.content.decode()


def test_index_is_for_operators_to_read(
    client: Client, stranger: Client, htmx: Callable[..., HttpResponse]
) -> None:
    assert "Nothing has been done here yet" in text_of(client.get("/events/"))
    assert htmx("/events/", "events").template_name == "events/index.html#events"
    assert stranger.get("/events/")["Location"] == "/account/login/?next=/events/"
    assert "HX-Redirect" in stranger.get("/events/", headers={"HX-Request": "true"})
    assert client.post("/events/").status_code == 405


def test_index_asks_as_much_for_one_as_for_three(queries_of: Callable[[str], int]) -> None:
    make_event()
    one = queries_of("/events/")

    make_event()
    make_event()

    assert queries_of("/events/") == one
