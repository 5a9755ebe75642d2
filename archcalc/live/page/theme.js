// @ts-check
// Light, dark, or as the system has it.
import { byId, remember, remembered } from "./dom.js";

export function colours() {
  const button = byId("theme");
  const names = ["system", "light", "dark"];
  let now = names.includes(remembered("theme", "system")) ? remembered("theme", "system") : "system";
  const apply = () => {
    if (now === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = now;
    button.textContent = { system: "◐", light: "☀", dark: "☾" }[/** @type {"system"} */ (now)];
    button.setAttribute("aria-label", now === "system" ? "Colours: as the system" : `Colours: ${now}`);
    button.title = button.getAttribute("aria-label");
  };
  button.addEventListener("click", () => {
    now = names[(names.indexOf(now) + 1) % names.length];
    remember("theme", now);
    apply();
  });
  apply();
}
