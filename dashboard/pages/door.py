"""The sign-in, and who is signed in: plain HTML with its style inside, as nothing else may be
fetched before the gate opens.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from dashboard.components.icons import joined, own
from dashboard.i18n import Lang, Words
from dashboard.theme import Theme, css, paints
from monitor.core.access import User

PAINTS = ("bg", "card", "line", "fg", "mut", "hd", "acc", "down", "down-bg", "down-fg")
STYLE = (
    "*{box-sizing:border-box}html{font-size:clamp(16px,.83vw,40px)}body{margin:0;min-height:100vh;"
    "display:flex;flex-direction:column;background:var(--bg);color:var(--fg);"
    "font:1rem/1.4 Inter,system-ui,sans-serif}header{display:flex;align-items:center;"
    "justify-content:space-between;background:var(--hd);color:#F2F5F7;padding:.7rem 1.1rem}"
    "header b{display:block;font-size:1.15rem}header span{font-size:.85rem;color:#AEB9C4}"
    "header a{color:#AEB9C4;text-decoration:none;font-weight:600;padding:.6rem}"
    "main{flex:1;display:grid;place-items:center;padding:1rem}section{width:100%;max-width:24rem;"
    "background:var(--card);border:1px solid var(--line);border-radius:.6rem;padding:1.6rem}"
    "h1{font-size:1.4rem;line-height:1.2;margin:0 0 1rem;font-weight:650}p{margin:0 0 1rem}"
    ".no{background:var(--down-bg);color:var(--down-fg);border-left:.35rem solid var(--down);"
    "border-radius:.3rem;padding:.6rem .8rem;font-weight:600}label{display:block;"
    "color:var(--mut);font-size:.9rem;margin-bottom:.9rem}input{display:block;width:100%;"
    "min-height:2.9rem;margin-top:.25rem;padding:.5rem .7rem;font:inherit;font-size:1rem;"
    "color:var(--fg);background:var(--bg);border:1px solid var(--mut);border-radius:.4rem}"
    "button{width:100%;min-height:3rem;border:0;border-radius:.4rem;background:var(--acc);"
    "color:var(--card);font:650 1rem Inter,system-ui,sans-serif;cursor:pointer}"
    "code{display:block;padding:.6rem .8rem;background:var(--bg);border-radius:.3rem;"
    "overflow-wrap:anywhere}code span{white-space:nowrap}main a{color:var(--acc)}"
    "section>:last-child{margin-bottom:0}"
    ":focus-visible{outline:3px solid var(--acc);outline-offset:2px}"
    "header :focus-visible{outline-color:#fff}h2{font-size:1.05rem;margin:0 0 .4rem}"
    "table{width:100%;border-collapse:collapse;margin-bottom:1rem}"
    "th,td{text-align:left;padding:.35rem .3rem;border-top:1px solid var(--line)}"
    "td{color:var(--mut)}th{font-weight:600;overflow-wrap:anywhere}"
)
FIRST_COMMAND = "sudo pantau user add NAMA --role administer"
USER_COMMAND = "sudo pantau user --help"


@dataclass(frozen=True, slots=True)
class Door:
    """What every state of it needs. prefix ends in `/`."""

    organisation: str
    prefix: str
    words: Words
    theme: Theme | None


def sign_in(door: Door, back: str, said: str, name: str) -> str:
    """The form. back: where it leads, without the prefix; said: why it did not, else ''."""
    words = door.words
    note = Markup('<p class="no" role="alert">{}</p>').format(said) if said else ""
    return _document(
        door,
        words.say("door.title"),
        Markup(
            '{}<form method="post" action="{}masuk"><input type="hidden" name="ke" value="{}">'
            '<label>{}<input name="nama" value="{}" required maxlength="60" autocomplete="username"'
            ' autocapitalize="none" spellcheck="false"{}></label>'
            '<label>{}<input type="password" name="sandi" required maxlength="200" '
            'autocomplete="current-password"{}></label><button>{}</button></form>'
        ).format(
            note,
            door.prefix,
            back,
            words.say("door.name"),
            name,
            Markup("") if name else Markup(" autofocus"),
            words.say("door.password"),
            Markup(" autofocus") if name else Markup(""),
            words.say("door.enter"),
        ),
    )


def signed_in(door: Door, name: str, role: str, leaves: bool, users: Sequence[User] = ()) -> str:
    """Who is signed in. leaves: may sign out here (a proxy's sign-in ends at the proxy).

    users: everybody who may sign in, for whoever administers; they are changed on the server.
    """
    words = door.words
    out = Markup('<form method="post" action="{}keluar"><button>{}</button></form>').format(
        door.prefix, words.say("door.leave")
    )
    return _document(
        door,
        name,
        Markup('<p>{}</p>{}<p><a href="{}">{}</a></p>{}').format(
            words.say(f"door.role_{role}"),
            _users(users, words) if users else "",
            door.prefix,
            words.say("error.home"),
            out if leaves else "",
        ),
    )


def _users(users: Sequence[User], words: Words) -> Markup:
    rows = joined(
        Markup('<tr><th scope="row">{}</th><td>{}</td><td>{}</td></tr>').format(
            user.name,
            user.role.value,
            words.say("door.by_password" if user.password_hash else "door.by_proxy"),
        )
        for user in users
    )
    return Markup("<h2>{}</h2><table>{}</table><p>{}</p><p><code>{}</code></p>").format(
        words.say("door.users"), rows, words.say("door.users_how"), _command(USER_COMMAND)
    )


def _command(text: str) -> Markup:
    """Breaks between words only: a line that ends after `--` is read wrongly."""
    words = text.split()
    return Markup(" ").join(
        Markup("<span>{}</span>").format(word) if "-" in word else word for word in words
    )


def opened(door: Door, local: bool) -> str:
    """Nobody need sign in yet. local: asked from the server itself, by whoever administers it."""
    words = door.words
    how = Markup("<p>{}</p><p><code>{}</code></p>").format(
        words.say("door.close_it"), _command(FIRST_COMMAND)
    )
    return _document(
        door,
        words.say("door.open"),
        Markup('<p>{}</p>{}<p><a href="{}">{}</a></p>').format(
            words.say("door.open_what"), how if local else "", door.prefix, words.say("error.home")
        ),
    )


def again(door: Door, address: str) -> str:
    """Asks for the same page once more, now from our own: then the browser brings its cookies."""
    return str(
        Markup(
            '<!doctype html><html lang="{}"><meta charset="utf-8">'
            '<meta http-equiv="refresh" content="0;url={}"><title>{}</title></html>'
        ).format(door.words.lang.value, address, door.words.say("page.title"))
    )


def _document(door: Door, title: str, inside: Markup) -> str:
    words = door.words
    other = Lang.EN if words.lang is Lang.ID else Lang.ID
    table = paints()
    theme = "" if door.theme is None else Markup(' data-theme="{}"').format(door.theme.value)
    return str(
        Markup(
            '<!doctype html><html lang="{}"{}><head><meta charset="utf-8"><meta name="viewport" '
            'content="width=device-width,initial-scale=1"><meta name="robots" content="noindex">'
            '<title>{} · {}</title><link rel="icon" href="data:,"><style>{}{}</style></head><body>'
            '<header><div><b>{}</b><span>{}</span></div><a href="{}masuk?lang={}" lang="{}" '
            'hreflang="{}" aria-label="{}: {}">{}</a></header><main><section><h1>{}</h1>{}'
            "</section></main></body></html>"
        ).format(
            words.lang.value,
            theme,
            title,
            words.say("page.title"),
            own(css({name: table[name] for name in PAINTS})),
            own(STYLE),
            words.say("page.title"),
            door.organisation,
            door.prefix,
            other.value,
            other.value,
            other.value,
            words.say("page.language"),
            other.value,
            other.value.upper(),
            title,
            inside,
        )
    )
