// Words, numbers and dates: the twins of dashboard/i18n.py. A test holds both to the same answers.
(function () {
  "use strict";
  const config = JSON.parse(document.getElementById("config").textContent);
  const id = config.lang === "id";
  const NBSP = "\u00a0";
  const MONTHS = id
    ? ["Jan", "Feb", "Mar", "Apr", "Mei", "Jun", "Jul", "Agu", "Sep", "Okt", "Nov", "Des"]
    : ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
  const UNITS = id ? ["dtk", "mnt", "j", "h"] : ["s", "min", "h", "d"];
  const COLON = id ? "." : ":";
  const zoned = new Intl.DateTimeFormat("en-GB", {
    timeZone: config.zone, hourCycle: "h23",
    month: "numeric", day: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit",
  });

  function say(key, values) {
    const text = config.texts[key];
    if (text === undefined) return key;
    return text.replace(/\{(\w+)\}/g, (gap, name) => (values && name in values ? values[name] : gap));
  }

  function has(key) {
    return config.texts[key] !== undefined;
  }

  function number(value, digits) {
    const scale = Math.pow(10, digits || 0);
    const text = (Math.floor(value * scale + 0.5) / scale).toFixed(digits || 0);
    const [whole, rest] = text.split(".");
    const grouped = whole.replace(/\B(?=(\d{3})+$)/g, id ? "." : ",");
    return rest ? grouped + (id ? "," : ".") + rest : grouped;
  }

  function percent(value) {
    const digits = value === Math.floor(value + 0.5) || value >= 10 ? 0 : 1;
    return number(value, digits) + (id ? NBSP : "") + "%";
  }

  function rtt(ms) {
    return number(ms, ms < 9.95 ? 1 : 0);
  }

  function duration(seconds) {
    const left = Math.max(0, Math.floor(seconds));
    if (left < 60) return left + NBSP + UNITS[0];
    if (left < 3600) return Math.floor(left / 60) + NBSP + UNITS[1];
    const day = left >= 86400;
    const big = Math.floor(left / (day ? 86400 : 3600));
    const small = Math.floor((left % (day ? 86400 : 3600)) / (day ? 3600 : 60));
    const first = big + NBSP + UNITS[day ? 3 : 2];
    return small ? first + " " + small + NBSP + UNITS[day ? 2 : 1] : first;
  }

  function local(atS) {
    const parts = {};
    for (const part of zoned.formatToParts(atS * 1000)) parts[part.type] = part.value;
    return parts;
  }

  function clock(atS) {
    const at = local(atS);
    return at.hour + COLON + at.minute;
  }

  function moment(atS) {
    const at = local(atS);
    return Number(at.day) + NBSP + MONTHS[at.month - 1] + " " + at.hour + COLON + at.minute + NBSP + config.zoneName;
  }

  window.pantau = {
    config,
    words: { say, has, number, percent, rtt, duration, clock, moment, local, COLON },
  };
})();
