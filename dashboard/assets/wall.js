// The wall: six problems, 31 chips, three figures. Reloads itself each night.
(function () {
  "use strict";
  const pantau = window.pantau;
  const { parts, listed } = pantau;
  const { say, number, duration, clock, local } = pantau.words;
  const NEW_S = 120;
  const CARDS = 6;
  const NAMES = 16;
  const NIGHT_HOUR = 4;
  const ASK_AGAIN_MS = 60000;
  const born = { day: null, asked: 0 };

  function draw(snapshot, nowS, standing) {
    const stale = standing.level === "stale";
    pantau.map.draw(snapshot.sites, listed.names);
    for (const chip of document.querySelectorAll("#chips > .chip")) drawChip(chip, snapshot, nowS);
    const open = listed.folded(snapshot.open);
    // One line is kept for "+n more" only where there are more.
    const room = CARDS - (open.length && open[0].mass ? 1 : 0);
    const shown = open.slice(0, room);
    const rest = open.slice(room);
    const quiet = open.length === 0 ? [{ id: "calm", calm: stale ? "unknown" : calmState(snapshot) }] : [];
    const spare = room - shown.length - (quiet.length ? 2 : 0);
    const recent = snapshot.recent.slice(0, Math.max(0, Math.min(spare, 4))).map((item) => ({ ...item, over: true }));
    const key = (item) => (item.over ? "r" : "") + item.id;
    parts.keyed(document.getElementById("problems"), [...quiet, ...shown, ...recent], key, make, (node, item) => fill(node, item, nowS));
    const more = document.getElementById("problems-more");
    parts.hidden(more, rest.length === 0);
    parts.text(more, rest.length ? say("wall.more", { count: rest.length, names: listed.few(rest.map(listed.nameOf)) }) : "");
    drawFigures(snapshot.month);
    tonight(nowS, standing);
  }

  function calmState(snapshot) {
    return Object.values(snapshot.sites).every((site) => site.s === "up" || site.s === "maintenance") ? "up" : "unknown";
  }

  function make() {
    const node = parts.element("li", "prob");
    const middle = parts.element("div", "md");
    middle.append(parts.element("b"), parts.element("span", "msg"));
    const end = parts.element("div", "tm");
    end.append(parts.element("b"), parts.element("span"));
    node.append(parts.icon("unknown"), middle, end);
    return node;
  }

  function fill(node, item, nowS) {
    if (item.calm) {
      put(node, "calm", item.calm, say(item.calm === "up" ? "wall.calm" : "wall.unsure"), "", "", "");
      return;
    }
    if (item.over) {
      const was = say("attention.was", { state: say("state." + item.s), start: clock(item.t), end: clock(item.e) });
      put(node, "over", "up", listed.nameOf(item), was, duration(nowS - item.e), say("wall.recovered"));
      return;
    }
    const fresh = item.s === "down" && nowS - item.t < NEW_S && !item.by;
    const planned = item.s === "maintenance";
    const time = planned && item.e ? say("wall.until", { clock: clock(item.e) }) : duration(nowS - item.t);
    let under = item.by ? say("wall.taken", { who: item.by }) : say(planned ? "wall.planned" : "wall.untaken");
    if (fresh) under = say("state.new");
    const kind = item.s + (item.mass ? " mass" : "") + (fresh ? " new" : "") + (item.by ? " taken" : "");
    put(node, kind, item.s, listed.nameOf(item), listed.message(item, NAMES), time, under);
  }

  function put(node, kind, state, name, message, time, under) {
    const [shape, middle, end] = node.children;
    parts.attribute(node, "class", "prob " + kind);
    parts.setIcon(shape, state);
    parts.text(middle.children[0], name);
    parts.text(middle.children[1], message);
    parts.text(end.children[0], time);
    parts.text(end.children[1], under);
  }

  function drawChip(chip, snapshot, nowS) {
    const site = snapshot.sites[chip.dataset.id];
    if (!site) return;
    const fresh = site.s === "down" && site.t !== null && nowS - site.t < NEW_S;
    if (!parts.changed(chip, site.s + fresh)) return;
    chip.className = "chip " + site.s + (fresh ? " new" : "");
    parts.setIcon(chip.firstElementChild, site.s);
    chip.setAttribute("aria-label", listed.names[chip.dataset.id] + ": " + say("state." + site.s));
  }

  function drawFigures([served, worst, low, today]) {
    const shown = (value) => (value === null ? "–" : number(value, 2) + (pantau.config.lang === "id" ? "\u00a0%" : "%"));
    parts.text(document.getElementById("fig-served"), shown(served));
    const none = served === 100 ? say("wall.worst_none") : "–";
    parts.text(document.getElementById("fig-worst"), worst === null ? none : listed.names[worst] + " " + shown(low));
    parts.text(document.getElementById("fig-today"), String(today));
  }

  // Once a night, in the small hours, and only when the server has just answered: a browser that
  // reloads into a dead server would show its error page until somebody comes.
  function tonight(nowS, standing) {
    const at = local(nowS);
    if (born.day === null) born.day = at.day;
    if (at.day === born.day || Number(at.hour) < NIGHT_HOUR || standing.level === "stale") return;
    if (Date.now() - born.asked < ASK_AGAIN_MS) return;
    born.asked = Date.now();
    fetch(location.href, { cache: "no-store" }).then((answer) => {
      if (answer.ok) location.reload();
    }, () => undefined);
  }

  pantau.page = { draw };
})();
