// The loop that draws, and how long that takes: measured always, because it is cheap, and told to
// tests and to whoever looks for what is slow.

const KEPT = 600;

/** Numbers of the last frames. */
export class Pace {
  constructor() {
    this.clear();
  }

  /** Begin to measure anew. */
  clear() {
    this.work = new Float32Array(KEPT);
    this.step = new Float32Array(KEPT);
    this.drawn = new Uint32Array(KEPT);
    this.count = 0;
    this.before = 0;
  }

  note(at, work, drawn) {
    const place = this.count % KEPT;
    this.work[place] = work;
    this.drawn[place] = drawn;
    this.step[place] = this.before ? at - this.before : 0;
    this.before = at;
    this.count++;
  }

  /** Return what the last frames were like: times in ms, `drawn` in lamps. */
  summary() {
    const kept = Math.min(this.count, KEPT);
    const work = this.work.slice(0, kept).sort();
    const step = this.step.slice(0, kept).filter((ms) => ms > 0).sort();
    const drawn = this.drawn.slice(0, kept).sort();
    const of = (sorted, part) => (sorted.length ? sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] : 0);
    const mean = step.length ? step.reduce((sum, ms) => sum + ms, 0) / step.length : 0;
    return {
      count: this.count,
      work_ms: { median: of(work, 0.5), p95: of(work, 0.95), max: of(work, 1) },
      step_ms: { median: of(step, 0.5), p95: of(step, 0.95), max: of(step, 1) },
      fps: mean ? 1000 / mean : 0,
      drawn: { median: of(drawn, 0.5), max: of(drawn, 1) },
    };
  }
}

/** Call `draw()` before each frame that the browser shows; it returns how many lamps it drew. */
export function run(pace, draw) {
  const frame = (at) => {
    requestAnimationFrame(frame);
    const begun = performance.now();
    const drawn = draw();
    pace.note(at, performance.now() - begun, drawn);
  };
  document.addEventListener("visibilitychange", () => { pace.before = 0; });
  requestAnimationFrame(frame);
}
