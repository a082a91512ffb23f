// Building and updating elements. Text only ever becomes text nodes: nothing here reads HTML.

const drawnAs = new WeakMap();

export const find = (id) => document.getElementById(id);

export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== null && value !== false)
      element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child || child === ""));
  return element;
}

/**
 * Shows one child per item. Keeps unchanged children and the keyboard's focus. `lasting` leaves out
 * what changes without a need to draw the item again.
 */
export function show(list, items, keyOf, build, lasting = (item) => item) {
  const focused = list.contains(document.activeElement)
    ? document.activeElement.closest("[data-key]")?.dataset.key
    : undefined;
  const old = new Map([...list.children].map((child) => [child.dataset.key, child]));
  const children = items.map((item) => {
    const key = String(keyOf(item));
    const drawing = JSON.stringify(lasting(item));
    const known = old.get(key);
    return known && drawnAs.get(known) === drawing ? known : draw(key, drawing, build(item));
  });
  place(list, children);
  if (focused !== undefined && !list.contains(document.activeElement)) {
    list.querySelector(`[data-key="${CSS.escape(focused)}"] button`)?.focus();
  }
}

function draw(key, drawing, element) {
  element.dataset.key = key;
  drawnAs.set(element, drawing);
  return element;
}

function place(list, children) {
  const wanted = new Set(children);
  for (const child of [...list.children]) if (!wanted.has(child)) child.remove();
  children.forEach((child, index) => {
    if (list.children[index] !== child) list.insertBefore(child, list.children[index] ?? null);
  });
}

export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Shows a result beside its control. `tone` is "good", "bad" or "plain". */
export function tell(notice, text, tone = "plain") {
  notice.dataset.tone = tone;
  setText(notice, text);
  if (text) notice.scrollIntoView({ block: "nearest" });
}

export function setAble(button, able) {
  button.setAttribute("aria-disabled", String(!able));
}

export function onPress(button, action) {
  button.addEventListener("click", () => {
    if (button.getAttribute("aria-disabled") !== "true") action();
  });
}

/**
 * Calls `send(text)` on submit. Enter submits, Shift+Enter inserts a line break. A text that was
 * not sent is restored. Without a text it calls `send` only if `hasMore()`.
 */
export function onSend(form, box, send, hasMore = () => false) {
  box.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    form.requestSubmit();
  });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const text = box.value;
    if (!text.trim() && !hasMore()) return;
    box.value = "";
    // at once: after the answer it would take the focus from another field
    box.focus();
    const taken = await send(text);
    if (!taken && box.value === "") box.value = text;
  });
}
