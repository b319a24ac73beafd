// Digits as points on one large map and several small ones, all of the same digits.
//
// `data` is a message with, for each panel, count + 1 points as pairs of int16 (the last one is the chosen digit), the
// labels and the misread marks as bytes, the chosen digit's picture, and all pictures on one PNG sheet. __init__.py,
// which is the only place that writes them, describes the fields.

import { ARROWS, coloursOf, component, make, makeSpoken, onResize, paintGreys, pixelRatio, place, sized, unpack } from "../shared.js";

const GAP = 32; // between the large map and the small ones
const SMALL_GAP = 16;
const TITLE = 24; // height of a map's title
const REACH = 18; // pixels from the pointer within which a digit is found
const PICTURE = 3; // pixels of the shown picture for one of the digit's

const ROLES = ["page", "panel", "ink", "muted", "axis", "wrong"];

function parse(data) {
  const { spec, bytes, start } = unpack(data);
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  let at = start;
  const panels = spec.panels.map((panel) => {
    const points = new Float32Array(2 * (spec.count + 1));
    for (let i = 0; i < points.length; i++, at += 2) points[i] = view.getInt16(at, true) / spec.steps;
    return { ...panel, points };
  });
  const take = (length) => {
    at += length;
    return bytes.subarray(at - length, at);
  };
  const labels = take(spec.count), wrong = take(spec.count), picture = take(spec.side * spec.side);
  return { spec, panels, labels, wrong, picture, sheet: bytes.slice(at) };
}

function build(state) {
  state.box = make(state.root, "div", "digit-map");
  state.spoken = makeSpoken(state.box);
  state.tip = make(state.box, "div", "tip");
  state.tipPicture = make(state.tip, "canvas");
  state.tipText = make(state.tip, "div", "text");
  state.caption = make(state.box, "div", "caption");
  Object.assign(state, { maps: [], hovered: -1, sheetName: null, greys: null });
  onResize(state, () => {
    if (state.panels && state.width !== state.host.clientWidth) redraw(state);
  });
}

// One map: a title, and a stage with the canvas, the frame of the chosen digit and the ring of the hovered one.
function buildMap(state, large) {
  const box = make(state.box, "div", `map ${large ? "large" : "small"}`);
  const title = make(box, "div", "title");
  const stage = make(box, large ? "div" : "button", "stage");
  if (!large) stage.type = "button";
  const canvas = make(stage, "canvas");
  canvas.setAttribute("aria-hidden", "true");
  const frame = make(stage, large ? "canvas" : "div", "frame");
  const ring = make(stage, "div", "ring");
  return { box, title, stage, canvas, frame, ring, large };
}

// Where everything goes, in CSS pixels: the large map at the left, the small ones beside it, or below it where
// the page is narrow.
function layout(state) {
  const width = state.host.clientWidth;
  const count = state.panels.length;
  const beside = width >= 760;
  const columns = beside ? (count <= 2 ? 1 : count <= 4 ? 2 : 3) : Math.min(count, 3);
  const large = beside ? Math.round((width - GAP) * 0.52) : width;
  const rows = Math.ceil(count / columns);
  const space = beside ? width - GAP - large : width;
  const small = Math.floor((space - (columns - 1) * SMALL_GAP) / columns);
  const largeHeight = Math.round(Math.min(560, Math.max(400, large * 0.8)));
  const total = TITLE + largeHeight;
  const smallHeight = beside ? Math.floor((total - (rows - 1) * SMALL_GAP) / rows) - TITLE : Math.round(small * 0.9);
  const places = [{ left: 0, top: 0, width: large, height: largeHeight }];
  for (let i = 0; i < count; i++) {
    places.push({
      left: (beside ? large + GAP : 0) + (i % columns) * (small + SMALL_GAP),
      top: (beside ? 0 : total + SMALL_GAP) + Math.floor(i / columns) * (smallHeight + TITLE + SMALL_GAP),
      width: small,
      height: smallHeight,
    });
  }
  const last = places[places.length - 1];
  const height = Math.max(total, last.top + TITLE + last.height);
  // The caption stands where the last row of small maps has a place left.
  const free = beside && count % columns !== 0;
  const caption = free
    ? { left: last.left + small + SMALL_GAP, top: last.top + TITLE, width: width - last.left - small - SMALL_GAP }
    : { left: 0, top: height + 8, width };
  return { places, height, caption, free };
}

