// The tones of a device: always as a mark, and as a beep for who wants it.

import { $ } from "../dom.js";

const HERTZ = { 1: 880, 2: 1320 };
const MEANING = { 1: "tone 1: it waits for a token", 2: "tone 2: something was taken or is done" };
const MARK_MS = 1500;

export class Sound {
  constructor() {
    this.audio = null;
    this.timer = 0;
    $("#beep").addEventListener("change", () => {
      if ($("#beep").checked) this.audio ??= new AudioContext(); // only a gesture may begin it
    });
  }

  begin() {
    $("#tone-text").textContent = "no sound yet";
  }

  show(world, happened, again) {
    const sounded = happened.filter((one) => one.type === "sounded").at(-1);
    if (!sounded) return;
    $("#tone-text").textContent = MEANING[sounded.tone] ?? `tone ${sounded.tone}`;
    if (again) return;
    const mark = $("#tone");
    mark.dataset.tone = sounded.tone;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => { mark.dataset.tone = 0; }, MARK_MS);
    if ($("#beep").checked) this.play(HERTZ[sounded.tone] ?? 660);
  }

  play(hertz) {
    const { audio } = this;
    const tone = new OscillatorNode(audio, { frequency: hertz });
    const loudness = new GainNode(audio, { gain: 0.12 });
    loudness.gain.setTargetAtTime(0, audio.currentTime + 0.12, 0.04);
    tone.connect(loudness).connect(audio.destination);
    tone.start();
    tone.stop(audio.currentTime + 0.4);
  }
}
