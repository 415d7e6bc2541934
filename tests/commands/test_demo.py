"""The demonstration: a fleet with its stories, apart from every real house."""

import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.db.models import Model

from backups import engines
from backups.actions.operations import start_operation
from backups.demo.fill import fill
from backups.demo.fleet import Wish
from backups.engines.errors import EngineError
from backups.models import Operation
from tests.factories import make_server
from tests.rig import ROOT, missing

MONDAY = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)


def manage(folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if "DJANGO" not in name}
    environment |= {"RESTHOUSE_DATA": str(folder)} | variables
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
    )


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A folder that was filled with twelve hosts, and what was said of it."""
    folder = tmp_path_factory.mktemp("demo")
    done = manage(folder, "demo", "--fill-only", "--hosts", "12", "--days", "30")
    assert done.returncode == 0, done.stderr
    return folder, done.stdout


@pytest.fixture
def ask(demo: tuple[Path, str]) -> Iterator[Any]:
    """Rows of the filled database: `ask("select …")`."""
    with closing(sqlite3.connect(demo[0] / "resthouse.sqlite3")) as connection:
        yield lambda question, *values: connection.execute(question, values).fetchall()


def test_every_story_is_told_by_a_host(ask: Any) -> None:
    states = dict(
        ask("select h.name, j.state from backups_job j join backups_host h on h.id = j.host_id")
    )

    assert states == {
        "db-03": "differs",
        "web-07": "missed",
        "mail-01": "warning",
        "nas-01": "running",
        "etcd-1": "failed",
        "git-01": "ok",
        "files-01": "ok",
        "build-02": "ok",
        "mira-laptop": "ok",
        "monitor-01": "paused",
        "web-01": "ok",
    }
    assert ask("select name from backups_host where enrolled is null") == [("wiki-01",)]
    assert ask("select name from backups_server where status = 'live'") == [
        ("house-main",),
        ("house-offsite",),
    ]


def runs_of(ask: Any, host: str, columns: str) -> list[Any]:
    """Newest first."""
    found: list[Any] = ask(
        f"select {columns} from backups_run r join backups_job j on j.id = r.job_id"
        " join backups_host h on h.id = j.host_id"
        " where h.name = ? and j.is_backup order by r.started desc",
        host,
    )
    return found


def test_two_nights_of_success_have_no_receipt_and_the_night_before_has_one(ask: Any) -> None:
    newest = runs_of(ask, "db-03", "status, verdict, receipt_id is not null")[:3]

    assert newest == [
        ("succeeded", "differs", 0),
        ("succeeded", "differs", 0),
        ("succeeded", "agreed", 1),
    ]


def test_the_runs_of_a_story_say_what_went_wrong(ask: Any) -> None:
    [(poisoned,), *_] = runs_of(ask, "etcd-1", "r.advice")
    [(unreadable,), *_] = runs_of(ask, "mail-01", "json_array_length(r.errors)")
    [(percent, finished), *_] = runs_of(ask, "nas-01", "r.percent, r.finished")

    assert "RestrictAddressFamilies=AF_INET AF_INET6" in poisoned
    assert unreadable == 3
    assert (percent, finished) == (62, None)


def test_units_are_scored_by_systemd_itself(ask: Any) -> None:
    units = {
        host: (exposure, bool(finding))
        for host, exposure, finding in ask(
            "select h.name, u.exposure, u.finding"
            " from backups_unit u join backups_host h on h.id = u.host_id"
        )
    }
    if units["git-01"][0] is None:
        missing("The scores come from systemd-analyze: apt-get install systemd.")

    assert units["files-01"] == (96, False)
    assert units["git-01"] == (15, False)
    assert units["etcd-1"][1]
    assert ask("select min(json_array_length(rows)) > 70 from backups_assessment") == [(1,)]


def test_the_password_is_said_once_and_only_its_hash_is_kept(demo: tuple[Path, str]) -> None:
    folder, said = demo

    [password] = re.findall(r"Sign in as demo with (\S+)", said)

    assert password.encode() not in (folder / "resthouse.sqlite3").read_bytes()


def test_the_same_wish_is_answered_by_the_fleet_that_is_there(demo: tuple[Path, str]) -> None:
    folder, _ = demo
    before = (folder / "resthouse.sqlite3").stat().st_ino

    again = manage(folder, "demo", "--fill-only", "--hosts", "12", "--days", "30")

    assert "holds this fleet already" in again.stdout
    assert (folder / "resthouse.sqlite3").stat().st_ino == before


def test_a_folder_that_holds_anything_else_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "resthouse.sqlite3").write_text("a real house")

    done = manage(tmp_path, "demo", "--fill-only")

    assert done.returncode == 1
    assert "resthouse.sqlite3" in done.stderr
    assert "would spoil" in done.stderr
    assert (tmp_path / "resthouse.sqlite3").read_text() == "a real house"


def test_the_database_of_a_real_house_is_out_of_reach(tmp_path: Path) -> None:
    real = tmp_path / "real.sqlite3"
    folder = tmp_path / "demo"

    done = manage(
        folder,
        *("demo", "--fill-only", "--hosts", "12", "--days", "14"),
        DATABASE_URL=f"sqlite:///{real}",
        RESTHOUSE_DEMO="true",
    )

    assert done.returncode == 0, done.stderr
    assert (folder / "resthouse.sqlite3").exists()
    assert not real.exists()


def test_a_demonstration_is_not_run_as_a_house(demo: tuple[Path, str]) -> None:
    done = manage(demo[0], "run", "--bind", "127.0.0.1:0")

    assert done.returncode == 1
    assert "holds a demonstration" in done.stderr


@pytest.mark.django_db
def test_a_demonstration_asks_no_container_engine(settings: Any) -> None:
    server = make_server(name="house-main")
    settings.RESTHOUSE_DEMO = True

    with pytest.raises(EngineError, match="demonstration"):
        start_operation(Operation.Kind.STOP_SERVER, server=server, by="test")

    assert not engines.containers_of(server).status().is_up


def _plain(model: type[Model]) -> list[str]:
    """What is encrypted is another text each time."""
    return [field.attname for field in model._meta.concrete_fields if field.name != "encrypted_key"]


def everything() -> dict[str, list[tuple[object, ...]]]:
    models = apps.get_app_config("backups").get_models()
    return {
        model.__name__: list(model.objects.order_by("pk").values_list(*_plain(model)))
        for model in models
    }


@pytest.mark.django_db
def test_the_same_seed_makes_the_same_fleet(tmp_path: Path) -> None:
    wish = Wish(hosts=16, days=20, seed=7)
    fill(wish, tmp_path / "one", MONDAY)
    first = {name: rows for name, rows in everything().items() if name != "Server"}
    for model in reversed(list(apps.get_app_config("backups").get_models())):
        model.objects.all().delete()

    fill(wish, tmp_path / "two", MONDAY)

    second = everything()
    assert {name: rows for name, rows in second.items() if name != "Server"} == first
    assert len(first["Run"]) > 200


@pytest.mark.django_db
def test_about_as_many_runs_are_made_as_were_wished(tmp_path: Path) -> None:
    fill(Wish(hosts=14, days=20, runs=3000), tmp_path, MONDAY)

    assert 2700 < len(everything()["Run"]) < 3300
