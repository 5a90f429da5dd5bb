"""The local API: HTTP and JSON on a Unix socket in the data directory, mode 0660.

Whoever may open the socket may act: the user of the daemon and its group. The kernel says which
user asks: root, the daemon's own and the page's user name the person who acts (`who`), any other
user acts under its own system user name. An error is `{"error": "a sentence"}` with 400 (invalid),
403 (not for this user), 404 (not found), 408 (body not sent), 409 (conflict with the present
state), 413 (body too long), 503 (ledger error) or 507 (what somebody did could not be stored).
Every POST takes a JSON object with `who`, and answers with what was stored. Times are
RFC 3339 with a zone.

    GET  /state                       the `status --json` document
    GET  /healthz                     200 while rounds end, 503 when none has for 30 s
    GET  /metrics                     for Prometheus, text format 0.0.4
    GET  /incidents?all=1&since=&limit=    with the handling of each
    GET  /incidents/17                one with actions, alert decisions and messages
    POST /incidents/17/acknowledge    why, until or for_s (8 h at most)
    POST /incidents/17/snooze         until or for_s
    POST /incidents/17/release        why
    POST /incidents/17/note           text
    POST /incidents/17/ticket         number
    POST /incidents/17/cause          cause: power, link, upstream, congestion, other
    GET  /maintenance                 active now and ahead
    POST /maintenance                 targets, from (else now), to or for_s, why
    POST /maintenance/3/end           also by the name of a line of maintenance.toml in force
    GET  /outbox?status=dead&limit=   messages, the newest so many
    GET  /outbox/12
    POST /outbox/12/retry             queue a dead message again
    POST /alert-test                  channel, or all of them
    GET  /oncall                      each rota: now and next
    GET  /handover?since=             the summary of a shift
    GET  /users                       accounts of the page: names and roles
    POST /users                       name, role, password (an argon2 hash; absent: by proxy only)
    POST /users/siti                  role, password
    POST /users/siti/remove
    POST /wall-token                  hash (absent: none)
    POST /sessions/end                session, name, until: of the page's user only
    GET  /routers/<name>              what a router reported of itself by SNMP, and when

server: socket and errors; connections: limits; peer: who asks; get_handlers; post_handlers;
account_handlers, accounts: of the page; validation: of request fields.
"""

from monitor.api.accounts import Accounts
from monitor.api.context import ApiContext
from monitor.api.peer import PeerCheck
from monitor.api.server import ApiServer

__all__ = ["Accounts", "ApiContext", "ApiServer", "PeerCheck"]
