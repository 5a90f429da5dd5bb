// The overview: tiles, the day, and the two lists, from the snapshot.
(function () {
  "use strict";
  const pantau = window.pantau;
  const { parts, listed } = pantau;
  const { say, has, number, percent, rtt, duration, clock, local, COLON } = pantau.words;
  const NEW_S = 120;
  const DAY_MIN = 1440;
  const THIN_PX = 2.5;
  const LEVELS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
  const { names } = listed;

  function draw(snapshot, nowS, stale) {
    pantau.map.draw(snapshot.sites, names);
    for (const tile of document.querySelectorAll("#tiles > .tile")) {
      const site = snapshot.sites[tile.dataset.id];
      if (site) drawTile(tile, site, nowS);
    }
    drawDay(snapshot, nowS);
    drawOpen(snapshot, nowS, stale);
    drawRecent(snapshot, nowS);
    const notes = snapshot.warnings.map(remark);
    drawNotes(snapshot.changed ? [say("attention.changed"), ...notes] : notes);
  }

  // [value, unit, beside it, a line in place of the sparkline]
  function told(site, nowS) {
    const age = site.t === null ? "" : duration(nowS - site.t);
    if (site.s === "up") return site.r === null ? ["–", "", "", ""] : [rtt(site.r), "ms", "", ""];
    if (site.s === "degraded") {
      return site.r === null ? [say("state.degraded"), "", why(site), ""] : [rtt(site.r), "ms", why(site), ""];
    }
    if (site.s === "down") return [age, "", say("tile.no_rtt"), ""];
    if (site.e) return [say("wall.until", { clock: clock(site.e) }), "", say("state.maintenance"), ""];
    return [say("state." + site.s), "", age, site.s === "unreachable" ? why(site) : ""];
  }

  function why(site) {
    if (!site.w) return "";
    const [kind, first, second] = site.w;
    if (kind === "upstream") return say("tile.upstream", { name: first });
    if (kind === "link") return say("tile.link_" + second, { link: first });
    if (kind === "loss") return say("tile.loss", { value: percent(site.l === null ? 0 : site.l) });
    return say("tile.rtt");
  }

  function drawTile(tile, site, nowS) {
    const [head, figures, spark, foot, word] = tile.children;
    const fresh = site.s === "down" && site.t !== null && nowS - site.t < NEW_S;
    const [value, unit, beside, line] = told(site, nowS);
    if (parts.changed(tile, site.s + fresh)) {
      tile.className = "tile " + site.s + (fresh ? " new" : "");
      parts.setIcon(head.firstElementChild, site.s);
      const named = site.s === "down" || (site.s === "degraded" && site.r !== null);
      parts.text(word, fresh ? say("state.new") : named ? say("state." + site.s) : "");
    }
    const [big, small] = figures.children;
    if (parts.changed(big, value + unit)) {
      big.textContent = value;
      if (unit) big.append(" ", parts.element("small", "", unit));
    }
    parts.text(small, beside);
    if (parts.changed(spark, site.k + site.s + line)) drawSpark(spark, line ? "" : site.k);
    parts.text(foot, line);
    const shown = [names[tile.dataset.id], value, unit, beside, line, word.textContent];
    parts.attribute(tile, "aria-label", spoken(site, shown));
  }

  // All that is to be read on the tile, and the word of its state where that is not among it.
  function spoken(site, shown) {
    const words = shown.filter(Boolean).join(" ");
    const state = say("state." + site.s);
    return words.includes(state) ? words : words + ", " + state;
  }

  // One letter a minute, a to Z; "." is a gap in the line, "!" a shaded one.
  function drawSpark(svg, line) {
    let path = "";
    let gap = "";
    let pen = false;
    for (let i = 0; i < line.length; i++) {
      const level = LEVELS.indexOf(line[i]);
      const x = (i + 0.5) * 2;
      if (level < 0) {
        if (line[i] === "!") gap += "M" + (x - 1) + " 0h2v26h-2z";
        pen = false;
      } else {
        path += (pen ? "L" : "M") + x + " " + (24 - (level * 22) / 51).toFixed(1);
        if (!pen && LEVELS.indexOf(line[i + 1]) < 0) path += "h.01";
        pen = true;
      }
    }
    svg.children[0].setAttribute("d", gap);
    svg.children[1].setAttribute("d", path);
  }

  function drawDay(snapshot, nowS) {
    const first = Math.floor(nowS / 60) - DAY_MIN - snapshot.day;
    const axis = document.getElementById("axis");
    const thin = (DAY_MIN * THIN_PX) / Math.max(axis.clientWidth, 100);
    for (const row of document.getElementById("day").children) {
      const site = snapshot.sites[row.dataset.id];
      if (!site) continue;
      const [name, chart] = row.children;
      parts.attribute(name, "class", site.s);
      if (!parts.changed(chart, first + " " + thin + JSON.stringify(site.d))) continue;
      const bars = [parts.svg("rect", { width: DAY_MIN, height: 1, class: "h up" })];
      let troubles = 0;
      for (const [from, to, state] of site.d) {
        const left = Math.max(from - first, 0);
        const width = Math.max(to - first - left, state === "none" ? 0 : thin);
        if (to < first || width <= 0) continue;
        if (state !== "none") troubles += 1;
        bars.push(parts.svg("rect", { x: Math.min(left, DAY_MIN - width), width, height: 1, class: "h " + state }));
      }
      chart.replaceChildren(...bars);
      const key = troubles ? "day.trouble" : "day.quiet";
      chart.setAttribute("aria-label", say(key, { name: names[row.dataset.id], count: troubles }));
    }
    if (parts.changed(axis, first + " " + thin)) drawAxis(axis, nowS);
  }

  // Every six hours of the clock; not under the two ends.
  function drawAxis(axis, nowS) {
    const marks = [[0, say("day.yesterday", { clock: clock(nowS) }), "first"], [DAY_MIN, say("day.now"), "last"]];
    const at = local(nowS);
    const side = (DAY_MIN * 110) / Math.max(axis.clientWidth, 200);
    const sinceMidnight = Number(at.hour) * 60 + Number(at.minute);
    for (let hour = -24; hour <= 24; hour += 6) {
      const x = DAY_MIN - sinceMidnight + hour * 60;
      const shown = String((hour + 24) % 24).padStart(2, "0") + COLON + "00";
      if (x > side * 1.2 && x < DAY_MIN - side / 1.6) marks.push([x, shown, ""]);
    }
    axis.replaceChildren(...marks.map(([x, shown, side]) => {
      const mark = parts.element("span", side, shown);
      mark.style.left = (x / DAY_MIN) * 100 + "%";
      return mark;
    }));
  }

  function makeItem(item) {
    const node = parts.element("li", "inc");
    const body = item.site ? parts.element("a", "in") : parts.element("div", "in");
    if (item.site) body.href = pantau.config.prefix + "situs/" + item.site;
    const middle = parts.element("div", "md");
    middle.append(parts.element("b"), parts.element("span", "msg"));
    const end = parts.element("div", "tm");
    end.append(parts.element("b"), parts.element("span"));
    body.append(parts.icon(item.s), middle, end);
    node.append(body);
    return node;
  }

  function fillItem(node, item, state, message, time, under, fresh) {
    const [shape, middle, end] = node.firstElementChild.children;
    parts.attribute(node, "class", "inc " + state + (fresh ? " new" : ""));
    parts.setIcon(shape, state);
    parts.text(middle.children[0], listed.nameOf(item));
    parts.text(middle.children[1], message);
    parts.text(end.children[0], time);
    parts.text(end.children[1], under);
  }

  function drawOpen(snapshot, nowS, stale) {
    const list = document.getElementById("open");
    parts.keyed(list, listed.folded(snapshot.open), (item) => item.id, makeItem, (node, item) => {
      const ageS = nowS - item.t;
      const fresh = item.s === "down" && ageS < NEW_S && !item.by;
      const taken = item.by ? say("wall.taken", { who: item.by }) : say("tile.since", { since: clock(item.t) });
      const under = fresh ? say("state.new") : item.e && !item.by ? say("wall.planned") : taken;
      const time = item.e ? say("wall.until", { clock: clock(item.e) }) : duration(ageS);
      fillItem(node, item, item.s, listed.message(item), time, under, fresh);
    });
    const badge = document.getElementById("open-count");
    parts.text(badge, String(snapshot.open.length));
    parts.hidden(badge, snapshot.open.length === 0);
    const calm = document.getElementById("calm");
    parts.hidden(calm, snapshot.open.length > 0);
    const sure = !stale && Object.values(snapshot.sites).every((site) => site.s === "up" || site.s === "maintenance");
    const state = sure ? "up" : "unknown";
    parts.setIcon(calm.firstElementChild, state);
    const [first, second] = calm.lastElementChild.children;
    parts.text(first, say(stale ? "attention.stale" : "attention.none"));
    parts.text(second, sure ? say("attention.none_detail") : "");
  }

  function drawRecent(snapshot, nowS) {
    const list = document.getElementById("recent");
    parts.keyed(list, snapshot.recent, (item) => item.id, makeItem, (node, item) => {
      const was = say("attention.was", { state: say("state." + item.s), start: clock(item.t), end: clock(item.e) });
      const words = item.link ? was + " · " + say("why.on_link", item) : was;
      fillItem(node, item, "up", words, say("attention.ago", { age: duration(nowS - item.e) }), "", false);
    });
    parts.hidden(document.getElementById("recent-none"), snapshot.recent.length > 0);
  }

  // What the monitor says of itself, in the reader's words; what has none stays as it came.
  function remark([kind, text, values]) {
    if (!has("remark." + kind)) return text;
    const shown = {};
    for (const [name, value] of Object.entries(values)) {
      if (name.endsWith("_s")) shown[name] = duration(value);
      else if (name.endsWith("_share")) shown[name] = percent(value * 100);
      else shown[name] = typeof value === "number" ? number(value) : value;
    }
    return say("remark." + kind, shown);
  }

  function drawNotes(warnings) {
    const box = document.getElementById("notes");
    parts.hidden(box, warnings.length === 0);
    parts.keyed(box.lastElementChild, warnings, (note) => note, () => parts.element("li"), parts.text);
  }

  pantau.overview = { draw, names };
})();
