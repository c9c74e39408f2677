// Calls to our own server, and what a person is told when one of them fails.

const AWAY = "The server cannot be reached; is the fleet still running?";

let about = null;

/** Return what the server says of itself: the proof for calls, the menu. Asked once, if it answers. */
export function session(again = false) {
  if (about === null || again) {
    const asked = fetch("/api/session", { cache: "no-store" }).then((reply) => reply.json()).catch(() => {
      if (about === asked) about = null;
      throw new Refused(AWAY, 0);
    });
    about = asked;
  }
  return about;
}

/**
 * A call that was not carried out; `status` 0: the server cannot be reached. Where the emulated cloud
 * refused, `code` is its reason and `advice` what can be done.
 */
export class Refused extends Error {
  constructor(message, status, { code = "", advice = "" } = {}) {
    super(message);
    Object.assign(this, { status, code, advice });
  }

  /** All of it in one line. */
  get told() {
    return [this.message, this.code && `(${this.code})`, this.advice].filter(Boolean).join(" ");
  }
}

async function send(method, path, body, again = true) {
  const headers = {};
  if (method !== "GET") headers["X-Fleet-Proof"] = (await session()).proof;
  const binary = body instanceof Blob || body instanceof ArrayBuffer;
  if (body !== undefined && !binary) headers["Content-Type"] = "application/json";
  const content = body === undefined || binary ? body : JSON.stringify(body);
  const reply = await fetch(path, { method, headers, body: content, cache: "no-store" }).catch(() => null);
  if (reply === null) throw new Refused(AWAY, 0);
  if (reply.status === 403 && again) { // the server was started anew, and knows us no more
    await session(true);
    return send(method, path, body, false);
  }
  if (reply.status === 401 && location.pathname !== "/login") location.assign("/login");
  if (reply.ok) return reply;
  const said = await reply.json().catch(() => ({}));
  throw new Refused(said.error || `The server answered ${reply.status}.`, reply.status, said);
}

async function json(method, path, body) {
  const reply = await send(method, path, body);
  return reply.status === 204 ? null : reply.json();
}

export const get = (path) => json("GET", path);
export const post = (path, body = {}) => json("POST", path, body);
export const put = (path, body = {}) => json("PUT", path, body);
export const del = (path) => json("DELETE", path);
export const blob = async (path) => (await send("GET", path)).blob();

let hiding = 0;

/** Show one line at the bottom: a failure until the next success, good news for some seconds. */
export function say(text, good = false) {
  const line = document.getElementById("status");
  line.className = good ? "status good" : "status";
  line.setAttribute("role", good ? "status" : "alert");
  line.textContent = text;
  clearTimeout(hiding);
  hiding = setTimeout(() => { line.textContent = ""; }, good ? 4000 : 12000);
}

/** Return a function that runs `work` and tells the person if it fails; a button waits meanwhile. */
export function attempt(work) {
  return async (event) => {
    event?.preventDefault?.();
    const button = event?.submitter ?? (event?.currentTarget instanceof HTMLButtonElement ? event.currentTarget : null);
    if (button) button.disabled = true;
    try {
      await work(event);
    } catch (error) {
      say(error instanceof Refused ? error.told : `This page made a mistake: ${error.message}`);
      if (!(error instanceof Refused)) console.error(error);
    } finally {
      if (button) button.disabled = false;
    }
  };
}
