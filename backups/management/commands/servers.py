"""`manage.py servers`: the containers."""

from contextlib import suppress
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from django.conf import settings

from backups.actions import adopting, servers, windows
from backups.actions import options as changes
from backups.actions.watching import check_server
from backups.engines.container_compose import compose
from backups.engines.container_oddities import Oddity
from backups.engines.container_spec import docker_run
from backups.engines.errors import EngineError
from backups.management import server_logs
from backups.management.noun import NounCommand, Option, Verb, finish, named
from backups.management.server_facts import facts_of, state_of
from backups.management.server_options import fields_of, server_options
from backups.models import Operation, Server
from backups.queries.server_log import Wanted

_NAME: Option = ("name", {})
_WAIT: Option = (
    "--wait",
    {"type": float, "default": None, "help": "seconds that uploads have to end before; 0: none"},
)
_ENGINE: Option = ("--engine", {"default": "", "help": "unix://, tcp:// or ssh:// address"})
_PUBLIC_NAME: Option = ("--public-name", {"default": "", "help": "name that hosts use"})
_LOOK: Option = ("--look", {"action": "store_true", "help": "say what it is, and change nothing"})
_IMAGE: Option = (
    "--image",
    {"default": "", "help": "NAME:TAG; else the newest of the present one"},
)
_FORCE: Option = ("--force", {"action": "store_true", "help": "also while uploads are under way"})
_TYPED: Option = ("--really", {"required": True, "help": "the name once more", "metavar": "NAME"})
_MINUTES: Option = ("--minutes", {"type": int, "default": 60, "help": "until it removes itself"})
_CREATE: list[Option] = [
    ("--data", {"required": True, "help": "data directory, absolute, or the name of a volume"}),
    _PUBLIC_NAME,
    _ENGINE,
    ("--build-image", {"action": "store_true", "help": "where none can be pulled"}),
]


