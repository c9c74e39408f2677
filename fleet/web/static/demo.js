// The indicator demo: one device in a virtual world of this browser's own. This is the page's head:
// it keeps what the server has told, and lets each part show it.

import { $, el, fill } from "./dom.js";
import { attempt, get, post, Refused, say } from "./api.js";
import { listen } from "./feed.js";
import { begin } from "./shell.js";
import { Chart } from "./demo/chart.js";
import { timeOfDay, VirtualClock } from "./demo/clock.js";
import { Device } from "./demo/device.js";
import { Hands } from "./demo/hands.js";
import { Lights } from "./demo/lights.js";
import { Log } from "./demo/log.js";
import { Phone } from "./demo/phone.js";
import { Pictures } from "./demo/pictures.js";
import { Sound } from "./demo/sound.js";
import { Timeline } from "./demo/timeline.js";

const AGAIN_MS = 1000;
const DEFAULT = { profile: "ipc-red-green", light: "online", speed: 1 };

/** Ask for the world of this browser; a new browser has none, which is no failure of the call. */
async function worldHere() {
  const world = await get("/api/demo/world");
  if (world === null) throw new Refused("There is no device on this desk: start one.", 404);
  return world;
}

class Demo {
  constructor(choices) {
    this.choices = choices;
    this.world = null;
    this.clock = new VirtualClock();
    this.chart = new Chart(choices);
    this.parts = [
      new Device(), new Hands(), new Phone(), new Pictures(), new Sound(), this.chart, new Lights(),
      new Timeline(), new Log(),
    ];
    this.count = 0;
    this.close = () => {};
    this.prepare();
    requestAnimationFrame(() => this.frame());
  }

  prepare() {
    fill($("#profile"), this.choices.models.map((one) =>
      el("option", { value: one.name }, `${one.title} (${one.name})`)));
    fill($("#begin"), this.choices.lights.map((light) => el("option", { value: light }, light.replace("_", " "))));
    $("#begin").value = DEFAULT.light;
    $("#choose").addEventListener("submit", attempt((event) => {
      event.preventDefault();
      return this.start({ profile: $("#profile").value, light: $("#begin").value, speed: this.speed });
    }));
    $("#again").addEventListener("click", attempt(() => this.start(this.state())));
    $("#copy").addEventListener("click", attempt(() => copy($("#share").href)));
    $("#pause").addEventListener("click", attempt(() => post("/api/demo/time", { paused: !this.now.clock.paused })));
    $("#step").addEventListener("click", attempt(() => post("/api/demo/time", { step: true })));
    $("#speed").addEventListener("input", () => { $("#speed-text").value = `${$("#speed").value} ×`; });
    $("#speed").addEventListener("change", attempt(() => post("/api/demo/time", { speed: Number($("#speed").value) })));
  }

  get speed() { return Number($("#speed").value); }

  get now() { return this.world.now; }

  /** What a link has to say to bring somebody here. */
  state() {
    const light = this.world?.now.shown.light;
    return {
      profile: this.world?.model.name ?? DEFAULT.profile,
      light: this.world?.begin.includes(light) ? light : DEFAULT.light,
      speed: this.speed,
    };
  }

  async start(order) {
    const world = await post("/api/demo/start", order);
    $("#begin").value = order.light;
    this.begun(world);
  }

  /** Find the world of this browser, or have one made: as the link says, else the usual one. */
  async find() {
    const wanted = new URLSearchParams(location.search);
    if (["profile", "state", "speed"].some((name) => wanted.has(name))) {
      history.replaceState(null, "", "/demo"); // to load the page again is not to begin again
      const speed = Math.min(20, Math.max(1, Number(wanted.get("speed")) || 1));
      const order = { profile: wanted.get("profile") ?? DEFAULT.profile, light: wanted.get("state") ?? DEFAULT.light, speed };
      try {
        return await this.start(order);
      } catch (error) {
        if (!(error instanceof Refused)) throw error;
        say(error.told);
      }
    }
    try {
      this.begun(await worldHere());
    } catch (error) {
      if (!(error instanceof Refused) || error.status !== 404) throw error;
      await this.start(DEFAULT);
    }
    return undefined;
  }

