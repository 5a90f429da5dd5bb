// Small tools for drawing: nothing is written that already stands there, and no text is ever HTML.
(function () {
  "use strict";
  const SVG = "http://www.w3.org/2000/svg";
  const seen = new WeakMap();

  function text(node, value) {
    if (node.textContent !== value) node.textContent = value;
  }

  function attribute(node, name, value) {
    if (node.getAttribute(name) !== value) node.setAttribute(name, value);
  }

  function hidden(node, value) {
    if (node.hidden !== value) node.hidden = value;
  }

  // Did what this part of the page is drawn from change since it was last drawn?
  function changed(node, signature) {
    if (seen.get(node) === signature) return false;
    seen.set(node, signature);
    return true;
  }

  function svg(name, attributes) {
    const node = document.createElementNS(SVG, name);
    for (const key in attributes) node.setAttribute(key, attributes[key]);
    return node;
  }

  function element(name, className, value) {
    const node = document.createElement(name);
    if (className) node.className = className;
    if (value !== undefined) node.textContent = value;
    return node;
  }

  function icon(state) {
    const node = svg("svg", { class: "ic " + state, viewBox: "0 0 16 16", "aria-hidden": "true" });
    node.append(svg("use", { href: "#i-" + state }));
    return node;
  }

  function setIcon(node, state) {
    if (!changed(node, state)) return;
    node.setAttribute("class", "ic " + state);
    node.firstElementChild.setAttribute("href", "#i-" + state);
  }

  // A list whose items keep their nodes: make(item) once for each key, fill(node, item) each time.
  function keyed(list, items, key, make, fill) {
    const old = new Map();
    for (const node of list.children) old.set(node.dataset.key, node);
    let at = list.firstElementChild;
    for (const item of items) {
      const name = String(key(item));
      let node = old.get(name);
      if (node) old.delete(name);
      else {
        node = make(item);
        node.dataset.key = name;
      }
      if (node === at) at = at.nextElementSibling;
      else list.insertBefore(node, at);
      fill(node, item);
    }
    for (const node of old.values()) node.remove();
  }

  window.pantau.parts = { text, attribute, hidden, changed, svg, element, icon, setIcon, keyed };
})();
