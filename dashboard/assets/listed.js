// Open incidents in words, for the overview and the wall; a mass outage is one of them.
(function () {
  "use strict";
  const pantau = window.pantau;
  const { say, has, number, percent, rtt } = pantau.words;
  const names = {};
  for (const [id, name] of pantau.config.sites) names[id] = name;
  const MANY = 4;

  function nameOf(item) {
    if (item.mass) return say("listed.mass");
    if (item.site) return names[item.site];
    return item.scope === "monitor" ? say("why.monitor_name") : item.name || "";
  }

  // most: so many names of a mass outage are told.
  function message(item, most) {
    if (item.mass) return say("listed.mass_what", { count: item.mass.length, names: few(item.mass.map(nameOf), most) });
    if (item.scope === "monitor") return say("why.monitor");
    if (item.s === "maintenance") return say("state.maintenance") + " · " + reason(item);
    return reason(item);
  }

  function few(all, most) {
    const each = [...new Set(all)];
    const room = most || MANY;
    if (each.length <= room) return each.join(", ");
    return say("listed.and_more", { names: each.slice(0, room).join(", "), count: each.length - room });
  }

  function reason(item) {
    const hidden = item.aff.map((id) => names[id]);
    if (item.scope === "node" && hidden.length) {
      return say("why.affected", { count: hidden.length, names: hidden.join(", ") });
    }
    const values = { value: "", limit: "", reason: item.why, link: item.link || "" };
    if (item.v !== null) values.value = item.why === "loss" ? percent(item.v) : rtt(item.v);
    if (item.lim !== null) values.limit = item.why === "loss" ? percent(item.lim) : number(item.lim);
    if (item.why === "silence" && item.link) return say("why.silence_link", values);
    const words = say(has("why." + item.why) ? "why." + item.why : "why.other", values);
    return item.link ? words + " · " + say("why.on_link", values) : words;
  }

  // Those of a mass outage become one item, first in the list; its id stays while it lasts.
  function folded(open) {
    const mass = open.filter((item) => item.m);
    if (!mass.length) return open;
    const one = {
      id: "mass", mass, scope: "link", aff: [], why: "", v: null, lim: null,
      s: mass.some((item) => item.s === "down") ? "down" : mass[0].s,
      t: Math.min(...mass.map((item) => item.t)),
    };
    if (mass.every((item) => item.by)) one.by = mass[0].by;
    return [one, ...open.filter((item) => !item.m)];
  }

  pantau.listed = { names, nameOf, message, few, folded };
})();
