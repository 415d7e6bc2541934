"""Pages: processor time, bytes over the wire and queries of each."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.bench.crowd import SERVER
from tests.bench.processes import Tree, web
from tests.bench.table import Line, most
from tests.bench.visitor import Visitor

# The overview and every list, which have goals of their own; then pages of one thing.
LISTS = {
    "overview": "/",
    "servers": "/servers/",
    "users": "/users/?server=house-main",
    "certificates": "/certificates/",
    "hosts": "/hosts/",
    "hosts, those that need a look": "/hosts/?state=needs",
    "hosts, the last page": "/hosts/?page=last",
    "runs": "/runs/",
    "runs, deep in the past": "/runs/?before={deep}",
    "runs, those that failed": "/runs/?status=failed",
    "runs of one host": "/runs/?host=db-01",
    "runs, searched": "/runs/?q=db",
    "runs, what was pruned lately": "/runs/?kind=prune&period=7",
    "repositories": "/repositories/",
    "units": "/hardening/",
    "risks": "/hardening/risks/",
    "events": "/events/",
}
OTHERS = {
    "users, 10,000 in one file": f"/users/?server={SERVER}",
    "one host": "/hosts/db-01/",
    "one run": "/runs/{run}/",
    "one unit": "/hardening/etcd-1/restic-backup.service/",
    "settings": "/settings/",
}
# 8 ms on the idle machine where hello took 0.12 ms; the ratio holds on others and under load.
MOST_HELLOS = 66
MOST_KILOBYTES = 60
_WARM = 5
_TURNS = 40
# Between the pages, so that both meet the same machine.
_HELLOS = 300


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one answer."""

    milliseconds: float
    kilobytes: float
    queries: int
    status: int

    def line(self, what: str, hello: float, *, is_list: bool = True) -> Line:
        if self.status != 200:
            return Line(what, f"answers {self.status}", "", is_kept=False)
        hellos = self.milliseconds / hello
        figure = (
            f"{self.milliseconds:6.2f} ms {hellos:4.0f} x hello"
            f" {self.kilobytes:5.1f} kB {self.queries:3} queries"
        )
        if not is_list:
            return Line(what, figure)
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


@contextmanager
def hello_of(folder: Path) -> Iterator[Callable[[], float]]:
    """Asks what a view costs that does nothing, without a query and without the house's parts."""
    with web(folder, "tests.bench.bare") as (tree, port):
        # With a new connection each time: the server closes one that waits for long.
        yield lambda: cost_of("/hello/", Visitor(port), tree, _HELLOS).milliseconds


def measure(
    visitor: Visitor, tree: Tree, hello: Callable[[], float], places: dict[str, str]
) -> list[Line]:
    """A line for each page, as a multiple of what hello took just before and after it."""
    lines, before = [], hello()
    for what, path in {**LISTS, **OTHERS}.items():
        cost = cost_of(path.format(**places), visitor, tree)
        after = hello()
        lines.append(cost.line(what, (before + after) / 2, is_list=what in LISTS))
        before = after
    return [most("hello, to compare with", before, "ms"), *lines, _verdict(lines)]


def _verdict(lines: list[Line]) -> Line:
    goals = [line for line in lines if line.is_kept is not None]
    kept = sum(bool(line.is_kept) for line in goals)
    return Line("lists within both goals", f"{kept} of {len(goals)}", "all", kept == len(goals))
