"""Our reading of a users file against that of the real rest-server, for many odd files."""

import base64
import hashlib
import random
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import docker
import pytest

from backups.engines import htpasswd, restserver
from backups.engines.htpasswd import Contents

PASSWORD = "correct horse battery"
HASH = htpasswd.hash_password(PASSWORD, cost=4)
SHA1 = "{SHA}" + base64.b64encode(hashlib.sha1(PASSWORD.encode()).digest()).decode()

ODD = [
    "",
    "\n\n",
    "# a comment alone\n",
    "alice",
    "alice\n",
    "al ice\n",
    "   \n",
    f"alice:{HASH}",
    f"alice:{HASH}\r\n# comment\r\n\r\nbob:{SHA1}\r\n",
    f"alice:{HASH}\r",
    f"alice:{HASH}\nbo",
    f"alice:{HASH}\nbob:{HASH[:20]}",
    f"alice:{HASH}\n \nbob:{HASH}\n",
    f"   \nalice:{HASH}\n",
    f"alice:{HASH}\n # indented\n",
    f"alice:{HASH}\n # indented: with a colon\n",
    f"alice:{HASH}:comment\n",
    f"alice:{HASH}:comment\nbob:{HASH}:\n",
    f"alice:{HASH}:comment\nbob:{HASH}\n",
    f"alice:{HASH}\nbob:{HASH}:\n",
    f"\ufeffalice:{HASH}\nbob:{HASH}\n",
    f"\ufeff# comment\nalice:{HASH}\n",
    f"\ufeff\nalice:{HASH}\n",
    f"  alice:  {HASH}  \n\tbob:\t{SHA1}\n",
    f"alice :{HASH}\nbob:{SHA1} \n",
    f"\xa0alice:\u3000{HASH}\n\x1cbob:{HASH}\n",
    f"alice:\x1c{HASH}\nbob:\x85{HASH}\n",
    f"alice:{HASH}\nalice:x\n",
    f"alice:x\nalice:{HASH}\n",
    f"alice:$apr1$a$b\nbob:{PASSWORD}\n",
    f"Alice:{HASH}\nAL.ice@h-o_st:{HASH}\n",
    f"Zoë:{HASH}\n日本:{HASH}\nZoe\u0308:{HASH}\n",
    f"٣:{HASH}\n²:{HASH}\n7:{HASH}\n",
    f'"alice":"{HASH}"\n',
    f'"alice" :{HASH}\n',
    f'al"ice:{HASH}\n',
    f'"al""ice":{HASH}\nbob:{HASH}\n',
    f'alice:"{HASH}\nbob:x"\ncarol:{HASH}\n',
    f'alice:"{HASH}\n',
    f'alice:{HASH}\n"',
    f":{HASH}\nbob:{HASH}\n",
    f"alice:{HASH}tail\nbob:{SHA1}tail\n",
    f"alice:{HASH.replace('$2y$', '$2x$')}\nbob:{HASH.replace('$2y$', '$2b$')}\n",
    f"alice:{HASH.replace('$04$', '$03$')}\nbob:{HASH.replace('$04$', '$4$')}\n",
    f"alice:{HASH[:-1]}\nbob:{HASH.replace('$2y$', '$2a$')}\n",
    f"data:{HASH}\nmetrics:{HASH}\n",
    f"alice:{HASH}\n\r\r\nbob:{HASH}\n",
    f"alice:{HASH}\rbob:{HASH}\n",
    f"alice\0:{HASH}\nbob:{HASH}\n",
    f"alice\udcff:{HASH}\nbob:{HASH}\n",
]
LINES = [f"alice:{HASH}\n", f"bob:{HASH}\r\n", f"carol:{SHA1}\n", "# comment\n", "\n"]
PIECES = [
    ":",
    "\n",
    "\r",
    "\r\n",
    " ",
    "\t",
    "#",
    '"',
    '""',
    "\ufeff",
    "\xa0",
    "alice",
    "bob",
    HASH,
]


def random_files(number: int) -> Iterator[str]:
    """The same ones each time."""
    dice = random.Random(1)
    for _ in range(number):
        pieces = dice.choices(LINES, k=dice.randint(1, 4)) + dice.choices(
            PIECES, k=dice.randint(0, 3)
        )
        dice.shuffle(pieces)
        yield "".join(pieces)


FILES = [*ODD, *random_files(60)]

# Each file gets a server of its own, which either stays or leaves its exit status.
RUN_ALL = """
for case in /cases/*; do
  (
    rest-server --path /tmp/data --htpasswd-file $case/.htpasswd \
      --listen 127.0.0.1:$(cat $case/port) >$case/log 2>&1
    echo $? >$case/status
  ) &
done
wait
"""


@dataclass(frozen=True)
class Case:
    """One file and the server that was started with it."""

    text: str
    folder: Path
    port: int

    def has_refused(self) -> bool:
        """Wait until it listens or has ended."""
        for _ in range(600):
            if (self.folder / "status").exists():
                return True
            with socket.socket() as probe:
                if not probe.connect_ex(("127.0.0.1", self.port)):
                    return False
            time.sleep(0.05)
        raise AssertionError("neither started nor ended")


@pytest.fixture(scope="module")
def cases(
    docker_client: docker.DockerClient, server_image: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[list[Case]]:
    folder = tmp_path_factory.mktemp("cases")
    cases = [Case(text, folder / f"{n:03}", port) for n, (text, port) in enumerate(_with_ports())]
    for case in cases:
        case.folder.mkdir()
        (case.folder / "port").write_text(f"{case.port}")
        (case.folder / ".htpasswd").write_bytes(case.text.encode("utf-8", "surrogateescape"))
    container = docker_client.containers.run(
        server_image,
        ["sh", "-c", RUN_ALL],
        detach=True,
        init=True,
        network_mode="host",
        mounts=[docker.types.Mount("/cases", str(folder), type="bind")],
    )
    try:
        yield cases
    finally:
        container.remove(force=True, v=True)


def _with_ports() -> Iterator[tuple[str, int]]:
    listeners = [socket.create_server(("127.0.0.1", 0)) for _ in FILES]
    ports = [listener.getsockname()[1] for listener in listeners]
    for listener in listeners:
        listener.close()
    return zip(FILES, ports, strict=True)


@pytest.mark.parametrize("number", range(len(FILES)))
def test_we_read_a_file_as_rest_server_does(cases: list[Case], number: int) -> None:
    case = cases[number]
    contents = htpasswd.parse(case.text)

    assert contents.is_refused == case.has_refused(), (case.folder / "log").read_text()
    if not contents.is_refused:
        let_in = _let_in(contents, lambda name: _sign_in(case.port, name))
        assert let_in == {entry.name for entry in contents.entries if entry.is_usable}


def _sign_in(port: int, name: str) -> bool:
    return restserver.is_let_in(f"http://127.0.0.1:{port}/", name, PASSWORD)


def _let_in(contents: Contents, asks: Callable[[str], bool]) -> set[str]:
    """Those who can sign in, of all that may be meant by these files."""
    meant = {"alice", "bob", "carol", "Alice", "Zoë", "data", "alicebob", "bobalice", "٣", "²"}
    return {name for name in meant | {entry.name for entry in contents.entries} if asks(name)}