// From -1..1 to pixels of a map: one scale for both directions.
function project(map, points, index) {
  const { width, height } = map.place;
  const margin = map.large ? 24 : 14;
  const scale = Math.min((width - 2 * margin) / map.extent[0], (height - 2 * margin) / map.extent[1]);
  return [
    width / 2 + (points[2 * index] - map.centre[0]) * scale,
    height / 2 - (points[2 * index + 1] - map.centre[1]) * scale,
  ];
}

// What a map must hold: its digits, not the chosen one, so that it stays as it is when another is chosen.
function measure(map, points, count) {
  let [left, right, low, high] = [Infinity, -Infinity, Infinity, -Infinity];
  for (let i = 0; i < 2 * count; i += 2) {
    left = Math.min(left, points[i]);
    right = Math.max(right, points[i]);
    low = Math.min(low, points[i + 1]);
    high = Math.max(high, points[i + 1]);
  }
  map.extent = [Math.max(right - left, 0.02), Math.max(high - low, 0.02)];
  map.centre = [(left + right) / 2, (low + high) / 2];
}

function paint(state, map, colours) {
  const { spec, labels, wrong } = state;
  const { width, height } = map.place;
  const context = sized(map.canvas, width, height);
  context.scale(pixelRatio(), pixelRatio());
  context.textAlign = "center";
  context.textBaseline = "middle";
  const font = getComputedStyle(state.box).fontFamily;
  const strong = (i) => labels[i] === spec.strong;
  // The others first, then misread ones, then the chosen class: what matters lies on top.
  const order = Array.from(labels.keys());
  order.sort((a, b) => 2 * (strong(a) - strong(b)) + (wrong[a] - wrong[b]));
  for (const i of order) {
    const [x, y] = map.at[i];
    if (map.large) {
      const size = width < 480 ? 12 : 14;
      context.font = `${strong(i) ? 700 : 400} ${strong(i) ? size + 1 : size}px ${font}`;
      context.fillStyle = wrong[i] ? colours.wrong : strong(i) ? colours.ink : colours.muted;
      context.globalAlpha = wrong[i] || strong(i) ? 1 : 0.75;
      context.fillText(String(labels[i]), x, y);
      if (wrong[i]) {
        context.font = `700 9px ${font}`;
        context.fillText("✕", x + size * 0.55, y - size * 0.4);
      }
    } else {
      const radius = strong(i) ? 1.75 : 1.25;
      context.globalAlpha = 1;
      context.fillStyle = strong(i) ? colours.ink : colours.axis;
      context.beginPath();
      context.arc(x, y, radius, 0, 7);
      context.fill();
    }
  }
  context.globalAlpha = 1;
  if (map.large) return;
  // A character where the middle of each class lies.
  for (const [label, x, y] of middles(map, labels)) {
    context.font = `700 17px ${font}`;
    context.lineWidth = 4;
    context.lineJoin = "round";
    context.strokeStyle = colours.panel;
    context.strokeText(String(label), x, y);
    context.fillStyle = label === spec.strong ? colours.ink : colours.muted;
    context.fillText(String(label), x, y);
  }
}

// The median point of each class: outliers do not move it.
function middles(map, labels) {
  const members = new Map();
  for (const [i, label] of labels.entries()) members.set(label, [...(members.get(label) || []), map.at[i]]);
  const middle = (values) => values.sort((a, b) => a - b)[values.length >> 1];
  return [...members].map(([label, points]) => [
    label, middle(points.map((point) => point[0])), middle(points.map((point) => point[1])),
  ]);
}

