// What is shown once: taken along as a file, and gone with the page.
"use strict";

// The file is made here: no address ever leads to a secret, and no request carries it.
function takeAlong(button) {
  const text = document.querySelector(button.dataset.download).textContent;
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([`${text.trim()}\n`], { type: "text/plain" }));
  link.download = button.dataset.name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

document.addEventListener("click", (event) => {
  const element = event.target.closest?.("[data-download], [data-hide]");
  if (!element) return;
  if (element.matches("[data-download]")) return takeAlong(element);
  const heading = document.querySelector("h1");
  element.closest(".secret").remove();
  // The place of the keyboard went away with the button.
  heading.tabIndex = -1;
  heading.focus();
});

// It is not shown again by the way back.
window.addEventListener("pagehide", () => document.querySelector(".secret[data-once]")?.remove());
