"""Write the text of notifications, in Bahasa Indonesia or English.

message_writer.py      NotificationContext in, title and text out; a plain text if that fails
headline.py            the first line: what, where, the office, since when, the number
incident_message.py    one incident, or the outages of one office: all other lines
digest_message.py      incidents of several places in one message
office_text.py         whether an office is connected, and by which link
action_text.py         what the person who is called should do
situation.py           both of these for pages and commands
evidence_text.py       what was measured; suspected and reported causes
path_text.py           where the path to a target breaks off
self_alert_message.py  the monitor's own failed checks, and the channel test
target_names.py        names of targets, other links, provider, people, page addresses
language.py            times, durations and numbers of a language
text_layout.py         unsafe characters removed; lines fitted into a channel's limit
"""
