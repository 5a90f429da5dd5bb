"""InfluxDB 1.x (behind deploy/nginx-influxdb.conf), 2.x and 3.x through `influxdb-client`.

    writer.py  InfluxWriter  where the shipper sends samples: synchronous, acknowledged by 204
    reader.py  InfluxReader  the same samples read back, by InfluxQL over /query
    setup.py   InfluxSetup   creates buckets and checks rights
    client.py  InfluxClient  requests, queries and errors of all three

The client's batching WriteApi is not used: it loses points silently when the server is away.
"""

from monitor.adapters.influx.reader import InfluxReader
from monitor.adapters.influx.writer import InfluxWriter

__all__ = ["InfluxReader", "InfluxWriter"]
