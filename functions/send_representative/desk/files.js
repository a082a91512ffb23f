// Pictures, recordings and files of a message, as a reader sees them.

import { make } from "./dom.js";

const STEPS = ["bytes", "kB", "MB", "GB"];
const TITLES = {
  image: "Picture",
  sticker: "Sticker",
  video: "Video",
  audio: "Audio",
  voice: "Voice note",
};

/** Returns a size in bytes as people read it. */
export function sized(bytes) {
  const number = Number(bytes);
  if (bytes === undefined || bytes === null || !Number.isFinite(number)) return "";
  const step = Math.min(STEPS.length - 1, number < 1000 ? 0 : Math.floor(Math.log10(number) / 3));
  const value = number / 1000 ** step;
  return `${step ? value.toFixed(value < 10 ? 1 : 0) : value} ${STEPS[step]}`;
}

/** The name of a file, or what kind of file it is. */
export const titleOf = ({ kind, fileName }) => fileName || TITLES[kind] || "File";

/**
 * Draws files, each with a `link()` to it. `again(file)` gives a new link where the old one has
 * expired.
 */
export function drawFiles(files, again = null) {
  if (!files.length) return null;
  const items = files.map((file) => make("li", { class: `file ${file.kind ?? ""}` }, draw(file)));
  items.forEach((item, index) => watch(item, files[index], again));
  return make("ul", { class: "files", "aria-label": "Files" }, ...items);
}

function draw(file) {
  const link = file.link?.();
  if (!link) return named(file, "This file can be seen on the platform only.");
  if (["image", "sticker"].includes(file.kind)) return picture(file, link);
  if (file.kind === "video") return player("video", file, link);
  if (["audio", "voice"].includes(file.kind)) return player("audio", file, link);
  return named(file, "", link);
}

function picture(file, link) {
  const words = file.caption || file.fileName;
  const alt = words ? `${TITLES[file.kind]}: ${words}` : `${TITLES[file.kind]} without a caption`;
  const shown = make("img", { src: link, alt });
  return make("a", { href: link, target: "_blank", rel: "noopener" }, shown);
}

function player(tag, file, link) {
  const name = [TITLES[file.kind], file.fileName].filter(Boolean).join(" ");
  const element = make(tag, { src: link, controls: true, preload: "metadata", "aria-label": name });
  return make("figure", {}, make("figcaption", {}, name), element);
}

function named(file, why, link = null) {
  const title = make("bdi", {}, titleOf(file));
  const name = link
    ? make("a", { href: link, target: "_blank", rel: "noopener", download: true }, title)
    : title;
  const details = [sized(file.size), why].filter(Boolean).join(" · ");
  return make("span", {}, name, details ? make("span", { class: "size" }, details) : null);
}

/** A link that has expired is asked for once more. Where that does not help, words say so. */
function watch(item, file, again) {
  let tried = again === null;
  const retry = async () => {
    const link = tried ? null : await again(file).catch(() => null);
    tried = true;
    const shown = item.querySelector("img, audio, video");
    if (link && shown) shown.src = link;
    else item.replaceChildren(named(file, "cannot be shown any more"));
  };
  // these events do not bubble
  item.addEventListener("error", retry, true);
}
