// What the components have in common. Python joins this text and a component's own to one module (__init__.py): of
// the imports and exports only the component's default is left then.

// A component: `build` makes its parts once, where it first stands, and `update` draws each new `data`. Both get its
// state, which stays from run to run of the page: {host, root, gone, send}, and what `build` adds to it: a `box`.
// `gone` is a signal for listeners that are not the box's own; `timer` is stopped when the component goes.
export function component(build, update) {
  return ({ parentElement: root, data, setTriggerValue }) => {
    const host = root.host || root;
    if (!host.component) {
      const leaving = new AbortController();
      host.component = { host, root, gone: leaving.signal, leave: () => leaving.abort() };
      build(host.component);
    }
    const state = host.component;
    state.send = setTriggerValue;
    update(state, data);
    return () => {
      state.leave();
      clearTimeout(state.timer);
      state.box.remove();
      delete host.component;
    };
  };
}

// Sizes may hang on the window (a CSS variable) or on the place that the component has.
export function onResize(state, act) {
  const watcher = new ResizeObserver(act);
  watcher.observe(state.host);
  window.addEventListener("resize", act, { signal: state.gone });
  state.gone.addEventListener("abort", () => watcher.disconnect());
}

export function make(parent, tag, className = "", text = "") {
  const element = document.createElement(tag);
  element.className = className;
  element.textContent = text;
  parent.appendChild(element);
  return element;
}

// What a screen reader says when it is written there.
export function makeSpoken(box) {
  const spoken = make(box, "div", "spoken");
  spoken.setAttribute("aria-live", "polite");
  return spoken;
}

// Sets styles; numbers are pixels.
export function place(element, styles) {
  for (const [name, value] of Object.entries(styles)) element.style[name] = typeof value === "number" ? `${value}px` : value;
  return element;
}

export const pixelRatio = () => window.devicePixelRatio || 1;

// Gives a canvas a size in CSS pixels, in whole device pixels inside, and empties it.
export function sized(canvas, width, height) {
  canvas.width = Math.round(width * pixelRatio());
  canvas.height = Math.round(height * pixelRatio());
  place(canvas, { width, height });
  return canvas.getContext("2d");
}

// The number in a CSS variable, if it is named and holds one, else `otherwise`.
export function numberIn(state, variable, otherwise) {
  return (variable && parseFloat(getComputedStyle(state.host).getPropertyValue(variable))) || otherwise;
}

// Colours as the browser resolves them here, theme included: `rgb(18, 23, 30)` by role.
export function coloursOf(element, roles) {
  const probe = make(element, "span");
  const colours = {};
  for (const role of roles) {
    probe.style.color = `var(--bx-${role})`;
    colours[role] = getComputedStyle(probe).color;
  }
  probe.remove();
  return colours;
}

export const channels = (colour) => colour.match(/[\d.]+/g).slice(0, 3).map(Number);
export const mix = (a, b, share) => a.map((value, i) => value + (b[i] - value) * share);

// A picture of side x side grey values, 0 the background, as cells of `pitch` device pixels, never smoothed.
export function paintGreys(context, greys, side, pitch, colours, margin = 0) {
  const paper = channels(colours.panel), ink = channels(colours.ink);
  greys.forEach((grey, cell) => {
    context.fillStyle = `rgb(${mix(paper, ink, grey / 255).map(Math.round).join()})`;
    context.fillRect(margin + (cell % side) * pitch, margin + Math.floor(cell / side) * pitch, pitch, pitch);
  });
}

// The header (JSON) of a message, its bytes, and where its planes begin in them: the other end is pack() in Python.
export function unpack(data) {
  const bytes = data instanceof Uint8Array ? data : new Uint8Array(data);
  const start = 4 + new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  return { spec: JSON.parse(new TextDecoder().decode(bytes.subarray(4, start))), bytes, start };
}

export const fromBase64 = (text) => Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
export const bitAt = (plane, index) => (plane[index >> 3] >> (index & 7)) & 1;

// To the right and down, by key.
export const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
