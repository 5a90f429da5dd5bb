"""The gate before the page: who asks (`peers`, `sessions`), and whether they may (`gate`).

It stands before everything that the application answers, files and Dash's own addresses included:

- While there are no users (`pantau user add`) and no proxy that names them, everybody may look.
  What changes something is then only for this very machine: asked directly over loopback, under
  a loopback name, through no proxy.
- Else nothing is answered to nobody, except the sign-in, a page whose signed link has not
  expired, and what the wall's token opens.
- Whatever is not a question (POST and its kin) comes from our own page (Origin), and is for those
  who may operate; except Dash's callback, which only draws.
- The list of users that cannot be read closes the page: 503, never open.

`visitor.named(request)` is the name that goes to the daemon with what somebody does.
"""
