// The map: patterns by state, and names that do not collide. What is abnormal is named first.
(function () {
  "use strict";
  const pantau = window.pantau;
  const { parts } = pantau;
  const { say } = pantau.words;
  const RANK = ["down", "unreachable", "degraded", "unknown", "maintenance", "up"];
  const ICON = 30;
  let measured = null;

  function draw(sites, names) {
    const map = document.getElementById("map");
    if (!map) return;
    const states = {};
    for (const shape of map.querySelectorAll("path.m[data-id]")) {
      const site = sites[shape.dataset.id];
      if (!site) continue;
      states[shape.dataset.id] = site.s;
      if (!parts.changed(shape, site.s)) continue;
      shape.setAttribute("class", "m " + site.s);
      shape.firstElementChild.textContent = names[shape.dataset.id] + ": " + say("state." + site.s);
    }
    const signature = Object.values(states).join() + map.clientWidth;
    if (parts.changed(map, signature)) label(map, states);
  }

  // Widths in units of the drawing at size 1, once the font is there.
  function widths(labels) {
    if (measured) return measured;
    const found = new Map();
    for (const group of labels) {
      const words = group.firstElementChild;
      found.set(group, words.getComputedTextLength() / parseFloat(getComputedStyle(words).fontSize));
    }
    if (document.fonts.status === "loaded") measured = found;
    return found;
  }

  function label(map, states) {
    const small = map.clientWidth < 440;
    const groups = [...document.getElementById("names").children];
    const wide = widths(groups);
    const order = groups
      .map((group) => ({ group, state: states[group.dataset.id] || "unknown" }))
      .sort((a, b) => RANK.indexOf(a.state) - RANK.indexOf(b.state));
    const taken = [];
    for (const { group, state } of order) {
      mark(group, state);
      if (state === "up") continue;
      const [x, y] = place(group);
      taken.push({ x0: x - ICON / 2, x1: x + ICON / 2, y0: y - ICON / 2 - 9, y1: y + ICON / 2 - 9 });
    }
    for (const { group, state } of order) {
      const size = state === "up" ? (small ? 0 : 16.5) : small ? 30 : 19;
      const box = size ? free(place(group), wide.get(group) * size, size, state !== "up", taken) : null;
      const words = group.firstElementChild;
      words.setAttribute("class", "ml " + state + (box ? "" : " gone"));
      if (!box) continue;
      words.setAttribute("x", String(box.dx));
      words.setAttribute("y", String(box.dy));
      words.setAttribute("font-size", String(size));
      taken.push(box);
    }
  }

  function place(group) {
    return group.getAttribute("transform").match(/[\d.]+/g).map(Number);
  }

  // The first place near the middle where these words touch nothing; null where there is none.
  function free([x, y], width, size, marked, taken) {
    const beside = ICON / 2 + width / 2 + 3;
    const places = marked
      ? [[0, size + 8], [0, -ICON / 2 - 14], [beside, 0], [-beside, 0], [width / 3, size + 8], [-width / 3, size + 8]]
      : [0, width / 4, -width / 4].flatMap((dx) => [6, 20, -9].map((dy) => [dx, dy]));
    for (const [dx, dy] of places) {
      const box = {
        dx, dy,
        x0: x + dx - width / 2, x1: x + dx + width / 2,
        y0: y + dy - size * 0.8, y1: y + dy + size * 0.22,
      };
      if (box.x0 > 0 && box.x1 < 1000 && !taken.some((other) => overlap(other, box))) return box;
    }
    return null;
  }

  function overlap(a, b) {
    return a.x0 < b.x1 + 3 && b.x0 < a.x1 + 3 && a.y0 < b.y1 + 1 && b.y0 < a.y1 + 1;
  }

  function mark(group, state) {
    const old = group.querySelector("svg");
    if (old && old.classList.contains(state)) return;
    if (old) old.remove();
    if (state === "up") return;
    const shape = parts.icon(state);
    shape.classList.add("onmap");
    for (const [name, value] of [["x", -ICON / 2], ["y", -ICON / 2 - 9], ["width", ICON], ["height", ICON]]) {
      shape.setAttribute(name, String(value));
    }
    group.append(shape);
  }

  pantau.map = { draw };
})();
