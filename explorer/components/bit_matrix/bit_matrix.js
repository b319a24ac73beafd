// Draws packed bits (or grey values) as cells of whole device pixels, never smoothed.
//
// `data` is a message whose planes follow one another. A plane of bits is packed least significant bit first; cell
// index = (tile * rows + row) * cols + col. The header's fields are described in __init__.py, which is the only place
// that writes them.

import { ARROWS, bitAt, channels, coloursOf, component, make, makeSpoken, mix, numberIn, onResize, pixelRatio, place, sized, unpack } from "../shared.js";

const PLANES = ["bits", "mask", "changed", "faded"];

function parse(data) {
  const { spec, bytes, start } = unpack(data);
  const cells = spec.tiles * spec.rows * spec.cols;
  const planes = {};
  let offset = start;
  if (spec.grey) {
    planes.grey = bytes.subarray(offset, offset + cells);
  } else {
    for (const name of PLANES) {
      if (!spec.planes.includes(name)) continue;
      planes[name] = bytes.subarray(offset, offset + Math.ceil(cells / 8));
      offset += Math.ceil(cells / 8);
    }
  }
  return { spec, planes, body: bytes.subarray(start) };
}

const equal = (a, b) => a.length === b.length && a.every((value, index) => value === b[index]);

// In the byte order of ImageData.
const pack = ([r, g, b]) => ((255 << 24) | (Math.round(b) << 16) | (Math.round(g) << 8) | Math.round(r)) >>> 0;
const ROLES = ["page", "panel", "ink", "on-cell", "on-faded", "off-cell", "off-faded", "zero", "changed"];

function geometry(state) {
  const { spec, host } = state;
  const ratio = pixelRatio();
  const wanted = spec.pitch_variable ? numberIn(state, spec.pitch_variable, spec.pitch) * spec.pitch_scale : spec.pitch;
  const dots = Math.max(1, spec.dots);
  const rows = Math.ceil(spec.rows / dots);
  const cols = Math.ceil(spec.cols / dots);
  const pitch = Math.max(1, Math.floor(wanted * ratio + 1e-6)); // device pixels
  const gap = spec.gap === null ? (wanted >= 4 && spec.tiles === 1 ? Math.max(1, Math.floor(ratio)) : 0)
    : Math.round(spec.gap * ratio);
  const captionHeight = spec.captions ? Math.round(24 * ratio) : 0;
  const tileGap = Math.round(spec.tile_gap * ratio);
  const tileWidth = cols * pitch;
  const tileHeight = rows * pitch;
  let across = Math.max(1, Math.min(spec.tiles, spec.tile_columns
    || Math.floor((host.clientWidth * ratio + tileGap) / (tileWidth + tileGap))));
  if (spec.even) across = Math.ceil(spec.tiles / Math.ceil(spec.tiles / across));
  const down = Math.min(Math.ceil(spec.tiles / across), spec.tile_rows || spec.tiles);
  return {
    shown: Math.min(spec.tiles, across * down), // the rest finds no room in `tile_rows` rows
    ratio, rows, cols, dots, pitch, gap: Math.min(gap, pitch - 1), tileWidth, tileHeight, across,
    stepX: tileWidth + tileGap,
    stepY: tileHeight + captionHeight + tileGap,
    width: across * (tileWidth + tileGap) - tileGap,
    height: down * (tileHeight + captionHeight + tileGap) - tileGap,
  };
}

