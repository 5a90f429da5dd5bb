"""The gate: a step before every request, and the three views of the sign-in.

GET /masuk    the form, or who is signed in     POST /masuk    name and password
POST /keluar  sign out                          GET …?token=   the wall lets itself in
"""

from __future__ import annotations

import logging
import re
import threading
from urllib.parse import urlencode

from flask import Flask, Response, g, redirect, request
from werkzeug.exceptions import BadRequest
from werkzeug.wrappers import Response as AnyResponse

from dashboard.app.gate.peers import Peer, came_from_elsewhere, is_own_page, read_peer
from dashboard.app.gate.sessions import (
    COOKIE,
    DEVICE_COOKIE,
    DEVICE_LASTS_S,
    LONGEST_S,
    WALL_COOKIE,
    WALL_LASTS_S,
)
from dashboard.app.gate.trust import Front, Trust
from dashboard.app.gate.visitor import Visitor, Way
from dashboard.app.visit import Visit, read_cookies, read_visit
from dashboard.pages import door
from dashboard.pages.door import Door
from monitor.core.access import PASSWORD_MAX_LENGTH, User, UserRole, Users
from monitor.core.errors import ConfigError, LedgerError
from monitor.core.ledger_identity import LedgerIdentity
from monitor.core.signing import LINK_PARAMETER, LinkState, check_link_code

log = logging.getLogger("dashboard.gate")

QUESTIONS = ("GET", "HEAD", "OPTIONS")
DRAWS = "_dash-update-component"
"""Dash's callback is a POST and changes nothing."""

POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
PARALLEL_SIGN_INS = 6
"""More would hold all threads while passwords are hashed, and silence the page."""

BUSY_S = 3.0
KNOWN_WAITS_S = 2.0
"""Whoever signs in from a known browser waits so long for strangers' attempts to end."""

LONGEST_BACK = 500
BACK = re.compile(r"(?!/)[A-Za-z0-9._~/?=&%+-]*")
"""Where the sign-in may lead back to: a path of ours, without the prefix."""

ALERT = re.compile(r"i/([0-9]{1,15})")
PLAIN = ("api/", "_dash-", "assets/")
"""Addresses that programs and scripts ask for: they are told in a line, not with a form."""


