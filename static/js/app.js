// Small manners of the pages. Everything works without them, only less kindly.
"use strict";

const find = (selector, root = document) => root.querySelector(selector);
const all = (selector) => document.querySelectorAll(selector);

async function copy(button) {
  const place = button.dataset.copy || "code, pre";
  const source = find(place, button.dataset.copy ? document : button.closest(".copy, section"));
  try {
    await navigator.clipboard.writeText(source.value ?? source.textContent.trim());
  } catch {
    // Over plain HTTP a browser hides the clipboard: the old way still works.
    const field = source.parentElement.appendChild(document.createElement("textarea"));
    field.value = source.value ?? source.textContent.trim();
    field.select();
    document.execCommand("copy");
    field.remove();
  }
  const use = find("use", button);
  const icon = use.getAttribute("href").replace(/#.*/, "#");
  use.setAttribute("href", `${icon}check`);
  find("#voice").textContent = "Copied";
  setTimeout(() => {
    use.setAttribute("href", `${icon}copy`);
    find("#voice").textContent = "";
  }, 1600);
}

function ask(question, verb) {
  const dialog = find("#confirm");
  find("h2", dialog).textContent = question;
  find(".primary", dialog).textContent = verb || "Yes";
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((done) => {
    dialog.onclose = () => done(dialog.returnValue === "yes");
  });
}

function wear(theme) {
  document.documentElement.dataset.theme = theme;
  for (const button of all("[data-theme-choice]"))
    button.setAttribute("aria-pressed", String(button.dataset.themeChoice === theme));
}

function choose(theme) {
  document.cookie = `theme=${theme}; path=/; samesite=lax; max-age=${theme ? 31536000 : 0}`;
  wear(theme);
}

// A page left open must not say "12 s ago" the next morning. As in the filter `ago`.
const steps = [[90, "s", 1], [5400, "min", 60], [129600, "h", 3600], [63072000, "d", 86400]];
function grow() {
  for (const time of all("time[data-ago]")) {
    const seconds = (Date.now() - Date.parse(time.dateTime)) / 1000;
    const step = steps.find(([limit]) => seconds >= 0 && seconds < limit);
    if (step) time.textContent = `${Math.floor(seconds / step[2])} ${step[1]} ago`;
  }
}

// A page that cannot reach the house says so, once, until it can again.
function tell(words) {
  find("#away")?.remove();
  if (!words) return;
  find("#messages").insertAdjacentHTML("beforeend", '<p id="away"><span data-state="failed"></span></p>');
  find("#away span").textContent = words;
}

const manners = {
  "[data-copy]": copy,
  "[data-dismiss]": (button) => button.parentElement.remove(),
  "[data-theme-choice]": (button) => choose(button.dataset.themeChoice),
  ".menu :is([hx-get], [hx-post])": (item) => item.closest(".menu").hidePopover(),
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
document.addEventListener("htmx:afterSwap", () => {
  tell("");
  // What came anew is not heard by itself: the one place that is heard says it.
  const said = find("[data-said]");
  if (said) find("#voice").textContent = said.dataset.said;
});
document.addEventListener("htmx:sendError", () => tell("The house does not answer. What you see may be old."));
document.addEventListener("htmx:responseError", (event) => tell(`That did not work, the house answered ${event.detail.xhr.status}.`));

wear(document.documentElement.dataset.theme || "");
setInterval(grow, 15000);
