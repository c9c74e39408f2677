// Draws the charts of a report. Texts go in as textContent only, colours come from the style sheet.
"use strict";
(() => {
  const HEIGHT_PX = 240;
  const PAPER_PX = 680;
  // What people count time in; beyond these, whole days.
  const STEPS_S = [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200];
  for (let days = 1; days < 4096; days *= 2) STEPS_S.push(days * 86400);
  const charts = JSON.parse(document.getElementById("charts").textContent);
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const drawn = new Map(); // place -> uPlot

  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

  function clock(seconds) {
    const whole = Math.round(seconds);
    if (whole < 120) return `${+seconds.toFixed(1)} s`;
    if (whole < 7200) return `${+(seconds / 60).toFixed(1)} min`;
    if (whole < 172800) return `${+(seconds / 3600).toFixed(1)} h`;
    return `${+(seconds / 86400).toFixed(1)} d`;
  }

  function figure(value) {
    if (value === null || value === undefined) return "–";
    return value.toLocaleString("en", { maximumFractionDigits: Math.abs(value) < 10 ? 2 : 1 });
  }

  function line(series, number, dots) {
    const stroke = colour(series.colour || `--s${(number % 8) + 1}`);
    const own = { label: series.label, stroke, width: 2, points: { size: 4, show: dots }, value: (_, v) => figure(v) };
    if (number >= 8 && !series.colour) own.dash = [6, 4]; // the palette begins anew
    if (series.bars) {
      own.fill = stroke + "99";
      own.width = 1;
      own.paths = uPlot.paths.bars({ size: [0.9, 60] });
      own.points = { show: false };
    }
    return own;
  }

  function draw(place, chart, choice) {
    drawn.get(place)?.destroy();
    const dots = chart.id === "times"; // or a slot between empty ones would not be seen
    const axis = { stroke: colour("--soft"), grid: { stroke: colour("--grid") }, ticks: { stroke: colour("--grid") } };
    const options = {
      width: place.clientWidth,
      height: HEIGHT_PX,
      scales: { x: { time: false }, y: { range: (_, low, high) => [Math.min(0, low ?? 0), (high || 1) * 1.06] } },
      axes: [
        { ...axis, incrs: STEPS_S, values: (_, ticks) => ticks.map(clock) },
        { ...axis, size: 64, values: (_, ticks) => ticks.map(figure), label: chart.unit, labelSize: 18 },
      ],
      series: [{ label: "from", value: (_, v) => (v === null ? "–" : clock(v)) }, ...choice.series.map((one, n) => line(one, n, dots))],
      cursor: { points: { size: 7 } },
    };
    const plot = new uPlot(options, [chart.x_s, ...choice.series.map((one) => one.values)], place);
    plot.root.setAttribute("aria-hidden", "true"); // the table behind it says the same
    drawn.set(place, plot);
  }

  function chooser(place, chart, choose) {
    const label = document.createElement("label");
    const select = document.createElement("select");
    label.className = "choose";
    label.textContent = "Show ";
    chart.choices.forEach((choice, number) => {
      const option = document.createElement("option");
      option.textContent = choice.name;
      option.value = number;
      select.append(option);
    });
    select.addEventListener("change", () => choose(chart.choices[select.value]));
    label.append(select);
    place.before(label);
  }

  const redraws = [];
  for (const chart of charts) {
    const place = document.querySelector(`[data-chart="${chart.id}"]`);
    let current = chart.choices[0];
    const redraw = () => draw(place, chart, current);
    if (chart.choices.length > 1) {
      chooser(place, chart, (choice) => {
        current = choice;
        redraw();
      });
    }
    redraws.push(redraw);
    redraw();
  }

  const all = () => redraws.forEach((redraw) => redraw());
  dark.addEventListener("change", all);
  let width = innerWidth;
  addEventListener("resize", () => {
    if (innerWidth !== width) {
      width = innerWidth;
      all();
    }
  });
  addEventListener("beforeprint", () => {
    document.documentElement.classList.add("print"); // paper is light
    all();
    for (const plot of drawn.values()) plot.setSize({ width: PAPER_PX, height: HEIGHT_PX });
  });
  addEventListener("afterprint", () => {
    document.documentElement.classList.remove("print");
    all();
  });
})();
