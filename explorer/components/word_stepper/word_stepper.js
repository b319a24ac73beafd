// One unit's sum, word by word: a word large, all words as rows, the running sum, the ledger.
//
// `data` holds every step, numbers and text (screens/xnor/steps.py writes it), so that stepping needs no server.
// `word` is where the sum stands: 1 to count, or 0 when all words and the bias are counted. The page hears of a
// new place when the keys rest; while `identity` stays, an older place that comes back does not move this one.

import { bitAt, coloursOf, component, fromBase64, make, onResize, pixelRatio, place, sized } from "../shared.js";

const WORD = 64;
const BYTE_GAP = 6; // more between two bytes than between two bits
const BIT_GAP = 2;
const REST_MS = 250; // keys that follow each other faster than this are one message
const FORGET_MS = 4000; // a message that nobody answered
const NUMBER = 42, AGREE = 44, RUNNING = 52; // widths of the columns of text
const READABLE = 15; // lines of 14 px text nearer than this run into each other

const clamp = (value, low, high) => Math.max(low, Math.min(high, value));
const rightEdge = (width, x) => `${width - x}px`;

// What takes part: connected, and, with zero-one inputs, there.
function takesPart(state, index) {
  const { planes, data } = state;
  return (!planes.mask || bitAt(planes.mask, index)) && (!data.zero_one || bitAt(planes.inputs, index));
}

const ROLES = ["page", "rule", "axis", "ink", "on-cell", "on-text", "on-faded", "off-cell", "off-text", "off-faded", "zero"];

// --- where everything lies, in CSS pixels ---

function measure(state) {
  const { data, host } = state;
  const width = host.clientWidth;
  const tall = window.innerHeight;
  const partly = data.words.part !== "";

  const pitch = clamp(Math.floor((width - 112 - 7 * BYTE_GAP) / WORD), 6, 26);
  const cell = tall >= 880 ? 28 : tall >= 790 ? 24 : 20;
  const large = { left: width - WORD * pitch - 7 * BYTE_GAP, pitch, cell };
  large.input = 0;
  large.weight = cell + 5;
  large.part = 2 * cell + 10;
  large.rule = partly ? large.part + cell / 2 + 8 : 2 * cell + 12;
  large.xnor = large.rule + 9;
  large.counted = large.xnor + cell + (cell === 24 ? 14 : 18); // the label of XNOR has two lines
  large.brace = large.counted + cell + 5;
  large.height = large.brace + 44;

  const count = data.count;
  const least = count <= 16 ? 15 : count <= 28 ? 12 : count <= 40 ? 10 : 8;
  const row = clamp(Math.floor((tall - 560) / (count + 1.4)), least, 19);
  const rows = { row, bar: row - (row >= 15 ? 4 : row >= 10 ? 3 : 2), stride: Math.ceil(READABLE / row) };
  // The widest bits that leave the running sum some room; "counted" may be narrower, its length is what counts.
  let gap = width < 1100 ? 12 : 14;
  const text = NUMBER + AGREE + RUNNING;
  search: for (rows.pitch = 6; rows.pitch > 2; rows.pitch--) {
    for (rows.counted = rows.pitch; rows.counted >= Math.max(2, rows.pitch - 2); rows.counted--) {
      const left = width - text - 5 * gap - WORD * (3 * rows.pitch + rows.counted);
      if (left >= (rows.pitch > 3 ? 100 : 56)) break search;
    }
  }
  if (rows.pitch === 2) rows.counted = 2;
  const bits = WORD * (3 * rows.pitch + rows.counted);
  const spare = width - text - 5 * gap - bits - 260; // the running sum needs no more than this
  if (spare > 0) gap += Math.floor(spare / 5);
  const step = WORD * rows.pitch + gap;
  rows.x = { input: NUMBER, weight: NUMBER + step, xnor: NUMBER + 2 * step, counted: NUMBER + 3 * step };
  rows.agree = rows.x.counted + WORD * rows.counted + AGREE;
  rows.sumLeft = rows.agree + gap;
  rows.sumWidth = Math.max(24, width - RUNNING - rows.sumLeft - 8);
  const values = [0, ...data.sums, data.total];
  const low = Math.min(...values), high = Math.max(...values);
  rows.scale = (value) => rows.sumLeft + 2 + ((value - low) / (high - low || 1)) * (rows.sumWidth - 4);
  rows.height = count * row + Math.max(row, 18) + 2;
  return { width, large, rows, partly };
}

