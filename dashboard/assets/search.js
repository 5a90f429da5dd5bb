// Search for a site or a link from every page: "/" opens it.
(function () {
  "use strict";
  const pantau = window.pantau;
  const { parts } = pantau;
  const { say } = pantau.words;
  const MOST = 9;
  const dialog = document.getElementById("find");
  const box = document.getElementById("find-text");
  const list = document.getElementById("find-list");
  let places = null;
  let at = 0;

  // Keys with a modifier, and those that go into a field, are not for us.
  function typing(event) {
    const field = event.target.closest && event.target.closest("input,textarea,select,[contenteditable]");
    return Boolean(field) || event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]") !== null;
  }

  function plain(text) {
    return text.normalize("NFD").replace(/[\u0300-\u036f]/g, "").toLowerCase();
  }

  async function load() {
    if (places !== null) return true;
    try {
      const answer = await fetch(pantau.config.prefix + "api/v1/places");
      if (!answer.ok) return false;
      places = await answer.json();
      return true;
    } catch (error) {
      return false;
    }
  }

  async function open() {
    if (dialog.open) return;
    dialog.showModal();
    box.value = "";
    box.focus();
    if (await load()) show();
    else list.replaceChildren(parts.element("li", "none", say("search.failed")));
  }

  // Each word must be found; a name that begins with it comes first.
  function found(text) {
    const wanted = plain(text).split(/\s+/).filter(Boolean);
    const hits = [];
    for (const [id, name, code, links] of places) {
      const site = plain(name + " " + id + " " + code);
      const fits = (more) => wanted.every((word) => (site + " " + plain(more)).includes(word));
      const first = wanted.length && plain(name).startsWith(wanted[0]) ? 0 : 1;
      const whole = links.map((link) => link.join(" ")).join(" ");
      if (fits("")) hits.push([first, id, name, code]);
      else if (fits(whole)) {
        for (const [link, address, provider] of links) {
          if (fits(link + " " + address + " " + provider)) hits.push([2, id, name + " · " + link, [address, provider].filter(Boolean).join(" · ")]);
        }
      }
    }
    return hits.sort((a, b) => a[0] - b[0]).slice(0, MOST);
  }

  function show() {
    const hits = found(box.value);
    at = 0;
    list.replaceChildren(...hits.map(([, id, name, more], number) => {
      const item = parts.element("li");
      item.id = "find-" + number;
      item.setAttribute("role", "option");
      const link = parts.element("a", "", name);
      link.href = pantau.config.prefix + "situs/" + encodeURIComponent(id);
      link.tabIndex = -1;
      link.append(parts.element("small", "", more));
      item.append(link);
      return item;
    }));
    if (!hits.length) list.append(parts.element("li", "none", say("search.none")));
    mark();
  }

  function mark() {
    [...list.children].forEach((item, number) => {
      if (item.role === "option") item.setAttribute("aria-selected", String(number === at));
    });
    box.setAttribute("aria-activedescendant", list.children[at] ? list.children[at].id : "");
  }

  box.addEventListener("input", () => places && show());
  box.addEventListener("keydown", (event) => {
    const count = list.querySelectorAll("[role=option]").length;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (count) at = (at + (event.key === "ArrowDown" ? 1 : count - 1)) % count;
      mark();
    }
    // A search field would only empty itself.
    if (event.key === "Escape") dialog.close();
    if (event.key === "Enter" && count) location.href = list.children[at].querySelector("a").href;
  });
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();
  });
  document.getElementById("find-open").addEventListener("click", open);
  document.addEventListener("keydown", (event) => {
    if (event.key !== "/" || typing(event) || event.defaultPrevented) return;
    event.preventDefault();
    open();
  });

  const print = document.getElementById("print");
  if (print) print.addEventListener("click", () => window.print());

  pantau.search = { typing, plain };
})();
