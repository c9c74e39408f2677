// The light wall: all devices of the fleet as lights, and the life line of whichever is opened.

import { $, number } from "./dom.js";
import { attempt, say } from "./api.js";
import { begin } from "./shell.js";
import { Board } from "./wall/board.js";
import { Fleet } from "./wall/fleet.js";
import { Pace } from "./wall/frames.js";
import { Legend } from "./wall/legend.js";
import { LifeLine } from "./wall/life.js";
import { Tables } from "./wall/tables.js";
import { View } from "./wall/view.js";

const TABLES_MS = 1000;
const PACE_MS = 2000;

const pace = new Pace();
const fleet = new Fleet({ anew, changed, state: showState });
const view = new View(fleet, arrange);
const board = new Board(fleet, view, pace, open);
const legend = new Legend(fleet, view, (light) => view.only(light));
const life = new LifeLine(fleet, closed);
const tables = new Tables(fleet, board, open);

function anew() {
  view.offer();
  legend.build();
  board.layout = null;
  arrange();
  const asked = /^#device=(\d+)$/.exec(location.hash);
  if (asked && life.index < 0 && Number(asked[1]) < fleet.count) open(Number(asked[1]));
}

function changed(indices) {
  board.changed(indices);
  life.changed(indices);
  legend.count();
  total();
}

function arrange() {
  if (!fleet.count) return;
  board.arrange();
  legend.count();
  tables.show();
  total();
  $("#clear").hidden = !view.filtered;
}

function total() {
  const [shown, devices] = [board.shown.length, fleet.present()];
  const text = shown === devices ? `${number(devices)} devices` : `${number(shown)} of ${number(devices)} devices`;
  if ($("#total").textContent !== text) $("#total").textContent = text;
  Object.assign($("#total").dataset, { shown, devices });
}

function showState(state) {
  const tag = $("#feed-state");
  tag.textContent = state === "connected" ? "live" : "connecting again"; // the words of the other pages
  tag.dataset.state = state;
  tag.className = state === "connected" ? "tag good" : "tag warn";
}

function open(index) {
  board.choose(index);
  $("#stand").classList.add("opened");
  history.replaceState(null, "", `#device=${index}`);
  return life.open(index);
}

function closed() {
  board.choose(-1);
  $("#stand").classList.remove("opened");
  history.replaceState(null, "", location.pathname + location.search);
  $("#wall").focus();
}

/** Jump to the next device that the text names, whatever the filter has left. */
function find(event) {
  if (event.key !== "Enter") return;
  event.preventDefault();
  const index = fleet.find(event.target.value, board.focus);
  if (index < 0) return say(`No device is called “${event.target.value}”.`);
  if (board.layout.slot[index] < 0) view.clear();
  board.go(index);
  const ring = $("#ring");
  ring.classList.remove("found");
  void ring.offsetWidth; // begins the animation anew
  ring.classList.add("found");
}

function blink() {
  requestAnimationFrame(blink);
  if (!fleet.count) return;
  const now = fleet.now();
  legend.blink(now, view.still);
  life.blink(now, view.still);
}

function showPace() {
  const { fps, work_ms: work } = pace.summary();
  $("#pace").textContent = fps ? `${Math.round(fps)} frames/s, ${work.median.toFixed(1)} ms each (${board.painter.name})` : "";
}

$("#find").addEventListener("keydown", find);
document.addEventListener("keydown", (event) => { if (event.key === "Escape") life.close(); });
setInterval(() => tables.beat(), TABLES_MS);
setInterval(showPace, PACE_MS);

/** For tests, and for whoever wants to know more. */
window.fleetWall = {
  get backend() { return board.painter.name; },
  get devices() { return fleet.count; },
  get frames() { return pace.summary(); },
  measure: () => pace.clear(),
  lamp: (index) => board.lamp(index),
  light: (index) => ({ light: fleet.light(index), state: fleet.state(index), start_ms: fleet.start[index], pattern: fleet.patterns[fleet.pattern[index]] }),
  now: () => fleet.now(),
  pitch: () => board.layout?.pitch ?? 0,
};

attempt(async () => {
  await Promise.all([begin(), fleet.open()]);
  blink();
})();
