// Charts that are readable without colours: one series is solid, the next hatched, the third pale,
// and the numbers stand beside each. In print they are dark on white, fit the page, and show their
// numbers.

import { find, make } from "./dom.js";

// by the figure's id: its canvas, its data, and the chart
const drawn = new Map();
const PAPER = { "--ink": "#1a211e", "--soft": "#3d4641", "--line": "#d9ddd6", "--card": "#ffffff" };
// in CSS pixels: fits the width of A4 and of Letter within their margins
const PAPER_SIZE = { width: 640, height: 240 };
const PAPER_DOTS = 3; // to each of these
let opened = null; // figures whose numbers were opened for paper; null on the screen
const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** Returns a colour of the page as the browser shows it, light or dark, or as it is printed. */
function colour(name) {
  if (opened) return PAPER[name];
  const probe = make("span", { hidden: true });
  probe.style.color = css(name);
  document.body.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}

function hatched(ink) {
  const tile = make("canvas", { width: 8, height: 8 });
  const pen = tile.getContext("2d");
  pen.strokeStyle = ink;
  pen.lineWidth = 1.6;
  for (const shift of [-8, 0, 8]) {
    pen.moveTo(shift, 8);
    pen.lineTo(shift + 8, 0);
  }
  pen.stroke();
  return pen.createPattern(tile, "repeat");
}

const fills = (ink) => [ink, hatched(ink), colour("--line")];
const dashes = [[], [5, 4]];
const marks = ["circle", "rectRot"];

const DURATIONS = [1, 5, 15, 60, 300, 900, 3600, 14400, 43200, 86400, 604800];

/** Durations range from seconds to days, so their axis is logarithmic. */
function scale(ink, ticks, series) {
  const common = {
    ticks: { color: ink, precision: 0, callback: ticks },
    grid: { color: colour("--line") },
  };
  const values = series.flatMap((one) => one.values).filter(Boolean);
  if (!ticks || values.length === 0) return { ...common, beginAtZero: true };
  const afterBuildTicks = (axis) =>
    (axis.ticks = DURATIONS.filter((one) => one >= axis.min && one <= axis.max).map((value) => ({
      value,
    })));
  const min = DURATIONS.findLast((one) => one <= Math.min(...values)) ?? 1;
  const max = DURATIONS.find((one) => one >= Math.max(...values));
  return { ...common, type: "logarithmic", min, max, afterBuildTicks };
}

function options({ horizontal, series, ticks }) {
  const ink = colour("--soft");
  const numbers = scale(ink, ticks, series);
  const names = { ticks: { color: ink }, grid: { display: false } };
  return {
    responsive: !opened,
    maintainAspectRatio: false,
    devicePixelRatio: opened ? PAPER_DOTS : undefined,
    animation: false,
    indexAxis: horizontal ? "y" : "x",
    scales: horizontal ? { x: numbers, y: names } : { x: names, y: numbers },
    plugins: {
      legend: { display: series.length > 1, labels: { color: ink, usePointStyle: false } },
      tooltip: {
        callbacks: ticks && { label: (item) => `${item.dataset.label}: ${ticks(item.raw)}` },
      },
    },
  };
}

function datasets(kind, all, ink) {
  return all.map(({ name, values }, index) => ({
    label: name,
    data: values,
    spanGaps: true,
    borderColor: ink,
    borderWidth: kind === "bar" ? 1 : 2,
    borderDash: kind === "bar" ? [] : dashes[index % 2],
    pointStyle: marks[index % 2],
    pointRadius: 4,
    pointBackgroundColor: index % 2 ? colour("--card") : ink,
    backgroundColor: kind === "bar" ? fills(ink)[index % 3] : "transparent",
  }));
}

/**
 * Draws into a figure: a heading, what it says in one sentence, the chart, and its numbers as a
 * table.
 * `chart` has kind (bar or line), names, series [{name, values}], and may have horizontal, and
 * ticks, which writes durations.
 */
export function draw(id, heading, sentence, chart, numbers) {
  const figure = find(id);
  const open = figure.querySelector("details")?.open ?? false;
  const canvas = make("canvas", {
    role: "img",
    "aria-label": `${heading}. ${sentence} The numbers are in the table below.`,
  });
  figure.replaceChildren(
    make("figcaption", {}, heading),
    make("p", { class: "note" }, sentence),
    make("div", { class: "canvas" }, canvas),
    make(
      "details",
      { open },
      make("summary", {}, "The numbers"),
      make("div", { class: "scroll" }, numbers),
    ),
  );
  drawn.get(id)?.made.destroy();
  drawn.set(id, { canvas, chart, made: paint(canvas, chart) });
}

function paint(canvas, chart) {
  if (opened) Object.assign(canvas, PAPER_SIZE);
  const data = {
    labels: chart.names,
    datasets: datasets(chart.kind, chart.series, colour("--ink")),
  };
  return new globalThis.Chart(canvas, { type: chart.kind, data, options: options(chart) });
}

/** Draws every chart again from its data. */
function redraw() {
  for (const one of drawn.values()) {
    one.made.destroy();
    one.made = paint(one.canvas, one.chart);
  }
}

function toPaper() {
  opened ??= [...document.querySelectorAll("figure:has(details:not([open]))")];
  for (const figure of opened) figure.querySelector("details").open = true;
  redraw();
}

function toScreen() {
  for (const figure of opened ?? []) figure.querySelector("details").open = false;
  opened = null;
  redraw();
}

/** Draws the charts again when the colours of the page change, and for print. */
export function keepReadable() {
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  addEventListener("beforeprint", toPaper);
  addEventListener("afterprint", toScreen);
}
