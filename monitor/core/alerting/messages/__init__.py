"""Write the text of notifications, in Bahasa Indonesia or English.

message_writer.py      NotificationContext in, title and text out; a plain text if that fails
incident_message.py    one incident: state, place, times, evidence, cause, who acts
digest_message.py      several incidents in one message
self_alert_message.py  the monitor's own failed checks, and the channel test
target_names.py        names of targets, other links, provider, people, page addresses
language.py            times, durations and numbers of a language
text_layout.py         unsafe characters removed; lines fitted into a channel's limit
"""
