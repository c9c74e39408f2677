// A drawing of the device with its real lights, and what the light says in words.

import { $, fill, svg } from "../dom.js";
import { changesPerS, colourAt, paint } from "../light.js";
import { tone } from "./lights.js";

const FLASHES_MAX = 3; // per second; what is quicker gets no glow, so that only a small spot flashes
const LAMP_R = 8;

const rect = (x, y, width, height, rx, cls) => svg("rect", { x, y, width, height, rx, class: cls });
const round = (cx, cy, r, cls) => svg("circle", { cx, cy, r, class: cls });
const line = (d, cls = "seam") => svg("path", { d, class: cls });

/** Of each kind: what it looks like, and where lamps, cable and lens are. */
const KINDS = {
  camera: { lamps: [[150, 158], [178, 158]], cable: [164, 246], lens: [164, 104], body: () => [
    line("M130 250h68l-14-34h-40z", "case"), rect(152, 176, 24, 50, 6, "case"),
    rect(84, 30, 160, 150, 46, "case"), round(164, 104, 46, "glass"), round(164, 104, 30, "rim"),
    round(164, 104, 16, "glass"), round(156, 96, 5, "shine")] },
  nvr: { lamps: [[64, 160], [92, 160]], cable: [290, 150], lens: null, body: () => [
    rect(26, 88, 276, 92, 10, "case"), rect(44, 104, 240, 34, 4, "glass"),
    line("M104 104v34M164 104v34M224 104v34"), line("M200 160h80"), rect(48, 180, 34, 8, 2, "case"), rect(246, 180, 34, 8, 2, "case")] },
  dvr: { lamps: [[64, 164], [92, 164]], cable: [290, 150], lens: null, body: () => [
    rect(26, 92, 276, 88, 10, "case"), rect(44, 106, 130, 38, 4, "glass"), round(236, 136, 30, "glass"), round(236, 136, 20, "rim"),
    round(246, 128, 4, "shine"), line("M54 125h60"), rect(48, 180, 34, 8, 2, "case"), rect(246, 180, 34, 8, 2, "case")] },
  base_station: { lamps: [[150, 196], [178, 196]], cable: [206, 222], lens: null, body: () => [
    rect(112, 52, 104, 184, 34, "case"), line("M130 62v-44M198 62v-44", "antenna"), rect(136, 84, 56, 8, 4, "glass"),
    rect(136, 100, 56, 8, 4, "glass"), rect(136, 116, 56, 8, 4, "glass"), round(164, 156, 16, "rim")] },
  gateway: { lamps: [[150, 172], [178, 172]], cable: [244, 200], lens: null, body: () => [
    rect(84, 64, 160, 160, 40, "case"), round(164, 128, 26, "rim"),
    line("M148 132a22 22 0 0 1 32 0M140 122a34 34 0 0 1 48 0M156 142a11 11 0 0 1 16 0", "waves")] },
};

export class Device {
  constructor() {
    this.bulbs = [];
    this.pattern = null;
    this.sinceMs = 0;
  }

  begin(world, other) {
    if (!other) return;
    const kind = KINDS[world.model.kind];
    this.bulbs = world.lamps.map((lamp, i) => bulb(lamp, world.lamps.length > 1 ? kind.lamps[i] : alone(kind.lamps), i));
    this.cable = line(`M${kind.cable[0]} ${kind.cable[1]}q30 40 120 34`, "cable");
    this.phone = svg("g", { class: "handset", visibility: "hidden" });
    $("#device-title").textContent = world.model.title;
    fill($("#drawing"), svg("svg", { viewBox: "0 0 400 280", role: "img", "aria-labelledby": "device-title light-words" },
      gradients(this.bulbs), this.cable, ...kind.body(), ...this.bulbs.flatMap((one) => one.parts), this.phone));
    this.pattern = null;
  }

  show(world) {
    const { shown, touch, light_since_ms: sinceMs } = world.now;
    const light = world.lights.find((one) => one.state === shown.light);
    this.pattern = light.pattern;
    this.sinceMs = sinceMs;
    this.cable.classList.toggle("out", world.model.wired ? !touch.plugged : !touch.powered);
    this.hold(world, touch.shown);
    if ($("#light-name").dataset.light !== shown.light || $("#light-words").textContent === "") {
      $("#light-name").textContent = shown.light.replace("_", " ");
      $("#light-name").dataset.light = shown.light;
      $("#light-words").textContent = light.words;
      $("#light-meaning").textContent = light.meaning;
    }
    Object.assign($("#firmware").dataset, { lifecycle: shown.lifecycle, session: shown.session });
    $("#firmware").textContent = `Firmware: ${shown.lifecycle.toLowerCase()}, session with the cloud: ${shown.session.toLowerCase()}`;
    const operator = $("#operator");
    if (operator.textContent !== shown.operator) {
      operator.textContent = shown.operator;
      operator.className = `tag ${tone(shown.operator)}`;
      operator.hidden = shown.operator === "";
    }
  }

  /** Draw the phone that is held to the lens. */
  hold(world, code) {
    const key = `${world.model.name} ${code}`;
    if (this.held === key) return;
    this.held = key;
    this.phone.setAttribute("visibility", code ? "visible" : "hidden");
    this.phone.replaceChildren(...(code ? [
      rect(286, 46, 96, 168, 12, "handset-case"), rect(293, 58, 82, 140, 4, "handset-glass"),
      code > 0 ? svg("image", { href: `/api/demo/codes/${code}`, x: 294, y: 88, width: 80, height: 80 })
        : rect(310, 104, 48, 48, 2, "glass"),
    ] : []));
  }

  frame(nowMs, rate) {
    if (this.pattern === null) return;
    const colour = colourAt(this.pattern, Math.max(0, nowMs - this.sinceMs));
    const calm = changesPerS(this.pattern, rate) / 2 <= FLASHES_MAX;
    for (const one of this.bulbs) one.light(one.colours.includes(colour) ? colour : "", calm);
  }
}

/** Where a single lamp is: in the middle of two, or where the first one is on a wide case. */
function alone([[x0, y], [x1]]) {
  return x0 > 100 ? [(x0 + x1) / 2, y] : [x0, y];
}

function bulb({ title, colours }, [cx, cy], number) {
  const glow = svg("circle", { cx, cy, r: 42, class: "glow", fill: `url(#glow-${number})`, opacity: 0 });
  const lamp = svg("circle", { cx, cy, r: LAMP_R, class: "bulb", "data-lamp": number, "data-colour": "", fill: paint("") });
  const socket = round(cx, cy, LAMP_R + 3, "socket");
  const stops = [svg("stop", { offset: 0, "stop-opacity": 0.75 }), svg("stop", { offset: 1, "stop-opacity": 0 })];
  let last = null;
  const light = (colour, calm) => {
    const key = `${colour} ${calm}`;
    if (key === last) return;
    last = key;
    lamp.setAttribute("fill", paint(colour));
    lamp.dataset.colour = colour;
    glow.setAttribute("opacity", colour && calm ? 1 : 0);
    for (const stop of stops) stop.setAttribute("stop-color", paint(colour));
  };
  return { title, colours, number, stops, light, parts: [glow, socket, lamp] };
}

const gradients = (bulbs) => svg("defs", {}, ...bulbs.map((one) =>
  svg("radialGradient", { id: `glow-${one.number}` }, ...one.stops)));
