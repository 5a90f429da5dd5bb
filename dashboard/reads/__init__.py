"""The only questions that pages may ask: `questions`; the snapshot that all pages share is
`snapshot`; `intervals` turns changes of state into stretches of time; `kept` answers many at once.
"""
