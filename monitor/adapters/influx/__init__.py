"""InfluxDB 1.x (behind deploy/nginx-influxdb.conf), 2.x and 3.x through `influxdb-client`.

    InfluxSink     where the shipper sends samples: one synchronous write, acknowledged by 204
    InfluxSource   the same samples read back, by InfluxQL over /query

The client's batching WriteApi is not used: it loses points silently when the server is away.
"""

from monitor.adapters.influx.reader import InfluxReader
from monitor.adapters.influx.writer import InfluxWriter

__all__ = ["InfluxReader", "InfluxWriter"]
