// A field for a device, with those of this fleet to choose from.

import { get, Refused } from "../api.js";
import { el } from "../dom.js";

/** Return a labelled field that holds `value`; a fleet that is not ours has no list to offer. */
export async function deviceField(root, value, title = "Device (uuid)") {
  const devices = await get(`${root}/devices`).catch((error) => {
    if (error instanceof Refused) return [];
    throw error;
  });
  const input = el("input", { value, required: true, maxLength: 64, autocomplete: "off", list: "devices" });
  const options = el("datalist", { id: "devices" }, devices.map((one) => el("option", { value: one.uuid, label: one.product })));
  return { input, label: el("label", {}, title, input, options) };
}
