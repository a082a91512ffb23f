// Elements, tables and durations. Text only ever becomes text nodes.

export const find = (id) => document.getElementById(id);

export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== null && value !== false)
      element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}

/** Returns a table; the first cell of each row is its name. */
export function table(caption, heads, rows) {
  const head = make(
    "thead",
    {},
    make(
      "tr",
      {},
      heads.map((one) => make("th", { scope: "col" }, one)),
    ),
  );
  const lines = rows.map(([name, ...cells]) =>
    make(
      "tr",
      {},
      make("th", { scope: "row" }, name),
      cells.map((cell) => make("td", {}, cell ?? "–")),
    ),
  );
  return make("table", {}, make("caption", {}, caption), head, make("tbody", {}, lines));
}

/** Returns seconds in words: 45 s, 3 min 20 s, 42 min, 2 h 5 min. */
export function duration(seconds) {
  if (seconds === undefined || seconds === null) return "–";
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const minutes = whole < 600 ? Math.floor(whole / 60) : Math.round(whole / 60);
  if (minutes < 10) return whole % 60 ? `${minutes} min ${whole % 60} s` : `${minutes} min`;
  if (minutes < 60) return `${minutes} min`;
  return minutes % 60 ? `${Math.floor(minutes / 60)} h ${minutes % 60} min` : `${minutes / 60} h`;
}

export const percent = (share) => (share === undefined ? "–" : `${(share * 100).toFixed(1)} %`);

/** Returns the names of a distribution's classes. */
export function classNames(limits) {
  const names = limits.map((limit, index) =>
    index === 0 ? `up to ${duration(limit)}` : `to ${duration(limit)}`,
  );
  return [...names, `over ${duration(limits.at(-1))}`];
}
