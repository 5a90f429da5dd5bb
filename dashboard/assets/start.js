// Puts it together: draws at once from the snapshot that came with the page, then at each tick.
(function () {
  "use strict";
  const pantau = window.pantau;
  const { parts, freshness, config } = pantau;
  const { say, duration, clock, local, COLON } = pantau.words;
  const title = document.title;
  const COUNTED = ["down", "unreachable", "degraded", "maintenance", "unknown", "up"];
  let before = null;

  function draw() {
    const snapshot = freshness.snapshot();
    const nowS = freshness.nowS();
    const standing = freshness.standing();
    const counts = Object.fromEntries(COUNTED.map((state) => [state, 0]));
    for (const id in snapshot.sites) counts[snapshot.sites[id].s] += 1;
    drawHeader(counts, nowS, standing);
    if (config.page === "overview") pantau.overview.draw(snapshot, nowS, standing.level === "stale");
    if (config.page === "site") pantau.site.draw(snapshot, nowS);
    if (pantau.page) pantau.page.draw(snapshot, nowS, standing);
    pantau.sound.heard(snapshot, nowS);
    announce(snapshot.sites);
    return [snapshot, nowS, standing];
  }

  function drawHeader(counts, nowS, standing) {
    for (const state of COUNTED) {
      const box = document.querySelector('[data-count="' + state + '"]');
      parts.text(box.querySelector("b"), String(counts[state]));
      box.classList.toggle("z", counts[state] === 0);
    }
    const stale = standing.level === "stale";
    const fresh = document.getElementById("fresh");
    parts.attribute(fresh, "class", "fresh " + standing.level);
    const short = window.innerWidth < 700 ? "fresh.age_short" : "fresh.age";
    const never = standing.ageS === Infinity;
    parts.text(fresh.lastElementChild, say(never ? "fresh.none" : short, { age: duration(standing.ageS) }));
    document.body.classList.toggle("stale", stale);
    const banner = document.getElementById("banner");
    parts.hidden(banner, standing.text === "");
    parts.attribute(banner, "class", standing.soft ? "ban soft" : "ban");
    parts.text(banner.firstElementChild, standing.text);
    parts.text(banner.lastElementChild, standing.hint);
    const worst = stale ? say("fresh.title") : counts.down ? counts.down + " " + say("state.down") : "";
    const shown = worst ? worst + " · " + title : title;
    if (document.title !== shown) document.title = shown;
    const clockBox = document.getElementById("clock");
    if (parts.changed(clockBox, String(Math.floor(nowS)))) {
      const small = parts.element("small", "", COLON + local(nowS).second + " " + config.zoneName);
      clockBox.replaceChildren(clock(nowS), small);
    }
  }

  // Tells a screen reader what changed: an outage at once, the rest when it is quiet.
  function announce(sites) {
    const now = {};
    const urgent = [];
    const polite = [];
    for (const [id, name] of config.sites) {
      const state = sites[id] ? sites[id].s : "unknown";
      now[id] = state;
      if (!before || before[id] === state) continue;
      (state === "down" ? urgent : polite).push(name + ": " + say("state." + state));
    }
    before = now;
    if (urgent.length) document.getElementById("urgent").textContent = urgent.join(". ");
    if (polite.length) document.getElementById("polite").textContent = polite.join(". ");
  }

  // Called by Dash's interval; what it returns is the question for Dash's charts.
  function tick() {
    freshness.refresh();
    const [snapshot, nowS, standing] = draw();
    const asked = pantau.site.ask(snapshot, nowS, standing);
    return asked === null ? window.dash_clientside.no_update : asked;
  }

  function remember(name, value) {
    document.cookie = name + "=" + value + ";path=" + config.prefix + ";max-age=31536000;samesite=lax";
  }

  document.getElementById("theme").addEventListener("click", () => {
    const root = document.documentElement;
    root.dataset.theme = pantau.site.theme() === "dark" ? "light" : "dark";
    remember("theme", root.dataset.theme);
  });

  // The other language of this very page, with its range.
  const language = document.querySelector("[data-lang]");
  const address = new URL(location.href);
  address.searchParams.set("lang", language.dataset.lang);
  language.href = address.search;

  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) freshness.refresh().then(draw);
  });

  // Names on the map are placed by their true widths, once the letters are there.
  document.fonts.ready.then(() => {
    const map = document.getElementById("map");
    if (map && parts.changed(map, "letters")) draw();
  });

  pantau.draw = draw;
  window.dash_clientside = Object.assign({}, window.dash_clientside, { pantau: { tick } });
  draw();
})();
