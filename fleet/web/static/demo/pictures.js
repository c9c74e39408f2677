// A code on a real phone: a photograph of it, or this computer's camera, frame after frame.

import { $ } from "../dom.js";
import { attempt, post, Refused } from "../api.js";

const BYTES_MAX = 5_000_000;
const SIDE_PX_MAX = 1280;
const PAUSE_MS = 350;

export class Pictures {
  constructor() {
    this.stream = null;
    $("#file").addEventListener("change", attempt(() => this.upload()));
    $("#camera").addEventListener("click", attempt(() => (this.stream ? this.stop() : this.film())));
    $("#away").addEventListener("click", attempt(() => post("/api/demo/hand", { do: "hide" })));
    $("#camera").disabled = !navigator.mediaDevices;
  }

  begin(world, other) {
    if (other) this.stop();
  }

  show(world) {
    $("#away").hidden = world.now.touch.shown >= 0;
  }

  async upload() {
    const [file] = $("#file").files;
    if (!file) return;
    $("#read").textContent = "reading…";
    try {
      if (file.size > BYTES_MAX) throw new Refused("The picture has more than 5 MB.", 0);
      await this.bring(file);
    } catch (error) {
      $("#read").textContent = error.message;
      if (!(error instanceof Refused)) throw error;
    } finally {
      $("#file").value = "";
    }
  }

  async bring(picture) {
    const { size } = await post("/api/demo/picture", await picture.arrayBuffer());
    $("#read").textContent = `A code of ${size} bytes is held to the camera of the device.`;
  }

  async film() {
    try {
      this.stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
    } catch (error) {
      throw new Refused(`No camera: ${error.message}`, 0);
    }
    const video = $("#video");
    video.srcObject = this.stream;
    video.hidden = false;
    $("#camera").setAttribute("aria-pressed", "true");
    await video.play();
    $("#read").textContent = "Hold the code into the picture.";
    this.look(video);
  }

  async look(video) {
    while (this.stream) {
      const frame = await shot(video);
      if (frame && this.stream) {
        try {
          await this.bring(frame);
          this.stop();
        } catch (error) {
          if (!(error instanceof Refused) || error.status !== 400) {
            this.stop();
            $("#read").textContent = error.message;
          }
        }
      }
      await new Promise((done) => { setTimeout(done, PAUSE_MS); });
    }
  }

  stop() {
    for (const track of this.stream?.getTracks() ?? []) track.stop();
    this.stream = null;
    $("#video").hidden = true;
    $("#video").srcObject = null;
    $("#camera").setAttribute("aria-pressed", "false");
  }
}

function shot(video) {
  const scale = Math.min(1, SIDE_PX_MAX / Math.max(video.videoWidth, video.videoHeight, 1));
  const canvas = document.createElement("canvas");
  canvas.width = Math.round(video.videoWidth * scale);
  canvas.height = Math.round(video.videoHeight * scale);
  if (!canvas.width) return Promise.resolve(null);
  canvas.getContext("2d").drawImage(video, 0, 0, canvas.width, canvas.height);
  return new Promise((done) => { canvas.toBlob(done, "image/jpeg", 0.85); });
}