const cellX = (at, index) => index * at.pitch + Math.floor(index / 8) * BYTE_GAP;

// --- painting ---

function sheet(canvas, width, height) {
  const context = sized(canvas, width, height), ratio = pixelRatio();
  // Whole device pixels, never smoothed.
  return {
    context,
    fill(colour, x, y, w, h) {
      context.fillStyle = colour;
      const left = Math.round(x * ratio), top = Math.round(y * ratio);
      context.fillRect(left, top, Math.max(1, Math.round((x + w) * ratio) - left), Math.max(1, Math.round((y + h) * ratio) - top));
    },
    hollow(colour, x, y, w, h, rim) {
      this.fill(colour, x, y, w, h);
      context.clearRect(
        Math.round((x + rim) * ratio), Math.round((y + rim) * ratio),
        Math.round((w - 2 * rim) * ratio), Math.round((h - 2 * rim) * ratio),
      );
    },
  };
}

// The large word: each bit above its partner, what comes of the two, and the same bits sorted.
function paintLarge(state, colours) {
  const { data, planes, at: { large, width, partly } } = state;
  const paper = sheet(state.parts.largeBits, width - large.left, large.brace);
  const size = large.pitch - BIT_GAP;
  const word = state.shown - 1, first = word * WORD;
  const bits = Math.min(WORD, data.inputs - first);
  const colour = (bit, faded) => colours[`${bit ? "on" : "off"}-${faded ? "faded" : "cell"}`];
  const none = (x, y, h) => paper.hollow(colours.axis, x, y, size, h, 1.5);
  for (let index = 0; index < bits; index++) {
    const input = first + index, x = cellX(large, index);
    const z = bitAt(planes.inputs, input), w = bitAt(planes.weights, input), part = takesPart(state, input);
    if (data.zero_one && !z) none(x, large.input, large.cell);
    else paper.fill(colour(z, !part), x, large.input, size, large.cell);
    if (planes.mask && !bitAt(planes.mask, input)) none(x, large.weight, large.cell);
    else paper.fill(colour(w, !part), x, large.weight, size, large.cell);
    if (partly) {
      if (part) paper.fill(colours.ink, x, large.part, size, large.cell / 2);
      else none(x, large.part, large.cell / 2);
    }
    if (part) paper.fill(colour(z === w), x, large.xnor, size, large.cell);
    if (index < data.active[word]) paper.fill(colour(index < data.agree[word]), x, large.counted, size, large.cell);
    else none(x, large.counted, large.cell);
  }
  paper.fill(colours.ink, 0, large.rule, width - large.left, 1.5);
}

// All words, as a bar code a row; what is still to come is faded, and has no XNOR yet.
function paintRows(state, colours) {
  const { data, planes, at: { rows, width } } = state;
  const paper = sheet(state.parts.rowBits, width, rows.height);
  const top = (rows.row - rows.bar) / 2;
  const space = rows.pitch > 2 ? 1 : 0, countedSpace = rows.counted > 2 ? 1 : 0;
  const done = state.word || data.count;
  for (let word = 0; word < data.count; word++) {
    const y = word * rows.row + top, first = word * WORD;
    const bits = Math.min(WORD, data.inputs - first);
    const ahead = word >= done;
    const bit = (value, x, pitch, gap, faded) => {
      const colour = value === null ? "zero" : `${value ? "on" : "off"}-${faded ? "faded" : "cell"}`;
      paper.fill(colours[colour], x, y, pitch - gap, rows.bar);
    };
    for (let index = 0; index < bits; index++) {
      const input = first + index, x = index * rows.pitch;
      const z = bitAt(planes.inputs, input), w = bitAt(planes.weights, input), part = takesPart(state, input);
      bit(data.zero_one && !z ? null : z, rows.x.input + x, rows.pitch, space, ahead || !part);
      bit(planes.mask && !bitAt(planes.mask, input) ? null : w, rows.x.weight + x, rows.pitch, space, ahead || !part);
      if (ahead) continue;
      bit(part ? z === w : null, rows.x.xnor + x, rows.pitch, space);
      if (index < data.active[word]) bit(index < data.agree[word], rows.x.counted + index * rows.counted, rows.counted, countedSpace);
    }
    if (ahead) {
      paper.hollow(colours.rule, rows.x.xnor, y, bits * rows.pitch - space, rows.bar, 1);
      paper.hollow(colours.rule, rows.x.counted, y, data.active[word] * rows.counted - countedSpace, rows.bar, 1);
    } else if (data.active[word]) {
      paper.fill(colours.ink, rows.x.counted + (data.active[word] / 2) * rows.counted - 0.75, word * rows.row, 1.5, rows.row);
    }
  }
  paintSums(state, colours, paper, done, top);
}

