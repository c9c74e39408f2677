// The states of the firmware, laid out by the server from the firmware's own table.

import { $, el, fill, svg } from "../dom.js";

const LINE_PX = 14;

export class Chart {
  constructor({ chart, transitions }) {
    this.nodes = new Map();
    this.edges = new Map();
    fill($("#chart"), this.draw(chart));
    fill($("#transitions"), transitions.map((text) => el("li", {}, text)));
  }

  draw(chart) {
    const edges = chart.edges.map((edge) => this.edge(edge));
    const nodes = chart.nodes.map((node) => this.node(node, chart));
    return svg("svg", { viewBox: `0 0 ${chart.width} ${chart.height}`, role: "img", "aria-labelledby": "chart-title last-turn" },
      svg("defs", {}, ...["tip", "tip-last"].map((id) => svg("marker",
        { id, viewBox: "0 0 8 8", refX: 7, refY: 4, markerWidth: 10, markerHeight: 10, markerUnits: "userSpaceOnUse", orient: "auto" },
        svg("path", { d: "M0 0 8 4 0 8z", class: id })))),
      ...edges.map(([line]) => line), ...nodes, ...edges.map(([, label]) => label));
  }

  edge({ source, target, labels, points, x, y }) {
    const d = points.map(([px, py], i) => `${i ? "L" : "M"}${px.toFixed(1)} ${py.toFixed(1)}`).join(" ");
    const line = svg("path", { d, class: "edge", "marker-end": "url(#tip)" });
    const top = y - ((labels.length - 1) * LINE_PX) / 2 + 4;
    const label = svg("text", { class: "label", "text-anchor": "middle" },
      ...labels.map((text, i) => {
        const span = svg("tspan", { x: x.toFixed(1), y: (top + i * LINE_PX).toFixed(1) });
        span.textContent = text;
        return span;
      }));
    const key = `${source}>${target}`;
    const both = this.edges.get(key) ?? [];
    this.edges.set(key, [...both, line, label]);
    return [line, label];
  }

  node({ name, x, y }, { node_width: width, node_height: height }) {
    const text = svg("text", { x, y: y + 5, "text-anchor": "middle" });
    text.textContent = name.toLowerCase();
    const group = svg("g", { class: "node", "data-state": name },
      svg("rect", { x: x - width / 2, y: y - height / 2, width, height, rx: 10 }), text);
    this.nodes.set(name, group);
    return group;
  }

  begin(world, other) {
    if (other) this.mark([]);
  }

  show(world, happened) {
    const state = world.now.shown.lifecycle;
    for (const [name, node] of this.nodes) node.classList.toggle("now", name === state);
    this.bringIntoView(state);
    const turned = happened.filter((one) => one.type === "turned").at(-1);
    if (!turned) return;
    const { state: from, target } = turned;
    this.mark(this.edges.get(`${from}>${target}`) ?? this.edges.get(`*>${target}`) ?? []);
    $("#last-turn").textContent = `${from.toLowerCase()} → ${target.toLowerCase()} (${turned.event})`;
  }

  /** On a narrow page the picture scrolls: show the part of it that counts. */
  bringIntoView(state) {
    const frame = $("#chart");
    if (frame.scrollWidth <= frame.clientWidth || state === this.viewed) return;
    this.viewed = state;
    const { left, width } = this.nodes.get(state).getBoundingClientRect();
    frame.scrollLeft += left + width / 2 - frame.getBoundingClientRect().left - frame.clientWidth / 2;
  }

  mark(elements) {
    for (const one of this.last ?? []) one.classList.remove("last");
    for (const one of elements) one.classList.add("last");
    this.last = elements;
  }
}
