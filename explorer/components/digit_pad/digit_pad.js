// A pad for one digit: shows the given one as cells, and takes another by pointer.
//
// data: { source, grey (base64 of side*side bytes, 0 background), side, raster, size, size_variable, label,
// words: {draw, clear, hint, more?} }. At the end of a stroke the whole drawing is sent as raster x raster bytes in
// base64, 0 the paper and 255 the ink, whatever the theme. `source` names the shown digit: while it stays the
// same, strokes survive every rerun of the page; "drawn" says that the page shows what was drawn here.

const INK = 12.5; // stroke width for a pad of 140 units: 2.5 pixels of a 28 x 28 digit, as thick as MNIST's pens

function bytesOf(base64) {
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}

function colour(element, role) {
  const probe = document.createElement("span");
  probe.style.color = `var(--bx-${role})`;
  element.appendChild(probe);
  const parts = getComputedStyle(probe).color.match(/[\d.]+/g).map(Number);
  probe.remove();
  return parts;
}

function build(root) {
  const box = document.createElement("div");
  box.className = "digit-pad";
  box.innerHTML = `<div class="paper"><canvas role="img"></canvas><div class="hint"></div></div>
    <div class="tools"><button type="button" class="draw"></button><button type="button" class="clear"></button>
    <button type="button" class="more"></button></div>`;
  root.appendChild(box);
  return {
    root, box,
    canvas: box.querySelector("canvas"),
    hint: box.querySelector(".hint"),
    draw: box.querySelector(".draw"),
    clear: box.querySelector(".clear"),
    more: box.querySelector(".more"),
    strokes: [], // each a list of points in units of the pad's side
    blank: false, // an empty sheet was asked for
    pointer: null,
    source: null,
  };
}

function sizeOf(state) {
  const { size, size_variable: variable } = state.data;
  return (variable && parseFloat(getComputedStyle(state.host).getPropertyValue(variable))) || size;
}

function trace(context, strokes, scale, style) {
  context.strokeStyle = style;
  context.fillStyle = style;
  context.lineWidth = (INK / 140) * scale;
  context.lineCap = context.lineJoin = "round";
  for (const stroke of strokes) {
    context.beginPath();
    context.moveTo(stroke[0][0] * scale, stroke[0][1] * scale);
    for (const [x, y] of stroke) context.lineTo(x * scale, y * scale);
    if (stroke.length === 1) context.arc(stroke[0][0] * scale, stroke[0][1] * scale, context.lineWidth / 2, 0, 7);
    context.stroke();
  }
}

function redraw(state) {
  const { canvas, data, strokes } = state;
  if (!canvas.isConnected) return; // taken off the page: no colours to ask for
  const size = sizeOf(state), ratio = window.devicePixelRatio || 1;
  const pixels = Math.round(size * ratio);
  canvas.style.width = canvas.style.height = `${size}px`;
  canvas.width = canvas.height = pixels;
  const context = canvas.getContext("2d");
  const paper = colour(state.box, "panel"), ink = colour(state.box, "ink");
  const drawing = strokes.length > 0 || state.blank;
  state.box.classList.toggle("blank", drawing && strokes.length === 0);
  state.clear.disabled = !drawing && !data.source.startsWith("drawn");
  if (drawing) {
    trace(context, strokes, pixels, `rgb(${ink.join()})`);
    return;
  }
  // Whole pixels a cell, never smoothed; what is left over is a margin.
  const grey = bytesOf(data.grey);
  const pitch = Math.floor(pixels / data.side);
  const margin = Math.floor((pixels - pitch * data.side) / 2);
  for (let cell = 0; cell < grey.length; cell++) {
    if (!grey[cell]) continue;
    const mixed = paper.map((value, i) => Math.round(value + (ink[i] - value) * (grey[cell] / 255)));
    context.fillStyle = `rgb(${mixed.slice(0, 3).join()})`;
    context.fillRect(margin + (cell % data.side) * pitch, margin + Math.floor(cell / data.side) * pitch, pitch, pitch);
  }
}

function send(state) {
  const side = state.data.raster;
  const sheet = document.createElement("canvas");
  sheet.width = sheet.height = side;
  const context = sheet.getContext("2d", { willReadFrequently: true });
  context.fillStyle = "#000";
  context.fillRect(0, 0, side, side);
  trace(context, state.strokes, side, "#fff");
  const pixels = context.getImageData(0, 0, side, side).data;
  let text = "";
  for (let i = 0; i < pixels.length; i += 4) text += String.fromCharCode(pixels[i]);
  state.trigger("drawn", { side, ink: btoa(text) });
}

function listen(state) {
  const { canvas, draw, clear, more } = state;
  const point = (event) => {
    const box = canvas.getBoundingClientRect();
    return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
  };
  canvas.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || state.pointer !== null) return;
    event.preventDefault();
    canvas.setPointerCapture(event.pointerId);
    state.pointer = event.pointerId;
    state.strokes.push([point(event)]);
    redraw(state);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (event.pointerId !== state.pointer) return;
    const stroke = state.strokes[state.strokes.length - 1];
    for (const part of event.getCoalescedEvents?.() || [event]) stroke.push(point(part));
    redraw(state);
  });
  const end = (event) => {
    if (event.pointerId !== state.pointer) return;
    state.pointer = null;
    send(state);
  };
  canvas.addEventListener("pointerup", end);
  canvas.addEventListener("pointercancel", end);
  draw.addEventListener("click", () => {
    state.strokes = [];
    state.blank = true;
    redraw(state);
  });
  clear.addEventListener("click", () => {
    state.strokes = [];
    state.blank = false;
    redraw(state);
    if (state.data.source.startsWith("drawn")) state.trigger("cleared", true);
  });
  more.addEventListener("click", () => state.trigger("more", true));
  state.onResize = () => redraw(state);
  window.addEventListener("resize", state.onResize);
}

export default function ({ parentElement, data, setTriggerValue }) {
  const host = parentElement.host || parentElement;
  let state = host.digitPad;
  if (!state) {
    state = build(parentElement);
    host.digitPad = state;
    state.host = host;
    listen(state);
  }
  state.trigger = setTriggerValue;
  const other = state.source !== null && data.source !== state.source && data.source !== "drawn";
  if (other && state.pointer === null) {
    state.strokes = []; // another digit was chosen on the page
    state.blank = false;
  }
  state.source = data.source;
  state.data = data;
  state.canvas.setAttribute("aria-label", data.label);
  state.hint.textContent = data.words.hint;
  state.draw.textContent = data.words.draw;
  state.clear.textContent = data.words.clear;
  state.more.textContent = data.words.more || "";
  state.more.hidden = !data.words.more;
  redraw(state);
  return () => {
    window.removeEventListener("resize", state.onResize);
    delete host.digitPad;
    state.box.remove();
  };
}