function paintSums(state, colours, paper, done, top) {
  const { data, at: { rows } } = state;
  const bar = (from, to, y) => {
    const left = rows.scale(Math.min(from, to)), size = Math.max(1, rows.scale(Math.max(from, to)) - left);
    paper.fill(colours[to >= from ? "on-text" : "off-text"], left, y, size, rows.bar);
    if (size > 2) paper.fill(colours[to >= from ? "on-cell" : "off-cell"], left + 1, y + 1, size - 2, rows.bar - 2);
  };
  const last = state.word ? done : done + 1; // at the end the bias has its own row
  paper.fill(colours.ink, rows.scale(0) - 0.75, 0, 1.5, last * rows.row);
  for (let word = 0; word < done; word++) {
    const from = word ? data.sums[word - 1] : 0, to = data.sums[word];
    bar(from, to, word * rows.row + top);
    if (word + 1 < last) paper.fill(colours.ink, rows.scale(to) - 0.5, word * rows.row + top, 1, rows.row + rows.bar);
  }
  if (!state.word) bar(data.sums[data.count - 1], data.total, data.count * rows.row + top);
}

// --- text ---

function writeTop(state) {
  const { data, parts } = state;
  const step = data.steps[state.shown - 1];
  parts.top.replaceChildren();
  const title = make(parts.top, "div", "title");
  make(title, "b", "", step.title);
  const note = make(title, "span", "note", state.word ? step.note : data.end.note);
  const hex = make(parts.top, "div", "hex");
  for (const [index, text] of step.hex.entries()) make(hex, index % 2 ? "span" : "b", "", text);
  if (title.scrollWidth > title.clientWidth) note.textContent = step.short; // four numbers leave little room
}

function writeLarge(state) {
  const { data, parts, at: { large, width } } = state;
  const step = data.steps[state.shown - 1], word = state.shown - 1;
  parts.large.style.height = `${large.height}px`;
  place(state.parts.largeBits, { marginLeft: large.left });
  parts.largeText.replaceChildren();
  const name = (text, y, height) => place(make(parts.largeText, "div", "name", text), { top: y, lineHeight: `${height}px` });
  name(data.words.input, large.input, large.cell);
  name(data.words.weight, large.weight, large.cell);
  if (data.words.part) name(data.words.part, large.part, large.cell / 2);
  make(name(data.words.xnor, large.xnor - 2, 24), "small", "", data.words.alike);
  name(data.words.counted, large.counted, large.cell);
  const adds = place(make(parts.largeText, "div", "adds muted", data.words.adds), { top: large.brace - 3 });
  const value = 2 * data.agree[word] - data.active[word];
  make(adds, "b", value > 0 ? "on" : value < 0 ? "off" : "", step.adds);

  const bits = Math.min(WORD, data.inputs - word * WORD);
  const parted = [[0, data.agree[word], step.agree, "on"], [data.agree[word], data.active[word], step.differ, "off"]];
  if (step.out) parted.push([data.active[word], bits, step.out, "none"]);
  const labels = [];
  for (const [from, to, text, tone] of parted) {
    const left = large.left + cellX(large, from), right = large.left + cellX(large, Math.max(from, to - 1)) + large.pitch - BIT_GAP;
    if (to > from) place(make(parts.largeText, "div", `brace ${tone}`), { left, top: large.brace, width: right - left });
    const label = place(make(parts.largeText, "div", `count ${tone}`, text), { top: large.brace + 9 });
    labels.push({ label, size: label.offsetWidth, centre: (left + right) / 2 });
  }
  // Centred under their braces, and pushed apart where those are narrow.
  let free = large.left;
  for (const each of labels) {
    each.left = Math.max(free, each.centre - each.size / 2);
    free = each.left + each.size + 16;
  }
  free = width;
  for (const each of labels.reverse()) {
    each.left = Math.min(each.left, free - each.size);
    free = each.left - 16;
    place(each.label, { left: each.left });
  }
}

