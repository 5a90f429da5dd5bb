"""Who is notified of which incident, when, and in which words. Pure.

settings.py         alerts.toml and maintenance.toml as values
model.py, ports.py  what is recorded and sent; the ledger that stores it
alerting_state.py   actions and maintenance windows in memory, settings in force
notifier.py         incident changes and actions in, outbox rows out:
  policy.py           the decision, reading top to bottom; its reasons: reasons.py
  grouping.py         digests      escalation.py  steps and reminders
  inhibition.py       what holds a message back
  policy_state.py     what it remembers, restored after a restart
  policy_context.py   its input and output
  messages/           the texts
routing.py, rota.py routes, recipients and channels; who is on call
maintenance.py, office_hours.py, handling.py (acknowledgement, snooze)
unrecorded.py, given_out.py  messages sent without the ledger, and their numbers
outbox.py           which rows are due, which replace others, retry delays
self_checks.py      failed checks of the monitor itself
documents.py        JSON documents
"""
