"""The rest-server image that the tests run, built from images/rest-server."""

import subprocess

from tests.rig import ROOT, only_one, recipe_of

SERVER = "resthouse/rest-server:test"
BASE = "debian:trixie-slim"


def base(tag: str, *packages: str) -> None:
    """See to it that a base image is here: pulled, or made of Debian 13 where none can be."""
    with only_one("base"):
        _run("scripts/base-image", tag, "trixie", *packages)


def server() -> str:
    """Build the image unless the present one has today's recipe; its tag."""
    folder = ROOT / "images" / "rest-server"
    recipe = recipe_of(*sorted(folder.iterdir()))
    with only_one("image"):
        if _recipe_of_image() != recipe:
            base(BASE)
            label = f"resthouse.recipe={recipe}"
            _run("docker", "build", "--network=host", "--label", label, "--tag", SERVER, folder)
    return SERVER


def _recipe_of_image() -> str:
    shown = '{{index .Config.Labels "resthouse.recipe"}}'
    command = ["docker", "image", "inspect", "--format", shown, SERVER]
    return subprocess.run(command, capture_output=True, text=True).stdout.strip()


def _run(*command: object) -> None:
    done = subprocess.run(list(map(str, command)), cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{command[0]} failed: {(done.stderr or done.stdout)[-2000:]}")
