// A pad for one digit: shows the given one as cells, and takes another by pointer.
//
// data: { source, grey (base64 of side*side bytes, 0 background), side, raster, size, label,
// words: {draw, clear, hint, more?} }. At the end of a stroke the whole drawing is sent as raster x raster bytes in
// base64, 0 the paper and 255 the ink, whatever the theme. `source` names the shown digit: while it stays the
// same, strokes survive every rerun of the page; "drawn" says that the page shows what was drawn here.

import { coloursOf, component, fromBase64, make, onResize, paintGreys, sized } from "../shared.js";

const INK = 12.5; // stroke width for a pad of 140 units: 2.5 pixels of a 28 x 28 digit, as thick as MNIST's pens

function build(state) {
  const box = make(state.root, "div", "digit-pad");
  state.box = box;
  box.innerHTML = `<div class="paper"><canvas role="img"></canvas><div class="hint"></div></div>
    <div class="tools"><button type="button" class="draw"></button><button type="button" class="clear"></button>
    <button type="button" class="more"></button></div>`;
  for (const name of ["hint", "draw", "clear", "more"]) state[name] = box.querySelector(`.${name}`);
  state.canvas = box.querySelector("canvas");
  state.strokes = []; // each a list of points in units of the pad's side
  state.blank = false; // an empty sheet was asked for
  state.pointer = state.source = null;
  listen(state);
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
  const context = sized(canvas, data.size, data.size), pixels = canvas.width;
  const colours = coloursOf(state.box, ["panel", "ink"]);
  const drawing = strokes.length > 0 || state.blank;
  state.box.classList.toggle("blank", drawing && strokes.length === 0);
  state.clear.disabled = !drawing && !data.source.startsWith("drawn");
  if (drawing) {
    trace(context, strokes, pixels, colours.ink);
    return;
  }
  // Whole pixels a cell, never smoothed; what is left over is a margin.
  const pitch = Math.floor(pixels / data.side);
  const margin = Math.floor((pixels - pitch * data.side) / 2);
  paintGreys(context, fromBase64(data.grey), data.side, pitch, colours, margin);
}

function sendDrawing(state) {
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
  state.send("drawn", { side, ink: btoa(text) });
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
    sendDrawing(state);
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
    if (state.data.source.startsWith("drawn")) state.send("cleared", true);
  });
  more.addEventListener("click", () => state.send("more", true));
  onResize(state, () => state.data && redraw(state));
}

function update(state, data) {
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
}

export default component(build, update);