function paint(canvas, spec, planes, at, colours) {
  const context = sized(canvas, at.width / at.ratio, at.height / at.ratio);
  const image = context.createImageData(at.width, at.height);
  const pixels = new Uint32Array(image.data.buffer);
  const { pitch, gap } = at;
  const size = pitch - gap;
  const rim = Math.max(1, Math.round(at.ratio)); // of the hollow square

  const on = pack(colours["on-cell"]), off = pack(colours["off-cell"]);
  const onFaded = pack(colours["on-faded"]), offFaded = pack(colours["off-faded"]);
  const zero = pack(colours.zero), page = pack(colours.page), changed = pack(colours.changed);
  const hollow = gap > 0 && size >= 4 * rim; // in templates, cell to cell, a zero is flat
  const greys = spec.grey
    ? Uint32Array.from({ length: 256 }, (_, value) => pack(mix(colours.panel, colours.ink, value / 255))) : null;

  const cellColour = (index) => {
    if (greys) return greys[planes.grey[index]];
    if (planes.changed && bitAt(planes.changed, index)) return changed;
    if (planes.mask && !bitAt(planes.mask, index)) return zero;
    const faded = spec.all_faded || (planes.faded && bitAt(planes.faded, index));
    if (bitAt(planes.bits, index)) return faded ? onFaded : on;
    return faded ? offFaded : off;
  };
  const { bits } = planes;
  const [a, b] = spec.all_faded ? [offFaded, onFaded] : [off, on];
  const plain = !greys && !planes.mask && !planes.changed && !planes.faded;
  const cell = at.dots > 1 ? dotColours(spec, planes, colours)
    : (first, row, col) => (row * spec.cols + col < spec.count ? cellColour(first + row * spec.cols + col) : 0);

  for (let tile = 0; tile < at.shown; tile++) {
    if (spec.blank.includes(tile)) continue;
    const left = (tile % at.across) * at.stepX;
    const top = Math.floor(tile / at.across) * at.stepY;
    const first = tile * spec.rows * spec.cols;
    for (let row = 0; row < at.rows; row++) {
      const start = (top + row * pitch) * at.width + left;
      // One row of pixels, cell by cell, copied to the other rows of the same cells.
      if (plain && at.dots === 1 && size === 1 && spec.count === spec.rows * spec.cols) {
        // A whole weight matrix, a pixel a bit: a million of these.
        let index = first + row * spec.cols;
        for (let col = 0, pixel = start; col < at.cols; col++, pixel += pitch, index++) {
          pixels[pixel] = (bits[index >> 3] >> (index & 7)) & 1 ? b : a;
        }
        continue;
      }
      for (let col = 0, pixel = start; col < at.cols; col++, pixel += pitch) {
        const colour = cell(first, row, col);
        for (let x = 0; x < size; x++) pixels[pixel + x] = colour; // 0, transparent, where a field is part empty
      }
      for (let y = 1; y < size; y++) pixels.copyWithin(start + y * at.width, start, start + at.tileWidth);
      if (!hollow || !planes.mask) continue;
      for (let col = 0; col < at.cols; col++) {
        if (pixels[start + col * pitch] !== zero) continue;
        const inner = start + col * pitch + rim * at.width + rim;
        for (let y = 0; y < size - 2 * rim; y++) {
          pixels.fill(page, inner + y * at.width, inner + y * at.width + size - 2 * rim);
        }
      }
    }
  }
  context.putImageData(image, 0, 0);
}

