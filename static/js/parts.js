// Parts of a page fetch themselves anew; nobody who works in one is to notice.
"use strict";

const isInUse = (part) =>
  document.hidden ||
  part.querySelector(":popover-open, details[open]") ||
  // What is followed goes on below a filter that somebody has just filled in.
  part.querySelector(":is(input, select, textarea):focus:not([data-follow] [hx-preserve] *)") ||
  (getSelection().type === "Range" && part.contains(getSelection().anchorNode));

document.addEventListener("htmx:beforeRequest", (event) => {
  const part = event.detail.elt;
  if (part.matches(".part[hx-trigger^=every]") && isInUse(part)) event.preventDefault();
});

// Whoever walks by keyboard keeps the place: htmx sees to it for what has an id, this for links.
let place = null;

document.addEventListener("htmx:beforeSwap", () => {
  const link = document.activeElement;
  place = link.matches(".part a[href]:not([id])") ? link.getAttribute("href") : null;
});

document.addEventListener("htmx:afterSettle", () => {
  if (place && document.activeElement === document.body)
    document.querySelector(`.part a[href="${CSS.escape(place)}"]`)?.focus({ preventScroll: true });
  place = null;
});
