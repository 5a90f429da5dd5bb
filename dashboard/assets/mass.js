// A mass outage in the list of incidents: one row, folded over its members, taken and snoozed as one.
(function () {
  "use strict";
  const pantau = window.pantau;
  const { parts, listed } = pantau;
  const { say, moment, duration } = pantau.words;
  const ID = "mass";
  const NAMES = 6;
  let open = false;
  let kept = false;
  let group = null;

  // The rows, those of the flood as one: first, and its members behind it while it is unfolded.
  function fold(rows, now) {
    const members = rows.filter((row) => now.has(row.id) && now.get(row.id).m);
    group = members.length ? one(members, now) : null;
    if (!group) return rows;
    const others = rows.filter((row) => !members.includes(row));
    return [group, ...(open ? members : []), ...others];
  }

  function one(members, now) {
    const untaken = members.filter((row) => !row.by);
    const states = members.map((row) => now.get(row.id).s);
    const names = listed.few(members.map((row) => row.name), NAMES);
    return {
      id: ID, members, untaken, states, link: "", fold: "", e: null, mute: null,
      name: say("listed.mass"),
      why: say("listed.mass_what", { count: members.length, names }),
      s: states.includes("down") ? "down" : states[0],
      t: Math.min(...members.map((row) => row.t)),
      by: untaken.length ? null : members[0].by,
    };
  }

  function has(row) {
    return group !== null && group.members.includes(row);
  }

  function toggle(wanted) {
    open = wanted === undefined ? !open : wanted;
    pantau.draw();
  }

  function button() {
    const made = parts.element("button", "unf");
    made.type = "button";
    made.addEventListener("click", () => toggle());
    return made;
  }

  function fillButton(node, row) {
    parts.text(node, say(open ? "incident.mass_fold" : "incident.mass_unfold", { count: row.members.length }));
    parts.attribute(node, "aria-expanded", String(open));
  }

  // Who has it: nobody of all, or so many are left.
  function hands(row) {
    if (row.by || row.untaken.length === row.members.length) return null;
    return say("incident.mass_untaken", { count: row.untaken.length });
  }

  // The panel beside the list.
  function head(nowS) {
    parts.text(document.getElementById("case-title"), group.name);
    const values = { since: moment(group.t), age: duration(nowS - group.t) };
    const count = say("incident.mass_count", { count: group.members.length });
    parts.text(document.getElementById("case-sub"), count + " · " + say("incident.open_since", values));
    parts.setIcon(document.querySelector(".ph .ic"), group.s);
    parts.keyed(document.getElementById("members"), group.members, (row) => row.id, member, fillMember);
  }

  function member(row) {
    const item = parts.element("li");
    const choose = parts.element("button", "row");
    choose.type = "button";
    choose.addEventListener("click", () => pantau.incidents.pick(row.id));
    item.append(parts.icon(row.s), choose, parts.element("span"));
    return item;
  }

  function fillMember(item, row) {
    const [shape, choose, hand] = item.children;
    const state = group.states[group.members.indexOf(row)];
    parts.setIcon(shape, state);
    parts.text(choose, row.name + (row.link ? " · " + row.link : ""));
    parts.attribute(choose, "aria-label", choose.textContent + ", " + say("state." + state));
    parts.text(hand, row.by ? say("wall.taken", { who: row.by }) : "");
  }

  // On paper nothing can be unfolded.
  window.addEventListener("beforeprint", () => {
    kept = open;
    toggle(true);
  });
  window.addEventListener("afterprint", () => toggle(kept));

  pantau.mass = { ID, fold, has, toggle, button, fillButton, hands, head, group: () => group };
})();