// A picture in the page's colours, whole pixels a cell.
function paintPicture(canvas, greys, side, pitch, colours) {
  const step = Math.max(1, Math.round(pitch * pixelRatio()));
  const size = (side * step) / pixelRatio();
  paintGreys(sized(canvas, size, size), greys, side, step, colours);
}

function redraw(state) {
  const { box, spec, panels } = state;
  if (!box.isConnected || state.host.clientWidth === 0) return; // off the page: no colours, no room
  const started = performance.now();
  const colours = coloursOf(box, ROLES);
  state.colours = colours;
  const { places, height, caption, free } = layout(state);
  state.caption.replaceChildren();
  for (const line of spec.caption) make(state.caption, "div", "", line);
  state.caption.classList.toggle("free", free);
  place(state.caption, caption);
  box.style.height = `${free ? height : height + 8 + state.caption.offsetHeight}px`;
  state.width = state.host.clientWidth;
  state.maps.forEach((map, number) => {
    const panel = panels[number === 0 ? spec.large : number - 1];
    map.place = places[number];
    const { left, top, width, height } = map.place;
    place(map.box, { left, top, width });
    place(map.stage, { height });
    map.title.textContent = panel.title;
    make(map.title, "small", "", map.large ? panel.long_note : panel.note);
    measure(map, panel.points, spec.count);
    map.at = Array.from({ length: spec.count + 1 }, (_, i) => project(map, panel.points, i));
    paint(state, map, colours);
    const [x, y] = map.at[spec.count];
    if (map.large) paintPicture(map.frame, state.picture, spec.side, 1, colours);
    place(map.frame, { left: x, top: y });
    if (map.large) map.stage.setAttribute("aria-label", spec.label);
    else {
      map.stage.disabled = panel.pick === null;
      map.stage.setAttribute("aria-label", `${panel.title} ${panel.note}`);
      map.stage.setAttribute("aria-pressed", String(number - 1 === spec.large));
      map.box.classList.toggle("selected", number - 1 === spec.large);
    }
  });
  hover(state, -1);
  box.dataset.paintMs = (performance.now() - started).toFixed(1);
}

// Marks a digit on every map, and shows its picture beside it on the map where the pointer is.
function hover(state, index, map = state.maps[0]) {
  state.hovered = index;
  const found = index >= 0;
  state.tip.hidden = !found;
  for (const each of state.maps) {
    each.ring.hidden = !found;
    if (found) place(each.ring, { left: each.at[index][0], top: each.at[index][1] });
  }
  state.maps[0].stage.classList.toggle("found", found);
  if (!found) return;
  const { spec } = state;
  const chosen = index === spec.count;
  const size = spec.side * spec.side;
  const greys = chosen ? state.picture : state.greys ? state.greys.subarray(index * size, (index + 1) * size) : null;
  state.tipPicture.hidden = greys === null;
  if (greys) paintPicture(state.tipPicture, greys, spec.side, PICTURE, state.colours);
  const wrong = !chosen && state.wrong[index];
  state.tipText.textContent = (wrong ? "✕ " : "") + (chosen ? spec.chosen_name : spec.names[index]);
  state.tipText.classList.toggle("wrong", Boolean(wrong));
  const [x, y] = map.at[index];
  const left = map.place.left + x, top = TITLE + map.place.top + y;
  const width = state.tip.offsetWidth, height = state.tip.offsetHeight;
  const right = left + 20 + width <= state.width;
  place(state.tip, {
    left: right ? left + 20 : left - 20 - width,
    top: Math.max(0, Math.min(top - height / 2, parseFloat(state.box.style.height) - height)),
  });
}

function nearest(map, x, y, count) {
  let best = -1, reach = REACH * REACH;
  for (let i = 0; i < count; i++) {
    const distance = (map.at[i][0] - x) ** 2 + (map.at[i][1] - y) ** 2;
    if (distance < reach) [best, reach] = [i, distance];
  }
  return best;
}

