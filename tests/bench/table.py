"""The lines that the bench prints."""

import sys
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Line:
    """One figure with its goal, where there is one."""

    what: str
    figure: str
    goal: str = ""
    is_kept: bool | None = None

    def __str__(self) -> str:
        word = {True: "kept", False: "missed", None: ""}[self.is_kept]
        return f"  {self.what:38} {self.figure:>46}   {self.goal:14} {word}".rstrip()


def most(what: str, value: float, unit: str, goal: float | None = None, beside: str = "") -> Line:
    """A figure that had better be small."""
    figure = f"{beside}  {value:.2f} {unit}" if beside else f"{value:.2f} {unit}"
    if goal is None:
        return Line(what, figure)
    return Line(what, figure, f"≤ {goal:g} {unit}", value <= goal)


def say(title: str, lines: list[Line]) -> None:
    sys.stdout.write(f"\n{title}\n")
    sys.stdout.writelines(f"{line}\n" for line in lines)
    sys.stdout.flush()
