// A site's page: four figures and the table of links from the snapshot; asks Dash for its charts.
(function () {
  "use strict";
  const pantau = window.pantau;
  const { parts } = pantau;
  const { say, percent, rtt, duration, moment } = pantau.words;
  const { config } = pantau;
  const AGAIN_S = 60;
  let asked = { at: -Infinity, key: "" };

  function draw(snapshot, nowS) {
    const site = snapshot.sites[config.site];
    const links = (config.sites.find(([id]) => id === config.site) || [])[2] || [];
    if (!site) return;
    const used = site.ls.findIndex(([state]) => state === "up" || state === "degraded");
    const link = { link: links[site.u] || "" };
    const since = site.t === null ? "" : say("site.since", { since: moment(site.t), age: duration(nowS - site.t) });
    figure("status", say("state." + site.s), since, site.s === "up" ? "" : site.s, site.s);
    figure("latency", site.r === null ? "–" : rtt(site.r) + " ms", say("site.latency_note", link), "");
    figure("loss", site.l === null ? "–" : percent(site.l), say("site.loss_note", link), "");
    const path = used < 0 ? "site.path_none" : used === 0 ? "site.path_main" : "site.path_backup";
    figure("path", used < 0 ? "–" : links[used], say(path), used > 0 ? "degraded" : "");
    for (const row of document.querySelectorAll("#links tbody tr")) {
      const told = site.ls[links.indexOf(row.dataset.link)];
      if (told) fillLink(row, told, nowS);
    }
  }

  function figure(name, value, note, state, shape) {
    const box = document.getElementById("kpi-" + name);
    const [, big, small] = box.children;
    parts.attribute(box, "class", "kpi " + state);
    if (parts.changed(big, value + shape)) {
      big.textContent = value;
      if (shape) big.prepend(parts.icon(shape), " ");
    }
    parts.text(small, note);
  }

  function fillLink(row, [state, since, ms, loss], nowS) {
    parts.attribute(row, "class", state);
    const cell = row.querySelector(".ls");
    parts.setIcon(cell.firstElementChild, state);
    parts.text(cell.lastElementChild, say("state." + state));
    parts.text(row.querySelector(".la"), since === null ? "–" : duration(nowS - since));
    parts.text(row.querySelector(".lr"), ms === null ? "–" : rtt(ms) + " ms");
    parts.text(row.querySelector(".ll"), loss === null ? "–" : percent(loss));
  }

  function theme() {
    const chosen = document.documentElement.dataset.theme;
    if (chosen) return chosen;
    return matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  }

  // What to ask the server's charts for now, or null: at first, each minute, when the theme, a
  // link's state or the freshness changes.
  function ask(snapshot, nowS, standing) {
    if (config.page !== "site") return null;
    const site = snapshot.sites[config.site];
    const states = site ? site.ls.map(([state]) => state).join() : "";
    const key = theme() + states + standing.level;
    if (key === asked.key && nowS - asked.at < AGAIN_S) return null;
    asked = { at: nowS, key };
    return {
      site: config.site, range: config.range, from: config.from, to: config.to, theme: theme(), lang: config.lang,
      phone: window.innerWidth < 700, at: Math.round(nowS),
      px: Math.round(parseFloat(getComputedStyle(document.documentElement).fontSize)),
    };
  }

  // Dash makes its parts anew at every drawing: a table that was open is opened again, and
  // whoever stood on it by keyboard stands there again.
  const opened = new Set();
  let stood = null;

  function remember(charts) {
    document.addEventListener("toggle", ({ target }) => {
      if (!target.matches(".beside") || !target.isConnected) return;
      if (target.open) opened.add(target.id);
      else opened.delete(target.id);
    }, true);
    document.addEventListener("focusin", ({ target }) => {
      const table = target.closest(".beside");
      stood = table && { id: table.id, part: target.matches("summary") ? "summary" : ".wide" };
    });
    new MutationObserver(() => {
      for (const id of opened) {
        const table = document.getElementById(id);
        if (table && !table.open) table.open = true;
      }
      if (!stood || document.activeElement !== document.body) return;
      const part = document.querySelector(`[id="${stood.id}"] > ${stood.part}`);
      if (part) part.focus({ preventScroll: true });
    }).observe(charts, { childList: true, subtree: true });
  }

  if (config.page === "site") remember(document.querySelector("main"));

  pantau.site = { draw, ask, theme };
})();
