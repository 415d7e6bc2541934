"""Who is in the made-up fleet: names, machines, rhythms, and the part that each one plays."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count, cycle
from random import Random

GIB = 1024**3


@dataclass(frozen=True, slots=True)
class Wish:
    """How large the fleet shall be; without `runs`, every job keeps its natural rhythm."""

    hosts: int = 60
    days: int = 90
    runs: int = 0
    seed: int = 1


@dataclass(frozen=True, slots=True)
class Role:
    """A kind of machine; its sizes are medians."""

    pattern: str
    note: str
    gib: float
    files: int
    per_day: int = 1


@dataclass(frozen=True, slots=True)
class Member:
    """One machine with its backup job."""

    name: str
    role: Role
    story: str
    server: str
    user: str
    path: str
    os: str
    kernel: str
    systemd: str
    restic: str
    python: str
    bytes: int
    files: int
    minute: int
    ladder: tuple[str, ...]
    cleans: bool = False

    @property
    def is_laptop(self) -> bool:
        return self.role is ROLES["laptop"]

    @property
    def group(self) -> str:
        return {"house-main": "Berlin", "house-offsite": "Graz"}.get(self.server, "")

    @property
    def tags(self) -> str:
        """As the model keeps them, between spaces."""
        kind = next(name for name, role in ROLES.items() if role is self.role)
        return f" {kind} " if self.role.per_day == 1 else f" {kind} often "

    @property
    def is_waiting(self) -> bool:
        return self.story == "waiting"


ROLES = {
    "web": Role("web-{:02}", "shop and site", 14, 61_000),
    "db": Role("db-{:02}", "PostgreSQL", 180, 2_400, per_day=4),
    "app": Role("app-{:02}", "", 9, 38_000),
    "mail": Role("mail-{:02}", "Dovecot and Postfix", 320, 910_000),
    "nas": Role("nas-{:02}", "shared drives", 2_900, 1_700_000),
    "etcd": Role("etcd-{}", "cluster state", 1, 120, per_day=12),
    "git": Role("git-{:02}", "repositories and wiki attachments", 75, 240_000, per_day=2),
    "files": Role("files-{:02}", "department shares", 640, 520_000),
    "build": Role("build-{:02}", "runners, cache is excluded", 21, 83_000),
    "monitor": Role("monitor-{:02}", "metrics of ninety days", 44, 7_500),
    "proxy": Role("proxy-{:02}", "", 2, 4_100),
    "dns": Role("dns-{}", "", 1, 900),
    "queue": Role("queue-{:02}", "", 6, 3_300),
    "wiki": Role("wiki-{:02}", "moves here in December", 12, 41_000),
    "laptop": Role("{}-laptop", "", 95, 310_000),
}

# The first dozen plays the stories, so that every fleet has them all.
CAST = (
    ("db", "db-03", "differs"),
    ("web", "web-07", "missed"),
    ("mail", "mail-01", "unreadable"),
    ("nas", "nas-01", "running"),
    ("etcd", "etcd-1", "poisoned"),
    ("git", "git-01", "hardened"),
    ("files", "files-01", "open"),
    ("build", "build-02", "silent"),
    ("wiki", "wiki-01", "waiting"),
    ("laptop", "mira-laptop", ""),
    ("monitor", "monitor-01", "paused"),
    ("web", "web-01", "elsewhere"),
)
_OTHERS = (
    *("web", "db", "app", "laptop", "web", "app", "db", "proxy", "web", "etcd", "app", "laptop"),
    *("build", "web", "queue", "dns", "app", "files", "laptop", "mail", "web", "git", "nas"),
)
_PEOPLE = (
    *("mira", "jonas", "aylin", "pavel", "sofia", "henrik", "lena", "tariq", "ines", "oskar"),
    *("noor", "david", "marta", "emil", "yuki", "clara", "ivan", "rosa", "finn", "amara"),
    *("julia", "mateo", "greta", "samir", "hanna", "bruno", "leila", "anton", "vera", "kofi"),
)
_SYSTEMS = (
    ("Debian GNU/Linux 12 (bookworm)", "6.1.0-39-amd64", "252", "0.14.0", "3.11.2"),
    ("Debian GNU/Linux 13 (trixie)", "6.12.48-amd64", "257", "0.18.0", "3.13.5"),
    ("Debian GNU/Linux 12 (bookworm)", "6.1.0-40-amd64", "252", "0.18.0", "3.11.2"),
    ("Ubuntu 24.04.3 LTS", "6.8.0-86-generic", "255", "0.16.4", "3.12.3"),
    ("Debian GNU/Linux 11 (bullseye)", "5.10.0-36-amd64", "247", "0.18.0", "3.9.2"),
    ("Fedora Linux 43 (Server Edition)", "6.17.1-300.fc43.x86_64", "258", "0.18.1", "3.14.0"),
)
# How far the units of most hosts have come, oldest step first; each is a key of units.LADDER.
_LADDERS = (
    *(("open",), ("open",), ("open", "seed"), ("seed",), ("seed", "middle"), ("middle",)),
    *(("open", "middle", "good"), ("good",), ("good", "filtered"), ("middle", "hardened")),
)
_STORY_LADDERS = {
    "open": ("open",),
    "hardened": ("open", "middle", "filtered", "hardened"),
    "poisoned": ("seed", "poisoned"),
}


def make_fleet(wish: Wish) -> list[Member]:
    """The same members for the same wish."""
    random = Random(f"fleet {wish.seed}")  # noqa: S311
    return [
        _member(kind, name, story, random)
        for (kind, name, story), _ in zip(_parts(), range(wish.hosts), strict=False)
    ]


def _parts() -> Iterator[tuple[str, str, str]]:
    """Kind, name and story, without end."""
    yield from CAST
    taken = {name for _, name, _ in CAST}
    names = {kind: _names_of(kind, taken) for kind in ROLES}
    for kind in cycle(_OTHERS):
        yield kind, next(names[kind]), ""


def _names_of(kind: str, taken: set[str]) -> Iterator[str]:
    pattern = ROLES[kind].pattern
    for number in count(1):
        if kind == "laptop":
            turn, person = divmod(number - 1, len(_PEOPLE))
            name = pattern.format(_PEOPLE[person]) + (f"-{turn + 1}" if turn else "")
        else:
            name = pattern.format(number)
        if name not in taken:
            yield name


def _member(kind: str, name: str, story: str, random: Random) -> Member:
    role = ROLES[kind]
    person, is_laptop, _ = name.partition("-laptop")
    system = random.choice(_SYSTEMS[1:4] if is_laptop else _SYSTEMS)
    ladder = random.choice(_LADDERS)
    spread = random.lognormvariate(0, 0.4)
    # Half goes to the house beside the machines, half to the one that forgets nothing.
    server = "house-main" if random.random() < 0.55 else "house-offsite"
    return Member(
        name=name,
        role=role,
        story=story,
        server="" if story == "elsewhere" else server,
        user=person if is_laptop else name,
        path=f"{person}/{name}" if is_laptop else name,
        os=system[0],
        kernel=system[1],
        systemd=system[2],
        restic=system[3],
        python=system[4],
        bytes=int(role.gib * spread * GIB),
        files=int(role.files * spread),
        # From half past midnight to half past four, as timers with a random delay spread.
        minute=random.randrange(30, 270),
        ladder=() if is_laptop else _STORY_LADDERS.get(story, ladder),
        cleans=kind in {"db", "nas", "files"} and server == "house-main" and not story,
    )
