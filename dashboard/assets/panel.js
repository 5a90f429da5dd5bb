// One incident whole, beside the list: what is known of it, and what to do about it.
(function () {
  "use strict";
  const pantau = window.pantau;
  const { parts, config, mass } = pantau;
  const { say, duration, clock, moment, local, COLON } = pantau.words;
  const get = (id) => document.getElementById(id);
  const AGAIN_S = 10;
  let chosen = null;
  let file = null;
  let seen = "";
  let askedS = 0;

  async function load(id) {
    askedS = pantau.freshness.nowS();
    try {
      const answer = await fetch(config.prefix + "api/v1/incidents/" + id + "?lang=" + config.lang, { cache: "no-store" });
      if (id !== chosen) return;
      if (!answer.ok) {
        parts.text(get("choose"), await answer.text());
        parts.hidden(get("choose"), false);
        return;
      }
      file = await answer.json();
      render();
    } catch (error) {
      // The header says that nothing comes any more.
    }
  }

  async function show(id, then) {
    if (id !== chosen) {
      chosen = id;
      file = null;
      parts.text(get("said"), "");
      for (const name of ["note", "window-why"]) get(name).value = "";
    }
    for (const part of document.querySelectorAll("#case .one")) parts.hidden(part, id === mass.ID);
    parts.hidden(get("group"), id !== mass.ID);
    if (id === mass.ID) renderGroup();
    else await load(id);
    if (then) then();
  }

  function draw(nowS, now) {
    if (chosen === null) {
      const first = pantau.incidents.first();
      if (first !== null) pantau.incidents.pick(first);
      return;
    }
    if (chosen === mass.ID) {
      renderGroup();
      return;
    }
    const item = now.get(chosen);
    const key = chosen + JSON.stringify(item ? [item.s, item.by] : null);
    if (key !== seen || nowS - askedS > AGAIN_S) {
      seen = key;
      load(chosen);
    }
    if (file !== null) head(nowS, item);
  }

  // A mass outage, while it lasts.
  function renderGroup() {
    const group = mass.group();
    parts.hidden(get("choose"), group !== null);
    parts.hidden(get("case"), group === null);
    if (group === null) return;
    mass.head(pantau.freshness.nowS());
    parts.text(get("take"), say("act.take_all_key"));
    parts.hidden(get("take"), group.by !== null);
    parts.hidden(get("release"), true);
    parts.hidden(get("snooze"), false);
  }

  function head(nowS, item) {
    const state = file.open ? (item ? item.s : file.s) : "up";
    parts.setIcon(document.querySelector(".ph .ic"), state);
    parts.text(get("case-title"), file.title);
    const values = { since: moment(file.t), age: duration((file.open ? nowS : file.e) - file.t), end: file.open ? "" : clock(file.e) };
    const number = say("incident.number", { id: file.id });
    parts.text(get("case-sub"), number + " · " + say(file.open ? "incident.open_since" : "incident.was", values));
  }

  function render() {
    parts.hidden(get("choose"), true);
    parts.hidden(get("case"), false);
    head(pantau.freshness.nowS(), null);
    get("facts").replaceChildren(...file.facts.flatMap(([label, text]) => [parts.element("dt", "", label), parts.element("dd", "", text)]));
    get("timeline").replaceChildren(...file.timeline.map((each) => entry(each.t, each.text, each.more, each.kind)));
    const told = file.told.map((each) => entry(each.t, each.text, "", each.yes ? "yes" : "no"));
    get("told").replaceChildren(...(told.length ? told : [parts.element("li", "mutp", say("incident.paged_none"))]));
    parts.text(get("take"), say("act.take_key"));
    parts.hidden(get("take"), !file.open || file.by !== null);
    parts.hidden(get("release"), !file.open || (file.by === null && file.mute === null));
    parts.hidden(get("snooze"), !file.open);
    parts.hidden(get("window"), !file.open || file.target === "monitor");
    get("to-site").hidden = file.site === null;
    if (file.site !== null) get("to-site").href = config.prefix + "situs/" + encodeURIComponent(file.site);
    if (document.activeElement !== get("ticket")) get("ticket").value = file.ticket;
    // A suspected cause stands ready to be confirmed, or to be corrected.
    if (document.activeElement !== get("cause")) get("cause").value = file.cause || file.suspect;
    wordCause();
  }

  function wordCause() {
    const confirms = file.suspect !== "" && file.cause === "" && get("cause").value === file.suspect;
    parts.text(document.querySelector("#cause-form .btn"), say(confirms ? "act.confirm" : "act.save"));
  }

  function entry(atS, text, more, kind) {
    const at = local(atS);
    const node = parts.element("li", kind);
    const time = parts.element("b", "", at.hour + COLON + at.minute + COLON + at.second);
    time.title = moment(atS);
    node.append(time, " ", text);
    if (more) node.append(parts.element("small", "", more));
    return node;
  }

  function who() {
    return config.named || get("who").value.trim();
  }

  // Every action needs a name; the field is shown what is missing.
  function named() {
    if (who()) {
      remember();
      return true;
    }
    complain("act.no_name");
    get("who").focus();
    return false;
  }

  async function post(address, body) {
    try {
      const answer = await fetch(config.prefix + "api/v1/" + address + "?lang=" + config.lang, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ who: who(), ...body }),
      });
      return [answer.ok, (await answer.text()).trim()];
    } catch (error) {
      return [false, say("act.silent")];
    }
  }

  function tell(done, said) {
    parts.text(get("said"), said);
    get("said").classList.toggle("bad", !done);
    pantau.freshness.refresh();
    if (chosen !== mass.ID) load(chosen);
    pantau.incidents.again();
    return done;
  }

  async function send(address, body) {
    return named() && tell(...(await post(address, body)));
  }

  // The same for each of them; what could not be done is told at the end.
  async function sendAll(rows, verb, body) {
    if (!named()) return false;
    let count = 0;
    let why = "";
    for (const row of rows) {
      const [done, said] = await post("incidents/" + row.id + "/" + verb, body);
      if (done) count += 1;
      else why = said;
    }
    const values = { count, all: rows.length, why };
    return tell(!why, say(why ? "act.all_partly" : "act.all_done", values));
  }

  function complain(key) {
    parts.text(get("said"), say(key));
    get("said").classList.add("bad");
  }

  const act = (verb, body) => send("incidents/" + chosen + "/" + verb, body);

  async function take() {
    const group = chosen === mass.ID ? mass.group() : null;
    const body = { text: get("note").value.trim() };
    if (group !== null) await sendAll(group.untaken, "acknowledge", { text: "" });
    else if (file !== null && file.open && file.by === null && (await act("acknowledge", body))) get("note").value = "";
  }

  function snooze() {
    const body = { minutes: Number(get("snooze-for").value), text: "" };
    const group = chosen === mass.ID ? mass.group() : null;
    if (group !== null) sendAll(group.members, "snooze", body);
    else if (file !== null && file.open) act("snooze", body);
  }

  function remember() {
    try {
      localStorage.setItem("pantau-who", who());
    } catch (error) {
      // It is asked for again, then.
    }
  }

  function onSubmit(id, work) {
    get(id).addEventListener("submit", (event) => {
      event.preventDefault();
      if (file !== null) work();
    });
  }

  get("take").addEventListener("click", take);
  get("snooze").addEventListener("click", snooze);
  get("release").addEventListener("click", () => act("release", { text: "" }));
  onSubmit("note-form", async () => {
    if (await act("note", { text: get("note").value.trim() })) get("note").value = "";
  });
  onSubmit("ticket-form", () => act("ticket", { text: get("ticket").value.trim() }));
  get("cause").addEventListener("change", () => file !== null && wordCause());
  onSubmit("cause-form", () => act("cause", { text: get("cause").value }));
  onSubmit("window-form", async () => {
    const body = { target: file.target, minutes: Number(get("window-for").value), text: get("window-why").value.trim() };
    if (await send("maintenance", body)) get("window").open = false;
  });
  try {
    if (!config.named) get("who").value = localStorage.getItem("pantau-who") || "";
  } catch (error) {
    // Without storage it is asked for.
  }

  pantau.panel = { show, draw, take, snooze };
})();