// A dot is the mean of dots x dots bits: page to bit colour by 1.9 times its size (switched-off bits count 0).
// Where bits changed, their share draws it on to the colour of flips, by the same law.
function dotColours(spec, planes, colours) {
  const { bits, mask, changed } = planes;
  const [on, off] = spec.all_faded ? ["on-faded", "off-faded"] : ["on-cell", "off-cell"];
  const strength = (sum, seen) => Math.min(1, (1.9 * Math.abs(sum)) / seen);
  const shade = (sum, flips, seen) => {
    const still = mix(colours.page, colours[sum > 0 ? on : off], strength(sum, seen));
    return pack(flips ? mix(still, colours.changed, strength(flips, seen)) : still);
  };
  const full = spec.dots * spec.dots;
  const sums = 2 * full + 1;
  const table = Uint32Array.from({ length: changed ? sums * (full + 1) : sums },
    (_, index) => shade((index % sums) - full, Math.floor(index / sums), full));
  // A row of dots at a time, its bits in the order in which they lie.
  const total = new Int32Array(Math.ceil(spec.cols / spec.dots)), lit = new Int32Array(total.length);
  const scan = (first, row, lastRow) => {
    total.fill(0);
    lit.fill(0);
    for (let r = row * spec.dots; r < lastRow; r++) {
      let index = first + r * spec.cols;
      for (let col = 0, dot = 0, left = spec.dots; col < spec.cols; col++, index++) {
        const at = index >> 3, bit = 1 << (index & 7);
        if (!mask || mask[at] & bit) total[dot] += bits[at] & bit ? 1 : -1;
        if (changed && changed[at] & bit) lit[dot] += 1;
        if (--left === 0) { dot += 1; left = spec.dots; }
      }
    }
  };
  return (first, row, col) => {
    const lastRow = Math.min(spec.rows, (row + 1) * spec.dots);
    const lastCol = Math.min(spec.cols, (col + 1) * spec.dots);
    if (col === 0) scan(first, row, lastRow); // cells are asked for row by row
    const seen = (lastRow - row * spec.dots) * (lastCol - col * spec.dots);
    return seen === full ? table[lit[col] * sums + total[col] + full] : shade(total[col], lit[col], seen);
  };
}

// The value of a cell in words, for the pointer's title and for screen readers.
function say(spec, planes, tile, row, col) {
  const cell = row * spec.cols + col;
  const index = tile * spec.rows * spec.cols + cell;
  const parts = [spec.row_names ? spec.row_names[row] : `row ${row}`,
    spec.column_names ? spec.column_names[col] : `column ${col}`];
  const where = spec.names && spec.names[cell] !== undefined ? spec.names[cell] : parts.filter(Boolean).join(", ");
  if (spec.grey) return `${where}: grey ${planes.grey[index]}`;
  const value = planes.mask && !bitAt(planes.mask, index) ? "0, switched off" : bitAt(planes.bits, index) ? "+1" : "−1";
  return `${where}: ${value}${planes.changed && bitAt(planes.changed, index) ? ", flipped" : ""}`;
}

function build(state) {
  state.box = make(state.root, "div", "bit-matrix");
  state.stage = make(state.box, "div", "stage");
  state.canvas = make(state.stage, "canvas");
  state.canvas.setAttribute("aria-hidden", "true");
  state.overlay = make(state.stage, "div");
  state.spoken = makeSpoken(state.box);
  state.selected = null;
  listen(state);
}

// What the cells' pixels hang on, besides the planes, the geometry and the colours.
const PAINTED = ["tiles", "rows", "cols", "count", "grey", "planes", "all_faded", "blank"];

function redraw(state) {
  const { spec, planes, body, box, canvas } = state;
  if (!box.isConnected) return; // taken off the page between a resize and its answer: no colours to ask for
  state.host.style.paddingLeft = `${spec.gutter}px`;
  state.host.style.paddingTop = spec.column_labels.length ? `${spec.tiles > 1 ? 28 : 22}px` : "";
  state.place = geometry(state);
  const colours = coloursOf(box, ROLES);
  for (const role of ROLES) colours[role] = channels(colours[role]);
  const key = JSON.stringify([PAINTED.map((name) => spec[name]), state.place, colours]);
  // Often only the frame moved: a million bits need not be painted again for that.
  if (!state.painted || state.painted.key !== key || !equal(state.painted.body, body)) {
    const started = performance.now();
    paint(canvas, spec, planes, state.place, colours);
    box.dataset.paintMs = (performance.now() - started).toFixed(1);
    state.painted = { key, body };
  }
  decorate(state);
}

