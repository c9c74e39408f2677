// What a person can do to the whole fleet: pause, ramp, stop, power, Wi-Fi, more devices, faults.

import { $, el, fill } from "../dom.js";
import { attempt, get, post, say } from "../api.js";
import { words } from "./cards.js";

let overview = null;
let paused = false;

/** Ask what can be done here, and let buttons do it. */
export async function begin() {
  $("#pause").addEventListener("click", attempt(async () => {
    await post(`/api/fleet/${paused ? "resume" : "pause"}`);
  }));
  $("#stop").addEventListener("click", () => $("#stop-dialog").showModal());
  $("#stop-dialog").addEventListener("close", attempt(async () => {
    if ($("#stop-dialog").returnValue !== "yes") return;
    await post("/api/fleet/stop");
    say("The fleet is ending.", true);
  }));
  $("#ramp").addEventListener("submit", attempt(async () => {
    await post("/api/fleet/ramp", { operators: $("#ramp-operators").valueAsNumber, batch_max: $("#ramp-batch").valueAsNumber });
    say("Operators have been told.", true);
  }));
  $("#power").addEventListener("submit", attempt(async (event) => {
    const on = event.submitter?.value !== "off";
    await post("/api/fleet/power", { filter: {}, on, per_s: $("#power-rate").valueAsNumber });
    say(on ? "Devices are being switched on." : "Devices are being switched off.", true);
  }));
  $("#add").addEventListener("submit", attempt(async () => {
    const added = await post("/api/fleet/devices", { profile: $("#add-profile").value, count: $("#add-count").valueAsNumber });
    say(`${added.devices.length} more, the first is ${added.devices[0].uuid}.`, true);
  }));
  await attempt(refresh)();
  await attempt(faultForm)();
}

export async function refresh() {
  overview = await get("/api/fleet/overview");
  $("#add").hidden = overview.scenario !== "";
  fill($("#add-profile"), overview.models.map((model) => el("option", { value: model.profile }, model.title)));
  places();
  if (overview.people) {
    $("#ramp-operators").max = overview.people.all_operators;
    $("#ramp-operators").value = overview.people.operators;
    $("#ramp-batch").value = overview.people.batch_max;
  }
}

function places() {
  fill($("#places"), overview.places.map((place) => {
    const on = !overview.without_wifi.includes(place);
    const turn = attempt(async () => {
      overview = await post(`/api/fleet/places/${place}/wifi`, { on: !on });
      places();
      $(`#wifi-${place}`).focus();
    });
    return el("button", { type: "button", id: `wifi-${place}`, "aria-pressed": String(on), onclick: turn }, `Wi-Fi at ${place}: ${on ? "on" : "off"}`);
  }));
}

/** Show what a moment says of the people. */
export function show(moment) {
  const people = moment.people;
  $("#ramp").hidden = $("#pause").hidden = people === null;
  if (people === null) return;
  paused = people.paused;
  $("#pause").textContent = paused ? "Let operators go on" : "Pause operators";
  $("#pause").dataset.paused = paused;
}

async function faultForm() {
  const { kinds } = await get("/api/fleet/faults");
  const form = $("#inject-form");
  const kind = el("select", { id: "fault-kind" }, kinds.map((one) => el("option", { value: one.name }, words(one.name))));
  const what = el("p", { class: "muted", id: "fault-what" });
  const keys = el("div", { class: "row" });
  const whom = el("select", { id: "fault-whom" }, [["", "all devices"], ["online", "devices that are online"], ["waiting", "devices that wait for a token"]]
    .map(([value, text]) => el("option", { value }, text)));
  const whomLabel = el("label", {}, "Whom it befalls", whom);
  const choose = () => {
    const chosen = kinds.find((one) => one.name === kind.value);
    what.textContent = chosen.what;
    whomLabel.hidden = chosen.of === "cloud";
    fill(keys, Object.entries(chosen.keys).map(([name, allowed]) => field(name, allowed)));
  };
  kind.addEventListener("change", choose);
  form.addEventListener("submit", attempt(async () => {
    const chosen = kinds.find((one) => one.name === kind.value);
    const wish = { kind: chosen.name };
    for (const name of Object.keys(chosen.keys)) wish[name] = name === "by" ? $(`#fault-${name}`).value : $(`#fault-${name}`).valueAsNumber;
    if (chosen.of !== "cloud") wish.filter = { light: whom.value };
    const done = await post("/api/fleet/faults", wish);
    say(`${words(done.kind)}: ${done.devices} devices.`, true);
  }));
  fill(form, el("label", {}, "Fault", kind), what, keys, whomLabel, el("div", {}, el("button", {}, "Inject")));
  choose();
}

const TITLES = { for_s: "Seconds", latency_ms: "Milliseconds longer", late_s: "Seconds late", loss_pct: "Percent lost",
  duplicate_pct: "Percent twice", reorder_ms: "Milliseconds at most", skew_s: "Seconds ahead" };

function field(name, allowed) {
  const id = `fault-${name}`;
  if (name === "by") {
    return el("label", {}, "How it ends", el("select", { id }, ["kill", "stop"].map((value) => el("option", { value }, value))));
  }
  const start = name === "for_s" ? 5 : name === "skew_s" ? 600 : name.endsWith("_ms") ? 500 : 10;
  return el("label", {}, `${TITLES[name] ?? words(name)} (${allowed})`, el("input", { id, type: "number", value: start, step: "any", required: true }));
}
