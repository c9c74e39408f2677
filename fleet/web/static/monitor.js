// One frame before the lens of a real device, as large as was asked for, and nothing else.

import { get } from "./api.js";
import { listen } from "./feed.js";

const screen = document.getElementById("screen");
let look = null;
let wanted = 0;

/** Give the picture its size: whole screen pixels for each of its own, where it is small enough. */
function fit(picture) {
  const ratio = window.devicePixelRatio || 1;
  const room = (Math.min(window.innerWidth, window.innerHeight) * ratio * look.size_pct) / 100;
  const side = Math.max(picture.naturalWidth, picture.naturalHeight);
  const times = room >= side ? Math.floor(room / side) : room / side;
  picture.classList.toggle("crisp", times >= 1);
  picture.style.width = `${(picture.naturalWidth * times) / ratio}px`;
  picture.style.height = `${(picture.naturalHeight * times) / ratio}px`;
  // Both sides on whole pixels of the screen, or modules would have edges of two shades.
  const left = Math.floor((window.innerWidth * ratio - picture.naturalWidth * times) / 2) / ratio;
  const top = Math.floor((window.innerHeight * ratio - picture.naturalHeight * times) / 2) / ratio;
  picture.style.left = `${left}px`;
  picture.style.top = `${top}px`;
}

function clear() {
  screen.replaceChildren();
  screen.dataset.number = "0";
}

/** Show a frame, unless a newer one has come while it was unpacked. */
async function show({ number, shown }) {
  wanted = number;
  if (!shown) {
    clear();
    return;
  }
  const picture = new Image();
  picture.alt = "QR code";
  picture.src = `/api/monitor/picture?number=${number}`;
  try {
    await picture.decode();
  } catch {
    if (number === wanted) clear(); // better nothing than a frame that is not the current one
    return;
  }
  if (number !== wanted) return;
  fit(picture);
  picture.style.filter = look.invert ? "invert(1)" : "";
  screen.replaceChildren(picture);
  screen.dataset.number = String(number);
}

/** Keep the screen on, where browsers let us. */
async function stayAwake() {
  try {
    await navigator.wakeLock?.request("screen");
  } catch {
    // Not while the page is hidden; it is asked for again when it is seen.
  }
}

async function begin() {
  look = await get("/api/monitor/look");
  screen.classList.toggle("black", look.black);
  screen.style.filter = `brightness(${look.brightness_pct}%)`; // of what is around, too
  window.addEventListener("resize", () => [...screen.children].forEach(fit));
  document.addEventListener("visibilitychange", stayAwake);
  await stayAwake();
  // What is not the word of the server is not shown: it may have taken the frame away meanwhile.
  listen("/api/monitor/events", { frame: show, lost: () => location.reload() }, {
    onstate: (state) => { if (state !== "connected") { wanted = -1; clear(); } },
  });
}

begin();