// Words at the left of rows and above columns, of cells or of tiles.
function writeLabels(state) {
  const { spec, overlay, place: at } = state;
  const [stepX, stepY, gap] = spec.tiles > 1 ? [at.stepX, at.stepY, spec.tile_gap] : [at.pitch / at.dots, at.pitch / at.dots, 0];
  const write = (label, kind) => {
    const element = make(overlay, "div", `label ${kind} ${spec.tiles > 1 ? "large" : ""}`, label.text);
    const step = (kind === "row" ? stepY : stepX) / at.ratio;
    const start = label.start * step, length = (label.stop - label.start) * step - gap;
    if (kind === "row") place(element, { left: -spec.gutter, top: start, width: spec.gutter - 8, height: length });
    else place(element, { left: start, top: spec.tiles > 1 ? -28 : -22, width: length, height: 20 });
  };
  for (const label of spec.row_labels) write(label, "row");
  for (const label of spec.column_labels) write(label, "column");
}

// The rows or columns that a frame of `size` holds, about a cell and inside the matrix: from, and how many.
function span(cell, size, total) {
  const length = Math.min(size, total);
  return [Math.min(Math.max(0, cell - Math.floor(length / 2)), total - length), length];
}

// Everything that is not a cell: labels, brackets, captions, tile buttons and the frame of the selection.
function decorate(state) {
  const { spec, overlay, place: at } = state;
  const ratio = at.ratio;
  const focused = state.root.activeElement?.dataset.tile;
  overlay.replaceChildren();
  writeLabels(state);
  for (const bracket of spec.brackets) {
    const top = (bracket.start * at.pitch) / ratio, height = (bracket.stop * at.pitch) / ratio - top;
    const element = place(make(overlay, "div", `bracket${bracket.muted ? " muted" : ""}`), { left: -10, top, width: 5, height });
    make(element, "span", "", bracket.label);
  }
  const width = at.tileWidth / ratio, height = at.tileHeight / ratio;
  for (let tile = 0; tile < at.shown && (spec.captions || spec.pick === "tile" || spec.between); tile++) {
    if (spec.blank.includes(tile)) continue;
    const left = ((tile % at.across) * at.stepX) / ratio;
    const top = (Math.floor(tile / at.across) * at.stepY) / ratio;
    if (spec.captions) {
      const caption = make(overlay, "div", `caption ${spec.tones ? spec.tones[tile] : ""}`, spec.captions[tile]);
      const slack = Math.max(0, spec.tile_gap);
      place(caption, { left: left - slack / 2, top: top + height + 4, width: width + slack, height: 20 });
    }
    if (spec.between?.[tile]) {
      place(make(overlay, "div", "between", spec.between[tile]), { left: left + width, top, width: spec.tile_gap, height });
    }
    if (spec.pick === "tile") {
      const button = place(make(overlay, "button", "tile"), { left, top, width, height });
      button.type = "button";
      button.dataset.tile = tile;
      button.setAttribute("aria-label", spec.names ? spec.names[tile] : spec.captions ? spec.captions[tile] : `${tile}`);
      button.setAttribute("aria-pressed", String(Boolean(state.selected && state.selected[0] === tile)));
      button.tabIndex = tile === (state.selected && state.selected[0] < at.shown ? state.selected[0] : 0) ? 0 : -1;
      if (spec.names) button.title = spec.names[tile];
    }
  }
  if (state.selected && state.selected[0] < at.shown) {
    const [tile, row, col] = state.selected;
    const left = ((tile % at.across) * at.stepX) / ratio;
    const top = (Math.floor(tile / at.across) * at.stepY) / ratio;
    const frame = make(overlay, "div", "frame");
    const around = (x, y, w, h) => place(frame, { left: left + x - 4, top: top + y - 4, width: w + 8, height: h + 8 });
    if (spec.pick === "tile" || row === null) {
      frame.classList.add("around");
      around(0, 0, width, height);
    } else if (spec.window) {
      const step = at.pitch / at.dots / ratio, gap = at.gap / ratio;
      const [fromRow, rows] = span(row, spec.window[0], spec.rows), [fromCol, cols] = span(col, spec.window[1], spec.cols);
      around(fromCol * step, fromRow * step, cols * step - gap, rows * step - gap);
    } else {
      const size = (at.pitch - at.gap) / ratio;
      around((Math.floor(col / at.dots) * at.pitch) / ratio, (Math.floor(row / at.dots) * at.pitch) / ratio, size, size);
    }
  }
  if (focused !== undefined) overlay.querySelector(`[data-tile="${focused}"]`)?.focus();
}

