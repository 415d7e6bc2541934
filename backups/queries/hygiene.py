"""How the users of a server stand together, and what should be tidied among them."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from backups import engines
from backups.engines.errors import EngineError
from backups.engines.htpasswd import Contents, Entry, Problem, explain_name
from backups.models import Server, User, UsersFile
from backups.queries.differences import Difference, compare
from backups.queries.user_standing import Owned, Standing, share, stand_users

__all__ = ["Book", "Finding", "Standing", "book_of", "hygiene", "standing_of"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to tidy, with all whom it is said of."""

    code: str
    names: tuple[str, ...]
    sentence: str
    fix: str


@dataclass(frozen=True, slots=True)
class Book:
    """All users of one server, and what is wrong with their file as a whole."""

    standings: tuple[Standing, ...] = ()
    problems: tuple[Problem, ...] = ()
    obstacle: str = ""
    differences: tuple[Difference, ...] = ()
    hygiene: tuple[Finding, ...] = ()

    @property
    def is_refused(self) -> bool:
        return any(problem.blocks for problem in self.problems)

    @property
    def headline(self) -> str:
        if self.is_refused:
            return "The users file is damaged"
        if self.obstacle:
            return "The users file cannot be read now"
        if not self.standings:
            return "Nobody can back up yet"
        return _headline(self.standings)


def book_of(server: Server) -> Book:
    """Everybody, worst first; of a file that cannot be read, what the database knows."""
    users = {user.name: user for user in server.users.all()}
    contents, obstacle = _read(server)
    found = _differences(server, contents, users.values())
    entries = _by_name(contents)
    for name in (entries or {}).keys() - users.keys():
        users[name] = User(server=server, name=name)
    problems, owned = contents.problems if contents else (), _owned(server)
    standings = stand_users(server, users.values(), entries, owned, found)
    return Book(standings, problems, obstacle, found, tuple(_findings(server, standings, owned)))


def standing_of(user: User) -> Standing:
    contents, _ = _read(user.server)
    found = _differences(user.server, contents, [user])
    owned = {user.name: _owned(user.server).get(user.name, ())}
    return stand_users(user.server, [user], _by_name(contents), owned, found)[0]


def hygiene(server: Server) -> tuple[Finding, ...]:
    """What should be tidied, worst first."""
    return book_of(server).hygiene


def _owned(server: Server) -> Owned:
    owned = defaultdict(list)
    for repository in server.repositories.filter(is_gone=False):
        owned[repository.user_name].append(repository)
    return {name: tuple(repositories) for name, repositories in owned.items()}


# By the word of their standing: the finding's own code, what is said of one, and what to do.
_FINDINGS = {
    "expired": ("expired", "{} has expired, but is let in", "Disable it, or set another date."),
    "unusable": ("unusable", "{} cannot sign in", "Rotate the password."),
    "weak": ("weak-hash", "{} has a hash that is quick to guess", "Rotate the password."),
    "unused": ("unused", "{} was not seen for 90 days", "Ask its host, or disable it."),
    "never": ("never-used", "{} was never used", "Delete it if nobody waits for it."),
    "empty": ("no-repository", "{} owns no repository", "Delete it if nobody waits for it."),
    "disabled": ("disabled", "{} is disabled", "Delete it when it shall not come back."),
}


_PLURALS = {
    "has expired, but is": "have expired, but are",
    "has a hash that is": "have hashes that are",
    "was": "were",
    "owns": "own",
    "is": "are",
    "belongs to": "belong to",
}


def _findings(server: Server, standings: Iterable[Standing], owned: Owned) -> Iterator[Finding]:
    named = defaultdict(list)
    for standing in standings:
        for code in standing.codes:
            named[code].append(standing.user.name)
    for code, (name, sentence, fix) in _FINDINGS.items():
        if names := tuple(named[code]):
            yield Finding(name, names, _said_of(names, sentence), fix)
    if not server.has_private_repositories:
        return
    everybody = {name for names in named.values() for name in names}
    strays = tuple(
        repository.path or "the root"
        for owner in sorted(owned.keys() - everybody)
        for repository in owned[owner]
    )
    if strays:
        fix = "Add a user of that name to reach it, or remove it from the disk."
        yield Finding("no-user", strays, _said_of(strays, "{} belongs to no user"), fix)
    if "metrics" in everybody:
        yield Finding("metrics", ("metrics",), explain_name("metrics", is_private=True), "")


def _said_of(names: tuple[str, ...], sentence: str) -> str:
    if len(names) == 1:
        return sentence.format(names[0]) + "."
    for one, several in _PLURALS.items():
        sentence = sentence.replace(f"{{}} {one}", f"{{}} {several}")
    return sentence.format(len(names)) + "."


def _differences(
    server: Server, contents: Contents | None, users: Iterable[User]
) -> tuple[Difference, ...]:
    book = UsersFile.objects.filter(server=server).first()
    disabled = {user.name for user in users if user.is_disabled}
    return compare(contents, book, disabled) if contents else ()


def _read(server: Server) -> tuple[Contents | None, str]:
    try:
        return engines.htpasswd_of(server).read(), ""
    except EngineError as error:
        return None, str(error)


def _by_name(contents: Contents | None) -> dict[str, Entry] | None:
    return {entry.name: entry for entry in contents.entries} if contents else None


def _headline(standings: tuple[Standing, ...]) -> str:
    ill = [standing for standing in standings if standing.needs_a_look]
    new = [standing for standing in standings if standing.code == "new"]
    if ill or new:
        return share(ill or new, len(standings))
    able = [standing for standing in standings if standing.code == "fine"]
    if not able:
        return "Nobody can back up now"
    return share(able, len(standings))
