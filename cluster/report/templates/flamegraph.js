// The interactive flame graph: zoom, search, details, keyboard. Data stands in the page as JSON;
// names are only ever written as text, never as markup.
"use strict";
(() => {
  const ROW = 19;
  const NARROWEST = 0.0004;

  function amount(value, unit) {
    if (unit !== "ns") return value.toLocaleString("en") + " " + unit;
    for (const [limit, size, name] of [[1e3, 1, "ns"], [1e6, 1e3, "µs"], [1e9, 1e6, "ms"]]) {
      if (value < limit) return +(value / size).toPrecision(3) + " " + name;
    }
    return +(value / 1e9).toPrecision(4) + " s";
  }

  const percent = (part, whole) => (whole ? (100 * part / whole).toFixed(2) : "0.00") + " %";

  function graph(box) {
    const data = JSON.parse(box.querySelector("script[type='application/json']").textContent);
    const stage = box.querySelector(".flame-stage");
    const details = box.querySelector(".flame-details");
    const search = box.querySelector(".flame-search");
    const found = box.querySelector(".flame-found");
    const reset = box.querySelector(".flame-reset");
    const frames = data.frames.map(([depth, start, total, own, name]) =>
      ({ depth, start, total, own, name: data.names[name], parent: null, children: [] }));
    const root = frames[0];
    const path = [];
    for (const frame of frames) {
      frame.parent = path[frame.depth - 1] || null;
      if (frame.parent) frame.parent.children.push(frame);
      path[frame.depth] = frame;
      path.length = frame.depth + 1;
    }
    const deepest = frames.reduce((most, frame) => Math.max(most, frame.depth), 0);
    let zoomed = root;
    let current = root;
    let pattern = null;

    const matches = (frame) => pattern !== null && pattern.test(frame.name.whole);

    function describe(frame) {
      current = frame;
      stage.querySelector(".is-current")?.classList.remove("is-current");
      frame.element?.classList.add("is-current");
      const lines = [frame.name.whole,
        `total ${amount(frame.total, data.unit)} (${percent(frame.total, root.total)})  ·  ` +
        `self ${amount(frame.own, data.unit)} (${percent(frame.own, root.total)})` +
        (zoomed === root ? "" : `  ·  ${percent(frame.total, zoomed.total)} of what is shown`) +
        `  ·  ${frame.name.kind}`];
      details.replaceChildren(...lines.map((line, i) => {
        const element = document.createElement(i ? "span" : "strong");
        element.textContent = line;
        return element;
      }));
    }

    function draw() {
      stage.replaceChildren();
      const shown = document.createDocumentFragment();
      const end = zoomed.start + zoomed.total;
      let top = 0;
      for (const frame of frames) {
        frame.element = null;
        const isCaller = frame.depth < zoomed.depth;
        if (isCaller && !(frame.start <= zoomed.start && end <= frame.start + frame.total)) continue;
        if (!isCaller && (frame.start < zoomed.start || frame.start + frame.total > end)) continue;
        const width = isCaller ? 1 : frame.total / zoomed.total;
        if (width < NARROWEST) continue;
        const left = isCaller ? 0 : (frame.start - zoomed.start) / zoomed.total;
        const element = document.createElement("div");
        element.className = "flame-frame" + (isCaller ? " is-caller" : "") +
          (pattern ? (matches(frame) ? " is-match" : " is-other") : "");
        element.style.cssText = `left:${100 * left}%;width:${100 * width}%;` +
          `bottom:${frame.depth * ROW}px;background-color:${frame.name.colour}`;
        element.textContent = width > 0.012 ? frame.name.short : "";
        element.title = `${frame.name.whole}\n${percent(frame.total, root.total)} total, ` +
          `${percent(frame.own, root.total)} self`;
        element.frame = frame;
        frame.element = element;
        shown.append(element);
        top = Math.max(top, frame.depth);
      }
      stage.style.height = (zoomed === root ? deepest + 1 : top + 1) * ROW + "px";
      stage.append(shown);
      reset.disabled = zoomed === root && !pattern;
      describe(current.element ? current : zoomed);
    }

    function zoom(frame) {
      zoomed = frame;
      current = frame;
      draw();
    }

    // A frame inside a matching one is not counted again.
    function matched(frame) {
      let sum = 0;
      const waiting = [frame];
      while (waiting.length) {
        const next = waiting.pop();
        if (matches(next)) sum += next.total;
        else waiting.push(...next.children);
      }
      return sum;
    }

    function look() {
      pattern = null;
      found.textContent = "";
      search.removeAttribute("aria-invalid");
      if (search.value) {
        try {
          pattern = new RegExp(search.value, "i");
          found.textContent = percent(matched(root), root.total) + " matched";
        } catch {
          search.setAttribute("aria-invalid", "true");
          found.textContent = "not a regular expression";
        }
      }
      draw();
    }

    function neighbour(step) {
      const row = frames.filter((frame) => frame.element && frame.depth === current.depth);
      return row[row.indexOf(current) + step];
    }

    const keys = {
      ArrowUp: () => current.children.filter((frame) => frame.element)
        .reduce((widest, frame) => (!widest || frame.total > widest.total ? frame : widest), null),
      ArrowDown: () => current.parent,
      ArrowLeft: () => neighbour(-1),
      ArrowRight: () => neighbour(1),
    };

    stage.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.key in keys) {
        const next = keys[event.key]();
        if (next) describe(next);
      } else if (event.key === "Enter" || event.key === " ") zoom(current);
      else if (event.key === "Escape") zoom(root);
      else if (event.key === "/") search.focus();
      else return;
      event.preventDefault();
    });
    stage.addEventListener("mouseover", (event) => {
      if (event.target.frame) describe(event.target.frame);
    });
    stage.addEventListener("click", (event) => {
      if (event.target.frame) zoom(event.target.frame);
    });
    search.addEventListener("input", look);
    search.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      search.value = "";
      look();
      stage.focus();
    });
    reset.addEventListener("click", () => {
      search.value = "";
      zoomed = root;
      look();
    });
    draw();
  }

  document.querySelectorAll(".flame").forEach(graph);
})();
