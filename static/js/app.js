// Small manners of the pages. Everything works without them, only less kindly.
"use strict";

const find = (selector, root = document) => root.querySelector(selector);

async function copy(button) {
  const chosen = button.dataset.copy ? find(button.dataset.copy) : find("code, pre", button.closest(".copy, section"));
  const text = chosen.value ?? chosen.textContent.trim();
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // Over plain HTTP a browser hides the clipboard: the old way still works.
    const field = document.body.appendChild(document.createElement("textarea"));
    field.value = text;
    field.select();
    document.execCommand("copy");
    field.remove();
  }
  const use = find("use", button);
  const icon = use.getAttribute("href");
  use.setAttribute("href", icon.replace(/#.*/, "#check"));
  say("Copied");
  setTimeout(() => use.setAttribute("href", icon), 1600);
}

// Read aloud, not shown: what one sees already says it.
function say(words) {
  const voice = find("#voice");
  voice.textContent = "";
  requestAnimationFrame(() => (voice.textContent = words));
}

function ask(question, verb) {
  const dialog = find("#confirm");
  find("h2", dialog).textContent = question;
  find(".primary", dialog).textContent = verb || "Yes";
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((done) =>
    dialog.addEventListener("close", () => done(dialog.returnValue === "yes"), { once: true }),
  );
}

function showTheme() {
  const theme = document.documentElement.dataset.theme || "";
  for (const button of document.querySelectorAll("[data-theme-choice]"))
    button.setAttribute("aria-pressed", String(button.dataset.themeChoice === theme));
}

function chooseTheme(theme) {
  if (theme) document.documentElement.dataset.theme = theme;
  else delete document.documentElement.dataset.theme;
  document.cookie = `theme=${theme}; path=/; samesite=lax; max-age=${theme ? 31536000 : 0}`;
  showTheme();
}

// A page left open must not say "12 s ago" the next morning. As in the filter `ago`.
function grow() {
  for (const time of document.querySelectorAll("time[data-ago]")) {
    const seconds = (Date.now() - Date.parse(time.dateTime)) / 1000;
    if (seconds < 0) continue;
    const steps = [[90, "s", 1], [5400, "min", 60], [129600, "h", 3600], [730 * 86400, "d", 86400]];
    const step = steps.find(([limit]) => seconds < limit);
    if (step) time.textContent = `${Math.floor(seconds / step[2])} ${step[1]} ago`;
  }
}

const manners = {
  "[data-copy]": copy,
  "[data-dismiss]": (button) => button.parentElement.remove(),
  "[data-hide]": (button) => button.closest(".secret").remove(),
  "[data-theme-choice]": (button) => chooseTheme(button.dataset.themeChoice),
  ".menu :is(a, button)[hx-post], .menu :is(a, button)[hx-get]": (item) => item.closest(".menu").hidePopover(),
};

document.addEventListener("click", (event) => {
  for (const [selector, act] of Object.entries(manners)) {
    const element = event.target.closest?.(selector);
    if (element) act(element);
  }
});

document.addEventListener("htmx:confirm", async (event) => {
  const { question, elt, issueRequest } = event.detail;
  if (!question) return;
  event.preventDefault();
  if (await ask(question, elt.dataset.confirm)) issueRequest(true);
});

// What is shown once is not shown again by the way back.
window.addEventListener("pagehide", () => find(".secret[data-once]")?.remove());

showTheme();
setInterval(grow, 15000);