function writeRows(state) {
  const { data, parts, at: { rows, width } } = state;
  const done = state.word || data.count;
  parts.heads.replaceChildren();
  const head = (text, name, styles) => place(make(parts.heads, "div", name, text), styles);
  head(data.words.word, "muted", { right: rightEdge(width, NUMBER - 10) });
  for (const column of ["input", "weight", "xnor", "counted"]) head(data.words[column], "head", { left: rows.x[column] });
  head(data.words.agree, "muted", { right: rightEdge(width, rows.agree) });
  head(data.words.so_far, "head", rows.sumWidth > 90 ? { left: rows.sumLeft } : { right: 0 });

  place(parts.rows, { height: rows.height });
  const focused = state.root.activeElement?.dataset?.row;
  parts.rowText.replaceChildren();
  for (let word = 0; word < data.count; word++) {
    const step = data.steps[word], now = word === state.shown - 1;
    const row = make(parts.rowText, "button", now ? "row now" : "row");
    row.type = "button";
    row.tabIndex = -1; // the arrow keys step; Tab goes on to the next control
    row.dataset.row = word + 1;
    row.setAttribute("aria-label", step.row);
    row.title = step.row;
    place(row, { top: word * rows.row, height: rows.row, lineHeight: `${rows.row}px` });
    // Thin rows are numbered every few lines; the current one always is, and its neighbours make room.
    const far = Math.abs(word + 1 - state.shown) * rows.row >= READABLE;
    if (!now && !(word % rows.stride === 0 && far)) continue;
    place(make(row, "span", "no", String(word + 1)), { right: rightEdge(width, NUMBER - 10) });
    if (word >= done) continue;
    place(make(row, "span", "agree", String(data.agree[word])), { right: rightEdge(width, rows.agree) });
    place(make(row, "span", "sum", step.sum), { right: "0" });
  }
  if (focused) parts.rowText.querySelector(`[data-row="${focused}"]`)?.focus();
  const below = { top: data.count * rows.row, lineHeight: "18px" };
  const most = Math.max(...data.active);
  const text = data.words.part ? data.words.half : `${data.words.half}, ${most / 2}`; // one half for all of them
  const half = make(parts.rowText, "span", "foot-text half", text);
  place(half, { ...below, left: Math.max(rows.x.counted, rows.x.counted + (most / 2) * rows.counted - half.offsetWidth / 2) });
  if (!state.word) {
    place(make(parts.rowText, "span", "foot-text bias", data.words.bias), { ...below, right: rightEdge(width, rows.agree) });
    place(make(parts.rowText, "span", "foot-text total", data.words.total), { ...below, right: "0" });
  }
  const margin = (rows.row - rows.bar) / 2;
  place(parts.frame, { top: (state.shown - 1) * rows.row + margin - 4, height: rows.bar + 8 });
}

function writeFoot(state) {
  const { data, parts, at: { width } } = state;
  const step = state.word ? data.steps[state.word - 1] : data.end;
  parts.ledger.replaceChildren();
  parts.ledger.style.setProperty("--ledger", width >= 1200 ? "44px" : "32px");
  for (const { text, note, tone } of step.ledger) {
    const term = make(parts.ledger, "div", `term ${tone}`);
    make(term, "div", "", text);
    if (note) make(term, "small", "", note);
  }
  parts.out.textContent = (!state.word && data.end.out) || (data.words.part && "\u00a0"); // its line stays
  parts.ways.replaceChildren();
  make(parts.ways, "div", "head", state.word ? data.ways.before : data.ways.head);
  const table = make(parts.ways, "table", "");
  table.setAttribute("role", "presentation");
  for (const [name, value, same] of data.ways.rows) {
    const row = make(table, "tr", "");
    make(row, "td", "", name);
    make(row, "td", same ? "" : "wrong", same ? value : `✕ ${value}`);
  }
  make(parts.ways, "div", data.ways.wrong ? "wrong" : "muted", data.ways.note);
  parts.kernel.replaceChildren();
  make(parts.kernel, "div", "head", data.kernel.head);
  make(parts.kernel, "div", "line", data.kernel.line);
  make(parts.kernel, "div", "muted", data.kernel.note);
  parts.key.replaceChildren();
  for (const name of ["on", "off", "zero"]) {
    if (!data.words[name]) continue;
    const mark = make(parts.key, "span", name);
    make(mark, "i", "");
    mark.append(data.words[name]);
  }
  make(parts.key, "div", "lesson", data.words.lesson);
}