class Command(NounCommand):
    """Servers: one rest-server container and its data directory each."""

    help = __doc__

    def verbs(self) -> dict[str, tuple[Verb, list[Option]]]:
        return {
            "list": (self.list, []),
            "create": (self.create, [_NAME, *_CREATE, *server_options()]),
            "candidates": (self.candidates, [_ENGINE]),
            "adopt": (self.adopt, [("container", {}), _ENGINE, _PUBLIC_NAME, _LOOK]),
            "put-back": (self.put_back, [_NAME]),
            "change": (self.change, [_NAME, _WAIT, *server_options()]),
            "upgrade": (self.upgrade, [_NAME, _IMAGE, _WAIT, _FORCE]),
            "start": (self.start, [_NAME]),
            "stop": (self.stop, [_NAME]),
            "restart": (self.restart, [_NAME]),
            "remove": (self.remove, [_NAME]),
            "retry": (self.retry, [_NAME]),
            "forget": (self.forget, [_NAME]),
            "erase": (self.erase, [_NAME, _TYPED]),
            "open-window": (self.open_window, [_NAME, _MINUTES]),
            "close-window": (self.close_window, [_NAME]),
            "show": (self.show, [_NAME]),
            "logs": (self.logs, [_NAME, *server_logs.LOG_OPTIONS]),
            "as-docker-run": (self.as_docker_run, [_NAME]),
            "as-compose": (self.as_compose, [_NAME]),
        }

    def list(self) -> None:
        """Name, state and address of each."""
        all_of_them = list(Server.objects.all())
        lines = [f"{s.name:20} {s.get_status_display():24} {s.url}" for s in all_of_them]
        self.answer([facts_of(s) for s in all_of_them], "\n".join(lines) or "No server yet.")

    def create(self, name: str, data: str, public_name: str, engine: str, **options: Any) -> None:
        """Make a server and wait until it answers."""
        fields = {"image": settings.RESTHOUSE_SERVER_IMAGE, **fields_of(options)}
        fields |= {"public_name": public_name, "engine": engine}
        server = Server(name=name, data_directory=data, **fields)
        operation = servers.create_server(server, by="terminal")
        try:
            finish(operation)
        except EngineError:
            operation.refresh_from_db()
            if not (options["build_image"] and operation.problem_code == "image-missing"):
                raise
            finish(servers.build_image(server, by="terminal"))
        server.refresh_from_db()
        self.answer(facts_of(server), f"{server} is live at {server.url}")

    def candidates(self, engine: str) -> None:
        """Names of the rest-servers that could be adopted."""
        names = adopting.find_candidates(engine)
        self.answer(names, "\n".join(names) or "No container to adopt.")

    def adopt(self, container: str, engine: str, public_name: str, *, look: bool) -> None:
        """Make a server of a container as it runs; or want one of ours as somebody changed it."""
        if look:
            candidate = adopting.read_candidate(container, engine)
            self._answer_adopted(candidate.server, candidate.oddities, "could be adopted")
            return
        ours = Server.objects.filter(name=container, engine=engine).first()
        if ours is not None:
            server = adopting.adopt_drift(ours, by="terminal")
            self._answer_adopted(server, (), "is wanted as it runs")
            return
        server, found = adopting.adopt_container(
            container, engine=engine, public_name=public_name, by="terminal"
        )
        self._answer_adopted(server, found, f"is adopted; it {state_of(server)}")

    def put_back(self, name: str) -> None:
        """Have it as it is wanted, whoever changed it."""
        self._finish(adopting.put_back(named(Server, name), by="terminal"), name)

    def change(self, name: str, wait: float | None, **options: Any) -> None:
        """Change what it is told, prove it, or have it as before."""
        server = named(Server, name)
        operation = changes.change_options(server, fields_of(options), by="terminal", wait=wait)
        self._finish(operation, name)

    def upgrade(self, name: str, image: str, wait: float | None, *, force: bool) -> None:
        """Pull the image and go over to it, prove it, or have the former one back."""
        operation = changes.upgrade_server(
            named(Server, name), by="terminal", image=image, wait=wait, is_forced=force
        )
        self._finish(operation, name)

    def start(self, name: str) -> None:
        """Start its container and wait until it answers."""
        self._drive(name, "start")

    def stop(self, name: str) -> None:
        """Stop its container; uploads under way may finish."""
        self._drive(name, "stop")

    def restart(self, name: str) -> None:
        """Stop, start, and wait until it answers."""
        self._drive(name, "restart")

    def remove(self, name: str) -> None:
        """Remove its container; the data directory stays."""
        self._drive(name, "remove")

    def retry(self, name: str) -> None:
        """Make the container of a server that has none."""
        server = named(Server, name)
        finish(servers.retry_server(server, by="terminal"))
        self.answer(facts_of(named(Server, name)), f"{name} is live at {server.url}")

    def forget(self, name: str) -> None:
        """Drop a server without a container; its data directory stays."""
        servers.forget_server(named(Server, name), by="terminal")
        self.answer({"name": name, "forgotten": True}, f"{name} is forgotten")

    def erase(self, name: str, really: str) -> None:
        """Delete all data of a removed server, for ever."""
        done = finish(servers.erase_server(named(Server, name), really, by="terminal"))
        self.answer({"name": name, "erased": True}, done.step)

    def open_window(self, name: str, minutes: int) -> None:
        """A second container for this machine alone, without append-only, that removes itself."""
        # More would be no time span at all.
        span = timedelta(minutes=min(minutes, 10_000))
        asked = windows.open_window(named(Server, name), span, by="terminal")
        window = named(Server, finish(asked).subject)
        facts = {**facts_of(window), "closes": window.closes}
        self.answer(facts, f"Open at {window.url} for {minutes} minutes")

    def close_window(self, name: str) -> None:
        """Remove the second container of a server before its time."""
        window = named(Server, name).windows.first()
        if window is None:
            raise EngineError(f"{name} has no maintenance window.")
        windows.close_window(window, by="terminal")
        for operation in window.operations.open():
            finish(operation)
        windows.close_windows.call()
        self.answer({"name": name, "closed": True}, f"The window of {name} is closed")

    def show(self, name: str) -> None:
        """What it is, and the `docker run` line that makes its equal."""
        server = named(Server, name)
        check_server(server)
        line = docker_run(server.spec)
        lines = [f"{name:25}{value}" for name, value in facts_of(server).items()]
        self.answer({**facts_of(server), "docker_run": line}, "\n".join([*lines, "", line]))

    def logs(self, name: str, tail: int, search: str, *, probes: bool, follow: bool) -> None:
        """What rest-server wrote, with what known lines mean."""
        asked = named(Server, name), Wanted(search, with_probes=probes), tail
        if follow:
            with suppress(KeyboardInterrupt):
                for line in server_logs.follow(*asked):
                    self.tell(server_logs.facts_of(line), server_logs.words_of(line))
        else:
            lines = server_logs.newest_lines(*asked)
            text = "\n".join(map(server_logs.words_of, lines)) or "No line."
            self.answer([server_logs.facts_of(line) for line in lines], text)

    def as_docker_run(self, name: str) -> None:
        """The command that makes an equal container without Resthouse."""
        line = docker_run(named(Server, name).spec)
        self.answer({"docker_run": line}, line)

    def as_compose(self, name: str) -> None:
        """The compose file that makes an equal container without Resthouse."""
        text = compose(named(Server, name).spec)
        self.answer({"compose": text}, text.removesuffix("\n"))

    def _answer_adopted(self, server: Server, found: tuple[Oddity, ...], said: str) -> None:
        lines = [f"{server.name} {said}."]
        for one in found:
            lines.append(f"{one.level:8}{one.sentence} {one.advice}".rstrip())
        self.answer(
            {**facts_of(server), "findings": [asdict(one) for one in found]}, "\n".join(lines)
        )

    def _finish(self, operation: Operation, name: str) -> None:
        proof = finish(operation).step
        self.answer({**facts_of(named(Server, name)), "proof": proof}, f"{name} is live: {proof}")

    def _drive(self, name: str, verb: str) -> None:
        operation = servers.drive_server(named(Server, name), verb, by="terminal")
        finish(operation)
        self.answer({"name": name, "done": verb}, f"{name}: {verb} done")
