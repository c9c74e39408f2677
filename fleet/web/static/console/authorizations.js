// Authorizations: partners, spaces and roles, edited on the page.

import { del, get, post, put } from "../api.js";
import { el, fill } from "../dom.js";
import { ask, good, sheet, tag, words } from "../parts.js";

export const TITLE = "Authorizations";

const KINDS = {
  partner: "Partner: another organization",
  space: "Member of the organization space",
  origin: "Origin: the account that a product came from",
};

export async function show({ root, body, again }) {
  const [choices, products, grants, spaces, roles] = await Promise.all(
    ["choices", "products", "grants", "spaces", "roles"].map((name) => get(`${root}/${name}`)));
  const world = { root, again, choices, roles, own: products.filter((one) => one.right === "owner"),
    names: new Map(products.map((one) => [one.product_id, one.name])) };
  fill(body, granted(world, grants), received(world, spaces), allRoles(world));
}

const path = (world, ...parts) => [world.root, ...parts.map(encodeURIComponent)].join("/");
const named = (world, ids) => el("div", { class: "tags" }, ids.map((id) => tag(world.names.get(id) || id)));

// --- what the account gives ----------------------------------------------------------------------

function granted(world, grants) {
  const add = el("button", { type: "button", class: "main", disabled: world.own.length === 0, onclick: () => editGrant(world, null) }, "Add");
  return el("section", { class: "card", id: "grants" },
    el("div", { class: "row" }, el("h3", {}, "Partners and members"), add),
    sheet("Whom this account lets work on its products", [
      ["Account", (one) => el("span", { class: "name" }, one.grantee)],
      ["As", (one) => el("span", {}, one.kind === "space" ? "member" : one.kind)],
      ["Right or role", (one) => tag(one.role, "good")],
      ["Products", (one) => named(world, one.products)],
      ["", (one) => el("div", { class: "row end" },
        el("button", { type: "button", "aria-label": `Edit ${one.grantee}`, onclick: () => editGrant(world, one) }, "Edit"),
        el("button", { type: "button", class: "danger", "aria-label": `Delete ${one.grantee}`, onclick: () => revoke(world, one) }, "Delete")), "actions"],
    ], grants, { key: (one) => one.grantee, empty: world.own.length ? "Nobody else works on its products." : "This account owns no product, so it has nothing to grant." }));
}

function editGrant(world, grant) {
  const kind = el("select", { disabled: grant !== null, onchange: () => fillRights() },
    world.choices.kinds.map((one) => el("option", { value: one, selected: one === (grant?.kind || "partner") }, KINDS[one] || one)));
  const grantee = el("input", { required: true, maxLength: 64, disabled: grant !== null, value: grant?.grantee || "", autocomplete: "off" });
  const right = el("select", {});
  const fillRights = () => fill(right, (world.choices.rights[kind.value] || world.roles.map((one) => one.name)).map((one) =>
    el("option", { value: one, selected: one === grant?.role }, one)));
  fillRights();
  const boxes = world.own.map((one) => el("input", { type: "checkbox", value: one.product_id,
    checked: grant === null || grant.products.includes(one.product_id) }));
  ask(grant ? `Edit ${grant.grantee}` : "Let somebody work on products", [
    el("label", {}, "As what", kind), el("label", {}, "Account", grantee), el("label", {}, "Right or role", right),
    el("fieldset", {}, el("legend", {}, "Products"), el("div", { class: "choices", tabIndex: 0, role: "group", "aria-label": "Products" },
      boxes.map((box, place) => el("label", { class: "inline" }, box, world.own[place].name)))),
  ], grant ? "Save" : "Add", async () => {
    const what = kind.value === "space" ? { role: right.value } : { right: right.value };
    const form = { ...what, products: boxes.filter((box) => box.checked).map((box) => box.value) };
    if (grant) await put(path(world, "grants", grant.grant_id), form);
    else await post(path(world, "grants"), { ...form, kind: kind.value, grantee: grantee.value.trim() });
    good(`${grantee.value.trim()} now has ${right.value}.`);
    world.again();
  });
}

function revoke(world, grant) {
  ask(`Delete the authorization of ${grant.grantee}?`, el("p", {}, "What it allowed ends at once, also for codes that are shown right now."), "Delete", async () => {
    await del(path(world, "grants", grant.grant_id));
    good(`${grant.grantee} was taken off.`);
    world.again();
  }, { danger: true });
}

// --- what it is given -----------------------------------------------------------------------------

function received(world, spaces) {
  return el("section", { class: "card", id: "spaces" }, el("h3", {}, "Spaces that this account works in"),
    sheet("What others let this account do", [
      ["Owner", (one) => el("span", { class: "name" }, one.owner)],
      ["As", (one) => el("span", {}, one.kind === "space" ? "member" : one.kind)],
      ["Right or role", (one) => tag(one.role, "good")],
      ["Products", (one) => named(world, one.products)],
    ], spaces, { key: (one) => one.owner, empty: "Nobody has granted it anything." }));
}

// --- roles ----------------------------------------------------------------------------------------

function allRoles(world) {
  return el("section", { class: "card", id: "roles" },
    el("div", { class: "row" }, el("h3", {}, "Roles of its space"), el("button", { type: "button", onclick: () => editRole(world, null) }, "Add a role")),
    sheet("Roles that this account can give to members", [
      ["Role", (one) => el("div", {}, el("span", { class: "name" }, one.name), el("small", { class: "muted" }, one.preset ? "of the platform" : "own"))],
      ["May", (one) => el("div", { class: "tags" }, one.permissions.map((each) => tag(words(each), each === "unbind" ? "warn" : "")))],
      ["", (one) => one.preset ? "" : el("div", { class: "row end" },
        el("button", { type: "button", "aria-label": `Edit role ${one.name}`, onclick: () => editRole(world, one) }, "Edit"),
        el("button", { type: "button", class: "danger", "aria-label": `Delete role ${one.name}`, onclick: () => dropRole(world, one) }, "Delete")), "actions"],
    ], world.roles, { key: (one) => one.name }));
}

function editRole(world, role) {
  const name = el("input", { required: true, maxLength: 64, value: role?.name || "", disabled: role !== null, autocomplete: "off" });
  const boxes = world.choices.permissions.map((one) => el("input", { type: "checkbox", value: one, checked: role?.permissions.includes(one) || false }));
  ask(role ? `Edit role ${role.name}` : "Add a role", [
    el("label", {}, "Name", name),
    el("fieldset", {}, el("legend", {}, "Who has it may"), boxes.map((box) => el("label", { class: "inline" }, box, words(box.value)))),
  ], role ? "Save" : "Add", async () => {
    await post(path(world, "roles"), { name: name.value.trim(), permissions: boxes.filter((box) => box.checked).map((box) => box.value) });
    good(`The role ${name.value.trim()} is saved.`);
    world.again();
  });
}

function dropRole(world, role) {
  ask(`Delete the role ${role.name}?`, el("p", {}, "Members who have it hold nothing by it then."), "Delete", async () => {
    await del(path(world, "roles", role.name));
    good(`The role ${role.name} is gone.`);
    world.again();
  }, { danger: true });
}
