// Elements without markup in strings: what devices and people are called is text, always.

/** Make an element. `attributes` set properties that exist, events as `onclick`, else attributes. */
export function el(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) set(element, name, value);
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}

const SVG = "http://www.w3.org/2000/svg";

/** Make an SVG element; all attributes are attributes. */
export function svg(tag, attributes = {}, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

function set(element, name, value) {
  if (value === undefined || value === null || value === false) return;
  if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
  else if (name === "class") element.className = value;
  else if (name === "dataset") Object.assign(element.dataset, value);
  else if (name in element && !name.startsWith("aria") && name !== "list" && name !== "form") element[name] = value;
  else element.setAttribute(name, value === true ? "" : value);
}

export const $ = (selector, root = document) => root.querySelector(selector);

/** Replace what is in an element. */
export function fill(element, ...children) {
  element.replaceChildren(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}

/** Return a table: `columns` are [title, key or function of the row, class?]. */
export function table(columns, rows, { caption = "", empty = "Nothing yet." } = {}) {
  if (rows.length === 0) return el("p", { class: "empty" }, empty);
  const cell = (row, [, key]) => (typeof key === "function" ? key(row) : String(row[key] ?? ""));
  return el("div", { class: "scroll", tabIndex: 0, role: "region", "aria-label": caption || columns[0][0] },
    el("table", {},
      caption ? el("caption", {}, caption) : null,
      el("thead", {}, el("tr", {}, columns.map((c) => el("th", { scope: "col", class: c[2] || "" }, c[0])))),
      el("tbody", {}, rows.map((row) =>
        el("tr", {}, columns.map((c) => el("td", { class: c[2] || "" }, cell(row, c))))))));
}

const CLOCK = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
const DATE = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium", hourCycle: "h23" });

export const clock = (ms) => CLOCK.format(new Date(ms));
export const date = (ms) => DATE.format(new Date(ms));
export const number = (value) => Number(value).toLocaleString();