// What the pointer rests on: an input, its weight, and what comes of the two.
function sayCell(state, x) {
  const { data, planes, at: { large } } = state;
  const byte = Math.floor(x / (8 * large.pitch + BYTE_GAP)), bit = Math.floor((x - byte * (8 * large.pitch + BYTE_GAP)) / large.pitch);
  const input = (state.shown - 1) * WORD + 8 * byte + bit;
  if (bit > 7 || byte > 7 || input >= data.inputs) return "";
  const { words } = data;
  const sign = (value) => (value ? words.on : words.off);
  const z = bitAt(planes.inputs, input), w = bitAt(planes.weights, input);
  const values = {
    input,
    x: data.zero_one && !z ? words.zero : sign(z),
    w: planes.mask && !bitAt(planes.mask, input) ? words.zero : sign(w),
    verdict: !takesPart(state, input) ? words.apart : z === w ? words.alike_pair : words.unlike_pair,
  };
  return words.cell.replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

function writeTools(state) {
  const { data, parts } = state;
  parts.tools.setAttribute("aria-label", data.words.steps);
  parts.back.lastChild.textContent = data.words.back;
  parts.back.setAttribute("aria-label", data.words.back_label);
  parts.back.disabled = state.word === 1;
  parts.forward.firstChild.textContent = data.words.forward;
  parts.forward.setAttribute("aria-label", data.words.forward_label);
  parts.all.textContent = data.words.all;
  parts.all.setAttribute("aria-pressed", String(state.word === 0));
}

function redraw(state) {
  if (!state.box.isConnected || !state.host.clientWidth) return; // off the page, or hidden: nothing to measure
  state.shown = state.word || state.data.telling;
  state.at = measure(state);
  const started = performance.now();
  const colours = coloursOf(state.box, ROLES);
  paintLarge(state, colours);
  paintRows(state, colours);
  writeTools(state);
  writeTop(state);
  writeLarge(state);
  writeRows(state);
  writeFoot(state);
  state.parts.stage.setAttribute("aria-label", state.data.words.label);
  state.box.dataset.word = state.word;
  state.box.dataset.paintMs = (performance.now() - started).toFixed(1);
}

// --- stepping ---

function go(state, word) {
  if (word === state.word) return;
  state.word = word;
  redraw(state);
  state.parts.frame.scrollIntoView({ block: "nearest" }); // of 64 words not all are in sight
  state.parts.spoken.textContent = (word ? state.data.steps[word - 1] : state.data.end).spoken;
  clearTimeout(state.timer);
  state.timer = setTimeout(() => tell(state), REST_MS);
}

// The page hears of the place when it has answered everything else: a message before that would carry the address
// and the widgets' values of before, and those would count as chosen anew.
function tell(state) {
  clearTimeout(state.timer);
  const run = document.querySelector("[data-test-script-state]")?.dataset.testScriptState;
  const unanswered = state.told.some((each) => performance.now() - each.time < FORGET_MS);
  if (unanswered || (run && run !== "notRunning")) {
    state.timer = setTimeout(() => tell(state), REST_MS / 2);
    return;
  }
  state.timer = 0;
  state.told.push({ word: state.word, time: performance.now() });
  state.send("stepped", { word: state.word, identity: state.data.identity });
}

// From all words on to the first again: the sum can be stepped through once more.
const forward = (state) => go(state, state.word === 0 ? 1 : (state.word + 1) % (state.data.count + 1));
const back = (state) => go(state, state.word === 0 ? state.data.count : Math.max(1, state.word - 1));

const KEYS = { ArrowRight: forward, ArrowLeft: back, Home: (state) => go(state, 1), End: (state) => go(state, 0) };
// What has a use of its own for these keys; a button that was just pressed has none.
const WIDGETS = ["input", "textarea", "select", "[contenteditable]",
  ...["radio", "slider", "combobox", "listbox", "option", "menuitem", "tab", "spinbutton"].map((role) => `[role='${role}']`)].join();

// Keys step wherever nothing else wants them: no widget has the focus, no dialogue is open.
function onKey(state, event) {
  const act = KEYS[event.key];
  if (!act || event.defaultPrevented || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
  const active = document.activeElement;
  if (active !== state.host) {
    if (document.querySelector("[role='dialog']")) return;
    if (active && (active.shadowRoot || active.matches(WIDGETS))) return;
  }
  event.preventDefault();
  act(state);
}

function build(state) {
  state.box = make(state.root, "div", "word-stepper");
  state.box.innerHTML = `<div class="tools" role="group">
      <button type="button" class="back"><svg viewBox="0 0 6 10" aria-hidden="true"><path d="M6 0v10L0 5z"/></svg><span></span></button>
      <button type="button" class="forward"><span></span><svg viewBox="0 0 6 10" aria-hidden="true"><path d="M0 0v10l6-5z"/></svg></button>
      <button type="button" class="all"></button>
    </div>
    <div class="stage" role="group" tabindex="0">
      <div class="top"></div>
      <div class="large"><canvas class="large-bits" aria-hidden="true"></canvas><div class="large-text"></div></div>
      <hr>
      <div class="heads"></div>
      <div class="rows"><canvas class="row-bits" aria-hidden="true"></canvas><div class="row-text"></div><div class="frame"></div></div>
      <hr>
      <div class="foot"><div><div class="ledger"></div><div class="out muted"></div></div>
        <div class="aside"><div class="ways"></div><div class="kernel"></div></div></div>
      <div class="key"></div>
    </div>
    <div class="spoken" aria-live="polite"></div>`;
  // By their first class: `large-text` is parts.largeText.
  const camel = (name) => name.replace(/-(\w)/g, (_, letter) => letter.toUpperCase());
  const parts = [...state.box.querySelectorAll("[class]")];
  state.parts = Object.fromEntries(parts.map((part) => [camel(part.classList[0]), part]));
  Object.assign(state, { data: null, word: 0, shown: 1, timer: 0, told: [] });
  listen(state);
}

function listen(state) {
  const { parts } = state;
  parts.back.addEventListener("click", () => back(state));
  parts.forward.addEventListener("click", () => forward(state));
  parts.all.addEventListener("click", () => go(state, 0));
  parts.rows.addEventListener("click", (event) => {
    const row = event.target.closest("[data-row]");
    if (row) go(state, Number(row.dataset.row));
  });
  state.parts.largeBits.addEventListener("pointermove", (event) => {
    state.parts.largeBits.title = sayCell(state, event.offsetX);
  });
  document.addEventListener("keydown", (event) => onKey(state, event), { signal: state.gone });
  // Whatever is done elsewhere in the page comes after the step that was made before.
  document.addEventListener("pointerdown", (event) => {
    if (state.timer && event.target !== state.host) tell(state);
  }, { capture: true, signal: state.gone });
  onResize(state, () => {
    if (state.data && (state.at?.width !== state.host.clientWidth || state.tall !== window.innerHeight)) redraw(state);
    state.tall = window.innerHeight;
  });
}

// Where to stand after new data: the page's place, unless this one went on since.
function settle(state, data) {
  if (state.data?.identity !== data.identity) {
    clearTimeout(state.timer);
    state.timer = 0;
    state.told = [];
    return data.word;
  }
  const known = state.told.findIndex((each) => each.word === data.word);
  state.told = state.told.slice(known + 1).filter((each) => performance.now() - each.time < FORGET_MS);
  return known >= 0 || state.told.length || state.timer ? state.word : data.word;
}

function update(state, data) {
  state.word = settle(state, data);
  state.data = data;
  state.planes = { inputs: fromBase64(data.planes.inputs), weights: fromBase64(data.planes.weights) };
  state.planes.mask = data.planes.mask && fromBase64(data.planes.mask);
  redraw(state);
}

export default component(build, update);
