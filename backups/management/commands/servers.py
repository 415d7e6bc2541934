"""`manage.py servers`: the containers."""

from typing import Any

from django.conf import settings

from backups.actions import servers
from backups.engines.container_spec import docker_run
from backups.engines.errors import EngineError
from backups.management.noun import NounCommand, Option, Verb, finish, named
from backups.models import Server

_NAME: Option = ("name", {})


class Command(NounCommand):
    """Servers: one rest-server container and its data directory each."""

    help = __doc__

    def verbs(self) -> dict[str, tuple[Verb, list[Option]]]:
        return {
            "list": (self.list, []),
            "create": (
                self.create,
                [
                    _NAME,
                    ("--image", {"default": settings.RESTHOUSE_SERVER_IMAGE}),
                    ("--bind", {"default": "127.0.0.1:8000", "help": "ADDRESS:PORT"}),
                    ("--data", {"required": True, "help": "data directory, absolute"}),
                    ("--public-name", {"default": "", "help": "name that hosts use"}),
                    ("--uid", {"type": int, "default": 1000}),
                    ("--gid", {"type": int, "default": 1000}),
                    ("--no-append-only", {"action": "store_true"}),
                    ("--no-private-repos", {"action": "store_true"}),
                    ("--tls", {"action": "store_true", "help": "with a certificate of this house"}),
                    ("--build-image", {"action": "store_true", "help": "where none can be pulled"}),
                ],
            ),
            "start": (self.start, [_NAME]),
            "stop": (self.stop, [_NAME]),
            "restart": (self.restart, [_NAME]),
            "remove": (self.remove, [_NAME]),
            "retry": (self.retry, [_NAME]),
            "forget": (self.forget, [_NAME]),
            "show": (self.show, [_NAME]),
        }

    def list(self) -> None:
        """Name, state and address of each."""
        all_of_them = list(Server.objects.all())
        lines = [f"{s.name:20} {s.get_status_display():24} {s.url}" for s in all_of_them]
        self.answer([_facts(s) for s in all_of_them], "\n".join(lines) or "No server yet.")

    def create(self, **options: Any) -> None:
        """Make a server and wait until it answers."""
        address, _, port = options["bind"].rpartition(":")
        if not address or not port.isdecimal():
            raise EngineError("Write --bind as ADDRESS:PORT, such as 127.0.0.1:8000.")
        server = Server(
            name=options["name"],
            image=options["image"],
            address=address.strip("[]"),
            port=int(port),
            data_directory=options["data"],
            public_name=options["public_name"],
            uid=options["uid"],
            gid=options["gid"],
            is_append_only=not options["no_append_only"],
            has_private_repositories=not options["no_private_repos"],
            has_tls=options["tls"],
        )
        operation = servers.create_server(server, by="terminal")
        try:
            finish(operation)
        except EngineError:
            operation.refresh_from_db()
            if not (options["build_image"] and operation.problem_code == "image-missing"):
                raise
            finish(servers.build_image(server, by="terminal"))
        server.refresh_from_db()
        self.answer(_facts(server), f"{server} is live at {server.url}")

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
        self.answer(_facts(named(Server, name)), f"{name} is live at {server.url}")

    def forget(self, name: str) -> None:
        """Drop a server without a container; its data directory stays."""
        servers.forget_server(named(Server, name), by="terminal")
        self.answer({"name": name, "forgotten": True}, f"{name} is forgotten")

    def show(self, name: str) -> None:
        """What it is, and the `docker run` line that makes its equal."""
        server = named(Server, name)
        servers.check_server(server)
        line = docker_run(server.spec)
        lines = [f"{name:25}{value}" for name, value in _facts(server).items()]
        self.answer({**_facts(server), "docker_run": line}, "\n".join([*lines, "", line]))

    def _drive(self, name: str, verb: str) -> None:
        operation = servers.drive_server(named(Server, name), verb, by="terminal")
        finish(operation)
        self.answer({"name": name, "done": verb}, f"{name}: {verb} done")


def _facts(server: Server) -> dict[str, object]:
    return {
        "name": server.name,
        "status": str(server.status),
        "reason": server.reason,
        "url": server.url,
        "image": server.image,
        "data_directory": server.data_directory,
        "is_append_only": server.is_append_only,
        "has_private_repositories": server.has_private_repositories,
        "live_since": server.live_since,
        "proven": server.proven,
    }
