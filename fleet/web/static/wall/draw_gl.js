// Lamps drawn by the graphics card: one quad for each device, all in one call. Which colour a lamp
// shows follows in the shader from its pattern and from when that began, so blinking costs nothing here.

import { paint } from "../light.js";
import { BODY, COLOURS, rgb, RIM } from "./lamp.js";

const PATTERNS_MAX = 64;
const MOVES = new Set(["blink", "alternate"]);

const VERTEX = `#version 300 es
precision highp float;
uniform vec2 u_view;       // size of the canvas in pixels of the page
uniform float u_top;       // how far the content is scrolled
uniform float u_pitch;
uniform vec4 u_pattern[${PATTERNS_MAX}]; // on, period, colours (first + 16 * second), now within the period
uniform vec3 u_paint[${COLOURS.length}];
in vec2 a_corner;
in vec2 a_place;
in float a_pattern;
in float a_phase;          // when the light began, within its period
out vec2 v_corner;
flat out vec3 v_paint;
flat out float v_lit;
void main() {
  vec4 pattern = u_pattern[int(a_pattern)];
  float elapsed = pattern.w - a_phase;
  if (elapsed < 0.0) elapsed += pattern.y;
  float second = floor(pattern.z / 16.0);
  float colour = elapsed < pattern.x ? pattern.z - 16.0 * second : second;
  v_paint = u_paint[int(colour)];
  v_lit = colour > 0.5 ? 1.0 : 0.0;
  v_corner = a_corner;
  vec2 spot = (a_place - vec2(0.0, u_top) + a_corner * u_pitch * 0.5) / u_view;
  gl_Position = vec4(spot.x * 2.0 - 1.0, 1.0 - spot.y * 2.0, 0.0, 1.0);
}`;

const FRAGMENT = `#version 300 es
precision mediump float;
uniform float u_soft;      // one pixel, in parts of half a lamp's room
uniform vec3 u_rim;
in vec2 v_corner;
flat in vec3 v_paint;
flat in float v_lit;
out vec4 colour;
void main() {
  float far = length(v_corner);
  float disc = 1.0 - smoothstep(0.62 - u_soft, 0.62 + u_soft, far);
  float ring = 1.0 - smoothstep(0.74 - u_soft, 0.74 + u_soft, far);
  float glow = v_lit * max(0.0, 1.0 - far) * 0.55;
  float bright = v_lit * (1.0 - smoothstep(0.0, 0.5, length(v_corner - vec2(-0.12, 0.16)))) * 0.35;
  vec3 lamp = mix(v_paint, vec3(1.0), bright);
  float rim = ring * (1.0 - v_lit) * 0.9;
  vec3 around = v_paint * glow + u_rim * rim * (1.0 - glow);
  float covered = max(glow, rim);
  colour = vec4(mix(around, lamp, disc), mix(covered, 1.0, disc));
}`;

/** Return a painter that uses the graphics card, or null where that is only imitated, or lacks. */
export function cardPainter(canvas, forced) {
  const gl = canvas.getContext("webgl2", { alpha: true, antialias: false, depth: false, failIfMajorPerformanceCaveat: !forced });
  if (gl === null || (!forced && isImitated(gl))) return null;
  return new CardPainter(canvas, gl);
}

function isImitated(gl) {
  const names = gl.getExtension("WEBGL_debug_renderer_info");
  const name = gl.getParameter(names ? names.UNMASKED_RENDERER_WEBGL : gl.RENDERER);
  return /swiftshader|llvmpipe|software|basic render/i.test(name);
}

class CardPainter {
  constructor(canvas, gl) {
    this.name = "webgl";
    this.patternsMax = PATTERNS_MAX;
    this.canvas = canvas;
    this.gl = gl;
    this.count = 0;
    canvas.addEventListener("webglcontextlost", (event) => { event.preventDefault(); this.lost = true; });
    canvas.addEventListener("webglcontextrestored", () => { this.lost = false; this.build(); this.hang(this.fleet, this.layout); });
    this.build();
  }

