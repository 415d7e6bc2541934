"""The rest-server images that the tests run, built from images/rest-server."""

import subprocess

from tests.rig import ROOT, only_one, recipe_of

# rest-server 0.13, and 0.14 as Debian's next release has it.
SERVER, NEWER = "resthouse/rest-server:test", "resthouse/rest-server:test-newer"
_BASES = {SERVER: ("debian:trixie-slim", "trixie"), NEWER: ("resthouse/sid:test", "sid")}
# Where a mirror stands still for some weeks, its list of sid would be taken for too old.
_OF_ANY_AGE = "RUN echo 'Acquire::Check-Valid-Until \"false\";' >/etc/apt/apt.conf.d/90age"


def base(tag: str, *packages: str, suite: str = "trixie") -> None:
    """See to it that a base image is here: pulled, or made of Debian's packages."""
    with only_one("base"):
        _run("scripts/base-image", tag, suite, *packages)


def server(tag: str = SERVER) -> str:
    """Build the image unless the present one has today's recipe; its tag."""
    folder = ROOT / "images" / "rest-server"
    recipe = recipe_of(*sorted(folder.iterdir()))
    with only_one("image"):
        if _recipe_of(tag) != recipe:
            from_tag, suite = _BASES[tag]
            _base_of(from_tag, suite)
            options = ["--label", f"resthouse.recipe={recipe}", "--build-arg", f"BASE={from_tag}"]
            _run("docker", "build", "--network=host", *options, "--tag", tag, folder)
    return tag


def _base_of(tag: str, suite: str) -> None:
    if suite != "sid":
        base(tag, suite=suite)
        return
    base("debian:sid-slim", suite=suite)
    file = f"FROM debian:sid-slim\n{_OF_ANY_AGE}\n"
    _run("docker", "build", "--tag", tag, "-", stdin=file)


def _recipe_of(tag: str) -> str:
    shown = '{{index .Config.Labels "resthouse.recipe"}}'
    command = ["docker", "image", "inspect", "--format", shown, tag]
    return subprocess.run(command, capture_output=True, text=True).stdout.strip()


def _run(*command: object, stdin: str = "") -> None:
    words = list(map(str, command))
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, input=stdin)
    if done.returncode:
        raise RuntimeError(f"{command[0]} failed: {(done.stderr or done.stdout)[-2000:]}")


def dying(tag: str) -> None:
    """A rest-server that answers well, and ends after three seconds."""
    file = f'FROM {SERVER}\nCMD ["sh", "-c", "entrypoint & sleep 3; exit 1"]\n'
    _run("docker", "build", "--tag", tag, "-", stdin=file)