  begun(world) {
    this.take(world);
    this.close();
    this.close = listen("/api/demo/events", {
      now: (now) => this.happened(now),
      ended: (trouble) => this.ended(trouble.text),
      moved: attempt(() => this.recover()),
      lost: attempt(() => this.look()),
      opened: attempt(() => this.look()),
    }, { onstate: (state) => {
      this.connected(state);
      if (state !== "connected") this.recover();
    } });
  }

  /** Read everything anew: something was missed, or the connection stands again. */
  async look() {
    const world = await worldHere();
    if (world.now.count >= this.count) this.take(world); // else the feed has told more meanwhile
  }

  /** Wait for the server, then go on: with this world or another one, or with the device put back. */
  async recover() {
    if (this.recovering) return;
    this.recovering = true;
    while (!(await this.back())) await new Promise((done) => { setTimeout(done, AGAIN_MS); });
    this.recovering = false;
  }

  /** Say whether there is a world again; the server may be away, or about to end. */
  async back() {
    try {
      this.begun(await worldHere());
      return true;
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      if (error.status !== 404) return false;
    }
    try {
      await this.start(this.state());
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      return false;
    }
    say("The server was started anew; the device was put back as it was.", true);
    return true;
  }

  take(world) {
    const other = this.world?.model.name !== world.model.name;
    this.world = world;
    this.count = world.now.count;
    $("#gone").hidden = true;
    $("#profile").value = world.model.name;
    for (const part of this.parts) part.begin?.(world, other);
    this.show(world.now.happened, true);
  }

  happened(now) {
    const known = now.count - now.happened.length;
    const fresh = now.happened.slice(Math.max(0, this.count - known));
    this.count = Math.max(this.count, now.count);
    this.world.now = now;
    this.show(fresh, false);
  }

  show(happened, again) {
    const now = this.now;
    this.clock.take(now.clock);
    for (const part of this.parts) part.show?.(this.world, happened, again);
    if (now.trouble && now.trouble !== this.trouble) say(now.trouble);
    this.trouble = now.trouble;
    $("#pause").setAttribute("aria-pressed", String(now.clock.paused));
    $("#pause").textContent = now.clock.paused ? "Go on" : "Pause";
    $("#busy").textContent = now.busy && (now.clock.paused ? "time stands still" : now.busy);
    if (document.activeElement !== $("#speed")) {
      $("#speed").value = now.clock.speed;
      $("#speed-text").value = `${now.clock.speed} ×`;
    }
    const link = this.state();
    $("#share").href = `/demo?${new URLSearchParams({ profile: link.profile, state: link.light, speed: link.speed })}`;
  }

  connected(state) {
    const tag = $("#connection");
    tag.textContent = state === "connected" ? "live" : "connecting again";
    tag.className = state === "connected" ? "tag good" : "tag warn";
    tag.dataset.state = state;
  }

  ended(why) {
    this.close();
    this.close = () => {};
    this.connected("connecting");
    $("#connection").textContent = "ended";
    $("#gone-why").textContent = why;
    $("#gone").hidden = false;
  }

  frame() {
    requestAnimationFrame(() => this.frame());
    if (this.world === null) return;
    const nowMs = this.clock.now();
    for (const part of this.parts) part.frame?.(nowMs, this.clock.rate);
    const tenth = Math.floor(nowMs / 100);
    if (tenth !== this.tenth) $("#clock").value = `${timeOfDay(nowMs)}.${tenth % 10}`;
    this.tenth = tenth;
    $("#clock").dataset.ms = nowMs; // the instant that is drawn, for measuring
  }
}

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch { // browsers allow it on pages of this machine and over HTTPS only, and if they are asked
    throw new Refused("This browser does not let a page copy; copy the link beside this button.", 0);
  }
  say("The link is copied.", true);
}

await begin();
const demo = new Demo(await get("/api/demo/choices"));
await attempt(() => demo.find())();
