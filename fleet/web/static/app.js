// The Developer app: which screen is open. Screens are named by the address, so a phone's way back
// works; the arrow at the top leads to where a screen belongs.

import { login, who } from "./account.js";
import { Refused, say } from "./api.js";
import { $, fill } from "./dom.js";
import { refusal } from "./parts.js";
import { begin } from "./shell.js";
import * as code from "./app/code.js";
import * as history from "./app/history.js";
import * as home from "./app/home.js";
import * as run from "./app/run.js";
import * as unbind from "./app/unbind.js";
import * as wired from "./app/wired.js";

const ROOT = "/api/app";

// name: [title, screen, tab, where the arrow leads]
const SCREENS = {
  home: ["Developer app", home.home, "home", ""],
  add: ["Add", home.add, "home", "home"],
  unbind: ["Unbind Devices", unbind.methods, "unbind", "home"],
  qr: ["QR code", unbind.form, "unbind", "unbind"],
  code: ["QR code", code.show, "unbind", "unbind"],
  wired: ["Wired", wired.show, "unbind", "unbind"],
  run: ["Wired", run.show, "unbind", "wired"],
  history: ["History", history.show, "history", "home"],
};

const AGAIN_MS = 2000;

let stop = () => {};
let turn = 0;

async function show(focus) {
  const now = ++turn;
  stop();
  stop = () => {};
  const said = await who(ROOT).catch((error) => away(error, now, focus));
  if (now !== turn || !said) return; // somebody has gone on meanwhile, or nobody is there
  $("#tabs").hidden = $("#plus").hidden = said.account === null;
  if (said.account === null) {
    frame("Developer app", "", "");
    login($("#screen"), ROOT, said.people, () => show(true));
    return;
  }
  const [name, ...rest] = location.hash.slice(1).split("/");
  const [title, screen, tab, back] = SCREENS[Object.hasOwn(SCREENS, name) ? name : "home"];
  frame(title, tab, back);
  if (focus) $("#title").focus();
  await open(screen, rest.map(decoded), said.account, now);
}

/** Tell why the server does not say who is here, and ask again as long as this is wanted. */
function away(error, now, focus) {
  if (!(error instanceof Refused)) throw error;
  say(error.told);
  setTimeout(() => { if (now === turn) show(focus); }, AGAIN_MS);
}

/** Return a part of the address in clear; one that cannot be read is as it is. */
function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

function frame(title, tab, back) {
  $("#title").textContent = title;
  document.title = title === "Developer app" ? "Developer app – fleet" : `${title} – Developer app – fleet`;
  $("#back").hidden = back === "";
  $("#back").href = `#${back}`;
  for (const link of $("#tabs").children) {
    if (link.dataset.tab === tab) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
}

async function open(screen, rest, account, now) {
  const place = fill($("#screen"));
  scrollTo(0, 0);
  try {
    const ended = await screen({ root: ROOT, place, rest, account, again: () => show(true), go });
    if (now === turn) stop = ended || (() => {});
    else ended?.();
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    if (error.code === "no_session") await show(true);
    else fill(place, refusal(error));
  }
}

/** Go to a screen, named by its parts. */
function go(...parts) {
  location.hash = parts.map(encodeURIComponent).join("/");
}

addEventListener("hashchange", () => show(true));
document.addEventListener("loggedout", () => show(false)); // the server was started anew
addEventListener("unhandledrejection", (event) => say(`This page made a mistake: ${event.reason?.message || event.reason}`));
await begin();
await show(false);
