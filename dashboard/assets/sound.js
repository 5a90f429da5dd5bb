// Sound, only after it was asked for: a chime for a new outage, again while nobody has it in hand.
(function () {
  "use strict";
  const pantau = window.pantau;
  const { parts } = pantau;
  const { say, clock } = pantau.words;
  const GROUP_S = 10;
  const AGAIN_S = 120;
  const MUTE_S = 1800;
  let context = null;
  let known = null;
  let lastS = -Infinity;
  let pending = false;
  const kept = { on: read("sound") === "on", mutedS: Number(read("muted") || 0) };
  const sound = { rings: 0, heard, kept };

  function read(name) {
    try {
      return localStorage.getItem("pantau-" + name);
    } catch (error) {
      return null;
    }
  }

  function write(name, value) {
    try {
      localStorage.setItem("pantau-" + name, value);
    } catch (error) {
      // Without storage it holds for this page alone.
    }
  }

  function wake() {
    if (!kept.on) return;
    context = context || new AudioContext();
    if (context.state === "suspended") context.resume().catch(() => undefined);
  }

  // Two soft notes, a third apart; loud enough for a room, short enough for eight hours.
  function ring() {
    sound.rings += 1;
    if (!context || context.state !== "running") return;
    [[880, 0], [1108.7, 0.22]].forEach(([pitch, after]) => {
      const tone = context.createOscillator();
      const volume = context.createGain();
      const at = context.currentTime + after;
      tone.frequency.value = pitch;
      volume.gain.setValueAtTime(0.0001, at);
      volume.gain.exponentialRampToValueAtTime(0.35, at + 0.02);
      volume.gain.exponentialRampToValueAtTime(0.0001, at + 0.9);
      tone.connect(volume).connect(context.destination);
      tone.start(at);
      tone.stop(at + 1);
    });
  }

  // Called at each drawing. What was there when the page was opened is not new.
  function heard(snapshot, nowS) {
    const downs = snapshot.open.filter((item) => item.s === "down");
    const fresh = known === null ? [] : downs.filter((item) => !known.has(item.id));
    known = new Set([...(known || []), ...downs.map((item) => item.id)]);
    pending = pending || fresh.length > 0;
    const untaken = downs.some((item) => !item.by);
    if (!untaken) pending = false;
    const due = (pending && nowS - lastS >= GROUP_S) || (untaken && lastS > 0 && nowS - lastS >= AGAIN_S);
    if (due) {
      lastS = nowS;
      pending = false;
      if (kept.on && nowS >= kept.mutedS) ring();
    }
    show(nowS);
  }

  function show(nowS) {
    const button = document.getElementById("sound");
    const mute = document.getElementById("mute");
    const blocked = kept.on && context !== null && context.state === "suspended";
    const label = say(blocked ? "sound.blocked" : kept.on ? "sound.on" : "sound.off");
    parts.attribute(button, "aria-pressed", String(kept.on));
    parts.attribute(button, "aria-label", label);
    parts.attribute(button, "title", label);
    button.classList.toggle("wait", blocked);
    const muted = nowS < kept.mutedS;
    parts.hidden(mute, !kept.on);
    parts.attribute(mute, "aria-pressed", String(muted));
    parts.text(mute, muted ? say("sound.muted", { clock: clock(kept.mutedS) }) : say("sound.mute"));
  }

  function toggle() {
    kept.on = !kept.on;
    write("sound", kept.on ? "on" : "off");
    wake();
    if (kept.on) {
      const proof = () => ring();
      if (context.state === "running") proof();
      else context.addEventListener("statechange", proof, { once: true });
    }
    show(pantau.freshness.nowS());
  }

  function toggleMute() {
    const nowS = pantau.freshness.nowS();
    kept.mutedS = nowS < kept.mutedS ? 0 : nowS + MUTE_S;
    write("muted", String(kept.mutedS));
    show(nowS);
  }

  document.getElementById("sound").addEventListener("click", toggle);
  document.getElementById("mute").addEventListener("click", toggleMute);
  // A browser lets a page make noise only after a touch; after a reload the first one will do.
  for (const kind of ["pointerdown", "keydown"]) document.addEventListener(kind, wake, { passive: true });
  document.addEventListener("keydown", (event) => {
    if (event.key.toLowerCase() !== "m" || !kept.on || pantau.search.typing(event)) return;
    toggleMute();
  });
  wake();
  pantau.sound = sound;
})();
