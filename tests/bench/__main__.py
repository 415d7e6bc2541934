"""`make bench`: figures of one run, on this machine, beside the goals of the house."""

import argparse
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path

from tests.bench import ingest, pages, starting, users
from tests.bench.processes import environment, web
from tests.bench.table import most, say
from tests.bench.visitor import Visitor
from tests.rig import RIG, ROOT

SIZES = {
    "60 hosts, 90 days": ("small", []),
    "1,000 hosts, 1,000,000 runs": ("large", ["--hosts", "1000", "--runs", "1000000"]),
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--large", action="store_true", help="pages of 1,000 hosts, too")
    parser.add_argument("--web", action="store_true", help="pages and reports alone")
    asked = parser.parse_args()
    is_large = asked.large
    if not asked.web:
        say("A whole house", starting.measure())
    for title, (name, options) in SIZES.items():
        if name == "small" or is_large:
            _measure_pages(title, RIG / "bench" / name, options)
    _measure_ingest(RIG / "bench" / "small")
    if not asked.web:
        users.run()


def _measure_pages(title: str, folder: Path, options: list[str]) -> None:
    password = _fill(folder, options)
    newest = _rows(folder, "select started, id from backups_run order by started desc limit 2000")
    started, run = newest[-1]
    places = {"deep": f"{started.replace(' ', 'T')}%2B00:00_{run}", "run": str(run)}
    with pages.hello_of(folder) as hello, web(folder) as (tree, port):
        visitor = Visitor(port)
        visitor.sign_in("demo", password)
        cold = visitor.get("/")
        say(
            f"Pages, {title} (processor time, bytes as gzip, queries)",
            [
                most("the first page, overview", cold.milliseconds, "ms", 300),
                *pages.measure(visitor, tree, hello, places),
            ],
        )


def _measure_ingest(demo: Path) -> None:
    """On a copy: what is reported here has no place in the demonstration."""
    hosts = [name for (name,) in _rows(demo, "select name from backups_host where enrolled > ''")]
    with tempfile.TemporaryDirectory(prefix="resthouse-bench-") as name:
        folder = Path(name) / "house"
        shutil.copytree(demo, folder)
        with pages.hello_of(folder) as hello, web(folder) as (tree, port):
            say("Reports (processor time)", ingest.measure(Visitor(port), tree, hello, hosts))


def _fill(folder: Path, options: list[str]) -> str:
    """A demonstration with a crowd; the password of its operator."""
    folder.mkdir(parents=True, exist_ok=True)
    variables = environment(folder, RESTHOUSE_DEMO="true")
    fill = [sys.executable, "manage.py", "demo", "--fill-only", *options]
    said = subprocess.run(fill, cwd=ROOT, env=variables, check=True, capture_output=True, text=True)
    variables["DJANGO_SETTINGS_MODULE"] = "dashboard.settings"
    crowd = [sys.executable, "-m", "tests.bench.crowd"]
    subprocess.run(crowd, cwd=ROOT, env=variables, check=True)
    return re.findall(r"with (\S+)$", said.stdout, re.MULTILINE)[-1]


def _rows(folder: Path, question: str) -> list[tuple[str, ...]]:
    with closing(sqlite3.connect(folder / "resthouse.sqlite3")) as connection:
        return connection.execute(question).fetchall()


if __name__ == "__main__":
    main()
