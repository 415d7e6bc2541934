"""A whole house: how soon it answers, what it weighs, how soon it is gone."""

import signal
import tempfile
import time
from pathlib import Path

from tests.bench.processes import Tree, environment, free_port, wait_until_answering
from tests.bench.table import Line, most
from tests.bench.visitor import Visitor

_SETTLED_AFTER = 8


def measure() -> list[Line]:
    """A new house, started for the second time."""
    with tempfile.TemporaryDirectory(prefix="resthouse-bench-") as name:
        folder = Path(name)
        first, _, _ = _start(folder)
        first.stop(signal.SIGINT)
        tree, port, seconds = _start(folder)
        spent = tree.seconds()
        page = Visitor(port).get("/account/login/")
        # The workers have done each of their checks once by then.
        time.sleep(_SETTLED_AFTER)
        memory = tree.memory()
        stopped = tree.stop(signal.SIGINT)
    heavy = memory.get("granian", 0) + memory.get("worker", 0)
    return [
        most("second `run` to its first answer", seconds, "s", 3, f"{spent:.2f} s cpu"),
        most("its first page", page.milliseconds, "ms", 300),
        most("all gone after Ctrl-C", stopped, "s", 2),
        *(most(f"memory of {part}", size, "MiB") for part, size in sorted(memory.items())),
        most("memory of web and worker", heavy, "MiB", 250),
    ]


def _start(folder: Path) -> tuple[Tree, int, float]:
    port = free_port()
    begun = time.monotonic()
    tree = Tree.start(["manage.py", "run", "--bind", f"127.0.0.1:{port}"], environment(folder))
    wait_until_answering(port)
    return tree, port, time.monotonic() - begun
