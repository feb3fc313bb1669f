// Reading needs no script. This one adds a button to whatever can be copied, a box that ticks all, and `/` to reach the filter.
"use strict";

for (const code of document.querySelectorAll("[data-copy]")) {
  if (!navigator.clipboard) break;
  const button = document.createElement("button");
  button.type = "button";
  button.className = "copy";
  button.textContent = "Copy";
  button.setAttribute("aria-label", "Copy: " + code.textContent);
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(code.textContent);
      button.textContent = "Copied";
    } catch {
      button.textContent = "Select it";
    }
    setTimeout(() => { button.textContent = "Copy"; }, 1500);
  });
  code.after(button);
}

for (const head of document.querySelectorAll("[data-choose-all]")) {
  const every = [...document.querySelectorAll(`input[name="${head.dataset.chooseAll}"]`)];
  const all = document.createElement("input");
  all.type = "checkbox";
  all.setAttribute("aria-label", "Choose all");
  all.addEventListener("change", () => { for (const one of every) one.checked = all.checked; });
  head.append(all);
}

document.addEventListener("keydown", (event) => {
  const writing = event.target.closest("input, textarea, select");
  const field = document.querySelector("[data-filter]");
  if (event.key === "/" && field && !writing) {
    event.preventDefault();
    field.focus();
  }
});
