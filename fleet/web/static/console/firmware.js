// Firmware of a product, and which device is to load which version.

import { get, post } from "../api.js";
import { date, el, fill, number } from "../dom.js";
import { deviceField } from "./devices.js";
import { ask, good, inPlace, sheet, tag } from "../parts.js";

export const TITLE = "Firmware";

export async function show({ root, body, query, again }) {
  const products = await get(`${root}/products`);
  const chosen = query.get("product") || products[0]?.product_id || "";
  if (!chosen) {
    fill(body, el("p", { class: "empty" }, "This account can see no products."));
    return;
  }
  const choice = el("select", { onchange: () => { location.hash = `#firmware?${new URLSearchParams({ product: choice.value })}`; } },
    products.map((one) => el("option", { value: one.product_id, selected: one.product_id === chosen }, one.name)));
  const place = el("section", { class: "card" });
  const device = el("section", { class: "card" });
  fill(body, el("form", { class: "card filters", "aria-label": "Product" }, el("label", {}, "Product", choice)), place, device);
  await inPlace(place, async () => {
    const path = `${root}/products/${encodeURIComponent(chosen)}/firmware`;
    const versions = await get(path);
    const add = () => addVersion(path, again);
    fill(place, el("div", { class: "row" }, el("h3", {}, "Versions"), el("button", { type: "button", onclick: add }, "Add a version")), listed(versions));
    fill(device, el("h3", {}, "Upgrade a device"), await upgrade(root, versions));
  })();
}

function listed(versions) {
  return sheet("Versions, oldest first", [
    ["Version", (one) => el("span", { class: "name" }, one.version)],
    ["Size", (one) => el("span", {}, `${number(one.size)} bytes`)],
    ["Added", (one) => el("span", {}, date(one.added_ms))],
    ["Loaded", (one) => one.silent ? tag("by itself, once per boot", "warn") : tag("when ordered")],
  ], versions, { key: (one) => one.version, empty: "There is no version yet; devices keep what they run." });
}

function addVersion(path, again) {
  const version = el("input", { required: true, maxLength: 10, pattern: "[0-9A-Za-z._\\-]{1,10}", placeholder: "1.1.0" });
  const size = el("input", { type: "number", required: true, min: "1", max: String(64 * 1024 * 1024), value: "65536" });
  const silent = el("input", { type: "checkbox" });
  ask("Add a version", [
    el("p", { class: "muted" }, "The cloud makes up its bytes."),
    el("label", {}, "Version", version), el("label", {}, "Size in bytes", size),
    el("label", { class: "inline" }, silent, "Devices load it by themselves"),
  ], "Add", async () => {
    await post(path, { version: version.value, size: Number(size.value), silent: silent.checked });
    good(`Version ${version.value} was added.`);
    again();
  });
}

async function upgrade(root, versions) {
  const field = await deviceField(root, "");
  const version = el("select", {}, versions.map((one) => el("option", { value: one.version }, one.version)));
  const place = el("div", {});
  const orders = el("div", {});
  const path = () => `${root}/devices/${encodeURIComponent(field.input.value.trim())}/upgrades`;
  const look = async () => fill(orders, sheet("Orders of the device", [
    ["Version", (one) => el("span", { class: "name" }, one.version)],
    ["Ordered", (one) => el("span", {}, date(one.ordered_ms))],
    ["Loaded", (one) => el("span", {}, `${one.percent} %`)],
  ], await get(path()), { empty: "The device has nothing to load." }));
  const order = inPlace(place, async () => {
    await post(path(), { version: version.value });
    good("The device is told as soon as it is online.");
    await look();
  });
  return el("form", { class: "filters", onsubmit: order }, field.label, el("label", {}, "Version", version),
    el("button", { class: "main", disabled: versions.length === 0 }, "Order"),
    el("button", { type: "button", onclick: inPlace(place, look) }, "Show its orders"), place, orders);
}
