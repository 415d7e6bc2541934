"""Pages: processor time, bytes over the wire and queries of each."""

from dataclasses import dataclass
from pathlib import Path

from tests.bench.crowd import SERVER
from tests.bench.processes import Tree, web
from tests.bench.table import Line
from tests.bench.visitor import Visitor

PAGES = {
    "overview": "/",
    "hosts": "/hosts/",
    "one host": "/hosts/db-01/",
    "runs": "/runs/",
    "runs, deep in the past": "/runs/?before={deep}",
    "runs, those that failed": "/runs/?status=failed",
    "users, 10,000 in one file": f"/users/?server={SERVER}",
    "units": "/hardening/",
    "one unit": "/hardening/etcd-1/restic-backup.service/",
    "repositories": "/repositories/",
    "events": "/events/",
}
# 8 ms on the idle machine where hello took 0.12 ms; the ratio holds on others and under load.
MOST_HELLOS = 66
MOST_KILOBYTES = 60
_WARM = 5
_TURNS = 40
_HELLOS = 2000


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one answer."""

    milliseconds: float
    kilobytes: float
    queries: int
    status: int

    def line(self, what: str, hello: float) -> Line:
        if self.status != 200:
            return Line(what, f"answers {self.status}", "", is_kept=False)
        hellos = self.milliseconds / hello
        figure = (
            f"{self.milliseconds:6.2f} ms {hellos:4.0f} x hello"
            f" {self.kilobytes:5.1f} kB {self.queries:3} queries"
        )
        is_kept = hellos <= MOST_HELLOS and self.kilobytes <= MOST_KILOBYTES
        return Line(what, figure, f"≤ {MOST_HELLOS} x, {MOST_KILOBYTES} kB", is_kept)


def cost_of(path: str, visitor: Visitor, tree: Tree, turns: int = _TURNS) -> Cost:
    """The mean of many, in processor time of the server."""
    counted = visitor.get(path, **{"X-Count-Queries": "1"})
    for _ in range(_WARM):
        visitor.get(path)
    begun = tree.seconds()
    for _ in range(turns):
        visitor.get(path)
    spent = (tree.seconds() - begun) * 1000 / turns
    return Cost(spent, counted.bytes / 1000, counted.queries, counted.status)


def cost_of_hello(folder: Path) -> float:
    """Milliseconds of a view that does nothing, without a query and without the house's parts."""
    with web(folder, "tests.bench.bare") as (tree, port):
        return cost_of("/hello/", Visitor(port), tree, _HELLOS).milliseconds


def measure(visitor: Visitor, tree: Tree, hello: float, deep: str) -> list[Line]:
    """A line for each page."""
    return [
        cost_of(path.format(deep=deep), visitor, tree).line(what, hello)
        for what, path in PAGES.items()
    ]
