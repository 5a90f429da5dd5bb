// The list of incidents: asked for when something changes, drawn by key, chosen by mouse or J and K.
(function () {
  "use strict";
  const pantau = window.pantau;
  const { parts, config, mass } = pantau;
  const { say, duration, clock, moment } = pantau.words;
  const AGAIN_S = 10;
  const DAY_S = 86400;
  const table = document.getElementById("incidents");
  const filter = document.getElementById("filter");
  const sort = document.getElementById("sort");
  const HEAD = { id: "head" };
  const order = {
    severity: (a, b) => a.grade - b.grade || b.t - a.t,
    age: (a, b) => b.t - a.t,
    taken: (a, b) => (a.by === null ? 0 : 1) - (b.by === null ? 0 : 1) || a.grade - b.grade || b.t - a.t,
  };
  // A link that is down while its site answers by another is less than that, planned work least.
  const GRADES = { degraded: 3, unknown: 4, maintenance: 5 };
  let rows = null;
  let failed = false;
  let more = false;
  let asked = { at: -Infinity, key: "" };
  let chosen = null;
  let shown = [];
  let last = null;

  function query() {
    const wanted = new URLSearchParams(location.search);
    const found = new URLSearchParams({ view: config.view, lang: config.lang });
    for (const name of ["from", "to"]) if (wanted.get(name)) found.set(name, wanted.get(name));
    return found;
  }

  async function ask(nowS) {
    asked.at = nowS;
    try {
      const answer = await fetch(config.prefix + "api/v1/incidents?" + query(), { cache: "no-store" });
      if (!answer.ok) return;
      const told = await answer.json();
      failed = told.failed;
      if (!failed) [rows, more] = [told.rows, told.more];
      pantau.draw();
    } catch (error) {
      // The header says that nothing comes any more.
    }
  }

  function draw(snapshot, nowS) {
    last = snapshot;
    const key = JSON.stringify(snapshot.open.map((item) => [item.id, item.by, item.s]));
    if (key !== asked.key || nowS - asked.at >= AGAIN_S) {
      asked.key = key;
      ask(nowS);
    }
    drawCounts(snapshot);
    if (rows === null) return;
    const now = new Map(snapshot.open.map((item) => [item.id, item]));
    const words = pantau.search.plain(filter.value).split(/\s+/).filter(Boolean);
    for (const row of rows) {
      const item = now.get(row.id);
      row.grade = Math.max(row.rank, (item && GRADES[item.s]) || 0);
    }
    rows.sort(order[sort.value]);
    const folded = mass.fold(rows, now);
    // What is looked for by name is shown by itself.
    shown = !words.length ? folded : rows.filter((row) => {
      const text = pantau.search.plain([row.name, row.link, row.why, row.fold, row.by || "", row.ticket || "", row.id].join(" "));
      return words.every((word) => text.includes(word));
    });
    parts.keyed(table, [HEAD, ...shown], (row) => row.id, make, (node, row) => {
      if (row !== HEAD) fill(node, row, now.get(row.id), nowS);
    });
    const none = document.getElementById("none");
    parts.hidden(none, shown.length > 0 && !failed);
    parts.text(none, failed ? say("incident.unread") : say(rows.length ? "incident.none_found" : "incident.none_" + config.view));
    const cut = document.getElementById("truncated");
    parts.hidden(cut, !more);
    parts.text(cut, more ? say("incident.truncated", { count: rows.length }) : "");
    pantau.panel.draw(nowS, now);
  }

  function drawCounts(snapshot) {
    const untaken = snapshot.open.filter((item) => !item.by).length;
    for (const [view, count] of [["active", snapshot.open.length], ["untaken", untaken]]) {
      parts.text(document.querySelector('.pills [data-view="' + view + '"] b'), " " + count);
    }
  }

  function make(row) {
    const body = parts.element("tbody");
    const line = parts.element("tr");
    const cells = ["st", "wh", "lk", "why", "si", "num", "ha"].map((name) => parts.element("td", name));
    cells[0].append(parts.icon(row.s), parts.element("span"));
    const choose = parts.element("button", "row", "");
    choose.type = "button";
    choose.addEventListener("click", () => pick(row.id));
    cells[1].append(choose);
    if (row.members) cells[1].append(mass.button());
    cells[6].append(parts.element("span"), takeButton(row));
    line.append(...cells);
    line.addEventListener("click", (event) => {
      if (!event.target.closest("button,a")) pick(row.id);
    });
    const fold = parts.element("tr", "fold");
    const cell = parts.element("td");
    cell.colSpan = 7;
    fold.append(cell);
    body.append(line, fold);
    return body;
  }

  function takeButton(row) {
    const button = parts.element("button", "btn", say("act.take"));
    button.type = "button";
    button.addEventListener("click", () => pick(row.id, () => pantau.panel.take()));
    return button;
  }

  function fill(body, row, now, nowS) {
    const [line, fold] = body.children;
    const [status, where, link, why, since, length, hands] = line.children;
    const state = now ? now.s : row.s;
    const open = row.e === null;
    const by = now && now.by ? now.by : row.by;
    parts.attribute(body, "class", "i " + (open ? state : "up") + (by || !open ? " taken" : "") + (mass.has(row) ? " member" : "") + (row.id === chosen ? " on" : ""));
    parts.setIcon(status.children[0], state);
    parts.text(status.children[1], say("state." + state));
    parts.text(where.firstElementChild, row.name);
    const number = row.members ? "" : say("incident.number", { id: row.id }) + ": ";
    parts.attribute(where.firstElementChild, "aria-label", number + row.name + ", " + say("state." + state));
    if (row.members) mass.fillButton(where.lastElementChild, row);
    parts.attribute(where.firstElementChild, "aria-pressed", String(row.id === chosen));
    parts.text(link, row.link || "–");
    link.classList.toggle("none", !row.link);
    const near = nowS - row.t < DAY_S;
    parts.text(since, near && open ? clock(row.t) : moment(row.t));
    parts.text(length, duration((open ? nowS : row.e) - row.t));
    const [who, take] = hands.children;
    const planned = open && state === "maintenance";
    parts.text(why, planned && row.work ? row.work : row.why);
    let hand = by ? say("wall.taken", { who: by }) : "";
    if (!by && open && row.mute) hand = say("incident.snoozed", { clock: clock(row.mute) });
    if (!by && planned) hand = now.e ? say("wall.until", { clock: clock(now.e) }) : say("wall.planned");
    parts.text(who, (row.members && mass.hands(row)) || hand);
    parts.hidden(take, !open || planned || Boolean(by));
    parts.text(take, say(row.members ? "act.take_all" : "act.take"));
    parts.attribute(take, "aria-label", take.textContent + ": " + row.name);
    parts.hidden(fold, row.fold === "");
    parts.text(fold.firstElementChild, row.fold === "" ? "" : "↳ " + row.fold);
  }

  function pick(id, then) {
    chosen = id;
    const group = mass.group();
    if (group !== null && group.members.some((row) => row.id === id)) mass.toggle(true);
    const address = new URL(location.href);
    address.hash = id === null ? "" : String(id);
    history.replaceState(null, "", address);
    pantau.panel.show(id, then);
    pantau.draw();
    // Below the list, where there is no room beside it.
    const target = window.innerWidth < 1200 ? document.getElementById("panel") : table.querySelector('tbody[data-key="' + id + '"]');
    if (target) target.scrollIntoView({ block: window.innerWidth < 1200 ? "start" : "nearest" });
  }

  function step(by) {
    if (!shown.length) return;
    const at = shown.findIndex((row) => row.id === chosen);
    const next = at < 0 ? (by > 0 ? 0 : shown.length - 1) : Math.min(Math.max(at + by, 0), shown.length - 1);
    pick(shown[next].id);
  }

  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && document.activeElement === filter) {
      filter.value = "";
      filter.blur();
      pantau.draw();
    }
    if (pantau.search.typing(event)) return;
    const key = event.key.toLowerCase();
    if (key === "j") step(1);
    else if (key === "k") step(-1);
    else if (key === "a" && chosen !== null) pantau.panel.take();
    else if (key === "s" && chosen !== null) pantau.panel.snooze();
    else if (key === "/") filter.focus();
    else return;
    event.preventDefault();
  }, true);

  filter.addEventListener("input", () => pantau.draw());
  sort.addEventListener("change", () => {
    const address = new URL(location.href);
    address.searchParams.set("sort", sort.value);
    history.replaceState(null, "", address);
    pantau.draw();
  });
  const csv = document.getElementById("csv");
  csv.href = "insiden.csv?" + query();
  for (const link of document.querySelectorAll(".pills a")) {
    link.addEventListener("click", (event) => {
      event.preventDefault();
      location.href = "insiden?" + new URLSearchParams({ view: link.dataset.view });
    });
  }

  pantau.incidents = {
    pick,
    again: () => ask(pantau.freshness.nowS()),
    first: () => (/^#\d+$/.test(location.hash) ? Number(location.hash.slice(1)) : location.hash === "#" + mass.ID && mass.group() ? mass.ID : null),
    open: () => (last === null ? [] : last.open),
  };
  pantau.page = { draw };
})();