class Gate:
    """Stands before the application; `attach` puts it there."""

    def __init__(self, trust: Trust, front: Front) -> None:
        self._trust = trust
        self._front = front
        self._slots = threading.BoundedSemaphore(PARALLEL_SIGN_INS)

    def check(self) -> AnyResponse | None:
        """Before each request: None when it may go on. Leaves `g.visitor`."""
        peer = read_peer(request, self._trust.proxy, self._trust.trusted_proxies)
        path = self._path()
        self._trust.sessions.report_again()
        try:
            users = self._trust.users.read()
            g.link = self._link_state(path)
            g.peer, g.visitor = peer, self._who(peer, users, path)
        except ConfigError as error:
            log.error("nobody is let in: %s", error)
            return self._refuse("door.broken", 503)
        if request.method not in QUESTIONS and not is_own_page(request):
            return self._refuse("door.origin", 403)
        if g.link is LinkState.OTHER_LEDGER:
            # For whoever is signed in, too: the number is another incident's here.
            return self._refuse("door.link_other", 410)
        if path in ("masuk", "keluar"):
            return None
        token = request.args.get("token")
        if token is not None and users.is_wall_token(token) and request.method == "GET":
            return self._let_wall_in(users)
        return self._needs(path, g.visitor)

    def _needs(self, path: str, visitor: Visitor) -> AnyResponse | None:
        """Is this visitor's role enough for what is asked?"""
        is_question = request.method in QUESTIONS or path == DRAWS
        needed = UserRole.VIEWER if is_question else UserRole.OPERATOR
        if visitor.may(needed):
            return None
        if visitor.way is Way.OPEN:
            return self._refuse("door.local", 403)
        if visitor.name is not None or visitor.way is Way.WALL:
            return self._refuse("door.forbidden", 403)
        return self._ask(path)

    def _who(self, peer: Peer, users: Users, path: str) -> Visitor:
        if not users.users and self._trust.proxy is None:
            role = UserRole.OPERATOR if peer.local else UserRole.VIEWER
            return Visitor(Way.OPEN, role, local=peer.local)
        cookie = request.cookies.get(COOKIE)
        if cookie:
            found = self._trust.sessions.read(cookie, users)
            if found is not None:
                session, user = found
                g.session, g.renewed = session, self._trust.sessions.renewed(session)
                return Visitor(Way.SESSION, user.role, user.name, peer.local)
        proxy = self._trust.proxy
        if proxy is not None and peer.named is not None:
            known = users.find(peer.named)
            role_of_proxy = proxy.role if known is None else known.role
            return Visitor(Way.PROXY, role_of_proxy, peer.named, peer.local)
        wall = request.cookies.get(WALL_COOKIE)
        if wall and (self._trust.sessions.reads_wall(wall, users) or users.is_wall_token(wall)):
            if self._trust.sessions.wall_is_old(wall):
                g.new_wall = self._trust.sessions.write_wall(users)
            return Visitor(Way.WALL, UserRole.VIEWER, local=peer.local)
        return self._by_link(path, peer)

    def _by_link(self, path: str, peer: Peer) -> Visitor:
        if g.link is None or request.method not in QUESTIONS:
            return Visitor(local=peer.local)
        opens = g.link is LinkState.VALID
        return Visitor(Way.LINK, UserRole.VIEWER, local=peer.local) if opens else Visitor()

    def _link_state(self, path: str) -> LinkState | None:
        """What the code in the address of an incident is worth; None: there is none."""
        code, alert = request.args.get(LINK_PARAMETER), ALERT.fullmatch(path)
        if code is None or alert is None:
            return None
        trust = self._trust
        try:
            ledger = trust.ledger()
        except LedgerError as error:
            # Nothing of an incident can be shown either: the page says that, not the gate.
            log.warning("a link is checked without the ledger: %s", error)
            ledger = LedgerIdentity(code.partition(".")[0] if code.count(".") == 2 else "")
        return check_link_code(trust.link_key(), ledger, int(alert[1]), code, trust.now())

    def show_door(self) -> AnyResponse:
        """GET /masuk."""
        front, visitor = self._door(), g.visitor
        if visitor.way is Way.OPEN:
            text = door.opened(front, visitor.local)
        elif visitor.name is not None:
            role = "none" if visitor.role is None else visitor.role.value
            leaves = visitor.way is Way.SESSION
            users = self._trust.users.read().users if visitor.may(UserRole.ADMIN) else ()
            text = door.signed_in(front, visitor.name, role, leaves, users)
        elif self._comes_from_elsewhere():
            text = self._once_more()
        else:
            text = door.sign_in(front, "", "", "")
        return self._page(text, 200)

    def enter(self) -> AnyResponse:
        """POST /masuk: the same words, after the same work, for a wrong name or password."""
        trust = self._trust
        name = request.form.get("nama", "").strip().casefold()[:60]
        password = request.form.get("sandi", "")
        back = _way_back(request.form.get("ke", ""))
        device = trust.sessions.read_device(request.cookies.get(DEVICE_COOKIE, ""), name)
        if not self._slots.acquire(timeout=0.0 if device is None else KNOWN_WAITS_S):
            return self._wait(BUSY_S, back, name)
        try:
            wait_s = trust.attempts.begin(g.peer.address, name, device)
            if wait_s > 0:
                return self._wait(wait_s, back, name)
            user = trust.users.read().find(name)
            too_long = len(password) > PASSWORD_MAX_LENGTH
            password_hash = None if user is None or too_long else user.password_hash
            verified = trust.passwords.verify(password_hash, password[:PASSWORD_MAX_LENGTH])
        finally:
            self._slots.release()
        if user is None or not verified:
            log.warning("a sign-in failed, from %s", g.peer.address)
            words = self._door().words
            text = door.sign_in(self._door(), back, words.say("door.wrong"), name)
            return self._page(text, 401)
        trust.attempts.succeeded(g.peer.address, name, device)
        return self._welcome(user, back, device)

    def leave(self) -> AnyResponse:
        """POST /keluar."""
        session = g.get("session")
        if session is not None:
            self._trust.sessions.end(session)
        g.renewed = None
        answer = redirect(f"{self._front.prefix}masuk", 303)
        for name in (COOKIE, WALL_COOKIE):
            answer.delete_cookie(name, path=self._front.prefix)
        return answer

    def renew(self, response: Response) -> Response:
        """After each request: a session that is used goes on."""
        renewed = g.get("renewed")
        if renewed is not None:
            self._set(response, COOKIE, self._trust.sessions.write(renewed), int(LONGEST_S))
        new_wall = g.get("new_wall")
        if new_wall is not None:
            self._set(response, WALL_COOKIE, new_wall, WALL_LASTS_S)
        return response

    def broken(self, error: ConfigError) -> AnyResponse:
        """A key that cannot be read or made."""
        log.error("nobody can sign in: %s", error)
        return self._refuse("door.broken", 503)

    def _welcome(self, user: User, back: str, device: str | None) -> AnyResponse:
        session = self._trust.sessions.begin(user)
        answer = redirect(f"{self._front.prefix}{back}", 303)
        self._set(answer, COOKIE, self._trust.sessions.write(session), int(LONGEST_S))
        known = self._trust.sessions.write_device(user.name, device)
        self._set(answer, DEVICE_COOKIE, known, DEVICE_LASTS_S)
        answer.headers["Cache-Control"] = "no-store"
        return answer

    def _let_wall_in(self, users: Users) -> AnyResponse:
        """The token goes from the address, which is shown and logged; a cookie takes its place."""
        kept = {key: value for key, value in request.args.items() if key != "token"}
        query = f"?{urlencode(kept)}" if kept else ""
        answer = redirect(f"{self._front.prefix}{_way_back(self._path())}{query}", 303)
        self._set(answer, WALL_COOKIE, self._trust.sessions.write_wall(users), WALL_LASTS_S)
        answer.headers["Cache-Control"] = "no-store"
        return answer

    def _ask(self, path: str) -> AnyResponse:
        """Who are you? A form for people, a line for programs."""
        if path.startswith(PLAIN) or path.endswith(".csv"):
            return self._refuse("door.please", 401)
        if request.method == "GET" and self._comes_from_elsewhere():
            return self._page(self._once_more(), 200)
        words = self._door().words
        is_over = g.link is LinkState.EXPIRED
        said = words.say("door.link_over") if is_over else ""
        query = request.query_string.decode("ascii", "replace")
        asks = request.method == "GET" and query and not is_over
        back = _way_back(f"{path}?{query}" if asks else path)
        return self._page(door.sign_in(self._door(), back, said, ""), 401)

    def _wait(self, wait_s: float, back: str, name: str) -> AnyResponse:
        words = self._door().words
        said = words.say("door.wait", wait=words.duration(wait_s if wait_s < 60 else wait_s + 59))
        answer = self._page(door.sign_in(self._door(), back, said, name), 429)
        answer.headers["Retry-After"] = str(int(wait_s) + 1)
        return answer

    def _refuse(self, key: str, code: int) -> AnyResponse:
        sentence = self._door().words.say(key)
        headers = {"Cache-Control": "no-store"}
        return Response(f"{sentence}\n", code, headers=headers, mimetype="text/plain")

    def _page(self, text: str, code: int) -> Response:
        headers = {"Content-Security-Policy": POLICY, "Cache-Control": "no-store"}
        answer = Response(text, code, headers=headers, mimetype="text/html")
        return self._visit().remember(answer, self._front.prefix)

    def _comes_from_elsewhere(self) -> bool:
        return came_from_elsewhere(request) and COOKIE not in request.cookies

    def _once_more(self) -> str:
        query = request.query_string.decode("ascii", "replace")
        return door.again(self._door(), f"{request.path}?{query}" if query else request.path)

    def _set(self, response: AnyResponse, name: str, value: str, age_s: int) -> None:
        response.set_cookie(
            name,
            value,
            max_age=age_s,
            path=self._front.prefix,
            secure=g.peer.https,
            httponly=True,
            samesite="Strict",
        )

    def _visit(self) -> Visit:
        try:
            return read_visit(request)
        except BadRequest:
            return read_cookies(request)

    def _door(self) -> Door:
        visit, front = self._visit(), self._front
        return Door(front.organisation, front.prefix, front.words[visit.lang], visit.theme)

    def _path(self) -> str:
        """Without the prefix; what lies beside it stays whole, and is none of our pages."""
        return request.path.removeprefix(self._front.prefix)


def attach(gate: Gate, server: Flask, prefix: str) -> None:
    """Put the gate before everything that the server answers, and its views beside."""
    server.before_request_funcs.setdefault(None, []).insert(0, gate.check)
    server.add_url_rule(f"{prefix}masuk", "door", gate.show_door, methods=["GET"])
    server.add_url_rule(f"{prefix}masuk", "enter", gate.enter, methods=["POST"])
    server.add_url_rule(f"{prefix}keluar", "leave", gate.leave, methods=["POST"])
    server.after_request(gate.renew)
    server.register_error_handler(ConfigError, gate.broken)


def _way_back(text: str) -> str:
    """A path of ours, or the first page: never another site's."""
    if len(text) > LONGEST_BACK or BACK.fullmatch(text) is None or "//" in text.partition("?")[0]:
        return ""
    return text
