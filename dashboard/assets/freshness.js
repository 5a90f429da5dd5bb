// Fetches the snapshot and knows how old it is. Stale is never green: age is counted from the end
// of the monitor's last round, on the server's clock, whatever this computer's clock says.
(function () {
  "use strict";
  const pantau = window.pantau;
  const { say, duration, clock } = pantau.words;
  const AMBER_S = 15;
  const STALE_S = 30;
  const SAMPLES_S = 60;
  const WAIT_MS = 5000;

  let snapshot = pantau.config.snapshot;
  let etag = null;
  let asking = false;
  // One answer of the server: its clock, and both of ours. The larger step counts, so that
  // neither a sleeping computer nor a clock set back makes old data look new.
  let heard = { serverMs: pantau.config.now, steadyMs: performance.now(), wallMs: Date.now() };
  let firstFailed = {};

  function sinceHeardMs() {
    return Math.max(performance.now() - heard.steadyMs, Date.now() - heard.wallMs, 0);
  }

  function nowS() {
    return (heard.serverMs + sinceHeardMs()) / 1000;
  }

  async function refresh() {
    if (asking) return;
    asking = true;
    const stop = new AbortController();
    const timer = setTimeout(() => stop.abort(), WAIT_MS);
    try {
      const answer = await fetch(pantau.config.prefix + "api/v1/snapshot", {
        headers: etag ? { "If-None-Match": etag } : {},
        cache: "no-store",
        signal: stop.signal,
      });
      // Signed out meanwhile: the page asked for anew is the sign-in.
      if (answer.status === 401 && mayReload()) location.reload();
      if (answer.status !== 200 && answer.status !== 304) return;
      const body = answer.status === 200 ? await answer.json() : null;
      const serverMs = Number(answer.headers.get("X-Now"));
      if (!(serverMs > 0)) return;
      heard = { serverMs, steadyMs: performance.now(), wallMs: Date.now() };
      if (body !== null) {
        etag = answer.headers.get("ETag");
        accept(body);
      }
    } catch (error) {
      // No answer: the age goes on growing, and says so.
    } finally {
      clearTimeout(timer);
      asking = false;
    }
  }

  function accept(next) {
    if (next.build !== snapshot.build && mayReload()) {
      location.reload();
      return;
    }
    snapshot = next;
    pantau.draw();
  }

  // Another version of page or network is served now. At most once a minute, should it repeat.
  function mayReload() {
    try {
      const last = Number(sessionStorage.getItem("reloaded") || 0);
      if (Date.now() - last < 60000) return false;
      sessionStorage.setItem("reloaded", String(Date.now()));
      return true;
    } catch (error) {
      return false;
    }
  }

  // How long something that the server reports as failing has been failing, as far as we know.
  function failingS(name) {
    if (!snapshot.failed.includes(name)) {
      delete firstFailed[name];
      return 0;
    }
    firstFailed[name] = firstFailed[name] || nowS();
    return nowS() - firstFailed[name];
  }

  // {level: fresh | amber | stale, soft, text, hint}: what is to be said of the age of things.
  function standing() {
    const silentS = sinceHeardMs() / 1000;
    const ageS = snapshot.round === null ? Infinity : Math.max(0, nowS() - snapshot.round);
    const found = { level: "fresh", soft: false, text: "", hint: "", ageS };
    const ledgerS = failingS("ledger");
    const samplesS = failingS("samples");
    const at = (s) => ({ since: clock(nowS() - s), age: duration(s) });
    if (silentS > STALE_S) {
      return Object.assign(found, {
        level: "stale", text: say("fresh.browser", at(silentS)), hint: say("fresh.browser_hint"),
      });
    }
    if (ageS > STALE_S) {
      const text = ageS === Infinity ? say("fresh.monitor_never") : say("fresh.monitor", at(ageS));
      return Object.assign(found, { level: "stale", text, hint: say("fresh.monitor_hint") });
    }
    if (ageS > AMBER_S || silentS > AMBER_S || snapshot.late) found.level = "amber";
    const soft = { level: found.level === "fresh" ? "amber" : found.level, soft: true };
    if (ledgerS > STALE_S) {
      return Object.assign(found, soft, {
        text: say("fresh.ledger", at(ledgerS)), hint: say("fresh.ledger_hint"),
      });
    }
    if (samplesS > STALE_S) {
      return Object.assign(found, soft, {
        text: say("fresh.samples_error"), hint: say("fresh.samples_hint"),
      });
    }
    if (snapshot.samples !== null && nowS() - snapshot.samples > SAMPLES_S) {
      return Object.assign(found, soft, {
        text: say("fresh.samples", at(nowS() - snapshot.samples)), hint: say("fresh.samples_hint"),
      });
    }
    return found;
  }

  pantau.freshness = { refresh, nowS, standing, snapshot: () => snapshot };
})();
