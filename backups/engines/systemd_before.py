"""What a unit says already, which a drop-in must fit to, so that the backup keeps what it needs."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from backups.engines.systemd_checks import CAPABILITIES
from backups.engines.systemd_unit import Assignment, boolean, in_force, parse_unit, words_of
from backups.engines.systemd_work import work_of


@dataclass(frozen=True, slots=True)
class Before:
    """A unit before its drop-in."""

    lines: tuple[Assignment, ...]

    @classmethod
    def of(cls, text: str) -> "Before":
        return cls(tuple(at for at in parse_unit(text) if at.section == "Service"))

    @property
    def written(self) -> frozenset[str]:
        return frozenset(at.key for at in self.lines)

    def fitting(self, key: str, lines: Iterable[str]) -> Iterator[str]:
        """The lines of a choice as this unit needs them."""
        if key == "ProtectSystem":
            yield from self._with_cache(lines)
        elif key == "CapabilityBoundingSet":
            # What it is given and may not have, systemd takes from it without a word.
            more = "".join(f" {name}" for name in self._ambient)
            yield from (f"{line}{more}" for line in lines)
        else:
            yield from lines

    def _with_cache(self, lines: Iterable[str]) -> Iterator[str]:
        """Where the unit has a cache of its own, that one stays, and can be written."""
        cache = self._cache
        if not cache:
            yield from lines
            return
        yield from (line for line in lines if line.startswith("ProtectSystem="))
        if cache.startswith(("/", "%")) and not self._is_kept(cache):
            # As it is written there: what follows a percent sign means the same here.
            path = f'"{cache}"' if " " in cache else cache
            yield f"ReadWritePaths=-{path}"

    def _is_kept(self, cache: str) -> bool:
        folders = [word for at in self._of("CacheDirectory") for word in words_of(at.value)]
        return cache in {f"{root}/{folder}" for root in ("%C", "/var/cache") for folder in folders}

    @property
    def _cache(self) -> str:
        said = self._variable("RESTIC_CACHE_DIR")
        return self._option("--cache-dir") or said

    @property
    def repositories(self) -> list[str]:
        """Folders of this machine that the backup writes to."""
        said = [self._option("-r"), self._option("--repo"), self._variable("RESTIC_REPOSITORY")]
        paths = (each.removeprefix("local:") for each in said)
        return [path for path in dict.fromkeys(paths) if path.startswith("/") and "%" not in path]

    @property
    def has_temporary(self) -> bool:
        """Whether restic finds a place for its packs though the system is read-only."""
        last = {at.key: at.value for at in self.lines}
        is_private = any(
            boolean(last.get(key, "")) or last.get(key) == "disconnected"
            for key in ("PrivateTmp", "DynamicUser")
        )
        return is_private or bool(self._variable("TMPDIR"))

    @property
    def _ambient(self) -> list[str]:
        words = (
            word.upper() for at in self._of("AmbientCapabilities") for word in at.value.split()
        )
        return sorted({word for word in words if word in CAPABILITIES} - {"CAP_DAC_READ_SEARCH"})

    def _of(self, key: str) -> list[Assignment]:
        return [at for at in in_force(self.lines) if at.key == key]

    def _variable(self, name: str) -> str:
        words = [word for at in self._of("Environment") for word in words_of(at.value)]
        found = [word.partition("=")[2] for word in words if word.startswith(f"{name}=")]
        return found[-1] if found else ""

    def _option(self, name: str) -> str:
        for words in work_of(self.lines).backups:
            for before, word in zip(("", *words), words, strict=False):
                if before == name:
                    return word
                if word.startswith(f"{name}="):
                    return word.partition("=")[2]
        return ""
