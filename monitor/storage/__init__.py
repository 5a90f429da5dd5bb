"""What is done with samples besides taking them: recorded, summed up, removed, shipped.

disk_watch.py       room on the disk and how fast it fills; the last backup's status
period_recorder.py  closes the recording periods, writes `last_alive`
self_metrics.py     the measurement `monitor`
rollup_job.py       minutes and hours of the journal
retention.py        removes old files of the journal, warns before samples are lost
influx_shipper.py   journal to InfluxDB      backfill.py       newest first when far behind
shipper_group.py    all shippers together    daemon_thread.py  where their blocking calls run
store_errors.py     failures of rollups and retention, as warnings
"""