// The nearest digit in a direction: within 45 degrees of it, and what lies off it counts double.
function neighbour(map, from, [dx, dy], count) {
  const [x, y] = map.at[from];
  let best = -1, cost = Infinity;
  for (let i = 0; i < count; i++) {
    const along = (map.at[i][0] - x) * dx + (map.at[i][1] - y) * dy;
    const off = Math.abs((map.at[i][0] - x) * dy) + Math.abs((map.at[i][1] - y) * dx);
    if (i !== from && along > 0.5 && off <= along && along + 2 * off < cost) [best, cost] = [i, along + 2 * off];
  }
  return best;
}

function pick(state, index) {
  const number = index === state.spec.count ? state.spec.chosen_number : state.spec.numbers[index];
  if (number !== null && number !== undefined) state.send("digit", number);
}

function listen(state, map) {
  const { stage } = map;
  const under = (event) => {
    const box = map.canvas.getBoundingClientRect();
    return nearest(map, event.clientX - box.left, event.clientY - box.top, state.spec.count + 1);
  };
  stage.addEventListener("pointermove", (event) => {
    const index = under(event);
    if (index !== state.hovered) hover(state, index, map);
  });
  stage.addEventListener("pointerleave", () => hover(state, -1));
  stage.addEventListener("blur", () => hover(state, -1));
  if (!map.large) {
    stage.addEventListener("click", () => {
      const panel = state.panels[state.maps.indexOf(map) - 1];
      if (panel.pick !== null) state.send("panel", panel.pick);
    });
    return;
  }
  stage.tabIndex = 0;
  stage.setAttribute("role", "application");
  stage.addEventListener("click", (event) => {
    const index = under(event);
    if (index >= 0) pick(state, index);
  });
  stage.addEventListener("keydown", (event) => {
    const step = ARROWS[event.key];
    if (step) {
      event.preventDefault();
      const from = state.hovered >= 0 ? state.hovered : state.spec.count;
      const to = neighbour(map, from, step, state.spec.count);
      if (to >= 0) hover(state, to, map);
      if (to >= 0) state.spoken.textContent = state.spec.names[to];
    } else if ((event.key === "Enter" || event.key === " ") && state.hovered >= 0) {
      event.preventDefault();
      pick(state, state.hovered);
    } else if (event.key === "Escape") hover(state, -1);
  });
}

// The sheet is decoded once: it stays the same from click to click.
async function readSheet(state, sheet) {
  const { spec } = state;
  if (state.sheetName === spec.sheet) return;
  state.sheetName = spec.sheet;
  state.greys = null;
  const image = await createImageBitmap(new Blob([sheet], { type: "image/png" }));
  const canvas = document.createElement("canvas");
  canvas.width = image.width;
  canvas.height = image.height;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(image, 0, 0);
  const pixels = context.getImageData(0, 0, image.width, image.height).data;
  const { side, across, count } = spec;
  const greys = new Uint8Array(count * side * side);
  for (let i = 0, at = 0; i < count; i++) {
    const left = (i % across) * side, top = Math.floor(i / across) * side;
    for (let y = 0; y < side; y++) {
      for (let x = 0; x < side; x++, at++) greys[at] = pixels[4 * ((top + y) * image.width + left + x)];
    }
  }
  if (state.sheetName === spec.sheet) state.greys = greys;
  state.box.dataset.ready = spec.sheet;
}

function update(state, data) {
  const { sheet, ...rest } = parse(data);
  Object.assign(state, rest);
  if (state.maps.length !== state.panels.length + 1) {
    for (const map of state.maps) map.box.remove();
    state.maps = [buildMap(state, true), ...state.panels.map(() => buildMap(state, false))];
    for (const map of state.maps) listen(state, map);
  }
  redraw(state);
  readSheet(state, sheet);
}

export default component(build, update);
