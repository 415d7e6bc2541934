"""`manage.py risks`."""

import json
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from backups.management import noun
from backups.models import AcceptedRisk, Event
from tests.factories import make_host, make_unit

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _prepared(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests' database is made already."""
    monkeypatch.setattr(noun, "prepare_database", lambda: None)


@pytest.fixture
def risks(capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    def run(*words: str) -> str:
        call_command("risks", *words)
        return capsys.readouterr().out

    return run


def day(days: int) -> str:
    return (timezone.localdate() + timedelta(days=days)).isoformat()


def test_a_risk_is_accepted_listed_and_taken_back(risks):
    make_unit(make_host(name="web"), name="restic-backup.service")
    common = ["--reason", "It must reach its server.", "--until", day(30)]

    risks("accept", "PrivateNetwork", *common)
    risks("accept", "UMask", *common, "--host", "web")

    listed = json.loads(risks("list", "--json"))
    assert [(risk["field"], risk["host"], risk["by"]) for risk in listed] == [
        ("PrivateNetwork", None, "terminal"),
        ("UMask", "web", "terminal"),
    ]
    assert json.loads(risks("policy")) == {"PrivateNetwork": {"weight": 0}}
    risks("take-back", "UMask", "--host", "web")
    assert AcceptedRisk.objects.count() == 1
    assert Event.objects.filter(noun="risk").count() == 3


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("accept", "UMask", "--reason", "x", "--until", "soon"), "is no day"),
        (("accept", "UMask", "--reason", " ", "--until", day(1)), "Say why"),
        (("accept", "UMask", "--reason", "x", "--until", day(-1)), "from today on"),
        (("accept", "Exec", "--reason", "x", "--until", day(1)), "no row"),
        (("accept", "UMask", "--reason", "x", "--until", day(1), "--host", "no"), "no host"),
        (("take-back", "UMask"), "not accepted"),
    ],
)
def test_what_is_no_decision_is_refused(risks, words, reason):
    with pytest.raises(CommandError, match=reason):
        risks(*words)


def test_a_unit_that_a_host_does_not_have_is_refused(risks):
    make_host(name="web")

    with pytest.raises(CommandError, match="web has no unit called other"):
        risks("take-back", "UMask", "--host", "web", "--unit", "other")
