// Logging in at the emulated cloud, for the pages of people: by a click or by a password.

import { attempt, get, post } from "./api.js";
import { el, fill } from "./dom.js";
import { inPlace, tag, words } from "./parts.js";

const ROLES = {
  owner: "owns the products",
  partner: "partner with the right to develop",
  after_sale: "after-sales service of the owner's space",
  purchaser: "partner that may only buy",
};

/** Ask who is logged in at the room whose calls begin with `root`. */
export const who = (root) => get(`${root}/who`);

/** Show the form in `place`; `done(account)` is called once somebody is logged in. */
export function login(place, root, people, done) {
  const entered = (said) => done(said.account);
  fill(place, el("div", { class: "columns login" },
    people.length ? el("section", { class: "card", "aria-labelledby": "made-up" },
      el("h2", { id: "made-up" }, "Accounts of this fleet"),
      el("p", { class: "muted" }, "Made up for this run, so a click is enough."),
      el("ul", { class: "people" }, people.map((one) => person(root, one, entered)))) : null,
    typed(root, entered)));
}

function person(root, one, entered) {
  const enter = attempt(async () => entered(await post(`${root}/login-as`, { name: one.name })));
  return el("li", {},
    el("button", { type: "button", class: "person", onclick: enter, dataset: { account: one.name } },
      el("span", { class: "face", "aria-hidden": "true" }, one.name.slice(0, 1).toUpperCase()),
      el("span", {}, el("strong", {}, one.name), el("small", {}, ROLES[one.role] || words(one.role)))));
}

function typed(root, entered) {
  const name = el("input", { autocomplete: "username", required: true, maxLength: 64 });
  const password = el("input", { type: "password", autocomplete: "current-password", required: true, maxLength: 128 });
  const place = el("div", {});
  const enter = inPlace(place, async () => {
    entered(await post(`${root}/login`, { name: name.value, password: password.value }));
  });
  return el("form", { class: "card", onsubmit: enter, "aria-labelledby": "typed" },
    el("h2", { id: "typed" }, "Another account"),
    el("label", {}, "Account", name),
    el("label", {}, "Password", password),
    place,
    el("div", {}, el("button", { class: "main" }, "Log in")));
}

/** The line that says who is logged in, with the way out. */
export function whoLine(root, account, out) {
  const leave = attempt(async () => { await post(`${root}/logout`); out(); });
  return el("p", { class: "row who" },
    el("span", { class: "face", "aria-hidden": "true" }, account.name.slice(0, 1).toUpperCase()),
    el("strong", { id: "account" }, account.name),
    account.role ? tag(words(account.role)) : null,
    el("button", { type: "button", onclick: leave }, "Change account"));
}
