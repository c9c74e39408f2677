// The console: who is logged in, which view is open. The address says both view and filters, so the
// browser's way back works.

import { login, who, whoLine } from "./account.js";
import { Refused, say } from "./api.js";
import { $, el, fill } from "./dom.js";
import { refusal } from "./parts.js";
import { begin } from "./shell.js";
import * as products from "./console/products.js";
import * as authorizations from "./console/authorizations.js";
import * as quotas from "./console/quotas.js";
import * as history from "./console/history.js";
import * as log from "./console/log.js";
import * as firmware from "./console/firmware.js";
import * as push from "./console/push.js";
import * as explain from "./console/explain.js";

export const ROOT = "/api/console";
const VIEWS = { products, authorizations, quotas, history, log, firmware, push, explain };
const FIRST = "products";

const AGAIN_MS = 2000;

let stop = () => {};
let turn = 0;

/** Return the view and the filters that the address names. */
function place() {
  const [name, query = ""] = location.hash.slice(1).split("?");
  return { name: Object.hasOwn(VIEWS, name) ? name : FIRST, query: new URLSearchParams(query) };
}

async function show(focus) {
  const now = ++turn;
  stop();
  stop = () => {};
  const said = await who(ROOT).catch((error) => away(error, now, focus));
  if (now !== turn || !said) return; // somebody has gone on meanwhile, or nobody is there
  $("#views").hidden = said.account === null;
  if (said.account === null) {
    fill($("#who"));
    login($("#view"), ROOT, said.people, () => show(true));
    return;
  }
  fill($("#who"), whoLine(ROOT, said.account, () => show(true)));
  const { name, query } = place();
  for (const link of $("#views").children) {
    if (link.dataset.view === name) {
      link.setAttribute("aria-current", "page");
      link.scrollIntoView({ block: "nearest", inline: "center" });
    } else link.removeAttribute("aria-current");
  }
  await open(name, query, said.account, now, focus);
}

/** Tell why the server does not say who is here, and ask again as long as this is wanted. */
function away(error, now, focus) {
  if (!(error instanceof Refused)) throw error;
  say(error.told);
  setTimeout(() => { if (now === turn) show(focus); }, AGAIN_MS);
}

async function open(name, query, account, now, focus) {
  const heading = el("h2", { tabIndex: -1 }, VIEWS[name].TITLE);
  const tools = el("div", { class: "row" });
  const body = el("div", { class: "body" });
  fill($("#view"), el("div", { class: "title" }, heading, tools), body);
  document.title = `${VIEWS[name].TITLE} – console – fleet`;
  if (focus) heading.focus();
  try {
    const ended = await VIEWS[name].show({ root: ROOT, body, tools, query, account, again: () => show(false) });
    if (now === turn) stop = ended || (() => {});
    else ended?.();
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    if (error.code === "no_session") await show(true);
    else fill(body, refusal(error));
  }
}

addEventListener("hashchange", () => show(true));
document.addEventListener("loggedout", () => show(false)); // the server was started anew
addEventListener("unhandledrejection", (event) => say(`This page made a mistake: ${event.reason?.message || event.reason}`));
fill($("#views"), Object.entries(VIEWS).map(([name, view]) =>
  el("a", { href: `#${name}`, dataset: { view: name } }, view.TITLE)));
await begin();
await show(false);
