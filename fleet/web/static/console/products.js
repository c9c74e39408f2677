// Products that the account can see, and by what right.

import { get } from "../api.js";
import { el, fill } from "../dom.js";
import { sheet, tag } from "../parts.js";

export const TITLE = "Products";

const BINDINGS = {
  strong: "its owner has to remove it first",
  medium: "can be taken over; the old owner is told",
  weak: "can be taken over silently",
};

export async function show({ root, body }) {
  const products = await get(`${root}/products`);
  fill(body, el("section", { class: "card" }, sheet("Products", [
    ["Product", (one) => el("div", {}, el("span", { class: "name" }, one.name), el("small", { class: "mono muted" }, one.product_id))],
    ["Category", (one) => el("code", {}, one.category)],
    ["Binding", (one) => el("div", {}, one.binding, el("small", { class: "muted" }, BINDINGS[one.binding] || ""))],
    ["By right", (one) => tag(one.right, one.right === "owner" ? "good" : "")],
    ["", (one) => el("a", { class: "button", href: `#firmware?product=${encodeURIComponent(one.product_id)}`,
      "aria-label": `Firmware of ${one.name}` }, "Firmware"), "actions"],
  ], products, { key: (one) => one.product_id, empty: "This account can see no products: it owns none, and nobody has granted it any." })));
}
