"""Verbs of the terminal in children of one warm process, so that a killed one costs no start."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.rig import ROOT


@dataclass
class Forks:
    """`manage.py NOUN VERB` on the data of one environment, again and again."""

    environment: Mapping[str, str]
    process: subprocess.Popen[str] = field(init=False)

    def __enter__(self) -> "Forks":
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.rig.forks"],
            cwd=ROOT,
            env=dict(self.environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        return self

    def __exit__(self, *error: object) -> None:
        self.process.communicate()

    def run(self, *arguments: str, killed_within: float | None = None) -> int:
        """The exit status; when given seconds, it is killed at a random moment of them."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        print(json.dumps(arguments), file=self.process.stdin, flush=True)
        pid = int(self.process.stdout.readline())
        if killed_within is not None:
            time.sleep(random.uniform(0, killed_within))
            # Until its parent has told its end here, nobody else can have its number.
            os.kill(pid, signal.SIGKILL)
        print(file=self.process.stdin, flush=True)
        return int(self.process.stdout.readline())


def _tell(number: int) -> None:
    sys.stdout.write(f"{number}\n")
    sys.stdout.flush()


def _serve() -> None:
    import django

    django.setup()
    from django.core.management import execute_from_command_line

    from backups.management.commands import users  # noqa: F401

    for line in sys.stdin:
        arguments = ["manage.py", *json.loads(line)]
        pid = os.fork()
        if pid == 0:
            # What the verb prints would be taken for the parent's answer.
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            try:
                execute_from_command_line(arguments)
            except SystemExit as end:
                sys.stderr.flush()
                os._exit(end.code if isinstance(end.code, int) else 1)
            os._exit(0)
        _tell(pid)
        sys.stdin.readline()
        _tell(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))


if __name__ == "__main__":
    _serve()