  build() {
    const gl = this.gl;
    const program = this.program = gl.createProgram();
    for (const [kind, source] of [[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, FRAGMENT]]) {
      const shader = gl.createShader(kind);
      gl.shaderSource(shader, source);
      gl.compileShader(shader);
      gl.attachShader(program, shader);
    }
    gl.linkProgram(program);
    if (!gl.getProgramParameter(program, gl.LINK_STATUS)) throw new Error(gl.getProgramInfoLog(program));
    gl.useProgram(program);
    this.at = Object.fromEntries(["u_view", "u_top", "u_pitch", "u_pattern", "u_paint", "u_soft", "u_rim"]
      .map((name) => [name, gl.getUniformLocation(program, name)]));
    this.corners = this.column("a_corner", 2, 0);
    gl.bufferData(gl.ARRAY_BUFFER, new Float32Array([-1, -1, 1, -1, -1, 1, 1, 1]), gl.STATIC_DRAW);
    this.lamps = this.column("a_place", 2, 1, 16, 0);
    this.attribute("a_pattern", 1, 1, 16, 8);
    this.attribute("a_phase", 1, 1, 16, 12);
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    gl.uniform3fv(this.at.u_paint, COLOURS.flatMap((name) => (name === "" ? BODY : rgb(paint(name)))));
    gl.uniform3fv(this.at.u_rim, RIM);
  }

  column(name, size, divisor, stride = 0, offset = 0) {
    const buffer = this.gl.createBuffer();
    this.gl.bindBuffer(this.gl.ARRAY_BUFFER, buffer);
    this.attribute(name, size, divisor, stride, offset);
    return buffer;
  }

  attribute(name, size, divisor, stride, offset) {
    const place = this.gl.getAttribLocation(this.program, name);
    this.gl.enableVertexAttribArray(place);
    this.gl.vertexAttribPointer(place, size, this.gl.FLOAT, false, stride, offset);
    this.gl.vertexAttribDivisor(place, divisor);
  }

  resize(width, height, ratio) {
    this.width = width;
    this.height = height;
    this.canvas.width = Math.round(width * ratio);
    this.canvas.height = Math.round(height * ratio);
    this.ratio = ratio;
    this.gl.viewport(0, 0, this.canvas.width, this.canvas.height);
  }

  hang(fleet, layout) {
    this.fleet = fleet;
    this.layout = layout;
    this.periods = fleet.patterns.map((pattern) => (MOVES.has(pattern.mode) ? pattern.on_ms + pattern.off_ms : 1));
    this.data = new Float32Array(4 * layout.order.length);
    layout.order.forEach((index, slot) => {
      this.data[4 * slot] = layout.x[index];
      this.data[4 * slot + 1] = layout.y[index];
      this.fill(index, slot);
    });
    this.send();
  }

  touch(indices) {
    for (const index of indices) {
      const slot = this.layout.slot[index];
      if (slot >= 0) this.fill(index, slot);
    }
    this.send();
  }

  fill(index, slot) {
    const pattern = this.fleet.pattern[index];
    this.data[4 * slot + 2] = pattern;
    // Within the period, and exactly: single precision would lose milliseconds of a long time.
    this.data[4 * slot + 3] = this.fleet.start[index] % this.periods[pattern];
  }

  send() {
    if (this.lost) return;
    this.gl.bindBuffer(this.gl.ARRAY_BUFFER, this.lamps);
    this.gl.bufferData(this.gl.ARRAY_BUFFER, this.data, this.gl.DYNAMIC_DRAW);
  }

  /** Draw all; returns how many lamps were drawn. */
  draw(top, now, still) {
    if (this.lost) return 0;
    const gl = this.gl;
    const pitch = this.layout.pitch;
    gl.uniform2f(this.at.u_view, this.width, this.height);
    gl.uniform1f(this.at.u_top, top);
    gl.uniform1f(this.at.u_pitch, pitch);
    gl.uniform1f(this.at.u_soft, 2 / (pitch * this.ratio));
    gl.uniform4fv(this.at.u_pattern, this.fleet.patterns.flatMap((pattern, n) => {
      const [first, second] = [0, 1].map((place) => COLOURS.indexOf(pattern.colours[place] ?? ""));
      const moves = MOVES.has(pattern.mode) && !still;
      return [moves ? pattern.on_ms : 1, moves ? this.periods[n] : 1, first + 16 * second, moves ? now % this.periods[n] : 0];
    }));
    gl.clearColor(0, 0, 0, 0);
    gl.clear(gl.COLOR_BUFFER_BIT);
    gl.drawArraysInstanced(gl.TRIANGLE_STRIP, 0, 4, this.layout.order.length);
    return this.layout.order.length;
  }
}
