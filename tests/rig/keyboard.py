"""A person who has no mouse: goes by Tab to what has a name, and acts there by keys."""

import re
from dataclasses import dataclass

from playwright.sync_api import Page, expect

_MOST_STEPS = 120
# The accessible name, as far as our pages need it: label, text or aria-label.
_FOCUSED = """() => {
  const here = document.activeElement;
  const name = here.getAttribute("aria-label") || here.labels?.[0]?.firstChild.textContent
    || here.textContent;
  return name.replace(/\\s+/g, " ").trim();
}"""


@dataclass(frozen=True, slots=True)
class Keyboard:
    """Its steps fail where a page cannot be used so."""

    page: Page

    def go_to(self, name: str) -> None:
        """Tab on until the focus is on what is called so; it must be seen there."""
        passed = []
        for _ in range(_MOST_STEPS):
            self.page.keyboard.press("Tab")
            here = self.page.evaluate(_FOCUSED)
            if here == name:
                assert self.page.evaluate("document.activeElement.matches(':focus-visible')")
                return
            passed.append(here)
        raise AssertionError(f"No {name!r} on the way: {passed}")

    def press(self, name: str, *, leads_to: str = "") -> None:
        """Go to a link or a button, and press it; where that opens a page, wait for its address."""
        self.go_to(name)
        self.page.keyboard.press("Enter")
        if leads_to:
            expect(self.page).to_have_url(re.compile(leads_to))
            self.page.wait_for_load_state()

    def fill(self, name: str, text: str) -> None:
        """Go to a field, and write."""
        self.go_to(name)
        self.page.keyboard.type(text)