function hit(state, event) {
  const { spec, place: at } = state;
  const box = state.canvas.getBoundingClientRect();
  const x = (event.clientX - box.left) * at.ratio, y = (event.clientY - box.top) * at.ratio;
  const tileX = Math.floor(x / at.stepX), tileY = Math.floor(y / at.stepY);
  const col = Math.floor(((x - tileX * at.stepX) / at.pitch)) * at.dots;
  const row = Math.floor(((y - tileY * at.stepY) / at.pitch)) * at.dots;
  const tile = tileY * at.across + tileX;
  if (x < 0 || y < 0 || tileX >= at.across || tile >= state.place.shown || row >= spec.rows || col >= spec.cols) return null;
  return row * spec.cols + col < spec.count ? [tile, row, col] : null;
}

// The frame moves at once; Python hears of it when the keys rest.
function choose(state, cell, delay) {
  state.selected = cell;
  decorate(state);
  const [tile, row, col] = cell;
  if (state.spec.pick === "cell") state.spoken.textContent = say(state.spec, state.planes, tile, row, col);
  clearTimeout(state.timer);
  state.timer = setTimeout(() => state.send("picked", { tile, row, col }), delay);
}

function onKey(state, event) {
  const { spec, place: at } = state;
  const step = ARROWS[event.key];
  if (!step || spec.pick === "none") return;
  event.preventDefault();
  if (spec.pick === "tile") {
    let to = Number(state.root.activeElement?.dataset.tile ?? 0);
    do to += step[1] * at.across + step[0]; while (spec.blank.includes(to));
    if (to >= 0 && to < at.shown) state.overlay.querySelector(`[data-tile="${to}"]`)?.focus();
    return;
  }
  const [tile, row, col] = state.selected || [0, 0, -1];
  const next = [tile, row + step[1] * at.dots, col + step[0] * at.dots];
  const inside = next[1] >= 0 && next[1] < spec.rows && next[2] >= 0 && next[2] < spec.cols;
  if (inside && next[1] * spec.cols + next[2] < spec.count) choose(state, next, 150);
}

function listen(state) {
  state.stage.addEventListener("click", (event) => {
    const button = event.target.closest("[data-tile]");
    if (state.spec.pick === "tile" && button) choose(state, [Number(button.dataset.tile), 0, 0], 0);
    if (state.spec.pick === "cell") {
      const cell = hit(state, event);
      if (cell) choose(state, cell, 0);
    }
  });
  state.stage.addEventListener("keydown", (event) => onKey(state, event));
  state.stage.addEventListener("pointermove", (event) => {
    if (state.spec.pick === "tile") return;
    const cell = state.place.dots === 1 ? hit(state, event) : null;
    state.stage.title = cell ? say(state.spec, state.planes, ...cell) : "";
  });
  // The pitch hangs on the window's width, the number of tiles in a row on the box's.
  onResize(state, () => {
    if (!state.place) return;
    const next = geometry(state);
    const same = next.pitch === state.place.pitch && next.across === state.place.across && next.ratio === state.place.ratio;
    if (!same) redraw(state);
  });
}

function update(state, data) {
  Object.assign(state, parse(data));
  const { spec, stage } = state;
  state.selected = spec.selected;
  stage.classList.toggle("pick", spec.pick !== "none");
  stage.setAttribute("role", spec.pick === "none" ? "img" : spec.pick === "tile" ? "group" : "application");
  stage.setAttribute("aria-label", spec.label);
  if (spec.pick === "cell") stage.tabIndex = 0;
  else stage.removeAttribute("tabindex");
  redraw(state);
}

export default component(build, update);
